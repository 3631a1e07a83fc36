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
    let (fired, outcome, sync_id, detail) = match sync_create(db, sync, now).await? {
        SyncCreated::Created | SyncCreated::Already => {
            (TickFired::Started, TickOutcome::Started, sync.id, None)
        }
        SyncCreated::FullSyncRunning(id) => {
            (TickFired::Skipped, TickOutcome::Skipped, id, Some("a full sync had not ended"))
        }
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
    Ok(fired)
}

/// Records ticks that were missed, each with the reason, unless they are recorded already. Returns how many are new.
pub async fn ticks_miss(
    db: &mut Db,
    schedule: &str,
    missed: &[(DateTime<Utc>, String)],
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let (due_at, why): (Vec<_>, Vec<_>) = missed.iter().map(|(due_at, why)| (*due_at, why.as_str())).unzip();
    Ok(statement(
        "INSERT INTO schedule_ticks (schedule, due_at, outcome, detail, fired_at)
         SELECT $1, due_at, $4, why, $5 FROM unnest($2, $3) AS missed (due_at, why)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(schedule)
    .bind::<Array<Timestamptz>, _>(due_at)
    .bind::<Array<Text>, _>(why)
    .bind::<Text, _>(TickOutcome::Missed.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?)
}
