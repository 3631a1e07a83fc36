//! Cron schedules: five fields, and seconds before them if wanted, read in an IANA time zone.

use std::str::FromStr;

use chrono::{
    DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, NaiveTime, Offset, SubsecRound, TimeDelta,
    TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

/// Longest expression that is read.
const LENGTH_LIMIT: usize = 100;

/// Largest number of any field, and of a step.
const NUMBER_LIMIT: u8 = 59;

/// Least time between two ticks of a schedule with seconds: a sync that has not begun yet is no reason for another.
const LEAST_INTERVAL: TimeDelta = TimeDelta::seconds(10);

/// Most that clocks are changed by at once, the change of a day left out.
const CLOCK_CHANGE_LIMIT: TimeDelta = TimeDelta::hours(3);

/// How far ahead changes of the clocks are looked for.
const CLOCK_CHANGES_AHEAD: TimeDelta = TimeDelta::days(366);

/// Name, least and largest number of each field. The first one may be absent.
const FIELDS: [(&str, u8, u8); 6] = [
    ("second", 0, NUMBER_LIMIT),
    ("minute", 0, NUMBER_LIMIT),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
];

/// Why a text is no schedule.
#[derive(Debug, thiserror::Error)]
pub enum CronError {
    /// Longer than any sensible one.
    #[error("must be at most {LENGTH_LIMIT} characters")]
    TooLong,
    /// Neither five fields nor six.
    #[error(
        "must have five fields: minute, hour, day of month, month, day of week; a field for seconds may stand before them"
    )]
    Fields,
    /// The field for seconds lets it come more often than is sensible.
    #[error("must not come more often than every {} seconds", LEAST_INTERVAL.num_seconds())]
    TooOften,
    /// A field holds a number out of its range, or something else.
    #[error("{name} must be {least}–{most}, got {got}")]
    Field { name: &'static str, least: u8, most: u8, got: String },
    /// The parser refuses it.
    #[error("is no cron expression")]
    Malformed(#[source] croner::errors::CronError),
    /// It parses and never comes, such as 30 February.
    #[error("never comes")]
    NeverDue,
}

/// A time of a schedule, as the clocks of its zone show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    pub at: DateTime<FixedOffset>,
    /// What a change of the clocks does to it.
    pub shift: Option<ClockShift>,
}

/// What a change of the clocks does to a time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockShift {
    /// The clocks skip the time that is written: it comes when they go on.
    Skipped,
    /// The clocks show the time twice: it comes the first time.
    Repeated,
}

/// A change of a zone's clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockChange {
    pub at: DateTime<Utc>,
    /// Offset from UTC until then.
    pub before: FixedOffset,
    /// Offset from then on.
    pub after: FixedOffset,
    /// The first time of the schedule on that day or later.
    pub first_time: Option<LocalTime>,
}

/// A schedule that comes at some time.
#[derive(Debug, Clone)]
pub struct CronSchedule {
    text: String,
    cron: Cron,
    hours: Hours,
}

/// How the hours of an expression are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hours {
    /// By their numbers: each comes once a day, whatever the clocks do.
    Named,
    /// Every one, or every few: what they start comes on through changes of the clocks.
    Repeating,
}

/// The first instant at which clocks in the zone show this time; of one that they skip, the instant at which they go on.
fn first_instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let mut probe = local;
    // A gap ends within a day; its end is found to the minute.
    for _ in 0..24 * 60 {
        if let Some(instant) = zone.from_local_datetime(&probe).earliest() {
            return instant.with_timezone(&Utc);
        }
        probe = probe.with_second(0).unwrap_or(probe) + TimeDelta::minutes(1);
    }
    zone.from_utc_datetime(&local).with_timezone(&Utc)
}

