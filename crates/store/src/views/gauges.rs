//! Figures about the ledger, for metrics and overviews; and what is forgotten in time.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// The ledger in figures.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Gauges {
    /// Syncs that have not ended.
    #[diesel(sql_type = Int8)]
    pub active_syncs: i64,
    /// Rows that wait for the relay.
    #[diesel(sql_type = Int8)]
    pub unpublished: i64,
    /// Since when the oldest of them waits.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub unpublished_since: Option<DateTime<Utc>>,
    /// Dead letters that nobody has done anything about.
    #[diesel(sql_type = Int8)]
    pub dead_letters: i64,
    /// Conflicts that nobody has resolved.
    #[diesel(sql_type = Int8)]
    pub open_conflicts: i64,
}

/// The ledger in figures.
///
/// # Errors
///
/// If the database fails.
pub async fn gauges(db: &mut Db) -> Result<Gauges, StoreError> {
    Ok(statement(
        "SELECT (SELECT count(*) FROM sync_logs WHERE state IN ('queued', 'running', 'retrying')) AS active_syncs,
             (SELECT count(*) FROM dead_letters WHERE state = 'dead') AS dead_letters,
             (SELECT count(*) FROM conflicts WHERE state = 'open') AS open_conflicts,
             count(*) AS unpublished, min(since) AS unpublished_since
         FROM (SELECT received_at AS since FROM webhook_events WHERE state = 'received'
               UNION ALL SELECT started_at FROM sync_logs WHERE published_at IS NULL AND state = 'queued'
               UNION ALL SELECT created_at FROM sync_queue WHERE published_at IS NULL AND state IN ('pending', 'retrying')
               UNION ALL SELECT replayed_at FROM dead_letters WHERE state = 'replaying') AS waiting",
    )
    .get_result(db)
    .await?)
}
