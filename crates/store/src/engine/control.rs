//! Control of ended syncs: resuming one where it stopped, retrying what failed, reopening a dead task.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Mode, RecordType, Scope, Severity, SyncId, SyncState, TaskId, TaskState, audit::AuditAction,
    dead_letter::DeadLetterState,
};
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::{statement, word_list},
    },
    ledger::{
        audit::audit_append,
        syncs::{NewSync, StoredSync, SyncCreated, full_sync_beside, is_undone, sync_create, sync_lock},
        tasks::task_lock,
    },
    records::vessel_of_each_company,
};

/// Result of resuming a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SyncResumed {
    /// These tasks, which were not done, are open again and unpublished.
    Resumed { tasks: u64 },
    /// It never ran and is queued again: its command is unpublished.
    Queued,
    /// There is nothing to resume in this state.
    NotStopped(SyncState),
    /// It is a full sync, and this other one is active.
    FullSyncRunning(SyncId),
    /// It was undone: what it wrote from now on could never be undone again.
    Undone,
    /// There is no such sync.
    Unknown,
}

/// Result of retrying what failed in a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SyncRetried {
    Retried {
        /// Dead tasks of the sync that are open again and unpublished.
        tasks: u64,
        /// Rejected records that the new sync fetches again.
        records: u64,
        /// The new sync, whose command is unpublished.
        sync: Option<SyncId>,
    },
    NothingFailed,
    /// It has not ended.
    Active(SyncState),
    /// It is a full sync with tasks to reopen, and this other one is active.
    FullSyncRunning(SyncId),
    /// It was undone, and its failures with it.
    Undone,
    /// There is no such sync.
    Unknown,
}

const NOT_DONE: [TaskState; 4] =
    [TaskState::Pending, TaskState::Retrying, TaskState::Cancelled, TaskState::Dead];

/// Resumes a sync that failed, was cancelled or ended with dead tasks: every task of it that is not done is open again.
/// Appends to the audit log. In a transaction.
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
    if is_undone(db, id).await? {
        return Ok(SyncResumed::Undone);
    }
    if let Some(other) = full_sync_beside(db, &sync).await? {
        return Ok(SyncResumed::FullSyncRunning(other));
    }
    if sync.running_at.is_none() {
        statement(
            "UPDATE sync_logs SET state = $3, completed_at = NULL, failure = NULL, cancelled_by = NULL,
                 published_at = NULL, heartbeat_at = $2 WHERE id = $1",
        )
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(SyncState::Queued.as_str())
        .execute(db)
        .await?;
        audit_append(db, actor, AuditAction::SyncResume, &id.to_string(), &json!({ "tasks": 0 }), now)
            .await?;
        return Ok(SyncResumed::Queued);
    }
    let tasks = tasks_reopen(db, &sync, &NOT_DONE, actor, now).await?;
    if tasks == 0 {
        return Ok(SyncResumed::NotStopped(sync.state));
    }
    audit_append(db, actor, AuditAction::SyncResume, &id.to_string(), &json!({ "tasks": tasks }), now)
        .await?;
    Ok(SyncResumed::Resumed { tasks })
}

/// Retries only what failed in an ended sync: its dead tasks are open again, in the sync itself, and the records that
/// it rejected are fetched by a new sync that names it. `retry` holds who asks for the new sync and why; its scope is
/// made here. Appends to the audit log. In a transaction.
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
    if is_undone(db, id).await? {
        return Ok(SyncRetried::Undone);
    }
    let rejected = rejected_records(db, id).await?;
    let dead: i64 = statement("SELECT count(*) FROM sync_queue WHERE sync_id = $1 AND state = $2")
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(TaskState::Dead.as_str())
        .returning::<Int8>()
        .get_result(db)
        .await?;
    // A cancelled sync stays cancelled until it is resumed.
    let reopen = dead > 0 && sync.state != SyncState::Cancelled;
    if reopen && let Some(other) = full_sync_beside(db, &sync).await? {
        return Ok(SyncRetried::FullSyncRunning(other));
    }
    let tasks =
        if reopen { tasks_reopen(db, &sync, &[TaskState::Dead], &retry.requested_by, now).await? } else { 0 };
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
    audit_append(db, &retry.requested_by, AuditAction::SyncRetry, &id.to_string(), &detail, now).await?;
    Ok(SyncRetried::Retried { tasks, records, sync: created })
}

