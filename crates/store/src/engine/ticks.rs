//! Ticks of schedules: rows of `schedule_ticks`, one for each time at which a schedule was due.

use chrono::{DateTime, Utc};
use diesel::{OptionalExtension, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    Mode, SyncId,
    schedule::{OverlapPolicy, ScheduleName},
    tick::TickOutcome,
};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::syncs::{NewSync, SyncCreated, active_states, sync_create},
};

/// A tick that is due.
#[derive(Debug, Clone, Copy)]
pub struct DueTick<'t> {
    pub schedule: &'t ScheduleName,
    pub due_at: DateTime<Utc>,
    pub overlap: OverlapPolicy,
    /// What is to be known of it, though it starts its sync.
    pub detail: Option<&'t str>,
}

/// Result of firing a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum TickFired {
    /// The tick has started its sync.
    Started,
    /// The tick is recorded as skipped: this sync has not ended.
    Skipped(SyncId),
    /// Another scheduler has fired the tick.
    AlreadyFired,
}

/// The due time of the last tick of a schedule.
pub async fn tick_last(db: &mut Db, schedule: &ScheduleName) -> Result<Option<DateTime<Utc>>, StoreError> {
    Ok(statement("SELECT max(due_at) FROM schedule_ticks WHERE schedule = $1")
        .bind::<Text, _>(schedule.as_str())
        .returning::<Nullable<Timestamptz>>()
        .get_result(db)
        .await?)
}

/// Fires a tick: records it, and creates the sync that it starts. A tick fires once, however many schedulers fire it.
/// The sync's command is published after the commit. In a transaction.
pub async fn tick_fire(
    db: &mut Db,
    tick: &DueTick<'_>,
    sync: &NewSync,
    now: DateTime<Utc>,
) -> Result<TickFired, StoreError> {
    let DueTick { schedule, due_at, overlap, detail } = *tick;
    let fired = statement(
        "INSERT INTO schedule_ticks (schedule, due_at, outcome, fired_at) VALUES ($1, $2, $4, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(schedule.as_str())
    .bind::<Timestamptz, _>(due_at)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(TickOutcome::Skipped.as_str())
    .execute(db)
    .await?;
    if fired == 0 {
        return Ok(TickFired::AlreadyFired);
    }
    let in_the_way = match overlap {
        OverlapPolicy::Skip => sync_in_the_way(db, schedule, sync.mode).await?,
        OverlapPolicy::Allow => None,
    };
    let skipped = |id, why| (TickFired::Skipped(id), TickOutcome::Skipped, id, Some(why));
    let (fired, outcome, sync_id, detail) = match in_the_way {
        Some(id) => skipped(id, "a sync had not ended"),
        None => match sync_create(db, sync, now).await? {
            SyncCreated::Created | SyncCreated::Already => {
                (TickFired::Started, TickOutcome::Started, sync.id, detail)
            }
            SyncCreated::FullSyncRunning(id) => skipped(id, "a full sync had not ended"),
        },
    };
    statement(
        "UPDATE schedule_ticks SET outcome = $3, sync_id = $4, detail = $5 WHERE schedule = $1 AND due_at = $2",
    )
    .bind::<Text, _>(schedule.as_str())
    .bind::<Timestamptz, _>(due_at)
    .bind::<Text, _>(outcome.as_str())
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Nullable<Text>, _>(detail)
    .execute(db)
    .await?;
    Ok(fired)
}

/// The sync for which a tick of this schedule and mode is skipped: one that the schedule has started, or a full or
/// incremental one if the tick would start another.
async fn sync_in_the_way(
    db: &mut Db,
    schedule: &ScheduleName,
    mode: Mode,
) -> Result<Option<SyncId>, StoreError> {
    let text = format!(
        "SELECT s.id FROM sync_logs s WHERE s.state IN {} AND NOT s.dry_run
             AND (($2 AND s.mode IN ('{}', '{}'))
                 OR EXISTS (SELECT FROM schedule_ticks t WHERE t.sync_id = s.id AND t.schedule = $1 AND t.outcome = '{}'))
         ORDER BY s.started_at LIMIT 1",
        active_states(),
        Mode::Full,
        Mode::Incremental,
        TickOutcome::Started
    );
    let found: Option<uuid::Uuid> = statement(&text)
        .bind::<Text, _>(schedule.as_str())
        .bind::<Bool, _>(mode != Mode::Selective)
        .returning::<Uuid>()
        .get_result(db)
        .await
        .optional()?;
    Ok(found.map(SyncId::from_uuid))
}

/// Records ticks that start no sync, each with the reason, unless they are recorded already. Returns how many are new.
pub async fn ticks_note(
    db: &mut Db,
    schedule: &ScheduleName,
    outcome: TickOutcome,
    ticks: &[(DateTime<Utc>, String)],
    now: DateTime<Utc>,
) -> Result<usize, StoreError> {
    let (due_at, why): (Vec<_>, Vec<_>) = ticks.iter().map(|(due_at, why)| (*due_at, why.as_str())).unzip();
    Ok(statement(
        "INSERT INTO schedule_ticks (schedule, due_at, outcome, detail, fired_at)
         SELECT $1, due_at, $4, why, $5 FROM unnest($2, $3) AS missed (due_at, why)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(schedule.as_str())
    .bind::<Array<Timestamptz>, _>(due_at)
    .bind::<Array<Text>, _>(why)
    .bind::<Text, _>(outcome.as_str())
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?)
}
