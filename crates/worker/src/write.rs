//! Records that wait to be written together, the order in which they are, and their tally: the inside of the one
//! transaction.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{
    Accepted, Outcome, RecordCounts, RecordType, Rejection, SourceId, SyncId, company::Company,
    equipment::Equipment, user::User, vessel::Vessel,
};
use store::{
    Db, StoreError,
    ledger::{
        findings::{RecordFinding, findings_insert},
        seen::companies_seen_first,
    },
    records::{
        Applied, EquipmentSnapshot, NewPassword, companies_apply, counts_of, equipment_apply, users_apply,
        vessels_apply,
    },
};

use crate::transform::Sorted;

/// Records of all kinds; a page holds one kind, or two.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) companies: Sorted<Company>,
    pub(crate) vessels: Sorted<Vessel>,
    pub(crate) equipment: Sorted<Equipment>,
    pub(crate) users: Sorted<User>,
    /// What stood in the table of equipment when this was read, if that was asked.
    pub(crate) look: Option<EquipmentSnapshot>,
}

impl Batch {
    /// The ids of its records of a type, sound or not.
    pub(crate) fn ids_of(&self, record_type: RecordType) -> Vec<String> {
        match record_type {
            RecordType::Company => self.companies.ids(|it| &it.source_id),
            RecordType::Vessel => self.vessels.ids(|it| &it.source_id),
            RecordType::Equipment => self.equipment.ids(|it| &it.source_id),
            RecordType::User => self.users.ids(|it| &it.source_id),
        }
    }

    /// The ids of its sound records that have changed since `first_look`, when the provider said how many there are. A
    /// company that comes with nothing but such vessels may not have been counted then.
    pub(crate) fn newer_than(&self, first_look: DateTime<Utc>) -> BTreeMap<RecordType, BTreeSet<String>> {
        let earlier: BTreeSet<&SourceId> = self
            .vessels
            .accepted
            .iter()
            .filter(|it| it.version.updated_at <= first_look)
            .map(|it| &it.record.company_source_id)
            .collect();
        let is_late = |it: &Accepted<Company>| {
            it.version.updated_at > first_look || !earlier.contains(&it.record.source_id)
        };
        let companies = self.companies.accepted.iter().filter(|it| is_late(it));
        let mut late: BTreeMap<_, _> = [
            (RecordType::Company, companies.map(|it| it.record.source_id.to_string()).collect()),
            (RecordType::Vessel, self.vessels.newer_than(first_look, |it| &it.source_id)),
            (RecordType::Equipment, self.equipment.newer_than(first_look, |it| &it.source_id)),
            (RecordType::User, self.users.newer_than(first_look, |it| &it.source_id)),
        ]
        .into();
        late.retain(|_, ids: &mut BTreeSet<String>| !ids.is_empty());
        late
    }
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) counts: BTreeMap<RecordType, RecordCounts>,
    /// Of every record that was read, by its id.
    pub(crate) outcomes: BTreeMap<RecordType, Vec<(String, Outcome)>>,
}

/// Writes a batch: companies before their vessels, vessels before what is on board. Returns the tally.
pub(crate) async fn write_in(
    tx: &mut Db,
    sync: SyncId,
    batch: &Batch,
    passwords: &[NewPassword],
    now: DateTime<Utc>,
) -> Result<BTreeMap<RecordType, RecordCounts>, StoreError> {
    let first = companies_seen_first_in_sync(tx, sync, batch).await?;
    Ok(write_counted(tx, sync, batch, &first, passwords, now).await?.counts)
}

/// The companies that the sync sees for the first time with this batch. A company comes with every vessel, on many pages:
/// its first sight in a sync counts.
pub(crate) async fn companies_seen_first_in_sync(
    tx: &mut Db,
    sync: SyncId,
    batch: &Batch,
) -> Result<BTreeSet<String>, StoreError> {
    let companies = &batch.companies;
    if companies.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rejected = companies.rejected.iter().map(|it| it.source_id.clone());
    let ids: Vec<String> =
        companies.accepted.iter().map(|it| it.record.source_id.to_string()).chain(rejected).collect();
    companies_seen_first(tx, sync, &ids).await
}

/// Writes a batch whose companies count as far as they are in `first`.
pub(crate) async fn write_counted(
    tx: &mut Db,
    sync: SyncId,
    batch: &Batch,
    first: &BTreeSet<String>,
    passwords: &[NewPassword],
    now: DateTime<Utc>,
) -> Result<Written, StoreError> {
    let mut tally = Tally::default();
    let Batch { companies, vessels, equipment, users, look } = batch;
    if !companies.is_empty() {
        let is_first = |id: &str| first.contains(id);
        let accepted: Vec<_> =
            companies.accepted.iter().filter(|it| is_first(it.record.source_id.as_str())).cloned().collect();
        let applied = companies_apply(tx, sync, &accepted, now).await?;
        let rejected = companies.rejected.iter().filter(|it| is_first(&it.source_id));
        tally.add(RecordType::Company, &applied, rejected, 0);
    }
    if !vessels.is_empty() {
        let applied = vessels_apply(tx, sync, &vessels.accepted, now).await?;
        tally.add(RecordType::Vessel, &applied, vessels.rejected.iter(), vessels.superseded);
    }
    if !equipment.is_empty() {
        let applied = equipment_apply(tx, sync, &equipment.accepted, look.as_ref(), now).await?;
        tally.add(RecordType::Equipment, &applied, equipment.rejected.iter(), equipment.superseded);
        tally.stand(RecordType::Equipment, equipment.standing.len());
    }
    if !users.is_empty() {
        let applied = users_apply(tx, sync, &users.accepted, passwords, now).await?;
        tally.add(RecordType::User, &applied, users.rejected.iter(), users.superseded);
    }
    findings_insert(tx, sync, &tally.findings, now).await?;
    Ok(tally.written)
}

/// Counts outcomes, and gathers why records were rejected. Warnings, and what only the database can find, the store
/// keeps by itself.
#[derive(Default)]
struct Tally {
    written: Written,
    findings: Vec<RecordFinding>,
}

impl Tally {
    /// What stands as it came before.
    fn stand(&mut self, record_type: RecordType, records: usize) {
        let counts = self.written.counts.entry(record_type).or_default();
        counts.count_many(Outcome::Unchanged, records as u64);
    }

    fn add<'a>(
        &mut self,
        record_type: RecordType,
        applied: &[Applied],
        rejected: impl Iterator<Item = &'a Rejection>,
        superseded: u64,
    ) {
        let mut counts = counts_of(applied);
        counts.count_many(Outcome::Skipped, superseded);
        let outcomes = self.written.outcomes.entry(record_type).or_default();
        outcomes.extend(applied.iter().map(|it| (it.source_id.to_string(), it.outcome)));
        for rejection in rejected {
            counts.count(Outcome::Rejected);
            outcomes.push((rejection.source_id.clone(), Outcome::Rejected));
            self.findings.extend(rejection.findings.iter().map(|finding| RecordFinding {
                record_type,
                source_id: rejection.source_id.clone(),
                label: rejection.label.clone(),
                vessel_ids: rejection.vessel_ids.clone(),
                finding: finding.clone(),
            }));
        }
        *self.written.counts.entry(record_type).or_default() += counts;
    }
}
