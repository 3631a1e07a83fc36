//! From what the provider sent to what can be written: pure functions of values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use contracts::provider::{EquipmentDraft, UserDraft, VesselDraft};
use domain::{
    Accepted, Rejection, Rules, SourceId, company::Company, equipment::Equipment, user::User, vessel::Vessel,
};
use portal_client::{Decoded, UnreadPage};
use store::records::EquipmentSnapshot;

use crate::write::Batch;

/// Records of one kind, sorted out.
#[derive(Debug, PartialEq)]
pub(crate) struct Sorted<T> {
    /// To be written, each id once.
    pub(crate) accepted: Vec<Accepted<T>>,
    /// To be kept with their findings.
    pub(crate) rejected: Vec<Rejection>,
    /// Older states of records that came twice, and states newer than the sync is to look at: counted as skipped.
    pub(crate) superseded: u64,
    /// What came exactly as before, and so was not read: ids, and when they changed last. Counted as unchanged.
    pub(crate) standing: Vec<(String, DateTime<Utc>)>,
}

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self { accepted: Vec::new(), rejected: Vec::new(), superseded: 0, standing: Vec::new() }
    }
}

impl<T> Sorted<T> {
    /// Whether nothing came.
    pub(crate) fn is_empty(&self) -> bool {
        self.accepted.is_empty()
            && self.rejected.is_empty()
            && self.superseded == 0
            && self.standing.is_empty()
    }

    /// The ids of all that came, sound or not.
    pub(crate) fn ids(&self, id: fn(&T) -> &SourceId) -> Vec<String> {
        let accepted = self.accepted.iter().map(|it| id(&it.record).to_string());
        let rejected = self.rejected.iter().map(|it| it.source_id.clone());
        accepted.chain(rejected).chain(self.standing.iter().map(|(id, _)| id.clone())).collect()
    }

    /// The ids of sound records that have changed since.
    pub(crate) fn newer_than(&self, time: DateTime<Utc>, id: fn(&T) -> &SourceId) -> BTreeSet<String> {
        let newer = self.accepted.iter().filter(|it| it.version.updated_at > time);
        let standing = self.standing.iter().filter(|(_, updated_at)| *updated_at > time);
        newer.map(|it| id(&it.record).to_string()).chain(standing.map(|(id, _)| id.clone())).collect()
    }

    fn until(&mut self, until: DateTime<Utc>) {
        let all = self.accepted.len() + self.standing.len();
        self.accepted.retain(|it| it.version.updated_at <= until);
        self.standing.retain(|(_, updated_at)| *updated_at <= until);
        self.superseded += (all - self.accepted.len() - self.standing.len()) as u64;
    }

    fn of(verdicts: impl Iterator<Item = Result<Accepted<T>, Rejection>>, id: fn(&T) -> &str) -> Self {
        let mut sorted = Self::default();
        let mut newest: HashMap<String, usize> = HashMap::new();
        for verdict in verdicts {
            match verdict {
                Err(rejection) => sorted.rejected.push(rejection),
                // A batch must not hold one key twice, and a provider that repeats itself is no reason to fail.
                Ok(record) => match newest.get(id(&record.record)) {
                    None => {
                        newest.insert(id(&record.record).to_owned(), sorted.accepted.len());
                        sorted.accepted.push(record);
                    }
                    Some(at) => {
                        sorted.superseded += 1;
                        if record.version > sorted.accepted[*at].version {
                            sorted.accepted[*at] = record;
                        }
                    }
                },
            }
        }
        sorted
    }
}

/// Vessels, and the companies that came with them.
pub(crate) fn vessels(
    records: Vec<Decoded<VesselDraft>>,
    rules: &Rules,
) -> (Sorted<Company>, Sorted<Vessel>) {
    let mut companies: BTreeMap<String, Result<Accepted<Company>, Rejection>> = BTreeMap::new();
    let mut verdicts = Vec::with_capacity(records.len());
    for record in records {
        match record {
            Err(rejection) => verdicts.push(Err(rejection)),
            Ok(draft) => {
                let id = draft.company.id.clone();
                let both = draft.accept_with_company(rules);
                verdicts.push(both.vessel);
                // A company comes with each of its vessels and counts once: in its newest sound state.
                match (companies.get(&id), &both.company) {
                    (Some(Ok(there)), Ok(this)) if this.version <= there.version => {}
                    (Some(_), Err(_)) => {}
                    _ => {
                        companies.insert(id, both.company);
                    }
                }
            }
        }
    }
    let companies = Sorted::of(companies.into_values(), |company| company.source_id.as_str());
    (companies, Sorted::of(verdicts.into_iter(), |vessel| vessel.source_id.as_str()))
}

/// Equipment with its parts and schedules.
pub(crate) fn equipment(records: Vec<Decoded<EquipmentDraft>>, rules: &Rules) -> Sorted<Equipment> {
    let verdicts = records.into_iter().map(|record| record.and_then(|draft| draft.accept(rules)));
    Sorted::of(verdicts, |equipment| equipment.source_id.as_str())
}

