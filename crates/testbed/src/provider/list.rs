//! One list of the provider: its records, and the pages that it is divided into. Knows nothing of scripted answers.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, FixedOffset};
use serde_json::{Map, Value, json};

use super::http::{Answer, Request};

/// A list of the provider's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    Vessels,
    Equipment,
    Users,
    /// A vessel with all that belongs to it: has one page, which is made of the records of the other lists.
    Export,
}

/// How a list's pages lead to each other. A cursor names its page, so that a page that is asked for again is the same page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cursors {
    /// A page begins behind the last record of the page before. Records that come and go in between move no other.
    #[default]
    Keyset,
    /// A page begins after a number of records. A record that goes in between hides another from a page; one that comes
    /// shows another twice.
    Offset,
    /// The last page leads to the second.
    Circle,
    /// Every page leads to the list's first records again, each by a new cursor.
    Repeat,
    /// The second page leads to itself.
    Stuck,
    /// Behind the last record comes one empty page after the other, each by a new cursor.
    Endless,
    /// Every page but the first is answered with this status.
    Refused(u16),
}

/// How a list is served in slices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Slices {
    /// As it should be: each record in one of them, by a hash of its id.
    #[default]
    Sound,
    /// `slice` is passed over in silence, as by a portal that does not know it.
    Unknown,
    /// `slice` is said to be served, and the whole list comes.
    Whole,
    /// The list's last record is in every slice.
    Repeated,
    /// This one is empty.
    Forgotten(usize),
    /// This one is answered with the status.
    Refused(usize, u16),
}

impl Slices {
    /// Whether a record of the list is on pages of this slice.
    fn admit(self, (index, count): (usize, usize), id: &str, is_last: bool) -> bool {
        let of_slice =
            id.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31) + usize::from(byte)) % count == index;
        match self {
            Self::Unknown | Self::Whole => true,
            Self::Repeated if is_last => true,
            Self::Forgotten(forgotten) if forgotten == index => false,
            _ => of_slice,
        }
    }
}

/// A record as it travels.
struct Record {
    bytes: Vec<u8>,
    /// The same, for filters; null if the bytes are not JSON.
    json: Value,
}

/// The state of a list.
pub(super) struct Listing {
    records: BTreeMap<String, Record>,
    /// Ids that come first.
    pub(super) order: Vec<String>,
    /// Instead of the true one; null leaves it out.
    pub(super) total: Option<Value>,
    /// Instead of the true one; null leaves it out.
    pub(super) total_companies: Option<Value>,
    pub(super) page_size: usize,
    pub(super) cursors: Cursors,
    pub(super) slices: Slices,
}

impl Default for Listing {
    fn default() -> Self {
        let (records, order, total, total_companies, cursors, slices) = Default::default();
        Self { records, order, total, total_companies, page_size: usize::MAX, cursors, slices }
    }
}

impl List {
    /// The list that a request asks for, and the vessel of an export.
    pub(super) fn of(request: &Request) -> Option<(List, &str)> {
        let path = request.path.strip_prefix("/api/sync/")?;
        match path {
            "vessels" => Some((List::Vessels, "")),
            "equipment" => Some((List::Equipment, "")),
            "users" => Some((List::Users, "")),
            _ => path.strip_prefix("export/").map(|vessel| (List::Export, vessel)),
        }
    }
}

/// The page that a request asks for, and where it begins.
///
/// The parts of a cursor: `2:v-7`.
pub(super) fn position(request: &Request) -> Result<(usize, &str), Answer> {
    let Some(cursor) = request.query.get("cursor") else { return Ok((0, "")) };
    let parts = cursor.split_once(':').and_then(|(page, after)| Some((page.parse().ok()?, after)));
    parts.ok_or_else(|| problem(400, "`cursor` must be a `nextCursor` of this provider."))
}

