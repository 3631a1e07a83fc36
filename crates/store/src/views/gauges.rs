//! Gauges: counts of rows that are open, for metrics and overviews.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{Mode, SyncState, WebhookState, conflict::ConflictState, dead_letter::DeadLetterState};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::{syncs::active_states, tasks::open_states},
};

/// How much is open.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Gauges {
    /// Syncs that have not ended.
    #[diesel(sql_type = Int8)]
    pub active_syncs: i64,
    /// Rows that wait to be published.
    #[diesel(sql_type = Int8)]
    pub unpublished: i64,
    /// Since when the oldest unpublished row waits.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub unpublished_since: Option<DateTime<Utc>>,
    /// Messages that were put off, and are published when they are due.
    #[diesel(sql_type = Int8)]
    pub postponed: i64,
    /// Dead letters that nobody has replayed.
    #[diesel(sql_type = Int8)]
    pub dead_letters: i64,
    /// Conflicts that nobody has resolved.
    #[diesel(sql_type = Int8)]
    pub open_conflicts: i64,
}

/// Counts what is open.
pub async fn gauges(db: &mut Db) -> Result<Gauges, StoreError> {
    let text = format!(
        "SELECT (SELECT count(*) FROM sync_logs WHERE state IN {active}) AS active_syncs,
             (SELECT count(*) FROM dead_letters WHERE state = '{dead}') AS dead_letters,
             (SELECT count(*) FROM postponed_messages) AS postponed,
             (SELECT count(*) FROM conflicts WHERE state = '{open}') AS open_conflicts,
             count(*) AS unpublished, min(since) AS unpublished_since
         FROM (SELECT received_at AS since FROM webhook_events WHERE state = '{received}'
               UNION ALL SELECT started_at FROM sync_logs WHERE published_at IS NULL AND state = '{queued}'
               UNION ALL SELECT created_at FROM sync_queue WHERE published_at IS NULL AND state IN {open_tasks}
               UNION ALL SELECT replayed_at FROM dead_letters WHERE state = '{replaying}') AS waiting",
        active = active_states(),
        dead = DeadLetterState::Dead.as_str(),
        open = ConflictState::Open,
        received = WebhookState::Received,
        queued = SyncState::Queued,
        open_tasks = open_states(),
        replaying = DeadLetterState::Replaying.as_str(),
    );
    Ok(statement(&text).get_result(db).await?)
}

/// The tables of the database, each with its bytes on disk, indexes included.
pub async fn table_sizes(db: &mut Db) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(statement(
        "SELECT relname::text, pg_total_relation_size(oid) FROM pg_class
         WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1",
    )
    .returning::<(Text, Int8)>()
    .load(db)
    .await?)
}

/// What waits for somebody, and when syncs last succeeded: for alerts.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Standing {
    /// Since when the oldest open conflict is open.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub conflicts_since: Option<DateTime<Utc>>,
    /// Approval events that were accepted and are not processed.
    #[diesel(sql_type = Int8)]
    pub events_waiting: i64,
    /// Since when the oldest of them waits.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub events_since: Option<DateTime<Utc>>,
    /// End of the last full sync that completed without errors.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub full_success_at: Option<DateTime<Utc>>,
    /// The same of an incremental sync.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub incremental_success_at: Option<DateTime<Utc>>,
}

/// Reads what waits for somebody.
pub async fn standing(db: &mut Db) -> Result<Standing, StoreError> {
    let last_success = |mode: Mode| {
        format!(
            "(SELECT max(completed_at) FROM sync_logs WHERE mode = '{mode}' AND state = '{}' AND NOT dry_run)",
            SyncState::Completed
        )
    };
    let text = format!(
        "SELECT (SELECT min(opened_at) FROM conflicts WHERE state = '{open}') AS conflicts_since,
             count(*) AS events_waiting, min(received_at) AS events_since,
             {full} AS full_success_at, {incremental} AS incremental_success_at
         FROM (SELECT received_at FROM webhook_events WHERE state = '{received}'
               UNION ALL SELECT received_at FROM webhook_events WHERE state = '{published}') AS waiting",
        open = ConflictState::Open,
        full = last_success(Mode::Full),
        incremental = last_success(Mode::Incremental),
        received = WebhookState::Received,
        published = WebhookState::Published,
    );
    Ok(statement(&text).get_result(db).await?)
}
