//! When a failed webhook is sent again: a pure function of its retries.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The longest delay, should a configured one not be representable.
const DELAY_LIMIT: TimeDelta = TimeDelta::hours(24);

/// The delays before the second and each further attempt.
#[derive(Debug, Clone)]
pub(super) struct RetrySchedule(Vec<Duration>);

impl RetrySchedule {
    pub(super) fn of_seconds(seconds: &[f64]) -> Self {
        Self(
            seconds.iter().map(|seconds| Duration::try_from_secs_f64(*seconds).unwrap_or_default()).collect(),
        )
    }

    /// When to send again after `retries` retries; `None` when the schedule is used up. `jitter` from -1 to 1 changes
    /// the delay by up to a tenth, so that webhooks that failed together do not come back together.
    pub(super) fn next_attempt(
        &self,
        retries: usize,
        jitter: f64,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let delay = self.0.get(retries)?.mul_f64(1.0 + jitter.clamp(-1.0, 1.0) / 10.0);
        Some(now + TimeDelta::from_std(delay).unwrap_or(DELAY_LIMIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delay_seconds(retries: usize, jitter: f64) -> Option<i64> {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let schedule = RetrySchedule::of_seconds(&[10.0, 300.0]);
        schedule.next_attempt(retries, jitter, now).map(|at| (at - now).num_seconds())
    }

    #[test]
    fn delay_of_a_retry_is_scattered_by_a_tenth() {
        assert_eq!(delay_seconds(0, -1.0), Some(9));
        assert_eq!(delay_seconds(0, 0.0), Some(10));
        assert_eq!(delay_seconds(0, 1.0), Some(11));
        assert_eq!(delay_seconds(1, 0.0), Some(300));
    }

    #[test]
    fn schedule_ends_after_its_last_delay() {
        assert_eq!(delay_seconds(2, 0.0), None);
    }
}
