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
mod issuer;
mod refusals;
mod request_limits;
mod revocations;
mod scope;
mod session;

use std::{
    collections::BTreeMap,
    fmt,
    future::{Ready, ready},
    marker::PhantomData,
    str::FromStr,
    time::Duration,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web};
use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind,
    get_current_timestamp,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, de::IntoDeserializer};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use self::session::session_token;
use crate::{
    config::NamedSecret,
    http::{RequestId, check_query},
    problem::Problem,
};

pub use api_keys::{API_KEY_PREFIX, API_KEY_SUBJECT_PREFIX, ApiKey, ApiKeys, new_api_key};
pub use issuer::{Issuer, IssuerOptions, KeyCounts};
pub use refusals::{REFUSALS_PER_MINUTE, Refusal, RefusalLog};
pub(crate) use request_limits::RateLimitState;
pub use request_limits::RequestLimits;
pub use revocations::{RevocationList, Revocations};
pub use scope::TokenScope;
pub use session::{GUARD_HEADER, SESSION_COOKIE, ended_session_cookie, session_cookie};

/// Issuer and audience of the tokens we mint; the audience of everybody's.
pub const AUDIENCE: &str = "sms-sync";

/// Least length of the HS256 secret: the hash's own (RFC 7518, 3.2).
pub const MIN_SECRET_BYTES: usize = 32;

/// How long a token may be valid unless [`OperatorKeys::with_max_lifetime`] says otherwise: 7 days.
pub const DEFAULT_MAX_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// How many seconds the clocks of issuer and verifier may differ.
const CLOCK_LEEWAY_SECONDS: u64 = 30;

/// What a secret signs to make its key id.
const KEY_ID_TEXT: &[u8] = b"sms-sync key id";

/// Characters of a key id: 66 bits of the MAC.
const KEY_ID_LENGTH: usize = 11;

/// Characters of `sub` and of `jti`: both are kept, in the audit log and in the list of revoked tokens.
const NAME_LIMIT: usize = 255;

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

/// The bearer of a verified token or API key. Only [`OperatorKeys::verify`] creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    subject: String,
    role: Role,
    token_id: Option<String>,
    issued_at: u64,
    expires_at: u64,
    scope: Option<TokenScope>,
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

/// The claims of a token that we verify. The library checks `iss` and `aud`.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(deserialize_with = "numeric_date")]
    exp: u64,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<u64>,
    #[serde(deserialize_with = "numeric_date")]
    iat: u64,
    jti: Option<String>,
}

/// A NumericDate (RFC 7519, section 2), which may have a fraction, in whole seconds.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let seconds = number.as_u64().or_else(|| {
        let seconds = number.as_f64()?;
        // Larger than that, a float has no whole seconds.
        (0.0..=9_007_199_254_740_992.0).contains(&seconds).then_some(seconds as u64)
    });
    seconds.ok_or_else(|| serde::de::Error::custom("a time is not a number of seconds since 1970"))
}

fn optional_numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    numeric_date(deserializer).map(Some)
}

/// The claims of a token that we mint.
#[derive(Serialize)]
struct MintedClaims<'a> {
    sub: &'a str,
    role: Role,
    iat: u64,
    exp: u64,
    jti: String,
    iss: &'a str,
    aud: &'a str,
    #[serde(flatten)]
    scope: Option<&'a TokenScope>,
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

/// The keys that operators' tokens are verified with.
#[derive(Clone)]
pub struct OperatorKeys {
    /// The first one mints. Empty: only the issuer's tokens are accepted.
    own: Vec<OwnKey>,
    issuer: Option<Issuer>,
    max_lifetime: Duration,
    revocations: Revocations,
    api_keys: ApiKeys,
}

/// A secret of ours.
#[derive(Clone)]
struct OwnKey {
    /// The `kid` of its tokens: the same in every process that knows the secret, whatever it is called there.
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// In seconds since 1970: not accepted from then on.
    expires_at: Option<i64>,
}

