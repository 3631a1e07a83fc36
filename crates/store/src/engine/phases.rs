//! How a run goes on when a task has ended: the next phase, or the end. All here is done in the transaction that ends
//! the task, under a lock on the run, so that exactly one task is the last of its phase.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Phase, RecordType, Scope, Slice, SyncId, SyncState, TaskId,
    run::{final_state, is_whole},
};
use serde_json::Value;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count},
        statement::statement,
    },
    engine::reconcile::reconcile,
    ledger::{
        seen::{again_note, seen_forget},
        syncs::{Run, run_find},
        tallies::run_counts,
        tasks::{NewTask, task_insert},
    },
    records::vessels_of_company,
    settings::sync_settings::settings_read,
};

/// The first page of a list: what its message is made of.
#[derive(Debug)]
pub struct FirstPageOf<'a> {
    /// The new task.
    pub task_id: TaskId,
    /// Its run.
    pub sync_id: SyncId,
    /// The list.
    pub record_type: RecordType,
    /// What the run is to look at.
    pub scope: &'a Scope,
    /// The part of the list that is fetched in this chain.
    pub slice: &'a Slice,
    /// Which of the chains of the list it is, from 0.
    pub chain: u32,
    /// Records per page, by the settings.
    pub page_size: u32,
}

/// Makes the message (the SyncTask as ProtoJSON) of the first page of a list.
pub type FirstPage<'a> = dyn Fn(&FirstPageOf<'_>) -> Value + Send + Sync + 'a;

/// How the run stands after a task has ended.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum PhaseEnd {
    /// Other tasks of the phase are open.
    StillRunning,
    /// It was the last of its phase; these are the first tasks of the next, to be published after the commit.
    PhaseOpened(Vec<NewTask>),
    /// It was the last of all.
    RunEnded(SyncState),
    /// The task was not open any more, or its run has ended: roll back, nothing of this may be committed.
    TaskNotOpen,
}

