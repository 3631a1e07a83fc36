//! One of n parts of a list, as the provider's `slice=k/n` names it: every record belongs to exactly one, by a stable hash of
//! its id. Parts are read side by side, so that a list is not as slow as one chain of pages.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Part `index` of `count`, written `index/count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HashSlice {
    index: u8,
    count: u8,
}

/// The text names no slice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no slice: k/n with n a power of two up to {limit} and k from 0 to n - 1", limit = HashSlice::COUNT_LIMIT)]
pub struct InvalidHashSlice(String);

impl HashSlice {
    /// Most parts of a list.
    pub const COUNT_LIMIT: u8 = 64;

    /// All parts of a list, which are `count` rounded down to a power of two, and at most [`Self::COUNT_LIMIT`].
    pub fn all(count: u64) -> impl ExactSizeIterator<Item = Self> {
        let count = u8::try_from(count).unwrap_or(u8::MAX).clamp(1, Self::COUNT_LIMIT);
        let count = 1 << count.ilog2();
        (0..count).map(move |index| Self { index, count })
    }

    /// From 0.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.index
    }

    /// A power of two.
    #[must_use]
    pub const fn count(self) -> u8 {
        self.count
    }
}

impl fmt::Display for HashSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for HashSlice {
    type Err = InvalidHashSlice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (index, count) = text.split_once('/')?;
            let (index, count): (u8, u8) = (index.parse().ok()?, count.parse().ok()?);
            let is_slice = count.is_power_of_two() && count <= Self::COUNT_LIMIT && index < count;
            is_slice.then_some(Self { index, count })
        };
        read().ok_or_else(|| InvalidHashSlice(text.to_owned()))
    }
}

impl TryFrom<String> for HashSlice {
    type Error = InvalidHashSlice;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HashSlice> for String {
    fn from(slice: HashSlice) -> Self {
        slice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_a_list_are_a_power_of_two_and_read_back_from_their_text() {
        for (asked, count) in [(0, 1), (1, 1), (2, 2), (7, 4), (64, 64), (1_000, 64)] {
            let all: Vec<_> = HashSlice::all(asked).collect();
            assert_eq!(all.len(), count, "{asked}");
            assert!(all.iter().all(|slice| slice.to_string().parse() == Ok(*slice)), "{all:?}");
        }
    }

    #[test]
    fn text_that_names_no_slice_is_refused() {
        for text in ["", "1", "2/2", "0/3", "0/0", "-1/2", "0/128", "1/2/4", " 0/2", "a/b"] {
            assert!(text.parse::<HashSlice>().is_err(), "{text}");
        }
    }
}
