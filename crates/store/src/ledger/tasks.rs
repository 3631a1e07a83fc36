//! Tasks: rows of `sync_queue`, each a page of one of the provider's lists.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{PageRequest, RecordType, SyncId, TaskId, TaskState};
use serde_json::Value;

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    page::{Page, Window, count_of, page_load},
    statement::{statement, word_list},
};

/// A task to be recorded and published.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    /// Also the AMQP message id.
    pub id: TaskId,
    pub sync_id: SyncId,
    pub request: PageRequest,
    /// W3C trace context, a JSON object.
    pub trace_context: Value,
}

/// Result of handing on the next page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum NextPageRecorded {
    /// The task of the page is recorded, and to be published.
    New,
    /// The list had been handed on before: published, or found by the relay.
    Already,
    SyncEnded,
    /// Earlier pages of the chain have led to this cursor, twice: paging would never end.
    Loop,
}

/// A page that the provider shows twice does no harm; a provider that shows it a third time goes in a circle.
const PAGES_OF_A_CURSOR_LIMIT: i64 = 2;

/// How many tasks of the chain, up to this page, were made for this cursor.
async fn pages_of_cursor(db: &mut Db, next: &NewTask) -> Result<i64, StoreError> {
    statement(
        "SELECT count(*) FROM sync_queue WHERE sync_id = $1 AND record_type = $2 AND chain = $3 AND page < $4
             AND page_request ->> 'cursor' = $5",
    )
    .bind::<Uuid, _>(next.sync_id.as_uuid())
    .bind::<Text, _>(next.request.record_type.as_str())
    .bind::<Int4, _>(i32::try_from(next.request.chain).unwrap_or(i32::MAX))
    .bind::<Int4, _>(i32::try_from(next.request.number).unwrap_or(i32::MAX))
    .bind::<Nullable<Text>, _>(next.request.query.cursor.as_deref())
    .returning::<BigInt>()
    .get_result(db)
    .await
    .map_err(StoreError::from)
}

/// A task as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub id: TaskId,
    pub sync_id: SyncId,
    pub request: PageRequest,
    /// An open task of a sync that has ended counts as cancelled.
    pub state: TaskState,
    /// How many attempts have failed.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_failure: Option<String>,
    /// Whether the next page was recorded.
    pub handed_on: bool,
    pub created_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
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
    page_request: Value,
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

/// The states of open tasks, as an SQL list.
pub(crate) fn open_states() -> String {
    word_list(TaskState::OPEN.map(TaskState::as_str))
}

/// The state of a task `t` of a sync `s`: an open task of a sync that has ended counts as cancelled.
pub(crate) fn effective_state() -> String {
    format!(
        "CASE WHEN t.state IN {} AND s.completed_at IS NOT NULL THEN '{}' ELSE t.state END",
        open_states(),
        TaskState::Cancelled
    )
}

/// Selects rows as [`Row`] reads them.
fn select_tasks(condition: &str) -> String {
    format!(
        "SELECT t.id, t.sync_id, t.record_type, t.chain, t.page, t.page_request, {} AS state, t.attempts,
             t.last_failure, t.handed_on, t.created_at, t.completed_at
         FROM sync_queue t JOIN sync_logs s ON s.id = t.sync_id WHERE {condition}",
        effective_state()
    )
}

/// The page request of a row, which has columns of its own for the place in the list.
pub(crate) fn page_request(
    id: uuid::Uuid,
    record_type: &str,
    chain: i32,
    page: i32,
    query: Value,
) -> Result<PageRequest, StoreError> {
    Ok(PageRequest {
        record_type: word("sync_queue", "record_type", id, record_type)?,
        chain: chain.unsigned_abs(),
        number: page.unsigned_abs(),
        query: serde_json::from_value(query).map_err(|source| StoreError::Contradiction {
            table: "sync_queue",
            column: "page_request",
            id: id.to_string(),
            source: source.into(),
        })?,
    })
}

impl TryFrom<Row> for Task {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: TaskId::from_uuid(row.id),
            sync_id: SyncId::from_uuid(row.sync_id),
            request: page_request(row.id, &row.record_type, row.chain, row.page, row.page_request)?,
            state: word("sync_queue", "state", row.id, &row.state)?,
            attempts: row.attempts.unsigned_abs(),
            last_failure: row.last_failure,
            handed_on: row.handed_on,
            created_at: row.created_at,
            completed_at: row.completed_at,
        })
    }
}

