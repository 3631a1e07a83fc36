//! Rows that are committed and not yet confirmed by the broker: the outbox publishes them.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, pg::Pg, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    DeadLetterId, PageRequest, RecordType, SyncId, SyncState, TaskId, WebhookEventId, WebhookState,
    dead_letter::DeadLetterState,
};
use serde_json::Value;

use crate::{
    db::{
        advisory_locks::AdvisoryLock,
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    ledger::{
        replay_jobs::items_sent,
        tasks::{open_states, page_request},
        webhook_events::webhook_events_mark_published,
    },
};

/// A row to be published.
#[derive(Debug, Clone, PartialEq)]
pub enum Unpublished {
    Event {
        /// The message id.
        id: WebhookEventId,
        /// The sender's webhook-id.
        webhook_id: String,
        /// As the sender wrote it.
        event_type: String,
        record_type: RecordType,
        /// The record's id in the onboarding portal.
        source_id: String,
        /// By the sender's clock.
        occurred_at: Option<DateTime<Utc>>,
        /// `updatedAt` of the record at the time of the event.
        record_updated_at: Option<DateTime<Utc>>,
        /// W3C trace context.
        trace_context: Value,
    },
    /// The command that starts a sync.
    Command {
        /// The message id.
        sync_id: SyncId,
        /// W3C trace context.
        trace_context: Value,
    },
    Task {
        /// The message id.
        id: TaskId,
        sync_id: SyncId,
        request: PageRequest,
        /// W3C trace context.
        trace_context: Value,
    },
    /// A dead letter that is to be tried again.
    Replay {
        id: DeadLetterId,
        message_id: String,
        /// The queue that the message died in.
        queue: String,
        /// The AMQP type.
        kind: String,
        body: Vec<u8>,
        /// A JSON object.
        headers: Value,
        sync_id: Option<SyncId>,
        /// How often the dead letter was replayed, with this time.
        replays: u32,
    },
}

/// The id of a row that is or was to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnpublishedId {
    Event(WebhookEventId),
    Command(SyncId),
    Task(TaskId),
    Replay(DeadLetterId),
}

impl Unpublished {
    /// The id that [`published_mark`] takes.
    #[must_use]
    pub const fn id(&self) -> UnpublishedId {
        match self {
            Self::Event { id, .. } => UnpublishedId::Event(*id),
            Self::Command { sync_id, .. } => UnpublishedId::Command(*sync_id),
            Self::Task { id, .. } => UnpublishedId::Task(*id),
            Self::Replay { id, .. } => UnpublishedId::Replay(*id),
        }
    }
}

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    webhook_id: String,
    #[diesel(sql_type = Text)]
    event_type: String,
    #[diesel(sql_type = Text)]
    record_type: String,
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    occurred_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    record_updated_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Jsonb)]
    trace_context: Value,
}

impl TryFrom<EventRow> for Unpublished {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self::Event {
            record_type: word("webhook_events", "record_type", row.id, &row.record_type)?,
            id: WebhookEventId::from_uuid(row.id),
            webhook_id: row.webhook_id,
            event_type: row.event_type,
            source_id: row.source_id,
            occurred_at: row.occurred_at,
            record_updated_at: row.record_updated_at,
            trace_context: row.trace_context,
        })
    }
}

#[derive(QueryableByName)]
struct CommandRow {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Jsonb)]
    trace_context: Value,
}

impl TryFrom<CommandRow> for Unpublished {
    type Error = StoreError;

    fn try_from(row: CommandRow) -> Result<Self, StoreError> {
        Ok(Self::Command { sync_id: SyncId::from_uuid(row.id), trace_context: row.trace_context })
    }
}

#[derive(QueryableByName)]
struct TaskRow {
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
    #[diesel(sql_type = Jsonb)]
    trace_context: Value,
}

impl TryFrom<TaskRow> for Unpublished {
    type Error = StoreError;

    fn try_from(row: TaskRow) -> Result<Self, StoreError> {
        Ok(Self::Task {
            id: TaskId::from_uuid(row.id),
            sync_id: SyncId::from_uuid(row.sync_id),
            request: page_request(row.id, &row.record_type, row.chain, row.page, row.page_request)?,
            trace_context: row.trace_context,
        })
    }
}

