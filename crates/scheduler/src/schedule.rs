//! The cron schedule: a due tick starts a sync, once.
//!
//! Of ticks that were missed (nobody led) the last is caught up if it is not too old; an older one is recorded as
//! skipped. Ticks from before the schedule was changed last do not count: switching it on at noon does not make up for
//! the night.

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

use crate::{config, leader::Done};

/// Looks at the schedules.
pub(crate) struct Ticker {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    every: Duration,
    catch_up: TimeDelta,
}

/// What is to be done about a schedule now.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    /// Its time has not come.
    Later,
    /// The tick of this time.
    Fire(DateTime<Utc>),
    /// The tick of this time came while nobody led, too long ago.
    Missed(DateTime<Utc>),
}

impl Ticker {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>, config: &config::Schedule) -> Self {
        Self {
            outbox,
            clock,
            every: Duration::from_millis(config.look_every_ms),
            catch_up: TimeDelta::minutes(config.catch_up_minutes),
        }
    }

    pub(crate) const fn every(&self) -> Duration {
        self.every
    }

    pub(crate) async fn look(&self, store: &Store) -> Done {
        let now = self.clock.now();
        for schedule in schedule_list(&mut *store.db().await?).await? {
            let Some((cron, zone)) = parse(&schedule) else { continue };
            let next = if schedule.enabled { cron.next_after(now, zone, 1).first().copied() } else { None };
            metrics::gauge!("sms_schedule_next_run_timestamp_seconds", "schedule" => schedule.name.clone())
                .set(next.map_or(0.0, |next| next.timestamp() as f64));
            if !schedule.enabled {
                continue;
            }
            let last = tick_last(&mut *store.db().await?, &schedule.name).await?;
            let since = last.map_or(schedule.updated_at, |last| last.max(schedule.updated_at));
            match due(&cron, zone, since, now, self.catch_up) {
                Due::Later => {}
                Due::Fire(due_at) => self.fire(store, &schedule, due_at, now).await?,
                Due::Missed(due_at) => {
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
                tracing::info!(schedule.name = schedule.name, schedule.due_at = %due_at, sync.id = %sync.id, "a tick");
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

/// A schedule is checked when it is set; one that cannot be read was written by a foreign hand.
fn parse(schedule: &Schedule) -> Option<(CronSchedule, Tz)> {
    match (schedule.cron.parse(), schedule.time_zone.parse()) {
        (Ok(cron), Ok(zone)) => Some((cron, zone)),
        _ => {
            tracing::error!(
                schedule.name = schedule.name,
                schedule.cron = schedule.cron,
                schedule.time_zone = schedule.time_zone,
                "a schedule cannot be read, and does not fire; set it anew"
            );
            None
        }
    }
}

/// `since`: the last tick, or when the schedule was changed.
fn due(cron: &CronSchedule, zone: Tz, since: DateTime<Utc>, now: DateTime<Utc>, catch_up: TimeDelta) -> Due {
    match cron.last_until(now, zone).filter(|last| *last > since) {
        None => Due::Later,
        Some(last) if now - last <= catch_up => Due::Fire(last),
        Some(last) => Due::Missed(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn nightly(since: &str, now: &str) -> Due {
        let cron = "0 2 * * *".parse().expect("a schedule");
        due(&cron, Tz::UTC, at(since), at(now), TimeDelta::hours(1))
    }

    #[test]
    fn a_tick_fires_when_it_is_due_and_once() {
        assert_eq!(nightly("2026-06-01T02:00:00Z", "2026-06-02T01:59:59Z"), Due::Later);
        assert_eq!(
            nightly("2026-06-01T02:00:00Z", "2026-06-02T02:00:01Z"),
            Due::Fire(at("2026-06-02T02:00:00Z"))
        );
        assert_eq!(nightly("2026-06-02T02:00:00Z", "2026-06-02T02:00:01Z"), Due::Later);
    }

    #[test]
    fn of_missed_ticks_the_last_is_caught_up_unless_it_is_too_old() {
        assert_eq!(
            nightly("2026-06-01T02:00:00Z", "2026-06-05T02:40:00Z"),
            Due::Fire(at("2026-06-05T02:00:00Z"))
        );
        assert_eq!(
            nightly("2026-06-01T02:00:00Z", "2026-06-05T08:00:00Z"),
            Due::Missed(at("2026-06-05T02:00:00Z"))
        );
    }

    #[test]
    fn switching_a_schedule_on_does_not_make_up_for_the_past() {
        assert_eq!(nightly("2026-06-02T02:30:00Z", "2026-06-02T02:31:00Z"), Due::Later);
    }
}
