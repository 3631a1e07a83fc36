//! Decoding one record. A wrong type rejects the record, with a JSON pointer to the value. What names the record and what
//! takes it away is read all the same.

use std::{borrow::Cow, collections::HashMap};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use domain::{
    Finding, Rejection, Rules, SentId,
    revocation::RecordHead,
    text::{LABEL_LIMIT, printable},
};
use serde::Deserialize;

use crate::{ListedRecord, frame::members};

/// A decoded record, or why it cannot be decoded.
pub type Decoded<D> = Result<D, Undecodable>;

/// A record that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecodable {
    rejection: Box<Rejection>,
    head: Box<RecordHead>,
}

impl Undecodable {
    /// The record's id; empty if it cannot be read.
    #[must_use]
    pub fn source_id(&self) -> &str {
        self.rejection.source_id.as_str()
    }

    /// The rejection of the record, with what its head says.
    #[must_use]
    pub fn reject(self, rules: &Rules) -> Rejection {
        self.rejection.with_head(&self.head, rules)
    }
}

pub(crate) fn decode_record<D: ListedRecord>(json: &[u8]) -> Decoded<D> {
    // Nearly all records are well-formed: only a malformed one needs the path to its fault.
    if let Ok(record) = serde_json::from_slice(json) {
        return Ok(record);
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize(&mut deserializer) {
        Err(error) => Err(undecodable::<D>(json, json_pointer(error.path()), error.inner())),
        // Something follows the record.
        Ok(record) => match deserializer.end() {
            Ok(()) => Ok(record),
            Err(error) => Err(undecodable::<D>(json, String::new(), &error)),
        },
    }
}

fn undecodable<D: ListedRecord>(json: &[u8], pointer: String, error: &serde_json::Error) -> Undecodable {
    let code = if error.is_data() { "wrong_type" } else { "malformed_json" };
    let fields = Fields::read(json);
    let head = Box::new(fields.head());
    let id = head.id.as_deref().map(SentId::from).unwrap_or_default();
    let unreadable = fields.unreadable_revocations(&head);
    let mut rejection = if D::IS_PERSON {
        let finding = Finding::error(code, pointer, "not of the type that the contract asks for");
        Rejection::because(id, None, finding)
    } else {
        let record = serde_json::from_slice::<serde_json::Value>(json).ok();
        let value = record.as_ref().and_then(|record| record.pointer(&pointer));
        let mut finding = Finding::error(code, pointer, message_of(error));
        if let Some(value) = value.filter(|value| !value.is_object() && !value.is_array()) {
            finding = finding.with_value(value);
        }
        let label = fields.text("name").filter(|name| !name.trim().is_empty());
        let label = label.map(|name| printable(&name, LABEL_LIMIT).into_owned());
        Rejection::because(id, label, finding)
    };
    rejection.findings.extend(unreadable.into_iter().map(|pointer| {
        let message =
            "may withdraw the record or end its access, and cannot be read: what is here stays until it can";
        Finding::error("revocation_unreadable", pointer, message)
    }));
    Undecodable { rejection: Box::new(rejection), head }
}

/// What is wrong, without the place in the text: the pointer says it.
fn message_of(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&place).unwrap_or(&message).to_owned()
}

/// The id of a record, also if other fields are malformed.
pub(crate) fn record_id(json: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct WithId<'p> {
        #[serde(borrow)]
        id: Cow<'p, str>,
    }
    // Nearly all records are well-formed.
    match serde_json::from_slice::<WithId<'_>>(json) {
        Ok(record) => Some(record.id),
        Err(_malformed) => Fields::read(json).head().id.map(Cow::Owned),
    }
}

/// The fields of a record, each to be read by itself: a malformed one leaves the others readable. Of a key that stands
/// twice the last one counts.
struct Fields<'r>(HashMap<Cow<'r, str>, &'r [u8]>);

impl<'r> Fields<'r> {
    fn read(json: &'r [u8]) -> Self {
        Self(members(json).unwrap_or_default().into_iter().collect())
    }

