//! Webhook messages as people see them: the list, one with its attempts, and sending them again.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, QueryableByName, sql_query,
    sql_types::{Int4, Int8, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;

use crate::database::DatabaseError;

/// Which messages to list. Absent fields do not filter.
#[derive(Debug, Default)]
pub(crate) struct MessageFilter {
    pub(crate) state: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) record_id: Option<String>,
    pub(crate) before: Option<i64>,
    pub(crate) limit: u32,
}

/// A webhook.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    /// Sequence number; newer webhooks have higher numbers.
    #[diesel(sql_type = Int8)]
    number: i64,
    /// The webhook-id.
    #[diesel(sql_type = Text)]
    id: String,
    /// Event type, such as `vessel.approved`.
    #[diesel(sql_type = Text)]
    event_type: String,
    /// Id of the record; absent for `test.ping`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[diesel(sql_type = Nullable<Text>)]
    record_id: Option<String>,
    /// `pending`, `delivered` or `failed`.
    #[diesel(sql_type = Text)]
    state: String,
    /// Attempts started.
    #[diesel(sql_type = Int4)]
    attempts: i32,
    /// When the webhook was queued.
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    /// When the next attempt is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When the webhook was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    #[diesel(sql_type = Text)]
    body: String,
}

/// Webhooks, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessagePage {
    data: Vec<Message>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<i64>,
}

/// A webhook with its body and its attempts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageDetail {
    #[serde(flatten)]
    message: Message,
    /// The body as it is sent. The signature is over these bytes.
    body: String,
    /// Every attempt that ended. The number of an attempt whose sender died is missing.
    attempts_made: Vec<AttemptMade>,
}

/// One attempt to deliver a webhook.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptMade {
    /// Number of the attempt, from 1.
    #[diesel(sql_type = Int4)]
    number: i32,
    /// When the attempt began; also the value of `webhook-timestamp`.
    #[diesel(sql_type = Timestamptz)]
    began_at: DateTime<Utc>,
    /// Duration in milliseconds.
    #[diesel(sql_type = Int4)]
    duration_ms: i32,
    /// HTTP status; absent if there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[diesel(sql_type = Nullable<Int4>)]
    status: Option<i32>,
    /// The first 4096 bytes of the answer, or the reason why there was none.
    #[diesel(sql_type = Text)]
    response: String,
}

const COLUMNS: &str =
    "number, id, event_type, record_id, state, attempts, created_at, next_attempt_at, ended_at, body";

pub(crate) async fn list_messages(
    db: &mut AsyncPgConnection,
    filter: &MessageFilter,
) -> Result<MessagePage, DatabaseError> {
    let text = format!(
        "SELECT {COLUMNS} FROM webhook_messages
         WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR event_type = $2) AND ($3 IS NULL OR record_id = $3)
           AND ($4 IS NULL OR number < $4)
         ORDER BY number DESC LIMIT $5"
    );
    let mut data: Vec<Message> = sql_query(text)
        .bind::<Nullable<Text>, _>(filter.state.as_ref())
        .bind::<Nullable<Text>, _>(filter.event_type.as_ref())
        .bind::<Nullable<Text>, _>(filter.record_id.as_ref())
        .bind::<Nullable<Int8>, _>(filter.before)
        .bind::<Int8, _>(i64::from(filter.limit) + 1)
        .load(db)
        .await?;
    let more = data.len() > filter.limit as usize;
    data.truncate(filter.limit as usize);
    let next_cursor = data.last().filter(|_| more).map(|message| message.number);
    Ok(MessagePage { data, next_cursor })
}

pub(crate) async fn find_message(
    db: &mut AsyncPgConnection,
    id: &str,
) -> Result<Option<MessageDetail>, DatabaseError> {
    // One snapshot: an attempt that ends in between is in both, or in neither.
    db.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |db: &mut AsyncPgConnection| {
            let text = format!("SELECT {COLUMNS} FROM webhook_messages WHERE id = $1");
            let message: Option<Message> =
                sql_query(text).bind::<Text, _>(id).get_result(db).await.optional()?;
            let Some(message) = message else { return Ok(None) };
            let text = "SELECT number, began_at, duration_ms, status, response FROM webhook_attempts
                        WHERE message_number = $1 ORDER BY number";
            let attempts_made = sql_query(text).bind::<Int8, _>(message.number).load(db).await?;
            Ok(Some(MessageDetail { body: message.body.clone(), message, attempts_made }))
        })
        .await
}

/// Result of a request to send a message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redelivery {
    Queued,
    /// An attempt is under way.
    BeingSent,
    NotFound,
}

pub(crate) async fn redeliver(
    db: &mut AsyncPgConnection,
    id: &str,
    now: DateTime<Utc>,
) -> Result<Redelivery, DatabaseError> {
    let text = "UPDATE webhook_messages
                SET state = 'pending', next_attempt_at = $2, retries = 0, ended_at = NULL, claimed_until = NULL
                WHERE id = $1 AND (claimed_until IS NULL OR claimed_until <= $2)";
    if sql_query(text).bind::<Text, _>(id).bind::<Timestamptz, _>(now).execute(db).await? > 0 {
        return Ok(Redelivery::Queued);
    }
    let exists =
        sql_query("SELECT 1 FROM webhook_messages WHERE id = $1").bind::<Text, _>(id).execute(db).await? > 0;
    Ok(if exists { Redelivery::BeingSent } else { Redelivery::NotFound })
}

/// Makes all undelivered messages due that were queued in a time range; returns how many.
pub(crate) async fn recover(
    db: &mut AsyncPgConnection,
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<usize, DatabaseError> {
    let text = "UPDATE webhook_messages
                SET state = 'pending', next_attempt_at = $3, retries = 0, ended_at = NULL, claimed_until = NULL
                WHERE state <> 'delivered' AND created_at >= $1 AND ($2 IS NULL OR created_at < $2)
                  AND (claimed_until IS NULL OR claimed_until <= $3)";
    Ok(sql_query(text)
        .bind::<Timestamptz, _>(since)
        .bind::<Nullable<Timestamptz>, _>(until)
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?)
}
