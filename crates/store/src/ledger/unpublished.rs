//! What is committed and not yet confirmed by the broker: the rows that the outbox publishes.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{DeadLetterId, PageRequest, RecordType, SyncId, TaskId, WebhookEventId};
use serde_json::Value;

use crate::{
    db::{
        advisory_locks::AdvisoryLock,
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    ledger::{replay_jobs::items_sent, tasks::page_request, webhook_events::webhook_events_mark_published},
};

/// Something to be published.
#[derive(Debug, Clone, PartialEq)]
pub enum Unpublished {
    /// A webhook event.
    Event {
        /// The message id.
        id: WebhookEventId,
        /// The sender's webhook-id.
        webhook_id: String,
        /// As the sender wrote it.
        event_type: String,
        /// What it is about.
        record_type: RecordType,
        /// Its id in the onboarding portal.
        source_id: String,
        /// When it happened, by the sender.
        occurred_at: Option<DateTime<Utc>>,
        /// W3C trace context.
        trace_context: Value,
    },
    /// The start of a sync.
    Command {
        /// The message id.
        sync_id: SyncId,
        /// W3C trace context.
        trace_context: Value,
    },
    /// A task.
    Task {
        /// The message id.
        id: TaskId,
        /// Its sync.
        sync_id: SyncId,
        request: PageRequest,
        /// W3C trace context.
        trace_context: Value,
    },
    /// A dead letter that is to be tried again.
    Replay {
        /// The dead letter.
        id: DeadLetterId,
        /// The message's own id.
        message_id: String,
        /// The queue it died in.
        queue: String,
        /// The AMQP type.
        kind: String,
        /// As it was.
        body: Vec<u8>,
        /// As they were, a JSON object.
        headers: Value,
        /// Its sync.
        sync_id: Option<SyncId>,
        /// How often it was replayed, with this time.
        replays: u32,
    },
}

/// Names a row that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnpublishedId {
    /// A webhook event.
    Event(WebhookEventId),
    /// The command of a sync.
    Command(SyncId),
    /// A task.
    Task(TaskId),
    /// A replay of a dead letter.
    Replay(DeadLetterId),
}

impl Unpublished {
    /// Its name, for [`published_mark`].
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
    #[diesel(sql_type = Jsonb)]
    trace_context: Value,
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

/// At most `limit` webhook events that have waited since before `older_than`, in the order in which they came. In a
/// transaction: they are locked until it ends. None if another transaction has some in hand.
///
/// # Errors
///
/// If the database fails.
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
    let events: Vec<EventRow> = statement(
        "SELECT id, webhook_id, event_type, record_type, source_id, occurred_at, trace_context FROM webhook_events
         WHERE state = 'received' AND published_at IS NULL AND received_at < $1
         ORDER BY received_at, id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
    )
    .bind::<Timestamptz, _>(older_than)
    .bind::<Int8, _>(i64::from(limit))
    .load(db)
    .await?;
    let read = |it: EventRow| {
        Ok(Unpublished::Event {
            record_type: word("webhook_events", "record_type", it.id, &it.record_type)?,
            id: WebhookEventId::from_uuid(it.id),
            webhook_id: it.webhook_id,
            event_type: it.event_type,
            source_id: it.source_id,
            occurred_at: it.occurred_at,
            trace_context: it.trace_context,
        })
    };
    events.into_iter().map(read).collect::<Result<_, StoreError>>().map(Some)
}

/// Whether webhook events have waited since before `older_than`.
///
/// # Errors
///
/// If the database fails.
pub async fn unpublished_events_wait(db: &mut Db, older_than: DateTime<Utc>) -> Result<bool, StoreError> {
    Ok(statement(
        "SELECT EXISTS (SELECT 1 FROM webhook_events WHERE state = 'received' AND received_at < $1)",
    )
    .bind::<Timestamptz, _>(older_than)
    .returning::<Bool>()
    .get_result(db)
    .await?)
}

