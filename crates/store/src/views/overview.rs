//! What operators look at and the work itself does not need: lists with offsets, and counts for a glance.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, SyncId, TaskState};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::Page,
        statement::statement,
    },
    ledger::{
        findings::{COLUMNS, Columns, StoredFinding, Types, stored},
        tasks::Attempt,
    },
};

/// Rows of each record type that are not withdrawn.
///
/// # Errors
///
/// If the database fails.
pub async fn fleet_counts(db: &mut Db) -> Result<[(RecordType, u64); 4], StoreError> {
    let (companies, vessels, equipment, users): (i64, i64, i64, i64) = statement(
        "SELECT (SELECT count(*) FROM companies WHERE status = 'active'),
                (SELECT count(*) FROM vessels WHERE status = 'active'),
                (SELECT count(*) FROM equipment WHERE status = 'active'),
                (SELECT count(*) FROM users WHERE status = 'active')",
    )
    .returning::<(Int8, Int8, Int8, Int8)>()
    .get_result(db)
    .await?;
    Ok([
        (RecordType::Company, count(companies)),
        (RecordType::Vessel, count(vessels)),
        (RecordType::Equipment, count(equipment)),
        (RecordType::User, count(users)),
    ])
}

/// When the last webhook was accepted.
///
/// # Errors
///
/// If the database fails.
pub async fn webhook_last_at(db: &mut Db) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(statement("SELECT max(received_at) FROM webhook_events")
        .returning::<Nullable<Timestamptz>>()
        .get_result(db)
        .await?)
}

/// The tasks of a run by state. Open tasks of a run that has ended count as cancelled.
///
/// # Errors
///
/// If the database fails.
pub async fn task_counts(db: &mut Db, id: SyncId) -> Result<Vec<(TaskState, u64)>, StoreError> {
    let rows: Vec<(String, i64)> = statement(
        "SELECT CASE WHEN t.state IN ('pending', 'retrying') AND r.completed_at IS NOT NULL THEN 'cancelled'
                     ELSE t.state END AS state, count(*)
         FROM sync_queue t JOIN sync_logs r ON r.id = t.sync_id WHERE t.sync_id = $1 GROUP BY 1",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .returning::<(Text, Int8)>()
    .load(db)
    .await?;
    rows.into_iter().map(|(state, n)| Ok((word("sync_queue", "state", id, &state)?, count(n)))).collect()
}

/// How many findings a run has.
///
/// # Errors
///
/// If the database fails.
pub async fn finding_count(db: &mut Db, id: SyncId) -> Result<u64, StoreError> {
    let total: i64 = statement("SELECT count(*) FROM findings WHERE sync_id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .returning::<Int8>()
        .get_result(db)
        .await?;
    Ok(count(total))
}

/// Findings of a run in the order they were made, rejections before warnings.
///
/// # Errors
///
/// If the database fails.
pub async fn finding_page(
    db: &mut Db,
    id: SyncId,
    limit: u32,
    offset: u32,
) -> Result<Page<StoredFinding>, StoreError> {
    let text =
        format!("SELECT {COLUMNS} FROM findings WHERE sync_id = $1 ORDER BY severity, id LIMIT $2 OFFSET $3");
    let rows: Vec<Columns> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Int8, _>(i64::from(limit) + 1)
        .bind::<Int8, _>(i64::from(offset))
        .returning::<Types>()
        .load(db)
        .await?;
    let rows = rows.into_iter().map(stored).collect::<Result<_, _>>()?;
    let total = finding_count(db, id).await?;
    Ok(Page::of(rows, limit, i64::try_from(total).unwrap_or(i64::MAX)))
}

/// Failed attempts at a message, newest first.
///
/// # Errors
///
/// If the database fails.
pub async fn attempts_of(db: &mut Db, message_id: &str, limit: u32) -> Result<Vec<Attempt>, StoreError> {
    type Row = (Option<uuid::Uuid>, i32, String, String, DateTime<Utc>, i32, Option<DateTime<Utc>>);
    let rows: Vec<Row> = statement(
        "SELECT sync_id, number, class, failure, began_at, duration_ms, next_attempt_at FROM attempts
         WHERE message_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind::<Text, _>(message_id)
    .bind::<Int8, _>(i64::from(limit))
    .returning::<(Nullable<Uuid>, Int4, Text, Text, Timestamptz, Int4, Nullable<Timestamptz>)>()
    .load(db)
    .await?;
    rows.into_iter()
        .map(|(sync_id, number, class, failure, began_at, duration_ms, next_attempt_at)| {
            Ok(Attempt {
                message_id: message_id.to_owned(),
                sync_id: sync_id.map(SyncId::from_uuid),
                number: number.unsigned_abs(),
                class: word("attempts", "class", message_id, &class)?,
                failure,
                began_at,
                duration_ms: duration_ms.unsigned_abs(),
                next_attempt_at,
            })
        })
        .collect()
}
