//! A cron expression in a time zone: its words and its next times.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use contracts::operator::{self, ClockChange, LocalRun, SchedulePreview};
use domain::{
    cron::{ClockShift, CronSchedule, LocalTime},
    schedule::{SchedulePause, next_time},
};
use store::settings::schedules::{self, ScheduleDefinition};

/// Number of times that a preview lists.
const PREVIEW_LIMIT: usize = 5;

#[derive(Debug, Clone)]
pub(crate) struct ZonedSchedule {
    cron: CronSchedule,
    zone: Tz,
}

/// What is wrong with the cron expression, with the time zone, or with both.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct InvalidSchedule {
    pub(crate) cron: Option<String>,
    pub(crate) zone: Option<String>,
}

impl ZonedSchedule {
    pub(crate) fn parse(cron: &str, zone: &str) -> Result<Self, InvalidSchedule> {
        match (cron.parse::<CronSchedule>(), zone.parse::<Tz>()) {
            (Ok(cron), Ok(zone)) => Ok(Self { cron, zone }),
            (cron, zone) => Err(InvalidSchedule {
                cron: cron.err().map(|error| error.to_string()),
                zone: zone
                    .err()
                    .map(|_unknown| "must be an IANA time zone, such as Europe/Oslo or UTC".to_owned()),
            }),
        }
    }

    pub(crate) fn preview(&self, now: DateTime<Utc>) -> SchedulePreview {
        let times = self.cron.next_local_times(now, self.zone, PREVIEW_LIMIT);
        let changes = self.cron.clock_changes(now, self.zone);
        SchedulePreview {
            description: self.cron.describe(),
            next_runs: times.iter().map(|time| time.at.to_utc()).collect(),
            local_runs: times.into_iter().map(local_run).collect(),
            clock_changes: changes.into_iter().map(clock_change).collect(),
        }
    }

    /// The next time at which a schedule that is on starts a sync.
    fn next_time(&self, pause: Option<&SchedulePause>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        next_time(&self.cron, self.zone, pause, now)
    }
}

fn local_run(time: LocalTime) -> LocalRun {
    let note = time.shift.map(|shift| match shift {
        ClockShift::Skipped => {
            "the clocks skip the time of the schedule on this day: it comes when they go on"
        }
        ClockShift::Repeated => "the clocks show this time twice on this day: it comes the first time",
    });
    LocalRun { at: time.at, note: note.map(str::to_owned) }
}

fn clock_change(change: domain::cron::ClockChange) -> ClockChange {
    ClockChange {
        at: change.at,
        offset_before: change.before.to_string(),
        offset_after: change.after.to_string(),
        first_run: change.first_time.map(local_run),
    }
}

/// The preview of a stored schedule. Only a change of the row by hand makes it one that cannot be parsed: the answer still
/// shows all else.
pub(crate) fn preview_of(schedule: &ScheduleDefinition, now: DateTime<Utc>) -> SchedulePreview {
    match ZonedSchedule::parse(&schedule.cron, &schedule.time_zone) {
        Ok(schedule) => schedule.preview(now),
        Err(error) => SchedulePreview {
            description: format!("Invalid schedule: {}", error.cron.or(error.zone).unwrap_or_default()),
            next_runs: Vec::new(),
            local_runs: Vec::new(),
            clock_changes: Vec::new(),
        },
    }
}

/// A pause as the API shows it.
pub(crate) fn pause(it: domain::schedule::SchedulePause) -> operator::SchedulePause {
    operator::SchedulePause { reason: it.reason, by: it.by, since: it.since, until: it.until }
}

/// When a schedule starts a sync next.
pub(crate) fn next_run(it: &schedules::Schedule, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let definition = &it.definition;
    let zoned = ZonedSchedule::parse(&definition.cron, &definition.time_zone).ok()?;
    if definition.enabled { zoned.next_time(it.pause.as_ref(), now) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedule_with_wrong_cron_and_wrong_zone_reports_both() {
        let error = ZonedSchedule::parse("61 * * * *", "Mars/Olympus").unwrap_err();
        assert!(error.cron.is_some() && error.zone.is_some(), "{error:?}");
    }

    #[test]
    fn preview_lists_five_times_in_the_zone() {
        let schedule = ZonedSchedule::parse("0 2 * * *", "Europe/Oslo").unwrap();
        let preview = schedule.preview("2026-11-24T12:00:00Z".parse().unwrap());
        assert_eq!(preview.next_runs.len(), 5);
        assert_eq!(preview.next_runs[0].to_rfc3339(), "2026-11-25T01:00:00+00:00");
        assert!(preview.description.contains("02:00"), "{}", preview.description);
    }
}
