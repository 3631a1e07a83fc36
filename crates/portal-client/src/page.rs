//! Pages of records and exports of vessels. Records are decoded one by one, so that a malformed record rejects only itself.

use std::{borrow::Cow, marker::PhantomData};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use contracts::provider::{EquipmentDraft, PAGE_SIZE_LIMIT, PageInfo, UserDraft, VesselDraft, VesselExport};
use domain::SentId;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

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

/// The same as it was sent.
type UndecodedExport<'b> = VesselExport<&'b [u8], &'b [u8], &'b [u8]>;

impl<D: ListedRecord> RawPage<D> {
    pub(crate) fn from_body(body: &Bytes) -> Result<Self, PortalError> {
        let (records, page) = match decode_body::<Frame<'_>>(body, D::PATH) {
            Ok(Frame { data, page }) => (data.0, page.get().as_bytes()),
            Err(unreadable) => page_around_faults(body, D::PATH, unreadable)?,
        };
        if records.len() > PAGE_LIMIT {
            let what =
                format!("it holds more than {PAGE_LIMIT} records, which is the most that a page may have");
            return Err(PortalError::Contract { path: D::PATH.to_owned(), what });
        }
        let records = records.into_iter().map(|record| body.slice_ref(record)).collect();
        Ok(Self { info: page_info(page, D::PATH)?, records, of: PhantomData })
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

/// Most records of a page, whatever was asked for: a provider may know its own size of pages only.
const PAGE_LIMIT: usize = PAGE_SIZE_LIMIT as usize;
/// Most pieces of equipment, and most users, of a vessel.
const EXPORT_LIMIT: usize = 10_000;

/// The frame of a page.
#[derive(Deserialize)]
struct Frame<'b> {
    #[serde(borrow)]
    data: Bounded<'b, PAGE_LIMIT>,
    #[serde(borrow)]
    page: &'b RawValue,
}

/// A list of which no more is read than one element beyond the limit: two megabytes can hold a million zeros.
struct Bounded<'b, const LIMIT: usize>(Vec<&'b [u8]>);

impl<'de: 'b, 'b, const LIMIT: usize> Deserialize<'de> for Bounded<'b, LIMIT> {
    fn deserialize<D: serde::Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
        struct Elements<const LIMIT: usize>;
        impl<'de, const LIMIT: usize> serde::de::Visitor<'de> for Elements<LIMIT> {
            type Value = Vec<&'de [u8]>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element::<&RawValue>()? {
                    elements.push(element.get().as_bytes());
                    if elements.len() > LIMIT {
                        // The rest is passed over without being kept.
                        while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
                        break;
                    }
                }
                Ok(elements)
            }
        }
        list.deserialize_seq(Elements::<LIMIT>).map(Self)
    }
}

/// Where a page stands. Only the cursor must be readable: without it the rest of the list would be lost in silence. What else
/// cannot be read counts as not said.
/// Longest cursor, in bytes: the line of a request has some 8,000 on most servers.
const CURSOR_LIMIT: usize = 4_096;

fn page_info(json: &[u8], path: &str) -> Result<PageInfo, PortalError> {
    let broken = |what: &str| PortalError::Contract { path: path.to_owned(), what: what.to_owned() };
    let mut info = match serde_json::from_slice(json) {
        Ok(info) => info,
        Err(_odd) => {
            let members = members(json).map_err(|Broken(_)| broken("`page` is no object"))?;
            let raw = |name| members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value);
            let value = |name| raw(name).and_then(|json| serde_json::from_slice::<Value>(json).ok());
            let count = |name| match value(name)? {
                Value::String(text) => text.trim().parse().ok(),
                number => number.as_u64(),
            };
            let next_cursor = match (raw("nextCursor"), value("nextCursor")) {
                (None, _) | (_, Some(Value::Null)) => None,
                (_, Some(Value::String(cursor))) => Some(cursor),
                (_, Some(Value::Number(cursor))) => Some(cursor.to_string()),
                _ => {
                    return Err(broken("`page.nextCursor` is no text, and what follows cannot be asked for"));
                }
            };
            PageInfo {
                limit: count("limit").and_then(|limit| limit.try_into().ok()).unwrap_or_default(),
                next_cursor,
                total: count("total"),
                total_companies: count("totalCompanies"),
                as_of: value("asOf").and_then(|time| time.as_str()?.parse().ok()),
                slice: value("slice").and_then(|slice| slice.as_str().map(str::to_owned)),
            }
        }
    };
    // Many portals write a blank where there is none.
    info.next_cursor = info.next_cursor.filter(|cursor| !cursor.trim().is_empty());
    if info.next_cursor.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_LIMIT) {
        return Err(broken(&format!(
            "`page.nextCursor` is longer than {CURSOR_LIMIT} bytes, and no URL holds it"
        )));
    }
    Ok(info)
}

pub(crate) fn decode_page<D: ListedRecord>(body: &Bytes) -> Result<DecodedPage<D>, PortalError> {
    let page = RawPage::from_body(body)?;
    Ok(DecodedPage { records: page.decode(), info: page.info })
}

