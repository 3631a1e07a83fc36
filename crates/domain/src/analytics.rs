//! Analytics: what happened in an hour or a day, and how long things took.

use chrono::{DateTime, Days, DurationRound, TimeDelta, Utc};

use crate::vocabulary::vocabulary;

vocabulary!(
    /// How long a window of the analytics is. Windows begin at whole hours and days of UTC.
    WindowWidth {
        Hour = "hour",
        Day = "day",
    }
);

impl WindowWidth {
    /// The beginning of the window that holds a time.
    #[must_use]
    pub fn start_of(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let width = match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        };
        // Only times that nanoseconds cannot count fail: before 1677 and after 2262.
        at.duration_trunc(width).unwrap_or(at)
    }

    /// The beginning of the window after the one that begins at `start`.
    #[must_use]
    pub fn next(self, start: DateTime<Utc>) -> DateTime<Utc> {
        let next = match self {
            Self::Hour => start.checked_add_signed(TimeDelta::hours(1)),
            Self::Day => start.checked_add_days(Days::new(1)),
        };
        next.unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

vocabulary!(
    /// What is counted.
    Measure {
        /// Syncs that ended, by mode, cause and state; not dry runs.
        Syncs = "syncs",
        /// How long they took, in seconds.
        SyncSeconds = "sync_seconds",
        /// Records that they read, by outcome.
        Records = "records",
        /// From an approval to its row, in seconds.
        LagSeconds = "lag_seconds",
        /// Findings, by code.
        Findings = "findings",
        /// Attempts that failed, by class.
        Attempts = "attempts",
    }
);

/// The last bucket: everything that took longer than about six months.
pub const LAST_BUCKET: i16 = 240;

/// Least seconds of bucket 1; bucket 0 has what took less.
const FIRST_BOUND: f64 = 0.01;

/// Buckets in which the time doubles.
const BUCKETS_PER_DOUBLING: f64 = 8.0;

/// The bucket of a number of seconds, as an SQL expression: [`bucket_bounds`] says the same in Rust.
#[must_use]
pub fn bucket_sql(seconds: &str) -> String {
    format!(
        "(CASE WHEN ({seconds}) < {FIRST_BOUND} THEN 0
               ELSE least({LAST_BUCKET}, 1 + floor({BUCKETS_PER_DOUBLING} * log(2, (({seconds}) / {FIRST_BOUND})::numeric)))
          END)::smallint"
    )
}

/// Between how many seconds what is in a bucket took.
fn bucket_bounds(bucket: i16) -> (f64, f64) {
    let bound = |n: i16| FIRST_BOUND * ((f64::from(n) - 1.0) / BUCKETS_PER_DOUBLING).exp2();
    if bucket <= 0 { (0.0, FIRST_BOUND) } else { (bound(bucket), bound(bucket + 1)) }
}

/// How long something took, of many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// In seconds, and so are the others: half took no longer. A tenth off at most.
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
}

impl Percentiles {
    /// Of how many fell into each bucket, in the order of buckets. None of nothing.
    #[must_use]
    pub fn of(buckets: &[(i16, u64)]) -> Option<Self> {
        let count: u64 = buckets.iter().map(|(_, n)| n).sum();
        let quantile = |share: f64| {
            let mut left = share * count as f64;
            for (bucket, n) in buckets {
                let (n, (from, to)) = (*n as f64, bucket_bounds(*bucket));
                if left <= n {
                    return from + (to - from) * (left / n);
                }
                left -= n;
            }
            buckets.last().map_or(0.0, |(bucket, _)| bucket_bounds(*bucket).1)
        };
        (count > 0).then(|| Self { count, p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_a_tenth_off_at_most() {
        // 1 to 1,000 seconds, each once.
        let mut buckets = std::collections::BTreeMap::new();
        for seconds in 1..=1000 {
            let bucket = (1..=LAST_BUCKET).rev().find(|n| bucket_bounds(*n).0 <= f64::from(seconds));
            *buckets.entry(bucket.unwrap_or(0)).or_insert(0) += 1;
        }
        let all = Percentiles::of(&buckets.into_iter().collect::<Vec<_>>()).expect("there are some");
        for (got, exact) in [(all.p50, 500.0), (all.p90, 900.0), (all.p99, 990.0)] {
            assert!((got / exact - 1.0).abs() < 0.1, "{got} is not {exact}");
        }
        assert_eq!(all.count, 1000);
    }

    #[test]
    fn percentiles_of_nothing_are_unknown_and_of_one_are_its_bucket() {
        assert_eq!(Percentiles::of(&[]), None);
        let one = Percentiles::of(&[(0, 1)]).expect("there is one");
        assert!(one.p99 <= FIRST_BOUND, "{one:?}");
        let slow = Percentiles::of(&[(LAST_BUCKET, 1)]).expect("there is one");
        assert!(slow.p50 > 8_000_000.0, "{slow:?}");
    }

    #[test]
    fn windows_begin_at_whole_hours_and_days() {
        let at: DateTime<Utc> = "2026-02-28T23:59:59.5Z".parse().expect("a time");
        let day = WindowWidth::Day.start_of(at);
        assert_eq!(day.to_rfc3339(), "2026-02-28T00:00:00+00:00");
        assert_eq!(WindowWidth::Day.next(day).to_rfc3339(), "2026-03-01T00:00:00+00:00");
        assert_eq!(WindowWidth::Hour.next(WindowWidth::Hour.start_of(at)), WindowWidth::Day.next(day));
    }
}
