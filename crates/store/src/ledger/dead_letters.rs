//! Dead letters: rows of `dead_letters`, messages that were given up.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{DeadLetterId, FailureClass, RecordType, SyncId, dead_letter::DeadLetterState};
use serde_json::Value;

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window, count_of, page_load},
    statement::{Statement, statement},
};

/// A message out of the dead-letter queue, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDeadLetter {
    pub id: DeadLetterId,
    /// The AMQP message id; a made-up one if the message had none.
    pub message_id: String,
    /// The queue that the message died in.
    pub queue: String,
    /// The AMQP type.
    pub kind: String,
    pub body: Vec<u8>,
    /// A JSON object.
    pub headers: Value,
    pub class: FailureClass,
    /// Why the message was given up, for people.
    pub reason: String,
    /// The same for failures with one cause.
    pub fingerprint: String,
    /// How many deliveries failed.
    pub attempts: u32,
    pub sync_id: Option<SyncId>,
    pub trace_id: Option<String>,
    pub died_at: DateTime<Utc>,
    /// The dead letter whose replay this message was.
    pub replay_of: Option<DeadLetterId>,
}

/// A dead letter as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    pub id: DeadLetterId,
    /// The AMQP message id.
    pub message_id: String,
    /// The queue that the message died in.
    pub queue: String,
    /// The AMQP type.
    pub kind: String,
    pub body: Vec<u8>,
    /// A JSON object.
    pub headers: Value,
    pub class: FailureClass,
    /// Why the message was given up, for people.
    pub reason: String,
    /// The same for failures with one cause.
    pub fingerprint: String,
    /// How many deliveries failed.
    pub attempts: u32,
    pub sync_id: Option<SyncId>,
    pub trace_id: Option<String>,
    pub died_at: DateTime<Utc>,
    pub archived_at: DateTime<Utc>,
    pub state: DeadLetterState,
    pub replays: u32,
    /// The dead letter whose replay this message was.
    pub replay_of: Option<DeadLetterId>,
    /// Who asked for the last replay.
    pub replayed_by: Option<String>,
    pub replayed_at: Option<DateTime<Utc>>,
    /// When a replay took effect.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// Of an approval that of its record, of a page that of its list.
    pub record_type: Option<RecordType>,
    /// The record of an approval, by its id in the onboarding portal.
    pub source_id: Option<String>,
}

/// Which dead letters; what is empty or absent does not filter.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterFilter {
    pub ids: Vec<DeadLetterId>,
    pub states: Vec<DeadLetterState>,
    pub class: Option<FailureClass>,
    /// The queue that the message died in.
    pub queue: Option<String>,
    pub fingerprint: Option<String>,
    pub sync_id: Option<SyncId>,
    pub record_type: Option<RecordType>,
    /// The record's id in the onboarding portal.
    pub source_id: Option<String>,
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
    #[diesel(sql_type = Nullable<Text>)]
    record_type: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    source_id: Option<String>,
}

const COLUMNS: &str = "id, message_id, queue, kind, body, headers, class, reason, fingerprint, attempts, sync_id, \
    trace_id, died_at, archived_at, state, replays, replay_of, replayed_by, replayed_at, succeeded_at, \
    record_type, source_id";

impl DeadLetterFilter {
    pub(crate) const CONDITION: &'static str =
        "(cardinality($1) = 0 OR id = ANY($1)) AND (cardinality($2) = 0 OR state = ANY($2))
        AND ($3 IS NULL OR class = $3) AND ($4 IS NULL OR queue = $4) AND ($5 IS NULL OR fingerprint = $5)
        AND ($6 IS NULL OR sync_id = $6) AND ($7 IS NULL OR record_type = $7) AND ($8 IS NULL OR source_id = $8)";