pub(crate) fn decode_vessel_export(body: &[u8], path: &str) -> Result<VesselRecords, PortalError> {
    /// The frame of an export.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Frame<'b> {
        #[serde(borrow)]
        vessel: &'b RawValue,
        #[serde(borrow)]
        equipment: Bounded<'b, EXPORT_LIMIT>,
        #[serde(borrow)]
        users: Bounded<'b, EXPORT_LIMIT>,
        as_of: DateTime<Utc>,
    }
    let export = match decode_body::<Frame<'_>>(body, path) {
        Ok(Frame { vessel, equipment, users, as_of }) => {
            VesselExport { vessel: vessel.get().as_bytes(), equipment: equipment.0, users: users.0, as_of }
        }
        Err(unreadable) => export_around_faults(body, unreadable)?,
    };
    let VesselExport { vessel, equipment, users, as_of } = export;
    if equipment.len().max(users.len()) > EXPORT_LIMIT {
        let what =
            format!("it holds more than {EXPORT_LIMIT} pieces of equipment or users: sync them instead");
        return Err(PortalError::Contract { path: path.to_owned(), what });
    }
    Ok(VesselExport {
        vessel: decode_record(vessel),
        equipment: equipment.into_iter().map(decode_record).collect(),
        users: users.into_iter().map(decode_record).collect(),
        as_of,
    })
}

/// The records of a page, one of which is no JSON, and the rest of the page.
fn page_around_faults<'b>(
    body: &'b [u8],
    path: &str,
    unreadable: PortalError,
) -> Result<(Vec<&'b [u8]>, &'b [u8]), PortalError> {
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
    let (records, broken) = elements(data, PAGE_LIMIT);
    match broken {
        None => Ok((records, page)),
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
        Some(list) => place_after(&elements(&body[list..], PAGE_LIMIT).0, offset),
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
fn export_around_faults(body: &[u8], unreadable: PortalError) -> Result<UndecodedExport<'_>, PortalError> {
    if !matches!(unreadable, PortalError::Unreadable { .. }) {
        return Err(unreadable);
    }
    let Ok(members) = members(body) else { return Err(unreadable) };
    let member = |name| members.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let as_of = member("asOf").and_then(|json| serde_json::from_slice(json).ok());
    let (Some(vessel), Some(as_of)) = (member("vessel"), as_of) else { return Err(unreadable) };
    let (equipment, no_equipment) = elements(member("equipment").unwrap_or(b"[]"), EXPORT_LIMIT);
    let (users, no_users) = elements(member("users").unwrap_or(b"[]"), EXPORT_LIMIT);
    if no_equipment.is_some() || no_users.is_some() {
        return Err(unreadable);
    }
    Ok(VesselExport { vessel, equipment, users, as_of })
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
    fn odd_value_in_the_frame_of_a_page_leaves_its_records_and_is_not_guessed() {
        let odd = [
            "NaN",
            "-1",
            "1.5",
            "1e400",
            "true",
            "[]",
            "{}",
            "\"\\ud800\"",
            "\"soon\"",
            "\"\\u0000\"",
            "\"a\nb\"",
            "99999999999999999999999",
            "-0.0",
        ];
        let page = |info: &str| {
            let body = format!(r#"{{"data":[{{"id":"a"}}],"page":{{"limit":1,{info}}}}}"#);
            decode_page::<Tank>(&Bytes::from(body))
        };
        for value in odd {
            for key in ["limit", "total", "totalCompanies", "asOf"] {
                let page = page(&format!(r#""{key}":{value},"nextCursor":"c""#)).unwrap();
                assert_eq!(page.records.len(), 1);
                let info = page.info;
                assert_eq!(
                    (info.total, info.total_companies, info.as_of),
                    (None, None, None),
                    "{key}: {value}"
                );
                assert_eq!(info.next_cursor.as_deref(), Some("c"), "{key}: {value}");
            }
            let numbers = ["-1", "1.5", "1e400", "99999999999999999999999", "-0.0"].contains(&value);
            let texts = ["\"soon\"", "\"\\u0000\""].contains(&value);
            let cursor = page(&format!(r#""nextCursor":{value}"#));
            assert_eq!(cursor.is_ok(), numbers || texts, "{value}");
            if let Err(error) = cursor {
                assert_eq!(error.class(), FailureClass::Permanent, "{value}");
            }
        }
        let info = page(r#""total":"7","total":"8","nextCursor":null"#).unwrap().info;
        assert_eq!((info.total, info.next_cursor), (Some(8), None));
    }

    #[test]
    fn page_of_a_million_zeros_is_refused_and_not_kept() {
        for (end, readable) in [("]", true), (",NaN]", false)] {
            let body = format!(r#"{{"data":[0{}{end},"page":{{"limit":1}}}}"#, ",0".repeat(1_000_000));
            assert_eq!(serde_json::from_str::<&RawValue>(&body).is_ok(), readable);
            let error = decode_page::<Tank>(&Bytes::from(body)).unwrap_err();
            assert!(error.to_string().ends_with("the most that a page may have"), "{error}");
            assert_eq!(error.class(), FailureClass::Permanent);
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
