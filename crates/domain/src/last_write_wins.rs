//! Last write wins: which of two states of a record stays.
//!
//! The store carries this out in SQL, inside the upsert, so that two workers cannot race. Here it stands as a
//! function, with its laws as tests.

use crate::{Outcome, Version, vocabulary::vocabulary};

vocabulary!(
    /// Who wrote a row last.
    Writer {
        /// The onboarding portal, through a sync.
        Onboarding = "onboarding",
        /// Somebody in the maintenance portal.
        Maintenance = "maintenance",
    }
);

/// The version of a row in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredVersion {
    /// Time of the last write, by either portal; and the content hash of the last sync.
    pub version: Version,
    pub last_writer: Writer,
}

/// What is to be done with an incoming record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is not there: insert.
    Create,
    /// It is newer: write.
    Update {
        /// It overwrites an edit of the maintenance portal, whose values are kept as a conflict.
        overwrites_local: bool,
    },
    /// It says what the last sync said: nothing changed in the onboarding portal since.
    Unchanged {
        /// It says so at a later time, and nobody else wrote: the row's version moves on, or a state from in
        /// between that arrives late would win.
        newer: bool,
    },
    /// It is older than what the last sync brought.
    Stale,
    /// It is older than an edit of the maintenance portal: the edit stays, the incoming values are kept as a conflict.
    LocalWins,
}

impl Decision {
    /// How it is counted.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Create => Outcome::Created,
            Self::Update { .. } => Outcome::Updated,
            Self::Unchanged { .. } => Outcome::Unchanged,
            Self::Stale => Outcome::Skipped,
            Self::LocalWins => Outcome::Conflict,
        }
    }
}

/// Decides.
#[must_use]
pub fn decide(incoming: Version, stored: Option<StoredVersion>) -> Decision {
    let Some(stored) = stored else { return Decision::Create };
    let from_onboarding = stored.last_writer == Writer::Onboarding;
    if incoming.hash == stored.version.hash {
        Decision::Unchanged { newer: from_onboarding && incoming.updated_at > stored.version.updated_at }
    } else if incoming > stored.version {
        Decision::Update { overwrites_local: !from_onboarding }
    } else if from_onboarding {
        Decision::Stale
    } else {
        Decision::LocalWins
    }
}

/// The row after the decision was carried out.
#[must_use]
pub fn stored_after(incoming: Version, stored: Option<StoredVersion>) -> StoredVersion {
    match (decide(incoming, stored), stored) {
        (Decision::Create | Decision::Update { .. } | Decision::Unchanged { newer: true }, _) | (_, None) => {
            StoredVersion { version: incoming, last_writer: Writer::Onboarding }
        }
        (Decision::Unchanged { newer: false } | Decision::Stale | Decision::LocalWins, Some(stored)) => {
            stored
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::*;

    use super::*;
    use crate::ContentHash;

    fn version() -> impl Strategy<Value = Version> {
        (0i64..8, 0u8..4).prop_map(|(second, content)| Version {
            updated_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(second),
            hash: ContentHash::from_bytes([content; 16]),
        })
    }

    fn stored() -> impl Strategy<Value = StoredVersion> {
        (version(), prop::sample::select(Writer::ALL))
            .prop_map(|(version, last_writer)| StoredVersion { version, last_writer })
    }

    proptest! {
        #[test]
        fn twice_is_once(incoming in version(), before in prop::option::of(stored())) {
            let once = stored_after(incoming, before);
            prop_assert_eq!(stored_after(incoming, Some(once)), once);
        }

        #[test]
        fn whatever_the_order_the_newest_stays(versions in prop::collection::vec(version(), 1..8), seed: u64) {
            let mut shuffled = versions.clone();
            let by = (seed % shuffled.len() as u64) as usize;
            shuffled.rotate_left(by);
            if seed % 2 == 0 {
                shuffled.reverse();
            }
            let end = shuffled.into_iter().fold(None, |stored, incoming| Some(stored_after(incoming, stored))).unwrap();
            prop_assert_eq!(Some(end.version), versions.into_iter().max());
        }

        #[test]
        fn a_newer_local_edit_is_never_overwritten(incoming in version(), version in version()) {
            let before = StoredVersion { version, last_writer: Writer::Maintenance };
            if incoming <= version {
                prop_assert_eq!(stored_after(incoming, Some(before)), before);
            }
        }

        #[test]
        fn a_local_edit_is_only_lost_to_something_new(incoming in version(), version in version()) {
            let before = StoredVersion { version, last_writer: Writer::Maintenance };
            if incoming.hash == version.hash {
                prop_assert_eq!(stored_after(incoming, Some(before)), before);
            }
        }
    }
}