impl OwnKey {
    fn new(secret: &SecretString, expires_at: Option<DateTime<Utc>>) -> Result<Self, KeysError> {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeysError::WeakSecret(secret.len()));
        }
        let encoding = EncodingKey::from_secret(secret);
        // A MAC of a constant: it tells keys apart and nothing about them.
        let id = jsonwebtoken::crypto::sign(KEY_ID_TEXT, &encoding, Algorithm::HS256);
        let id = id.map_err(KeysError::Signing)?.chars().take(KEY_ID_LENGTH).collect();
        let expires_at = expires_at.map(|at| at.timestamp());
        Ok(Self { id, encoding, decoding: DecodingKey::from_secret(secret), expires_at })
    }

    fn is_active(&self) -> bool {
        self.expires_at.is_none_or(|at| at > i64::try_from(get_current_timestamp()).unwrap_or(i64::MAX))
    }
}

impl OperatorKeys {
    /// Keys with our own secret (HS256) of at least [`MIN_SECRET_BYTES`].
    pub fn from_secret(secret: &SecretString) -> Result<Self, KeysError> {
        Ok(Self { own: vec![OwnKey::new(secret, None)?], ..Self::empty() })
    }

    /// Accepts tokens that were signed with these secrets, too, each until its time: those that were the first one before, or
    /// will be soon.
    pub fn with_more_secrets(mut self, secrets: &[NamedSecret]) -> Result<Self, KeysError> {
        for NamedSecret { secret, expires_at, .. } in secrets {
            self.own.push(OwnKey::new(secret, *expires_at)?);
        }
        Ok(self)
    }

    fn empty() -> Self {
        Self {
            own: Vec::new(),
            issuer: None,
            max_lifetime: DEFAULT_MAX_LIFETIME,
            revocations: Revocations::default(),
            api_keys: ApiKeys::default(),
        }
    }

    /// Tokens that are valid for longer are neither minted nor accepted.
    #[must_use]
    pub fn with_max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = max_lifetime;
        self
    }

    /// The list of revoked tokens, empty at first.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// The API keys, none at first.
    #[must_use]
    pub fn api_keys(&self) -> &ApiKeys {
        &self.api_keys
    }

    /// Keys of an issuer alone.
    #[must_use]
    pub fn from_issuer(issuer: Issuer) -> Self {
        Self::empty().with_issuer(issuer)
    }

    /// Accepts the tokens of an issuer, too.
    #[must_use]
    pub fn with_issuer(mut self, issuer: Issuer) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Mints a token for `subject` that is valid for `ttl` (whole seconds), with our own secret, for the whole fleet.
    pub fn mint(&self, subject: &str, role: Role, ttl: Duration) -> Result<String, KeysError> {
        self.mint_for(subject, role, ttl, None)
    }

    /// As [`Self::mint`], for a part of the fleet.
    pub fn mint_for(
        &self,
        subject: &str,
        role: Role,
        ttl: Duration,
        scope: Option<&TokenScope>,
    ) -> Result<String, KeysError> {
        let key = self.own.first().ok_or(KeysError::PublicKeysOnly)?;
        check_name(subject).map_err(KeysError::Subject)?;
        scope.map_or(Ok(()), TokenScope::check).map_err(KeysError::Scope)?;
        if ttl > self.max_lifetime {
            return Err(KeysError::TooLong(self.max_lifetime));
        }
        let now = get_current_timestamp();
        let minted = MintedClaims {
            sub: subject,
            role,
            iat: now,
            exp: now.saturating_add(ttl.as_secs()),
            jti: Uuid::now_v7().to_string(),
            iss: AUDIENCE,
            aud: AUDIENCE,
            scope,
        };
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &minted, &key.encoding).map_err(KeysError::Signing)
    }

    /// Verifies a token or an API key, and returns its bearer.
    pub fn verify(&self, token: &str) -> Result<Operator, TokenError> {
        let operator = if token.starts_with(API_KEY_PREFIX) {
            self.api_keys.verify(token)?
        } else {
            let operator = self.verify_signed(token)?;
            if operator.expires_at - operator.issued_at.min(operator.expires_at) > self.max_lifetime.as_secs()
            {
                return Err(TokenError::TooLong(self.max_lifetime));
            }
            operator
        };
        if self.revocations.is_revoked(&operator) {
            return Err(TokenError::Revoked);
        }
        Ok(operator)
    }

    fn verify_signed(&self, token: &str) -> Result<Operator, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(TokenError::Invalid)?;
        // The header only chooses among keys we hold. A key is used with the algorithms of its own family alone, so a
        // public key never serves as an HMAC secret.
        if header.alg.family() == AlgorithmFamily::Hmac {
            return self.verify_with_own_keys(token, header.kid.as_deref());
        }
        self.issuer.as_ref().ok_or_else(unknown_key)?.verify(token, &header)
    }

    /// Verifies a token with the secret that its `kid` names; without a `kid` that is ours, with each.
    fn verify_with_own_keys(&self, token: &str, key_id: Option<&str>) -> Result<Operator, TokenError> {
        let names_ours = self.own.iter().any(|key| Some(key.id.as_str()) == key_id);
        let candidates = self.own.iter().filter(|key| !names_ours || Some(key.id.as_str()) == key_id);
        let mut rejection = unknown_key();
        for key in candidates.filter(|key| key.is_active()) {
            let mut validation = Validation::new(Algorithm::HS256);
            validation.set_issuer(&[AUDIENCE]);
            validation.set_audience(&[AUDIENCE]);
            rejection = match verify_with_key(token, &key.decoding, validation, "role") {
                // With this key the signature is right: the others have nothing to say.
                Err(TokenError::Invalid(error)) if *error.kind() == ErrorKind::InvalidSignature => {
                    TokenError::Invalid(error)
                }
                judged => return judged,
            };
        }
        Err(rejection)
    }
}

