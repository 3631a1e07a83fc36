//! Pages of records and exports of vessels. Records are decoded one by one, so that a malformed record rejects only itself.

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use contracts::provider::{EquipmentDraft, Page, PageInfo, UserDraft, VesselDraft, VesselExport};
use domain::SentId;
use serde_json::value::RawValue;

use crate::{
    ListedRecord, PortalError,
    body::decode_body,
    frame::{Broken, elements, members},
    record::{Decoded, decode_record, record_id},
};

/// A page whose records are decoded.
#[derive(Debug)]
pub struct DecodedPage<D> {
    /// In the provider's order.
    pub records: Vec<Decoded<D>>,
    pub info: PageInfo,
}

/// A page whose records are not decoded yet. `info` names the next page, which can be requested meanwhile.
#[derive(Debug)]
pub struct RawPage<D> {
    pub info: PageInfo,
    /// Each record as a slice of the answer. It need not be JSON.
    records: Vec<Bytes>,
    of: PhantomData<fn() -> D>,
}

/// A record of a [`RawPage`].
#[derive(Debug)]
pub struct RawRecord<'p, D> {
    json: &'p [u8],
    of: PhantomData<fn() -> D>,
}

/// A vessel with its equipment and users, decoded record by record.
pub type VesselRecords = VesselExport<Decoded<VesselDraft>, Decoded<EquipmentDraft>, Decoded<UserDraft>>;

impl<D: ListedRecord> RawPage<D> {
    pub(crate) fn from_body(body: &Bytes) -> Result<Self, PortalError> {
        let (records, mut info) = match decode_body::<Page<&RawValue>>(body, D::PATH) {
            Ok(Page { data, page }) => {
                (data.into_iter().map(|raw| body.slice_ref(raw.get().as_bytes())).collect(), page)
            }
            Err(unreadable) => page_around_faults(body, D::PATH, unreadable)?,
        };
        // Many portals write a blank where there is none.
        info.next_cursor = info.next_cursor.filter(|cursor| !cursor.trim().is_empty());
        Ok(Self { info, records, of: PhantomData })
    }

    /// The records, in the provider's order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RawRecord<'_, D>> {
        self.records.iter().map(|json| RawRecord { json, of: PhantomData })
    }

    /// Decodes the records, in the provider's order. A large page keeps a core busy for some milliseconds.
    #[must_use]
    pub fn decode(&self) -> Vec<Decoded<D>> {
        self.records().map(|record| record.decode()).collect()
    }
}

impl<'p, D: ListedRecord> RawRecord<'p, D> {
    /// The record's `id`, if it has one; other fields are skipped.
    #[must_use]
    pub fn id(&self) -> Option<Cow<'p, str>> {
        record_id(self.json)
    }

    /// The record, byte for byte as it was sent.
    #[must_use]
    pub const fn bytes(&self) -> &'p [u8] {
        self.json
    }

    pub fn decode(&self) -> Decoded<D> {
        decode_record(self.json)
    }
}

pub(crate) fn decode_page<D: ListedRecord>(body: &Bytes) -> Result<DecodedPage<D>, PortalError> {
    let page = RawPage::from_body(body)?;
    Ok(DecodedPage { records: page.decode(), info: page.info })
}

pub(crate) fn decode_vessel_export(body: &[u8], path: &str) -> Result<VesselRecords, PortalError> {
    match decode_body::<VesselExport<&RawValue, &RawValue, &RawValue>>(body, path) {
        Ok(VesselExport { vessel, equipment, users, as_of }) => Ok(VesselExport {
            vessel: decode_record(vessel.get().as_bytes()),
            equipment: equipment.into_iter().map(|raw| decode_record(raw.get().as_bytes())).collect(),
            users: users.into_iter().map(|raw| decode_record(raw.get().as_bytes())).collect(),
            as_of,
        }),
        Err(unreadable) => export_around_faults(body, unreadable),
    }
}

/// The records of a page, one of which is no JSON, and the rest of the page.
fn page_around_faults(
    body: &Bytes,
    path: &str,
    unreadable: PortalError,
) -> Result<(Vec<Bytes>, PageInfo), PortalError> {
    let PortalError::Unreadable { source, .. } = unreadable else { return Err(unreadable) };
    let at = |place| PortalError::Unreadable { path: path.to_owned(), place: Some(place), source };
    let members = match members(body) {
        Ok(members) => members,
        Err(Broken(offset)) => return Err(at(place_in_data(body, offset))),
    };
    let member = |name| members.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let (Some(data), Some(page)) = (member("data"), member("page")) else {
        return Err(at("where `data` and `page` should be".to_owned()));
    };
    let (records, broken) = elements(data);
    match broken {
        None => {
            let info = decode_body(page, path)?;
            Ok((records.into_iter().map(|record| body.slice_ref(record)).collect(), info))
        }
        Some(Broken(offset)) => {
            let begin = data.as_ptr() as usize - body.as_ptr() as usize;
            Err(at(place_after(&records, begin + offset)))
        }
    }
}

