//! The keys that tokens are minted and verified with.

use std::{fmt, time::Duration};

use chrono::{DateTime, Utc};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind,
    get_current_timestamp,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use uuid::Uuid;

use super::{
    API_KEY_PREFIX, AUDIENCE, ApiKeys, Issuer, KeysError, MIN_SECRET_BYTES, Operator, Revocations, Role,
    TokenError, TokenScope,
    names::check_name,
    token::{unknown_key, verify_with_key},
};
use crate::config::NamedSecret;

/// How long a token may be valid unless [`OperatorKeys::with_max_lifetime`] says otherwise: 7 days.
pub const DEFAULT_MAX_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a secret signs to make its key id.
const KEY_ID_TEXT: &[u8] = b"sms-sync key id";

/// Characters of a key id: 66 bits of the MAC.
const KEY_ID_LENGTH: usize = 11;

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
        // It names extensions that must be understood (RFC 7515, section 4.1.11), and we understand none.
        if header.crit.is_some() {
            return Err(TokenError::Invalid(ErrorKind::InvalidToken.into()));
        }
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

impl fmt::Debug for OperatorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorKeys").field("own", &self.own.len()).field("issuer", &self.issuer).finish()
    }
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
