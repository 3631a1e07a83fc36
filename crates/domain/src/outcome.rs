//! What became of records, and the tally of a sync.

use std::ops::{Add, AddAssign};

use serde::Serialize;

use crate::vocabulary::vocabulary;

vocabulary!(
    /// What became of one record. Every record that was read has exactly one.
    Outcome {
        /// It was not there before.
        Created = "created",
        /// It was there with an older content.
        Updated = "updated",
        /// It was there with this content.
        Unchanged = "unchanged",
        /// A value lost against the other portal's, and was kept with both sides.
        Conflict = "conflict",
        /// It failed validation, and was kept with its findings.
        Rejected = "rejected",
        /// It changed nothing that anybody sees: stale, or a tombstone of something never seen.
        Skipped = "skipped",
    }
);

impl Outcome {
    /// The outcome of a record that comes once more in the same sync: its last listed state decides whether it is sound,
    /// and the greatest change stays.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        let weight = |outcome| match outcome {
            Self::Skipped => 0,
            Self::Unchanged => 1,
            Self::Updated => 2,
            Self::Created => 3,
            Self::Conflict => 4,
            Self::Rejected => 5,
        };
        match (self, later) {
            (Self::Rejected, later) => later,
            (earlier, later) if weight(later) > weight(earlier) => later,
            (earlier, _) => earlier,
        }
    }
}

/// The tally of one record type in one sync. `read` is the sum of the outcomes because it is never counted
/// on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RecordCounts {
    /// Records created.
    pub created: u64,
    /// Records updated.
    pub updated: u64,
    /// Records found unchanged.
    pub unchanged: u64,
    /// Records with a conflict.
    pub conflict: u64,
    /// Records rejected.
    pub rejected: u64,
    /// Records that needed nothing.
    pub skipped: u64,
}

impl RecordCounts {
    /// Records that were read: the sum of the outcomes.
    #[must_use]
    pub const fn read(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.conflict + self.rejected + self.skipped
    }

    /// How many had this outcome.
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Created => self.created,
            Outcome::Updated => self.updated,
            Outcome::Unchanged => self.unchanged,
            Outcome::Conflict => self.conflict,
            Outcome::Rejected => self.rejected,
            Outcome::Skipped => self.skipped,
        }
    }

    /// Counts one more.
    pub const fn count(&mut self, outcome: Outcome) {
        self.count_many(outcome, 1);
    }

    /// Counts `n` more.
    pub const fn count_many(&mut self, outcome: Outcome, n: u64) {
        *match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Conflict => &mut self.conflict,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Skipped => &mut self.skipped,
        } += n;
    }

    /// Whether an operator must look: something was rejected.
    #[must_use]
    pub const fn has_errors(&self) -> bool {
        self.rejected > 0
    }
}

impl FromIterator<Outcome> for RecordCounts {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut counts = Self::default();
        outcomes.into_iter().for_each(|outcome| counts.count(outcome));
        counts
    }
}

impl Add for RecordCounts {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl AddAssign for RecordCounts {
    fn add_assign(&mut self, other: Self) {
        for outcome in Outcome::ALL {
            self.count_many(*outcome, other.of(*outcome));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn read_is_the_number_of_outcomes_however_they_are_split(
            outcomes in prop::collection::vec(prop::sample::select(Outcome::ALL), 0..200), at in 0usize..200,
        ) {
            let at = at.min(outcomes.len());
            let whole: RecordCounts = outcomes.iter().copied().collect();
            let first: RecordCounts = outcomes[..at].iter().copied().collect();
            let second: RecordCounts = outcomes[at..].iter().copied().collect();
            prop_assert_eq!(whole.read(), outcomes.len() as u64);
            prop_assert_eq!(first + second, whole);
        }
    }
}