impl FromStr for CronSchedule {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser expands ranges and lists, so length and numbers are bounded before it sees them.
        if text.len() > LENGTH_LIMIT {
            return Err(CronError::TooLong);
        }
        let fields: Vec<_> = text.split_ascii_whitespace().collect();
        // `@daily` and the like
        let is_nickname = text.starts_with('@');
        let is_complete = if is_nickname { fields.len() == 1 } else { matches!(fields.len(), 5 | 6) };
        if !is_complete {
            return Err(CronError::Fields);
        }
        if !is_nickname {
            check_numbers(&fields)?;
        }
        let text = fields.join(" ");
        let cron = parse(&text).map_err(|error| match wrong_field(&fields) {
            Some(wrong) if !is_nickname => wrong,
            _ => CronError::Malformed(error),
        })?;
        if cron.find_next_occurrence(&DateTime::UNIX_EPOCH, false).is_err() {
            return Err(CronError::NeverDue);
        }
        if let ([seconds, ..], 6) = (fields.as_slice(), fields.len())
            && comes_too_often(seconds)
        {
            return Err(CronError::TooOften);
        }
        let hour = fields.len().checked_sub(4).and_then(|at| fields.get(at));
        let hours = match hour.filter(|hour| !hour.starts_with('*')) {
            Some(_) => Hours::Named,
            // `@hourly` comes every hour; the other nicknames are of midnight.
            None if is_nickname && fields != ["@hourly"] => Hours::Named,
            None => Hours::Repeating,
        };
        Ok(Self { text, cron, hours })
    }
}

fn parse(text: &str) -> Result<Cron, croner::errors::CronError> {
    CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build().parse(text)
}

/// Whether two of the seconds that a field allows, of a minute or of two in turn, are close together.
fn comes_too_often(seconds: &str) -> bool {
    let Ok(cron) = parse(&format!("{seconds} * * * * *")) else { return false };
    let times: Vec<_> = cron.iter_after(DateTime::UNIX_EPOCH).take(NUMBER_LIMIT.into()).collect();
    times.windows(2).any(|pair| pair[1] - pair[0] < LEAST_INTERVAL)
}

/// What is known of the fields of an expression with this many.
fn fields_of(count: usize) -> &'static [(&'static str, u8, u8)] {
    &FIELDS[FIELDS.len().saturating_sub(count)..]
}

fn check_numbers(fields: &[&str]) -> Result<(), CronError> {
    for (text, (name, least, most)) in fields.iter().zip(fields_of(fields.len())) {
        for entry in text.split(',') {
            let (range, step) = entry.split_once('/').unwrap_or((entry, "1"));
            let wrong = numbers(range).find(|number| !is_within(number, *least, *most));
            let wrong =
                wrong.or_else(|| numbers(step).any(|it| !is_within(it, 1, NUMBER_LIMIT)).then_some(entry));
            if let Some(got) = wrong {
                return Err(CronError::Field { name, least: *least, most: *most, got: got.to_owned() });
            }
        }
    }
    Ok(())
}

fn is_within(number: &str, least: u8, most: u8) -> bool {
    number.parse().is_ok_and(|number: u8| (least..=most).contains(&number))
}

fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty())
}

/// The field that the parser refuses also among fields that allow everything.
fn wrong_field(fields: &[&str]) -> Option<CronError> {
    let known = fields_of(fields.len());
    let at = (0..known.len()).find(|at| {
        let mut alone = vec!["*"; known.len()];
        alone[*at] = fields[*at];
        parse(&alone.join(" ")).is_err()
    })?;
    let (name, least, most) = known[at];
    Some(CronError::Field { name, least, most, got: fields[at].to_owned() })
}

impl CronSchedule {
    /// The expression, single spaces between its fields.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The next `n` times after `after`, as clocks in `zone` show them. Where the hours are named, a time in the gap of a clock
    /// change comes at the gap's end, and one in the overlap comes once, the first time. Every hour or every few minutes come
    /// on through both.
    #[must_use]
    pub fn next_times(&self, after: DateTime<Utc>, zone: Tz, n: usize) -> Vec<DateTime<Utc>> {
        self.times_after(after, zone).take(n).collect()
    }

