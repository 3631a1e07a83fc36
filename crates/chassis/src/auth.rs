//! Operators' bearer tokens, and what each role may do.
//!
//! A token is a JWT with `sub`, `role`, `iss` = `aud` = `sms-sync` and `exp`, signed with our own secret (HS256); or one
//! of an issuer whose public keys we hold (RSA, EC, Ed25519). A handler that takes a [`Viewer`], [`OperatorRole`] or
//! [`Admin`] argument cannot run without one: those values are made here and nowhere else.
//!
//! ```no_run
//! use chassis::{auth::Admin, problem::Problem};
//! async fn reveal(admin: Admin) -> Result<String, Problem> {
//!     Ok(format!("revealed to {}", admin.subject()))
//! }
//! ```

use std::{
    fmt,
    future::{Ready, ready},
    marker::PhantomData,
    str::FromStr,
    time::Duration,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind,
    get_current_timestamp, jwk::JwkSet,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::Problem;

/// Issuer and audience of the tokens we mint; the audience of everybody's.
pub const AUDIENCE: &str = "sms-sync";

/// Least length of the HS256 secret: the hash's own (RFC 7518, 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// How many seconds the clocks of issuer and verifier may differ.
const CLOCK_LEEWAY_SECONDS: u64 = 30;

/// What an operator may do; each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May look.
    Viewer,
    /// May also start, cancel and replay.
    Operator,
    /// May also change settings and see secrets once.
    Admin,
}

impl Role {
    /// The role's name in tokens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The roles that suffice where this one is required, for an error's text.
    fn sufficient_roles(self) -> &'static str {
        match self {
            Self::Viewer => "a viewer, an operator or an admin",
            Self::Operator => "an operator or an admin",
            Self::Admin => "an admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: viewer, operator or admin")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "operator" => Ok(Self::Operator),
            "admin" => Ok(Self::Admin),
            other => Err(UnknownRole(other.to_owned())),
        }
    }
}

/// The bearer of a verified token. Only [`OperatorKeys::verify`] creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    subject: String,
    role: Role,
    expires_at: u64,
}

impl Operator {
    /// The token's `sub`: the name the issuer gives the operator.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    #[must_use]
    pub fn role(&self) -> Role {
        self.role
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

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: Role,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
}

/// The claims of a token that we mint. In a token that we verify the library checks `iss` and `aud`.
#[derive(Serialize)]
struct MintedClaims<'a> {
    #[serde(flatten)]
    claims: Claims,
    iss: &'a str,
    aud: &'a str,
}

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
}

/// Why a token was rejected.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the token has expired")]
    Expired,
    /// The source says why, for the log; the caller is not told.
    #[error("the token is not valid")]
    Invalid(#[source] jsonwebtoken::errors::Error),
}

/// The keys that operators' tokens are verified with.
#[derive(Clone)]
pub struct OperatorKeys {
    own: Option<(EncodingKey, DecodingKey)>,
    issuer: Option<Issuer>,
}

#[derive(Clone)]
struct Issuer {
    name: String,
    keys: Vec<(Option<String>, DecodingKey)>,
}

impl OperatorKeys {
    /// Keys with our own secret (HS256) of at least [`MIN_SECRET_BYTES`].
    pub fn from_secret(secret: &SecretString) -> Result<Self, KeysError> {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeysError::WeakSecret(secret.len()));
        }
        let own = Some((EncodingKey::from_secret(secret), DecodingKey::from_secret(secret)));
        Ok(Self { own, issuer: None })
    }

    /// Keys of an issuer alone: `jwks` is the JSON of its public keys, `issuer` the `iss` of its tokens.
    ///
    /// # Errors
    /// When `jwks` is no JWK set with at least one public key, or holds a symmetric key.
    pub fn from_jwks(jwks: &str, issuer: impl Into<String>) -> Result<Self, KeysError> {
        Self { own: None, issuer: None }.with_jwks(jwks, issuer)
    }

    /// Adds an issuer's public keys; errors as [`OperatorKeys::from_jwks`].
    pub fn with_jwks(mut self, jwks: &str, issuer: impl Into<String>) -> Result<Self, KeysError> {
        let set: JwkSet = serde_json::from_str(jwks).map_err(|error| KeysError::Jwks(error.into()))?;
        let mut keys = Vec::new();
        for jwk in &set.keys {
            let key = DecodingKey::from_jwk(jwk).map_err(|error| KeysError::Jwks(error.into()))?;
            if key.family() == AlgorithmFamily::Hmac {
                return Err(KeysError::Jwks("a symmetric key is not public".into()));
            }
            keys.push((jwk.common.key_id.clone(), key));
        }
        if keys.is_empty() {
            return Err(KeysError::Jwks("it holds no key".into()));
        }
        self.issuer = Some(Issuer { name: issuer.into(), keys });
        Ok(self)
    }

    /// Mints a token for `subject` that is valid for `ttl` (whole seconds), with our own secret.
    pub fn mint(&self, subject: &str, role: Role, ttl: Duration) -> Result<String, KeysError> {
        let (key, _) = self.own.as_ref().ok_or(KeysError::PublicKeysOnly)?;
        let now = get_current_timestamp();
        let claims = Claims { sub: subject.to_owned(), role, exp: now + ttl.as_secs(), iat: Some(now) };
        let minted = MintedClaims { claims, iss: AUDIENCE, aud: AUDIENCE };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &minted, key).map_err(KeysError::Signing)
    }

    /// Verifies `token` and returns its bearer.
    pub fn verify(&self, token: &str) -> Result<Operator, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(TokenError::Invalid)?;
        let unknown = || TokenError::Invalid(ErrorKind::InvalidAlgorithm.into());
        // The header only chooses among keys we hold. A key is used with the algorithms of its own family alone, so a
        // public key never serves as an HMAC secret.
        if header.alg.family() == AlgorithmFamily::Hmac {
            let (_, key) = self.own.as_ref().ok_or_else(unknown)?;
            return verify_with_key(token, key, Validation::new(Algorithm::HS256), AUDIENCE);
        }
        let issuer = self.issuer.as_ref().ok_or_else(unknown)?;
        let candidates = issuer.keys.iter().filter(|(id, key)| {
            key.family() == header.alg.family() && (header.kid.is_none() || id.is_none() || *id == header.kid)
        });
        let mut rejection = unknown();
        for (_, key) in candidates {
            match verify_with_key(token, key, Validation::new_for_family(key.family()), &issuer.name) {
                Ok(operator) => return Ok(operator),
                Err(reason) => rejection = reason,
            }
        }
        Err(rejection)
    }
}