/// Where a body breaks off that has no end.
fn place_in_data(body: &[u8], offset: usize) -> String {
    let begin = body.windows(6).position(|window| window == b"\"data\"");
    let list = begin.and_then(|begin| Some(begin + body[begin..].iter().position(|byte| *byte == b'[')?));
    match list {
        Some(list) => place_after(&elements(&body[list..]).0, offset),
        None => place_after(&[], offset),
    }
}

fn place_after(records: &[&[u8]], offset: usize) -> String {
    match records.last() {
        None => format!("at byte {offset}"),
        Some(last) => {
            let id = record_id(last).map_or_else(SentId::default, |id| SentId::from(&*id));
            format!("at byte {offset}, after {} records, the last of them {id}", records.len())
        }
    }
}

/// The export of a vessel, one of whose records is no JSON.
fn export_around_faults(body: &[u8], unreadable: PortalError) -> Result<VesselRecords, PortalError> {
    if !matches!(unreadable, PortalError::Unreadable { .. }) {
        return Err(unreadable);
    }
    let Ok(members) = members(body) else { return Err(unreadable) };
    let member = |name| members.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let as_of = member("asOf").and_then(|json| serde_json::from_slice(json).ok());
    let (Some(vessel), Some(as_of)) = (member("vessel"), as_of) else { return Err(unreadable) };
    let (equipment, no_equipment) = elements(member("equipment").unwrap_or(b"[]"));
    let (users, no_users) = elements(member("users").unwrap_or(b"[]"));
    if no_equipment.is_some() || no_users.is_some() {
        return Err(unreadable);
    }
    Ok(VesselExport {
        vessel: decode_record(vessel),
        equipment: equipment.into_iter().map(decode_record).collect(),
        users: users.into_iter().map(decode_record).collect(),
        as_of,
    })
}

#[cfg(test)]
mod tests {
    use domain::FailureClass;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Tank {
        id: String,
        #[serde(default)]
        name: String,
    }
    impl ListedRecord for Tank {
        const PATH: &'static str = "tanks";
    }

    #[test]
    fn a_malformed_record_is_rejected_without_its_page() {
        let body = br#"{"data":[{"id":"a"},{"id":7}],"page":{"limit":2}}"#;
        let page = decode_page::<Tank>(&Bytes::from_static(body)).unwrap();
        assert_eq!(page.records[0], Ok(Tank { id: "a".into(), name: String::new() }));
        assert!(page.records[1].is_err());
    }

    #[test]
    fn a_record_that_is_no_json_is_rejected_without_its_page() {
        for fault in [&b"\"Gj\xf8a\""[..], b"NaN", b"\"a\nb\"", b"'single'", b"0x7f", b""] {
            let body = [
                b"{\"data\":[{\"id\":\"a\"},{\"id\":\"b\",\"name\":",
                fault,
                b"},{\"id\":\"c\"}],\"page\":{\"limit\":3,\"nextCursor\":\"\"}}",
            ]
            .concat();
            let page = decode_page::<Tank>(&Bytes::from(body)).unwrap();
            assert_eq!(page.records[0], Ok(Tank { id: "a".into(), name: String::new() }));
            assert_eq!(page.records[1].as_ref().unwrap_err().source_id(), "b", "{fault:?}");
            assert_eq!(page.records[2], Ok(Tank { id: "c".into(), name: String::new() }));
            assert_eq!(page.info.next_cursor, None, "a blank cursor is none");
        }
    }

    #[test]
    fn a_list_that_breaks_off_within_its_frame_says_where() {
        let body = Bytes::from_static(br#"{"data":[{"id":"a"} {"id":"b"}],"page":{"limit":2}}"#);
        let error = decode_page::<Tank>(&body).unwrap_err().to_string();
        assert!(error.ends_with("at byte 20, after 1 records, the last of them a"), "{error}");
    }

    #[test]
    fn an_answer_without_a_frame_says_where_it_breaks_off() {
        let cut = Bytes::from_static(br#"{"data":[{"id":"a"},{"id":"b"},{"id":"#);
        let error = decode_page::<Tank>(&cut).unwrap_err().to_string();
        assert!(error.ends_with("at byte 37, after 2 records, the last of them b"), "{error}");
    }

    #[test]
    fn an_answer_that_was_cut_is_a_transient_failure() {
        let cut = decode_page::<Tank>(&Bytes::from_static(br#"{"data":[{"id":"a","#)).unwrap_err();
        assert_eq!(cut.class(), FailureClass::Transient);
    }

    #[test]
    fn an_answer_of_another_shape_is_a_permanent_failure() {
        let other = decode_page::<Tank>(&Bytes::from_static(br#"{"items":[]}"#)).unwrap_err();
        assert_eq!(other.class(), FailureClass::Permanent);
    }
}
