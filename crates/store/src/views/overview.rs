//! Counts for the overview of an operator.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, SyncId, TaskState};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        statement::statement,
    },
    ledger::tasks::effective_state,
};

/// Active records of each type.
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
pub async fn webhook_last_at(db: &mut Db) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(statement("SELECT max(received_at) FROM webhook_events")
        .returning::<Nullable<Timestamptz>>()
        .get_result(db)
        .await?)
}

/// The tasks of a sync by state. Open tasks of a sync that has ended count as cancelled.
pub async fn task_counts(db: &mut Db, id: SyncId) -> Result<Vec<(TaskState, u64)>, StoreError> {
    let text = format!(
        "SELECT {} AS state, count(*)
         FROM sync_queue t JOIN sync_logs s ON s.id = t.sync_id WHERE t.sync_id = $1 GROUP BY 1",
        effective_state()
    );
    let rows: Vec<(String, i64)> =
        statement(&text).bind::<Uuid, _>(id.as_uuid()).returning::<(Text, Int8)>().load(db).await?;
    rows.into_iter().map(|(state, n)| Ok((word("sync_queue", "state", id, &state)?, count(n)))).collect()
}
