//! Who sent a request, by a token that was verified.

use std::time::Duration;

use jsonwebtoken::get_current_timestamp;

use super::{API_KEY_SUBJECT_PREFIX, Role, TokenScope};
use crate::problem::Problem;

/// The bearer of a verified token or API key. Only [`super::OperatorKeys::verify`] creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    pub(super) subject: String,
    pub(super) role: Role,
    pub(super) token_id: Option<String>,
    pub(super) issued_at: u64,
    pub(super) expires_at: u64,
    pub(super) scope: Option<TokenScope>,
}

impl Operator {
    /// The token's `sub`: the name the issuer gives the operator. Of an API key its name, after [`API_KEY_SUBJECT_PREFIX`].
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether it is a service with an API key.
    #[must_use]
    pub fn is_api_key(&self) -> bool {
        self.subject.starts_with(API_KEY_SUBJECT_PREFIX)
    }

    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The token's `jti`, or the id of the API key. Tokens of another issuer may have none.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// The token's `iat`, in seconds since 1970.
    #[must_use]
    pub fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// How long the token is still valid. Zero in the last seconds, for which the clocks of issuer and verifier may differ.
    #[must_use]
    pub fn valid_for(&self) -> Duration {
        Duration::from_secs(self.expires_at.saturating_sub(get_current_timestamp()))
    }

    /// The part of the fleet that the token is limited to; none: the whole fleet.
    #[must_use]
    pub fn scope(&self) -> Option<&TokenScope> {
        self.scope.as_ref()
    }

    /// The end of the token, in seconds since 1970.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Returns a 403 problem unless the role suffices: for rules inside a handler.
    pub fn require(&self, required: Role) -> Result<(), Problem> {
        if self.role >= required {
            return Ok(());
        }
        let (role, can) = (self.role, required.sufficient_roles());
        Err(Problem::forbidden("role_too_low", format!("You are {role}; this can be done by {can}.")))
    }
}