/// Equipment of a page, of which only that is read which does not stand as it came before. `ids`: of its records, in their
/// order.
pub(crate) fn equipment_page(
    page: &UnreadPage<EquipmentDraft>,
    ids: &[Option<String>],
    look: &EquipmentSnapshot,
    rules: &Rules,
) -> Sorted<Equipment> {
    let mut times: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
    for id in ids.iter().flatten() {
        *times.entry(id).or_default() += 1;
    }
    let mut standing = Vec::new();
    let verdicts = page.records().zip(ids).filter_map(|(record, id)| {
        // Of states of one record on one page the newest counts, and that can be told only when all are read.
        if let Some(id) = id.as_ref().filter(|id| times[id.as_str()] == 1)
            && let Some(version) = look.standing(id, record.bytes())
        {
            standing.push((id.clone(), version.updated_at));
            return None;
        }
        let verdict = record.read().and_then(|draft| draft.accept(rules));
        Some(verdict.map(|accepted| accepted.arrived_as(record.bytes())))
    });
    let sorted = Sorted::of(verdicts, |equipment| equipment.source_id.as_str());
    Sorted { standing, ..sorted }
}

/// Users with their roles.
pub(crate) fn users(records: Vec<Decoded<UserDraft>>, rules: &Rules) -> Sorted<User> {
    let verdicts = records.into_iter().map(|record| record.and_then(|draft| draft.accept(rules)));
    Sorted::of(verdicts, |user| user.source_id.as_str())
}

/// Leaves out what changed after `until`, which the provider cannot be asked for, and counts it. What cannot be read
/// stays: it may be of any time. A company that comes with none of the remaining vessels is nobody's business here, and
/// does not count.
pub(crate) fn until(batch: &mut Batch, until: DateTime<Utc>) {
    batch.vessels.until(until);
    let of_vessels: BTreeSet<&str> =
        batch.vessels.accepted.iter().map(|it| it.record.company_source_id.as_str()).collect();
    let is_asked_for = |it: &Accepted<Company>| {
        it.version.updated_at <= until || of_vessels.contains(it.record.source_id.as_str())
    };
    batch.companies.accepted.retain(is_asked_for);
    batch.equipment.until(until);
    batch.users.until(until);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    fn vessel(id: &str, company_country: &str, updated_at: &str) -> Decoded<VesselDraft> {
        Ok(serde_json::from_value(json!({
            "id": id, "imoNumber": "9074729", "name": "Nordic Star", "flag": "NO", "vesselType": "ferry",
            "serviceStatus": "in_service", "updatedAt": updated_at,
            "company": {"id": "c-1", "name": "Nordic AS", "country": company_country, "updatedAt": updated_at}
        }))
        .unwrap())
    }

    #[test]
    fn a_company_of_many_vessels_counts_once_in_its_newest_state() {
        let page =
            vec![vessel("v-1", "NO", "2026-01-02T00:00:00Z"), vessel("v-2", "NO", "2026-01-01T00:00:00Z")];
        let (companies, vessels) = vessels(page, &Rules::at(now()));
        assert_eq!((companies.accepted.len(), vessels.accepted.len()), (1, 2));
        assert_eq!(companies.accepted[0].version.updated_at.to_rfc3339(), "2026-01-02T00:00:00+00:00");
    }

    #[test]
    fn a_bad_company_takes_its_vessel_along_and_both_are_accounted_for() {
        let (companies, vessels) =
            vessels(vec![vessel("v-1", "XX", "2026-01-01T00:00:00Z")], &Rules::at(now()));
        assert_eq!((companies.rejected.len(), vessels.rejected.len()), (1, 1));
    }

    #[test]
    fn a_record_that_comes_twice_is_written_once_in_its_newer_state() {
        let page =
            vec![vessel("v-1", "NO", "2026-01-01T00:00:00Z"), vessel("v-1", "NO", "2026-01-02T00:00:00Z")];
        let (_, vessels) = vessels(page, &Rules::at(now()));
        assert_eq!((vessels.accepted.len(), vessels.superseded), (1, 1));
        assert_eq!(vessels.accepted[0].version.updated_at.to_rfc3339(), "2026-01-02T00:00:00+00:00");
    }

    #[test]
    fn what_changed_too_late_is_left_out_and_counted_and_a_company_stays_while_a_vessel_needs_it() {
        let page =
            vec![vessel("v-1", "NO", "2026-01-02T00:00:00Z"), vessel("v-2", "NO", "2026-01-01T00:00:00Z")];
        let (companies, vessels) = vessels(page, &Rules::at(now()));
        let mut batch = Batch { companies, vessels, ..Batch::default() };
        until(&mut batch, "2026-01-01T12:00:00Z".parse().unwrap());
        assert_eq!((batch.vessels.accepted.len(), batch.vessels.superseded), (1, 1));
        assert_eq!(batch.companies.accepted.len(), 1);
        until(&mut batch, "2025-01-01T00:00:00Z".parse().unwrap());
        assert_eq!((batch.vessels.superseded, batch.companies.accepted.len()), (2, 0));
    }

    #[test]
    fn what_cannot_be_read_is_rejected_and_the_rest_goes_in() {
        let bad =
            Err(Rejection::because("v-9", None, domain::Finding::error("wrong_type", "/name", "not a text")));
        let (_, vessels) = vessels(vec![bad, vessel("v-1", "NO", "2026-01-01T00:00:00Z")], &Rules::at(now()));
        assert_eq!((vessels.accepted.len(), vessels.rejected.len()), (1, 1));
    }
}
