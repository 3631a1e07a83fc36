//! Tasks: rows of `sync_queue`, and the attempts at messages.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{FailureClass, RecordType, SyncId, SyncState, TaskId, TaskState};
use serde_json::Value;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    engine::phases::{FirstPage, PhaseEnd, phase_settle},
    ledger::tallies::{Entries, account_add},
};

/// A task to be done, with its message.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// Its id, and the AMQP message id.
    pub id: TaskId,
    /// Its run.
    pub sync_id: SyncId,
    /// The list it is a page of.
    pub record_type: RecordType,
    /// The chain, of those that bring the list's parts side by side.
    pub chain: u32,
    /// Its place in the chain, from 0.
    pub page: u32,
    /// The SyncTask as ProtoJSON.
    pub message: Value,
    /// W3C trace context.
    pub trace_context: Value,
}

/// What became of the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum HandedOn {
    /// It is recorded, and to be published.
    New,
    /// It had been handed on before, under this id; published or found by the relay.
    Already(TaskId),
    /// The run has ended: there is nothing to hand on.
    RunEnded,
    /// Earlier pages of the chain have led to this cursor, twice: paging would never end.
    Loop,
}

/// A provider that shows a page once more does harm to nobody; one that does so again goes in a circle.
const MOST_PAGES_OF_A_CURSOR: i64 = 2;

/// How many tasks of the chain, up to this page, were made for this cursor.
async fn pages_of_cursor(db: &mut Db, next: &NewTask) -> Result<i64, StoreError> {
    let cursor = next.message.pointer("/page/cursor").and_then(serde_json::Value::as_str);
    statement(
        "SELECT count(*) FROM sync_queue WHERE sync_id = $1 AND record_type = $2 AND chain = $3 AND page < $4
             AND message #>> '{page,cursor}' = $5",
    )
    .bind::<Uuid, _>(next.sync_id.as_uuid())
    .bind::<Text, _>(next.record_type.as_str())
    .bind::<Int4, _>(i32::try_from(next.chain).unwrap_or(i32::MAX))
    .bind::<Int4, _>(i32::try_from(next.page).unwrap_or(i32::MAX))
    .bind::<Nullable<Text>, _>(cursor)
    .returning::<BigInt>()
    .get_result(db)
    .await
    .map_err(StoreError::from)
}

/// A task as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its run.
    pub sync_id: SyncId,
    /// The list it is a page of.
    pub record_type: RecordType,
    /// The chain, of those that bring the list's parts side by side.
    pub chain: u32,
    /// Its place in the chain.
    pub page: u32,
    /// The SyncTask as ProtoJSON.
    pub message: Value,
    /// Where it stands. An open task of a run that has ended counts as cancelled.
    pub state: TaskState,
    /// Attempts that failed.
    pub attempts: u32,
    /// Why the last one did.
    pub last_failure: Option<String>,
    /// Whether the next page was handed on.
    pub handed_on: bool,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// What became of the opening of a dead task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TaskReopened {
    /// It and its run are open again.
    Reopened,
    /// It is in this state, and needs no opening.
    NotDead(TaskState),
    /// Its run is a full sync, and another one is running: try again when that has ended.
    FullSyncRunning,
    /// There is no such task.
    Unknown,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The AMQP message id.
    pub message_id: String,
    /// The run, if it belongs to one.
    pub sync_id: Option<SyncId>,
    /// From 1.
    pub number: u32,
    /// What kind of failure.
    pub class: FailureClass,
    /// Why, for people.
    pub failure: String,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// When the next one is due; none: it went to the dead letters.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Uuid)]
    sync_id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    record_type: String,
    #[diesel(sql_type = Int4)]
    chain: i32,
    #[diesel(sql_type = Int4)]
    page: i32,
    #[diesel(sql_type = Jsonb)]
    message: Value,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Int4)]
    attempts: i32,
    #[diesel(sql_type = Nullable<Text>)]
    last_failure: Option<String>,
    #[diesel(sql_type = Bool)]
    handed_on: bool,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    completed_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "t.id, t.sync_id, t.record_type, t.chain, t.page, t.message,
    CASE WHEN t.state IN ('pending', 'retrying') AND r.completed_at IS NOT NULL THEN 'cancelled' ELSE t.state END AS state,
    t.attempts, t.last_failure, t.handed_on, t.created_at, t.completed_at";

impl TryFrom<Row> for Task {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: TaskId::from_uuid(row.id),
            sync_id: SyncId::from_uuid(row.sync_id),
            record_type: word("sync_queue", "record_type", row.id, &row.record_type)?,
            chain: row.chain.unsigned_abs(),
            page: row.page.unsigned_abs(),
            message: row.message,
            state: word("sync_queue", "state", row.id, &row.state)?,
            attempts: row.attempts.unsigned_abs(),
            last_failure: row.last_failure,
            handed_on: row.handed_on,
            created_at: row.created_at,
            completed_at: row.completed_at,
        })
    }
}

