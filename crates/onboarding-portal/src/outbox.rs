//! Webhooks that are owed: rows of `webhook_messages`, from the change that owes them to the attempt that ends them.

pub(crate) mod messages;

use chrono::{DateTime, TimeDelta, Utc};
use contracts::webhook::{EventType, WebhookBody, WebhookData};
use diesel::{
    QueryableByName, sql_query,
    sql_types::{Int4, Int8, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::{database::DatabaseError, records::Kind};

/// A webhook that is to be owed.
#[derive(Debug)]
pub(crate) struct Owed<'a> {
    pub(crate) event_type: EventType,
    pub(crate) about: Option<(Kind, &'a str)>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) imo: Option<String>,
}

/// Notes a webhook in the caller's transaction; returns its webhook-id.
pub(crate) async fn owe(
    db: &mut AsyncPgConnection,
    owed: Owed<'_>,
    now: DateTime<Utc>,
) -> Result<String, DatabaseError> {
    let Owed { event_type, about, updated_at, imo } = owed;
    let id = format!("msg_{}", Uuid::now_v7().simple());
    let data = WebhookData { id: about.map(|(_, id)| id.to_owned()), updated_at, imo };
    // A version may run a little ahead of the clock.
    let timestamp = updated_at.unwrap_or(now);
    let body = WebhookBody { event_type: event_type.clone(), timestamp, schema_version: 1, data };
    let text = "INSERT INTO webhook_messages (id, event_type, record_kind, record_id, body, created_at, next_attempt_at)
                VALUES ($1, $2, $3, $4, $5, $6, $6)";
    sql_query(text)
        .bind::<Text, _>(&id)
        .bind::<Text, _>(event_type.as_str())
        .bind::<Nullable<Text>, _>(about.map(|(kind, _)| kind.word()))
        .bind::<Nullable<Text>, _>(about.map(|(_, id)| id))
        .bind::<Text, _>(serde_json::to_string(&body).expect("a webhook's body is plain JSON"))
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(id)
}

/// A message in the hands of one sender, for one attempt.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Claimed {
    #[diesel(sql_type = Int8)]
    pub(crate) number: i64,
    #[diesel(sql_type = Text)]
    pub(crate) id: String,
    #[diesel(sql_type = Text)]
    pub(crate) event_type: String,
    #[diesel(sql_type = Text)]
    pub(crate) body: String,
    /// Which attempt this is, from 1. It is the claim, too: a later one has another number.
    #[diesel(sql_type = Int4)]
    pub(crate) attempts: i32,
    #[diesel(sql_type = Int4)]
    pub(crate) retries: i32,
}

/// Takes messages that are due, at most `most`, until `lease` from now: if no end of the attempt is noted until then,
/// its sender died, and they are due again.
///
/// Of one record's messages that are due only the oldest is taken, so that they leave in order. One that waits for its
/// next attempt holds up nobody: whoever is told of a record fetches its present state.
pub(crate) async fn claim(
    db: &mut AsyncPgConnection,
    most: usize,
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>, DatabaseError> {
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
        RETURNING m.number, m.id, m.event_type, m.body, m.attempts, m.retries";
    Ok(sql_query(text)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now + lease)
        .bind::<Int8, _>(i64::try_from(most).unwrap_or(i64::MAX))
        .load(db)
        .await?)
}

/// What becomes of a message after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It has arrived.
    Delivered,
    /// It will be tried again.
    Again(DateTime<Utc>),
    /// It will not be tried again by itself.
    GivenUp,
}

/// An attempt that came to its end.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) began_at: DateTime<Utc>,
    pub(crate) duration_ms: i32,
    pub(crate) status: Option<u16>,
    pub(crate) response: String,
}

/// Notes the end of an attempt. False if the claim had run out and somebody else took the message: then only the attempt
/// is noted.
pub(crate) async fn conclude(
    db: &mut AsyncPgConnection,
    claimed: &Claimed,
    attempt: &Attempt,
    next: Next,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
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
        // PostgreSQL's text holds no NUL.
        .bind::<Text, _>(attempt.response.replace('\0', "\u{fffd}"))
        .execute(db)
        .await?;
    let (state, again) = match next {
        Next::Delivered => ("delivered", None),
        Next::Again(at) => ("pending", Some(at)),
        Next::GivenUp => ("failed", None),
    };
    let text = "UPDATE webhook_messages SET state = $3, next_attempt_at = $4, claimed_until = NULL,
                    retries = retries + CASE WHEN $4 IS NULL THEN 0 ELSE 1 END,
                    ended_at = CASE WHEN $4 IS NULL THEN $5 END
                WHERE number = $1 AND attempts = $2 AND state = 'pending'";
    let updated = sql_query(text)
        .bind::<Int8, _>(claimed.number)
        .bind::<Int4, _>(claimed.attempts)
        .bind::<Text, _>(state)
        .bind::<Nullable<Timestamptz>, _>(again)
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(updated > 0)
}

/// What is owed and has not arrived.
#[derive(Debug, QueryableByName)]
pub(crate) struct Backlog {
    #[diesel(sql_type = Int8)]
    pub(crate) pending: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) oldest: Option<DateTime<Utc>>,
}

pub(crate) async fn backlog(db: &mut AsyncPgConnection) -> Result<Backlog, DatabaseError> {
    let text =
        "SELECT count(*) AS pending, min(created_at) AS oldest FROM webhook_messages WHERE state = 'pending'";
    Ok(sql_query(text).get_result(db).await?)
}

/// Deletes messages that ended before `before`, with their attempts; returns how many.
pub(crate) async fn forget_ended(
    db: &mut AsyncPgConnection,
    before: DateTime<Utc>,
) -> Result<usize, DatabaseError> {
    let text = "DELETE FROM webhook_messages WHERE state <> 'pending' AND ended_at < $1";
    Ok(sql_query(text).bind::<Timestamptz, _>(before).execute(db).await?)
}
