//! Dead letters: rows of `dead_letters`.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{DeadLetterId, FailureClass, SyncId};
use serde_json::Value;

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window},
    statement::statement,
};

/// Where a dead letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeadLetterState {
    /// Nobody has done anything about it.
    Dead,
    /// An operator wants it tried again, and the broker has not confirmed that yet.
    Replaying,
    /// It was tried again; if that failed, another dead letter names this one as its origin.
    Replayed,
    /// Its replay took effect.
    Succeeded,
}

impl DeadLetterState {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Dead, Self::Replaying, Self::Replayed, Self::Succeeded];

    /// As it stands in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Replaying => "replaying",
            Self::Replayed => "replayed",
            Self::Succeeded => "succeeded",
        }
    }
}

/// No state of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no state of a dead letter")]
pub struct NoDeadLetterState;

impl std::str::FromStr for DeadLetterState {
    type Err = NoDeadLetterState;

    fn from_str(text: &str) -> Result<Self, NoDeadLetterState> {
        Self::ALL.iter().copied().find(|state| state.as_str() == text).ok_or(NoDeadLetterState)
    }
}

/// A message out of the dead-letter queue.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDeadLetter {
    /// Its id here.
    pub id: DeadLetterId,
    /// The AMQP message id; a made-up one if it had none.
    pub message_id: String,
    /// The queue it died in.
    pub queue: String,
    /// The AMQP type.
    pub kind: String,
    /// As it was.
    pub body: Vec<u8>,
    /// A JSON object.
    pub headers: Value,
    /// Why it was given up.
    pub class: FailureClass,
    /// The same, for people.
    pub reason: String,
    /// The same for failures of the same making.
    pub fingerprint: String,
    /// Deliveries that were tried.
    pub attempts: u32,
    /// Its sync.
    pub sync_id: Option<SyncId>,
    /// Its trace.
    pub trace_id: Option<String>,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
    /// The dead letter whose replay this was.
    pub replay_of: Option<DeadLetterId>,
}

/// A dead letter as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Its id.
    pub id: DeadLetterId,
    /// The AMQP message id.
    pub message_id: String,
    /// The queue it died in.
    pub queue: String,
    /// The AMQP type.
    pub kind: String,
    /// As it was.
    pub body: Vec<u8>,
    /// A JSON object.
    pub headers: Value,
    /// Why it was given up.
    pub class: FailureClass,
    /// The same, for people.
    pub reason: String,
    /// The same for failures of the same making.
    pub fingerprint: String,
    /// Deliveries that were tried.
    pub attempts: u32,
    /// Its sync.
    pub sync_id: Option<SyncId>,
    /// Its trace.
    pub trace_id: Option<String>,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
    /// When it was recorded.
    pub archived_at: DateTime<Utc>,
    /// Where it stands.
    pub state: DeadLetterState,
    /// How often it was replayed.
    pub replays: u32,
    /// The dead letter whose replay this was.
    pub replay_of: Option<DeadLetterId>,
    /// Who replayed it last.
    pub replayed_by: Option<String>,
    /// When.
    pub replayed_at: Option<DateTime<Utc>>,
    /// When a replay took effect.
    pub succeeded_at: Option<DateTime<Utc>>,
}

/// Which dead letters; what is empty does not filter.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterFilter {
    /// These.
    pub ids: Vec<DeadLetterId>,
    /// In one of these states.
    pub states: Vec<DeadLetterState>,
    /// Given up for this kind of failure.
    pub class: Option<FailureClass>,
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this making.
    pub fingerprint: Option<String>,
    /// Of this sync.
    pub sync_id: Option<SyncId>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    message_id: String,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Binary)]
    body: Vec<u8>,
    #[diesel(sql_type = Jsonb)]
    headers: Value,
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Text)]
    fingerprint: String,
    #[diesel(sql_type = Int4)]
    attempts: i32,
    #[diesel(sql_type = Nullable<Uuid>)]
    sync_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    trace_id: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    died_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    archived_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Int4)]
    replays: i32,
    #[diesel(sql_type = Nullable<Uuid>)]
    replay_of: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    replayed_by: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    replayed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    succeeded_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, message_id, queue, kind, body, headers, class, reason, fingerprint, attempts, sync_id, \
    trace_id, died_at, archived_at, state, replays, replay_of, replayed_by, replayed_at, succeeded_at";

pub(crate) const FILTER: &str =
    "(cardinality($1) = 0 OR id = ANY($1)) AND (cardinality($2) = 0 OR state = ANY($2))
    AND ($3 IS NULL OR class = $3) AND ($4 IS NULL OR queue = $4) AND ($5 IS NULL OR fingerprint = $5)
    AND ($6 IS NULL OR sync_id = $6)";

impl TryFrom<Row> for DeadLetter {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: DeadLetterId::from_uuid(row.id),
            message_id: row.message_id,
            queue: row.queue,
            kind: row.kind,
            body: row.body,
            headers: row.headers,
            class: word("dead_letters", "class", row.id, &row.class)?,
            reason: row.reason,
            fingerprint: row.fingerprint,
            attempts: row.attempts.unsigned_abs(),
            sync_id: row.sync_id.map(SyncId::from_uuid),
            trace_id: row.trace_id,
            died_at: row.died_at,
            archived_at: row.archived_at,
            state: word("dead_letters", "state", row.id, &row.state)?,
            replays: row.replays.unsigned_abs(),
            replay_of: row.replay_of.map(DeadLetterId::from_uuid),
            replayed_by: row.replayed_by,
            replayed_at: row.replayed_at,
            succeeded_at: row.succeeded_at,
        })
    }
}

