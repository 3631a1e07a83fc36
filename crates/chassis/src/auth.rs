//! Operators' bearer tokens, and what each role may do.
//!
//! A token is a JWT with `sub`, `role`, `iss` = `aud` = `sms-sync`, `iat` and `exp`, signed with our own secret
//! (HS256); one of an [`Issuer`] whose public keys we hold (RSA, EC, Ed25519); or the API key of a service. Several of
//! our secrets may be active, so that one can be replaced without ending the tokens of the other. A token that is valid
//! for longer than the keys allow, or that was revoked, is refused. One with `vessels` or `companies` is for that part
//! of the fleet. It stands in the header `Authorization`, or in the cookie of a browser's session. A handler that takes
//! a [`Viewer`], [`OperatorRole`] or [`Admin`] argument cannot run without a token: those values are made here and
//! nowhere else.
//!
//! ```no_run
//! use chassis::{auth::Admin, problem::Problem};
//! async fn reveal(admin: Admin) -> Result<String, Problem> {
//!     Ok(format!("revealed to {}", admin.subject()))
//! }
//! ```

mod api_keys;
mod authorized;
mod errors;
mod issuer;
mod keys;
mod names;
mod operator;
mod refusals;
mod request_limits;
mod revocations;
mod role;
mod scope;
mod session;
mod token;

pub use api_keys::{ApiKey, ApiKeys, new_api_key};
pub use authorized::{
    Admin, AdminOnly, Authorized, OperatorInScope, OperatorOrAbove, OperatorRole, RequiredRole,
    ScopedOperator, ScopedViewer, Viewer, ViewerInScope, ViewerOrAbove, authenticate, bearer_token,
};
pub use errors::{KeysError, MIN_SECRET_BYTES, TokenError};
pub use issuer::{Issuer, IssuerOptions, KeyCounts};
pub use keys::{DEFAULT_MAX_LIFETIME, OperatorKeys};
pub use names::{API_KEY_PREFIX, API_KEY_SUBJECT_PREFIX, canonical_token_id};
pub use operator::Operator;
pub use refusals::{REFUSALS_PER_MINUTE, Refusal, RefusalLog};
pub(crate) use request_limits::RateLimitState;
pub use request_limits::RequestLimits;
pub use revocations::{RevocationList, Revocations};
pub use role::{Role, UnknownRole};
pub use scope::TokenScope;
pub use session::{GUARD_HEADER, SESSION_COOKIE, ended_session_cookie, session_cookie};

/// Issuer and audience of the tokens we mint; the audience of everybody's.
pub const AUDIENCE: &str = "sms-sync";
