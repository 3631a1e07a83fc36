//! Ticks of schedules: rows of `schedule_ticks`, one for each time at which a schedule was due.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::tick::TickOutcome;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::syncs::{NewSync, SyncCreated, sync_create},
};

/// Result of firing a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TickFired {
    /// The tick has started its sync.
    Started,
    /// The tick is recorded as skipped: a full sync is active.
    Skipped,
    /// Another scheduler has fired the tick.
    AlreadyFired,
}

/// The due time of the last tick of a schedule.
pub async fn tick_last(db: &mut Db, schedule: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(statement("SELECT max(due_at) FROM schedule_ticks WHERE schedule = $1")
        .bind::<Text, _>(schedule)
        .returning::<Nullable<Timestamptz>>()
        .get_result(db)
        .await?)
}

/// Fires a tick: records it, and creates the sync that it starts. A tick fires once, however many schedulers fire it.
/// The sync's command is published after the commit. In a transaction.
pub async fn tick_fire(
    db: &mut Db,
    schedule: &str,
    due_at: DateTime<Utc>,
    sync: &NewSync,
    now: DateTime<Utc>,
) -> Result<TickFired, StoreError> {
    let fired = statement(
        "INSERT INTO schedule_ticks (schedule, due_at, outcome, fired_at) VALUES ($1, $2, $4, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(schedule)
    .bind::<Timestamptz, _>(due_at)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(TickOutcome::Skipped.as_str())
    .execute(db)
    .await?;
    if fired == 0 {
        return Ok(TickFired::AlreadyFired);
    }
    let (outcome, sync_id, detail) = match sync_create(db, sync, now).await? {
        SyncCreated::Created | SyncCreated::Already => (TickOutcome::Started, sync.id, None),
        SyncCreated::FullSyncRunning(id) => (TickOutcome::Skipped, id, Some("a full sync had not ended")),
    };
    statement(
        "UPDATE schedule_ticks SET outcome = $3, sync_id = $4, detail = $5 WHERE schedule = $1 AND due_at = $2",
    )
    .bind::<Text, _>(schedule)
    .bind::<Timestamptz, _>(due_at)
    .bind::<Text, _>(outcome.as_str())
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Nullable<Text>, _>(detail)
    .execute(db)
    .await?;
    Ok(match outcome {
        TickOutcome::Started => TickFired::Started,
        TickOutcome::Skipped => TickFired::Skipped,
    })
}

/// Records a missed tick as skipped, if it is not recorded yet.
pub async fn tick_skip(
    db: &mut Db,
    schedule: &str,
    due_at: DateTime<Utc>,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO schedule_ticks (schedule, due_at, outcome, detail, fired_at) VALUES ($1, $2, $5, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(schedule)
    .bind::<Timestamptz, _>(due_at)
    .bind::<Text, _>(why)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(TickOutcome::Skipped.as_str())
    .execute(db)
    .await?;
    Ok(())
}
