//! A record's version: when it changed in the onboarding portal, and what it says.

use std::{fmt, str::FromStr};

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::canonical_json::canonical_json;

/// The first 16 bytes of SHA-256 over the canonical JSON of a draft without its `updatedAt`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 16]);

impl ContentHash {
    /// Hashes what a draft says. The order of keys does not matter, nor does the time of the change.
    ///
    /// # Panics
    ///
    /// If the draft cannot be JSON, which no draft is: they are structs with text keys.
    #[must_use]
    pub fn of<T: Serialize>(draft: &T) -> Self {
        Self::and_length(draft).0
    }

    /// The hash, and how long the JSON is that was hashed, bytes.
    pub(crate) fn and_length<T: Serialize>(draft: &T) -> (Self, usize) {
        let content = canonical_json(draft, "updatedAt");
        let digest = Sha256::digest(&content);
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        (Self(hash), content.len())
    }

    /// From the database.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// For the database.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl TryFrom<&[u8]> for ContentHash {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl FromStr for ContentHash {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

/// A state of a record: when it changed in the onboarding portal, and what it says.
///
/// Two versions of one record have no order by themselves: a provider may change a record without a new `updatedAt`. Of
/// two versions with one time, the one that was fetched later is the newer ([`crate::last_write_wins`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// When the record changed in the onboarding portal, truncated to microseconds.
    pub updated_at: DateTime<Utc>,
    /// Hash of the content.
    pub hash: ContentHash,
}

impl Version {
    /// The version of a draft that changed at `updated_at`.
    #[must_use]
    pub fn new(updated_at: DateTime<Utc>, hash: ContentHash) -> Self {
        Self { updated_at: updated_at.trunc_subsecs(6), hash }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn neither_the_order_of_keys_nor_the_time_of_the_change_is_content() {
        let one =
            json!({"id": "1", "specs": {"b": 1, "a": [1.5, null]}, "updatedAt": "2026-01-01T00:00:00Z"});
        let two =
            json!({"specs": {"a": [1.5, null], "b": 1}, "updatedAt": "2026-02-02T00:00:00Z", "id": "1"});
        assert_eq!(ContentHash::of(&one), ContentHash::of(&two));
        assert_ne!(ContentHash::of(&one), ContentHash::of(&json!({"id": "2"})));
    }

    #[test]
    fn the_hash_of_a_content_never_changes() {
        // Stored in every row: another value here makes the whole fleet look changed.
        assert_eq!(
            ContentHash::of(&json!({"id": "1", "name": "é"})).to_string(),
            "b01b5c750dc6320cca27c25f7d42574c"
        );
        // As it was before numbers were read with all their digits.
        let specs = r#"{"id":"2","specs":{"a":[9480,-1,1.50,1e3,0.1,-0,18446744073709551615,190.5]}}"#;
        assert_eq!(
            ContentHash::of(&serde_json::from_str::<serde_json::Value>(specs).unwrap()).to_string(),
            "1ac2183bf84b643d8e68be1f42e1ff69"
        );
    }

    #[test]
    fn a_hash_prints_and_parses_back() {
        let hash = ContentHash::of(&json!({}));
        assert_eq!(hash.to_string().parse::<ContentHash>().unwrap(), hash);
    }
}
