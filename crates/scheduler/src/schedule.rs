//! Cron schedules: a tick that is due starts a sync, once.
//!
//! Ticks are missed while no scheduler leads. The last missed tick is caught up if it is not too old; the others are recorded
//! as missed, each of them. Ticks before the last change of the schedule do not count: a schedule that is switched on at noon
//! does not start the sync of the night before. Ticks of a pause are recorded as skipped.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{
    Cause, Scope, SyncId,
    clock::Clock,
    cron::CronSchedule,
    schedule::{ScheduleName, SchedulePause, next_time},
    tick::TickOutcome,
    values::ImoNumber,
};
use outbox::Outbox;
use serde_json::json;
use store::{
    Store, StoreError,
    engine::ticks::{DueTick, TickFired, tick_fire, tick_last, ticks_note},
    ledger::syncs::NewSync,
    records::vessel_ids_by_imo,
    settings::schedules::{Schedule, ScheduleDefinition, schedule_list},
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
    /// The schedules whose next run is shown.
    shown: Mutex<BTreeSet<String>>,
}

/// Most missed ticks that are recorded at a look, the oldest first; the next look goes on.
const MISSED_AT_ONCE: usize = 1_000;

/// The ticks of a schedule that nobody has handled.
#[derive(Debug, PartialEq, Eq, Default)]
struct OpenTicks {
    /// The last one, if it is to start a sync and those before it are all in `missed`.
    due: Option<DateTime<Utc>>,
    /// Those that nobody fires any more, oldest first, each with the reason.
    missed: Vec<(DateTime<Utc>, String)>,
}

