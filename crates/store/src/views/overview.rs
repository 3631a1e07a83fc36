//! What operators look at and the work itself does not need: lists with offsets, and counts for a glance.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, SyncId, TaskState};

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    statement::statement,
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

/// The tasks of a sync by state. Open tasks of a sync that has ended count as cancelled.
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
