//! The inspection of a draft: its fields are parsed one by one, and every fault is noted.

use std::{borrow::Cow, fmt::Display, ops::RangeInclusive, str::FromStr};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde_json::{Map, Value};

use crate::{
    Accepted, Finding, Rejection, Rules, SentId, Severity, SourceId, Version,
    finding::limit_findings,
    revocation::{NEVER_FROM_YEAR, RecordHead, Withdrawal, is_empty_date},
    specs::check_specs,
    text::{LABEL_LIMIT, cleaned, is_blank, printable, trimmed},
};

/// The years of dates in the life of a ship and of those who work on board.
const BUSINESS_YEARS: RangeInclusive<i32> = 1900..=2200;
/// The years in which the end of something means that it has none: ERP systems write 9999-12-31.
const NEVER_YEARS: RangeInclusive<i32> = NEVER_FROM_YEAR..=9999;

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

    /// A text of one line that is not blank, has no control characters and at most `max` characters.
    pub(crate) fn text(&mut self, pointer: &str, text: &str, max: usize) -> Option<String> {
        let text = self.cleaned_text(pointer, text);
        self.parsed(parse_text(pointer, trimmed(&text), max))
    }

    /// The text without characters that nobody sees and that change how others are read; a warning if there were any.
    fn cleaned_text<'t>(&mut self, pointer: &str, text: &'t str) -> Cow<'t, str> {
        let cleaned = cleaned(text);
        if cleaned.len() < text.len() && !is_blank(text) {
            let message = "held characters that nobody sees (bidirectional controls or noncharacters); they are removed";
            self.add(Finding::warning("invisible_character_removed", pointer, message));
        }
        cleaned
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
            Some(text) if is_blank(text) => Some(None),
            Some(text) => self.text(pointer, text, max).map(Some),
        }
    }

    /// An optional text of several lines, kept with the blanks at its ends.
    pub(crate) fn optional_lines(
        &mut self,
        pointer: &str,
        text: Option<&str>,
        max: usize,
    ) -> Option<Option<String>> {
        let Some(text) = text.filter(|text| !is_blank(text)) else { return Some(None) };
        let text = self.cleaned_text(pointer, text).into_owned();
        if text.chars().count() > max {
            self.add(too_long(pointer, max));
            return None;
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            let message = "must hold no control characters but line breaks and tabs";
            self.add(Finding::error("control_character", pointer, message));
            return None;
        }
        Some(Some(text))
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
        bounds: RangeInclusive<T>,
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

    /// An optional date of the past or of the years to come.
    pub(crate) fn date(&mut self, pointer: &str, date: Option<NaiveDate>) -> Option<Option<NaiveDate>> {
        self.date_in(pointer, date, &[BUSINESS_YEARS])
    }

    /// An optional date until which something holds: also one that means "for ever".
    pub(crate) fn end_date(&mut self, pointer: &str, date: Option<NaiveDate>) -> Option<Option<NaiveDate>> {
        self.date_in(pointer, date, &[BUSINESS_YEARS, NEVER_YEARS])
    }

    fn date_in(
        &mut self,
        pointer: &str,
        date: Option<NaiveDate>,
        years: &[RangeInclusive<i32>],
    ) -> Option<Option<NaiveDate>> {
        match date {
            Some(date) if !years.iter().any(|years| years.contains(&date.year())) => {
                let years: Vec<String> =
                    years.iter().map(|years| format!("from {} to {}", years.start(), years.end())).collect();
                let message = format!("must be a date of the years {}", years.join(", or "));
                self.add(Finding::error("out_of_range", pointer, message).with_value(date));
                None
            }
            date => Some(date),
        }
    }

    /// Technical data: no larger, and with no numbers or texts but those that the database can keep.
    pub(crate) fn specs(&mut self, pointer: &str, specs: &Map<String, Value>) {
        check_specs(pointer, specs, &mut self.findings);
    }

    /// Rejects a version from the future, which would win against every later write, and one from before our era, which
    /// the database cannot keep.
    pub(crate) fn check_version_time(&mut self, updated_at: DateTime<Utc>, rules: &Rules) {
        if updated_at > rules.now + rules.future_tolerance {
            let message = "lies in the future, and would win against every later change";
            self.add(
                Finding::error("version_from_future", "/updatedAt", message)
                    .with_value(updated_at.to_rfc3339()),
            );
        } else if updated_at.year() < 1 {
            let finding = Finding::error("out_of_range", "/updatedAt", "must be a time of our era");
            self.add(finding.with_value(updated_at.to_rfc3339()));
        }
    }

    /// The withdrawal of the record; one in the future is a warning.
    pub(crate) fn withdrawal(&mut self, withdrawn_at: Option<DateTime<Utc>>, rules: &Rules) -> Withdrawal {
        if let Some(empty) = withdrawn_at.filter(|at| is_empty_date(*at)) {
            let message = "is what is written where there is no date: leave it out, or say when";
            self.add(Finding::error("out_of_range", "/withdrawnAt", message).with_value(empty.to_rfc3339()));
        }
        let withdrawal = Withdrawal::of(withdrawn_at, rules);
        self.findings.extend(withdrawal.finding());
        withdrawal
    }

    /// Accepts `record` if no error was found. `vessel_ids`: the vessels that it belongs to, as they were sent.
    pub(crate) fn finish<T>(
        mut self,
        head: &RecordHead,
        rules: &Rules,
        label: String,
        vessel_ids: &[String],
        version: Version,
        record: Option<T>,
    ) -> Result<Accepted<T>, Rejection> {
        let label = printable(&cleaned(&label), LABEL_LIMIT).into_owned();
        limit_findings(&mut self.findings);
        let faulty = self.findings.iter().any(|finding| finding.severity == Severity::Error);
        match record {
            Some(record) if !faulty => {
                Ok(Accepted { record, version, warnings: self.findings, label, payload_hash: None })
            }
            _ => {
                let rejection = Rejection {
                    source_id: head.id.as_deref().map(SentId::from).unwrap_or_default(),
                    label: Some(label),
                    vessel_ids: vessel_ids.iter().filter_map(|id| id.parse().ok()).collect(),
                    updated_at: None,
                    findings: self.findings,
                    revocation: None,
                };
                Err(rejection.with_head(head, rules))
            }
        }
    }
}

