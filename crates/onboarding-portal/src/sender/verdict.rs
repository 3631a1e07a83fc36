//! What an answer means, and when to try again: values in, values out.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::target::Answer;

/// The longest wait that an endpoint may ask for.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// What an attempt led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Any 2xx.
    Delivered,
    /// Everything else is worth another try; where the endpoint asks for a pause, not before that time.
    Failed {
        /// What `Retry-After` asks for.
        not_before: Option<DateTime<Utc>>,
    },
    /// The endpoint wants this message no more.
    Abort,
    /// The endpoint wants nothing more.
    Disable(&'static str),
}

impl Verdict {
    /// For metrics.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed { .. } => "failed",
            Self::Abort => "aborted",
            Self::Disable(_) => "disabled",
        }
    }
}

/// Judges an answer, or that there was none.
pub(super) fn judge(answer: &Result<Answer, String>, now: DateTime<Utc>) -> Verdict {
    let Ok(answer) = answer else { return Verdict::Failed { not_before: None } };
    if (200..300).contains(&answer.status) {
        return Verdict::Delivered;
    }
    match answer.delivery.as_deref() {
        Some("abort-message") => return Verdict::Abort,
        Some("disable") => return Verdict::Disable("The endpoint asked for it: webhook-delivery: disable."),
        _ => {}
    }
    if answer.status == 410 {
        return Verdict::Disable("The endpoint answered 410 Gone.");
    }
    let asked = answer.retry_after.as_deref().and_then(|text| retry_after(text, now));
    Verdict::Failed { not_before: asked.map(|at| at.min(now + LONGEST_WAIT)) }
}

/// `Retry-After`: seconds, or a date.
fn retry_after(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match text.trim().parse::<u32>() {
        Ok(seconds) => Some(now + TimeDelta::seconds(seconds.into())),
        Err(_not_seconds) => DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc()),
    }
}

/// The waits before each further attempt.
#[derive(Debug, Clone)]
pub(super) struct Schedule(Vec<Duration>);

impl Schedule {
    /// Waits in seconds.
    pub(super) fn of_seconds(seconds: &[f64]) -> Self {
        Self(
            seconds.iter().map(|seconds| Duration::try_from_secs_f64(*seconds).unwrap_or_default()).collect(),
        )
    }

    /// When to try again after `retries` tries beyond the first; none when all are used up. `scatter` from -1 to 1
    /// moves it by up to a tenth of the wait, so that what failed together does not come back together.
    pub(super) fn after(&self, retries: usize, scatter: f64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let wait = self.0.get(retries)?.mul_f64(1.0 + scatter.clamp(-1.0, 1.0) / 10.0);
        Some(now + TimeDelta::from_std(wait).unwrap_or(LONGEST_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn answer(status: u16) -> Answer {
        Answer { status, beginning: String::new(), retry_after: None, delivery: None }
    }

    #[test]
    fn any_2xx_delivers_and_everything_else_does_not() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(judge(&Ok(answer(status)), now()), Verdict::Delivered, "{status}");
        }
        for status in [199, 301, 302, 307, 400, 401, 404, 429, 500, 503] {
            assert_eq!(judge(&Ok(answer(status)), now()), Verdict::Failed { not_before: None }, "{status}");
        }
        assert_eq!(judge(&Err("refused".into()), now()), Verdict::Failed { not_before: None });
    }

    #[test]
    fn gone_and_disable_end_all_sending_and_abort_this_message() {
        assert!(matches!(judge(&Ok(answer(410)), now()), Verdict::Disable(_)));
        let says = |delivery: &str| Answer { delivery: Some(delivery.into()), ..answer(500) };
        assert!(matches!(judge(&Ok(says("disable")), now()), Verdict::Disable(_)));
        assert_eq!(judge(&Ok(says("abort-message")), now()), Verdict::Abort);
        assert_eq!(judge(&Ok(says("something")), now()), Verdict::Failed { not_before: None });
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date_and_is_bounded() {
        let asked = |text: &str| {
            let answer = Answer { retry_after: Some(text.into()), ..answer(429) };
            match judge(&Ok(answer), now()) {
                Verdict::Failed { not_before } => not_before.map(|at| (at - now()).num_seconds()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked("Tue, 24 Nov 2026 12:10:00 GMT"), Some(600));
        assert_eq!(asked("4000000"), Some(24 * 3600));
        assert_eq!(asked("soon"), None);
    }

    #[test]
    fn the_schedule_ends_and_scatters_by_a_tenth() {
        let schedule = Schedule::of_seconds(&[10.0, 300.0]);
        let seconds =
            |retries, scatter| schedule.after(retries, scatter, now()).map(|at| (at - now()).num_seconds());
        assert_eq!((seconds(0, 0.0), seconds(0, -1.0), seconds(0, 1.0)), (Some(10), Some(9), Some(11)));
        assert_eq!((seconds(1, 0.0), seconds(2, 0.0)), (Some(300), None));
    }
}
