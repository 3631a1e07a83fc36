//! Errors of requests to the onboarding portal, and their failure classes.

use std::time::Duration;

use domain::FailureClass;

#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// The address or key is malformed.
    #[error("the onboarding portal's address or key cannot be used: {0}")]
    Unusable(String),
    /// No answer: refused, reset, timed out, no such host.
    #[error("the onboarding portal did not answer")]
    NoAnswer(#[source] reqwest::Error),
    /// The request was not sent, since the portal has failed repeatedly.
    #[error("the request was not sent: the onboarding portal failed repeatedly, and its circuit is open")]
    CircuitOpen {
        /// Time until the circuit lets a request through.
        retry_in: Duration,
    },
    /// The request was not sent, since all workers leave the portal alone for a while.
    #[error("the request was not sent: the onboarding portal is left alone for a while, as it has asked for")]
    Paused {
        /// Time until requests are sent again.
        retry_in: Duration,
    },
    /// An answer other than 2xx.
    #[error("the onboarding portal answered {status} to {path}{}", detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default())]
    Status {
        status: u16,
        path: String,
        /// `detail` or `title` of the portal's problem (RFC 9457), shortened.
        detail: Option<String>,
        /// From the header `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The answer is not JSON: it may have been cut on the way.
    #[error("the onboarding portal's answer to {path} cannot be read{}", place.as_deref().map(|it| format!(" {it}")).unwrap_or_default())]
    Unreadable {
        path: String,
        /// Where, as far as it is known.
        place: Option<String>,
        #[source]
        source: serde_json::Error,
    },
    /// The body is larger than the limit.
    #[error("the onboarding portal's answer to {path} is larger than {limit} bytes")]
    TooLarge {
        path: String,
        /// In bytes.
        limit: usize,
    },
    /// JSON of another shape than the contract's, or against its rules.
    #[error("the onboarding portal breaks its contract in the answer to {path}: {what}")]
    Contract { path: String, what: String },
}

impl PortalError {
    pub fn class(&self) -> FailureClass {
        match self {
            Self::NoAnswer(_) | Self::Unreadable { .. } | Self::CircuitOpen { .. } | Self::Paused { .. } => {
                FailureClass::Transient
            }
            Self::Status { status, .. } => FailureClass::of_http_status(*status),
            Self::Unusable(_) | Self::TooLarge { .. } | Self::Contract { .. } => FailureClass::Permanent,
        }
    }

    /// Whether the circuit breaker counts the error as a failure of the portal.
    pub(crate) const fn is_portal_failure(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::Unreadable { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            Self::Unusable(_)
            | Self::CircuitOpen { .. }
            | Self::Paused { .. }
            | Self::TooLarge { .. }
            | Self::Contract { .. } => false,
        }
    }

    /// What the portal's `Retry-After` asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
