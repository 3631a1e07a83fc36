//! The inspection of a draft: its fields are parsed one by one, and every fault is noted.

use std::{fmt::Display, str::FromStr};

use chrono::{DateTime, Utc};

use crate::{
    Accepted, Finding, Rejection, Rules, Severity, SourceId, Version,
    revocation::{RecordHead, Withdrawal},
};

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

    /// The withdrawal of the record; one in the future is a warning.
    pub(crate) fn withdrawal(&mut self, withdrawn_at: Option<DateTime<Utc>>, rules: &Rules) -> Withdrawal {
        let withdrawal = Withdrawal::of(withdrawn_at, rules);
        self.findings.extend(withdrawal.finding());
        withdrawal
    }

    /// Accepts `record` if no error was found. `vessel_ids`: the vessels that it belongs to.
    pub(crate) fn finish<T>(
        self,
        head: &RecordHead,
        rules: &Rules,
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
            _ => {
                let source_id = head.id.clone().unwrap_or_default();
                let rejection = Rejection {
                    source_id,
                    label: Some(label),
                    vessel_ids,
                    findings: self.findings,
                    revocation: None,
                };
                Err(rejection.with_revocation(head, rules))
            }
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
    fn record_with_an_error_is_rejected_with_its_warnings_and_its_revocation() {
        let mut inspection = Inspection::default();
        inspection.add(Finding::warning("w", "/a", "odd"));
        assert_eq!(inspection.text("/name", "  ", 10), None);
        let version = Version::new(DateTime::UNIX_EPOCH, crate::ContentHash::of(&()));
        let head = RecordHead { id: Some("1".into()), active: Some(false), ..RecordHead::default() };
        let rules = Rules::at(DateTime::UNIX_EPOCH);
        let rejection =
            inspection.finish(&head, &rules, "label".into(), Vec::new(), version, Some(())).unwrap_err();
        assert_eq!(
            rejection.findings.iter().map(|f| f.code).collect::<Vec<_>>(),
            ["w", "blank", "deactivated_despite_errors"]
        );
    }
}