    fn value(&self, key: &str) -> serde_json::Value {
        self.0.get(key).and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_default()
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.value(key) {
            serde_json::Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Read leniently: what names a record and what takes it away must not depend on a notation.
    fn head(&self) -> RecordHead {
        let id = match self.value("id") {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        RecordHead {
            id,
            updated_at: lenient_time(&self.value("updatedAt")),
            withdrawn_at: lenient_time(&self.value("withdrawnAt")),
            active: lenient_bool(&self.value("active")),
            sign_off: lenient_time(&self.value("signOff")).map(|time| time.date_naive()),
        }
    }

    /// What may take something away and cannot be read, by JSON pointers.
    fn unreadable_revocations(&self, head: &RecordHead) -> Vec<&'static str> {
        let is_present = |key: &str| self.0.get(key).is_some_and(|json| !is_absent(json));
        [
            ("/withdrawnAt", head.withdrawn_at.is_none()),
            ("/active", head.active.is_none()),
            ("/signOff", head.sign_off.is_none()),
        ]
        .into_iter()
        .filter(|(pointer, is_unread)| *is_unread && is_present(&pointer[1..]))
        .map(|(pointer, _)| pointer)
        .collect()
    }
}

/// Whether a value says that there is none.
fn is_absent(json: &[u8]) -> bool {
    match serde_json::from_slice(json) {
        Ok(serde_json::Value::Null) => true,
        Ok(serde_json::Value::String(text)) => text.trim().is_empty(),
        _ => false,
    }
}

/// RFC 3339, the same without an offset (UTC) or with a blank, a date alone, also as `2026/05/01`, `01.05.2026` and `20260501`,
/// and seconds or milliseconds since 1970.
fn lenient_time(value: &serde_json::Value) -> Option<DateTime<Utc>> {
    match value {
        serde_json::Value::String(text) => time_of_text(text.trim()),
        serde_json::Value::Number(number) => time_since_1970(number.as_f64()?),
        _ => None,
    }
}

/// From this number on they are milliseconds: as seconds it would be a time after the year 5138.
const MILLISECONDS_FROM: f64 = 1e11;

#[expect(clippy::cast_possible_truncation, reason = "a time that does not fit is none")]
fn time_since_1970(number: f64) -> Option<DateTime<Utc>> {
    let milliseconds = if number.abs() < MILLISECONDS_FROM { number * 1e3 } else { number };
    DateTime::from_timestamp_millis(milliseconds as i64)
}

fn time_of_text(text: &str) -> Option<DateTime<Utc>> {
    let naive = |format| NaiveDateTime::parse_from_str(text, format).ok();
    let dates = ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d"];
    let date = || dates.iter().find_map(|it| NaiveDate::parse_from_str(text, it).ok())?.and_hms_opt(0, 0, 0);
    let with_offset = DateTime::parse_from_rfc3339(text).or_else(|_| text.parse());
    with_offset.ok().map(|time| time.to_utc()).or_else(|| {
        Some(naive("%Y-%m-%dT%H:%M:%S%.f").or_else(|| naive("%Y-%m-%d %H:%M:%S%.f")).or_else(date)?.and_utc())
    })
}

fn lenient_bool(value: &serde_json::Value) -> Option<bool> {
    let text = match value {
        serde_json::Value::Bool(value) => return Some(*value),
        serde_json::Value::Number(number) => number.to_string(),
        serde_json::Value::String(text) => text.trim().to_lowercase(),
        _ => return None,
    };
    match text.as_str() {
        "false" | "0" | "no" | "n" | "off" | "inactive" => Some(false),
        "true" | "1" | "yes" | "y" | "on" | "active" => Some(true),
        _ => None,
    }
}

/// A JSON pointer (RFC 6901).
fn json_pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        let token = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&token);
    }
    pointer
}

#[cfg(test)]
mod tests {
    use domain::revocation::Revoked;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Tank {
        id: String,
        #[serde(default)]
        name: String,
        levels: Vec<f64>,
    }
    impl ListedRecord for Tank {
        const PATH: &'static str = "tanks";
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Sailor {
        family_name: String,
    }
    impl ListedRecord for Sailor {
        const PATH: &'static str = "sailors";
        const IS_PERSON: bool = true;
    }

    #[test]
    fn a_wrong_type_rejects_the_record_with_pointer_and_value() {
        let rejection = decode_record::<Tank>(br#"{"id":"b","name":"Aft","levels":[1,"full"]}"#).unwrap_err();
        let Undecodable { rejection, .. } = rejection;
        assert_eq!((rejection.source_id.as_str(), rejection.label.as_deref()), ("b", Some("Aft")));
        let finding = &rejection.findings[0];
        assert_eq!((finding.code, finding.pointer.as_str()), ("wrong_type", "/levels/1"));
        assert_eq!(finding.value.as_deref(), Some("\"full\""));
        assert_eq!(finding.message, "invalid type: string \"full\", expected f64");
    }

    /// A vessel as no validator of the contract would write it, though many portals do.
    #[test]
    fn record_with_blank_values_and_nulls_is_decoded_and_a_wrong_type_says_what_is_expected() {
        let vessel = |tonnage: &str| {
            format!(
                r#"{{"id":"v-1","imoNumber":"9074729","name":"Nordic Star","mmsi":"","callSign":null,"flag":"NO",
                    "vesselType":"bulk_carrier","grossTonnage":{tonnage},"beamM":" ","serviceStatus":"in_service",
                    "company":{{"id":"c-1","name":"Nordic Bulk AS","country":"NO","email":"","imoCompanyNumber":"",
                                "updatedAt":"2026-01-01T00:00:00Z"}},
                    "updatedAt":"2026-05-01T00:00:00Z","withdrawnAt":""}}"#
            )
        };
        let read = |tonnage| decode_record::<contracts::provider::VesselDraft>(vessel(tonnage).as_bytes());
        let draft = read("40000.0").unwrap();
        assert_eq!(
            (draft.gross_tonnage, draft.mmsi, draft.beam_m, draft.withdrawn_at),
            (Some(40_000), None, None, None)
        );
        assert_eq!((draft.company.email, draft.company.imo_company_number), (None, None));
        for tonnage in ["40000.5", "\"many\"", "{}", "1e999"] {
            let rejection = read(tonnage).unwrap_err().rejection;
            let finding = &rejection.findings[0];
            assert_eq!(
                (finding.code, finding.pointer.as_str()),
                ("wrong_type", "/grossTonnage"),
                "{tonnage}"
            );
            let expected = "must be a whole number from -2147483648 to 2147483647, not ";
            assert!(finding.message.starts_with(expected), "{}", finding.message);
        }
    }

