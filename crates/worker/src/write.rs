//! Writes a validated batch inside of the one transaction, in the order that its references ask for, and counts outcomes.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Outcome, RecordCounts, RecordType, SyncId};
use store::{
    Db, StoreError,
    ledger::{
        seen::companies_note,
        tallies::{TallyChanges, tally_changes},
    },
    records::{
        AppliedRecord, NewPassword, WriteStamp, companies_apply, counts_of, equipment_apply,
        rejections_apply, users_apply, vessels_apply,
    },
};

use crate::batch::{Sorted, ValidatedBatch};

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) counts: BTreeMap<RecordType, RecordCounts>,
    /// Of every record that was read, by its id.
    pub(crate) outcomes: BTreeMap<RecordType, Vec<(String, Outcome)>>,
}

/// Writes a batch: companies before their vessels, vessels before what is on board.
///
/// The counts of companies are those of the batch; [`companies_note`] makes of them those of the sync, in which a company
/// comes with many vessels.
pub(crate) async fn batch_write(
    tx: &mut Db,
    stamp: WriteStamp,
    batch: &ValidatedBatch,
    passwords: &[NewPassword],
) -> Result<Written, StoreError> {
    let mut written = Written::default();
    let ValidatedBatch { companies, vessels, equipment, users, snapshot } = batch;
    if !companies.is_empty() {
        let applied = companies_apply(tx, stamp, &companies.accepted).await?;
        rejections_apply(tx, stamp, RecordType::Company, &companies.rejected).await?;
        written.add(RecordType::Company, &applied, companies);
    }
    if !vessels.is_empty() {
        let applied = vessels_apply(tx, stamp, &vessels.accepted).await?;
        rejections_apply(tx, stamp, RecordType::Vessel, &vessels.rejected).await?;
        written.add(RecordType::Vessel, &applied, vessels);
    }
    if !equipment.is_empty() {
        let applied = equipment_apply(tx, stamp, &equipment.accepted, snapshot.as_ref()).await?;
        rejections_apply(tx, stamp, RecordType::Equipment, &equipment.rejected).await?;
        written.add(RecordType::Equipment, &applied, equipment);
    }
    if !users.is_empty() {
        let applied = users_apply(tx, stamp, &users.accepted, passwords).await?;
        rejections_apply(tx, stamp, RecordType::User, &users.rejected).await?;
        written.add(RecordType::User, &applied, users);
    }
    Ok(written)
}

/// What a written batch changes in the tally of its sync. A company comes with every vessel, on many pages, and counts
/// once, by its last listed state.
pub(crate) async fn tally_of(
    tx: &mut Db,
    sync: SyncId,
    written: &Written,
    expected: impl IntoIterator<Item = (RecordType, u64)>,
) -> Result<(TallyChanges, BTreeSet<String>), StoreError> {
    let mut changes = tally_changes(&written.counts, expected);
    let mut first = BTreeSet::new();
    if let Some(outcomes) = written.outcomes.get(&RecordType::Company) {
        let noted = companies_note(tx, sync, outcomes).await?;
        let change = changes.entry(RecordType::Company).or_default();
        (change.counts, change.recounted, first) = (noted.counts, noted.recounted, noted.first);
    }
    Ok((changes, first))
}

impl Written {
    /// Counts outcomes. What was found about the records, the store keeps by itself.
    fn add<T>(&mut self, record_type: RecordType, applied: &[AppliedRecord], sorted: &Sorted<T>) {
        let mut counts = counts_of(applied);
        counts.count_many(Outcome::Skipped, sorted.superseded);
        counts.count_many(Outcome::Unchanged, sorted.identical.len() as u64);
        let outcomes = self.outcomes.entry(record_type).or_default();
        outcomes.extend(applied.iter().map(|it| (it.source_id.to_string(), it.outcome)));
        for rejection in &sorted.rejected {
            counts.count(Outcome::Rejected);
            outcomes.push((rejection.source_id.to_string(), Outcome::Rejected));
        }
        *self.counts.entry(record_type).or_default() += counts;
    }
}

/// Adds committed outcomes to the metrics.
pub(crate) fn count_outcomes(counts: &BTreeMap<RecordType, RecordCounts>) {
    for (record_type, counts) in counts {
        for outcome in Outcome::ALL {
            metrics::counter!("sms_sync_records_total", "record_type" => record_type.as_str(), "outcome" => outcome.as_str())
                .increment(counts.of(*outcome));
        }
    }
}
