//! Ends of tasks: the sync goes on, opens its next phase, or ends.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{DeadTasks, Phase, SyncEnd, SyncId, SyncState, Tally, TaskId, TaskState};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count},
        statement::statement,
    },
    engine::{
        phases::phase_open_from,
        reconcile::reconcile,
        second_look::{second_look_open, second_look_settle},
    },
    ledger::{
        seen::seen_forget,
        syncs::{sync_find, sync_lock},
        tallies::{TallyChanges, tallies_add, tallies_at_end},
        tasks::{NewTask, open_states, task_end},
    },
};

/// Slices with dead tasks that a sync's reason names.
const NAMED_SLICES_LIMIT: usize = 3;

/// Marks a task done and adds to the sync's tally. The last task of a phase opens the next phase or ends the sync. In
/// the transaction that wrote the task's records.
pub async fn task_complete(
    db: &mut Db,
    id: TaskId,
    tally: &TallyChanges,
    now: DateTime<Utc>,
) -> Result<PhaseEnd, StoreError> {
    let Some(sync_id) = task_end(db, id, TaskState::Done, None, now).await? else {
        return Ok(PhaseEnd::TaskNotOpen);
    };
    tallies_add(db, sync_id, tally).await?;
    phase_settle(db, sync_id, now).await
}

/// Marks a task dead. The last task of a phase ends the sync. In a transaction.
pub async fn task_dead(
    db: &mut Db,
    id: TaskId,
    failure: &str,
    now: DateTime<Utc>,
) -> Result<PhaseEnd, StoreError> {
    let Some(sync_id) = task_end(db, id, TaskState::Dead, Some(failure), now).await? else {
        return Ok(PhaseEnd::TaskNotOpen);
    };
    phase_settle(db, sync_id, now).await
}

/// Marks a task retrying: it waits for its next attempt. False if it is not open. In a transaction.
pub async fn task_retry(
    db: &mut Db,
    id: TaskId,
    failure: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let text = format!(
        "UPDATE sync_queue SET state = '{retrying}', attempts = attempts + 1, last_failure = $2, updated_at = $3
         WHERE id = $1 AND state IN {open} RETURNING sync_id",
        retrying = TaskState::Retrying,
        open = open_states(),
    );
    let retrying: Vec<uuid::Uuid> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(failure)
        .bind::<Timestamptz, _>(now)
        .returning::<Uuid>()
        .load(db)
        .await?;
    let Some(sync_id) = retrying.into_iter().next() else { return Ok(false) };
    // A sync is retrying while its only open tasks are.
    let text = format!(
        "UPDATE sync_logs SET heartbeat_at = $2, state = CASE WHEN EXISTS
             (SELECT FROM sync_queue WHERE sync_id = $1 AND state = '{pending}') THEN '{running}' ELSE '{retrying}' END
         WHERE id = $1 AND completed_at IS NULL",
        pending = TaskState::Pending,
        running = SyncState::Running,
        retrying = SyncState::Retrying,
    );
    statement(&text).bind::<Uuid, _>(sync_id).bind::<Timestamptz, _>(now).execute(db).await?;
    Ok(true)
}

/// Result of the end of a task for its sync.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum PhaseEnd {
    /// Other tasks of the phase are open.
    StillRunning,
    /// It was the last task of its phase. These are the first tasks of the next, or of the phase's second look, to be
    /// published after the commit.
    PhaseOpened(Vec<NewTask>),
    /// It was the last task of the sync.
    SyncEnded(SyncState),
    /// The task was not open, or its sync has ended: the caller must roll back.
    TaskNotOpen,
}