fn unknown_key() -> TokenError {
    TokenError::Invalid(ErrorKind::InvalidAlgorithm.into())
}

/// Verifies a token with one key. `validation` has the issuer and the audience.
fn verify_with_key(
    token: &str,
    key: &DecodingKey,
    mut validation: Validation,
    role_claim: &str,
) -> Result<Operator, TokenError> {
    // The times are checked below: the library reads no times with a fraction while serde_json keeps the digits of numbers
    // (its feature arbitrary_precision), and knows no `iat`.
    validation.validate_exp = false;
    // Without this, a token that lacks the claim passes.
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    let claims = jsonwebtoken::decode::<BTreeMap<String, Value>>(token, key, &validation);
    let claims = claims.map_err(TokenError::Invalid)?.claims;
    let read = Claims::deserialize(claims.clone().into_deserializer());
    let Claims { sub, exp, nbf, iat, jti } =
        read.map_err(|error: serde_json::Error| TokenError::Invalid(error.into()))?;
    let now = get_current_timestamp();
    if exp.saturating_add(CLOCK_LEEWAY_SECONDS) <= now {
        return Err(TokenError::Expired);
    }
    if nbf.unwrap_or(iat).max(iat) > now.saturating_add(CLOCK_LEEWAY_SECONDS) {
        return Err(TokenError::Invalid(ErrorKind::ImmatureSignature.into()));
    }
    check_name(&sub).map_err(TokenError::Subject)?;
    if jti.as_deref().is_some_and(|id| check_name(id).is_err()) {
        return Err(TokenError::Invalid(ErrorKind::InvalidClaimFormat("jti".to_owned()).into()));
    }
    let role = issuer::role_at(&claims, role_claim).ok_or_else(|| TokenError::Role(role_claim.to_owned()))?;
    let scope = TokenScope::of_claims(&claims).map_err(TokenError::Scope)?;
    Ok(Operator { subject: sub, role, token_id: jti, issued_at: iat, expires_at: exp, scope })
}

