//! Decoding one record. A wrong type rejects the record, with a JSON pointer to the value.

use domain::{Finding, Rejection};
use serde::Deserialize;

use crate::ListedRecord;

/// A decoded record, or why it cannot be decoded.
pub type Decoded<D> = Result<D, Rejection>;

pub(crate) fn decode_record<D: ListedRecord>(json: &str) -> Decoded<D> {
    // Nearly all records are well-formed: only a malformed one needs the path to its fault.
    if let Ok(record) = serde_json::from_str(json) {
        return Ok(record);
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| reject_record::<D>(json, &error))
}

fn reject_record<D: ListedRecord>(
    json: &str,
    error: &serde_path_to_error::Error<serde_json::Error>,
) -> Rejection {
    let pointer = json_pointer(error.path());
    let identity: RecordIdentity = serde_json::from_str(json).unwrap_or_default();
    let id = identity.id.unwrap_or_default();
    if D::IS_PERSON {
        let finding = Finding::error("wrong_type", pointer, "not of the type that the contract asks for");
        return Rejection::because(id, None, finding);
    }
    let record = serde_json::from_str::<serde_json::Value>(json).ok();
    let value = record.as_ref().and_then(|record| record.pointer(&pointer));
    let mut finding = Finding::error("wrong_type", pointer, error.inner());
    if let Some(value) = value.filter(|value| !value.is_object() && !value.is_array()) {
        finding = finding.with_value(value);
    }
    let label = identity.name.filter(|name| !name.trim().is_empty());
    Rejection::because(id, label, finding)
}

/// The fields that name a record, read even if its other fields are malformed.
#[derive(Default, Deserialize)]
struct RecordIdentity {
    #[serde(default, deserialize_with = "text_or_none")]
    id: Option<String>,
    #[serde(default, deserialize_with = "text_or_none")]
    name: Option<String>,
}

fn text_or_none<'de, R: serde::Deserializer<'de>>(deserializer: R) -> Result<Option<String>, R::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value.as_str().map(str::to_owned))
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
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Tank {
        id: String,
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
        let rejection = decode_record::<Tank>(r#"{"id":"b","name":"Aft","levels":[1,"full"]}"#).unwrap_err();
        assert_eq!((rejection.source_id.as_str(), rejection.label.as_deref()), ("b", Some("Aft")));
        let finding = &rejection.findings[0];
        assert_eq!((finding.code, finding.pointer.as_str()), ("wrong_type", "/levels/1"));
        assert_eq!(finding.value.as_deref(), Some("\"full\""));
    }

    #[test]
    fn an_id_of_a_wrong_type_leaves_the_rejection_without_an_id() {
        let rejection = decode_record::<Tank>(r#"{"id":7,"levels":[]}"#).unwrap_err();
        assert_eq!((rejection.source_id.as_str(), rejection.findings[0].pointer.as_str()), ("", "/id"));
    }

    #[test]
    fn the_rejection_of_a_person_holds_no_personal_data() {
        let json = r#"{"id":"u-1","name":"Ola Nordmann","family_name":["Nordmann"]}"#;
        let rejection = decode_record::<Sailor>(json).unwrap_err();
        assert_eq!(
            (rejection.source_id.as_str(), rejection.findings[0].pointer.as_str()),
            ("u-1", "/family_name")
        );
        assert!(!format!("{rejection:?}").contains("Nordmann"), "{rejection:?}");
    }
}