/// A task.
///
/// # Errors
///
/// If the database fails.
pub async fn task_find(db: &mut Db, id: TaskId) -> Result<Option<Task>, StoreError> {
    let text =
        format!("SELECT {COLUMNS} FROM sync_queue t JOIN sync_logs r ON r.id = t.sync_id WHERE t.id = $1");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().next().map(Task::try_from).transpose()
}

/// A task, locked until the transaction ends: whoever gets the same delivery waits, and then sees what became of it.
///
/// # Errors
///
/// If the database fails.
pub async fn task_lock(db: &mut Db, id: TaskId) -> Result<Option<Task>, StoreError> {
    statement("SELECT id FROM sync_queue WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Uuid, _>(id.as_uuid())
        .execute(db)
        .await?;
    task_find(db, id).await
}

/// The tasks of a run, in the order of their chains.
///
/// # Errors
///
/// If the database fails.
pub async fn task_list(db: &mut Db, id: SyncId) -> Result<Vec<Task>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS} FROM sync_queue t JOIN sync_logs r ON r.id = t.sync_id WHERE t.sync_id = $1
         ORDER BY t.created_at, t.record_type, t.chain, t.page"
    );
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// Records a task; false if this page is there, or the run has ended.
pub(crate) async fn task_insert(db: &mut Db, task: &NewTask, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let inserted = statement(
        "INSERT INTO sync_queue
             (id, sync_id, record_type, chain, page, message, trace_context, state, created_at, updated_at)
         SELECT $1, id, $3, $8, $4, $5, $6, 'pending', $7, $7 FROM sync_logs WHERE id = $2 AND completed_at IS NULL
         ON CONFLICT DO NOTHING",
    )
    .bind::<Uuid, _>(task.id.as_uuid())
    .bind::<Uuid, _>(task.sync_id.as_uuid())
    .bind::<Text, _>(task.record_type.as_str())
    .bind::<Int4, _>(i32::try_from(task.page).unwrap_or(i32::MAX))
    .bind::<Jsonb, _>(&task.message)
    .bind::<Jsonb, _>(&task.trace_context)
    .bind::<Timestamptz, _>(now)
    .bind::<Int4, _>(i32::try_from(task.chain).unwrap_or(i32::MAX))
    .execute(db)
    .await?;
    Ok(inserted > 0)
}

/// Hands on the page after `parent`. In a transaction of its own, before `parent` is done.
///
/// # Errors
///
/// If the database fails.
pub async fn task_hand_on(
    db: &mut Db,
    parent: TaskId,
    next: &NewTask,
    now: DateTime<Utc>,
) -> Result<HandedOn, StoreError> {
    if pages_of_cursor(db, next).await? >= MOST_PAGES_OF_A_CURSOR {
        return Ok(HandedOn::Loop);
    }
    let handed_on = if task_insert(db, next, now).await? {
        HandedOn::New
    } else {
        let there: Vec<uuid::Uuid> = statement(
            "SELECT id FROM sync_queue WHERE sync_id = $1 AND record_type = $2 AND page = $3 AND chain = $4",
        )
        .bind::<Uuid, _>(next.sync_id.as_uuid())
        .bind::<Text, _>(next.record_type.as_str())
        .bind::<Int4, _>(i32::try_from(next.page).unwrap_or(i32::MAX))
        .bind::<Int4, _>(i32::try_from(next.chain).unwrap_or(i32::MAX))
        .returning::<Uuid>()
        .load(db)
        .await?;
        there.into_iter().next().map_or(HandedOn::RunEnded, |id| HandedOn::Already(TaskId::from_uuid(id)))
    };
    if handed_on != HandedOn::RunEnded {
        statement("UPDATE sync_queue SET handed_on = true, updated_at = $2 WHERE id = $1 AND NOT handed_on")
            .bind::<Uuid, _>(parent.as_uuid())
            .bind::<Timestamptz, _>(now)
            .execute(db)
            .await?;
    }
    Ok(handed_on)
}

/// Marks a task done, adds to the run's account, and when it was the last of its phase opens the next or
/// ends the run. In the transaction that wrote its records.
///
/// # Errors
///
/// If the database fails.
pub async fn task_complete_in(
    db: &mut Db,
    id: TaskId,
    account: &Entries,
    first_page: &FirstPage<'_>,
    now: DateTime<Utc>,
) -> Result<PhaseEnd, StoreError> {
    let Some(sync_id) = task_end(db, id, TaskState::Done, None, now).await? else {
        return Ok(PhaseEnd::TaskNotOpen);
    };
    account_add(db, sync_id, account).await?;
    phase_settle(db, sync_id, first_page, now).await
}