fn verify_with_key(
    token: &str,
    key: &DecodingKey,
    mut validation: Validation,
    issuer: &str,
) -> Result<Operator, TokenError> {
    validation.leeway = CLOCK_LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[AUDIENCE]);
    // Without this, a token that lacks the claim passes.
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let token =
        jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => TokenError::Expired,
            _ => TokenError::Invalid(error),
        })?;
    let Claims { sub, role, exp, .. } = token.claims;
    Ok(Operator { subject: sub, role, expires_at: exp })
}

impl fmt::Debug for OperatorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = self.issuer.as_ref().map(|issuer| (&issuer.name, issuer.keys.len()));
        f.debug_struct("OperatorKeys").field("own", &self.own.is_some()).field("issuer", &issuer).finish()
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let code = match error {
            TokenError::Expired => "token_expired",
            TokenError::Invalid(_) => "invalid_token",
        };
        Self::unauthorized(code, format!("{error}.")).with_source(error)
    }
}

/// The least role a handler requires, as a type.
pub trait RequiredRole: 'static {
    const ROLE: Role;
}

#[derive(Debug, Clone, Copy)]
pub enum ViewerOrAbove {}
#[derive(Debug, Clone, Copy)]
pub enum OperatorOrAbove {}
#[derive(Debug, Clone, Copy)]
pub enum AdminOnly {}

impl RequiredRole for ViewerOrAbove {
    const ROLE: Role = Role::Viewer;
}
impl RequiredRole for OperatorOrAbove {
    const ROLE: Role = Role::Operator;
}
impl RequiredRole for AdminOnly {
    const ROLE: Role = Role::Admin;
}

/// Proof that the caller's role suffices. Dereferences to the [`Operator`]. Needs `web::Data<OperatorKeys>` in the app.
#[derive(Debug, Clone)]
pub struct Authorized<R> {
    operator: Operator,
    role: PhantomData<R>,
}

/// An operator of any role.
pub type Viewer = Authorized<ViewerOrAbove>;
/// An operator who may start, cancel and replay.
pub type OperatorRole = Authorized<OperatorOrAbove>;
/// An operator who may change settings and see secrets once.
pub type Admin = Authorized<AdminOnly>;

impl<R> std::ops::Deref for Authorized<R> {
    type Target = Operator;
    fn deref(&self) -> &Operator {
        &self.operator
    }
}

impl<R: RequiredRole> FromRequest for Authorized<R> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate(request).and_then(|operator| {
            operator.require(R::ROLE)?;
            Ok(Self { operator, role: PhantomData })
        }))
    }
}

/// The operator who sent a request, by its `Authorization` header; else a 401 problem.
pub fn authenticate(request: &HttpRequest) -> Result<Operator, Problem> {
    if let Some(operator) = request.extensions().get::<Operator>() {
        return Ok(operator.clone());
    }
    let keys = request.app_data::<web::Data<OperatorKeys>>();
    let keys = keys.ok_or_else(|| Problem::internal("the app has no OperatorKeys"))?;
    let token = bearer_token(request).ok_or_else(|| {
        Problem::unauthorized("token_missing", "Send a token: `Authorization: Bearer <token>`.")
    })?;
    let operator = keys.verify(token)?;
    request.extensions_mut().insert(operator.clone());
    Ok(operator)
}

/// The token in `Authorization: Bearer <token>`; the scheme in any case.
#[must_use]
pub fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
