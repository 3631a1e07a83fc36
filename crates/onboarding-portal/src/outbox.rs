//! The webhook outbox: rows of `webhook_messages`, from the change that queues a webhook to the attempt that ends it.

pub(crate) mod messages;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::webhook::{EventType, WebhookBody, WebhookData};
use diesel::{
    QueryableByName, sql_query,
    sql_types::{Int4, Int8, Jsonb, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::{database::DatabaseError, records::Kind};

/// A webhook to be queued.
#[derive(Debug)]
pub(crate) struct NewMessage<'a> {
    pub(crate) event_type: EventType,
    pub(crate) about: Option<(Kind, &'a str)>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) imo: Option<String>,
}

/// Queues a webhook in the caller's transaction; returns its webhook-id.
pub(crate) async fn enqueue(
    db: &mut AsyncPgConnection,
    message: NewMessage<'_>,
    now: DateTime<Utc>,
) -> Result<String, DatabaseError> {
    let NewMessage { event_type, about, updated_at, imo } = message;
    let id = format!("msg_{}", Uuid::now_v7().simple());
    let data = WebhookData { id: about.map(|(_, id)| id.to_owned()), updated_at, imo };
    // Not `now`: a record's version may be a little ahead of the clock.
    let timestamp = updated_at.unwrap_or(now);
    let body = WebhookBody { event_type: event_type.clone(), timestamp, schema_version: 1, data };
    let text = "INSERT INTO webhook_messages (id, event_type, record_kind, record_id, body, created_at, next_attempt_at,
                    trace_context)
                VALUES ($1, $2, $3, $4, $5, $6, $6, $7)";
    sql_query(text)
        .bind::<Text, _>(&id)
        .bind::<Text, _>(event_type.as_str())
        .bind::<Nullable<Text>, _>(about.map(|(kind, _)| kind.word()))
        .bind::<Nullable<Text>, _>(about.map(|(_, id)| id))
        .bind::<Text, _>(serde_json::to_string(&body).expect("a webhook body has text keys"))
        .bind::<Timestamptz, _>(now)
        .bind::<Jsonb, _>(serde_json::json!(chassis::telemetry::current_context()))
        .execute(db)
        .await?;
    Ok(id)
}

/// A message that one sender has claimed, for one attempt.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct ClaimedMessage {
    #[diesel(sql_type = Int8)]
    pub(crate) number: i64,
    #[diesel(sql_type = Text)]
    pub(crate) id: String,
    #[diesel(sql_type = Text)]
    pub(crate) event_type: String,
    #[diesel(sql_type = Text)]
    pub(crate) body: String,
    /// Number of this attempt, from 1. It identifies the claim, too: a later claim has another number.
    #[diesel(sql_type = Int4)]
    pub(crate) attempts: i32,
    #[diesel(sql_type = Int4)]
    pub(crate) retries: i32,
    /// Of the request that has queued the message.
    #[diesel(sql_type = Jsonb)]
    trace_context: serde_json::Value,
}

impl ClaimedMessage {
    /// The span of the request that has queued the message, as headers.
    pub(crate) fn trace_context(&self) -> BTreeMap<String, String> {
        serde_json::from_value(self.trace_context.clone()).unwrap_or_default()
    }
}

/// Claims at most `limit` messages that are due. The claim ends after `lease`: a sender that has recorded no result
/// until then has died, and the messages are due again.
///
/// Of one record's due messages only the oldest is claimed, so that they are sent in order. A message that waits for
/// its next attempt does not delay later ones of its record: the receiver fetches the record's present state for each.
pub(crate) async fn claim(
    db: &mut AsyncPgConnection,
    limit: usize,
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<ClaimedMessage>, DatabaseError> {
    let text = "WITH due AS (
            SELECT m.number FROM webhook_messages m
            WHERE m.state = 'pending' AND m.next_attempt_at <= $1 AND (m.claimed_until IS NULL OR m.claimed_until <= $1)
              AND EXISTS (SELECT 1 FROM webhook_endpoint
                          WHERE state = 'enabled' AND (paused_until IS NULL OR paused_until <= $1))
              AND NOT EXISTS (SELECT 1 FROM webhook_messages older
                              WHERE older.state = 'pending' AND older.record_id = m.record_id
                                AND older.record_kind = m.record_kind AND older.number < m.number
                                AND older.next_attempt_at <= $1)
            ORDER BY m.next_attempt_at, m.number LIMIT $3
            FOR UPDATE OF m SKIP LOCKED)
        UPDATE webhook_messages m SET attempts = m.attempts + 1, claimed_until = $2
        FROM due WHERE m.number = due.number
        RETURNING m.number, m.id, m.event_type, m.body, m.attempts, m.retries, m.trace_context";
    Ok(sql_query(text)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now + lease)
        .bind::<Int8, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .load(db)
        .await?)
}

