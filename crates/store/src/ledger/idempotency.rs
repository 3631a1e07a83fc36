//! Requests that may be sent twice and take effect once: rows of `idempotency_keys`.
//!
//! A key is claimed in the transaction of the request's effect and answered before its commit. Then both are there or neither
//! is, and a second request with the key waits for the first one's end.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{OptionalExtension, sql_types::*};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// How long a key is remembered.
pub const IDEMPOTENCY_KEY_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Keys past their lifetime that a new one removes: with one in and several out, the table does not grow.
const PURGE_LIMIT: i64 = 20;

/// A key, and the request that it was sent with.
#[derive(Debug, Clone, Copy)]
pub struct IdempotencyKey<'k> {
    /// Subject of the operator's token: operators do not share keys.
    pub actor: &'k str,
    /// 1 to 255 characters.
    pub key: &'k str,
    /// SHA-256 of method, path and body.
    pub fingerprint: [u8; 32],
}

/// What a request was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    pub location: Option<String>,
    /// None where it holds personal data: then it is made anew.
    pub body: Option<Value>,
}

/// Result of claiming a key.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum KeyClaimed {
    /// The request is the first with this key.
    New,
    /// The request was answered before.
    Answered(KeptAnswer),
    /// The key was sent with another request before.
    OtherRequest,
    /// The first request with the key has not finished, or was interrupted.
    Unanswered,
}

/// Claims a key for a request.
pub async fn idempotency_key_claim(
    db: &mut Db,
    key: IdempotencyKey<'_>,
    now: DateTime<Utc>,
) -> Result<KeyClaimed, StoreError> {
    statement(
        "DELETE FROM idempotency_keys WHERE (actor, key) IN (
             SELECT actor, key FROM idempotency_keys WHERE created_at < $1
             ORDER BY (actor, key) = ($3, $4) DESC, created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(now - IDEMPOTENCY_KEY_LIFETIME)
    .bind::<Int8, _>(PURGE_LIMIT)
    .bind::<Text, _>(key.actor)
    .bind::<Text, _>(key.key)
    .execute(db)
    .await?;
    let claimed = statement(
        "INSERT INTO idempotency_keys (actor, key, fingerprint, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(key.actor)
    .bind::<Text, _>(key.key)
    .bind::<Bytea, _>(key.fingerprint.to_vec())
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    if claimed == 1 {
        return Ok(KeyClaimed::New);
    }
    type Columns = (Vec<u8>, Option<i16>, Option<String>, Option<Value>);
    let row: Option<Columns> = statement(
        "SELECT fingerprint, status, location, body FROM idempotency_keys WHERE actor = $1 AND key = $2",
    )
    .bind::<Text, _>(key.actor)
    .bind::<Text, _>(key.key)
    .returning::<(Bytea, Nullable<Int2>, Nullable<Text>, Nullable<Jsonb>)>()
    .get_result(db)
    .await
    .optional()?;
    Ok(match row {
        None => return Err(StoreError::Contended),
        Some((fingerprint, ..)) if fingerprint != key.fingerprint => KeyClaimed::OtherRequest,
        Some((_, None, ..)) => KeyClaimed::Unanswered,
        Some((_, Some(status), location, body)) => {
            KeyClaimed::Answered(KeptAnswer { status: status.unsigned_abs(), location, body })
        }
    })
}

/// Keeps the answer of the request that has claimed the key.
pub async fn idempotency_key_answer(
    db: &mut Db,
    key: IdempotencyKey<'_>,
    answer: &KeptAnswer,
) -> Result<(), StoreError> {
    statement(
        "UPDATE idempotency_keys SET status = $3, location = $4, body = $5 WHERE actor = $1 AND key = $2",
    )
    .bind::<Text, _>(key.actor)
    .bind::<Text, _>(key.key)
    .bind::<Int2, _>(i16::try_from(answer.status).unwrap_or(i16::MAX))
    .bind::<Nullable<Text>, _>(answer.location.as_deref())
    .bind::<Nullable<Jsonb>, _>(answer.body.clone())
    .execute(db)
    .await?;
    Ok(())
}
