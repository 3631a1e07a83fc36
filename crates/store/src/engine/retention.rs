//! Retention: rows that are deleted once they are old enough.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::WebhookState;

use crate::db::{
    connection::Db,
    error::StoreError,
    statement::{statement, word_list},
};

/// Deleted rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Syncs, with their tasks and findings. Their conflicts stay.
    pub syncs: usize,
    pub webhook_events: usize,
    pub dead_letters: usize,
}

/// Deletes what ended before `before`. Unfinished work, dead letters that were not replayed with success, and the audit
/// log stay.
pub async fn retention_purge(db: &mut Db, before: DateTime<Utc>) -> Result<Purged, StoreError> {
    let syncs = rows_delete(db, "DELETE FROM sync_logs WHERE completed_at < $1", before).await?;
    let text = format!(
        "DELETE FROM webhook_events WHERE received_at < $1 AND state IN {}",
        word_list([WebhookState::Processed, WebhookState::Ignored].map(WebhookState::as_str))
    );
    let webhook_events = rows_delete(db, &text, before).await?;
    let dead_letters = rows_delete(
        db,
        "WITH jobs AS (DELETE FROM replay_jobs j WHERE created_at < $1 AND NOT EXISTS
             (SELECT FROM replay_items i WHERE i.job_id = j.id AND i.state IN ('waiting', 'sent')))
         DELETE FROM dead_letters WHERE succeeded_at < $1",
        before,
    )
    .await?;
    Ok(Purged { syncs, webhook_events, dead_letters })
}

async fn rows_delete(db: &mut Db, text: &str, before: DateTime<Utc>) -> Result<usize, StoreError> {
    Ok(statement(text).bind::<Timestamptz, _>(before).execute(db).await?)
}