    /// All times after `after`, as [`Self::next_times`] reads them.
    pub fn times_after(
        &self,
        after: DateTime<Utc>,
        zone: Tz,
    ) -> Box<dyn Iterator<Item = DateTime<Utc>> + '_> {
        let local = zone.from_utc_datetime(&after.naive_utc());
        // As the clocks on the wall show them, from before any change of the clocks that `after` may lie in.
        let on_the_wall = self.cron.iter_after(local.naive_local().and_utc() - CLOCK_CHANGE_LIMIT);
        let mut last = after;
        let named = on_the_wall.map(move |due| first_instant(due.naive_utc(), zone)).filter(move |due| {
            let is_next = *due > last;
            last = last.max(*due);
            is_next
        });
        let repeating = self.cron.iter_after(local).map(|due| due.with_timezone(&Utc));
        match self.hours {
            Hours::Named => Box::new(named),
            Hours::Repeating => Box::new(repeating),
        }
    }

    /// The last time at or before `until`, read as [`Self::next_times`] does.
    #[must_use]
    pub fn last_time_until(&self, until: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        // Backwards the parser also meets times that do not come, and misses the end of a gap, which does: so what it finds
        // is where to start forwards from.
        let mut from =
            zone.from_utc_datetime(&until.naive_utc()).naive_local().and_utc() + CLOCK_CHANGE_LIMIT;
        loop {
            from = self.cron.find_previous_occurrence(&from, false).ok()?;
            let since = first_instant(from.naive_utc(), zone) - CLOCK_CHANGE_LIMIT;
            let due = self.times_after(since, zone).take_while(|due| *due <= until).last();
            if due.is_some() {
                return due;
            }
        }
    }

    /// The next `n` times after `after`, with what clock changes do to each.
    #[must_use]
    pub fn next_local_times(&self, after: DateTime<Utc>, zone: Tz, n: usize) -> Vec<LocalTime> {
        self.times_after(after, zone).take(n).map(|at| self.local_time(at, zone)).collect()
    }

    fn local_time(&self, at: DateTime<Utc>, zone: Tz) -> LocalTime {
        let local = at.with_timezone(&zone);
        let is_as_written = self.cron.is_time_matching(&local.naive_local().and_utc()).unwrap_or(true);
        let shift = match zone.from_local_datetime(&local.naive_local()) {
            _ if !is_as_written => Some(ClockShift::Skipped),
            MappedLocalTime::Ambiguous(first, second) => {
                let second = second.with_timezone(&Utc);
                let comes_again = self.next_times(second - TimeDelta::seconds(1), zone, 1) == [second];
                (at == first && !comes_again).then_some(ClockShift::Repeated)
            }
            _ => None,
        };
        LocalTime { at: local.fixed_offset(), shift }
    }

    /// The changes of the zone's clocks in the next year, each with the first time of the schedule on that day.
    #[must_use]
    pub fn clock_changes(&self, after: DateTime<Utc>, zone: Tz) -> Vec<ClockChange> {
        let offset = |at: DateTime<Utc>| at.with_timezone(&zone).offset().fix();
        let mut changes = Vec::new();
        let mut day = after;
        while day < after + CLOCK_CHANGES_AHEAD {
            let next = day + TimeDelta::days(1);
            let (before, then) = (offset(day), offset(next));
            if before != then {
                let (mut low, mut high) = (day, next);
                while high - low > TimeDelta::seconds(1) {
                    let middle = low + (high - low) / 2;
                    if offset(middle) == before { low = middle } else { high = middle }
                }
                let at = high.trunc_subsecs(0);
                let midnight = at.with_timezone(&zone).date_naive().and_time(NaiveTime::MIN);
                let begins =
                    zone.from_local_datetime(&midnight).earliest().map_or(at, |it| it.with_timezone(&Utc));
                let first = self.next_local_times(begins - TimeDelta::seconds(1), zone, 1);
                changes.push(ClockChange { at, before, after: then, first_time: first.into_iter().next() });
            }
            day = next;
        }
        changes
    }

    /// In English words.
    #[must_use]
    pub fn describe(&self) -> String {
        self.cron.describe()
    }
}