/// What happens to a message after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    Delivered,
    RetryAt(DateTime<Utc>),
    /// It is sent again only when somebody asks for it.
    GivenUp,
}

/// An attempt that has ended.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) began_at: DateTime<Utc>,
    pub(crate) duration_ms: i32,
    /// HTTP status; `None` if there was no answer.
    pub(crate) status: Option<u16>,
    /// The beginning of the answer, or the reason why there was none.
    pub(crate) response: String,
}

/// Records the end of an attempt. If the claim has expired and another sender has claimed the message, only the attempt
/// is recorded, and the message stays with the other claim.
pub(crate) async fn record_attempt(
    db: &mut AsyncPgConnection,
    claimed: &ClaimedMessage,
    attempt: &Attempt,
    outcome: AttemptOutcome,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    let text =
        "INSERT INTO webhook_attempts (message_number, number, began_at, duration_ms, status, response)
                SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT 1 FROM webhook_messages WHERE number = $1)
                ON CONFLICT DO NOTHING";
    sql_query(text)
        .bind::<Int8, _>(claimed.number)
        .bind::<Int4, _>(claimed.attempts)
        .bind::<Timestamptz, _>(attempt.began_at)
        .bind::<Int4, _>(attempt.duration_ms)
        .bind::<Nullable<Int4>, _>(attempt.status.map(i32::from))
        // PostgreSQL's text type cannot hold NUL.
        .bind::<Text, _>(attempt.response.replace('\0', "\u{fffd}"))
        .execute(db)
        .await?;
    let (state, next_attempt_at) = match outcome {
        AttemptOutcome::Delivered => ("delivered", None),
        AttemptOutcome::RetryAt(at) => ("pending", Some(at)),
        AttemptOutcome::GivenUp => ("failed", None),
    };
    let text = "UPDATE webhook_messages SET state = $3, next_attempt_at = $4, claimed_until = NULL,
                    retries = retries + CASE WHEN $4 IS NULL THEN 0 ELSE 1 END,
                    ended_at = CASE WHEN $4 IS NULL THEN $5 END
                WHERE number = $1 AND attempts = $2 AND state = 'pending'";
    sql_query(text)
        .bind::<Int8, _>(claimed.number)
        .bind::<Int4, _>(claimed.attempts)
        .bind::<Text, _>(state)
        .bind::<Nullable<Timestamptz>, _>(next_attempt_at)
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(())
}

/// The pending messages.
#[derive(Debug, QueryableByName)]
pub(crate) struct Backlog {
    #[diesel(sql_type = Int8)]
    pub(crate) pending: i64,
    /// When the oldest of them was queued.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) oldest: Option<DateTime<Utc>>,
}

pub(crate) async fn backlog(db: &mut AsyncPgConnection) -> Result<Backlog, DatabaseError> {
    let text =
        "SELECT count(*) AS pending, min(created_at) AS oldest FROM webhook_messages WHERE state = 'pending'";
    Ok(sql_query(text).get_result(db).await?)
}

/// Deletes messages that ended before `before`, with their attempts; returns how many.
pub(crate) async fn delete_ended(
    db: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> Result<usize, DatabaseError> {
    let text = "DELETE FROM webhook_messages WHERE state <> 'pending' AND ended_at < $1";
    Ok(sql_query(text).bind::<Timestamptz, _>(before).execute(db).await?)
}
