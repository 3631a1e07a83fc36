//! Writes a validated batch inside of the one transaction, in the order that its references ask for, and counts outcomes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::{Outcome, RecordCounts, RecordType, Rejection, SyncId};
use store::{
    Db, StoreError,
    ledger::{
        findings::{RecordFinding, findings_insert},
        seen::companies_seen_first,
    },
    records::{
        AppliedRecord, NewPassword, companies_apply, counts_of, equipment_apply, users_apply, vessels_apply,
    },
};

use crate::batch::ValidatedBatch;

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
    batch: &ValidatedBatch,
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
    batch: &ValidatedBatch,
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
    batch: &ValidatedBatch,
    first: &BTreeSet<String>,
    passwords: &[NewPassword],
    now: DateTime<Utc>,
) -> Result<Written, StoreError> {
    let mut writing = Writing::default();
    let ValidatedBatch { companies, vessels, equipment, users, snapshot } = batch;
    if !companies.is_empty() {
        let is_first = |id: &str| first.contains(id);
        let accepted: Vec<_> =
            companies.accepted.iter().filter(|it| is_first(it.record.source_id.as_str())).cloned().collect();
        let applied = companies_apply(tx, sync, &accepted, now).await?;
        let rejected = companies.rejected.iter().filter(|it| is_first(&it.source_id));
        writing.add(RecordType::Company, &applied, rejected, 0);
    }
    if !vessels.is_empty() {
        let applied = vessels_apply(tx, sync, &vessels.accepted, now).await?;
        writing.add(RecordType::Vessel, &applied, vessels.rejected.iter(), vessels.superseded);
    }
    if !equipment.is_empty() {
        let applied = equipment_apply(tx, sync, &equipment.accepted, snapshot.as_ref(), now).await?;
        writing.add(RecordType::Equipment, &applied, equipment.rejected.iter(), equipment.superseded);
        writing.add_identical(RecordType::Equipment, equipment.identical.len());
    }
    if !users.is_empty() {
        let applied = users_apply(tx, sync, &users.accepted, passwords, now).await?;
        writing.add(RecordType::User, &applied, users.rejected.iter(), users.superseded);
    }
    findings_insert(tx, sync, &writing.findings, now).await?;
    Ok(writing.written)
}

/// Counts outcomes, and gathers why records were rejected. Warnings, and what only the database can find, the store
/// keeps by itself.
#[derive(Default)]
struct Writing {
    written: Written,
    findings: Vec<RecordFinding>,
}

impl Writing {
    /// Records that came byte for byte as before.
    fn add_identical(&mut self, record_type: RecordType, records: usize) {
        let counts = self.written.counts.entry(record_type).or_default();
        counts.count_many(Outcome::Unchanged, records as u64);
    }

    fn add<'a>(
        &mut self,
        record_type: RecordType,
        applied: &[AppliedRecord],
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

/// Adds committed outcomes to the metrics.
pub(crate) fn count_outcomes(counts: &BTreeMap<RecordType, RecordCounts>) {
    for (record_type, counts) in counts {
        for outcome in Outcome::ALL {
            metrics::counter!("sms_sync_records_total", "entity" => record_type.as_str(), "outcome" => outcome.as_str())
                .increment(counts.of(*outcome));
        }
    }
}