/// At most `limit` rows of each kind that have waited since before `older_than`, oldest first. In a transaction: they
/// are locked until it ends, and others skip them, so that two relays do not publish the same.
///
/// # Errors
///
/// If the database fails.
pub async fn unpublished_claim(
    db: &mut Db,
    limit: u32,
    older_than: DateTime<Utc>,
) -> Result<Vec<Unpublished>, StoreError> {
    let mut found = unpublished_events_claim(db, limit, older_than).await?.unwrap_or_default();
    let limit = i64::from(limit);
    let commands: Vec<(uuid::Uuid, Value)> = statement(
        "SELECT id, trace_context FROM sync_logs WHERE published_at IS NULL AND state = 'queued' AND started_at < $1
         ORDER BY started_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
    )
    .bind::<Timestamptz, _>(older_than)
    .bind::<Int8, _>(limit)
    .returning::<(Uuid, Jsonb)>()
    .load(db)
    .await?;
    let tasks: Vec<TaskRow> = statement(
        "SELECT id, sync_id, record_type, chain, page, page_request, trace_context FROM sync_queue
         WHERE published_at IS NULL AND state IN ('pending', 'retrying') AND created_at < $1
         ORDER BY created_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
    )
    .bind::<Timestamptz, _>(older_than)
    .bind::<Int8, _>(limit)
    .load(db)
    .await?;
    let replays: Vec<ReplayRow> = statement(
        "SELECT id, message_id, queue, kind, body, headers, sync_id, replays FROM dead_letters
         WHERE state = 'replaying' AND replayed_at < $1 AND (replay_due_at IS NULL OR replay_due_at < $1)
         ORDER BY replayed_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
    )
    .bind::<Timestamptz, _>(older_than)
    .bind::<Int8, _>(limit)
    .load(db)
    .await?;

    found.extend(
        commands.into_iter().map(|(id, trace_context)| Unpublished::Command {
            sync_id: SyncId::from_uuid(id),
            trace_context,
        }),
    );
    for task in tasks {
        found.push(task.try_into()?);
    }
    found.extend(replays.into_iter().map(|it| Unpublished::Replay {
        id: DeadLetterId::from_uuid(it.id),
        message_id: it.message_id,
        queue: it.queue,
        kind: it.kind,
        body: it.body,
        headers: it.headers,
        sync_id: it.sync_id.map(SyncId::from_uuid),
        replays: it.replays.unsigned_abs(),
    }));
    Ok(found)
}

/// Notes that the broker has confirmed these.
///
/// # Errors
///
/// If the database fails: then they are published again, which does no harm.
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
    let updates = [
        ("UPDATE sync_logs SET published_at = $2 WHERE id = ANY($1) AND published_at IS NULL", commands),
        ("UPDATE sync_queue SET published_at = $2 WHERE id = ANY($1) AND published_at IS NULL", tasks),
        // It may have died, or succeeded, before we came to note it.
        (
            "UPDATE dead_letters SET published_at = $2, state = 'replayed' WHERE id = ANY($1) AND state = 'replaying'",
            replays,
        ),
    ];
    for (text, ids) in updates {
        if !ids.is_empty() {
            statement(text).bind::<Array<Uuid>, _>(ids).bind::<Timestamptz, _>(now).execute(db).await?;
        }
    }
    Ok(())
}

/// How much was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Republished {
    /// Commands of syncs that nobody has started.
    pub commands: usize,
    /// Open tasks.
    pub tasks: usize,
    /// Events that nobody has processed.
    pub events: usize,
}

/// Sets back what was confirmed before `before` and has not moved since, so that the relay publishes it again: a broker
/// that lost its disk loses no work. A message that is still there comes twice, which does no harm.
///
/// # Errors
///
/// If the database fails.
pub async fn stalled_republish(db: &mut Db, before: DateTime<Utc>) -> Result<Republished, StoreError> {
    let mut set_back = [0; 3];
    for (text, count) in [
        "UPDATE sync_logs SET published_at = NULL WHERE state = 'queued' AND published_at < $1",
        // A sync that moves has its tasks in good hands: they wait their turn.
        "UPDATE sync_queue t SET published_at = NULL, updated_at = $1 FROM sync_logs r
         WHERE t.state IN ('pending', 'retrying') AND t.published_at < $1 AND t.updated_at < $1
             AND r.id = t.sync_id AND r.completed_at IS NULL AND r.heartbeat_at < $1",
        "UPDATE webhook_events SET state = 'received', published_at = NULL
         WHERE state = 'published' AND published_at < $1",
    ]
    .into_iter()
    .zip(&mut set_back)
    {
        *count = statement(text).bind::<Timestamptz, _>(before).execute(db).await?;
    }
    let [commands, tasks, events] = set_back;
    Ok(Republished { commands, tasks, events })
}