    #[test]
    fn id_of_a_wrong_type_leaves_the_rejection_without_an_id_unless_it_is_a_number() {
        let undecodable = decode_record::<Tank>(br#"{"id":["a"],"levels":[]}"#).unwrap_err();
        let finding = &undecodable.rejection.findings[0];
        assert_eq!((undecodable.source_id(), finding.pointer.as_str()), ("", "/id"));
        assert_eq!(decode_record::<Tank>(br#"{"id":7,"levels":[]}"#).unwrap_err().source_id(), "7");
    }

    #[test]
    fn id_is_read_beside_fields_that_are_no_text_at_all() {
        for json in [
            r#"{"id":"a","levels":[]} {"id":"b","levels":[]}"#,
            r#"{"id":"a","name":"\ud800","levels":[]}"#,
            r#"{"id":"a","levels":[],"levels":7}"#,
            r#"{"levels":1e999,"id":"a"}"#,
        ] {
            assert_eq!(decode_record::<Tank>(json.as_bytes()).unwrap_err().source_id(), "a", "{json}");
            assert_eq!(record_id(json.as_bytes()).as_deref(), Some("a"), "{json}");
        }
    }

    #[test]
    fn withdrawal_and_deactivation_are_read_in_any_usual_notation() {
        let rules = Rules::at("2026-06-01T12:00:00Z".parse().unwrap());
        let revocation =
            |json: &str| decode_record::<Tank>(json.as_bytes()).unwrap_err().reject(&rules).revocation;
        for withdrawn_at in [
            "\"2026-05-01T00:00:00Z\"",
            "\"2026-05-01\"",
            "\"2026-05-01 00:00:00\"",
            "\"2026/05/01\"",
            "\"01.05.2026\"",
            "\"20260501\"",
            "1777593600",
            "1777593600000",
            "1777593600000.0",
        ] {
            let json = format!(r#"{{"id":"a","withdrawnAt":{withdrawn_at}}}"#);
            assert!(revocation(&json).is_some_and(|it| it.revoked == Revoked::Approval), "{json}");
        }
        for sign_off in ["2026-05-31", "2026-05-31T22:00:00Z"] {
            let json = format!(r#"{{"id":"a","active":true,"signOff":"{sign_off}"}}"#);
            assert!(revocation(&json).is_some_and(|it| it.revoked == Revoked::Access), "{json}");
        }
        for active in ["false", "0", "\"false\"", "\"No\""] {
            let json = format!(r#"{{"id":"a","active":{active}}}"#);
            assert!(revocation(&json).is_some_and(|it| it.revoked == Revoked::Access), "{json}");
        }
        assert_eq!(revocation(r#"{"id":"a","withdrawnAt":null,"active":true,"signOff":"2026-06-01"}"#), None);
    }

    #[test]
    fn what_may_take_something_away_and_cannot_be_read_is_a_finding_of_its_own() {
        let codes = |json: &str| -> Vec<(&'static str, String)> {
            let rejection = decode_record::<Tank>(json.as_bytes()).unwrap_err().rejection;
            rejection.findings.into_iter().map(|it| (it.code, it.pointer)).skip(1).collect()
        };
        let unreadable = |pointer: &str| ("revocation_unreadable", pointer.to_owned());
        assert_eq!(codes(r#"{"id":"a","withdrawnAt":"last week"}"#), [unreadable("/withdrawnAt")]);
        let json = r#"{"id":"a","active":"locked","signOff":{}}"#;
        assert_eq!(codes(json), [unreadable("/active"), unreadable("/signOff")]);
        assert_eq!(codes(r#"{"id":"a","active":true,"withdrawnAt":" ","signOff":null}"#), []);
    }

    #[test]
    fn the_rejection_of_a_person_holds_no_personal_data() {
        let json = r#"{"id":"u-1","name":"Ola Nordmann","family_name":["Nordmann"]}"#;
        let rejection = decode_record::<Sailor>(json.as_bytes()).unwrap_err();
        assert_eq!(
            (rejection.source_id(), rejection.rejection.findings[0].pointer.as_str()),
            ("u-1", "/family_name")
        );
        assert!(!format!("{rejection:?}").contains("Nordmann"), "{rejection:?}");
    }
}
