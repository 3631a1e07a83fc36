//! Syncs: rows of `sync_logs`.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{Cause, Mode, Phase, RecordType, Scope, SyncId, SyncState, missing_records::MissingState};
use serde_json::Value;

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    page::{Page, Window, count_of, page_load},
    statement::{Statement, statement, word_list},
};

/// A sync that is asked for.
#[derive(Debug, Clone)]
pub struct NewSync {
    /// Made by the caller, so that asking twice is asking once.
    pub id: SyncId,
    pub cause: Cause,
    pub mode: Mode,
    pub scope: Scope,
    /// Whether nothing is to be written.
    pub dry_run: bool,
    /// An operator, a schedule, or `webhook`.
    pub requested_by: String,
    /// In the words of the one who asked.
    pub reason: Option<String>,
    /// The sync whose failures this one tries again.
    pub retry_of: Option<SyncId>,
    /// W3C trace context, a JSON object.
    pub trace_context: Value,
}

/// Result of asking for a sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SyncCreated {
    Created,
    /// The same sync had been recorded before.
    Already,
    /// A full sync was asked for, and this one has not ended yet.
    FullSyncRunning(SyncId),
}

/// A sync as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSync {
    pub id: SyncId,
    pub cause: Cause,
    pub mode: Mode,
    pub scope: Scope,
    /// Whether the sync writes no records.
    pub dry_run: bool,
    pub state: SyncState,
    /// The open phase; none before the first.
    pub phase: Option<Phase>,
    pub requested_by: String,
    pub reason: Option<String>,
    /// The sync whose failures this one tries again.
    pub retry_of: Option<SyncId>,
    /// W3C trace context, a JSON object.
    pub trace_context: Value,
    /// When the sync was asked for.
    pub started_at: DateTime<Utc>,
    /// When a worker began the sync.
    pub running_at: Option<DateTime<Utc>>,
    /// When the sync last moved.
    pub heartbeat_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
    pub cancelled_by: Option<String>,
    /// Why the sync did not end green.
    pub failure: Option<String>,
    /// What a sync that does not move waits for.
    pub detail: Option<String>,
    /// Since when the sync is known not to move.
    pub stalled_since: Option<DateTime<Utc>>,
    /// What the sync did with records that were not listed any more.
    pub missing_records: Option<MissingState>,
    /// When the broker confirmed the sync's command.
    pub published_at: Option<DateTime<Utc>>,
}

/// Which syncs to list; empty lists and absent times do not filter.
#[derive(Debug, Clone, Default)]
pub struct SyncFilter {
    pub states: Vec<SyncState>,
    pub causes: Vec<Cause>,
    pub modes: Vec<Mode>,
    pub requested_by: Option<String>,
    /// Asked for at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Asked for before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only dry runs, or only those that write.
    pub dry_run: Option<bool>,
    /// Only those that account for records of one of these types.
    pub record_types: Vec<RecordType>,
    /// Only those whose scope names this vessel, by its id in the onboarding portal.
    pub vessel_id: Option<String>,
    /// Only those whose scope names this company, by its id in the onboarding portal.
    pub company_id: Option<String>,
}

/// The states of syncs that have not ended, as an SQL list.
pub(crate) fn active_states() -> String {
    word_list(SyncState::ACTIVE.iter().map(|state| state.as_str()))
}

/// The condition of the index `sync_logs_one_full_sync`: a full sync that writes and has not ended.
fn is_open_full_sync() -> String {
    format!("mode = '{}' AND NOT dry_run AND state IN {}", Mode::Full, active_states())
}