fn parse_text(pointer: &str, text: &str, max: usize) -> Result<String, Finding> {
    if is_blank(text) {
        Err(Finding::error("blank", pointer, "must not be blank"))
    } else if text.chars().count() > max {
        Err(too_long(pointer, max))
    } else if text.chars().any(char::is_control) {
        Err(Finding::error("control_character", pointer, "must hold no control characters"))
    } else {
        Ok(text.to_owned())
    }
}

fn too_long(pointer: &str, max: usize) -> Finding {
    Finding::error("too_long", pointer, format!("must be at most {max} characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(inspection: &Inspection) -> Vec<(Severity, &str)> {
        inspection.findings.iter().map(|it| (it.severity, it.code)).collect()
    }

    #[test]
    fn text_of_invisible_characters_is_blank_and_others_are_removed_with_a_warning() {
        let mut inspection = Inspection::default();
        assert_eq!(inspection.text("/name", "\u{200b}\u{202e}", 10), None);
        assert_eq!(inspection.optional_text("/maker", Some("\u{feff}"), 10), Some(None));
        assert_eq!(codes(&inspection), [(Severity::Error, "blank")]);
        let name = inspection.text("/name", "\u{feff}Nordic\u{202e} Star\u{fffe}", 11);
        assert_eq!(name.as_deref(), Some("Nordic Star"));
        assert_eq!(codes(&inspection)[1..], [(Severity::Warning, "invisible_character_removed")]);
    }

    #[test]
    fn text_of_several_lines_has_line_breaks_and_no_other_control_characters() {
        let mut inspection = Inspection::default();
        let lines =
            |inspection: &mut Inspection, text| inspection.optional_lines("/procedure", Some(text), 20);
        assert_eq!(
            lines(&mut inspection, "1. Open\n2.\tLook\r\n"),
            Some(Some("1. Open\n2.\tLook\r\n".into()))
        );
        assert_eq!(lines(&mut inspection, " \u{200b}\n"), Some(None));
        assert_eq!(lines(&mut inspection, "a\0b"), None);
        assert_eq!(lines(&mut inspection, &"a".repeat(21)), None);
        assert_eq!(
            codes(&inspection),
            [(Severity::Error, "control_character"), (Severity::Error, "too_long")]
        );
    }

    #[test]
    fn date_far_away_is_out_of_range_and_an_end_may_be_never() {
        let day = |year| NaiveDate::from_ymd_opt(year, 12, 31);
        let mut inspection = Inspection::default();
        for year in [1900, 2026, 2200] {
            assert_eq!(inspection.date("/signOn", day(year)), Some(day(year)));
        }
        assert_eq!(inspection.end_date("/signOff", day(9999)), Some(day(9999)));
        assert_eq!(codes(&inspection), []);
        for year in [-262_000, 1, 1899, 2201, 9999, 200_000] {
            assert_eq!(inspection.date("/signOn", day(year)), None);
        }
        assert_eq!(inspection.end_date("/signOff", day(200_000)), None);
        assert_eq!(codes(&inspection), [(Severity::Error, "out_of_range"); 7]);
        let last = inspection.findings.last().unwrap();
        assert_eq!(last.message, "must be a date of the years from 1900 to 2200, or from 2900 to 9999");
        assert_eq!(last.value.as_deref(), Some("+200000-12-31"));
    }

    #[test]
    fn record_with_an_error_is_rejected_with_its_warnings_and_its_revocation() {
        let mut inspection = Inspection::default();
        inspection.add(Finding::warning("w", "/a", "odd"));
        assert_eq!(inspection.text("/name", "  ", 10), None);
        let version = Version::new(DateTime::UNIX_EPOCH, crate::ContentHash::of(&()));
        let head = RecordHead { id: Some("1".into()), active: Some(false), ..RecordHead::default() };
        let rules = Rules::at(DateTime::UNIX_EPOCH);
        let rejection = inspection.finish(&head, &rules, "label".into(), &[], version, Some(())).unwrap_err();
        assert_eq!(rejection.findings.iter().map(|f| f.code).collect::<Vec<_>>(), ["w", "blank"]);
        assert_eq!(rejection.revocation.unwrap().revoked, crate::revocation::Revoked::Access);
    }
}
