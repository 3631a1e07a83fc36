//! Webhook events: rows of `webhook_events`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{RecordType, SyncId, WebhookEventId, WebhookState, audit::AuditAction};
use serde_json::Value;

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window, count_of, page_load},
    statement::{Statement, statement, word_list},
};

/// A verified webhook, to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWebhookEvent {
    /// Also the AMQP message id.
    pub id: WebhookEventId,
    /// The sender's webhook-id; a second webhook with the same is a duplicate.
    pub webhook_id: String,
    /// As the sender wrote it.
    pub event_type: String,
    /// The record that it is about, by its id in the onboarding portal. None: the event is recorded as ignored.
    pub entity: Option<(RecordType, String)>,
    /// By the sender's clock.
    pub occurred_at: Option<DateTime<Utc>>,
    /// `updatedAt` of the record at the time of the event, if the sender said so.
    pub record_updated_at: Option<DateTime<Utc>>,
    /// As it was signed.
    pub body: Vec<u8>,
    /// The name of the secret that matched.
    pub key_name: String,
    /// W3C trace context, a JSON object.
    pub trace_context: Value,
}

/// Result of recording a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Inserted {
    New(WebhookEventId),
    /// The same webhook had been recorded before, under this id.
    Duplicate(WebhookEventId),
    /// Another webhook with this webhook-id had been recorded before, under this id: nothing is recorded.
    IdReused(WebhookEventId),
}

/// A webhook event as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookEvent {
    pub id: WebhookEventId,
    /// The sender's webhook-id.
    pub webhook_id: String,
    /// As the sender wrote it.
    pub event_type: String,
    /// Of the record that it is about.
    pub record_type: Option<RecordType>,
    /// The record's id in the onboarding portal.
    pub source_id: Option<String>,
    /// By the sender's clock.
    pub occurred_at: Option<DateTime<Utc>>,
    pub state: WebhookState,
    /// How many more webhooks came with the same webhook-id.
    pub duplicates: u32,
    /// The sync that handled the event.
    pub sync_id: Option<SyncId>,
    pub last_failure: Option<String>,
    pub received_at: DateTime<Utc>,
    /// When the broker confirmed the event.
    pub published_at: Option<DateTime<Utc>>,
    /// When the effect of the event was committed.
    pub processed_at: Option<DateTime<Utc>>,
    /// The name of the secret that matched.
    pub key_name: String,
}

/// Which events; what is empty or absent does not filter.
#[derive(Debug, Clone, Default)]
pub struct WebhookFilter {
    pub ids: Vec<WebhookEventId>,
    pub states: Vec<WebhookState>,
    /// As the sender wrote it.
    pub event_type: Option<String>,
    pub record_type: Option<RecordType>,
    /// The record's id in the onboarding portal.
    pub source_id: Option<String>,
    pub webhook_id: Option<String>,
    /// Received at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Received before this time.
    pub until: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    webhook_id: String,
    #[diesel(sql_type = Text)]
    event_type: String,
    #[diesel(sql_type = Nullable<Text>)]
    record_type: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    source_id: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    occurred_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Int4)]
    duplicates: i32,
    #[diesel(sql_type = Nullable<Uuid>)]
    sync_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    last_failure: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    published_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    processed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    key_name: String,
}

const COLUMNS: &str = "id, webhook_id, event_type, record_type, source_id, occurred_at, state, duplicates, sync_id, \
    last_failure, received_at, published_at, processed_at, key_name";

impl TryFrom<Row> for WebhookEvent {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let record_type = row.record_type.as_deref();
        Ok(Self {
            id: WebhookEventId::from_uuid(row.id),
            webhook_id: row.webhook_id,
            event_type: row.event_type,
            record_type: record_type
                .map(|it| word("webhook_events", "record_type", row.id, it))
                .transpose()?,
            source_id: row.source_id,
            occurred_at: row.occurred_at,
            state: word("webhook_events", "state", row.id, &row.state)?,
            duplicates: row.duplicates.unsigned_abs(),
            sync_id: row.sync_id.map(SyncId::from_uuid),
            last_failure: row.last_failure,
            received_at: row.received_at,
            published_at: row.published_at,
            processed_at: row.processed_at,
            key_name: row.key_name,
        })
    }
}