#[derive(QueryableByName)]
struct ReplayRow {
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
    #[diesel(sql_type = Nullable<Uuid>)]
    sync_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Int4)]
    replays: i32,
}

impl TryFrom<ReplayRow> for Unpublished {
    type Error = StoreError;

    fn try_from(row: ReplayRow) -> Result<Self, StoreError> {
        Ok(Self::Replay {
            id: DeadLetterId::from_uuid(row.id),
            message_id: row.message_id,
            queue: row.queue,
            kind: row.kind,
            body: row.body,
            headers: row.headers,
            sync_id: row.sync_id.map(SyncId::from_uuid),
            replays: row.replays.unsigned_abs(),
        })
    }
}

/// Webhook events that have waited since before `older_than`, at most `limit`, in the order in which they came; locked
/// until the transaction ends. None if another transaction is publishing events.
pub async fn unpublished_events_claim(
    db: &mut Db,
    limit: u32,
    older_than: DateTime<Utc>,
) -> Result<Option<Vec<Unpublished>>, StoreError> {
    let ours: bool = statement("SELECT pg_try_advisory_xact_lock($1)")
        .bind::<Int8, _>(AdvisoryLock::UnpublishedEvents.key())
        .returning::<Bool>()
        .get_result(db)
        .await?;
    if !ours {
        return Ok(None);
    }
    let text = format!(
        "SELECT id, webhook_id, event_type, record_type, source_id, occurred_at, record_updated_at, trace_context
         FROM webhook_events
         WHERE state = '{}' AND published_at IS NULL AND received_at < $1
         ORDER BY received_at, id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
        WebhookState::Received
    );
    claim::<EventRow>(db, &text, limit, older_than).await.map(Some)
}

/// Whether webhook events have waited since before `older_than`.
pub async fn unpublished_events_wait(db: &mut Db, older_than: DateTime<Utc>) -> Result<bool, StoreError> {
    let text = format!(
        "SELECT EXISTS (SELECT 1 FROM webhook_events WHERE state = '{}' AND received_at < $1)",
        WebhookState::Received
    );
    Ok(statement(&text).bind::<Timestamptz, _>(older_than).returning::<Bool>().get_result(db).await?)
}

/// Rows of every kind that have waited since before `older_than`, at most `limit` of each kind, oldest first; locked until
/// the transaction ends. Other relays skip them, so that no two publish the same.
pub async fn unpublished_claim(
    db: &mut Db,
    limit: u32,
    older_than: DateTime<Utc>,
) -> Result<Vec<Unpublished>, StoreError> {
    let mut found = unpublished_events_claim(db, limit, older_than).await?.unwrap_or_default();
    let commands = format!(
        "SELECT id, trace_context FROM sync_logs WHERE published_at IS NULL AND state = '{}' AND started_at < $1
         ORDER BY started_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
        SyncState::Queued
    );
    found.extend(claim::<CommandRow>(db, &commands, limit, older_than).await?);
    let tasks = format!(
        "SELECT id, sync_id, record_type, chain, page, page_request, trace_context FROM sync_queue
         WHERE published_at IS NULL AND state IN {} AND created_at < $1
         ORDER BY created_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
        open_states()
    );
    found.extend(claim::<TaskRow>(db, &tasks, limit, older_than).await?);
    let replays = format!(
        "SELECT id, message_id, queue, kind, body, headers, sync_id, replays FROM dead_letters
         WHERE state = '{}' AND replayed_at < $1 AND (replay_due_at IS NULL OR replay_due_at < $1)
         ORDER BY replayed_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
        DeadLetterState::Replaying.as_str()
    );
    found.extend(claim::<ReplayRow>(db, &replays, limit, older_than).await?);
    Ok(found)
}

/// Loads rows of one kind. `text`: over `$1`, since when they wait, and `$2`, how many.
async fn claim<Row>(
    db: &mut Db,
    text: &str,
    limit: u32,
    older_than: DateTime<Utc>,
) -> Result<Vec<Unpublished>, StoreError>
where
    Row: QueryableByName<Pg> + Send + 'static,
    Unpublished: TryFrom<Row, Error = StoreError>,
{
    let rows: Vec<Row> =
        statement(text).bind::<Timestamptz, _>(older_than).bind::<Int8, _>(i64::from(limit)).load(db).await?;
    rows.into_iter().map(Unpublished::try_from).collect()
}