const COLUMNS: &str = "id, cause, mode, scope, dry_run, state, phase, requested_by, reason, trace_context, \
    started_at, running_at, heartbeat_at, completed_at, cancelled_by, failure, published_at, retry_of, \
    CASE WHEN detail_at > heartbeat_at THEN detail END AS detail, \
    CASE WHEN detail_at > heartbeat_at THEN detail_at END AS stalled_since, missing_records";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Text)]
    mode: String,
    #[diesel(sql_type = Jsonb)]
    scope: Value,
    #[diesel(sql_type = Bool)]
    dry_run: bool,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Int2)]
    phase: i16,
    #[diesel(sql_type = Text)]
    requested_by: String,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Jsonb)]
    trace_context: Value,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    running_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    heartbeat_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    completed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    cancelled_by: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    failure: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    published_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Uuid>)]
    retry_of: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    stalled_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    missing_records: Option<String>,
}

impl TryFrom<Row> for StoredSync {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let scope = serde_json::from_value(row.scope).map_err(|source| StoreError::Contradiction {
            table: "sync_logs",
            column: "scope",
            id: row.id.to_string(),
            source: source.into(),
        })?;
        Ok(Self {
            id: SyncId::from_uuid(row.id),
            cause: word("sync_logs", "cause", row.id, &row.cause)?,
            mode: word("sync_logs", "mode", row.id, &row.mode)?,
            scope,
            dry_run: row.dry_run,
            state: word("sync_logs", "state", row.id, &row.state)?,
            phase: Phase::from_number(row.phase),
            requested_by: row.requested_by,
            reason: row.reason,
            retry_of: row.retry_of.map(SyncId::from_uuid),
            trace_context: row.trace_context,
            started_at: row.started_at,
            running_at: row.running_at,
            heartbeat_at: row.heartbeat_at,
            completed_at: row.completed_at,
            cancelled_by: row.cancelled_by,
            failure: row.failure,
            detail: row.detail,
            stalled_since: row.stalled_since,
            missing_records: row
                .missing_records
                .map(|it| word("sync_logs", "missing_records", row.id, &it))
                .transpose()?,
            published_at: row.published_at,
        })
    }
}

/// Records a sync as queued; its command is unpublished.
pub async fn sync_create(db: &mut Db, sync: &NewSync, now: DateTime<Utc>) -> Result<SyncCreated, StoreError> {
    sync_insert(db, sync, SyncState::Queued, now).await
}

/// Records a sync that the caller does in this transaction: no command is published. To be ended with
/// [`crate::engine::lifecycle::sync_finish`].
pub async fn sync_begin(db: &mut Db, sync: &NewSync, now: DateTime<Utc>) -> Result<SyncCreated, StoreError> {
    sync_insert(db, sync, SyncState::Running, now).await
}

async fn sync_insert(
    db: &mut Db,
    sync: &NewSync,
    state: SyncState,
    now: DateTime<Utc>,
) -> Result<SyncCreated, StoreError> {
    let begun = (state == SyncState::Running).then_some(now);
    let scope = scope_value(&sync.scope);
    // A full sync that ends between the two statements makes room: then the second round creates.
    for _ in 0..3 {
        let inserted = statement(
            "INSERT INTO sync_logs (id, cause, mode, scope, dry_run, state, requested_by, reason, trace_context,
                 started_at, heartbeat_at, running_at, published_at, retry_of)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $11, $12) ON CONFLICT DO NOTHING",
        )
        .bind::<Uuid, _>(sync.id.as_uuid())
        .bind::<Text, _>(sync.cause.as_str())
        .bind::<Text, _>(sync.mode.as_str())
        .bind::<Jsonb, _>(&scope)
        .bind::<Bool, _>(sync.dry_run)
        .bind::<Text, _>(state.as_str())
        .bind::<Text, _>(&sync.requested_by)
        .bind::<Nullable<Text>, _>(sync.reason.as_deref())
        .bind::<Jsonb, _>(&sync.trace_context)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Timestamptz>, _>(begun)
        .bind::<Nullable<Uuid>, _>(sync.retry_of.map(SyncId::as_uuid))
        .execute(db)
        .await?;
        if inserted == 1 {
            return Ok(SyncCreated::Created);
        }
        let text = format!(
            "SELECT id FROM sync_logs WHERE id = $1 OR ({}) ORDER BY id = $1 DESC",
            is_open_full_sync()
        );
        let in_the_way: Vec<uuid::Uuid> =
            statement(&text).bind::<Uuid, _>(sync.id.as_uuid()).returning::<Uuid>().load(db).await?;
        match in_the_way.into_iter().next() {
            Some(id) if id == sync.id.as_uuid() => return Ok(SyncCreated::Already),
            Some(id) => return Ok(SyncCreated::FullSyncRunning(SyncId::from_uuid(id))),
            None => {}
        }
    }
    Err(StoreError::Contended)
}

