//! Results of validating a record: findings with a place, a stable code and the offending value.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{text::printable, vocabulary::vocabulary};

vocabulary!(
    /// Errors reject a record, warnings let it in.
    Severity {
        /// The record is rejected.
        Error = "error",
        /// The record goes in, and an operator should look.
        Warning = "warning",
    }
);

/// One result of validating a record. Its texts may quote the record: they are cut, and hold visible characters only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// Stable, for programs: `imo_number_check_digit`.
    pub code: &'static str,
    /// RFC 6901 pointer into the record.
    pub pointer: String,
    /// The rule, for people.
    pub message: String,
    /// The offending value; personal data is masked.
    pub value: Option<String>,
}

/// Most characters of a finding's pointer and of its message.
const TEXT_LIMIT: usize = 500;
/// Most characters of a finding's value.
const VALUE_LIMIT: usize = 120;

/// Most findings of one record.
const OF_RECORD_LIMIT: usize = 20;

/// Keeps the first findings of a record, errors before warnings, and says how many more there were.
pub(crate) fn limit_findings(findings: &mut Vec<Finding>) {
    if findings.len() > OF_RECORD_LIMIT {
        findings.sort_by_key(|it| it.severity != Severity::Error);
        let more = findings.len() - (OF_RECORD_LIMIT - 1);
        findings.truncate(OF_RECORD_LIMIT - 1);
        findings.push(Finding::warning("findings_left_out", "", format!("{more} more are not kept")));
    }
}

impl Finding {
    /// An error at `pointer`.
    #[must_use]
    pub fn error(code: &'static str, pointer: impl AsRef<str>, message: impl Display) -> Self {
        Self {
            severity: Severity::Error,
            code,
            pointer: printable(pointer.as_ref(), TEXT_LIMIT).into_owned(),
            message: printable(&message.to_string(), TEXT_LIMIT).into_owned(),
            value: None,
        }
    }

    /// A warning at `pointer`.
    #[must_use]
    pub fn warning(code: &'static str, pointer: impl AsRef<str>, message: impl Display) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, pointer, message) }
    }

    /// With the offending value.
    #[must_use]
    pub fn with_value(mut self, value: impl Display) -> Self {
        self.value = Some(printable(&value.to_string(), VALUE_LIMIT).into_owned());
        self
    }
}

/// What validation depends on beside the record.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub now: DateTime<Utc>,
    /// How far ahead of `now` a version may lie, since clocks differ.
    pub future_tolerance: chrono::Duration,
}

/// How far ahead of our clock a time of the onboarding portal may lie, since clocks differ.
pub const FUTURE_TOLERANCE: chrono::Duration = chrono::Duration::minutes(5);

impl Rules {
    /// The rules at `now`, with [`FUTURE_TOLERANCE`].
    #[must_use]
    pub const fn at(now: DateTime<Utc>) -> Self {
        Self { now, future_tolerance: FUTURE_TOLERANCE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_findings_of_a_record_the_errors_are_kept_and_the_rest_is_counted() {
        let mut findings: Vec<_> = (0..1000).map(|n| Finding::warning("w", format!("/{n}"), "odd")).collect();
        findings.push(Finding::error("e", "", "bad"));
        limit_findings(&mut findings);
        assert_eq!((findings.len(), findings[0].code), (20, "e"));
        assert_eq!(findings[19].message, "982 more are not kept");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = "é".repeat(5000);
        let finding = Finding::error("x", &long, &long).with_value(&long);
        let lengths =
            [&finding.pointer, &finding.message, &finding.value.unwrap()].map(|it| it.chars().count());
        assert_eq!(lengths, [500, 500, 120]);
    }
}
