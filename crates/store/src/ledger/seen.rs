//! Ids that a sync has seen: rows of `sync_seen`, one per page, until the sync ends.
//!
//! Two questions need the ids. A full sync asks which records are here and are not listed any more (see
//! [`crate::engine::reconcile`]). And every sync asks which records it read twice: a record that changes while its list is
//! read comes once more, at the end of the list. A record that is newer than the provider's first look at the list is
//! *late*.

use std::collections::BTreeSet;

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, SyncId};

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// Notes the ids of a page, `late_ids` among them, in the transaction that ends its task.
pub async fn seen_note(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    source_ids: &[String],
    late_ids: &[String],
) -> Result<(), StoreError> {
    statement("INSERT INTO sync_seen (sync_id, record_type, source_ids, late_ids) VALUES ($1, $2, $3, $4)")
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Array<Text>, _>(source_ids)
        .bind::<Array<Text>, _>(late_ids)
        .execute(db)
        .await?;
    Ok(())
}

/// Notes companies, and returns those that the sync sees for the first time: only those are counted. In the transaction
/// that writes them.
pub async fn companies_seen_first(
    db: &mut Db,
    sync_id: SyncId,
    source_ids: &[String],
) -> Result<BTreeSet<String>, StoreError> {
    let sorted: BTreeSet<&String> = source_ids.iter().collect();
    let first: Vec<String> = statement(
        "INSERT INTO sync_companies_seen (sync_id, source_id) SELECT $1, unnest($2) ON CONFLICT DO NOTHING
         RETURNING source_id",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Array<Text>, _>(sorted.into_iter().collect::<Vec<_>>())
    .returning::<Text>()
    .load(db)
    .await?;
    Ok(first.into_iter().collect())
}

/// Notes in the tally of a sync how many of its late records it had read before they changed. Companies count once and
/// never come again.
pub(crate) async fn again_note(db: &mut Db, sync_id: SyncId) -> Result<(), StoreError> {
    statement(
        // One grouping and no join of ids: one pass, whatever numbers of rows the planner estimates.
        "WITH ids AS (
             SELECT record_type, unnest(source_ids) AS id, false AS late FROM sync_seen WHERE sync_id = $1
             UNION ALL SELECT record_type, unnest(late_ids), true FROM sync_seen WHERE sync_id = $1
         ), each AS (
             SELECT record_type, count(*) FILTER (WHERE NOT late) AS seen, count(*) FILTER (WHERE late) AS late FROM ids
             GROUP BY record_type, id HAVING count(*) FILTER (WHERE late) > 0
         ), again AS (SELECT record_type, sum(least(late, seen - 1)) AS again FROM each GROUP BY record_type)
         UPDATE sync_counts c SET again = a.again FROM again a WHERE c.sync_id = $1 AND c.record_type = a.record_type",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the ids that a sync has seen: it has ended without a hole, and nothing asks for them any more.
pub(crate) async fn seen_forget(db: &mut Db, sync_id: SyncId) -> Result<(), StoreError> {
    statement("DELETE FROM sync_seen WHERE sync_id = $1")
        .bind::<Uuid, _>(sync_id.as_uuid())
        .execute(db)
        .await?;
    Ok(())
}
