//! Results of validating a record: findings with a place, a stable code and the offending value.

use std::{fmt::Display, str::FromStr};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{PayloadHash, SourceId, Version, vocabulary::vocabulary};

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

impl Rules {
    /// The rules at `now`, with five minutes of tolerance.
    #[must_use]
    pub const fn at(now: DateTime<Utc>) -> Self {
        Self { now, future_tolerance: chrono::Duration::minutes(5) }
    }
}

/// An accepted record with its version and its warnings. Only a draft's `accept` makes one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Accepted<T> {
    pub record: T,
    pub version: Version,
    pub warnings: Vec<Finding>,
    /// Name for people, without personal data: a name and an IMO number, a code and a name.
    pub label: String,
    /// Hash of the payload that the record was read from, if the payload is known.
    pub payload_hash: Option<PayloadHash>,
}

impl<T> Accepted<T> {
    /// Adds the hash of the payload: the record's bytes in the provider's answer.
    #[must_use]
    pub fn with_payload(mut self, bytes: &[u8]) -> Self {
        self.payload_hash = Some(PayloadHash::of(self.version, bytes));
        self
    }
}

/// A rejected record. Its findings hold at least one error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Id in the onboarding portal as it was sent; empty if there was none.
    pub source_id: String,
    /// Name for people, as far as it could be read.
    pub label: Option<String>,
    /// The vessels that the record belongs to, by their ids in the onboarding portal, as far as they could be read.
    pub vessel_ids: Vec<String>,
    /// Errors, and warnings beside them.
    pub findings: Vec<Finding>,
}

impl Rejection {
    /// A rejection for one reason.
    #[must_use]
    pub fn because(source_id: impl Into<String>, label: Option<String>, finding: Finding) -> Self {
        Self { source_id: source_id.into(), label, vessel_ids: Vec::new(), findings: vec![finding] }
    }
}

/// Collects findings while a draft is parsed.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    findings: Vec<Finding>,
}

impl Inspection {
    pub(crate) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The value, or none after the finding is added.
    pub(crate) fn parsed<T>(&mut self, result: Result<T, Finding>) -> Option<T> {
        result.map_err(|finding| self.add(finding)).ok()
    }

    /// The value of an optional field: `Some(None)` if absent, `None` if it does not parse.
    pub(crate) fn parsed_optional<T>(&mut self, result: Option<Result<T, Finding>>) -> Option<Option<T>> {
        match result {
            None => Some(None),
            Some(result) => self.parsed(result).map(Some),
        }
    }

    /// A text that is not blank, has no control characters and at most `max` characters.
    pub(crate) fn text(&mut self, pointer: &str, text: &str, max: usize) -> Option<String> {
        self.parsed(parse_text(pointer, text, max))
    }

    /// Like [`Self::text`]; an optional text that is blank counts as absent.
    pub(crate) fn optional_text(
        &mut self,
        pointer: &str,
        text: Option<&str>,
        max: usize,
    ) -> Option<Option<String>> {
        match text {
            None => Some(None),
            Some(text) if text.trim().is_empty() => Some(None),
            Some(text) => self.text(pointer, text, max).map(Some),
        }
    }

    pub(crate) fn source_id(&mut self, pointer: &str, text: &str) -> Option<SourceId> {
        self.parsed(text.parse().map_err(|e| Finding::error("id_malformed", pointer, e).with_value(text)))
    }

    /// A word of a vocabulary.
    pub(crate) fn word<T: Copy + Display + FromStr>(
        &mut self,
        code: &'static str,
        pointer: &str,
        text: &str,
        all: &[T],
    ) -> Option<T> {
        let word = text.parse().ok();
        if word.is_none() {
            let words: Vec<String> = all.iter().map(T::to_string).collect();
            let message = format!("must be one of {}", words.join(", "));
            self.add(Finding::error(code, pointer, message).with_value(text));
        }
        word
    }

    /// A number within bounds.
    pub(crate) fn in_range<T: PartialOrd + Display + Copy>(
        &mut self,
        pointer: &str,
        number: Option<T>,
        bounds: std::ops::RangeInclusive<T>,
    ) -> Option<Option<T>> {
        match number {
            Some(n) if !bounds.contains(&n) => {
                let message = format!("must be from {} to {}", bounds.start(), bounds.end());
                self.add(Finding::error("out_of_range", pointer, message).with_value(n));
                None
            }
            number => Some(number),
        }
    }

    /// Rejects a version from the future, which would win against every later write.
    pub(crate) fn check_version_time(&mut self, updated_at: DateTime<Utc>, rules: &Rules) {
        if updated_at > rules.now + rules.future_tolerance {
            let message = "lies in the future, and would win against every later change";
            self.add(
                Finding::error("version_from_future", "/updatedAt", message)
                    .with_value(updated_at.to_rfc3339()),
            );
        }
    }

    /// Accepts `record` if no error was found. `vessel_ids`: the vessels that it belongs to.
    pub(crate) fn finish<T>(
        self,
        source_id: String,
        label: String,
        vessel_ids: Vec<String>,
        version: Version,
        record: Option<T>,
    ) -> Result<Accepted<T>, Rejection> {
        let faulty = self.findings.iter().any(|finding| finding.severity == Severity::Error);
        match record {
            Some(record) if !faulty => {
                Ok(Accepted { record, version, warnings: self.findings, label, payload_hash: None })
            }
            _ => Err(Rejection { source_id, label: Some(label), vessel_ids, findings: self.findings }),
        }
    }
}

fn parse_text(pointer: &str, text: &str, max: usize) -> Result<String, Finding> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        Err(Finding::error("blank", pointer, "must not be blank"))
    } else if trimmed.chars().count() > max {
        Err(Finding::error("too_long", pointer, format!("must be at most {max} characters")))
    } else if trimmed.chars().any(char::is_control) {
        Err(Finding::error("control_character", pointer, "must hold no control characters"))
    } else {
        Ok(trimmed.to_owned())
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

    #[test]
    fn a_record_with_an_error_is_rejected_with_its_warnings() {
        let mut inspection = Inspection::default();
        inspection.add(Finding::warning("w", "/a", "odd"));
        assert_eq!(inspection.text("/name", "  ", 10), None);
        let version = Version::new(DateTime::UNIX_EPOCH, crate::ContentHash::of(&()));
        let rejection =
            inspection.finish("1".into(), "label".into(), Vec::new(), version, Some(())).unwrap_err();
        assert_eq!(rejection.findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["w", "blank"]);
    }
}
