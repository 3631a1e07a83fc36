//! Failed attempts at messages: rows of `attempts`, appended and never changed.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{FailureClass, SyncId};

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    statement::statement,
};

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The AMQP message id.
    pub message_id: String,
    /// The sync, if it belongs to one.
    pub sync_id: Option<SyncId>,
    /// From 1.
    pub number: u32,
    /// What kind of failure.
    pub class: FailureClass,
    /// Why, for people.
    pub failure: String,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// When the next one is due; none: it went to the dead letters.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// Appends an attempt that failed.
///
/// # Errors
///
/// If the database fails.
pub async fn attempt_append(db: &mut Db, attempt: &Attempt) -> Result<(), StoreError> {
    statement(
        "INSERT INTO attempts (message_id, sync_id, number, class, failure, began_at, duration_ms, next_attempt_at)
         VALUES ($1, (SELECT id FROM sync_logs WHERE id = $2), $3, $4, $5, $6, $7, $8)",
    )
    .bind::<Text, _>(&attempt.message_id)
    .bind::<Nullable<Uuid>, _>(attempt.sync_id.map(SyncId::as_uuid))
    .bind::<Int4, _>(i32::try_from(attempt.number).unwrap_or(i32::MAX))
    .bind::<Text, _>(attempt.class.as_str())
    .bind::<Text, _>(&attempt.failure)
    .bind::<Timestamptz, _>(attempt.began_at)
    .bind::<Int4, _>(i32::try_from(attempt.duration_ms).unwrap_or(i32::MAX))
    .bind::<Nullable<Timestamptz>, _>(attempt.next_attempt_at)
    .execute(db)
    .await?;
    Ok(())
}

/// The newest failed attempts of a sync, newest first.
///
/// # Errors
///
/// If the database fails.
pub async fn attempt_list(db: &mut Db, id: SyncId, limit: u32) -> Result<Vec<Attempt>, StoreError> {
    type Columns = (String, i32, String, String, DateTime<Utc>, i32, Option<DateTime<Utc>>);
    let rows: Vec<Columns> = statement(
        "SELECT message_id, number, class, failure, began_at, duration_ms, next_attempt_at FROM attempts
         WHERE sync_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Int8, _>(i64::from(limit))
    .returning::<(Text, Int4, Text, Text, Timestamptz, Int4, Nullable<Timestamptz>)>()
    .load(db)
    .await?;
    rows.into_iter()
        .map(|(message_id, number, class, failure, began_at, duration_ms, next_attempt_at)| {
            Ok(Attempt {
                class: word("attempts", "class", &message_id, &class)?,
                message_id,
                sync_id: Some(id),
                number: number.unsigned_abs(),
                failure,
                began_at,
                duration_ms: duration_ms.unsigned_abs(),
                next_attempt_at,
            })
        })
        .collect()
}

/// Failed attempts at a message, newest first.
///
/// # Errors
///
/// If the database fails.
pub async fn attempts_of(db: &mut Db, message_id: &str, limit: u32) -> Result<Vec<Attempt>, StoreError> {
    type Row = (Option<uuid::Uuid>, i32, String, String, DateTime<Utc>, i32, Option<DateTime<Utc>>);
    let rows: Vec<Row> = statement(
        "SELECT sync_id, number, class, failure, began_at, duration_ms, next_attempt_at FROM attempts
         WHERE message_id = $1 ORDER BY id DESC LIMIT $2",
    )
    .bind::<Text, _>(message_id)
    .bind::<Int8, _>(i64::from(limit))
    .returning::<(Nullable<Uuid>, Int4, Text, Text, Timestamptz, Int4, Nullable<Timestamptz>)>()
    .load(db)
    .await?;
    rows.into_iter()
        .map(|(sync_id, number, class, failure, began_at, duration_ms, next_attempt_at)| {
            Ok(Attempt {
                message_id: message_id.to_owned(),
                sync_id: sync_id.map(SyncId::from_uuid),
                number: number.unsigned_abs(),
                class: word("attempts", "class", message_id, &class)?,
                failure,
                began_at,
                duration_ms: duration_ms.unsigned_abs(),
                next_attempt_at,
            })
        })
        .collect()
}
