//! Ticks of schedules: rows of `schedule_ticks`, one for each time that was due.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::syncs::{NewSync, SyncCreated, sync_create},
};

/// What became of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TickFired {
    /// It is recorded, and the sync with it.
    Started,
    /// It is recorded as skipped: a full sync had not ended.
    Skipped,
    /// Another scheduler had fired it.
    AlreadyFired,
}

/// When a schedule fired last: the time that was due.
///
/// # Errors
///
/// If the database fails.
pub async fn tick_last(db: &mut Db, schedule: &str) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(statement("SELECT max(due_at) FROM schedule_ticks WHERE schedule = $1")
        .bind::<Text, _>(schedule)
        .returning::<Nullable<Timestamptz>>()
        .get_result(db)
        .await?)
}

/// Fires a tick, once, however many come with it: records it and the sync that it starts. In a transaction; the sync's
/// command is published after the commit.
///
/// # Errors
///
/// If the database fails.
pub async fn tick_fire(
    db: &mut Db,
    schedule: &str,
    due_at: DateTime<Utc>,
    sync: &NewSync,
    now: DateTime<Utc>,
) -> Result<TickFired, StoreError> {
    let fired = statement(
        "INSERT INTO schedule_ticks (schedule, due_at, outcome, fired_at) VALUES ($1, $2, 'skipped', $3)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(schedule)
    .bind::<Timestamptz, _>(due_at)
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    if fired == 0 {
        return Ok(TickFired::AlreadyFired);
    }
    let (fired, sync_id, detail) = match sync_create(db, sync, now).await? {
        SyncCreated::Created | SyncCreated::Already => (TickFired::Started, sync.id, None),
        SyncCreated::FullSyncRunning(id) => (TickFired::Skipped, id, Some("a full sync had not ended")),
    };
    statement(
        "UPDATE schedule_ticks SET outcome = $3, sync_id = $4, detail = $5 WHERE schedule = $1 AND due_at = $2",
    )
    .bind::<Text, _>(schedule)
    .bind::<Timestamptz, _>(due_at)
    .bind::<Text, _>(if fired == TickFired::Started { "started" } else { "skipped" })
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Nullable<Text>, _>(detail)
    .execute(db)
    .await?;
    Ok(fired)
}

/// Records that a tick was missed and is not caught up, once.
///
/// # Errors
///
/// If the database fails.
pub async fn tick_skip(
    db: &mut Db,
    schedule: &str,
    due_at: DateTime<Utc>,
    why: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "INSERT INTO schedule_ticks (schedule, due_at, outcome, detail, fired_at) VALUES ($1, $2, 'skipped', $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(schedule)
    .bind::<Timestamptz, _>(due_at)
    .bind::<Text, _>(why)
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    Ok(())
}
