//! Reading answers: within a limit, and record by record, so that one bad record costs one record.

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use contracts::provider::{EquipmentDraft, Page, PageInfo, UserDraft, VesselDraft, VesselExport};
use domain::{Finding, Rejection};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{ListedRecord, PortalError};

/// A page of a thousand records is about a megabyte; a hundred times that is no page. Counted after decompression.
const LARGEST_ANSWER: usize = 100 * 1024 * 1024;

/// A record as it arrived, or why it cannot be read.
pub type Decoded<D> = Result<D, Rejection>;

/// A vessel with all that belongs to it, read record by record.
pub type VesselRecords = VesselExport<Decoded<VesselDraft>, Decoded<EquipmentDraft>, Decoded<UserDraft>>;

/// A page whose records were read one by one.
#[derive(Debug)]
pub struct RecordsPage<D> {
    /// In the provider's order.
    pub records: Vec<Decoded<D>>,
    /// Where the page stands.
    pub info: PageInfo,
}

/// What the length that an answer announces may take of memory before it is there.
const MOST_TRUSTED: usize = 4 * 1024 * 1024;

/// Reads a body in pieces, so that a small compressed answer cannot become an endless one.
pub(crate) async fn body(mut response: reqwest::Response, path: &str) -> Result<Bytes, PortalError> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(announced.min(MOST_TRUSTED));
    while let Some(chunk) = response.chunk().await.map_err(PortalError::NoAnswer)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(PortalError::TooLarge { path: path.to_owned(), limit: LARGEST_ANSWER });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

/// Reads JSON whose outline is fixed. What is not JSON may have been cut on the way and be whole the next time; JSON of
/// another outline will stay so.
pub(crate) fn outline<'b, T: Deserialize<'b>>(body: &'b [u8], path: &str) -> Result<T, PortalError> {
    serde_json::from_slice(body).map_err(|source| match source.classify() {
        serde_json::error::Category::Data => {
            PortalError::Contract { path: path.to_owned(), what: source.to_string() }
        }
        _ => PortalError::Unreadable { path: path.to_owned(), source },
    })
}

/// A page whose outline was read, and not yet its records: enough to go on to the next one.
#[derive(Debug)]
pub struct UnreadPage<D> {
    /// Where the page stands.
    pub info: PageInfo,
    /// JSON each, where it stands in the answer.
    records: Vec<Bytes>,
    of: PhantomData<fn() -> D>,
}

/// A record of such a page.
#[derive(Debug)]
pub struct UnreadRecord<'p, D> {
    json: &'p str,
    of: PhantomData<fn() -> D>,
}

impl<D: ListedRecord> UnreadPage<D> {
    /// The records, in the provider's order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = UnreadRecord<'_, D>> {
        self.records.iter().map(|json| UnreadRecord {
            json: str::from_utf8(json).expect("JSON that was read is UTF-8"),
            of: PhantomData,
        })
    }

    /// Reads the records, in the provider's order. A large page keeps a core busy for some milliseconds.
    #[must_use]
    pub fn read(&self) -> Vec<Decoded<D>> {
        self.records().map(|record| record.read()).collect()
    }
}

impl<'p, D: ListedRecord> UnreadRecord<'p, D> {
    /// Its id, if it has one; the rest is passed over.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'p, str>> {
        #[derive(Deserialize)]
        struct Identified<'p> {
            #[serde(borrow)]
            id: Cow<'p, str>,
        }
        serde_json::from_str::<Identified<'p>>(self.json).ok().map(|it| it.id)
    }

    /// As it stands in the answer.
    #[must_use]
    pub const fn bytes(&self) -> &'p [u8] {
        self.json.as_bytes()
    }

    /// Reads it.
    pub fn read(&self) -> Decoded<D> {
        record(self.json)
    }
}

pub(crate) fn unread_page<D: ListedRecord>(body: &Bytes, path: &str) -> Result<UnreadPage<D>, PortalError> {
    let Page { data, page } = outline::<Page<&RawValue>>(body, path)?;
    let records = data.into_iter().map(|raw| body.slice_ref(raw.get().as_bytes())).collect();
    Ok(UnreadPage { info: page, records, of: PhantomData })
}

pub(crate) fn page<D: ListedRecord>(body: &Bytes, path: &str) -> Result<RecordsPage<D>, PortalError> {
    let page = unread_page(body, path)?;
    Ok(RecordsPage { records: page.read(), info: page.info })
}

