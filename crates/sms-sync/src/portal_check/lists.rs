//! Checks of one list: its pages, its order, its totals, and what it can be asked for.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::{
    Accepted, Rejection, Rules, SourceId, equipment::EquipmentDraft, user::UserDraft, vessel::VesselDraft,
};
use serde_json::Value;

use super::{
    probe::{Probe, UNKNOWN_ID, is_future, time_of},
    report::{CheckLimits, Report},
};

/// The lists of the contract.
pub(super) const LISTS: &[List] = &[
    List {
        name: "vessels",
        belongs_to_vessel: false,
        accept: |record, rules| judge::<VesselDraft, _>(record, |it| it.accept(rules)),
    },
    List {
        name: "equipment",
        belongs_to_vessel: true,
        accept: |record, rules| judge::<EquipmentDraft, _>(record, |it| it.accept(rules)),
    },
    List {
        name: "users",
        belongs_to_vessel: true,
        accept: |record, rules| judge::<UserDraft, _>(record, |it| it.accept(rules)),
    },
];

/// Longest cursor that the services take: one has to fit into a URL.
const CURSOR_LIMIT: usize = 4_096;

/// Oldest time that a page may say it was read at: a replica may lag behind.
const AS_OF_AGE_LIMIT: TimeDelta = TimeDelta::hours(1);

/// Most codes of findings that are named.
const CODES_LIMIT: usize = 3;

/// A list of the provider API.
pub(super) struct List {
    pub(super) name: &'static str,
    belongs_to_vessel: bool,
    /// The codes for which the sync would reject a record.
    accept: fn(&Value, &Rules) -> Vec<String>,
}

/// What a walk along the pages of a list has read.
pub(super) struct Walked {
    /// Id, `updatedAt` and record, in the order of the list.
    records: Vec<(String, DateTime<Utc>, Value)>,
    /// Of the first page.
    total: Option<u64>,
    as_of: Option<DateTime<Utc>>,
    /// What each page says of its slice.
    pub(super) slices: Vec<Option<String>>,
    pages: usize,
    /// Whether the list has ended; else it is longer than what is read.
    pub(super) is_whole: bool,
    /// Milliseconds of the slowest page.
    slowest_ms: u128,
}

impl Walked {
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.records.iter().map(|(id, ..)| id)
    }

    /// The id of a record that is no tombstone.
    pub(super) fn any_id(&self) -> Option<String> {
        let (id, ..) = self.records.iter().find(|(_, _, record)| record["withdrawnAt"].is_null())?;
        Some(id.clone())
    }
}

fn judge<D, T>(record: &Value, accept: impl FnOnce(D) -> Result<Accepted<T>, Rejection>) -> Vec<String>
where
    D: serde::de::DeserializeOwned,
{
    match serde_json::from_value::<D>(record.clone()) {
        Err(error) => vec![format!("unreadable ({error})")],
        Ok(draft) => match accept(draft) {
            Ok(_) => Vec::new(),
            Err(rejection) => rejection.findings.iter().map(|finding| finding.code.to_string()).collect(),
        },
    }
}

impl List {
    fn path(&self) -> String {
        format!("sync/{}", self.name)
    }

    /// Walks along the list, and asks for parts of it. None: the list cannot be read.
    pub(super) async fn check(
        &self,
        probe: &Probe,
        report: &mut Report,
        limits: CheckLimits,
        now: DateTime<Utc>,
    ) -> Option<Walked> {
        const HINT: &str = "A page is {data, page: {limit, nextCursor, total, asOf}}, ordered by updatedAt and id; a cursor leads \
            on from the last record of its page.";
        let walked = match self.walk(probe, limits, &[]).await {
            Ok(walked) => walked,
            Err(error) => {
                report.add(self.name, "pages", Err(error), HINT);
                return None;
            }
        };
        let how_far = if walked.is_whole { "to its end" } else { "so far" };
        let text = format!(
            "{} records on {} pages, {how_far}; the slowest page took {} ms",
            walked.records.len(),
            walked.pages,
            walked.slowest_ms
        );
        report.add(self.name, "pages", Ok(text), HINT);
        self.check_totals(report, &walked, now);
        self.check_records(report, &walked, now);
        self.check_updated_since(probe, report, limits, &walked).await;
        self.check_ids(probe, report, limits, &walked).await;
        if self.belongs_to_vessel {
            self.check_vessel_id(probe, report, limits, &walked).await;
        }
        Some(walked)
    }

