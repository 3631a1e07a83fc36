//! Whether a record comes exactly as it came before.

use sha2::{Digest, Sha256};

use crate::Version;

/// The first 16 bytes of SHA-256 over what read a record, the version that was read, and the bytes it was read from.
///
/// A row that has this version still, and came from these bytes, is what reading them again would say: so it says as well
/// whether anything was done to the row since. Another release may read by other rules, and has other arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadHash([u8; 16]);

impl PayloadHash {
    /// Of a record of this version, as it stands in the provider's answer.
    #[must_use]
    pub fn of(version: Version, bytes: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(env!("CARGO_PKG_VERSION"))
            .chain_update([0])
            .chain_update(version.updated_at.timestamp_micros().to_be_bytes())
            .chain_update(version.hash.as_bytes())
            .chain_update(bytes)
            .finalize();
        let mut arrival = [0; 16];
        arrival.copy_from_slice(&digest[..16]);
        Self(arrival)
    }

    /// For the database.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl TryFrom<&[u8]> for PayloadHash {
    type Error = std::array::TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;
    use crate::ContentHash;

    #[test]
    fn another_byte_another_time_or_another_content_is_another_arrival() {
        let version = Version::new(DateTime::UNIX_EPOCH, ContentHash::of(&"a"));
        let later = Version::new(DateTime::UNIX_EPOCH + TimeDelta::microseconds(1), version.hash);
        let other = Version::new(version.updated_at, ContentHash::of(&"b"));
        let arrival = PayloadHash::of(version, b"{}");
        assert_eq!(arrival, PayloadHash::of(version, b"{}"));
        for different in
            [PayloadHash::of(version, b"{ }"), PayloadHash::of(later, b"{}"), PayloadHash::of(other, b"{}")]
        {
            assert_ne!(arrival, different);
        }
        assert_eq!(PayloadHash::try_from(arrival.as_bytes().as_slice()).ok(), Some(arrival));
    }
}
