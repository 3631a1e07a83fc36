//! API keys of services, in memory: each request asks, so they must cost no query.
//!
//! A key is `sms_<id>_<secret>`: 32 hexadecimal digits, and 256 random bits in base64url. Of the secret only a hash is known
//! here. As with [`super::Revocations`], the service that holds the table replaces the list whenever it has changed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::get_current_timestamp;
use rand::RngCore;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{API_KEY_PREFIX, API_KEY_SUBJECT_PREFIX, Operator, Role, TokenError};

/// A key that is accepted until it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub name: String,
    pub role: Role,
    /// SHA-256 of the secret. It is compared in a time that depends on it, which tells nothing of the secret.
    pub secret_hash: [u8; 32],
    /// In seconds since 1970.
    pub created_at: u64,
    /// In seconds since 1970: not accepted from then on.
    pub expires_at: u64,
}

/// The current keys by their ids. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct ApiKeys(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    keys: RwLock<BTreeMap<Uuid, ApiKey>>,
    /// When a key was used last, in seconds since 1970: of the uses that nobody has taken yet.
    used: Mutex<BTreeMap<Uuid, u64>>,
}

impl ApiKeys {
    /// Puts `keys` in the place of the current ones.
    pub fn replace(&self, keys: BTreeMap<Uuid, ApiKey>) {
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// When keys were used last since the last call, in seconds since 1970.
    #[must_use]
    pub fn take_uses(&self) -> BTreeMap<Uuid, u64> {
        std::mem::take(&mut *self.0.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keys that are accepted no longer, for their time is over.
    #[must_use]
    pub fn ended(&self) -> Vec<Uuid> {
        let now = get_current_timestamp();
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().filter(|(_, key)| key.expires_at <= now).map(|(id, _)| *id).collect()
    }

    /// The service whose key `text` is.
    pub(super) fn verify(&self, text: &str) -> Result<Operator, TokenError> {
        let (id, secret_hash) = parse(text).ok_or(TokenError::UnknownApiKey)?;
        let now = get_current_timestamp();
        let operator = {
            let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
            let key = keys.get(&id).filter(|key| key.secret_hash == secret_hash);
            let key = key.ok_or(TokenError::UnknownApiKey)?;
            if key.expires_at <= now {
                return Err(TokenError::Expired);
            }
            Operator {
                subject: format!("{API_KEY_SUBJECT_PREFIX}{}", key.name),
                role: key.role,
                token_id: Some(id.to_string()),
                issued_at: key.created_at,
                expires_at: key.expires_at,
                scope: None,
            }
        };
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner).insert(id, now);
        Ok(operator)
    }
}

/// A new key with this id, and the hash of its secret.
#[must_use]
pub fn new_api_key(id: Uuid) -> (SecretString, [u8; 32]) {
    let mut secret = [0; 32];
    rand::rng().fill_bytes(&mut secret);
    let text = format!("{API_KEY_PREFIX}{}_{}", id.simple(), BASE64_URL_SAFE_NO_PAD.encode(secret));
    (text.into(), Sha256::digest(secret).into())
}

fn parse(text: &str) -> Option<(Uuid, [u8; 32])> {
    let (id, secret) = text.strip_prefix(API_KEY_PREFIX)?.split_once('_')?;
    let secret: [u8; 32] = BASE64_URL_SAFE_NO_PAD.decode(secret).ok()?.try_into().ok()?;
    Some((Uuid::try_parse(id).ok()?, Sha256::digest(secret).into()))
}