/// The scope of the records that a sync rejected. A company is fetched with one of its vessels; those of one that has no row
/// were rejected themselves. A record without an id cannot be fetched alone.
async fn rejected_records(db: &mut Db, id: SyncId) -> Result<Scope, StoreError> {
    let rows: Vec<(String, String)> = statement(
        "SELECT DISTINCT record_type, source_id FROM findings
         WHERE sync_id = $1 AND severity = $2 AND source_id <> '' ORDER BY 1, 2",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(Severity::Error.as_str())
    .returning::<(Text, Text)>()
    .load(db)
    .await?;
    let mut scope = Scope::default();
    for (record_type, source_id) in rows {
        // A rejected record may have an id that no list of ids could hold.
        if source_id.parse::<domain::SourceId>().is_ok() {
            let record_type: RecordType = word("findings", "record_type", id, &record_type)?;
            scope.source_ids.entry(record_type).or_default().push(source_id);
        }
    }
    if let Some(companies) = scope.source_ids.remove(&RecordType::Company) {
        let of_companies = vessel_of_each_company(db, &companies).await?;
        if !of_companies.is_empty() {
            let vessels = scope.source_ids.entry(RecordType::Vessel).or_default();
            vessels.extend(of_companies);
            vessels.sort();
            vessels.dedup();
        }
    }
    Ok(scope)
}

/// Reopens the tasks of a sync that are in one of these states, and the sync with them. A task with a waiting dead
/// letter is published as a replay of that letter, so that the letter gets its result.
async fn tasks_reopen(
    db: &mut Db,
    sync: &StoredSync,
    states: &[TaskState],
    actor: &str,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let opened: Vec<uuid::Uuid> = statement(
        "UPDATE sync_queue SET state = $4, completed_at = NULL, updated_at = $3, published_at = NULL
         WHERE sync_id = $1 AND state = ANY($2) RETURNING id",
    )
    .bind::<Uuid, _>(sync.id.as_uuid())
    .bind::<Array<Text>, _>(states.iter().map(|state| state.as_str()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(TaskState::Pending.as_str())
    .returning::<Uuid>()
    .load(db)
    .await?;
    if opened.is_empty() {
        return Ok(0);
    }
    statement(
        "UPDATE sync_logs SET state = $3, completed_at = NULL, failure = NULL, cancelled_by = NULL,
             heartbeat_at = $2 WHERE id = $1",
    )
    .bind::<Uuid, _>(sync.id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(SyncState::Running.as_str())
    .execute(db)
    .await?;
    let replayed = dead_letters_replay(db, &opened, actor, now).await?;
    if !replayed.is_empty() {
        // Published as replays, and not as tasks a second time.
        statement("UPDATE sync_queue SET published_at = $2 WHERE id = ANY($1)")
            .bind::<Array<Uuid>, _>(replayed)
            .bind::<Timestamptz, _>(now)
            .execute(db)
            .await?;
    }
    Ok(opened.len() as u64)
}

/// Replays the newest dead letter of each task: earlier ones are its ancestors. Returns the tasks that have one.
async fn dead_letters_replay(
    db: &mut Db,
    tasks: &[uuid::Uuid],
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Vec<uuid::Uuid>, StoreError> {
    let message_ids: Vec<String> = tasks.iter().map(|id| TaskId::from_uuid(*id).to_string()).collect();
    let text = format!(
        "UPDATE dead_letters SET state = '{replaying}', replays = replays + 1, replayed_by = $2, replayed_at = $3,
             published_at = NULL
         WHERE id IN (SELECT DISTINCT ON (message_id) id FROM dead_letters
                      WHERE message_id = ANY($1) AND queue = 'sync.tasks' ORDER BY message_id, archived_at DESC)
             AND state IN {replayable}
         RETURNING message_id",
        replaying = DeadLetterState::Replaying.as_str(),
        replayable = word_list([DeadLetterState::Dead, DeadLetterState::Replayed].map(DeadLetterState::as_str)),
    );
    let replayed: Vec<String> = statement(&text)
        .bind::<Array<Text>, _>(message_ids)
        .bind::<Text, _>(actor)
        .bind::<Timestamptz, _>(now)
        .returning::<Text>()
        .load(db)
        .await?;
    Ok(replayed.iter().filter_map(|id| id.parse::<TaskId>().ok()).map(TaskId::as_uuid).collect())
}

/// Result of reopening a dead task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TaskReopened {
    /// The task and its sync are open again.
    Reopened,
    /// The task is not dead but in this state.
    NotDead(TaskState),
    /// Its sync was cancelled, and stays so until an operator resumes it.
    SyncCancelled,
    /// Its sync was undone.
    SyncUndone,
    /// Its sync is a full sync, and another one is active: the task can be reopened when that has ended.
    FullSyncRunning,
    /// There is no such task.
    Unknown,
}

/// Reopens a dead task, and its sync with it, for a replay. In a transaction.
pub async fn task_reopen(db: &mut Db, id: TaskId, now: DateTime<Utc>) -> Result<TaskReopened, StoreError> {
    let Some(task) = task_lock(db, id).await? else { return Ok(TaskReopened::Unknown) };
    if task.state != TaskState::Dead {
        return Ok(TaskReopened::NotDead(task.state));
    }
    // Asked for, because a violation of the index over active full syncs would fail the caller's transaction.
    let text = format!(
        "SELECT r.state, r.mode = '{full}' AND NOT r.dry_run AND EXISTS
             (SELECT FROM sync_logs o
              WHERE o.mode = '{full}' AND NOT o.dry_run AND o.id <> r.id AND o.state IN {active})
         FROM sync_logs r WHERE r.id = $1 FOR NO KEY UPDATE",
        full = Mode::Full,
        active = word_list(SyncState::ACTIVE.iter().map(|state| state.as_str())),
    );
    let (state, blocked): (String, bool) = statement(&text)
        .bind::<Uuid, _>(task.sync_id.as_uuid())
        .returning::<(Text, Bool)>()
        .get_result(db)
        .await?;
    if is_undone(db, task.sync_id).await? {
        return Ok(TaskReopened::SyncUndone);
    }
    if word::<SyncState>("sync_logs", "state", task.sync_id, &state)? == SyncState::Cancelled {
        return Ok(TaskReopened::SyncCancelled);
    }
    if blocked {
        return Ok(TaskReopened::FullSyncRunning);
    }
    statement(
        "UPDATE sync_logs SET state = $3, completed_at = NULL, failure = NULL, heartbeat_at = $2,
             running_at = coalesce(running_at, $2) WHERE id = $1",
    )
    .bind::<Uuid, _>(task.sync_id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(SyncState::Running.as_str())
    .execute(db)
    .await?;
    statement("UPDATE sync_queue SET state = $3, completed_at = NULL, updated_at = $2 WHERE id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(TaskState::Pending.as_str())
        .execute(db)
        .await?;
    Ok(TaskReopened::Reopened)
}