/// Records webhooks, all or none, in one statement; the answers are in the order of the events. A webhook that is recorded
/// already, or comes twice, is counted as a duplicate: it has the same webhook-id and the same body.
pub async fn webhook_events_insert(
    db: &mut Db,
    events: &[NewWebhookEvent],
    now: DateTime<Utc>,
) -> Result<Vec<Inserted>, StoreError> {
    // An upsert must not meet a key twice. In the order of the keys, so that two batches lock rows in one order.
    let mut first: BTreeMap<&str, (&NewWebhookEvent, i32)> = BTreeMap::new();
    for event in events {
        let (same, again) = first.entry(&event.webhook_id).or_insert((event, -1));
        *again += i32::from(same.body == event.body);
    }
    let each = || first.values().map(|(event, _)| *event);
    let rows: Vec<(String, uuid::Uuid, Option<Vec<u8>>)> = statement(
        "INSERT INTO webhook_events AS e (id, webhook_id, event_type, record_type, source_id, occurred_at, body,
             key_name, trace_context, duplicates, record_updated_at, state, received_at)
         SELECT i.*, CASE WHEN i.record_type IS NULL THEN $12 ELSE $13 END, $11
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $14) AS i
             (id, webhook_id, event_type, record_type, source_id, occurred_at, body, key_name, trace_context, duplicates,
              record_updated_at)
         ON CONFLICT (webhook_id) DO UPDATE SET
             duplicates = e.duplicates + CASE WHEN e.body = excluded.body THEN 1 + excluded.duplicates ELSE 0 END
         RETURNING webhook_id, id, CASE WHEN xmax = 0 THEN NULL ELSE body END",
    )
    .bind::<Array<Uuid>, _>(each().map(|it| it.id.as_uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(each().map(|it| it.webhook_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(each().map(|it| it.event_type.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        each().map(|it| it.entity.as_ref().map(|(record_type, _)| record_type.as_str())).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Text>>, _>(
        each().map(|it| it.entity.as_ref().map(|(_, id)| id.as_str())).collect::<Vec<_>>(),
    )
    .bind::<Array<Nullable<Timestamptz>>, _>(each().map(|it| it.occurred_at).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(each().map(|it| it.body.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(each().map(|it| it.key_name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(each().map(|it| &it.trace_context).collect::<Vec<_>>())
    .bind::<Array<Int4>, _>(first.values().map(|(_, again)| *again).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(WebhookState::Ignored.as_str())
    .bind::<Text, _>(WebhookState::Received.as_str())
    .bind::<Array<Nullable<Timestamptz>>, _>(each().map(|it| it.record_updated_at).collect::<Vec<_>>())
    .returning::<(Text, Uuid, Nullable<Binary>)>()
    .load(db)
    .await?;
    let mut recorded: BTreeMap<String, (WebhookEventId, Option<Vec<u8>>)> =
        rows.into_iter().map(|(key, id, body)| (key, (WebhookEventId::from_uuid(id), body))).collect();
    let mut answers = Vec::with_capacity(events.len());
    for event in events {
        let (id, body) =
            recorded.get_mut(&event.webhook_id).expect("the upsert returns every key that it was given");
        answers.push(match body {
            None => {
                *body = Some(event.body.clone());
                Inserted::New(*id)
            }
            Some(body) if *body == event.body => Inserted::Duplicate(*id),
            Some(_other) => Inserted::IdReused(*id),
        });
    }
    Ok(answers)
}

/// Notes that the broker has confirmed events. The note need not outlive a crash of the database's machine, so it does not
/// wait for the disk: an event without the note is published again, which does no harm.
pub async fn webhook_events_mark_published(
    db: &mut Db,
    ids: &[WebhookEventId],
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    Ok(statement(
        "WITH unhurried AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
         UPDATE webhook_events SET published_at = $2, state = CASE state WHEN $3 THEN $4 ELSE state END
         WHERE id IN (SELECT id FROM webhook_events WHERE id = ANY($1) AND published_at IS NULL
                      ORDER BY id FOR NO KEY UPDATE)
             AND EXISTS (SELECT 1 FROM unhurried)",
    )
    .bind::<Array<Uuid>, _>(uuids(ids))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(WebhookState::Received.as_str())
    .bind::<Text, _>(WebhookState::Published.as_str())
    .execute(db)
    .await?)
}

/// Notes that a worker has these events in hand, as if they had been published now.
pub async fn webhook_events_in_hand_note(
    db: &mut Db,
    ids: &[WebhookEventId],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE webhook_events SET published_at = $2 WHERE id IN
             (SELECT id FROM webhook_events WHERE id = ANY($1) AND state = $3 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)",
    )
    .bind::<Array<Uuid>, _>(uuids(ids))
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(WebhookState::Published.as_str())
    .execute(db)
    .await?;
    Ok(())
}

/// Those of the events that are still to be handled, locked until the transaction ends: of two deliveries of an event,
/// one waits and then sees it processed.
pub async fn webhook_events_lock_open(
    db: &mut Db,
    ids: &[WebhookEventId],
) -> Result<Vec<WebhookEventId>, StoreError> {
    let open: Vec<uuid::Uuid> = statement(&lock_before(WebhookState::Processed))
        .bind::<Array<Uuid>, _>(uuids(ids))
        .returning::<Uuid>()
        .load(db)
        .await?;
    Ok(open.into_iter().map(WebhookEventId::from_uuid).collect())
}

/// Marks events processed by a sync, in the transaction of their effect. Returns how many were open.
pub async fn webhook_events_mark_processed(
    db: &mut Db,
    ids: &[WebhookEventId],
    sync_id: SyncId,
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    // published_at is set along, or noting the publication later would be another new version of the row.
    let text = format!(
        "UPDATE webhook_events SET state = $4, sync_id = $2, processed_at = $3, last_failure = NULL,
             published_at = coalesce(published_at, $3)
         WHERE id IN ({})",
        lock_before(WebhookState::Processed)
    );
    Ok(statement(&text)
        .bind::<Array<Uuid>, _>(uuids(ids))
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(WebhookState::Processed.as_str())
        .execute(db)
        .await?)
}

/// Marks events as given up. Returns how many were open.
pub async fn webhook_events_mark_failed(
    db: &mut Db,
    ids: &[WebhookEventId],
    failure: &str,
) -> Result<usize, StoreError> {
    let text = format!(
        "UPDATE webhook_events SET state = $3, last_failure = $2 WHERE id IN ({})",
        lock_before(WebhookState::Failed)
    );
    Ok(statement(&text)
        .bind::<Array<Uuid>, _>(uuids(ids))
        .bind::<Text, _>(failure)
        .bind::<Text, _>(WebhookState::Failed.as_str())
        .execute(db)
        .await?)
}

/// A query of those events of `$1` that may go to `next` by themselves, locked in the order of their ids.
fn lock_before(next: WebhookState) -> String {
    format!(
        "SELECT id FROM webhook_events WHERE id = ANY($1) AND state IN {} ORDER BY id FOR NO KEY UPDATE",
        word_list(next.sources().map(WebhookState::as_str))
    )
}

pub async fn webhook_event_find(db: &mut Db, id: WebhookEventId) -> Result<Option<WebhookEvent>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM webhook_events WHERE id = $1");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    rows.into_iter().next().map(WebhookEvent::try_from).transpose()
}

/// The body of an event, as it was signed.
pub async fn webhook_event_body(db: &mut Db, id: WebhookEventId) -> Result<Option<Vec<u8>>, StoreError> {
    let bodies: Vec<Vec<u8>> = statement("SELECT body FROM webhook_events WHERE id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .returning::<Binary>()
        .load(db)
        .await?;
    Ok(bodies.into_iter().next())
}

impl WebhookFilter {
    const CONDITION: &'static str =
        "(cardinality($1) = 0 OR id = ANY($1)) AND (cardinality($2) = 0 OR state = ANY($2))
        AND ($3 IS NULL OR event_type = $3) AND ($4 IS NULL OR record_type = $4) AND ($5 IS NULL OR source_id = $5)
        AND ($6 IS NULL OR webhook_id = $6) AND ($7 IS NULL OR received_at >= $7) AND ($8 IS NULL OR received_at < $8)";

    /// A statement with the parameters of the condition, the first eight.
    fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        statement(text)
            .bind::<Array<Uuid>, _>(uuids(&self.ids))
            .bind::<Array<Text>, _>(self.states.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Nullable<Text>, _>(self.event_type.as_deref())
            .bind::<Nullable<Text>, _>(self.record_type.map(RecordType::as_str))
            .bind::<Nullable<Text>, _>(self.source_id.as_deref())
            .bind::<Nullable<Text>, _>(self.webhook_id.as_deref())
            .bind::<Nullable<Timestamptz>, _>(self.from)
            .bind::<Nullable<Timestamptz>, _>(self.until)
    }
}

/// Events, newest first.
pub async fn webhook_event_list(
    db: &mut Db,
    filter: &WebhookFilter,
    window: Window<(DateTime<Utc>, WebhookEventId)>,
) -> Result<Page<WebhookEvent>, StoreError> {
    let (direction, beyond) = (window.order.direction(), window.order.beyond());
    let rows = format!(
        "SELECT {COLUMNS} FROM webhook_events WHERE {condition} AND ($9 IS NULL OR (received_at, id) {beyond} ($9, $10))
         ORDER BY received_at {direction}, id {direction} LIMIT $11 OFFSET $12",
        condition = WebhookFilter::CONDITION
    );
    let rows = filter
        .bind(&rows)
        .bind::<Nullable<Timestamptz>, _>(window.after.map(|(at, _)| at))
        .bind::<Nullable<Uuid>, _>(window.after.map(|(_, id)| id.as_uuid()));
    let total = count_of(format_args!("webhook_events WHERE {}", WebhookFilter::CONDITION));
    page_load::<Row, _, _>(db, rows, filter.bind(&total), &window).await
}

/// The condition of events that match a filter and that an operator may have processed again.
fn is_reprocessable() -> String {
    let states = WebhookState::ALL.iter().filter(|state| state.is_reprocessable());
    format!("{} AND state IN {}", WebhookFilter::CONDITION, word_list(states.map(|state| state.as_str())))
}

/// How many events [`webhook_events_reprocess`] would set back.
pub async fn webhook_events_count_reprocessable(
    db: &mut Db,
    filter: &WebhookFilter,
) -> Result<u64, StoreError> {
    let text = format!("SELECT count(*) FROM webhook_events WHERE {}", is_reprocessable());
    Ok(count(filter.bind(&text).returning::<Int8>().get_result(db).await?))
}

/// An operator's order to process events again.
#[derive(Debug, Clone, Copy)]
pub struct ReprocessOrder<'o> {
    pub actor: &'o str,
    pub reason: Option<&'o str>,
    /// Most events, the oldest first.
    pub limit: u32,
}

/// Sets events back to the state of an event that was just received, and writes the audit, a row for each, with the state
/// and the sync that the event had. The relay publishes the events again, and each is handled in a new sync, which fetches
/// the record's present state. Returns the events; those that need nothing or are on their way are left alone.
pub async fn webhook_events_reprocess(
    db: &mut Db,
    filter: &WebhookFilter,
    order: ReprocessOrder<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<WebhookEventId>, StoreError> {
    let text = format!(
        "WITH chosen AS (
             SELECT id, state, sync_id, last_failure FROM webhook_events WHERE {}
             ORDER BY received_at, id LIMIT $9 FOR NO KEY UPDATE
         ), set_back AS (
             UPDATE webhook_events e SET state = $13, published_at = NULL, processed_at = NULL, sync_id = NULL,
                 last_failure = NULL
             FROM chosen c WHERE e.id = c.id
         )
         INSERT INTO audit (at, actor, action, subject, detail)
         SELECT $10, $11, $14, id::text, jsonb_strip_nulls(jsonb_build_object(
             'state', state, 'syncId', sync_id, 'failure', last_failure, 'reason', $12)) FROM chosen
         RETURNING subject::uuid",
        is_reprocessable()
    );
    let ids: Vec<uuid::Uuid> = filter
        .bind(&text)
        .bind::<Int8, _>(i64::from(order.limit))
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(order.actor)
        .bind::<Nullable<Text>, _>(order.reason)
        .bind::<Text, _>(WebhookState::Received.as_str())
        .bind::<Text, _>(AuditAction::WebhookReprocess.as_str())
        .returning::<Uuid>()
        .load(db)
        .await?;
    Ok(ids.into_iter().map(WebhookEventId::from_uuid).collect())
}

pub(crate) fn uuids(ids: &[WebhookEventId]) -> Vec<uuid::Uuid> {
    ids.iter().map(|id| id.as_uuid()).collect()
}
