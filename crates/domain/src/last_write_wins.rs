//! Last write wins: which of two states of a record stays.
//!
//! A state of the onboarding portal is newer if the portal says so (`updatedAt`). At the same `updatedAt` the state that
//! was *fetched* later is newer: providers with clocks of whole seconds, and bulk updates, change records without a new
//! time. Fetches are ordered by this system's own time of their request: whatever a provider says of its clock, a fetch
//! that began after a change brings that change.
//!
//! The store carries this out in SQL, under locks, so that two workers cannot race. Here it stands as a function, with its
//! laws as tests.

use chrono::{DateTime, Utc};

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
    /// `updatedAt` of the last state that a sync brought, also if the maintenance portal has written since.
    pub source_updated_at: DateTime<Utc>,
    /// When the request began whose answer the last sync wrote. 1970 for rows of releases that did not keep it.
    pub fetched_at: DateTime<Utc>,
    pub last_writer: Writer,
    /// The row was withdrawn because the onboarding portal did not list it any more.
    pub is_missing: bool,
}

/// What is to be done with an incoming record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// There is no such row: insert.
    Create,
    /// The record is newer: write.
    Update {
        /// It overwrites an edit of the maintenance portal, whose values are kept as a conflict.
        overwrites_local: bool,
    },
    /// The content is that of the last sync: nothing changed in the onboarding portal since.
    Unchanged {
        /// Its time is later: the row's version moves on, or a state from in between that arrives late would win.
        newer: bool,
    },
    /// A later fetch has brought the row's state: this one is overtaken.
    Stale,
    /// The record was fetched later than the row's state and is older all the same: the onboarding portal has gone
    /// back in time, as after the restore of a backup.
    OlderThanHere,
    /// The record is older than an edit of the maintenance portal: the edit stays, the incoming values are kept as a
    /// conflict.
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
            Self::OlderThanHere => Outcome::Rejected,
            Self::LocalWins => Outcome::Conflict,
        }
    }
}

/// Decides what becomes of a record whose request began at `fetched_at`.
#[must_use]
pub fn decide(incoming: Version, fetched_at: DateTime<Utc>, stored: Option<StoredVersion>) -> Decision {
    let Some(stored) = stored else { return Decision::Create };
    let from_onboarding = stored.last_writer == Writer::Onboarding;
    if incoming.hash == stored.version.hash {
        return Decision::Unchanged { newer: incoming.updated_at > stored.source_updated_at };
    }
    // Two fetches of one moment see one state, unless they are records of one page: then the last one counts.
    let is_overtaken = (incoming.updated_at, fetched_at) < (stored.source_updated_at, stored.fetched_at);
    if incoming.updated_at < stored.source_updated_at && fetched_at > stored.fetched_at {
        Decision::OlderThanHere
    } else if is_overtaken {
        Decision::Stale
    } else if incoming.updated_at > stored.version.updated_at {
        Decision::Update { overwrites_local: !from_onboarding }
    } else if from_onboarding {
        Decision::Update { overwrites_local: false }
    } else {
        Decision::LocalWins
    }
}