/// Locks a run against others that settle it. `FOR NO KEY UPDATE` leaves rows that refer to it alone.
pub(crate) async fn run_lock(db: &mut Db, id: SyncId) -> Result<Option<Run>, StoreError> {
    let locked = statement("SELECT id FROM sync_logs WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Uuid, _>(id.as_uuid())
        .execute(db)
        .await?;
    // A second statement, so that it sees what was committed while we waited.
    if locked == 0 { Ok(None) } else { run_find(db, id).await }
}

/// Opens the first phase at or after `from` that has anything to fetch; no tasks: none has.
pub(crate) async fn phase_open_from(
    db: &mut Db,
    run: &Run,
    from: Option<Phase>,
    first_page: &FirstPage<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<NewTask>, StoreError> {
    let mut from = from;
    while let Some((phase, lists)) = from.and_then(|from| Phase::first_with_work(from, &run.scope)) {
        let opened = phase_open(db, run, phase, &lists, first_page, now).await?;
        if !opened.is_empty() {
            return Ok(opened);
        }
        from = phase.next();
    }
    Ok(Vec::new())
}

async fn phase_open(
    db: &mut Db,
    run: &Run,
    phase: Phase,
    lists: &[RecordType],
    first_page: &FirstPage<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<NewTask>, StoreError> {
    statement("UPDATE sync_logs SET phase = $2, heartbeat_at = $3 WHERE id = $1")
        .bind::<Uuid, _>(run.id.as_uuid())
        .bind::<Int2, _>(phase.number())
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    // Companies come with vessels: in the second phase those of the company are known.
    let of_company = match &run.scope.company_id {
        Some(company) if phase > Phase::One => vessels_of_company(db, run.id, company).await?,
        _ => Vec::new(),
    };
    let page_size = settings_read(db).await?.page_size;
    let mut opened = Vec::new();
    for record_type in lists {
        for (chain, slice) in (0..).zip(run.scope.slices(*record_type, &of_company)) {
            let id = TaskId::new();
            let (sync_id, record_type, scope) = (run.id, *record_type, &run.scope);
            let of =
                FirstPageOf { task_id: id, sync_id, record_type, scope, slice: &slice, chain, page_size };
            let task = NewTask {
                id,
                sync_id,
                record_type,
                chain,
                page: 0,
                message: first_page(&of),
                trace_context: run.trace_context.clone(),
            };
            if task_insert(db, &task, now).await? {
                opened.push(task);
            }
        }
    }
    Ok(opened)
}

/// After a task of the run has ended, in the same transaction.
pub(crate) async fn phase_settle(
    db: &mut Db,
    id: SyncId,
    first_page: &FirstPage<'_>,
    now: DateTime<Utc>,
) -> Result<PhaseEnd, StoreError> {
    let Some(run) = run_lock(db, id).await? else { return Ok(PhaseEnd::TaskNotOpen) };
    if run.state.is_terminal() {
        return Ok(PhaseEnd::TaskNotOpen);
    }
    let (pending, retrying, dead): (i64, i64, i64) = statement(
        "SELECT count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'retrying'),
                count(*) FILTER (WHERE state = 'dead')
         FROM sync_queue WHERE sync_id = $1 AND state IN ('pending', 'retrying', 'dead')",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .returning::<(Int8, Int8, Int8)>()
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
    // A phase with a dead task has a hole, and what comes next refers to what it should have brought: the run ends here
    // until the dead task is replayed, and goes on from there.
    let next = run.phase.and_then(Phase::next).filter(|_| dead == 0);
    let opened = phase_open_from(db, &run, next, first_page, now).await?;
    if !opened.is_empty() {
        return Ok(PhaseEnd::PhaseOpened(opened));
    }
    let question = if dead == 0 { reconcile(db, &run, now).await? } else { None };
    let state = run_settle(db, id, question, now).await?;
    if dead == 0 {
        seen_forget(db, id).await?;
    }
    Ok(PhaseEnd::RunEnded(state))
}

/// Ends a run by its account, and by what an operator is asked. In a transaction; a run that has ended keeps its state.
pub(crate) async fn run_settle(
    db: &mut Db,
    id: SyncId,
    question: Option<String>,
    now: DateTime<Utc>,
) -> Result<SyncState, StoreError> {
    let mut accounts = run_counts(db, &[id]).await?.remove(&id).unwrap_or_default();
    if accounts.iter().any(|it| it.late > 0) {
        again_note(db, id).await?;
        accounts = run_counts(db, &[id]).await?.remove(&id).unwrap_or_default();
    }
    let (dead, last): (i64, Option<String>) =
        statement("SELECT count(*), max(last_failure) FROM sync_queue WHERE sync_id = $1 AND state = 'dead'")
            .bind::<Uuid, _>(id.as_uuid())
            .returning::<(Int8, Nullable<Text>)>()
            .get_result(db)
            .await?;
    let unbalanced = accounts.iter().find(|it| {
        it.expected.is_some_and(|expected| !is_whole(expected, it.counts.read(), it.late, it.again))
    });
    let rejected: u64 = accounts.iter().map(|it| it.counts.rejected).sum();
    let read: u64 = accounts.iter().map(|it| it.counts.read()).sum();
    let state = final_state(count(dead), unbalanced.is_none(), rejected > 0 || question.is_some(), read > 0);
    let why = if dead > 0 {
        let tasks = if dead == 1 { "1 task was" } else { &format!("{dead} tasks were") };
        Some(format!("{tasks} given up: {}", last.as_deref().unwrap_or("no reason is known")))
    } else if let Some(it) = unbalanced {
        let (what, expected, read) =
            (it.record_type.plural(), it.expected.unwrap_or_default(), it.counts.read());
        Some(format!("the provider announced {expected} {what}, and {read} were read"))
    } else {
        question.or_else(|| match rejected {
            0 => None,
            1 => Some("1 record was rejected".to_owned()),
            rejected => Some(format!("{rejected} records were rejected")),
        })
    };
    let ended: Vec<String> = statement(
        "UPDATE sync_logs SET state = $2, failure = $3, completed_at = $4, heartbeat_at = $4
         WHERE id = $1 AND completed_at IS NULL RETURNING state",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(state.as_str())
    .bind::<Nullable<Text>, _>(why)
    .bind::<Timestamptz, _>(now)
    .returning::<Text>()
    .load(db)
    .await?;
    if ended.is_empty() {
        let run = run_find(db, id).await?;
        return run.map(|run| run.state).ok_or(StoreError::Statement(diesel::result::Error::NotFound));
    }
    Ok(state)
}