/// Notes when the provider read what it listed; the earliest time stays.
pub async fn as_of_note(db: &mut Db, id: SyncId, as_of: DateTime<Utc>) -> Result<(), StoreError> {
    statement("UPDATE sync_logs SET as_of = least(as_of, $2) WHERE id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(as_of)
        .execute(db)
        .await?;
    Ok(())
}

pub(crate) fn scope_value(scope: &Scope) -> Value {
    serde_json::to_value(scope).expect("a scope is a struct with text keys")
}

/// Notes a sign of life of a sync.
pub async fn sync_heartbeat(db: &mut Db, id: SyncId, now: DateTime<Utc>) -> Result<(), StoreError> {
    statement("UPDATE sync_logs SET heartbeat_at = greatest(heartbeat_at, $2) WHERE id = $1 AND completed_at IS NULL")
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(())
}

pub async fn sync_find(db: &mut Db, id: SyncId) -> Result<Option<StoredSync>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM sync_logs WHERE id = $1");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().next().map(StoredSync::try_from).transpose()
}

/// Syncs that have not ended, oldest first.
pub async fn syncs_active(db: &mut Db) -> Result<Vec<StoredSync>, StoreError> {
    let text =
        format!("SELECT {COLUMNS} FROM sync_logs WHERE state IN {} ORDER BY started_at, id", active_states());
    let rows: Vec<Row> = statement(&text).load(db).await?;
    rows.into_iter().map(StoredSync::try_from).collect()
}

/// Another full sync that has not ended: two may not run side by side. None for a sync that is in no other's way.
pub(crate) async fn full_sync_beside(db: &mut Db, sync: &StoredSync) -> Result<Option<SyncId>, StoreError> {
    if sync.mode != Mode::Full || sync.dry_run {
        return Ok(None);
    }
    let text = format!("SELECT id FROM sync_logs WHERE id <> $1 AND {}", is_open_full_sync());
    let ids: Vec<uuid::Uuid> =
        statement(&text).bind::<Uuid, _>(sync.id.as_uuid()).returning::<Uuid>().load(db).await?;
    Ok(ids.into_iter().next().map(SyncId::from_uuid))
}

/// Whether a sync was undone. [`crate::engine::undo::sync_undo`] locks the sync before it commits: under the lock of the
/// caller the answer stays true.
pub(crate) async fn is_undone(db: &mut Db, id: SyncId) -> Result<bool, StoreError> {
    Ok(statement("SELECT EXISTS (SELECT FROM undos WHERE sync_id = $1)")
        .bind::<Uuid, _>(id.as_uuid())
        .returning::<Bool>()
        .get_result(db)
        .await?)
}

/// Syncs, newest first.
pub async fn sync_list(
    db: &mut Db,
    filter: &SyncFilter,
    window: Window<(DateTime<Utc>, SyncId)>,
) -> Result<Page<StoredSync>, StoreError> {
    let (direction, beyond) = (window.order.direction(), window.order.beyond());
    let rows = format!(
        "SELECT {COLUMNS} FROM sync_logs WHERE {condition} AND ($11 IS NULL OR (started_at, id) {beyond} ($11, $12))
         ORDER BY started_at {direction}, id {direction} LIMIT $13 OFFSET $14",
        condition = SyncFilter::CONDITION
    );
    let rows = filter
        .bind(&rows)
        .bind::<Nullable<Timestamptz>, _>(window.after.map(|(at, _)| at))
        .bind::<Nullable<Uuid>, _>(window.after.map(|(_, id)| id.as_uuid()));
    let total = count_of(format_args!("sync_logs WHERE {}", SyncFilter::CONDITION));
    page_load::<Row, _, _>(db, rows, filter.bind(&total), &window).await
}