    /// Reads pages until the list ends, or until there have been enough. The error says what a page has wrong.
    pub(super) async fn walk(
        &self,
        probe: &Probe,
        limits: CheckLimits,
        filter: &[(&str, &str)],
    ) -> Result<Walked, String> {
        let mut walked = Walked {
            records: Vec::new(),
            total: None,
            as_of: None,
            slices: Vec::new(),
            pages: 0,
            is_whole: false,
            slowest_ms: 0,
        };
        let (limit, mut cursor, mut seen) = (limits.page_size.to_string(), None::<String>, HashSet::new());
        while walked.pages < limits.pages as usize {
            let mut query = vec![("limit", limit.as_str())];
            query.extend_from_slice(filter);
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let page = format!("page {}", walked.pages + 1);
            let answer = probe.get(&self.path(), &query).await.map_err(|error| format!("{page}: {error}"))?;
            if answer.status != 200 {
                return Err(format!("{page} is answered with {}{}", answer.status, answer.problem_text()));
            }
            walked.slowest_ms = walked.slowest_ms.max(answer.took.as_millis());
            let json = answer.json.ok_or(format!("{page} is not JSON"))?;
            let next =
                walked.add_page(&json, limits.page_size).map_err(|error| format!("{page}: {error}"))?;
            walked.pages += 1;
            let Some(next) = next else {
                walked.is_whole = true;
                break;
            };
            if next.len() > CURSOR_LIMIT {
                return Err(format!(
                    "{page}: nextCursor has {} bytes, of at most {CURSOR_LIMIT}",
                    next.len()
                ));
            }
            if !seen.insert(next.clone()) {
                return Err(format!("{page}: nextCursor was there before, so paging would never end"));
            }
            cursor = Some(next);
        }
        Ok(walked)
    }

    fn check_totals(&self, report: &mut Report, walked: &Walked, now: DateTime<Utc>) {
        let hint = "page.total is the number of records of the whole list: without it nobody knows whether a list is whole, and \
            records that are missing are never withdrawn.";
        let read = walked.ids().collect::<BTreeSet<_>>().len() as u64;
        // By its order a record that changes while the list is read comes again, or for the first time, at its end.
        let has_moved = walked.as_of.is_some_and(|as_of| walked.records.iter().any(|(_, at, _)| *at > as_of));
        match walked.total {
            None => report.warn(self.name, "total", "the first page says no total", hint),
            Some(total) => {
                let is_right = if walked.is_whole { total == read } else { total > read };
                let text = format!("{total} announced, {read} read");
                if !is_right && has_moved {
                    return report.warn(
                        self.name,
                        "total",
                        text + " while records changed",
                        "Check again in a quiet hour.",
                    );
                }
                report.add(self.name, "total", if is_right { Ok(text) } else { Err(text) }, hint);
            }
        }
        let hint = "page.asOf is the portal's time when it read the page: by it the sync tells a record that changed meanwhile from \
            one that is missing.";
        match walked.as_of {
            None => {
                report.warn(self.name, "asOf", "the first page says no asOf, or no time (RFC 3339)", hint)
            }
            Some(time) if is_future(time, now) => {
                report.add(self.name, "asOf", Err(format!("{time} lies in the future")), hint)
            }
            Some(time) if time < now - AS_OF_AGE_LIMIT => {
                report.add(
                    self.name,
                    "asOf",
                    Err(format!("{time} is long past, and the page was read now")),
                    hint,
                );
            }
            Some(time) => {
                report.add(self.name, "asOf", Ok(time.to_rfc3339_opts(SecondsFormat::Millis, true)), hint)
            }
        }
    }

