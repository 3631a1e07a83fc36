//! Tallies of syncs: rows of `sync_counts`, one per record type. What was read is always the sum of the outcomes.

use std::collections::BTreeMap;

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordCounts, RecordType, SyncId, Tally};

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    statement::statement,
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
    /// Outcomes of the records read.
    pub counts: RecordCounts,
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

/// Adds to the tally of a sync, in the transaction that ends the task, and so once.
pub async fn tallies_add(db: &mut Db, id: SyncId, changes: &TallyChanges) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let column = |value: fn(&TallyChange) -> u64| -> Vec<i64> {
        changes.values().map(|it| number(value(it))).collect()
    };
    // In one statement and in the order of the types, so that two tasks of a sync lock the rows alike.
    statement(
        "INSERT INTO sync_counts AS c
             (sync_id, record_type, expected, late, created, updated, unchanged, conflict, rejected, skipped, read)
         SELECT $1, i.* FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) AS i
             (record_type, expected, late, created, updated, unchanged, conflict, rejected, skipped, read)
         ORDER BY i.record_type
         ON CONFLICT (sync_id, record_type) DO UPDATE SET
             expected = CASE WHEN excluded.expected IS NULL THEN c.expected
                             ELSE coalesce(c.expected, 0) + excluded.expected END,
             late = c.late + excluded.late,
             created = c.created + excluded.created, updated = c.updated + excluded.updated,
             unchanged = c.unchanged + excluded.unchanged, conflict = c.conflict + excluded.conflict,
             rejected = c.rejected + excluded.rejected, skipped = c.skipped + excluded.skipped,
             read = c.read + excluded.read",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Array<Text>, _>(changes.keys().map(|it| it.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Int8>>, _>(changes.values().map(|it| it.expected.map(number)).collect::<Vec<_>>())
    .bind::<Array<Int8>, _>(column(|it| it.late))
    .bind::<Array<Int8>, _>(column(|it| it.counts.created))
    .bind::<Array<Int8>, _>(column(|it| it.counts.updated))
    .bind::<Array<Int8>, _>(column(|it| it.counts.unchanged))
    .bind::<Array<Int8>, _>(column(|it| it.counts.conflict))
    .bind::<Array<Int8>, _>(column(|it| it.counts.rejected))
    .bind::<Array<Int8>, _>(column(|it| it.counts.skipped))
    .bind::<Array<Int8>, _>(column(|it| it.counts.read()))
    .execute(db)
    .await?;
    Ok(())
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The tallies of syncs, in the order of the record types. A sync without a tally is not in the map.
pub async fn tallies_read(db: &mut Db, ids: &[SyncId]) -> Result<BTreeMap<SyncId, Vec<Tally>>, StoreError> {
    type Counts = (uuid::Uuid, String, Option<i64>, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64);
    let rows: Vec<Counts> = statement(
        "SELECT sync_id, record_type, expected, created, updated, unchanged, conflict, rejected, skipped, missing,
             deactivated, late, again
         FROM sync_counts WHERE sync_id = ANY($1)",
    )
    .bind::<Array<Uuid>, _>(ids.iter().map(|id| id.as_uuid()).collect::<Vec<_>>())
    .returning::<(Uuid, Text, Nullable<Int8>, Int8, Int8, Int8, Int8, Int8, Int8, Int8, Int8, Int8, Int8)>()
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
        });
    }
    for tallies in tallies.values_mut() {
        tallies.sort_by_key(|tally| tally.record_type);
    }
    Ok(tallies)
}
