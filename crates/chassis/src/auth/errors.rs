//! Why keys cannot be used, and why a token is rejected.

use std::time::Duration;

use crate::problem::Problem;

/// Least length of the HS256 secret: the hash's own (RFC 7518, 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The secret is shorter than [`MIN_SECRET_BYTES`].
    #[error("the secret has {0} bytes, needs at least {MIN_SECRET_BYTES}")]
    WeakSecret(usize),
    /// The issuer's keys are no JWK set, or one of them is no key.
    #[error("the issuer's keys are not a usable JWK set")]
    Jwks(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the token could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
    /// Tokens are minted with our own secret, which is not configured.
    #[error("only the issuer of the public keys can mint tokens")]
    PublicKeysOnly,
    /// The subject would be refused.
    #[error("the subject {0}")]
    Subject(&'static str),
    #[error("the part of the fleet {0}")]
    Scope(&'static str),
    /// The token would be refused.
    #[error("a token may be valid for {} hours at most", .0.as_secs() / 3600)]
    TooLong(Duration),
}

/// Why a token was rejected.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the token has expired")]
    Expired,
    #[error("the token was revoked")]
    Revoked,
    #[error("the API key is not known")]
    UnknownApiKey,
    /// The keys of the issuer could not be read, or not for a day.
    #[error("the public keys of the token's issuer are not known at the moment")]
    NoIssuerKeys,
    /// No role of ours stands where the config says.
    #[error("the token names no role, as `{0}`, that is viewer, operator or admin")]
    Role(String),
    #[error("`sub` of the token {0}")]
    Subject(&'static str),
    /// The claim is no list of names.
    #[error("`{0}` of the token is no list of at most 200 names")]
    Scope(&'static str),
    #[error("the token is valid for too long: {} hours are the most", .0.as_secs() / 3600)]
    TooLong(Duration),
    /// The source says why, for the log; the caller is not told.
    #[error("the token is not valid")]
    Invalid(#[source] jsonwebtoken::errors::Error),
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Expired => "token_expired",
            TokenError::Revoked => "token_revoked",
            TokenError::Invalid(_)
            | TokenError::UnknownApiKey
            | TokenError::NoIssuerKeys
            | TokenError::Role(_)
            | TokenError::Subject(_)
            | TokenError::Scope(_)
            | TokenError::TooLong(_) => "invalid_token",
        };
        Self::unauthorized(code, format!("{error}.")).with_source(error)
    }
}
