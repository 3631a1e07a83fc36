//! An identity provider whose tokens are accepted: its name, its public keys, and where its tokens name the role.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, Header, Validation,
    errors::ErrorKind,
    get_current_timestamp,
    jwk::{Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Notify;

use super::{
    AUDIENCE, KeysError, Operator, TokenError,
    token::{unknown_key, verify_with_key},
};

/// How long keys are used after they were read. An issuer that withdraws a key does so by no longer publishing it: keys that
/// cannot be read anew must end, too.
const KEYS_MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// Most keys of an issuer that are held: each token without a key id is tried with all.
const KEYS_LIMIT: usize = 100;

/// What the tokens of an issuer look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerOptions {
    /// The `iss` of its tokens.
    pub name: String,
    /// What must be among the `aud` of its tokens.
    pub audience: String,
    /// The claim with the role, or with a list in which it is: `role`, or a path such as `realm_access.roles`.
    pub role_claim: String,
}

impl IssuerOptions {
    /// An issuer that names audience and role as we do.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), audience: AUDIENCE.to_owned(), role_claim: "role".to_owned() }
    }
}

/// An issuer and its current keys. Clones share the keys.
#[derive(Debug, Clone)]
pub struct Issuer {
    options: Arc<IssuerOptions>,
    keys: Arc<RwLock<Keys>>,
    /// Told of a token whose key is not held.
    unknown_key: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Keys {
    keys: Vec<(Option<String>, DecodingKey)>,
    /// In seconds since 1970.
    read_at: u64,
}

/// What a set of keys holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCounts {
    pub usable: usize,
    /// Of another use, of a kind that is not known, or beyond the limit.
    pub skipped: usize,
}

impl Issuer {
    /// An issuer without keys: its tokens are refused until [`Issuer::replace_keys`].
    #[must_use]
    pub fn new(options: IssuerOptions) -> Self {
        Self { options: Arc::new(options), keys: Arc::default(), unknown_key: Arc::default() }
    }

    /// Reads the issuer's JWK set (RFC 7517) and puts its keys in the place of the current ones. Keys that do not verify
    /// signatures and those of kinds that are not known are skipped, and so are symmetric ones: they are not public.
    ///
    /// # Errors
    /// When it is no JWK set: the current keys stay. When it holds no key that can be used: there is none then.
    pub fn replace_keys(&self, jwks: &str) -> Result<KeyCounts, KeysError> {
        /// Each key is read on its own: one of a kind that the library does not know must not cost the others.
        #[derive(Deserialize)]
        struct JwkSet<'j> {
            #[serde(borrow)]
            keys: Vec<&'j RawValue>,
        }
        let set: JwkSet<'_> = serde_json::from_str(jwks).map_err(|error| KeysError::Jwks(error.into()))?;
        let keys: Vec<_> = set.keys.iter().filter_map(|key| usable_key(key.get())).take(KEYS_LIMIT).collect();
        if keys.is_empty() {
            // The issuer has withdrawn all that it had.
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys::default();
            return Err(KeysError::Jwks("it holds no public key that can verify a signature".into()));
        }
        let counts = KeyCounts { usable: keys.len(), skipped: set.keys.len() - keys.len() };
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) =
            Keys { keys, read_at: get_current_timestamp() };
        Ok(counts)
    }

    /// Waits for a token that is signed with a key that is not held: the issuer may have a new one.
    pub async fn unknown_key_seen(&self) {
        self.unknown_key.notified().await;
    }

    pub(super) fn verify(&self, token: &str, header: &Header) -> Result<Operator, TokenError> {
        let Self { options, keys, unknown_key: seen } = self;
        let keys = keys.read().unwrap_or_else(PoisonError::into_inner);
        if keys.read_at.saturating_add(KEYS_MAX_AGE.as_secs()) < get_current_timestamp() {
            seen.notify_one();
            return Err(TokenError::NoIssuerKeys);
        }
        let candidates = keys.keys.iter().filter(|(id, key)| {
            key.family() == header.alg.family() && (header.kid.is_none() || id.is_none() || *id == header.kid)
        });
        for (_, key) in candidates {
            let mut validation = Validation::new_for_family(key.family());
            validation.set_issuer(&[&options.name]);
            validation.set_audience(&[&options.audience]);
            match verify_with_key(token, key, validation, &options.role_claim) {
                // This key did not sign it, or signs otherwise: another one may have.
                Err(TokenError::Invalid(error)) if is_about_the_key(error.kind()) => {}
                judged => return judged,
            }
        }
        seen.notify_one();
        Err(unknown_key())
    }
}

fn is_about_the_key(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidSignature
            | ErrorKind::InvalidEcdsaKey
            | ErrorKind::InvalidEddsaKey
            | ErrorKind::InvalidRsaKey(_)
            | ErrorKind::InvalidKeyFormat
            | ErrorKind::InvalidAlgorithm
    )
}

fn usable_key(json: &str) -> Option<(Option<String>, DecodingKey)> {
    let jwk: Jwk = serde_json::from_str(json).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|it| *it != PublicKeyUse::Signature) {
        return None;
    }
    if jwk.common.key_operations.as_ref().is_some_and(|it| !it.contains(&KeyOperations::Verify)) {
        return None;
    }
    // `alg` is optional, and that of an encryption key is none of a signature.
    let is_for_signatures = |it: &KeyAlgorithm| it.to_string().parse::<Algorithm>().is_ok();
    if !jwk.common.key_algorithm.as_ref().is_none_or(is_for_signatures) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    (key.family() != AlgorithmFamily::Hmac).then_some((jwk.common.key_id, key))
}
