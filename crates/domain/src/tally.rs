//! The tally of one record type in one sync: what was announced, what became of what was read, and what is missing.

use crate::{RecordCounts, RecordType};

/// A tally; a row of `sync_counts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub record_type: RecordType,
    /// How many records the provider announced at its first look at the list; none until it has said.
    pub expected: Option<u64>,
    /// What became of the records that were read.
    pub counts: RecordCounts,
    /// Records that are active here and were not listed any more.
    pub missing: u64,
    /// Of the missing ones, those that were withdrawn for it.
    pub deactivated: u64,
    /// Of the records read, those that are newer than the provider's first look at the list.
    pub late: u64,
    /// Of the records read, those that were read before; known when the sync ends.
    pub again: u64,
    /// Of those read again, the ones that are not late: the provider's pages overlap. Known when the sync ends.
    pub doubled: u64,
    /// At least one page of the type was read.
    pub is_reached: bool,
}

impl Tally {
    /// A tally of nothing yet.
    #[must_use]
    pub fn empty(record_type: RecordType) -> Self {
        Self {
            record_type,
            expected: None,
            counts: RecordCounts::default(),
            missing: 0,
            deactivated: 0,
            late: 0,
            again: 0,
            doubled: 0,
            is_reached: false,
        }
    }

    /// Whether a sync with these tallies has read a page of this record type. Companies come with vessels: their pages are
    /// those of the vessels.
    #[must_use]
    pub fn reaches(tallies: &[Self], record_type: RecordType) -> bool {
        tallies.iter().filter(|tally| tally.is_reached).any(|tally| {
            tally.record_type == record_type
                || (record_type == RecordType::Company && tally.record_type == RecordType::Vessel)
        })
    }

    /// Whether the list was read as it was announced; true while nothing was announced.
    ///
    /// A record that changes while its list is read comes at the end of the list: once more, or only there; and so does a
    /// new one. The late records that had not been read before may have been among the announced ones, or not. A record that
    /// comes twice unchanged says that pages overlap: another one may stand in the numbers for it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let read = self.counts.read();
        self.expected.is_none_or(|expected| {
            self.doubled == 0
                && read.saturating_sub(self.late) <= expected
                && expected <= read.saturating_sub(self.again)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(expected: u64, read: u64, late: u64, again: u64) -> bool {
        let counts = RecordCounts { unchanged: read, ..RecordCounts::default() };
        Tally { expected: Some(expected), counts, late, again, ..Tally::empty(RecordType::Vessel) }.is_whole()
    }

    #[test]
    fn companies_are_reached_with_the_vessels_that_they_come_with() {
        let reached = |record_type| Tally { is_reached: true, ..Tally::empty(record_type) };
        let vessels = [reached(RecordType::Vessel), Tally::empty(RecordType::Company)];
        assert!(
            Tally::reaches(&vessels, RecordType::Company) && Tally::reaches(&vessels, RecordType::Vessel)
        );
        assert!(!Tally::reaches(&vessels, RecordType::Equipment));
        assert!(!Tally::reaches(&[reached(RecordType::Company)], RecordType::Vessel));
    }

    #[test]
    fn list_is_whole_if_only_records_that_changed_meanwhile_make_a_difference() {
        assert!(is_whole(30, 30, 0, 0));
        assert!(!is_whole(30, 29, 0, 0) && !is_whole(30, 31, 0, 0));
        assert!(is_whole(30, 31, 1, 1), "one came again");
        assert!(is_whole(30, 30, 1, 0), "one changed before it was read");
        assert!(is_whole(30, 31, 1, 0), "one is new");
        assert!(!is_whole(30, 30, 1, 1), "one came again, and another not at all");
        assert!(!is_whole(30, 41, 1, 1), "a page came twice");
        assert!(!is_whole(30, 30, 0, 1), "one came twice, and another not at all");
        let counts = RecordCounts { unchanged: 31, ..RecordCounts::default() };
        let overlapping = Tally { late: 1, again: 1, doubled: 1, ..Tally::empty(RecordType::Vessel) };
        let overlapping = Tally { expected: Some(30), counts, ..overlapping };
        assert!(
            !overlapping.is_whole(),
            "one came twice unchanged, another is new, and a third came not at all"
        );
    }
}
