//! The closing log line of a sync and its metrics, the same wherever the sync ends: in a worker, by the reaper, or by an operator.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{SyncId, SyncState, TaskState};

use crate::{
    Store, StoreError,
    db::{connection::Db, error::word, statement::statement},
};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Text)]
    mode: String,
    #[diesel(sql_type = Bool)]
    dry_run: bool,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Text)]
    requested_by: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    completed_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    cancelled_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    failure: Option<String>,
    #[diesel(sql_type = Int8)]
    read: i64,
    #[diesel(sql_type = Int8)]
    rejected: i64,
    #[diesel(sql_type = Int8)]
    dead_tasks: i64,
}

/// Logs and counts the end of a sync. After the commit that has ended it, by whoever has committed.
pub async fn sync_end_report(store: &Store, id: SyncId) {
    let logged = async { row_report(&mut *store.db().await?, id).await };
    if let Err(error) = logged.await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            sync.id = %id,
            "a sync has ended, and how could not be read"
        );
    }
}

async fn row_report(db: &mut Db, id: SyncId) -> Result<(), StoreError> {
    let text = format!(
        "SELECT cause, mode, dry_run, state, requested_by, started_at, completed_at, cancelled_by, failure,
             (SELECT coalesce(sum(read), 0)::bigint FROM sync_counts WHERE sync_id = $1) AS read,
             (SELECT coalesce(sum(rejected), 0)::bigint FROM sync_counts WHERE sync_id = $1) AS rejected,
             (SELECT count(*) FROM sync_queue WHERE sync_id = $1 AND state = '{}') AS dead_tasks
         FROM sync_logs WHERE id = $1 AND completed_at IS NOT NULL",
        TaskState::Dead
    );
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    // None: it was opened again already, and will end once more.
    let Some(row) = rows.into_iter().next() else { return Ok(()) };
    if !row.dry_run {
        let Row { cause, mode, state, .. } = &row;
        metrics::counter!("sms_syncs_total", "cause" => cause.clone(), "mode" => mode.clone(), "state" => state.clone())
            .increment(1);
        let took = (row.completed_at - row.started_at).as_seconds_f64().max(0.0);
        metrics::histogram!("sms_sync_duration_seconds", "mode" => mode.clone()).record(took);
    }
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                sync.id = %id,
                sync.cause = row.cause,
                sync.mode = row.mode,
                sync.dry_run = row.dry_run,
                sync.state = row.state,
                sync.requested_by = row.requested_by,
                sync.cancelled_by = row.cancelled_by,
                sync.duration_ms = (row.completed_at - row.started_at).num_milliseconds(),
                records.read = row.read,
                records.rejected = row.rejected,
                tasks.dead = row.dead_tasks,
                failure.reason = row.failure,
                "a sync has ended"
            )
        };
    }
    match word("sync_logs", "state", id, &row.state)? {
        SyncState::Failed => log!(error),
        SyncState::CompletedWithErrors => log!(warn),
        _ => log!(info),
    }
    Ok(())
}