/// The slice that a request asks for: its index, and how many there are.
fn slice(request: &Request) -> Result<Option<(usize, usize)>, Answer> {
    let Some(slice) = request.query.get("slice") else { return Ok(None) };
    let parts = slice.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    parts.filter(|(k, n)| k < n).map(Some).ok_or_else(|| problem(400, "`slice` must be k/n."))
}

/// A problem (RFC 9457).
pub(super) fn problem(status: u16, detail: &str) -> Answer {
    Answer::status(status)
        .header("content-type", "application/problem+json")
        .body(json!({"detail": detail}).to_string())
}

impl Listing {
    pub(super) fn insert(&mut self, id: &str, bytes: Vec<u8>) {
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        self.records.insert(id.to_owned(), Record { bytes, json });
    }

    pub(super) fn remove(&mut self, id: &str) {
        self.records.remove(id);
    }

    pub(super) fn bytes(&self, id: &str) -> Option<&[u8]> {
        self.records.get(id).map(|record| record.bytes.as_slice())
    }

    /// The record, unless its bytes are no JSON object.
    pub(super) fn json(&self, id: &str) -> Option<&Value> {
        self.records.get(id).map(|record| &record.json).filter(|json| json.is_object())
    }

    /// The records of a vessel, in the list's order, as a JSON array.
    pub(super) fn array_of_vessel(&self, vessel: &str) -> Vec<u8> {
        let records = self.sorted();
        array(records.iter().map(|(_, record)| *record).filter(|record| record.is_of_vessel(vessel)))
    }

