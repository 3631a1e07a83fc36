//! Messages that wait in the ledger until they are due: rows of `postponed_messages`.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// A message that was put off.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct PostponedMessage {
    /// The work queue that it goes to.
    #[diesel(sql_type = Text)]
    pub queue: String,
    #[diesel(sql_type = Text)]
    pub message_id: String,
    /// The AMQP type.
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Binary)]
    pub body: Vec<u8>,
    #[diesel(sql_type = Nullable<Text>)]
    pub correlation_id: Option<String>,
    /// W3C trace context.
    #[diesel(sql_type = Jsonb)]
    pub trace_context: Value,
    /// Number of the attempt that comes next, from 1.
    #[diesel(sql_type = Int4)]
    pub attempt: i32,
    /// Id of the dead letter that the message is a replay of.
    #[diesel(sql_type = Nullable<Text>)]
    pub replay_of: Option<String>,
    #[diesel(sql_type = Int4)]
    pub replay_count: i32,
}

/// Puts a message off until `due_at`. Of copies of a message one stays, with the latest of their times.
pub async fn message_postpone(
    db: &mut Db,
    message: &PostponedMessage,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO postponed_messages AS p (queue, message_id, kind, body, correlation_id, trace_context, attempt,
             replay_of, replay_count, postponed_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (message_id, queue) DO UPDATE SET
             attempt = greatest(p.attempt, excluded.attempt), due_at = greatest(p.due_at, excluded.due_at),
             replay_of = coalesce(excluded.replay_of, p.replay_of),
             replay_count = greatest(p.replay_count, excluded.replay_count)",
    )
    .bind::<Text, _>(&message.queue)
    .bind::<Text, _>(&message.message_id)
    .bind::<Text, _>(&message.kind)
    .bind::<Binary, _>(&message.body)
    .bind::<Nullable<Text>, _>(message.correlation_id.as_deref())
    .bind::<Jsonb, _>(&message.trace_context)
    .bind::<Int4, _>(message.attempt)
    .bind::<Nullable<Text>, _>(message.replay_of.as_deref())
    .bind::<Int4, _>(message.replay_count)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(due_at)
    .execute(db)
    .await?;
    Ok(())
}

/// Messages that are due, at most `limit`, the longest due first; locked until the transaction ends. Other relays skip them.
pub async fn postponed_messages_claim(
    db: &mut Db,
    limit: u32,
    now: DateTime<Utc>,
) -> Result<Vec<PostponedMessage>, StoreError> {
    Ok(statement(
        "SELECT queue, message_id, kind, body, correlation_id, trace_context, attempt, replay_of, replay_count
         FROM postponed_messages WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Int8, _>(i64::from(limit))
    .load(db)
    .await?)
}

/// Forgets messages that the broker has confirmed. In the transaction that has claimed them.
pub async fn postponed_messages_forget(db: &mut Db, messages: &[PostponedMessage]) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    statement(
        "DELETE FROM postponed_messages p USING unnest($1, $2) AS i (message_id, queue)
         WHERE p.message_id = i.message_id AND p.queue = i.queue",
    )
    .bind::<Array<Text>, _>(messages.iter().map(|it| it.message_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(messages.iter().map(|it| it.queue.as_str()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