/// Finds how the sync goes on after a task has ended. In the same transaction.
pub(crate) async fn phase_settle(
    db: &mut Db,
    id: SyncId,
    now: DateTime<Utc>,
) -> Result<PhaseEnd, StoreError> {
    let began = Instant::now();
    let Some(sync) = sync_lock(db, id).await? else { return Ok(PhaseEnd::TaskNotOpen) };
    if sync.state.is_terminal() {
        return Ok(PhaseEnd::TaskNotOpen);
    }
    let text = format!(
        "SELECT count(*) FILTER (WHERE state = '{pending}'), count(*) FILTER (WHERE state = '{retrying}'),
                count(*) FILTER (WHERE state = '{dead}'),
                count(*) FILTER (WHERE state = '{dead}' AND NOT jsonb_exists(page_request, 'secondLook'))
         FROM sync_queue WHERE sync_id = $1 AND state IN ('{pending}', '{retrying}', '{dead}')",
        pending = TaskState::Pending,
        retrying = TaskState::Retrying,
        dead = TaskState::Dead,
    );
    let (pending, retrying, dead, holes): (i64, i64, i64, i64) = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .returning::<(Int8, Int8, Int8, Int8)>()
        .get_result(db)
        .await?;
    if pending + retrying > 0 {
        let state = if pending > 0 { SyncState::Running } else { SyncState::Retrying };
        statement("UPDATE sync_logs SET state = $2, heartbeat_at = $3 WHERE id = $1")
            .bind::<Uuid, _>(id.as_uuid())
            .bind::<Text, _>(state.as_str())
            .bind::<Timestamptz, _>(now)
            .execute(db)
            .await?;
        return Ok(PhaseEnd::StillRunning);
    }
    // A phase with a dead task has a hole, and records of the next phase may refer to records that are missing: the
    // sync ends here, and goes on when the dead task is replayed. A dead task of the second look makes no hole: its records
    // were read, and stay rejected.
    if let Some(phase) = sync.phase.filter(|_| holes == 0) {
        let opened = second_look_open(db, &sync, phase, now).await?;
        if !opened.is_empty() {
            return Ok(PhaseEnd::PhaseOpened(opened));
        }
        second_look_settle(db, &sync).await?;
    }
    let next = sync.phase.and_then(Phase::next).filter(|_| holes == 0);
    let opened = phase_open_from(db, &sync, next, now).await?;
    if !opened.is_empty() {
        return Ok(PhaseEnd::PhaseOpened(opened));
    }
    let question = if dead == 0 { reconcile(db, &sync, now).await? } else { None };
    let tallies = tallies_at_end(db, id).await?;
    // To look for missing records among a million takes seconds, which belong to the sync.
    let now = now + TimeDelta::from_std(began.elapsed()).unwrap_or_default();
    let state = sync_settle(db, id, &tallies, question, now).await?;
    if dead == 0 {
        seen_forget(db, id).await?;
    }
    Ok(PhaseEnd::SyncEnded(state))
}

/// Ends a sync. Its state follows from its tally, its dead tasks and the question to an operator, if there is one. A
/// sync that has ended keeps its state. In a transaction.
pub(crate) async fn sync_settle(
    db: &mut Db,
    id: SyncId,
    tallies: &[Tally],
    question: Option<String>,
    now: DateTime<Utc>,
) -> Result<SyncState, StoreError> {
    let (dead, last_failure, slices): (i64, Option<String>, Vec<String>) = statement(
        "SELECT count(*), max(last_failure),
             coalesce(array_agg(record_type || ', slice ' || (page_request ->> 'slice') ORDER BY record_type, chain)
                          FILTER (WHERE jsonb_exists(page_request, 'slice')), '{}')
         FROM sync_queue WHERE sync_id = $1 AND state = $2",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(TaskState::Dead.as_str())
    .returning::<(Int8, Nullable<Text>, Array<Text>)>()
    .get_result(db)
    .await?;
    let slices = match &slices[..] {
        [] => None,
        named if named.len() <= NAMED_SLICES_LIMIT => Some(named.join("; ")),
        named => Some(format!(
            "{}; and {} more",
            named[..NAMED_SLICES_LIMIT].join("; "),
            named.len() - NAMED_SLICES_LIMIT
        )),
    };
    let dead_tasks =
        DeadTasks { count: count(dead), last_failure: last_failure.as_deref(), slices: slices.as_deref() };
    let SyncEnd { state, reason } = SyncEnd::of(dead_tasks, tallies, question);
    let ended: Vec<String> = statement(
        "UPDATE sync_logs SET state = $2, failure = $3, completed_at = $4, heartbeat_at = $4
         WHERE id = $1 AND completed_at IS NULL RETURNING state",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(state.as_str())
    .bind::<Nullable<Text>, _>(reason)
    .bind::<Timestamptz, _>(now)
    .returning::<Text>()
    .load(db)
    .await?;
    if ended.is_empty() {
        let sync = sync_find(db, id).await?;
        return sync.map(|sync| sync.state).ok_or(StoreError::Statement(diesel::result::Error::NotFound));
    }
    Ok(state)
}