    /// Whether the sync would accept the records.
    fn check_records(&self, report: &mut Report, walked: &Walked, now: DateTime<Utc>) {
        if walked.records.is_empty() {
            return report.skip(self.name, "records", "the list is empty");
        }
        let rules = Rules::at(now);
        let (mut codes, mut rejected) = (BTreeMap::<String, usize>::new(), 0);
        for (.., record) in &walked.records {
            let of_record = (self.accept)(record, &rules);
            rejected += usize::from(!of_record.is_empty());
            for code in of_record {
                *codes.entry(code).or_default() += 1;
            }
        }
        let tombstones =
            walked.records.iter().filter(|(.., record)| !record["withdrawnAt"].is_null()).count();
        let text = format!("{} records, {tombstones} of them withdrawn", walked.records.len());
        if rejected == 0 {
            return report.add(self.name, "records", Ok(text), "");
        }
        let mut codes: Vec<_> = codes.into_iter().collect();
        codes.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), code.clone()));
        let named: Vec<_> =
            codes.iter().take(CODES_LIMIT).map(|(code, count)| format!("{code} {count}")).collect();
        let text = format!("{text}; {rejected} would be rejected: {}", named.join(", "));
        if rejected * 2 > walked.records.len() {
            let hint =
                "Most records would be rejected: compare their fields with the contract's OpenAPI document.";
            return report.add(self.name, "records", Err(text), hint);
        }
        let hint = "docs/records.md says what each code means. One record that is rejected stops no other.";
        report.warn(self.name, "records", text, hint);
    }

    async fn check_updated_since(
        &self,
        probe: &Probe,
        report: &mut Report,
        limits: CheckLimits,
        walked: &Walked,
    ) {
        const NAME: &str = "updatedSince";
        let hint = "Only records changed at that time or later; vessels also if their company was. Incremental syncs rest on it.";
        let Some((middle_id, middle, _)) = walked.records.get(walked.records.len() / 2) else {
            return report.skip(self.name, NAME, "the list is empty");
        };
        let since = middle.to_rfc3339_opts(SecondsFormat::Micros, true);
        let result = match self.walk(probe, limits, &[("updatedSince", &since)]).await {
            Err(error) => Err(error),
            Ok(part) => {
                let older = part.records.iter().find(|(_, time, record)| {
                    *time < *middle && time_of(&record["company"]["updatedAt"]).is_none_or(|it| it < *middle)
                });
                match older {
                    Some((id, time, _)) => Err(format!("{id} of {time} is listed since {since}")),
                    None if part.is_whole && !part.ids().any(|id| id == middle_id) => {
                        Err(format!("{middle_id} was changed at {since}, and is not listed since then"))
                    }
                    None => Ok(format!("{} records since {since}", part.records.len())),
                }
            }
        };
        report.add(self.name, NAME, result, hint);
        let result = match self.walk(probe, limits, &[("updatedSince", "2199-01-01T00:00:00Z")]).await {
            Ok(part) if part.records.is_empty() => Ok("nothing since a time in the future".to_owned()),
            Ok(part) => Err(format!("{} records since a time in the future", part.records.len())),
            Err(error) => Err(error),
        };
        report.add(self.name, "updatedSince in the future", result, hint);
    }

    async fn check_ids(&self, probe: &Probe, report: &mut Report, limits: CheckLimits, walked: &Walked) {
        const NAME: &str = "ids";
        let ids: BTreeSet<String> = walked.ids().take(2).cloned().collect();
        if ids.is_empty() {
            return report.skip(self.name, NAME, "the list is empty");
        }
        let named = ids.iter().map(String::as_str).chain([UNKNOWN_ID]).collect::<Vec<_>>().join(",");
        let result = match self.walk(probe, limits, &[("ids", &named)]).await {
            Err(error) => Err(error),
            Ok(part) => {
                let got: BTreeSet<String> = part.ids().cloned().collect();
                let text = format!("asked for {named}, got {}", Vec::from_iter(got.clone()).join(","));
                if got == ids { Ok(text) } else { Err(text) }
            }
        };
        let hint = "Exactly the named records, and none for an id that is unknown: an approval fetches its record so.";
        report.add(self.name, NAME, result, hint);
    }

    async fn check_vessel_id(
        &self,
        probe: &Probe,
        report: &mut Report,
        limits: CheckLimits,
        walked: &Walked,
    ) {
        const NAME: &str = "vesselId";
        let vessel =
            walked.records.iter().find_map(|(.., record)| vessels_of(record).next().map(str::to_owned));
        let Some(vessel) = vessel else {
            return report.skip(self.name, NAME, "no record belongs to a vessel");
        };
        let result = match self.walk(probe, limits, &[("vesselId", &vessel)]).await {
            Err(error) => Err(error),
            Ok(part) => {
                match part.records.iter().find(|(.., record)| !vessels_of(record).any(|it| it == vessel)) {
                    Some((id, ..)) => Err(format!("{id} is listed for {vessel}, and belongs to another")),
                    None if part.records.is_empty() => Err(format!("nothing is listed for {vessel}")),
                    None => Ok(format!("{} records of {vessel}", part.records.len())),
                }
            }
        };
        report.add(self.name, NAME, result, "Only what belongs to the vessel.");
    }
}

