//! What operators do to syncs that have ended: go on where one stopped, and try again what failed.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, Scope, SyncId, SyncState, TaskId, TaskState};
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    ledger::{
        audit::audit_append,
        syncs::{NewSync, StoredSync, SyncCreated, full_sync_beside, sync_create, sync_lock},
        tasks::task_lock,
    },
};

/// What became of going on with a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SyncResumed {
    /// It goes on with so many tasks; they are unpublished.
    Resumed {
        /// Tasks that were open, stopped or given up.
        tasks: u64,
    },
    /// It had not begun, and waits to begin again: its command is unpublished.
    Queued,
    /// It is in this state, and there is nothing to go on with.
    NotStopped(SyncState),
    /// It is a full sync, and this one has not ended yet.
    FullSyncRunning(SyncId),
    /// There is no such sync.
    Unknown,
}

/// What became of trying again what failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SyncRetried {
    /// There was something.
    Retried {
        /// Tasks that were given up and are open again, in the sync itself; they are unpublished.
        tasks: u64,
        /// Records that were rejected and are looked at again by `sync`.
        records: u64,
        /// The new sync; its command is unpublished.
        sync: Option<SyncId>,
    },
    /// Nothing of it failed.
    NothingFailed,
    /// It is at work.
    Active(SyncState),
    /// It is a full sync with tasks to open again, and this one has not ended yet.
    FullSyncRunning(SyncId),
    /// There is no such sync.
    Unknown,
}