/// Gives a task up; the run ends when nothing of it is open any more. In a transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn task_dead(
    db: &mut Db,
    id: TaskId,
    failure: &str,
    first_page: &FirstPage<'_>,
    now: DateTime<Utc>,
) -> Result<PhaseEnd, StoreError> {
    let Some(sync_id) = task_end(db, id, TaskState::Dead, Some(failure), now).await? else {
        return Ok(PhaseEnd::TaskNotOpen);
    };
    phase_settle(db, sync_id, first_page, now).await
}

async fn task_end(
    db: &mut Db,
    id: TaskId,
    state: TaskState,
    failure: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<SyncId>, StoreError> {
    let ended: Vec<uuid::Uuid> = statement(
        "UPDATE sync_queue SET state = $2, last_failure = coalesce($3, last_failure), completed_at = $4, updated_at = $4,
             handed_on = handed_on OR $2 = 'done', attempts = attempts + CASE WHEN $2 = 'dead' THEN 1 ELSE 0 END
         WHERE id = $1 AND state IN ('pending', 'retrying') RETURNING sync_id",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(state.as_str())
    .bind::<Nullable<Text>, _>(failure)
    .bind::<Timestamptz, _>(now)
    .returning::<Uuid>()
    .load(db)
    .await?;
    Ok(ended.into_iter().next().map(SyncId::from_uuid))
}

/// Notes that a task waits for its next attempt. False if it is not open any more. In a transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn task_retry(
    db: &mut Db,
    id: TaskId,
    failure: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let retrying: Vec<uuid::Uuid> = statement(
        "UPDATE sync_queue SET state = 'retrying', attempts = attempts + 1, last_failure = $2, updated_at = $3
         WHERE id = $1 AND state IN ('pending', 'retrying') RETURNING sync_id",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(failure)
    .bind::<Timestamptz, _>(now)
    .returning::<Uuid>()
    .load(db)
    .await?;
    let Some(sync_id) = retrying.into_iter().next() else { return Ok(false) };
    // "Its only open tasks wait for a retry."
    statement(
        "UPDATE sync_logs SET heartbeat_at = $2, state = CASE WHEN EXISTS
             (SELECT FROM sync_queue WHERE sync_id = $1 AND state = 'pending') THEN 'running' ELSE 'retrying' END
         WHERE id = $1 AND completed_at IS NULL",
    )
    .bind::<Uuid, _>(sync_id)
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    Ok(true)
}

/// Opens a dead task again, and its run with it. For a replay, in a transaction.
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

/// Appends an attempt that failed.
///
/// # Errors
///
/// If the database fails.
pub async fn attempt_append(db: &mut Db, attempt: &Attempt) -> Result<(), StoreError> {
    statement(
        "INSERT INTO attempts (message_id, sync_id, number, class, failure, began_at, duration_ms, next_attempt_at)
         VALUES ($1, (SELECT id FROM sync_logs WHERE id = $2), $3, $4, $5, $6, $7, $8)",
    )
    .bind::<Text, _>(&attempt.message_id)
    .bind::<Nullable<Uuid>, _>(attempt.sync_id.map(SyncId::as_uuid))
    .bind::<Int4, _>(i32::try_from(attempt.number).unwrap_or(i32::MAX))
    .bind::<Text, _>(attempt.class.as_str())
    .bind::<Text, _>(&attempt.failure)
    .bind::<Timestamptz, _>(attempt.began_at)
    .bind::<Int4, _>(i32::try_from(attempt.duration_ms).unwrap_or(i32::MAX))
    .bind::<Nullable<Timestamptz>, _>(attempt.next_attempt_at)
    .execute(db)
    .await?;
    Ok(())
}

/// The newest failed attempts of a run, newest first.
///
/// # Errors
///
/// If the database fails.
pub async fn attempt_list(db: &mut Db, id: SyncId, limit: u32) -> Result<Vec<Attempt>, StoreError> {
    type Columns = (String, i32, String, String, DateTime<Utc>, i32, Option<DateTime<Utc>>);
    let rows: Vec<Columns> = statement(
        "SELECT message_id, number, class, failure, began_at, duration_ms, next_attempt_at FROM attempts
         WHERE sync_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Int8, _>(i64::from(limit))
    .returning::<(Text, Int4, Text, Text, Timestamptz, Int4, Nullable<Timestamptz>)>()
    .load(db)
    .await?;
    rows.into_iter()
        .map(|(message_id, number, class, failure, began_at, duration_ms, next_attempt_at)| {
            Ok(Attempt {
                class: word("attempts", "class", &message_id, &class)?,
                message_id,
                sync_id: Some(id),
                number: number.unsigned_abs(),
                failure,
                began_at,
                duration_ms: duration_ms.unsigned_abs(),
                next_attempt_at,
            })
        })
        .collect()
}
