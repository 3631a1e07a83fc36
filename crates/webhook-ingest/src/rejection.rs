//! Why a request is rejected: for operators the reason, for the sender a problem that says no more than it needs.

use std::time::Duration;

use actix_web::http::StatusCode;
use chassis::problem::Problem;
use domain::WebhookRefusal;

use crate::recorder::RecordError;

/// `Retry-After` of a 503: the database is gone, or too many webhooks wait for it.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A rejected request. Reason and detail are for operators; the sender sees only the problem.
pub(crate) struct Rejection {
    pub(crate) reason: WebhookRefusal,
    pub(crate) detail: String,
    pub(crate) problem: Problem,
}

impl Rejection {
    pub(crate) fn new(reason: WebhookRefusal, detail: impl Into<String>, problem: Problem) -> Self {
        Self { reason, detail: detail.into(), problem }
    }

    /// Another webhook with the same id was recorded before.
    pub(crate) fn id_reused() -> Self {
        let detail =
            "webhook-id is that of an earlier webhook with another body: send a new webhook under a new id";
        let problem = Problem::new(StatusCode::CONFLICT, "webhook_id_reused").with_detail(detail);
        Self::new(WebhookRefusal::IdReused, detail, problem)
    }

    /// A limit on waiting webhooks or their bodies is reached.
    pub(crate) fn overloaded(detail: impl Into<String>) -> Self {
        let problem = "too many webhooks wait to be recorded; send it again";
        Self::new(
            WebhookRefusal::Overloaded,
            detail,
            Problem::unavailable("webhook_overload", problem, RETRY_AFTER),
        )
    }
}

impl From<RecordError> for Rejection {
    fn from(error: RecordError) -> Self {
        let detail = error.to_string();
        match error {
            RecordError::Overloaded => Self::overloaded(detail),
            RecordError::Outage | RecordError::TooSlow | RecordError::Store(_) => {
                let problem = Problem::unavailable(
                    "webhook_not_recorded",
                    "the event could not be recorded; send it again",
                    RETRY_AFTER,
                );
                Self::new(WebhookRefusal::NotRecorded, detail, problem.with_source(error))
            }
        }
    }
}
