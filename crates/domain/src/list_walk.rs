//! How far a list may be walked, page after page: a provider may repeat itself, or never come to an end.

use serde::{Deserialize, Serialize};

/// Most pages in a row without a record.
const EMPTY_PAGES_LIMIT: u32 = 20;
/// Most records of a list whose number is not announced.
const RECORDS_LIMIT: u64 = 20_000_000;
/// A list grows while it is read, and records that change are listed once more: beyond twice the announced number, this many.
const GROWTH_LIMIT: u64 = 10_000;

/// What was seen of a list so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListWalk {
    /// How many records the provider has announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    announced: Option<u64>,
    /// Records on the pages so far.
    read: u64,
    /// Pages without a record, in a row, up to now.
    empty_pages: u32,
}

/// A list that must not be walked on, for the faults that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndlessList {
    #[error("{0} pages in a row hold no record, and each leads to another")]
    Empty(u32),
    #[error("{read} records were read of a list of {announced}, and it goes on")]
    Longer { read: u64, announced: u64 },
    #[error("{0} records were read, and the list goes on")]
    TooLong(u64),
    #[error("the next cursor is that of earlier pages, so paging would never end")]
    Circle,
}

impl ListWalk {
    /// The walk with one page more. `announced`: on the page, if anything is.
    #[must_use]
    pub fn after_page(self, records: usize, announced: Option<u64>) -> Self {
        Self {
            announced: self.announced.or(announced),
            read: self.read.saturating_add(records as u64),
            empty_pages: if records == 0 { self.empty_pages + 1 } else { 0 },
        }
    }

    /// The walk of one of `parts` of the rest of the list.
    #[must_use]
    pub fn of_part(self, parts: u64) -> Self {
        let rest = |announced: u64| announced.saturating_sub(self.read).div_ceil(parts.max(1));
        Self { announced: self.announced.map(rest), ..Self::default() }
    }

    /// Whether another page may be asked for.
    ///
    /// # Errors
    ///
    /// If the list shows no end.
    pub fn may_go_on(self) -> Result<(), EndlessList> {
        let Self { announced, read, empty_pages } = self;
        if empty_pages >= EMPTY_PAGES_LIMIT {
            return Err(EndlessList::Empty(empty_pages));
        }
        match announced {
            Some(announced) if read > announced.saturating_mul(2).saturating_add(GROWTH_LIMIT) => {
                Err(EndlessList::Longer { read, announced })
            }
            None if read > RECORDS_LIMIT => Err(EndlessList::TooLong(read)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_that_grows_within_measure_is_walked_to_its_end() {
        let walk = (0..130).fold(ListWalk::default(), |walk, _| {
            assert_eq!(walk.may_go_on(), Ok(()));
            walk.after_page(100, Some(1_500))
        });
        assert_eq!(
            walk.after_page(1, None).may_go_on(),
            Err(EndlessList::Longer { read: 13_001, announced: 1_500 })
        );
    }

    #[test]
    fn empty_pages_are_followed_for_a_while() {
        let empty = |walk: ListWalk, pages: u32| (0..pages).fold(walk, |walk, _| walk.after_page(0, None));
        let walk = empty(ListWalk::default(), 19);
        assert_eq!(walk.may_go_on(), Ok(()));
        assert_eq!(empty(walk, 1).may_go_on(), Err(EndlessList::Empty(20)));
        assert_eq!(empty(walk.after_page(1, None), 19).may_go_on(), Ok(()));
    }

    #[test]
    fn parts_of_a_list_may_be_walked_as_far_as_their_share() {
        let part = ListWalk::default().after_page(1_000, Some(65_000)).of_part(64);
        assert_eq!(part.after_page(12_000, None).may_go_on(), Ok(()));
        let beyond = part.after_page(12_001, None).may_go_on();
        assert_eq!(beyond, Err(EndlessList::Longer { read: 12_001, announced: 1_000 }));
    }

    #[test]
    fn list_of_unknown_length_has_a_limit() {
        let walk = ListWalk::default().after_page(20_000_001, None);
        assert_eq!(walk.may_go_on(), Err(EndlessList::TooLong(20_000_001)));
        assert_eq!(walk.after_page(0, Some(20_000_001)).may_go_on(), Ok(()));
    }
}
