//! What a cron expression means, in words and times.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use contracts::operator::SchedulePreview;
use domain::cron::CronSchedule;

/// How many of the next times are shown.
const SHOWN: usize = 5;

/// An expression in a zone, both read.
#[derive(Debug, Clone)]
pub(crate) struct ZonedSchedule {
    cron: CronSchedule,
    zone: Tz,
}

/// What is wrong with them, in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) cron: Option<String>,
    pub(crate) zone: Option<String>,
}

impl ZonedSchedule {
    pub(crate) fn parse(cron: &str, zone: &str) -> Result<Self, Unreadable> {
        let parsed = (cron.parse::<CronSchedule>(), zone.parse::<Tz>());
        match parsed {
            (Ok(cron), Ok(zone)) => Ok(Self { cron, zone }),
            (cron, zone) => Err(Unreadable {
                cron: cron.err().map(|error| error.to_string()),
                zone: zone.err().map(|_unknown| "is no IANA time zone, like Europe/Oslo or UTC".to_owned()),
            }),
        }
    }

    pub(crate) fn preview(&self, now: DateTime<Utc>) -> SchedulePreview {
        SchedulePreview {
            description: self.cron.describe(),
            next_runs: self.cron.next_times(now, self.zone, SHOWN),
        }
    }

    pub(crate) fn next(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.cron.next_times(now, self.zone, 1).into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_said_of_both_at_once() {
        let wrong = ZonedSchedule::parse("61 * * * *", "Mars/Olympus").unwrap_err();
        assert!(wrong.cron.is_some() && wrong.zone.is_some(), "{wrong:?}");
    }

    #[test]
    fn a_preview_shows_five_times_in_the_zone() {
        let schedule = ZonedSchedule::parse("0 2 * * *", "Europe/Oslo").unwrap();
        let preview = schedule.preview("2026-11-24T12:00:00Z".parse().unwrap());
        assert_eq!(preview.next_runs.len(), 5);
        assert_eq!(preview.next_runs[0].to_rfc3339(), "2026-11-25T01:00:00+00:00");
        assert!(preview.description.contains("02:00"), "{}", preview.description);
    }
}