    /// A statement with the parameters of the condition, the first eight.
    pub(crate) fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        statement(text)
            .bind::<Array<Uuid>, _>(self.ids.iter().map(|id| id.as_uuid()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(self.states.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Nullable<Text>, _>(self.class.map(FailureClass::as_str))
            .bind::<Nullable<Text>, _>(self.queue.as_deref())
            .bind::<Nullable<Text>, _>(self.fingerprint.as_deref())
            .bind::<Nullable<Uuid>, _>(self.sync_id.map(SyncId::as_uuid))
            .bind::<Nullable<Text>, _>(self.record_type.map(RecordType::as_str))
            .bind::<Nullable<Text>, _>(self.source_id.as_deref())
    }
}

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
            record_type: row
                .record_type
                .map(|it| word("dead_letters", "record_type", row.id, &it))
                .transpose()?,
            source_id: row.source_id,
        })
    }
}

pub async fn dead_letter_find(db: &mut Db, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM dead_letters WHERE id = $1");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().next().map(DeadLetter::try_from).transpose()
}

/// The dead letters that replays of a dead letter became, oldest first.
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
pub async fn dead_letter_list(
    db: &mut Db,
    filter: &DeadLetterFilter,
    window: Window<(DateTime<Utc>, DeadLetterId)>,
) -> Result<Page<DeadLetter>, StoreError> {
    let (direction, beyond) = (window.order.direction(), window.order.beyond());
    let rows = format!(
        "SELECT {COLUMNS} FROM dead_letters WHERE {condition} AND ($9 IS NULL OR (archived_at, id) {beyond} ($9, $10))
         ORDER BY archived_at {direction}, id {direction} LIMIT $11 OFFSET $12",
        condition = DeadLetterFilter::CONDITION
    );
    let rows = filter
        .bind(&rows)
        .bind::<Nullable<Timestamptz>, _>(window.after.map(|(at, _)| at))
        .bind::<Nullable<Uuid>, _>(window.after.map(|(_, id)| id.as_uuid()));
    let total = count_of(format_args!("dead_letters WHERE {}", DeadLetterFilter::CONDITION));
    page_load::<Row, _, _>(db, rows, filter.bind(&total), &window).await
}

/// Dead letters with one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterGroup {
    pub fingerprint: String,
    /// The queue that the messages died in.
    pub queue: String,
    /// Their AMQP type.
    pub kind: String,
    pub class: FailureClass,
    /// The reason of the newest letter.
    pub reason: String,
    pub total: u64,
    /// How many letters nobody has replayed.
    pub dead: u64,
    pub first_died_at: DateTime<Utc>,
    pub last_died_at: DateTime<Utc>,
}

/// Dead letters by their fingerprints, groups with letters that nobody has replayed first.
pub async fn dead_letter_groups(
    db: &mut Db,
    filter: &DeadLetterFilter,
    limit: u32,
    offset: u32,
) -> Result<Page<DeadLetterGroup>, StoreError> {
    type Row = (String, String, String, String, String, i64, i64, DateTime<Utc>, DateTime<Utc>);
    let text = format!(
        "SELECT fingerprint, min(queue), min(kind), min(class), (array_agg(reason ORDER BY archived_at DESC))[1],
             count(*), count(*) FILTER (WHERE state = '{}'), min(died_at), max(died_at)
         FROM dead_letters WHERE {} GROUP BY fingerprint
         ORDER BY 7 DESC, 9 DESC, 1 LIMIT $9 OFFSET $10",
        DeadLetterState::Dead.as_str(),
        DeadLetterFilter::CONDITION
    );
    let rows: Vec<Row> = filter
        .bind(&text)
        .bind::<Int8, _>(i64::from(limit) + 1)
        .bind::<Int8, _>(i64::from(offset))
        .returning::<(Text, Text, Text, Text, Text, Int8, Int8, Timestamptz, Timestamptz)>()
        .load(db)
        .await?;
    let text =
        format!("SELECT count(DISTINCT fingerprint) FROM dead_letters WHERE {}", DeadLetterFilter::CONDITION);
    let total: i64 = filter.bind(&text).returning::<Int8>().get_result(db).await?;
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
