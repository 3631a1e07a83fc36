//! From what the provider sent to what can be written: pure functions of values.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use contracts::provider::{EquipmentDraft, UserDraft, VesselDraft};
use domain::{
    Accepted, Rejection, Rules, company::Company, equipment::Equipment, user::User, vessel::Vessel,
};
use portal_client::{Decoded, RawPage};
use store::records::EquipmentSnapshot;

use crate::batch::Sorted;

/// Vessels, and the companies that came with them.
pub(crate) fn vessels(
    records: Vec<Decoded<VesselDraft>>,
    rules: &Rules,
) -> (Sorted<Company>, Sorted<Vessel>) {
    let mut companies: BTreeMap<String, CompanyStates> = BTreeMap::new();
    let mut verdicts = Vec::with_capacity(records.len());
    for record in records {
        let draft = match record {
            Ok(draft) => draft,
            Err(undecodable) => {
                verdicts.push(Err(undecodable.reject(rules)));
                continue;
            }
        };
        let states = companies.entry(draft.company.id.clone()).or_default();
        states.add(draft.company.updated_at, draft.company.clone().accept(rules));
        // Whether the vessel can refer to its company is seen when it is written: the company may stand there already.
        verdicts.push(draft.accept(rules));
    }
    let companies = companies.into_values().flat_map(CompanyStates::into_verdicts);
    let companies = Sorted::of(companies, |company| company.source_id.as_str());
    (companies, Sorted::of(verdicts.into_iter(), |vessel| vessel.source_id.as_str()))
}

/// The states of a company on a page: it comes with each of its vessels and counts once, in its newest sound state, or of two
/// with one time in the one that is listed last. A rejection that is not older than that is kept beside it.
#[derive(Default)]
struct CompanyStates {
    sound: Option<Accepted<Company>>,
    rejected: Option<(DateTime<Utc>, Rejection)>,
}

impl CompanyStates {
    fn add(&mut self, updated_at: DateTime<Utc>, verdict: Result<Accepted<Company>, Rejection>) {
        match verdict {
            Ok(company) if self.sound.as_ref().is_some_and(|it| updated_at < it.version.updated_at) => {
                drop(company)
            }
            Ok(company) => self.sound = Some(company),
            Err(_) if self.rejected.as_ref().is_some_and(|(at, _)| updated_at < *at) => {}
            Err(rejection) => self.rejected = Some((updated_at, rejection)),
        }
    }

    fn into_verdicts(self) -> impl Iterator<Item = Result<Accepted<Company>, Rejection>> {
        let Self { sound, rejected } = self;
        let is_overtaken = |at: DateTime<Utc>| sound.as_ref().is_some_and(|it| at < it.version.updated_at);
        let rejected = rejected.filter(|(at, _)| !is_overtaken(*at)).map(|(_, rejection)| Err(rejection));
        sound.map(Ok).into_iter().chain(rejected)
    }
}

fn accept<D, T>(
    record: Decoded<D>,
    rules: &Rules,
    accept: impl FnOnce(D) -> Result<Accepted<T>, Rejection>,
) -> Result<Accepted<T>, Rejection> {
    record.map_err(|undecodable| undecodable.reject(rules)).and_then(accept)
}

/// Equipment with its parts and schedules.
pub(crate) fn equipment(records: Vec<Decoded<EquipmentDraft>>, rules: &Rules) -> Sorted<Equipment> {
    let verdicts = records.into_iter().map(|record| accept(record, rules, |draft| draft.accept(rules)));
    Sorted::of(verdicts, |equipment| equipment.source_id.as_str())
}

/// Equipment of a page, of which only that is read which does not stand as it came before. `ids`: of its records, in their
/// order.
pub(crate) fn equipment_page(
    page: &RawPage<EquipmentDraft>,
    ids: &[Option<String>],
    snapshot: &EquipmentSnapshot,
    rules: &Rules,
) -> Sorted<Equipment> {
    let mut times: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
    for id in ids.iter().flatten() {
        *times.entry(id).or_default() += 1;
    }
    let mut identical = Vec::new();
    let verdicts = page.records().zip(ids).filter_map(|(record, id)| {
        // Of states of one record on one page the newest counts, and that can be told only when all are read.
        if let Some(id) = id.as_ref().filter(|id| times[id.as_str()] == 1)
            && let Some(version) = snapshot.version_if_identical(id, record.bytes())
        {
            identical.push((id.clone(), version.updated_at));
            return None;
        }
        let verdict = accept(record.decode(), rules, |draft| draft.accept(rules));
        Some(verdict.map(|accepted| accepted.with_payload(record.bytes())))
    });
    let sorted = Sorted::of(verdicts, |equipment| equipment.source_id.as_str());
    Sorted { identical, ..sorted }
}

/// Users with their roles.
pub(crate) fn users(records: Vec<Decoded<UserDraft>>, rules: &Rules) -> Sorted<User> {
    let verdicts = records.into_iter().map(|record| accept(record, rules, |draft| draft.accept(rules)));
    Sorted::of(verdicts, |user| user.source_id.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::batch::ValidatedBatch;

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
    fn malformed_state_of_a_company_is_told_of_unless_a_newer_one_is_sound() {
        let (older, newer) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        for (malformed_at, sound_at, rejected) in [(newer, older, 1), (older, newer, 0)] {
            let states = [vessel("v-1", "XX", malformed_at), vessel("v-2", "NO", sound_at)];
            for order in [[0, 1], [1, 0]] {
                let page = order.iter().map(|i| states[*i].clone()).collect();
                let (companies, _) = vessels(page, &Rules::at(now()));
                assert_eq!((companies.accepted.len(), companies.rejected.len()), (1, rejected), "{order:?}");
            }
        }
    }

    #[test]
    fn vessel_of_a_malformed_company_is_sound_by_itself() {
        let (companies, vessels) =
            vessels(vec![vessel("v-1", "XX", "2026-01-01T00:00:00Z")], &Rules::at(now()));
        assert_eq!((companies.rejected.len(), vessels.accepted.len()), (1, 1));
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
    fn records_changed_after_the_end_are_left_out_and_their_companies_stay_if_needed() {
        let page =
            vec![vessel("v-1", "NO", "2026-01-02T00:00:00Z"), vessel("v-2", "NO", "2026-01-01T00:00:00Z")];
        let (companies, vessels) = vessels(page, &Rules::at(now()));
        let mut batch = ValidatedBatch { companies, vessels, ..ValidatedBatch::default() };
        batch.leave_out_after("2026-01-01T12:00:00Z".parse().unwrap());
        assert_eq!((batch.vessels.accepted.len(), batch.vessels.superseded), (1, 1));
        assert_eq!(batch.companies.accepted.len(), 1);
        batch.leave_out_after("2025-01-01T00:00:00Z".parse().unwrap());
        assert_eq!((batch.vessels.superseded, batch.companies.accepted.len()), (2, 0));
    }
}