/// The vessels that a record belongs to: equipment to one, a user to those of `vesselIds`.
fn vessels_of(record: &Value) -> impl Iterator<Item = &str> {
    let several = record["vesselIds"].as_array().into_iter().flatten();
    std::iter::once(&record["vesselId"]).chain(several).filter_map(Value::as_str)
}

impl Walked {
    /// Takes a page, and returns the cursor of the next one.
    fn add_page(&mut self, json: &Value, limit: u32) -> Result<Option<String>, String> {
        let data = json["data"].as_array().ok_or("data is no list")?;
        let page = json["page"].as_object().ok_or("page is no object")?;
        if data.len() > limit as usize {
            return Err(format!("has {} records, and {limit} were asked for", data.len()));
        }
        for record in data {
            let id = record["id"].as_str().ok_or("a record has no id that is a text")?;
            id.parse::<SourceId>().map_err(|error| format!("the id {id:?} {error}"))?;
            let time = time_of(&record["updatedAt"])
                .ok_or(format!("{id} has no updatedAt that is a time (RFC 3339)"))?;
            if let Some((last_id, last_time, _)) = self.records.last() {
                if last_id == id {
                    return Err(format!("{id} is listed twice"));
                }
                if (*last_time, last_id.as_str()) > (time, id) {
                    return Err(format!(
                        "{id} of {time} comes after {last_id} of {last_time}: not ordered by updatedAt and id"
                    ));
                }
            }
            self.records.push((id.to_owned(), time, record.clone()));
        }
        if self.pages == 0 {
            self.total = page.get("total").and_then(Value::as_u64);
            self.as_of = page.get("asOf").and_then(time_of);
        }
        self.slices.push(page.get("slice").and_then(Value::as_str).map(str::to_owned));
        match page.get("nextCursor") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(cursor)) if cursor.is_empty() => Err("nextCursor is empty".to_owned()),
            Some(Value::String(_)) if data.is_empty() => Err("is empty and has a nextCursor".to_owned()),
            Some(Value::String(cursor)) => Ok(Some(cursor.clone())),
            Some(other) => Err(format!("nextCursor is {other}, no text")),
        }
    }
}