/// Goes on with a sync that failed, was cancelled or ended with a hole, from where it stopped: what is done stays done, and
/// every other task of it is open again. In a transaction, with the audit.
///
/// # Errors
///
/// If the database fails.
pub async fn sync_resume(
    db: &mut Db,
    id: SyncId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<SyncResumed, StoreError> {
    let Some(sync) = sync_lock(db, id).await? else { return Ok(SyncResumed::Unknown) };
    if !sync.state.is_terminal() || sync.state == SyncState::Completed {
        return Ok(SyncResumed::NotStopped(sync.state));
    }
    if let Some(other) = full_sync_beside(db, &sync).await? {
        return Ok(SyncResumed::FullSyncRunning(other));
    }
    if sync.running_at.is_none() {
        statement(
            "UPDATE sync_logs SET state = 'queued', completed_at = NULL, failure = NULL, cancelled_by = NULL,
                 published_at = NULL, heartbeat_at = $2 WHERE id = $1",
        )
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
        audit_append(db, actor, "sync.resume", &id.to_string(), &json!({ "tasks": 0 }), now).await?;
        return Ok(SyncResumed::Queued);
    }
    let tasks = tasks_reopen(db, &sync, &["pending", "retrying", "cancelled", "dead"], actor, now).await?;
    if tasks == 0 {
        return Ok(SyncResumed::NotStopped(sync.state));
    }
    audit_append(db, actor, "sync.resume", &id.to_string(), &json!({ "tasks": tasks }), now).await?;
    Ok(SyncResumed::Resumed { tasks })
}

/// Tries again what failed in a sync that has ended, and only that: its tasks that were given up are open again, in the sync
/// itself, which so gets its hole filled; and the records that it rejected are looked at by a new sync that names it. In a
/// transaction, with the audit. `retry` says who asks for the new sync, and why; its scope is made here.
///
/// # Errors
///
/// If the database fails.
pub async fn sync_retry(
    db: &mut Db,
    id: SyncId,
    retry: &NewSync,
    now: DateTime<Utc>,
) -> Result<SyncRetried, StoreError> {
    let Some(sync) = sync_lock(db, id).await? else { return Ok(SyncRetried::Unknown) };
    if !sync.state.is_terminal() {
        return Ok(SyncRetried::Active(sync.state));
    }
    let rejected = rejected_records(db, id).await?;
    let dead: i64 = statement("SELECT count(*) FROM sync_queue WHERE sync_id = $1 AND state = 'dead'")
        .bind::<Uuid, _>(id.as_uuid())
        .returning::<Int8>()
        .get_result(db)
        .await?;
    // A cancelled sync is left as it is until somebody resumes it.
    let reopen = dead > 0 && sync.state != SyncState::Cancelled;
    if reopen && let Some(other) = full_sync_beside(db, &sync).await? {
        return Ok(SyncRetried::FullSyncRunning(other));
    }
    let tasks = if reopen { tasks_reopen(db, &sync, &["dead"], &retry.requested_by, now).await? } else { 0 };
    let records: usize = rejected.source_ids.values().map(Vec::len).sum();
    let mut created = None;
    if records > 0 {
        let retry = NewSync { scope: rejected, retry_of: Some(id), dry_run: sync.dry_run, ..retry.clone() };
        if sync_create(db, &retry, now).await? == SyncCreated::Created {
            created = Some(retry.id);
        }
    }
    if tasks == 0 && created.is_none() {
        return Ok(SyncRetried::NothingFailed);
    }
    let records = records as u64;
    let detail = json!({ "tasks": tasks, "records": records, "retry": created, "reason": retry.reason });
    audit_append(db, &retry.requested_by, "sync.retry", &id.to_string(), &detail, now).await?;
    Ok(SyncRetried::Retried { tasks, records, sync: created })
}

/// The records that a sync rejected, by their ids. A company comes with its vessels, which were rejected with it. What came
/// without an id cannot be asked for.
async fn rejected_records(db: &mut Db, id: SyncId) -> Result<Scope, StoreError> {
    let rows: Vec<(String, String)> = statement(
        "SELECT DISTINCT record_type, source_id FROM findings
         WHERE sync_id = $1 AND severity = 'error' AND record_type <> 'company' AND source_id <> '' ORDER BY 1, 2",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .returning::<(Text, Text)>()
    .load(db)
    .await?;
    let mut scope = Scope::default();
    for (record_type, source_id) in rows {
        // What is no id could not stand in a list of ids.
        if source_id.parse::<domain::SourceId>().is_ok() {
            let record_type: RecordType = word("findings", "record_type", id, &record_type)?;
            scope.source_ids.entry(record_type).or_default().push(source_id);
        }
    }
    Ok(scope)
}

/// Opens tasks of a sync again, and the sync with them. A task whose dead letter waits goes out as the replay of that one,
/// so that the letter learns what became of it.
async fn tasks_reopen(
    db: &mut Db,
    sync: &StoredSync,
    states: &[&str],
    actor: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let opened: Vec<uuid::Uuid> = statement(
        "UPDATE sync_queue SET state = 'pending', completed_at = NULL, updated_at = $3, published_at = NULL
         WHERE sync_id = $1 AND state = ANY($2) RETURNING id",
    )
    .bind::<Uuid, _>(sync.id.as_uuid())
    .bind::<Array<Text>, _>(states)
    .bind::<Timestamptz, _>(now)
    .returning::<Uuid>()
    .load(db)
    .await?;
    if opened.is_empty() {
        return Ok(0);
    }
    statement(
        "UPDATE sync_logs SET state = 'running', completed_at = NULL, failure = NULL, cancelled_by = NULL,
             heartbeat_at = $2 WHERE id = $1",
    )
    .bind::<Uuid, _>(sync.id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    let ids: Vec<String> = opened.iter().map(|id| TaskId::from_uuid(*id).to_string()).collect();
    // The newest letter of each: those before it are its ancestors.
    let replayed: Vec<String> = statement(
        "UPDATE dead_letters SET state = 'replaying', replays = replays + 1, replayed_by = $2, replayed_at = $3,
             published_at = NULL
         WHERE id IN (SELECT DISTINCT ON (message_id) id FROM dead_letters
                      WHERE message_id = ANY($1) AND queue = 'sync.tasks' ORDER BY message_id, archived_at DESC)
             AND state IN ('dead', 'replayed')
         RETURNING message_id",
    )
    .bind::<Array<Text>, _>(ids)
    .bind::<Text, _>(actor)
    .bind::<Timestamptz, _>(now)
    .returning::<Text>()
    .load(db)
    .await?;
    let replayed: Vec<uuid::Uuid> =
        replayed.iter().filter_map(|id| id.parse::<TaskId>().ok()).map(TaskId::as_uuid).collect();
    if !replayed.is_empty() {
        // Published as a replay: not a second time as a task.
        statement("UPDATE sync_queue SET published_at = $2 WHERE id = ANY($1)")
            .bind::<Array<Uuid>, _>(replayed)
            .bind::<Timestamptz, _>(now)
            .execute(db)
            .await?;
    }
    Ok(opened.len() as u64)
}

/// What became of the opening of a dead task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TaskReopened {
    /// It and its sync are open again.
    Reopened,
    /// It is in this state, and needs no opening.
    NotDead(TaskState),
    /// Its sync is a full sync, and another one is running: try again when that has ended.
    FullSyncRunning,
    /// There is no such task.
    Unknown,
}

/// Opens a dead task again, and its sync with it. For a replay, in a transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn task_reopen(db: &mut Db, id: TaskId, now: DateTime<Utc>) -> Result<TaskReopened, StoreError> {
    let Some(task) = task_lock(db, id).await? else { return Ok(TaskReopened::Unknown) };
    if task.state != TaskState::Dead {
        return Ok(TaskReopened::NotDead(task.state));
    }
    // Not by the violation of the index: that would fail the caller's transaction.
    let (state, blocked): (String, bool) = statement(
        "SELECT r.state, r.mode = 'full' AND NOT r.dry_run AND EXISTS
             (SELECT FROM sync_logs o WHERE o.mode = 'full' AND NOT o.dry_run AND o.id <> r.id AND o.state IN ('queued', 'running', 'retrying'))
         FROM sync_logs r WHERE r.id = $1 FOR NO KEY UPDATE",
    )
    .bind::<Uuid, _>(task.sync_id.as_uuid())
    .returning::<(Text, Bool)>()
    .get_result(db)
    .await?;
    if word::<SyncState>("sync_logs", "state", task.sync_id, &state)? == SyncState::Cancelled {
        return Ok(TaskReopened::NotDead(TaskState::Cancelled));
    }
    if blocked {
        return Ok(TaskReopened::FullSyncRunning);
    }
    statement(
        "UPDATE sync_logs SET state = 'running', completed_at = NULL, failure = NULL, heartbeat_at = $2,
             running_at = coalesce(running_at, $2) WHERE id = $1",
    )
    .bind::<Uuid, _>(task.sync_id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    statement("UPDATE sync_queue SET state = 'pending', completed_at = NULL, updated_at = $2 WHERE id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(TaskReopened::Reopened)
}
