//! The outcome of the last request, for those who report whether the portal is well.

use chrono::{DateTime, Utc};
use domain::peer_outcome::OutcomeClass;

use crate::PortalError;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOutcome {
    pub class: OutcomeClass,
    /// What went wrong, without anything that the portal wrote: its text may repeat the key. None if nothing did.
    pub failure: Option<String>,
    pub ended_at: DateTime<Utc>,
}

impl RequestOutcome {
    /// The outcome of a request for the whole of a list, or for one record, which may be gone (`404`, `410`). None if the
    /// request was not sent.
    pub(crate) fn of<T>(
        result: &Result<T, PortalError>,
        asks_for_one_record: bool,
        ended_at: DateTime<Utc>,
    ) -> Option<Self> {
        let ok = Self { class: OutcomeClass::Ok, failure: None, ended_at };
        let Err(error) = result else { return Some(ok) };
        let failure = match error {
            PortalError::CircuitOpen { .. } | PortalError::Paused { .. } => return None,
            PortalError::Status { status: 404 | 410, .. } if asks_for_one_record => return Some(ok),
            PortalError::Status { status: status @ (401 | 403), path, .. } => {
                format!("the onboarding portal answered {status} to {path}: it refuses the API key")
            }
            PortalError::Status { status, path, .. } => {
                format!("the onboarding portal answered {status} to {path}")
            }
            error => error.to_string(),
        };
        Some(Self { class: error.class().into(), failure: Some(failure), ended_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> Result<(), PortalError> {
        let detail = Some("the key s3cret is not known".to_owned());
        Err(PortalError::Status { status, path: "sync/vessels".into(), detail, retry_after: None })
    }

    fn outcome(
        result: &Result<(), PortalError>,
        asks_for_one_record: bool,
    ) -> Option<(OutcomeClass, String)> {
        let outcome = RequestOutcome::of(result, asks_for_one_record, DateTime::UNIX_EPOCH)?;
        Some((outcome.class, outcome.failure.unwrap_or_default()))
    }

    #[test]
    fn refused_key_is_a_permanent_outcome_without_the_portals_words() {
        let (class, failure) = outcome(&status(401), false).expect("the request was sent");
        assert_eq!(class, OutcomeClass::Permanent);
        assert!(failure.contains("401") && !failure.contains("s3cret"), "{failure}");
    }

    #[test]
    fn record_that_is_gone_is_an_answer_and_a_list_that_is_gone_is_not() {
        assert_eq!(outcome(&status(404), true).map(|it| it.0), Some(OutcomeClass::Ok));
        assert_eq!(outcome(&status(404), false).map(|it| it.0), Some(OutcomeClass::Permanent));
        assert_eq!(outcome(&status(503), true).map(|it| it.0), Some(OutcomeClass::Transient));
    }

    #[test]
    fn request_that_was_not_sent_has_no_outcome() {
        let retry_in = std::time::Duration::from_secs(1);
        assert_eq!(outcome(&Err(PortalError::CircuitOpen { retry_in }), false), None);
    }
}
