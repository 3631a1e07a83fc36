//! Temporary passwords of new tallies. They are made and sealed here, hashed elsewhere, and printed nowhere.
//!
//! What is stored is the hash, and the password sealed for the one time that an admin may look at it.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use chrono::{DateTime, Utc};
use rand::{CryptoRng, Rng};

use crate::{SourceId, vocabulary::vocabulary};

/// No 0 O, 1 l I: people type these from a screen or a slip of paper.
const ALPHABET: &[u8] = b"23456789abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";

/// Characters; with 56 symbols 20 of them are 116 bits.
const LENGTH: usize = 20;

/// How long one may be used after it was made.
pub const PASSWORD_LIFETIME: chrono::Duration = chrono::Duration::hours(72);

vocabulary!(
    /// Where the temporary password of a user stands.
    PasswordState {
        None = "none",
        /// An admin may look at it once.
        ToClaim = "to_claim",
        /// It was not used in time.
        Expired = "expired",
        /// An admin has looked at it.
        Claimed = "claimed",
    }
);

/// A password for the first sign-in. Does not print itself.
pub struct TemporaryPassword(String);

impl TemporaryPassword {
    /// A new one, from a generator that is fit for secrets.
    #[must_use]
    pub fn generate(rng: &mut (impl Rng + CryptoRng)) -> Self {
        Self((0..LENGTH).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect())
    }

    /// The password itself, for hashing and sealing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TemporaryPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TemporaryPassword(***)")
    }
}

/// Seals passwords and opens them again. Does not print its keys.
///
/// A key is replaced with an overlap: the first key seals, and every key opens what was sealed with it. What is sealed does not
/// name its key: the cipher is authenticated, so only the right one opens it, and there are few.
#[derive(Clone)]
pub struct PasswordSeal {
    first: XChaCha20Poly1305,
    /// Each with the time from which on it opens nothing.
    others: Vec<(XChaCha20Poly1305, Option<DateTime<Utc>>)>,
}

impl fmt::Debug for PasswordSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordSeal(***)")
    }
}

/// A text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 bytes in base64")]
pub struct SealKeyError;

/// A sealed password cannot be opened: another key, another user, or damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed password cannot be opened with this key")]
pub struct UnsealError;

const NONCE_BYTES: usize = 24;

impl PasswordSeal {
    /// Reads the key: 32 bytes in base64.
    ///
    /// # Errors
    ///
    /// If it is not that.
    pub fn parse(key: &str) -> Result<Self, SealKeyError> {
        Ok(Self { first: cipher(key)?, others: Vec::new() })
    }

    /// Opens what was sealed with this key, too, until it expires.
    ///
    /// # Errors
    ///
    /// If it is not 32 bytes in base64.
    pub fn and_open_with(
        mut self,
        key: &str,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<Self, SealKeyError> {
        self.others.push((cipher(key)?, expires_at));
        Ok(self)
    }

    /// Seals a password of a user. The nonce stands before the rest; a sealed password moved to another user does not
    /// open.
    #[must_use]
    pub fn seal(
        &self,
        password: &TemporaryPassword,
        user: &SourceId,
        rng: &mut (impl Rng + CryptoRng),
    ) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rng.random();
        let payload = Payload { msg: password.0.as_bytes(), aad: user.as_str().as_bytes() };
        let sealed = self.first.encrypt(&XNonce::from(nonce), payload).expect("fails only beyond 256 GB");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what was sealed for this user.
    ///
    /// # Errors
    ///
    /// If it was sealed with another key, with one that has expired, or for another user.
    pub fn open(
        &self,
        sealed: &[u8],
        user: &SourceId,
        now: DateTime<Utc>,
    ) -> Result<TemporaryPassword, UnsealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(UnsealError)?;
        let others = self.others.iter().filter(|(_, expires_at)| expires_at.is_none_or(|at| at > now));
        let mut ciphers = std::iter::once(&self.first).chain(others.map(|(cipher, _)| cipher));
        let password = ciphers.find_map(|cipher| {
            let payload = Payload { msg: sealed, aad: user.as_str().as_bytes() };
            cipher.decrypt(&XNonce::from(*nonce), payload).ok()
        });
        let password = password.ok_or(UnsealError)?;
        String::from_utf8(password).map(TemporaryPassword).map_err(|_not_ours| UnsealError)
    }
}

