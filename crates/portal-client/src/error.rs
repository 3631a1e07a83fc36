//! What can go wrong between us and the onboarding portal.

use std::time::Duration;

use domain::FailureClass;

/// A request to the onboarding portal that brought nothing to work with.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// The client could not be made: a malformed address or key.
    #[error("the onboarding portal's address or key cannot be used: {0}")]
    Unusable(String),
    /// No answer: refused, reset, timed out, no such host.
    #[error("the onboarding portal did not answer")]
    NoAnswer(#[source] reqwest::Error),
    /// It was not asked: it has failed again and again, and is left alone for a while.
    #[error("the onboarding portal is left alone for a while: its circuit is open")]
    CircuitOpen {
        /// When to come again.
        retry_in: Duration,
    },
    /// An answer that is not a success.
    #[error("the onboarding portal answered {status} to {path}{}", detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default())]
    Status {
        /// HTTP status.
        status: u16,
        /// What was asked for.
        path: String,
        /// Title or detail of its problem, cut.
        detail: Option<String>,
        /// What its `Retry-After` asks for.
        retry_after: Option<Duration>,
    },
    /// The answer broke off, or is not JSON: it may have been cut on the way.
    #[error("the onboarding portal's answer to {path} cannot be read")]
    Unreadable {
        /// What was asked for.
        path: String,
        /// Where reading failed.
        #[source]
        source: serde_json::Error,
    },
    /// More bytes than a page may have.
    #[error("the onboarding portal's answer to {path} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        path: String,
        /// The limit.
        limit: usize,
    },
    /// JSON, but not what the contract says.
    #[error("the onboarding portal breaks its contract in the answer to {path}: {what}")]
    Contract {
        /// What was asked for.
        path: String,
        /// Which promise is broken.
        what: String,
    },
}

impl PortalError {
    /// Whether it may pass by itself.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::NoAnswer(_) | Self::Unreadable { .. } | Self::CircuitOpen { .. } => FailureClass::Transient,
            Self::Status { status, .. } => FailureClass::of_http_status(*status),
            Self::Unusable(_) | Self::TooLarge { .. } | Self::Contract { .. } => FailureClass::Permanent,
        }
    }

    /// Whether the portal seems to be ill: no answer, a broken one, or one that says so itself.
    pub(crate) const fn is_sickness(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::Unreadable { .. } => true,
            Self::Status { status, .. } => *status >= 500,
            Self::Unusable(_) | Self::CircuitOpen { .. } | Self::TooLarge { .. } | Self::Contract { .. } => {
                false
            }
        }
    }

    /// When the portal asked to be tried again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