/// A dead letter.
///
/// # Errors
///
/// If the database fails.
pub async fn dead_letter_find(db: &mut Db, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM dead_letters WHERE id = $1");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().next().map(DeadLetter::try_from).transpose()
}

/// What came of replaying a dead letter: those that name it as their origin.
///
/// # Errors
///
/// If the database fails.
pub async fn dead_letter_descendants(db: &mut Db, id: DeadLetterId) -> Result<Vec<DeadLetterId>, StoreError> {
    let ids: Vec<uuid::Uuid> =
        statement("SELECT id FROM dead_letters WHERE replay_of = $1 ORDER BY archived_at, id")
            .bind::<Uuid, _>(id.as_uuid())
            .returning::<Uuid>()
            .load(db)
            .await?;
    Ok(ids.into_iter().map(DeadLetterId::from_uuid).collect())
}

/// Dead letters, newest first.
///
/// # Errors
///
/// If the database fails.
pub async fn dead_letter_list(
    db: &mut Db,
    filter: &DeadLetterFilter,
    window: Window<(DateTime<Utc>, DeadLetterId)>,
) -> Result<Page<DeadLetter>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS} FROM dead_letters WHERE {FILTER} AND ($7 IS NULL OR (archived_at, id) < ($7, $8))
         ORDER BY archived_at DESC, id DESC LIMIT $9 OFFSET $10"
    );
    let rows: Vec<Row> = filtered(&text, filter)
        .bind::<Nullable<Timestamptz>, _>(window.after.map(|(at, _)| at))
        .bind::<Nullable<Uuid>, _>(window.after.map(|(_, id)| id.as_uuid()))
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .load(db)
        .await?;
    let text = format!("SELECT count(*) FROM dead_letters WHERE {FILTER}");
    let total: i64 = filtered(&text, filter).returning::<Int8>().get_result(db).await?;
    let letters = rows.into_iter().map(DeadLetter::try_from).collect::<Result<_, _>>()?;
    Ok(Page::of(letters, window.limit, total))
}

pub(crate) fn filtered<'f>(
    text: &'f str,
    filter: &'f DeadLetterFilter,
) -> crate::db::statement::Statement<'f> {
    statement(text)
        .bind::<Array<Uuid>, _>(filter.ids.iter().map(|id| id.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(filter.states.iter().map(|it| it.as_str()).collect::<Vec<_>>())
        .bind::<Nullable<Text>, _>(filter.class.map(FailureClass::as_str))
        .bind::<Nullable<Text>, _>(&filter.queue)
        .bind::<Nullable<Text>, _>(&filter.fingerprint)
        .bind::<Nullable<Uuid>, _>(filter.sync_id.map(SyncId::as_uuid))
}

/// Dead letters of one making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterGroup {
    /// What they have in common.
    pub fingerprint: String,
    /// The queue they died in.
    pub queue: String,
    /// Their AMQP type.
    pub kind: String,
    /// Why they were given up.
    pub class: FailureClass,
    /// What the newest of them said.
    pub reason: String,
    /// How many there are.
    pub total: u64,
    /// How many of them nobody has done anything about.
    pub dead: u64,
    /// When the first of them died.
    pub first_died_at: DateTime<Utc>,
    /// When the last of them did.
    pub last_died_at: DateTime<Utc>,
}

/// Dead letters by what they have in common, those that wait for somebody first.
///
/// # Errors
///
/// If the database fails.
pub async fn dead_letter_groups(
    db: &mut Db,
    filter: &DeadLetterFilter,
    limit: u32,
    offset: u32,
) -> Result<Page<DeadLetterGroup>, StoreError> {
    type Row = (String, String, String, String, String, i64, i64, DateTime<Utc>, DateTime<Utc>);
    let text = format!(
        "SELECT fingerprint, min(queue), min(kind), min(class), (array_agg(reason ORDER BY archived_at DESC))[1],
             count(*), count(*) FILTER (WHERE state = 'dead'), min(died_at), max(died_at)
         FROM dead_letters WHERE {FILTER} GROUP BY fingerprint
         ORDER BY 7 DESC, 9 DESC, 1 LIMIT $7 OFFSET $8"
    );
    let rows: Vec<Row> = filtered(&text, filter)
        .bind::<Int8, _>(i64::from(limit) + 1)
        .bind::<Int8, _>(i64::from(offset))
        .returning::<(Text, Text, Text, Text, Text, Int8, Int8, Timestamptz, Timestamptz)>()
        .load(db)
        .await?;
    let text = format!("SELECT count(DISTINCT fingerprint) FROM dead_letters WHERE {FILTER}");
    let total: i64 = filtered(&text, filter).returning::<Int8>().get_result(db).await?;
    let group = |(fingerprint, queue, kind, class, reason, total, dead, first_died_at, last_died_at): Row| {
        Ok(DeadLetterGroup {
            class: word("dead_letters", "class", &fingerprint, &class)?,
            fingerprint,
            queue,
            kind,
            reason,
            total: count(total),
            dead: count(dead),
            first_died_at,
            last_died_at,
        })
    };
    let groups = rows.into_iter().map(group).collect::<Result<_, StoreError>>()?;
    Ok(Page::of(groups, limit, total))
}