impl ScheduleTask {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>, config: &config::Schedule) -> Self {
        Self {
            outbox,
            clock,
            interval: Duration::from_millis(config.look_every_ms),
            catch_up_limit: TimeDelta::minutes(config.catch_up_minutes),
            shown: Mutex::default(),
        }
    }

    async fn fire_due_ticks(&self, store: &Store) -> Result<(), StoreError> {
        let now = self.clock.now();
        let schedules = schedule_list(&mut *store.db().await?).await?;
        self.show_next_runs(&schedules, now);
        let mut failure = None;
        for schedule in schedules.iter().filter(|schedule| schedule.definition.enabled) {
            // One that fails stops none of the others.
            if let Err(error) = self.look_at(store, schedule, now).await {
                failure = failure.or(Some(error));
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn look_at(
        &self,
        store: &Store,
        schedule: &Schedule,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Some((cron, zone)) = parse_schedule(schedule) else { return Ok(()) };
        let last = tick_last(&mut *store.db().await?, &schedule.name).await?;
        let since = last.map_or(schedule.updated_at, |last| last.max(schedule.updated_at));
        let ticks = open_ticks(&cron, zone, since, now, self.catch_up_limit);
        self.handle(store, schedule, ticks, now).await
    }

    /// Sets the gauge of each schedule's next run, and that of schedules that are gone to zero.
    fn show_next_runs(&self, schedules: &[Schedule], now: DateTime<Utc>) {
        let next_run = |schedule: &Schedule| {
            let (cron, zone) = parse_schedule(schedule).filter(|_| schedule.definition.enabled)?;
            next_time(&cron, zone, schedule.pause.as_ref(), now)
        };
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = std::mem::take(&mut *shown).into_iter().map(|name| (name, 0.0));
        let standing = schedules.iter().map(|schedule| {
            (schedule.name.to_string(), next_run(schedule).map_or(0.0, |next| next.timestamp() as f64))
        });
        let all: BTreeMap<String, f64> = gone.chain(standing).collect();
        for (name, next) in all {
            metrics::gauge!("sms_schedule_next_run_timestamp_seconds", "schedule" => name).set(next);
        }
        shown.extend(schedules.iter().map(|schedule| schedule.name.to_string()));
    }

    async fn handle(
        &self,
        store: &Store,
        schedule: &Schedule,
        ticks: OpenTicks,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let pause_at =
            |due_at: &DateTime<Utc>| schedule.pause.as_ref().filter(|pause| pause.holds_at(*due_at));
        let (paused, missed): (Vec<_>, Vec<_>) =
            ticks.missed.into_iter().partition(|(due_at, _why)| pause_at(due_at).is_some());
        // A tick from before the pause is not caught up in it either.
        let pause_of_due = |due_at: &DateTime<Utc>| pause_at(due_at).or_else(|| pause_at(&now));
        let due_in_pause = ticks.due.filter(|due_at| pause_of_due(due_at).is_some());
        let skipped: Vec<_> = paused
            .into_iter()
            .map(|(due_at, _why)| due_at)
            .chain(due_in_pause)
            .filter_map(|due_at| Some((due_at, paused_detail(pause_of_due(&due_at)?))))
            .collect();
        // Before the one that is due: that one is the last tick then, and those before it are not looked for again.
        self.note(store, schedule, TickOutcome::Missed, &missed, now).await?;
        self.note(store, schedule, TickOutcome::Skipped, &skipped, now).await?;
        match ticks.due {
            Some(due_at) if due_in_pause.is_none() => self.fire(store, schedule, due_at, now).await,
            _ => Ok(()),
        }
    }

    /// Records ticks that start no sync.
    async fn note(
        &self,
        store: &Store,
        schedule: &Schedule,
        outcome: TickOutcome,
        ticks: &[(DateTime<Utc>, String)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (Some((first, why)), Some((last, _))) = (ticks.first(), ticks.last()) else { return Ok(()) };
        let new = ticks_note(&mut *store.db().await?, &schedule.name, outcome, ticks, now).await?;
        if new > 0 {
            let (name, outcome_word) = (&schedule.name, outcome.as_str());
            match outcome {
                TickOutcome::Missed => {
                    tracing::warn!(schedule.name = %name, ticks = new, %first, %last, why, "ticks were {outcome_word}");
                }
                TickOutcome::Skipped | TickOutcome::Started => {
                    tracing::info!(schedule.name = %name, ticks = new, %first, %last, why, "ticks were {outcome_word}");
                }
            }
            count_ticks(name, outcome, new as u64);
        }
        Ok(())
    }

    #[tracing::instrument(name = "start scheduled sync", skip_all, fields(schedule.name = %schedule.name, sms.sync.id = tracing::field::Empty))]
    async fn fire(
        &self,
        store: &Store,
        schedule: &Schedule,
        due_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let Schedule { name, definition, .. } = schedule;
        let (scope, detail) = match scope_at_tick(store, definition).await? {
            ScopeAtTick::Found { scope, detail } => (scope, detail),
            ScopeAtTick::NoVesselKnown(why) => {
                return self.note(store, schedule, TickOutcome::Skipped, &[(due_at, why)], now).await;
            }
        };
        let sync = NewSync {
            id: SyncId::new(),
            cause: Cause::Scheduled,
            mode: definition.mode,
            scope,
            dry_run: false,
            retry_of: None,
            requested_by: format!("schedule {name}"),
            reason: Some(format!("the tick of {}", due_at.format("%Y-%m-%d %H:%M:%S UTC"))),
            trace_context: json!(chassis::telemetry::current_context()),
        };
        tracing::Span::current().record("sms.sync.id", sync.id.to_string());
        let tick = DueTick { schedule: name, due_at, overlap: definition.overlap, detail: detail.as_deref() };
        let fired = store.transaction(async |tx| tick_fire(tx, &tick, &sync, now).await).await?;
        match fired {
            TickFired::Started => {
                tracing::info!(schedule.name = %name, schedule.due_at = %due_at, sync.id = %sync.id, "a schedule started a sync");
                count_ticks(name, TickOutcome::Started, 1);
                self.outbox.publish_command(sync.id, chassis::telemetry::current_context()).await;
            }
            TickFired::Skipped(active) => {
                tracing::warn!(schedule.name = %name, schedule.due_at = %due_at, sync.id = %active, "skipped: this sync has not ended");
                count_ticks(name, TickOutcome::Skipped, 1);
            }
            TickFired::AlreadyFired => {}
        }
        Ok(())
    }
}

fn paused_detail(pause: &SchedulePause) -> String {
    format!("{} has paused the schedule: {}", pause.by, pause.reason)
}

/// What the sync of a tick is to look at.
enum ScopeAtTick {
    Found {
        scope: Scope,
        /// Vessels of the selection that are not known.
        detail: Option<String>,
    },
    /// With the reason.
    NoVesselKnown(String),
}

/// Looks up the vessels of a schedule. One that is not known stops none of the others.
async fn scope_at_tick(store: &Store, definition: &ScheduleDefinition) -> Result<ScopeAtTick, StoreError> {
    let selection = definition.selection.clone().for_mode(definition.mode);
    if selection.vessel_imos.is_empty() {
        return Ok(ScopeAtTick::Found { scope: selection.into_scope(BTreeSet::new()), detail: None });
    }
    let imo_numbers: Vec<ImoNumber> = selection.vessel_imos.iter().filter_map(|it| it.parse().ok()).collect();
    let known = vessel_ids_by_imo(&mut *store.db().await?, &imo_numbers).await?;
    let unknown: Vec<&str> =
        selection.vessel_imos.iter().map(String::as_str).filter(|imo| !known.contains_key(*imo)).collect();
    let detail = (!unknown.is_empty())
        .then(|| format!("no vessel is known with the IMO number {}", unknown.join(", ")));
    Ok(match detail {
        Some(why) if known.is_empty() => ScopeAtTick::NoVesselKnown(why),
        detail => ScopeAtTick::Found { scope: selection.into_scope(known.into_values().collect()), detail },
    })
}

/// Schedules are checked when operators set them. One that cannot be parsed was written into the table by hand.
fn parse_schedule(schedule: &Schedule) -> Option<(CronSchedule, Tz)> {
    let ScheduleDefinition { cron, time_zone, .. } = &schedule.definition;
    match (cron.parse(), time_zone.parse()) {
        (Ok(cron), Ok(zone)) => Some((cron, zone)),
        _ => {
            tracing::error!(
                schedule.name = %schedule.name,
                schedule.cron = cron,
                schedule.time_zone = time_zone,
                "a schedule cannot be parsed, and does not fire; set it again"
            );
            None
        }
    }
}

fn count_ticks(schedule: &ScheduleName, outcome: TickOutcome, ticks: u64) {
    metrics::counter!("sms_schedule_ticks_total", "schedule" => schedule.to_string(), "outcome" => outcome.as_str())
        .increment(ticks);
}

/// `since`: the last tick that was handled, or the last change of the schedule.
fn open_ticks(
    cron: &CronSchedule,
    zone: Tz,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
    catch_up_limit: TimeDelta,
) -> OpenTicks {
    let Some(last) = cron.last_time_until(now, zone).filter(|last| *last > since) else {
        return OpenTicks::default();
    };
    let before = cron.times_after(since, zone).take_while(|due_at| *due_at < last).take(MISSED_AT_ONCE);
    let why = "no scheduler ran when it was due; a later tick stands for it";
    let mut missed: Vec<_> = before.map(|due_at| (due_at, why.to_owned())).collect();
    if missed.len() == MISSED_AT_ONCE {
        return OpenTicks { due: None, missed };
    }
    if now - last <= catch_up_limit {
        return OpenTicks { due: Some(last), missed };
    }
    missed.push((last, "no scheduler ran when it was due, and it is too old to be caught up".to_owned()));
    OpenTicks { due: None, missed }
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

    fn leadership_ended(&self) {
        self.show_next_runs(&[], self.clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    /// The open ticks of a schedule of every night at two, which may be caught up for an hour: the one that is due, and those
    /// that were missed.
    fn nightly_ticks(since: &str, now: &str) -> (Option<DateTime<Utc>>, Vec<DateTime<Utc>>) {
        let cron = "0 2 * * *".parse().expect("a schedule");
        let ticks = open_ticks(&cron, Tz::UTC, at(since), at(now), TimeDelta::hours(1));
        (ticks.due, ticks.missed.into_iter().map(|(due_at, _why)| due_at).collect())
    }

    const NONE: (Option<DateTime<Utc>>, Vec<DateTime<Utc>>) = (None, Vec::new());

    #[test]
    fn a_tick_is_due_from_its_time_on() {
        assert_eq!(nightly_ticks("2026-06-01T02:00:00Z", "2026-06-02T01:59:59Z"), NONE);
        assert_eq!(
            nightly_ticks("2026-06-01T02:00:00Z", "2026-06-02T02:00:01Z"),
            (Some(at("2026-06-02T02:00:00Z")), vec![])
        );
    }

    #[test]
    fn a_tick_that_was_handled_is_not_due_again() {
        assert_eq!(nightly_ticks("2026-06-02T02:00:00Z", "2026-06-02T02:00:01Z"), NONE);
    }

    #[test]
    fn the_last_of_several_missed_ticks_is_caught_up_within_the_limit_and_the_others_are_missed() {
        let missed = ["2026-06-02T02:00:00Z", "2026-06-03T02:00:00Z", "2026-06-04T02:00:00Z"].map(at);
        assert_eq!(
            nightly_ticks("2026-06-01T02:00:00Z", "2026-06-05T02:40:00Z"),
            (Some(at("2026-06-05T02:00:00Z")), missed.to_vec())
        );
    }

    #[test]
    fn a_missed_tick_over_the_limit_is_not_caught_up() {
        let missed = ["2026-06-04T02:00:00Z", "2026-06-05T02:00:00Z"].map(at);
        assert_eq!(nightly_ticks("2026-06-03T02:00:00Z", "2026-06-05T08:00:00Z"), (None, missed.to_vec()));
    }

    #[test]
    fn ticks_before_a_change_of_the_schedule_are_not_due() {
        assert_eq!(nightly_ticks("2026-06-02T02:30:00Z", "2026-06-02T02:31:00Z"), NONE);
    }

    #[test]
    fn very_many_missed_ticks_are_recorded_look_by_look_before_the_last_one_fires() {
        let every_minute = "* * * * *".parse().expect("a schedule");
        let (mut since, now) = (at("2026-06-01T00:00:00Z"), at("2026-06-02T16:40:30Z"));
        let mut look = || {
            let ticks = open_ticks(&every_minute, Tz::UTC, since, now, TimeDelta::hours(1));
            since = ticks.missed.last().map_or(since, |(due_at, _why)| *due_at);
            (ticks.due, ticks.missed.len())
        };
        assert_eq!(look(), (None, 1_000));
        assert_eq!(look(), (None, 1_000));
        assert_eq!(look(), (Some(at("2026-06-02T16:40:00Z")), 439));
    }
}