    /// The page that a request asks for.
    pub(super) fn page(&self, request: &Request, as_of: &Value) -> Result<Answer, Answer> {
        let (page, after) = position(request)?;
        if let (Cursors::Refused(status), 1..) = (self.cursors, page) {
            return Err(problem(status, "This cursor is refused."));
        }
        let limit = match request.query.get("limit").map(|limit| limit.parse::<usize>()) {
            None => 100,
            Some(Ok(limit @ 1..)) => limit,
            Some(_) => return Err(problem(400, "`limit` must be a positive number.")),
        };
        let limit = limit.min(self.page_size);
        let filter = Filter::of(&request.query)?;
        let mut found = self.sorted();
        found.retain(|(id, record)| filter.admits(id, record));
        let slice = slice(request)?;
        if let Some(slice) = slice {
            if let Slices::Refused(index, status) = self.slices
                && index == slice.0
            {
                return Err(problem(status, "This slice is refused."));
            }
            let last = found.last().map(|(id, _)| (*id).to_owned());
            found.retain(|(id, _)| self.slices.admit(slice, id, last.as_deref() == Some(*id)));
        }
        let start = self.start(&found, after).min(found.len());
        let end = start.saturating_add(limit).min(found.len());

        let mut info =
            Map::from_iter([("limit".to_owned(), limit.into()), ("asOf".to_owned(), as_of.clone())]);
        let cursor = |page: usize, end: usize| match self.cursors {
            Cursors::Offset => Some(format!("{page}:{end}")),
            _ => found[..end].last().map(|(id, _)| format!("{page}:{id}")),
        };
        let next = match self.cursors {
            Cursors::Repeat => Some(format!("{}:", page + 1)),
            Cursors::Stuck if page > 0 => request.query.get("cursor").cloned(),
            Cursors::Circle if end == found.len() => cursor(1, limit.min(end)),
            Cursors::Endless if end == found.len() => Some(format!("{}:~", page + 1)),
            _ if end == found.len() => None,
            _ => cursor(page + 1, end),
        };
        info.insert("nextCursor".to_owned(), next.into());
        if self.slices != Slices::Unknown {
            let said = request.query.get("slice").cloned();
            info.insert("slice".to_owned(), said.into());
        }
        if page == 0 || request.query.get("include").is_some_and(|it| it == "total") {
            let companies: BTreeSet<_> =
                found.iter().filter_map(|(_, record)| record.json["company"]["id"].as_str()).collect();
            let companies = if companies.is_empty() { Value::Null } else { companies.len().into() };
            let total = self.total.clone().unwrap_or(found.len().into());
            info.insert("total".to_owned(), total);
            info.insert("totalCompanies".to_owned(), self.total_companies.clone().unwrap_or(companies));
        }
        info.retain(|_, value| !value.is_null());
        let data = array(found[start..end].iter().map(|(_, record)| *record));
        let info = Value::Object(info).to_string();
        Ok(Answer::ok([br#"{"data":"#, &data[..], br#","page":"#, info.as_bytes(), b"}"].concat()))
    }

    /// Records by their place in the list.
    fn sorted(&self) -> Vec<(&str, &Record)> {
        let mut records: Vec<_> = self.records.iter().map(|(id, record)| (id.as_str(), record)).collect();
        records.sort_by_key(|(id, _)| self.place(id));
        records
    }

    /// A record's place in the list, which it keeps when it is forgotten.
    fn place<'i>(&self, id: &'i str) -> (usize, &'i str) {
        (self.order.iter().position(|first| first == id).unwrap_or(usize::MAX), id)
    }

    /// Where a page begins whose cursor ends with this text.
    fn start(&self, found: &[(&str, &Record)], after: &str) -> usize {
        match self.cursors {
            _ if after.is_empty() => 0,
            Cursors::Endless if after == "~" => found.len(),
            Cursors::Offset => after.parse().unwrap_or(0),
            _ => found.partition_point(|(id, _)| self.place(id) <= self.place(after)),
        }
    }
}

/// What a query asks for. A record that is no JSON object passes every filter but `ids`.
struct Filter<'q> {
    ids: Option<BTreeSet<&'q str>>,
    vessel: Option<&'q str>,
    company: Option<&'q str>,
    updated_since: Option<DateTime<FixedOffset>>,
}

impl<'q> Filter<'q> {
    fn of(query: &'q BTreeMap<String, String>) -> Result<Self, Answer> {
        let value = |name: &str| query.get(name).map(String::as_str);
        let updated_since = value("updatedSince").map(DateTime::parse_from_rfc3339).transpose();
        Ok(Self {
            ids: value("ids").map(|ids| ids.split(',').collect()),
            vessel: value("vesselId"),
            company: value("companyId"),
            updated_since: updated_since.map_err(|error| {
                problem(400, &format!("`updatedSince` must be a time of RFC 3339: {error}"))
            })?,
        })
    }

    fn admits(&self, id: &str, record: &Record) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(id))
            && (!record.json.is_object()
                || self.vessel.is_none_or(|vessel| record.is_of_vessel(vessel))
                    && self.company.is_none_or(|company| record.json["company"]["id"] == company)
                    && self.updated_since.is_none_or(|since| record.is_updated_since(since)))
    }
}

impl Record {
    fn is_of_vessel(&self, vessel: &str) -> bool {
        self.json["vesselId"] == vessel
            || self.json["vesselIds"].as_array().is_some_and(|ids| ids.contains(&json!(vessel)))
    }

    /// Compares times, whatever their offsets and fractions. A record without a readable time is always listed, and a vessel
    /// whose company has changed.
    fn is_updated_since(&self, since: DateTime<FixedOffset>) -> bool {
        let is_older = |record: &Value| {
            let updated_at = record["updatedAt"].as_str().map(DateTime::parse_from_rfc3339);
            matches!(updated_at, Some(Ok(updated_at)) if updated_at < since)
        };
        let company = &self.json["company"];
        !is_older(&self.json) || (company.is_object() && !is_older(company))
    }
}

fn array<'r>(records: impl Iterator<Item = &'r Record>) -> Vec<u8> {
    let records: Vec<_> = records.map(|record| record.bytes.as_slice()).collect();
    [b"[", records.join(&b","[..]).as_slice(), b"]"].concat()
}