pub async fn task_find(db: &mut Db, id: TaskId) -> Result<Option<Task>, StoreError> {
    let text = select_tasks("t.id = $1");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().next().map(Task::try_from).transpose()
}

/// A task, locked until the transaction ends: a second delivery of it waits, and then sees its new state.
pub async fn task_lock(db: &mut Db, id: TaskId) -> Result<Option<Task>, StoreError> {
    statement("SELECT id FROM sync_queue WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Uuid, _>(id.as_uuid())
        .execute(db)
        .await?;
    task_find(db, id).await
}

/// The tasks of a sync, in the order of their chains.
pub async fn task_list(db: &mut Db, id: SyncId) -> Result<Vec<Task>, StoreError> {
    let text = select_tasks("t.sync_id = $1 ORDER BY t.created_at, t.record_type, t.chain, t.page");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// Which tasks to list; empty lists do not filter.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    pub states: Vec<TaskState>,
    pub record_types: Vec<RecordType>,
}

/// A page of the tasks of a sync, in the order of the pages.
pub async fn task_page(
    db: &mut Db,
    id: SyncId,
    filter: &TaskFilter,
    window: Window<()>,
) -> Result<Page<Task>, StoreError> {
    let condition = format!(
        "t.sync_id = $1 AND (cardinality($2) = 0 OR {} = ANY($2)) AND (cardinality($3) = 0 OR t.record_type = ANY($3))",
        effective_state()
    );
    let bind = |text| {
        statement(text)
            .bind::<Uuid, _>(id.as_uuid())
            .bind::<Array<Text>, _>(filter.states.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(filter.record_types.iter().map(|it| it.as_str()).collect::<Vec<_>>())
    };
    let rows = select_tasks(&format!(
        "{condition} ORDER BY t.record_type, t.chain, t.page, t.id LIMIT $4 OFFSET $5"
    ));
    let total = count_of(format_args!("sync_queue t JOIN sync_logs s ON s.id = t.sync_id WHERE {condition}"));
    page_load::<Row, _, _>(db, bind(rows.as_str()), bind(total.as_str()), &window).await
}

/// Records a task; false if its page has a task already, or the sync has ended.
pub(crate) async fn task_insert(db: &mut Db, task: &NewTask, now: DateTime<Utc>) -> Result<bool, StoreError> {
    Ok(tasks_insert(db, task.sync_id, std::slice::from_ref(task), now).await? > 0)
}

/// Records tasks of a sync, in one statement: all of them, or none if the sync has ended. Pages that have a task already are left out.
async fn tasks_insert(
    db: &mut Db,
    sync_id: SyncId,
    tasks: &[NewTask],
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    Ok(statement(
        "INSERT INTO sync_queue
             (id, sync_id, record_type, chain, page, page_request, trace_context, state, created_at, updated_at)
         SELECT t.id, s.id, t.record_type, t.chain, t.page, t.page_request, t.trace_context, $8, $9, $9
         FROM sync_logs s, unnest($2, $3, $4, $5, $6, $7) AS t (id, record_type, chain, page, page_request, trace_context)
         WHERE s.id = $1 AND s.completed_at IS NULL
         ON CONFLICT DO NOTHING",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Array<Uuid>, _>(tasks.iter().map(|it| it.id.as_uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(tasks.iter().map(|it| it.request.record_type.as_str()).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(tasks.iter().map(|it| number(it.request.chain)).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(tasks.iter().map(|it| number(it.request.number)).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(tasks.iter().map(|it| &it.request.query).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(tasks.iter().map(|it| &it.trace_context).collect::<Vec<_>>())
    .bind::<Text, _>(TaskState::Pending.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?)
}

/// Hands on the page after `parent`. In a transaction of its own, before `parent` is done.
pub async fn next_page_record(
    db: &mut Db,
    parent: TaskId,
    next: &NewTask,
    now: DateTime<Utc>,
) -> Result<NextPageRecorded, StoreError> {
    if pages_of_cursor(db, next).await? >= PAGES_OF_A_CURSOR_LIMIT {
        return Ok(NextPageRecorded::Loop);
    }
    if !is_to_be_handed_on(db, parent).await? {
        return Ok(NextPageRecorded::Already);
    }
    if task_insert(db, next, now).await? {
        handed_on_note(db, parent, now).await?;
        return Ok(NextPageRecorded::New);
    }
    Ok(NextPageRecorded::SyncEnded)
}

/// Hands on the rest of `parent`'s list in slices, each the first task of a chain of its own; returns what was recorded: nothing
/// if the list was handed on before, or the sync has ended. In a transaction of its own, before `parent` is done.
pub async fn slices_record(
    db: &mut Db,
    parent: TaskId,
    slices: Vec<NewTask>,
    now: DateTime<Utc>,
) -> Result<Vec<NewTask>, StoreError> {
    let [first, ..] = &slices[..] else { return Ok(slices) };
    let sync_id = first.sync_id;
    // All of them or none: a sync that is cancelled meanwhile can be resumed.
    if !is_to_be_handed_on(db, parent).await? || tasks_insert(db, sync_id, &slices, now).await? == 0 {
        return Ok(Vec::new());
    }
    handed_on_note(db, parent, now).await?;
    Ok(slices)
}

/// Locks a task and says whether nothing was handed on after it. Two deliveries of it may see different pages, or slices: the
/// second waits here, and leaves the list as the first has handed it on.
async fn is_to_be_handed_on(db: &mut Db, id: TaskId) -> Result<bool, StoreError> {
    let open: Vec<bool> = statement("SELECT NOT handed_on FROM sync_queue WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Uuid, _>(id.as_uuid())
        .returning::<Bool>()
        .load(db)
        .await?;
    Ok(open.into_iter().next().unwrap_or_default())
}

async fn handed_on_note(db: &mut Db, id: TaskId, now: DateTime<Utc>) -> Result<(), StoreError> {
    statement("UPDATE sync_queue SET handed_on = true, updated_at = $2 WHERE id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(())
}

/// Ends an open task; its sync, or none if the task is not open. A task that is done has handed on its next page, or has
/// none; one that is dead has failed once more.
pub(crate) async fn task_end(
    db: &mut Db,
    id: TaskId,
    state: TaskState,
    failure: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<SyncId>, StoreError> {
    let text = format!(
        "UPDATE sync_queue SET state = $2, last_failure = coalesce($3, last_failure), completed_at = $4, updated_at = $4,
             handed_on = handed_on OR $5, attempts = attempts + CASE WHEN $6 THEN 1 ELSE 0 END
         WHERE id = $1 AND state IN {} RETURNING sync_id",
        open_states()
    );
    let ended: Vec<uuid::Uuid> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(state.as_str())
        .bind::<Nullable<Text>, _>(failure)
        .bind::<Timestamptz, _>(now)
        .bind::<Bool, _>(state == TaskState::Done)
        .bind::<Bool, _>(state == TaskState::Dead)
        .returning::<Uuid>()
        .load(db)
        .await?;
    Ok(ended.into_iter().next().map(SyncId::from_uuid))
}

/// Cancels the open tasks of a sync, without those that a worker has locked: the worker finds the sync ended and rolls
/// back, and [`tasks_of_ended_syncs_cancel`] cancels them later.
pub(crate) async fn open_tasks_cancel(db: &mut Db, id: SyncId, now: DateTime<Utc>) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE sync_queue SET state = $3, completed_at = $2, updated_at = $2
         WHERE id IN (SELECT id FROM sync_queue WHERE sync_id = $1 AND state IN {} FOR UPDATE SKIP LOCKED)",
        open_states()
    );
    statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(TaskState::Cancelled.as_str())
        .execute(db)
        .await?;
    Ok(())
}

/// Cancels the tasks that are still open of syncs that have ended; returns how many.
pub async fn tasks_of_ended_syncs_cancel(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let text = format!(
        "UPDATE sync_queue SET state = $2, completed_at = $1, updated_at = $1
         WHERE id IN (SELECT t.id FROM sync_queue t JOIN sync_logs s ON s.id = t.sync_id
                      WHERE t.state IN {} AND s.completed_at IS NOT NULL FOR UPDATE OF t SKIP LOCKED)",
        open_states()
    );
    Ok(statement(&text)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(TaskState::Cancelled.as_str())
        .execute(db)
        .await?)
}
