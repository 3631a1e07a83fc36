//! Results of validating a record: findings with a place, a stable code and the offending value.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Errors reject a record, warnings let it in.
    Severity {
        /// The record is rejected.
        Error = "error",
        /// The record goes in, and an operator should look.
        Warning = "warning",
    }
);

/// One result of validating a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// Stable, for programs: `imo_number_check_digit`.
    pub code: &'static str,
    /// RFC 6901 pointer into the record.
    pub pointer: String,
    /// The rule, for people.
    pub message: String,
    /// The offending value; personal data is masked, long values are cut.
    pub value: Option<String>,
}

impl Finding {
    /// An error at `pointer`.
    #[must_use]
    pub fn error(code: &'static str, pointer: impl Into<String>, message: impl Display) -> Self {
        Self {
            severity: Severity::Error,
            code,
            pointer: pointer.into(),
            message: message.to_string(),
            value: None,
        }
    }

    /// A warning at `pointer`.
    #[must_use]
    pub fn warning(code: &'static str, pointer: impl Into<String>, message: impl Display) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, pointer, message) }
    }

    /// With the offending value, cut after 120 characters.
    #[must_use]
    pub fn with_value(mut self, value: impl Display) -> Self {
        let text = value.to_string();
        let cut = text.char_indices().nth(120).map(|(at, _)| at);
        self.value = Some(match cut {
            Some(at) => format!("{}…", &text[..at]),
            None => text,
        });
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
    fn a_long_value_is_cut_between_characters() {
        let finding = Finding::error("x", "/a", "b").with_value("é".repeat(500));
        assert_eq!(finding.value.unwrap().chars().count(), 121);
    }
}
