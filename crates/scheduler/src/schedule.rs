//! Cron schedules: a tick that is due starts a sync, once.
//!
//! Ticks are missed while no scheduler leads. The last missed tick is caught up if it is not too old; an older one is
//! recorded as skipped. Ticks before the last change of the schedule do not count: a schedule that is switched on at noon
//! does not start the sync of the night before.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{Cause, Scope, SyncId, clock::Clock, cron::CronSchedule};
use outbox::Outbox;
use serde_json::json;
use store::{
    Store, StoreError,
    engine::ticks::{TickFired, tick_fire, tick_last, tick_skip},
    ledger::syncs::NewSync,
    settings::sync_settings::{Schedule, schedule_list},
};

use crate::{
    config,
    periodic_task::{PeriodicTask, RunResult, TaskRun},
};

pub(crate) struct ScheduleTask {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    interval: Duration,
    /// A missed tick that is older is not caught up.
    catch_up_limit: TimeDelta,
}

/// The state of a schedule's last tick.
#[derive(Debug, PartialEq, Eq)]
enum Tick {
    NotDue,
    /// The tick of this time is due.
    Due(DateTime<Utc>),
    /// The tick of this time was missed, too long ago to be caught up.
    Missed(DateTime<Utc>),
}

impl ScheduleTask {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>, config: &config::Schedule) -> Self {
        Self {
            outbox,
            clock,
            interval: Duration::from_millis(config.look_every_ms),
            catch_up_limit: TimeDelta::minutes(config.catch_up_minutes),
        }
    }

    async fn fire_due_ticks(&self, store: &Store) -> Result<(), StoreError> {
        let now = self.clock.now();
        let schedules = schedule_list(&mut *store.db().await?).await?;
        for schedule in schedules {
            let Some((cron, zone)) = parse_schedule(&schedule) else { continue };
            let next = if schedule.enabled { cron.next_times(now, zone, 1).first().copied() } else { None };
            metrics::gauge!("sms_schedule_next_run_timestamp_seconds", "schedule" => schedule.name.clone())
                .set(next.map_or(0.0, |next| next.timestamp() as f64));
            if !schedule.enabled {
                continue;
            }
            let last = tick_last(&mut *store.db().await?, &schedule.name).await?;
            let since = last.map_or(schedule.updated_at, |last| last.max(schedule.updated_at));
            match last_tick(&cron, zone, since, now, self.catch_up_limit) {
                Tick::NotDue => {}
                Tick::Due(due_at) => self.fire(store, &schedule, due_at, now).await?,
                Tick::Missed(due_at) => {
                    tracing::warn!(schedule.name = schedule.name, schedule.due_at = %due_at, "a tick was missed");
                    let why = "no scheduler ran when it was due, and it is too old to be caught up";
                    tick_skip(&mut *store.db().await?, &schedule.name, due_at, why, now).await?;
                }
            }
        }
        Ok(())
    }

    async fn fire(
        &self,
        store: &Store,
        schedule: &Schedule,
        due_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sync = NewSync {
            id: SyncId::new(),
            cause: Cause::Scheduled,
            mode: schedule.mode,
            scope: Scope::default(),
            dry_run: false,
            retry_of: None,
            requested_by: format!("schedule {}", schedule.name),
            reason: Some(format!("the tick of {}", due_at.format("%Y-%m-%d %H:%M UTC"))),
            trace_context: json!({}),
        };
        let fired =
            store.transaction(async |tx| tick_fire(tx, &schedule.name, due_at, &sync, now).await).await?;
        match fired {
            TickFired::Started => {
                tracing::info!(schedule.name = schedule.name, schedule.due_at = %due_at, sync.id = %sync.id, "a schedule started a sync");
                self.outbox.publish_command(sync.id, BTreeMap::new()).await;
            }
            TickFired::Skipped => {
                tracing::warn!(schedule.name = schedule.name, schedule.due_at = %due_at, "skipped: a full sync runs");
            }
            TickFired::AlreadyFired => {}
        }
        Ok(())
    }
}

/// Schedules are checked when operators set them. One that cannot be parsed was written into the table by hand.
fn parse_schedule(schedule: &Schedule) -> Option<(CronSchedule, Tz)> {
    match (schedule.cron.parse(), schedule.time_zone.parse()) {
        (Ok(cron), Ok(zone)) => Some((cron, zone)),
        _ => {
            tracing::error!(
                schedule.name = schedule.name,
                schedule.cron = schedule.cron,
                schedule.time_zone = schedule.time_zone,
                "a schedule cannot be parsed, and does not fire; set it again"
            );
            None
        }
    }
}

/// `since`: the last tick that was handled, or the last change of the schedule.
fn last_tick(
    cron: &CronSchedule,
    zone: Tz,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    catch_up_limit: TimeDelta,
) -> Tick {
    match cron.last_time_until(now, zone).filter(|last| *last > since) {
        None => Tick::NotDue,
        Some(last) if now - last <= catch_up_limit => Tick::Due(last),
        Some(last) => Tick::Missed(last),
    }
}

impl PeriodicTask for ScheduleTask {
    fn name(&self) -> &'static str {
        "schedule"
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t> {
        Box::pin(async { self.fire_due_ticks(store).await.map(|()| RunResult::Finished) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    /// The last tick of a schedule of every night at two, which may be caught up for an hour.
    fn nightly_tick(since: &str, now: &str) -> Tick {
        let cron = "0 2 * * *".parse().expect("a schedule");
        last_tick(&cron, Tz::UTC, at(since), at(now), TimeDelta::hours(1))
    }

    #[test]
    fn a_tick_is_due_from_its_time_on() {
        assert_eq!(nightly_tick("2026-06-01T02:00:00Z", "2026-06-02T01:59:59Z"), Tick::NotDue);
        assert_eq!(
            nightly_tick("2026-06-01T02:00:00Z", "2026-06-02T02:00:01Z"),
            Tick::Due(at("2026-06-02T02:00:00Z"))
        );
    }

    #[test]
    fn a_tick_that_was_handled_is_not_due_again() {
        assert_eq!(nightly_tick("2026-06-02T02:00:00Z", "2026-06-02T02:00:01Z"), Tick::NotDue);
    }

    #[test]
    fn the_last_of_several_missed_ticks_is_caught_up_within_the_limit() {
        assert_eq!(
            nightly_tick("2026-06-01T02:00:00Z", "2026-06-05T02:40:00Z"),
            Tick::Due(at("2026-06-05T02:00:00Z"))
        );
    }

    #[test]
    fn a_missed_tick_over_the_limit_is_not_caught_up() {
        assert_eq!(
            nightly_tick("2026-06-01T02:00:00Z", "2026-06-05T08:00:00Z"),
            Tick::Missed(at("2026-06-05T02:00:00Z"))
        );
    }

    #[test]
    fn ticks_before_a_change_of_the_schedule_are_not_due() {
        assert_eq!(nightly_tick("2026-06-02T02:30:00Z", "2026-06-02T02:31:00Z"), Tick::NotDue);
    }
}
