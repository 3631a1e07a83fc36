//! Failed attempts at messages: rows of `attempts`, appended and never changed.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{FailureClass, SyncId};

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    page::{Page, Window, count_of, page_load},
    statement::statement,
};

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The AMQP message id.
    pub message_id: String,
    /// None for a message that belongs to no sync.
    pub sync_id: Option<SyncId>,
    /// From 1.
    pub number: u32,
    pub class: FailureClass,
    /// For people.
    pub failure: String,
    pub began_at: DateTime<Utc>,
    pub duration_ms: u32,
    /// When the next attempt is due; none if the message went to the dead letters.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

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

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    message_id: String,
    #[diesel(sql_type = Nullable<Uuid>)]
    sync_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Int4)]
    number: i32,
    #[diesel(sql_type = Text)]
    class: String,
    #[diesel(sql_type = Text)]
    failure: String,
    #[diesel(sql_type = Timestamptz)]
    began_at: DateTime<Utc>,
    #[diesel(sql_type = Int4)]
    duration_ms: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_attempt_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "message_id, sync_id, number, class, failure, began_at, duration_ms, next_attempt_at";

impl TryFrom<Row> for Attempt {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            class: word("attempts", "class", &row.message_id, &row.class)?,
            message_id: row.message_id,
            sync_id: row.sync_id.map(SyncId::from_uuid),
            number: row.number.unsigned_abs(),
            failure: row.failure,
            began_at: row.began_at,
            duration_ms: row.duration_ms.unsigned_abs(),
            next_attempt_at: row.next_attempt_at,
        })
    }
}

/// The newest failed attempts of a sync, newest first.
pub async fn attempt_list(db: &mut Db, id: SyncId, limit: u32) -> Result<Vec<Attempt>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM attempts WHERE sync_id = $1 ORDER BY id DESC LIMIT $2");
    let rows: Vec<Row> =
        statement(&text).bind::<Uuid, _>(id.as_uuid()).bind::<Int8, _>(i64::from(limit)).load(db).await?;
    rows.into_iter().map(Attempt::try_from).collect()
}

/// A page of the failed attempts of a sync, newest first.
pub async fn attempt_page(db: &mut Db, id: SyncId, window: Window<()>) -> Result<Page<Attempt>, StoreError> {
    let text =
        format!("SELECT {COLUMNS} FROM attempts WHERE sync_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3");
    let rows = statement(&text).bind::<Uuid, _>(id.as_uuid());
    let total = count_of("attempts WHERE sync_id = $1");
    page_load::<Row, _, _>(db, rows, statement(&total).bind::<Uuid, _>(id.as_uuid()), &window).await
}

/// The newest failed attempts at a message, newest first.
pub async fn attempts_of(db: &mut Db, message_id: &str, limit: u32) -> Result<Vec<Attempt>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM attempts WHERE message_id = $1 ORDER BY id DESC LIMIT $2");
    let rows: Vec<Row> =
        statement(&text).bind::<Text, _>(message_id).bind::<Int8, _>(i64::from(limit)).load(db).await?;
    rows.into_iter().map(Attempt::try_from).collect()
}
