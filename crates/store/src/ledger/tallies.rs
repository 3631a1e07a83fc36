//! Tallies of syncs: rows of `sync_counts`, one per record type. What was read is always the sum of the outcomes.

use std::collections::BTreeMap;

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Outcome, RecordCounts, RecordType, SyncId, Tally};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        statement::statement,
    },
    ledger::seen::again_note,
};

/// What a task adds to the tally of its sync, per record type.
pub type TallyChanges = BTreeMap<RecordType, TallyChange>;

/// What a task adds for one record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TallyChange {
    /// How many more records the provider announces; none if it announces nothing.
    pub expected: Option<u64>,
    /// Records read that have changed since the provider announced their number.
    pub late: u64,
    /// Records read that came along with others and that no list has announced: they belong to the announced number, if
    /// there is one.
    pub unannounced: u64,
    /// Outcomes of the records read.
    pub counts: RecordCounts,
    /// Outcomes that were counted before and do not hold any more.
    pub recounted: RecordCounts,
}

/// The changes that outcomes and the provider's announcements make.
#[must_use]
pub fn tally_changes(
    counts: &BTreeMap<RecordType, RecordCounts>,
    expected: impl IntoIterator<Item = (RecordType, u64)>,
) -> TallyChanges {
    let of_counts = |(of, counts): (&RecordType, &RecordCounts)| {
        (*of, TallyChange { counts: *counts, ..TallyChange::default() })
    };
    let mut changes: TallyChanges = counts.iter().map(of_counts).collect();
    for (of, number) in expected {
        changes.entry(of).or_default().expected = Some(number);
    }
    changes
}

/// Adds to the tally of a sync, in the transaction that ends the task, and so once. The types of the changes are reached from
/// then on.
pub async fn tallies_add(db: &mut Db, id: SyncId, changes: &TallyChanges) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    tallies_open(db, id, changes.keys().copied()).await?;
    let outcome = |outcome: Outcome| -> Vec<i64> {
        changes.values().map(|it| number(it.counts.of(outcome)) - number(it.recounted.of(outcome))).collect()
    };
    let read = changes.values().map(|it| number(it.counts.read()) - number(it.recounted.read()));
    // The rows are locked in the order of the types, so that two tasks of a sync lock them alike.
    statement(
        "WITH i AS (
             SELECT * FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS i
                 (record_type, expected, late, created, updated, unchanged, conflict, rejected, skipped, read,
                  unannounced)
         ), locked AS (
             SELECT record_type FROM sync_counts WHERE sync_id = $1 AND record_type = ANY($2)
             ORDER BY record_type FOR NO KEY UPDATE
         )
         UPDATE sync_counts AS c SET
             expected = i.unannounced +
                 CASE WHEN i.expected IS NULL THEN c.expected ELSE coalesce(c.expected, 0) + i.expected END,
             late = c.late + i.late, pages = c.pages + 1,
             created = c.created + i.created, updated = c.updated + i.updated, unchanged = c.unchanged + i.unchanged,
             conflict = c.conflict + i.conflict, rejected = c.rejected + i.rejected, skipped = c.skipped + i.skipped,
             read = c.read + i.read
         FROM i JOIN locked l ON l.record_type = i.record_type
         WHERE c.sync_id = $1 AND c.record_type = i.record_type",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Array<Text>, _>(changes.keys().map(|it| it.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Int8>>, _>(changes.values().map(|it| it.expected.map(number)).collect::<Vec<_>>())
    .bind::<Array<Int8>, _>(changes.values().map(|it| number(it.late)).collect::<Vec<_>>())
    .bind::<Array<Int8>, _>(outcome(Outcome::Created))
    .bind::<Array<Int8>, _>(outcome(Outcome::Updated))
    .bind::<Array<Int8>, _>(outcome(Outcome::Unchanged))
    .bind::<Array<Int8>, _>(outcome(Outcome::Conflict))
    .bind::<Array<Int8>, _>(outcome(Outcome::Rejected))
    .bind::<Array<Int8>, _>(outcome(Outcome::Skipped))
    .bind::<Array<Int8>, _>(read.collect::<Vec<_>>())
    .bind::<Array<Int8>, _>(changes.values().map(|it| number(it.unannounced)).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Opens the tallies of these record types: a type whose tally shows no page was not reached.
pub(crate) async fn tallies_open(
    db: &mut Db,
    id: SyncId,
    record_types: impl Iterator<Item = RecordType>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO sync_counts (sync_id, record_type) SELECT $1, i FROM unnest($2) AS i ORDER BY i
         ON CONFLICT DO NOTHING",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Array<Text>, _>(record_types.map(RecordType::as_str).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// The tallies of a sync whose lists are read, with the records that were read twice.
pub(crate) async fn tallies_at_end(db: &mut Db, id: SyncId) -> Result<Vec<Tally>, StoreError> {
    again_note(db, id).await?;
    Ok(tallies_read(db, &[id]).await?.remove(&id).unwrap_or_default())
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The tallies of syncs, in the order of the record types. A sync without a tally is not in the map.
pub async fn tallies_read(db: &mut Db, ids: &[SyncId]) -> Result<BTreeMap<SyncId, Vec<Tally>>, StoreError> {
    type Counts =
        (uuid::Uuid, String, Option<i64>, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i32);
    let rows: Vec<Counts> = statement(
        "SELECT sync_id, record_type, expected, created, updated, unchanged, conflict, rejected, skipped, missing,
             deactivated, late, again, doubled, pages
         FROM sync_counts WHERE sync_id = ANY($1)",
    )
    .bind::<Array<Uuid>, _>(ids.iter().map(|id| id.as_uuid()).collect::<Vec<_>>())
    .returning::<(Uuid, Text, Nullable<Int8>, Int8, Int8, Int8, Int8, Int8, Int8, Int8, Int8, Int8, Int8, Int8, Int4)>()
    .load(db)
    .await?;
    let mut tallies: BTreeMap<SyncId, Vec<Tally>> = BTreeMap::new();
    for (
        id,
        record_type,
        expected,
        created,
        updated,
        unchanged,
        conflict,
        rejected,
        skipped,
        missing,
        deactivated,
        late,
        again,
        doubled,
        pages,
    ) in rows
    {
        tallies.entry(SyncId::from_uuid(id)).or_default().push(Tally {
            record_type: word("sync_counts", "record_type", id, &record_type)?,
            expected: expected.map(count),
            counts: RecordCounts {
                created: count(created),
                updated: count(updated),
                unchanged: count(unchanged),
                conflict: count(conflict),
                rejected: count(rejected),
                skipped: count(skipped),
            },
            missing: count(missing),
            deactivated: count(deactivated),
            late: count(late),
            again: count(again),
            doubled: count(doubled),
            is_reached: pages > 0,
        });
    }
    for tallies in tallies.values_mut() {
        tallies.sort_by_key(|tally| tally.record_type);
    }
    Ok(tallies)
}