pub(crate) fn vessel_export(body: &[u8], path: &str) -> Result<VesselRecords, PortalError> {
    let VesselExport { vessel, equipment, users, as_of } =
        outline::<VesselExport<&RawValue, &RawValue, &RawValue>>(body, path)?;
    Ok(VesselExport {
        vessel: record(vessel.get()),
        equipment: equipment.into_iter().map(|raw| record(raw.get())).collect(),
        users: users.into_iter().map(|raw| record(raw.get())).collect(),
        as_of,
    })
}

/// Reads one record; a wrong type is the record's fault, with a JSON pointer to the place.
pub(crate) fn record<D: ListedRecord>(json: &str) -> Decoded<D> {
    // Nearly all are sound: only one that is not needs the path to its fault.
    if let Ok(record) = serde_json::from_str(json) {
        return Ok(record);
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let handle: Handle = serde_json::from_str(json).unwrap_or_default();
        let id = handle.id.unwrap_or_default();
        if D::IS_PERSON {
            let finding = Finding::error("wrong_type", pointer, "not of the type that the contract asks for");
            return Rejection::because(id, None, finding);
        }
        let value = serde_json::from_str::<serde_json::Value>(json).ok();
        let offending =
            value.as_ref().and_then(|v| v.pointer(&pointer)).filter(|v| !v.is_object() && !v.is_array());
        let mut finding = Finding::error("wrong_type", pointer, error.inner());
        if let Some(offending) = offending {
            finding = finding.with_value(offending);
        }
        let label = handle.name.filter(|name| !name.trim().is_empty());
        Rejection::because(id, label, finding)
    })
}

/// What names a record even when the rest of it cannot be read.
#[derive(Default, Deserialize)]
struct Handle {
    #[serde(default, deserialize_with = "text_or_nothing")]
    id: Option<String>,
    #[serde(default, deserialize_with = "text_or_nothing")]
    name: Option<String>,
}

fn text_or_nothing<'de, R: serde::Deserializer<'de>>(reader: R) -> Result<Option<String>, R::Error> {
    let value = serde_json::Value::deserialize(reader)?;
    Ok(value.as_str().map(str::to_owned))
}

fn pointer(path: &serde_path_to_error::Path) -> String {
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
    fn what_is_wrong_with_a_person_is_said_without_the_person() {
        let body =
            br#"{"data":[{"id":"u-1","name":"Ola Nordmann","family_name":["Nordmann"]}],"page":{"limit":3}}"#;
        let page = page::<Sailor>(&Bytes::from_static(body), "/sailors").unwrap();
        let rejection = page.records[0].as_ref().unwrap_err();
        assert_eq!(
            (rejection.source_id.as_str(), rejection.findings[0].pointer.as_str()),
            ("u-1", "/family_name")
        );
        assert!(!format!("{rejection:?}").contains("Nordmann"), "{rejection:?}");
    }

    #[test]
    fn a_record_with_a_wrong_type_is_rejected_alone_with_a_pointer() {
        let body = br#"{"data":[{"id":"a","levels":[1]},{"id":"b","name":"Aft","levels":[1,"full"]},{"id":7,"levels":[]}],
            "page":{"limit":3}}"#;
        let page = page::<Tank>(&Bytes::from_static(body), "/tanks").unwrap();
        assert_eq!(page.records[0], Ok(Tank { id: "a".into(), levels: vec![1.0] }));

        let rejection = page.records[1].as_ref().unwrap_err();
        assert_eq!((rejection.source_id.as_str(), rejection.label.as_deref()), ("b", Some("Aft")));
        let finding = &rejection.findings[0];
        assert_eq!((finding.code, finding.pointer.as_str()), ("wrong_type", "/levels/1"));
        assert_eq!(finding.value.as_deref(), Some("\"full\""));

        let nameless = page.records[2].as_ref().unwrap_err();
        assert_eq!((nameless.source_id.as_str(), nameless.findings[0].pointer.as_str()), ("", "/id"));
    }

    #[test]
    fn a_cut_answer_may_be_whole_next_time_and_another_outline_will_not() {
        use domain::FailureClass;
        let cut = page::<Tank>(&Bytes::from_static(br#"{"data":[{"id":"a","#), "/tanks").unwrap_err();
        assert_eq!(cut.class(), FailureClass::Transient);
        let other = page::<Tank>(&Bytes::from_static(br#"{"items":[]}"#), "/tanks").unwrap_err();
        assert_eq!(other.class(), FailureClass::Permanent);
    }
}
