//! What is forgotten in time.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Syncs, with their tasks, findings and conflicts.
    pub syncs: usize,
    /// Webhook events.
    pub webhook_events: usize,
    /// Dead letters.
    pub dead_letters: usize,
}

/// Forgets what ended before `before`. What is open, dead letters that nobody has handled, and the audit stay.
///
/// # Errors
///
/// If the database fails.
pub async fn retention_purge(db: &mut Db, before: DateTime<Utc>) -> Result<Purged, StoreError> {
    let mut gone = [0; 3];
    for (text, count) in [
        "DELETE FROM sync_logs WHERE completed_at < $1",
        "DELETE FROM webhook_events WHERE received_at < $1 AND state IN ('processed', 'ignored')",
        "WITH jobs AS (DELETE FROM replay_jobs j WHERE created_at < $1 AND NOT EXISTS
             (SELECT FROM replay_items i WHERE i.job_id = j.id AND i.state IN ('waiting', 'sent')))
         DELETE FROM dead_letters WHERE succeeded_at < $1",
    ]
    .into_iter()
    .zip(&mut gone)
    {
        *count = statement(text).bind::<Timestamptz, _>(before).execute(db).await?;
    }
    let [syncs, webhook_events, dead_letters] = gone;
    Ok(Purged { syncs, webhook_events, dead_letters })
}