impl SyncFilter {
    const CONDITION: &'static str =
        "(cardinality($1) = 0 OR state = ANY($1)) AND (cardinality($2) = 0 OR cause = ANY($2))
        AND (cardinality($3) = 0 OR mode = ANY($3)) AND ($4 IS NULL OR started_at >= $4)
        AND ($5 IS NULL OR started_at < $5) AND ($6 IS NULL OR dry_run = $6)
        AND ($7 IS NULL OR requested_by = $7)
        AND (cardinality($8) = 0 OR EXISTS (SELECT FROM sync_counts WHERE sync_id = sync_logs.id AND record_type = ANY($8)))
        AND ($9 IS NULL OR scope @> jsonb_build_object('vesselId', $9)
            OR scope @> jsonb_build_object('vesselIds', jsonb_build_array($9))
            OR scope @> jsonb_build_object('sourceIds', jsonb_build_object('vessel', jsonb_build_array($9))))
        AND ($10 IS NULL OR scope @> jsonb_build_object('companyId', $10)
            OR scope @> jsonb_build_object('sourceIds', jsonb_build_object('company', jsonb_build_array($10))))";

    /// A statement with the parameters of the condition, the first ten.
    fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        statement(text)
            .bind::<Array<Text>, _>(self.states.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(self.causes.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(self.modes.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Nullable<Timestamptz>, _>(self.from)
            .bind::<Nullable<Timestamptz>, _>(self.until)
            .bind::<Nullable<Bool>, _>(self.dry_run)
            .bind::<Nullable<Text>, _>(self.requested_by.as_deref())
            .bind::<Array<Text>, _>(self.record_types.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Nullable<Text>, _>(self.vessel_id.as_deref())
            .bind::<Nullable<Text>, _>(self.company_id.as_deref())
    }
}

/// Locks a sync against others that settle it. `FOR NO KEY UPDATE` lets others insert rows that refer to the sync.
pub(crate) async fn sync_lock(db: &mut Db, id: SyncId) -> Result<Option<StoredSync>, StoreError> {
    let locked = statement("SELECT id FROM sync_logs WHERE id = $1 FOR NO KEY UPDATE")
        .bind::<Uuid, _>(id.as_uuid())
        .execute(db)
        .await?;
    // A second statement, so that it sees what was committed while we waited.
    if locked == 0 { Ok(None) } else { sync_find(db, id).await }
}

/// Syncs that have not ended and have shown no sign of life since `before`, oldest first; without those that wait for an
/// attempt whose time has not come.
pub async fn syncs_stalled(
    db: &mut Db,
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<StoredSync>, StoreError> {
    let waiting: Vec<uuid::Uuid> = statement(
        "SELECT DISTINCT a.sync_id FROM attempts a JOIN sync_logs r ON r.id = a.sync_id
         WHERE r.completed_at IS NULL AND a.next_attempt_at > $1",
    )
    .bind::<Timestamptz, _>(now)
    .returning::<Uuid>()
    .load(db)
    .await?;
    let syncs = syncs_active(db).await?;
    Ok(syncs
        .into_iter()
        .filter(|sync| sync.heartbeat_at < before && !waiting.contains(&sync.id.as_uuid()))
        .collect())
}

/// Notes what a sync that does not move waits for. The next sign of life of the sync ends the note.
pub async fn sync_detail_note(
    db: &mut Db,
    id: SyncId,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement("UPDATE sync_logs SET detail = $2, detail_at = $3 WHERE id = $1 AND completed_at IS NULL")
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(detail)
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(())
}
