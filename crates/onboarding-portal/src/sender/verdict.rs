//! What the answer to a webhook means: a pure function of the answer.

use chrono::{DateTime, TimeDelta, Utc};

use super::target::Answer;

/// The longest pause that an endpoint may ask for.
const PAUSE_LIMIT: TimeDelta = TimeDelta::hours(24);

/// Result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Any 2xx.
    Delivered,
    /// Any other answer, or none: the webhook is sent again, not before the time that `Retry-After` asks for.
    Failed { not_before: Option<DateTime<Utc>> },
    /// The endpoint does not want this message any more.
    Abort,
    /// The endpoint does not want any message any more.
    Disable(&'static str),
}

impl Verdict {
    /// Judges an answer; an error is the reason why there was none.
    pub(super) fn of(answer: &Result<Answer, String>, now: DateTime<Utc>) -> Self {
        let Ok(answer) = answer else { return Self::Failed { not_before: None } };
        if (200..300).contains(&answer.status) {
            return Self::Delivered;
        }
        match answer.delivery.as_deref() {
            Some("abort-message") => return Self::Abort,
            Some("disable") => return Self::Disable("The endpoint asked for it: webhook-delivery: disable."),
            _ => {}
        }
        if answer.status == 410 {
            return Self::Disable("The endpoint answered 410 Gone.");
        }
        let requested = answer.retry_after.as_deref().and_then(|text| parse_retry_after(text, now));
        Self::Failed { not_before: requested.map(|at| at.min(now + PAUSE_LIMIT)) }
    }

    /// The label of metrics.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed { .. } => "failed",
            Self::Abort => "aborted",
            Self::Disable(_) => "disabled",
        }
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date.
fn parse_retry_after(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match text.trim().parse::<u32>() {
        Ok(seconds) => Some(now + TimeDelta::seconds(seconds.into())),
        Err(_not_seconds) => DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc()),
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

    fn verdict(answer: Answer) -> Verdict {
        Verdict::of(&Ok(answer), now())
    }

    #[test]
    fn status_2xx_means_delivered() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(verdict(answer(status)), Verdict::Delivered, "{status}");
        }
    }

    #[test]
    fn any_other_status_and_no_answer_mean_failed() {
        for status in [199, 301, 302, 307, 400, 401, 404, 429, 500, 503] {
            assert_eq!(verdict(answer(status)), Verdict::Failed { not_before: None }, "{status}");
        }
        assert_eq!(Verdict::of(&Err("refused".into()), now()), Verdict::Failed { not_before: None });
    }

    #[test]
    fn status_410_and_delivery_disable_disable_the_endpoint() {
        assert!(matches!(verdict(answer(410)), Verdict::Disable(_)));
        let disable = Answer { delivery: Some("disable".into()), ..answer(500) };
        assert!(matches!(verdict(disable), Verdict::Disable(_)));
    }

    #[test]
    fn delivery_abort_message_aborts_and_unknown_delivery_does_not() {
        let delivery = |text: &str| Answer { delivery: Some(text.into()), ..answer(500) };
        assert_eq!(verdict(delivery("abort-message")), Verdict::Abort);
        assert_eq!(verdict(delivery("something")), Verdict::Failed { not_before: None });
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_date_and_is_bounded() {
        let pause_seconds =
            |text: &str| match verdict(Answer { retry_after: Some(text.into()), ..answer(429) }) {
                Verdict::Failed { not_before } => not_before.map(|at| (at - now()).num_seconds()),
                other => panic!("{other:?}"),
            };
        assert_eq!(pause_seconds("120"), Some(120));
        assert_eq!(pause_seconds("Tue, 24 Nov 2026 12:10:00 GMT"), Some(600));
        assert_eq!(pause_seconds("4000000"), Some(24 * 3600));
        assert_eq!(pause_seconds("soon"), None);
    }
}