/// Notes that the broker has confirmed rows. Without the note they are published again, which does no harm.
pub async fn published_mark(
    db: &mut Db,
    ids: &[UnpublishedId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (mut events, mut commands, mut tasks, mut replays) = (vec![], vec![], vec![], vec![]);
    for id in ids {
        match id {
            UnpublishedId::Event(id) => events.push(*id),
            UnpublishedId::Command(id) => commands.push(id.as_uuid()),
            UnpublishedId::Task(id) => tasks.push(id.as_uuid()),
            UnpublishedId::Replay(id) => replays.push(id.as_uuid()),
        }
    }
    if !events.is_empty() {
        webhook_events_mark_published(db, &events, now).await?;
    }
    if !replays.is_empty() {
        items_sent(db, &replays).await?;
    }
    // A replay may have died again, or succeeded, before its publication is noted.
    let replayed = format!(
        "UPDATE dead_letters SET published_at = $2, state = '{}' WHERE id = ANY($1) AND state = '{}'",
        DeadLetterState::Replayed.as_str(),
        DeadLetterState::Replaying.as_str()
    );
    let updates = [
        ("UPDATE sync_logs SET published_at = $2 WHERE id = ANY($1) AND published_at IS NULL", commands),
        ("UPDATE sync_queue SET published_at = $2 WHERE id = ANY($1) AND published_at IS NULL", tasks),
        (&*replayed, replays),
    ];
    for (text, ids) in updates {
        if !ids.is_empty() {
            statement(text).bind::<Array<Uuid>, _>(ids).bind::<Timestamptz, _>(now).execute(db).await?;
        }
    }
    Ok(())
}

/// How many rows were set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Republished {
    /// Commands of syncs that no worker has started.
    pub commands: usize,
    /// Open tasks.
    pub tasks: usize,
    /// Events that no worker has processed.
    pub events: usize,
}

/// Sets rows back that were confirmed before `before` and have not moved since, so that the relay publishes them again: a
/// broker that lost its disk loses no work. A message that is still in its queue comes twice, which does no harm.
/// `events_are_queued`: events wait in the broker to be delivered, and those that seem lost may be among them.
pub async fn stalled_republish(
    db: &mut Db,
    before: DateTime<Utc>,
    events_are_queued: bool,
) -> Result<Republished, StoreError> {
    // A message that is known to wait, for its next attempt or in the ledger, is not lost.
    let is_waiting = |id: &str| {
        format!(
            "(EXISTS (SELECT FROM attempts a WHERE a.message_id = {id}::text AND a.next_attempt_at > $1)
              OR EXISTS (SELECT FROM postponed_messages p WHERE p.message_id = {id}::text))"
        )
    };
    let commands = format!(
        "UPDATE sync_logs s SET published_at = NULL WHERE state = '{}' AND published_at < $1 AND NOT {}",
        SyncState::Queued,
        is_waiting("s.id")
    );
    // Tasks of a sync that moves are in their queue: they wait their turn.
    let tasks = format!(
        "UPDATE sync_queue t SET published_at = NULL, updated_at = $1 FROM sync_logs s
         WHERE t.state IN {} AND t.published_at < $1 AND t.updated_at < $1
             AND s.id = t.sync_id AND s.completed_at IS NULL AND s.heartbeat_at < $1 AND NOT {}",
        open_states(),
        is_waiting("t.id")
    );
    let events = format!(
        "UPDATE webhook_events e SET state = '{}', published_at = NULL
         WHERE state = '{}' AND published_at < $1 AND NOT {}",
        WebhookState::Received,
        WebhookState::Published,
        is_waiting("e.id")
    );
    let mut set_back = async |text: &str| -> Result<usize, StoreError> {
        Ok(statement(text).bind::<Timestamptz, _>(before).execute(db).await?)
    };
    Ok(Republished {
        commands: set_back(&commands).await?,
        tasks: set_back(&tasks).await?,
        events: if events_are_queued { 0 } else { set_back(&events).await? },
    })
}