/// What is wrong with a `sub` or `jti`. A name that nobody can read would stand in the audit log.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() {
        Err("is empty")
    } else if name.chars().count() > NAME_LIMIT {
        Err("is longer than 255 characters")
    } else if name.chars().any(char::is_control) {
        Err("has control characters")
    } else if name.trim() != name {
        Err("begins or ends with a blank")
    } else if name.to_lowercase().starts_with(API_KEY_SUBJECT_PREFIX) {
        Err("begins like the subject of an API key")
    } else {
        Ok(())
    }
}

impl fmt::Debug for OperatorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorKeys").field("own", &self.own.len()).field("issuer", &self.issuer).finish()
    }
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

/// The least role a handler requires, as a type.
pub trait RequiredRole: 'static {
    const ROLE: Role;
    /// Whether the handler looks at [`Operator::scope`]. All others are closed to tokens for a part of the fleet.
    const KEEPS_TO_SCOPE: bool = false;
}

#[derive(Debug, Clone, Copy)]
pub enum ViewerOrAbove {}
#[derive(Debug, Clone, Copy)]
pub enum OperatorOrAbove {}
#[derive(Debug, Clone, Copy)]
pub enum AdminOnly {}

#[derive(Debug, Clone, Copy)]
pub enum ViewerInScope {}
#[derive(Debug, Clone, Copy)]
pub enum OperatorInScope {}

impl RequiredRole for ViewerInScope {
    const ROLE: Role = Role::Viewer;
    const KEEPS_TO_SCOPE: bool = true;
}
impl RequiredRole for OperatorInScope {
    const ROLE: Role = Role::Operator;
    const KEEPS_TO_SCOPE: bool = true;
}
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
    request_id: Option<String>,
    role: PhantomData<R>,
}

impl<R> Authorized<R> {
    /// Id of the request that the operator sent.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// An operator of any role, perhaps for a part of the fleet only: the handler must keep to it.
pub type ScopedViewer = Authorized<ViewerInScope>;
/// As [`OperatorRole`], perhaps for a part of the fleet only: the handler must keep to it.
pub type ScopedOperator = Authorized<OperatorInScope>;
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
            if let Some(limits) = request.app_data::<web::Data<RequestLimits>>() {
                limits.check(request, operator.subject())?;
            }
            if let Err(refused) = operator.require(R::ROLE) {
                if let Some(log) = request.app_data::<web::Data<RefusalLog>>() {
                    log.note(request, &operator, R::ROLE);
                }
                return Err(refused);
            }
            if operator.scope().is_some() && !R::KEEPS_TO_SCOPE {
                let detail = "Your token is for a part of the fleet, and this is about the whole fleet.";
                return Err(Problem::forbidden("outside_scope", detail));
            }
            // Here and not in a middleware: whoever may not ask is told that first, and not what a query may hold.
            check_query(request)?;
            let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
            Ok(Self { operator, request_id, role: PhantomData })
        }))
    }
}

/// The operator who sent a request, by its `Authorization` header or the cookie of a session; else a 401 problem.
pub fn authenticate(request: &HttpRequest) -> Result<Operator, Problem> {
    if let Some(operator) = request.extensions().get::<Operator>() {
        return Ok(operator.clone());
    }
    let keys = request.app_data::<web::Data<OperatorKeys>>();
    let keys = keys.ok_or_else(|| Problem::internal("the app has no OperatorKeys"))?;
    // Whoever sends a token means it, whatever the browser adds.
    let token = match bearer_token(request) {
        Some(token) => Some(token.to_owned()),
        None => session_token(request)?,
    };
    let token = token.ok_or_else(|| {
        Problem::unauthorized("token_missing", "Send a token: `Authorization: Bearer <token>`.")
    })?;
    let operator = keys.verify(&token)?;
    request.extensions_mut().insert(operator.clone());
    Ok(operator)
}

/// The token in `Authorization: Bearer <token>`; the scheme in any case.
#[must_use]
pub fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