/// The row after the decision was carried out.
#[must_use]
pub fn stored_after(
    incoming: Version,
    fetched_at: DateTime<Utc>,
    stored: Option<StoredVersion>,
) -> StoredVersion {
    match (decide(incoming, fetched_at, stored), stored) {
        (Decision::Create | Decision::Update { .. }, _) | (_, None) => StoredVersion {
            version: incoming,
            source_updated_at: incoming.updated_at,
            fetched_at,
            last_writer: Writer::Onboarding,
            is_missing: false,
        },
        (Decision::Unchanged { newer: true }, Some(stored)) => {
            let from_onboarding = stored.last_writer == Writer::Onboarding;
            StoredVersion {
                version: if from_onboarding { incoming } else { stored.version },
                source_updated_at: incoming.updated_at,
                fetched_at,
                ..stored
            }
        }
        (
            Decision::Unchanged { newer: false }
            | Decision::Stale
            | Decision::OlderThanHere
            | Decision::LocalWins,
            Some(stored),
        ) => stored,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::*;

    use super::*;
    use crate::ContentHash;

    fn time(second: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(second)
    }

    fn version() -> impl Strategy<Value = Version> {
        (0i64..8, 0u8..4).prop_map(|(second, content)| Version {
            updated_at: time(second),
            hash: ContentHash::from_bytes([content; 16]),
        })
    }

    fn stored() -> impl Strategy<Value = StoredVersion> {
        (version(), 0i64..8, prop::sample::select(Writer::ALL)).prop_map(|(version, fetched, last_writer)| {
            StoredVersion { last_writer, ..edited(version, time(fetched)) }
        })
    }

    /// A row that was edited in the maintenance portal at the version's time, after a sync at the same time.
    fn edited(version: Version, fetched_at: DateTime<Utc>) -> StoredVersion {
        StoredVersion {
            version,
            source_updated_at: version.updated_at,
            fetched_at,
            last_writer: Writer::Maintenance,
            is_missing: false,
        }
    }

    /// The states that a provider shows one after another: it never goes back in time, and may change a record without
    /// a new time. The number is when each was fetched.
    fn history() -> impl Strategy<Value = Vec<(Version, DateTime<Utc>)>> {
        prop::collection::vec((0i64..2, 0u8..4), 1..8).prop_map(|steps| {
            let mut second = 0;
            let states = steps.into_iter().enumerate().map(|(fetch, (step, content))| {
                second += step;
                let hash = ContentHash::from_bytes([content; 16]);
                (Version { updated_at: time(second), hash }, time(fetch as i64))
            });
            states.collect()
        })
    }

    fn stored_in_order(states: &[(Version, DateTime<Utc>)]) -> StoredVersion {
        let written = |stored, (version, fetched): &(Version, DateTime<Utc>)| {
            Some(stored_after(*version, *fetched, stored))
        };
        states.iter().fold(None, written).expect("a history has a state")
    }

    proptest! {
        #[test]
        fn twice_is_once(incoming in version(), fetched in 0i64..8, before in prop::option::of(stored())) {
            let once = stored_after(incoming, time(fetched), before);
            prop_assert_eq!(stored_after(incoming, time(fetched), Some(once)), once);
        }

        #[test]
        fn last_state_fetched_last_stays_whatever_came_before(
            states in history().prop_flat_map(|states| {
                let last = *states.last().expect("a history has a state");
                (Just(states).prop_shuffle(), Just(last))
            })
        ) {
            let (mut shuffled, last) = states;
            shuffled.push(last);
            let end = stored_in_order(&shuffled);
            prop_assert_eq!(end.version.hash, last.0.hash);
        }

        #[test]
        fn fetch_in_order_leaves_the_last_state(states in history()) {
            let last = states.last().expect("a history has a state").0;
            prop_assert_eq!(stored_in_order(&states).version.hash, last.hash);
        }

        #[test]
        fn newer_local_edit_is_never_overwritten(incoming in version(), version in version(), fetched in 0i64..8) {
            let before = edited(version, time(0));
            if incoming.updated_at <= version.updated_at {
                prop_assert_eq!(stored_after(incoming, time(fetched), Some(before)), before);
            }
        }

        #[test]
        fn local_edit_is_only_lost_to_another_content(incoming in version(), version in version()) {
            let before = edited(version, time(0));
            if incoming.hash == version.hash {
                let after = stored_after(incoming, time(1), Some(before));
                prop_assert_eq!((after.version, after.last_writer), (before.version, before.last_writer));
            }
        }
    }

    #[test]
    fn edit_is_not_lost_to_a_late_state_from_before_the_portal_went_back_to_what_it_was() {
        let at = |second, content| Version {
            updated_at: time(second),
            hash: ContentHash::from_bytes([content; 16]),
        };
        // Synced at 1, edited here at 2; there another content at 3, and the first again at 4, which an event brings.
        let row = StoredVersion { source_updated_at: time(1), ..edited(at(2, 1), time(10)) };
        let back = stored_after(at(4, 1), time(14), Some(row));
        assert_eq!((back.version, back.source_updated_at), (row.version, time(4)));
        // The content of 3, from a page that was fetched before.
        assert_eq!(decide(at(3, 2), time(13), Some(back)), Decision::Stale);
    }

    #[test]
    fn state_that_is_older_though_fetched_later_tells_of_a_provider_gone_back() {
        let at = |second, content| Version {
            updated_at: time(second),
            hash: ContentHash::from_bytes([content; 16]),
        };
        let stored = Some(StoredVersion { last_writer: Writer::Onboarding, ..edited(at(5, 1), time(10)) });
        assert_eq!(decide(at(4, 2), time(11), stored), Decision::OlderThanHere);
        assert_eq!(decide(at(4, 2), time(9), stored), Decision::Stale);
        assert_eq!(decide(at(5, 2), time(9), stored), Decision::Stale);
        assert_eq!(decide(at(5, 2), time(11), stored), Decision::Update { overwrites_local: false });
    }
}
