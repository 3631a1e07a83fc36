//! Lifecycle of a sync: its start, and its end before its work is done (failed, cancelled). The end of a sync whose
//! work is done is in `settle.rs`.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Mode, Phase, RecordType, Severity, SyncId, SyncState, TaskState, finding::FUTURE_TOLERANCE};
use serde_json::Value;

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        statement::{statement, word_list},
    },
    engine::{phases::phase_open_from, settle::sync_settle},
    ledger::{
        syncs::{is_undone, scope_value, sync_find},
        tallies::{tallies_open, tallies_read},
        tasks::{NewTask, open_tasks_cancel},
    },
};

/// Result of starting a sync.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum SyncStarted {
    /// The tasks of its first phase, to be published after the commit.
    Started(Vec<NewTask>),
    /// It ended at once: there was nothing to fetch.
    Ended(SyncState),
    /// It was started before.
    Already(SyncState),
    /// It ended in this state before it was started, and only an operator who resumes it starts it.
    Stopped(SyncState),
    /// It was undone.
    Undone,
    /// There is no such sync.
    Unknown,
}

/// Result of cancelling a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SyncCancelled {
    /// It is cancelled, and so are its open tasks.
    Cancelled,
    /// It had ended before.
    Ended(SyncState),
    /// There is no such sync.
    Unknown,
}

/// States in which a sync that never ran can be started. Failed: its command failed before the start.
const STARTABLE: [SyncState; 2] = [SyncState::Queued, SyncState::Failed];

/// Starts a sync: finds where an incremental one begins, and opens the first phase. In a transaction.
pub async fn sync_start(db: &mut Db, id: SyncId, now: DateTime<Utc>) -> Result<SyncStarted, StoreError> {
    let text = format!(
        "UPDATE sync_logs SET state = '{running}', running_at = $2, heartbeat_at = $2, completed_at = NULL,
             failure = NULL
         WHERE id = $1 AND state IN {startable} AND running_at IS NULL
             AND NOT EXISTS (SELECT FROM undos u WHERE u.sync_id = $1) RETURNING scope",
        running = SyncState::Running,
        startable = word_list(STARTABLE.map(SyncState::as_str)),
    );
    let started: Vec<Value> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .returning::<Jsonb>()
        .load(db)
        .await?;
    if started.is_empty() {
        return Ok(match sync_find(db, id).await? {
            None => SyncStarted::Unknown,
            Some(_) if is_undone(db, id).await? => SyncStarted::Undone,
            Some(sync) if sync.running_at.is_none() => SyncStarted::Stopped(sync.state),
            Some(sync) => SyncStarted::Already(sync.state),
        });
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
    tallies_open(db, id, sync.scope.tallied_types()).await?;
    let tasks = phase_open_from(db, &sync, Some(Phase::One), now).await?;
    if tasks.is_empty() {
        Ok(SyncStarted::Ended(sync_settle(db, id, &[], None, now).await?))
    } else {
        Ok(SyncStarted::Started(tasks))
    }
}

/// Where an incremental sync begins: at the last sync that read everything there was to read, less the overlap. Without
/// such a sync it begins at nothing, and reads everything.
///
/// The last one by our clock: the provider's may have jumped. A provider's time that lies further ahead of the sync's
/// beginning than clocks may differ is not believed, nor is one that is late because the first page was: the sync's own
/// beginning is earlier.
///
/// Such a sync was of the whole fleet, full or incremental, and ended without a hole: no task is dead, and it read as
/// many records as the provider announced (see [`domain::Tally::is_whole`]). Of an incremental one each announced record was read
/// as it was announced: where one had changed before, or a new one came, that may stand in the numbers for one that never
/// came, and only the next sync from the same base would ask for it. Companies come with their vessels, also with those that are
/// rejected: that such a company counts as late says nothing. Records that it rejected were read, and are looked at by their ids
/// until they are mended (see [`crate::engine::second_look`]).
async fn incremental_base(db: &mut Db) -> Result<Option<DateTime<Utc>>, StoreError> {
    let text = format!(
        "SELECT CASE WHEN r.as_of <= r.running_at + make_interval(secs => $1) THEN r.as_of ELSE r.running_at END
             - make_interval(secs => (SELECT incremental_overlap_seconds FROM settings))
         FROM sync_logs r
         WHERE r.mode IN {fleet_modes} AND NOT r.dry_run AND jsonb_exists(r.scope, 'recordTypes') IS FALSE
             AND r.state IN {whole_states}
             AND NOT EXISTS (SELECT FROM sync_queue t WHERE t.sync_id = r.id AND t.state <> '{done}'
                             AND NOT jsonb_exists(t.page_request, 'secondLook'))
             AND NOT EXISTS (SELECT FROM sync_counts c WHERE c.sync_id = r.id
                             AND (c.expected NOT BETWEEN c.read - c.late AND c.read - c.again OR c.doubled > 0
                                  OR r.mode = '{incremental}' AND c.record_type <> '{company}' AND c.expected <> c.read - c.late))
             AND NOT EXISTS (SELECT FROM findings f WHERE f.sync_id = r.id AND f.source_id = '' AND f.severity = '{error}')
         ORDER BY r.running_at DESC LIMIT 1",
        error = Severity::Error,
        company = RecordType::Company,
        incremental = Mode::Incremental,
        fleet_modes = word_list([Mode::Full, Mode::Incremental].map(Mode::as_str)),
        whole_states =
            word_list([SyncState::Completed, SyncState::CompletedWithErrors].map(SyncState::as_str)),
        done = TaskState::Done,
    );
    let tolerance = FUTURE_TOLERANCE.as_seconds_f64();
    let bases: Vec<DateTime<Utc>> =
        statement(&text).bind::<Float8, _>(tolerance).returning::<Timestamptz>().load(db).await?;
    Ok(bases.into_iter().next())
}

/// Ends a sync by its tally. For a sync without tasks, which its caller has begun by
/// [`sync_begin`](crate::ledger::syncs::sync_begin) and worked off.
pub async fn sync_finish(db: &mut Db, id: SyncId, now: DateTime<Utc>) -> Result<SyncState, StoreError> {
    let tallies = tallies_read(db, &[id]).await?.remove(&id).unwrap_or_default();
    sync_settle(db, id, &tallies, None, now).await
}

/// Fails a sync and cancels its open tasks. False if it had ended before.
pub async fn sync_fail(
    db: &mut Db,
    id: SyncId,
    failure: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let text = format!(
        "UPDATE sync_logs SET state = '{failed}', failure = $2, completed_at = $3, heartbeat_at = $3
         WHERE id = $1 AND state IN {earlier}",
        failed = SyncState::Failed,
        earlier = word_list(SyncState::Failed.sources().map(SyncState::as_str)),
    );
    let failed = statement(&text)
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

/// Cancels a sync and its open tasks, and appends to the audit log. A task that a worker is writing at that moment is
/// rolled back. In a transaction.
pub async fn sync_cancel(
    db: &mut Db,
    id: SyncId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<SyncCancelled, StoreError> {
    let text = format!(
        "UPDATE sync_logs SET state = '{cancelled}', cancelled_by = $2, completed_at = $3, heartbeat_at = $3
         WHERE id = $1 AND state IN {earlier}",
        cancelled = SyncState::Cancelled,
        earlier = word_list(SyncState::Cancelled.sources().map(SyncState::as_str)),
    );
    let cancelled = statement(&text)
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
        domain::audit::AuditAction::SyncCancel,
        &id.to_string(),
        &serde_json::json!({}),
        now,
    )
    .await?;
    Ok(SyncCancelled::Cancelled)
}
