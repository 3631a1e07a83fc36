//! What became of webhooks: the list for people, and what they can do about it.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, QueryableByName, sql_query,
    sql_types::{Int4, Int8, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use utoipa::ToSchema;

use crate::database::DatabaseError;

/// Which messages; what is absent does not filter.
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
    /// Its place among all webhooks.
    #[diesel(sql_type = Int8)]
    number: i64,
    /// The webhook-id.
    #[diesel(sql_type = Text)]
    id: String,
    /// What it tells of.
    #[diesel(sql_type = Text)]
    event_type: String,
    /// The record it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[diesel(sql_type = Nullable<Text>)]
    record_id: Option<String>,
    /// `pending`, `delivered` or `failed`.
    #[diesel(sql_type = Text)]
    state: String,
    /// Attempts begun.
    #[diesel(sql_type = Int4)]
    attempts: i32,
    /// When it was owed.
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it arrived or was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    /// What is sent.
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

/// A webhook with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageDetail {
    #[serde(flatten)]
    message: Message,
    /// What is sent, as text: the signature is over these bytes.
    body: String,
    /// Every attempt that came to an end. A number that is missing was cut off.
    attempts_made: Vec<AttemptMade>,
}

/// An attempt.
#[derive(Debug, Clone, Serialize, ToSchema, QueryableByName)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptMade {
    /// From 1.
    #[diesel(sql_type = Int4)]
    number: i32,
    /// When it began; `webhook-timestamp` said so, too.
    #[diesel(sql_type = Timestamptz)]
    began_at: DateTime<Utc>,
    /// How long it took.
    #[diesel(sql_type = Int4)]
    duration_ms: i32,
    /// HTTP status; absent: there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[diesel(sql_type = Nullable<Int4>)]
    status: Option<i32>,
    /// The beginning of the answer, or why there was none.
    #[diesel(sql_type = Text)]
    response: String,
}

const COLUMNS: &str =
    "number, id, event_type, record_id, state, attempts, created_at, next_attempt_at, ended_at, body";

pub(crate) async fn messages(
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

pub(crate) async fn message(
    db: &mut AsyncPgConnection,
    id: &str,
) -> Result<Option<MessageDetail>, DatabaseError> {
    let text = format!("SELECT {COLUMNS} FROM webhook_messages WHERE id = $1");
    let message: Option<Message> = sql_query(text).bind::<Text, _>(id).get_result(db).await.optional()?;
    let Some(message) = message else { return Ok(None) };
    let text = "SELECT number, began_at, duration_ms, status, response FROM webhook_attempts
                WHERE message_number = $1 ORDER BY number";
    let attempts_made = sql_query(text).bind::<Int8, _>(message.number).load(db).await?;
    Ok(Some(MessageDetail { body: message.body.clone(), message, attempts_made }))
}

/// What became of the wish to send a message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It is due.
    Due,
    /// An attempt is under way.
    BeingSent,
    /// There is no such message.
    Unknown,
}

pub(crate) async fn redeliver(
    db: &mut AsyncPgConnection,
    id: &str,
    now: DateTime<Utc>,
) -> Result<Again, DatabaseError> {
    let text = "UPDATE webhook_messages
                SET state = 'pending', next_attempt_at = $2, retries = 0, ended_at = NULL, claimed_until = NULL
                WHERE id = $1 AND (claimed_until IS NULL OR claimed_until <= $2)";
    if sql_query(text).bind::<Text, _>(id).bind::<Timestamptz, _>(now).execute(db).await? > 0 {
        return Ok(Again::Due);
    }
    let there =
        sql_query("SELECT 1 FROM webhook_messages WHERE id = $1").bind::<Text, _>(id).execute(db).await? > 0;
    Ok(if there { Again::BeingSent } else { Again::Unknown })
}

/// Makes everything due that was owed in this time and has not arrived; returns how many messages.
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