fn cipher(key: &str) -> Result<XChaCha20Poly1305, SealKeyError> {
    let key = BASE64_STANDARD.decode(key.trim()).map_err(|_not_base64| SealKeyError)?;
    let key: [u8; 32] = key.try_into().map_err(|_wrong_length| SealKeyError)?;
    Ok(XChaCha20Poly1305::new(&Key::from(key)))
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn passwords_are_long_and_of_characters_that_nobody_mistakes() {
        let mut rng = StdRng::seed_from_u64(1);
        for _ in 0..1000 {
            let password = TemporaryPassword::generate(&mut rng);
            assert!(password.expose().len() >= 16);
            assert!(!password.expose().contains(['0', 'O', '1', 'l', 'I', 'o']), "{}", password.expose());
        }
    }

    #[test]
    fn a_password_does_not_print_itself() {
        let password = TemporaryPassword::generate(&mut StdRng::seed_from_u64(1));
        assert_eq!(format!("{password:?}"), "TemporaryPassword(***)");
    }

    #[test]
    fn a_sealed_password_opens_for_its_user_and_key_only() {
        let mut rng = StdRng::seed_from_u64(1);
        let seal = PasswordSeal::parse(&BASE64_STANDARD.encode([1; 32])).unwrap();
        let other = PasswordSeal::parse(&BASE64_STANDARD.encode([2; 32])).unwrap();
        let (ola, kari): (SourceId, SourceId) = ("u-1".parse().unwrap(), "u-2".parse().unwrap());
        let password = TemporaryPassword::generate(&mut rng);
        let sealed = seal.seal(&password, &ola, &mut rng);
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(seal.open(&sealed, &ola, now).unwrap().expose(), password.expose());
        assert_eq!(seal.open(&sealed, &kari, now).unwrap_err(), UnsealError);
        assert_eq!(other.open(&sealed, &ola, now).unwrap_err(), UnsealError);
        assert_eq!(seal.open(&sealed[..10], &ola, now).unwrap_err(), UnsealError);
    }

    #[test]
    fn a_replaced_key_opens_what_it_sealed_until_it_expires() {
        let mut rng = StdRng::seed_from_u64(1);
        let (old_key, new_key) = (BASE64_STANDARD.encode([1; 32]), BASE64_STANDARD.encode([2; 32]));
        let ola: SourceId = "u-1".parse().unwrap();
        let password = TemporaryPassword::generate(&mut rng);
        let old = PasswordSeal::parse(&old_key).unwrap();
        let expiry = DateTime::UNIX_EPOCH + chrono::Duration::days(3);
        let both = PasswordSeal::parse(&new_key).unwrap().and_open_with(&old_key, Some(expiry)).unwrap();

        let sealed = old.seal(&password, &ola, &mut rng);
        let before = expiry - chrono::Duration::seconds(1);
        assert_eq!(both.open(&sealed, &ola, before).unwrap().expose(), password.expose());
        assert_eq!(both.open(&sealed, &ola, expiry).unwrap_err(), UnsealError);

        let sealed = both.seal(&password, &ola, &mut rng);
        assert_eq!(old.open(&sealed, &ola, before).unwrap_err(), UnsealError, "the new key seals");
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert_eq!(PasswordSeal::parse("c2hvcnQ=").unwrap_err(), SealKeyError);
        assert_eq!(PasswordSeal::parse("?").unwrap_err(), SealKeyError);
    }
}
