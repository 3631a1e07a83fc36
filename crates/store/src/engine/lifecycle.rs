//! How a sync begins, and how somebody ends it before its work is done.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Mode, Phase, SyncId, SyncState};
use serde_json::Value;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    engine::{phases::phase_open_from, settle::sync_settle},
    ledger::{
        syncs::{scope_value, sync_find},
        tasks::{NewTask, open_tasks_cancel},
    },
};

/// What became of the start of a sync.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum SyncStarted {
    /// Its first phase is open; these tasks are committed with it and to be published.
    Started(Vec<NewTask>),
    /// It ended at once: nothing was to be fetched.
    Ended(SyncState),
    /// It had been started, or has ended: nothing to do.
    Already(SyncState),
    /// There is no such sync.
    Unknown,
}

/// What became of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SyncCancelled {
    /// It is cancelled, with its open tasks.
    Cancelled,
    /// It had ended before.
    Ended(SyncState),
    /// There is no such sync.
    Unknown,
}

/// Starts a queued sync (or one whose start had failed before it did anything): decides where an incremental one begins,
/// and opens the first phase. In a transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn sync_start(db: &mut Db, id: SyncId, now: DateTime<Utc>) -> Result<SyncStarted, StoreError> {
    let started: Vec<Value> = statement(
        "UPDATE sync_logs SET state = 'running', running_at = $2, heartbeat_at = $2, completed_at = NULL, failure = NULL
         WHERE id = $1 AND state IN ('queued', 'failed') AND running_at IS NULL RETURNING scope",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .returning::<Jsonb>()
    .load(db)
    .await?;
    if started.is_empty() {
        return Ok(sync_find(db, id)
            .await?
            .map_or(SyncStarted::Unknown, |sync| SyncStarted::Already(sync.state)));
    }
    let mut sync = sync_find(db, id).await?.expect("this transaction holds the row");
    if sync.mode == Mode::Incremental && sync.scope.updated_since.is_none() {
        sync.scope.updated_since = incremental_base(db).await?;
        statement("UPDATE sync_logs SET scope = $2 WHERE id = $1")
            .bind::<Uuid, _>(id.as_uuid())
            .bind::<Jsonb, _>(scope_value(&sync.scope))
            .execute(db)
            .await?;
    }
    let tasks = phase_open_from(db, &sync, Some(Phase::One), now).await?;
    if tasks.is_empty() {
        Ok(SyncStarted::Ended(sync_settle(db, id, None, now).await?))
    } else {
        Ok(SyncStarted::Started(tasks))
    }
}

/// Where an incremental sync begins: at the last sync that looked at all there was to look at, less the overlap. None
/// if there was no such sync: then it looks at everything.
///
/// Such a sync is one of the whole fleet, full or incremental, that ended without a hole: no task was given up, and
/// everything that the provider announced was read (see [`domain::Tally::is_whole`]). What it rejected was looked at, and stays visible as its findings.
async fn incremental_base(db: &mut Db) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(statement(
        "SELECT max(coalesce(r.as_of, r.running_at)) - make_interval(secs =>
             (SELECT incremental_overlap_seconds FROM settings))
         FROM sync_logs r
         WHERE r.mode IN ('full', 'incremental') AND NOT r.dry_run AND jsonb_exists(r.scope, 'recordTypes') IS FALSE
             AND r.state IN ('completed', 'completed_with_errors')
             AND NOT EXISTS (SELECT FROM sync_queue t WHERE t.sync_id = r.id AND t.state <> 'done')
             AND NOT EXISTS (SELECT FROM sync_counts c WHERE c.sync_id = r.id
                             AND c.expected NOT BETWEEN c.read - c.late AND c.read - c.again)",
    )
    .returning::<Nullable<Timestamptz>>()
    .get_result(db)
    .await?)
}

/// Ends a sync that the caller did itself, by its tally: see [`sync_begin`].
///
/// # Errors
///
/// If the database fails.
pub async fn sync_finish(db: &mut Db, id: SyncId, now: DateTime<Utc>) -> Result<SyncState, StoreError> {
    sync_settle(db, id, None, now).await
}

/// Ends a sync that cannot go on, with its open tasks. False if it has ended before.
///
/// # Errors
///
/// If the database fails.
pub async fn sync_fail(
    db: &mut Db,
    id: SyncId,
    failure: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let failed = statement(
        "UPDATE sync_logs SET state = 'failed', failure = $2, completed_at = $3, heartbeat_at = $3
         WHERE id = $1 AND state IN ('queued', 'running', 'retrying')",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(failure)
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    if failed > 0 {
        open_tasks_cancel(db, id, now).await?;
    }
    Ok(failed > 0)
}

/// Cancels a sync and its open tasks, and writes the audit. What a worker has at hand is not committed any more. In a
/// transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn sync_cancel(
    db: &mut Db,
    id: SyncId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<SyncCancelled, StoreError> {
    let cancelled = statement(
        "UPDATE sync_logs SET state = 'cancelled', cancelled_by = $2, completed_at = $3, heartbeat_at = $3
         WHERE id = $1 AND state IN ('queued', 'running', 'retrying')",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(actor)
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    if cancelled == 0 {
        return Ok(sync_find(db, id)
            .await?
            .map_or(SyncCancelled::Unknown, |sync| SyncCancelled::Ended(sync.state)));
    }
    open_tasks_cancel(db, id, now).await?;
    crate::ledger::audit::audit_append(
        db,
        actor,
        "sync.cancel",
        &id.to_string(),
        &serde_json::json!({}),
        now,
    )
    .await?;
    Ok(SyncCancelled::Cancelled)
}