impl std::fmt::Display for CronSchedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn two_in_the_morning_comes_every_day() {
        let cron: CronSchedule = "0  2 * * *".parse().unwrap();
        assert_eq!(cron.as_str(), "0 2 * * *");
        assert_eq!(
            cron.next_times(at("2026-06-01T12:00:00Z"), Tz::UTC, 2),
            [at("2026-06-02T02:00:00Z"), at("2026-06-03T02:00:00Z")]
        );
        assert_eq!(cron.describe(), "At 02:00.");
    }

    #[test]
    fn oslo_changes_its_clocks() {
        let cron: CronSchedule = "30 2 * * *".parse().unwrap();
        let oslo = Tz::Europe__Oslo;
        // Spring: 02:30 does not exist on 29 March 2026 and comes at 03:00, which is 01:00 UTC.
        assert_eq!(
            cron.next_times(at("2026-03-28T12:00:00Z"), oslo, 2),
            [at("2026-03-29T01:00:00Z"), at("2026-03-30T00:30:00Z")]
        );
        // Autumn: 02:30 comes once on 25 October 2026.
        assert_eq!(
            cron.next_times(at("2026-10-24T12:00:00Z"), oslo, 2),
            [at("2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z")]
        );
    }

    #[test]
    fn the_last_time_is_one_that_came() {
        let oslo = Tz::Europe__Oslo;
        let last = |cron: &str, until: &str| {
            cron.parse::<CronSchedule>().unwrap().last_time_until(at(until), oslo).unwrap()
        };
        assert_eq!(last("30 2 * * *", "2026-06-02T00:30:00Z"), at("2026-06-02T00:30:00Z"));
        assert_eq!(last("30 2 * * *", "2026-06-02T00:29:59Z"), at("2026-06-01T00:30:00Z"));
        // The end of the gap, and the one time in the overlap.
        assert_eq!(last("30 2 * * *", "2026-03-29T12:00:00Z"), at("2026-03-29T01:00:00Z"));
        assert_eq!(last("30 2 * * *", "2026-10-25T12:00:00Z"), at("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_a_reason() {
        let refusal = |text: &str| text.parse::<CronSchedule>().unwrap_err().to_string();
        assert_eq!(
            refusal("* * * *"),
            "must have five fields: minute, hour, day of month, month, day of week; a field for seconds may stand \
             before them"
        );
        assert_eq!(refusal("0 0 0 2 * * *"), refusal("* * * *"));
        assert_eq!(refusal(&"*".repeat(101)), "must be at most 100 characters");
        assert_eq!(refusal("0 0 30 2 *"), "never comes");
    }

    #[test]
    fn seconds_may_stand_before_the_five_fields_ten_seconds_apart() {
        let cron: CronSchedule = "30 0 2 * * *".parse().unwrap();
        assert_eq!(cron.next_times(at("2026-06-01T12:00:00Z"), Tz::UTC, 1), [at("2026-06-02T02:00:30Z")]);
        assert_eq!(
            cron.last_time_until(at("2026-06-02T02:00:29Z"), Tz::UTC),
            Some(at("2026-06-01T02:00:30Z"))
        );
        let refusal = |text: &str| text.parse::<CronSchedule>().unwrap_err().to_string();
        assert_eq!(refusal("60 0 2 * * *"), "second must be 0–59, got 60");
        for text in ["* * * * * *", "*/9 * * * * *", "0,55 * * * * *", "0,9 0 2 * * *"] {
            assert_eq!(refusal(text), "must not come more often than every 10 seconds", "{text}");
        }
        assert!("*/10 * * * * *".parse::<CronSchedule>().is_ok());
    }

    #[test]
    fn times_that_clocks_skip_or_show_twice_are_pointed_out() {
        let oslo = Tz::Europe__Oslo;
        let nightly: CronSchedule = "30 2 * * *".parse().unwrap();
        let shown = |cron: &CronSchedule, after: &str, n| {
            let times = cron.next_local_times(at(after), oslo, n).into_iter();
            times.map(|it| (it.at.to_rfc3339(), it.shift)).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(&nightly, "2026-03-28T12:00:00Z", 2),
            [
                ("2026-03-29T03:00:00+02:00".to_owned(), Some(ClockShift::Skipped)),
                ("2026-03-30T02:30:00+02:00".to_owned(), None)
            ]
        );
        assert_eq!(
            shown(&nightly, "2026-10-24T12:00:00Z", 1),
            [("2026-10-25T02:30:00+02:00".to_owned(), Some(ClockShift::Repeated))]
        );
        let changes = nightly.clock_changes(at("2026-01-01T00:00:00Z"), oslo);
        let summary: Vec<_> = changes
            .iter()
            .map(|it| (it.at.to_rfc3339(), it.after.to_string(), it.first_time.unwrap().shift))
            .collect();
        assert_eq!(
            summary,
            [
                ("2026-03-29T01:00:00+00:00".to_owned(), "+02:00".to_owned(), Some(ClockShift::Skipped)),
                ("2026-10-25T01:00:00+00:00".to_owned(), "+01:00".to_owned(), Some(ClockShift::Repeated))
            ]
        );
        assert_eq!(nightly.clock_changes(at("2026-01-01T00:00:00Z"), Tz::UTC), []);
    }

    #[test]
    fn named_hours_come_once_a_day_and_repeating_ones_come_on_through_changes_of_the_clocks() {
        let oslo = Tz::Europe__Oslo;
        let local = |cron: &str, after: &str, n| {
            let cron: CronSchedule = cron.parse().unwrap();
            let times = cron.next_local_times(at(after), oslo, n).into_iter();
            times.map(|it| it.at.format("%d %H:%M%:z").to_string()).collect::<Vec<_>>()
        };
        let (spring, autumn) = ("2027-03-27T12:00:00Z", "2027-10-30T12:00:00Z");
        assert_eq!(local("0 2,14 * * *", spring, 3), ["27 14:00+01:00", "28 03:00+02:00", "28 14:00+02:00"]);
        assert_eq!(local("*/15 2 28 3 *", spring, 1), ["28 03:00+02:00"]);
        assert_eq!(local("30 2,3 * * *", autumn, 2), ["31 02:30+02:00", "31 03:30+01:00"]);
        assert_eq!(
            local("0 * 31 10 *", "2027-10-30T23:30:00Z", 3),
            ["31 02:00+02:00", "31 02:00+01:00", "31 03:00+01:00"],
            "nobody waits two hours for a sync of every hour"
        );
        assert_eq!(local("30 * 28 3 *", "2027-03-28T00:00:00Z", 2), ["28 01:30+01:00", "28 03:30+02:00"]);
        let nightly: CronSchedule = "0 2,14 * * *".parse().unwrap();
        assert_eq!(
            nightly.last_time_until(at("2027-03-28T08:00:00Z"), oslo),
            Some(at("2027-03-28T01:00:00Z"))
        );
    }

    #[test]
    fn wrong_field_is_named_with_its_range() {
        let refusal = |text: &str| text.parse::<CronSchedule>().unwrap_err().to_string();
        assert_eq!(refusal("0 999999999999 * * *"), "hour must be 0–23, got 999999999999");
        assert_eq!(refusal("0 40 * * *"), "hour must be 0–23, got 40");
        assert_eq!(refusal("0 0 1-32 * *"), "day of month must be 1–31, got 32");
        assert_eq!(refusal("0 0 * 13 *"), "month must be 1–12, got 13");
        assert_eq!(refusal("0 0 * * 1,8"), "day of week must be 0–7, got 8");
        assert_eq!(refusal("*/0 * * * *"), "minute must be 0–59, got */0");
        assert_eq!(refusal("é * * * *"), "minute must be 0–59, got é");
        assert_eq!(refusal("0 0 * * never"), "day of week must be 0–7, got never");
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,40}") {
            let _ = text.parse::<CronSchedule>();
        }

        #[test]
        fn looking_back_finds_what_looking_ahead_foretold(
            minute in 0u8..60, hour in 0u8..24, step in 1u8..12, day in 0i64..365, second in 0i64..86_400,
        ) {
            let cron: CronSchedule = format!("{minute} {hour}-23/{step} * * *").parse().unwrap();
            let until = at("2026-01-01T00:00:00Z") + chrono::Duration::seconds(day * 86_400 + second);
            let week_before = until - chrono::Duration::days(7);
            let foretold = cron.next_times(week_before, Tz::Europe__Oslo, 400);
            let last = foretold.into_iter().take_while(|due| *due <= until).last();
            prop_assert_eq!(cron.last_time_until(until, Tz::Europe__Oslo), last);
        }

        #[test]
        fn what_parses_prints_back(minute in 0u8..60, hour in 0u8..24, step in 1u8..30) {
            let text = format!("{minute} {hour}-23/{step} * * 1-5");
            let cron = text.parse::<CronSchedule>().unwrap();
            prop_assert_eq!(cron.to_string(), text);
            prop_assert_eq!(cron.next_times(DateTime::UNIX_EPOCH, Tz::UTC, 3).len(), 3);
        }
    }
}
