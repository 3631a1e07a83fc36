//! What the portal lists at this moment: every record of the ships that were there from the beginning, in a version that follows
//! from its number, and a small set of changes. Memory grows with the changes alone.
//!
//! A list's order is (`updatedAt`, `id`). Records that never changed come first, by their numbers: all of their times lie before
//! those of the changes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

use crate::fleet::{Fleet, List, Numbered, Version};

/// A place in a list: behind this record.
pub(crate) type Place = (DateTime<Utc>, u64);

/// Slice `index` of `count`: records whose number modulo `count` is `index`. The number is the id's, so the slice of a record
/// never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) index: u64,
    pub(crate) count: u64,
}

impl Slice {
    pub(crate) const WHOLE: Self = Self { index: 0, count: 1 };

    fn admits(self, number: u64) -> bool {
        number % self.count == self.index
    }

    /// The first number of the slice from this one on.
    fn first_from(self, number: u64) -> u64 {
        number + (self.index + self.count - number % self.count) % self.count
    }
}

/// A list at one moment.
#[derive(Debug, Clone, Default)]
struct Listing {
    /// Records before this number were there from the beginning.
    from_beginning: u64,
    /// The others, and those that have changed.
    changed: BTreeMap<u64, Version>,
    order: BTreeSet<Place>,
}

impl Listing {
    fn version(&self, number: u64) -> Option<Version> {
        let unchanged = || Version { at: Fleet::first_time(number), revision: 0 };
        let version = self.changed.get(&number).copied();
        version.or_else(|| (number < self.from_beginning).then(unchanged))
    }

    fn put(&mut self, number: u64, version: Version) {
        if let Some(before) = self.changed.insert(number, version) {
            self.order.remove(&(before.at, number));
        }
        self.order.insert((version.at, number));
    }

    /// The first record that never changed since this time, behind this place.
    fn first_unchanged(&self, since: Option<DateTime<Utc>>, after: Option<Place>) -> u64 {
        let is_before = |number: u64| {
            let at = Fleet::first_time(number);
            since.is_some_and(|since| at < since) || after.is_some_and(|after| (at, number) <= after)
        };
        let (mut from, mut until) = (0, self.from_beginning);
        while from < until {
            let middle = from + (until - from) / 2;
            if is_before(middle) { from = middle + 1 } else { until = middle }
        }
        from
    }

    fn walk(
        &self,
        since: Option<DateTime<Utc>>,
        after: Option<Place>,
        slice: Slice,
    ) -> impl Iterator<Item = Numbered> {
        let first = slice.first_from(self.first_unchanged(since, after));
        let unchanged = (first..self.from_beginning)
            .step_by(usize::try_from(slice.count).unwrap_or(1))
            .filter(|number| !self.changed.contains_key(number))
            .map(|number| (number, Version { at: Fleet::first_time(number), revision: 0 }));
        let from = after.map(|(at, number)| (at, number + 1)).max(since.map(|since| (since, 0)));
        let changed = self.order.range(from.unwrap_or_default()..);
        let changed = changed.filter(move |(_, number)| slice.admits(*number));
        unchanged.chain(changed.map(|(_, number)| (*number, self.changed[number])))
    }

    fn count(&self, since: Option<DateTime<Utc>>) -> u64 {
        let first = self.first_unchanged(since, None);
        let changed_of_beginning = self.changed.range(first..self.from_beginning.max(first)).count() as u64;
        let changed = self.order.range(since.map(|since| (since, 0)).unwrap_or_default()..).count() as u64;
        self.from_beginning - first - changed_of_beginning + changed
    }
}

/// The state of the portal's lists, to restore later.
#[derive(Debug, Clone)]
pub(crate) struct Backup([Listing; 3]);

#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) fleet: Fleet,
    listings: [Listing; 3],
    /// The newest version that ever was of each record that has changed: a restored backup takes none of them away.
    newest: [BTreeMap<u64, Version>; 3],
    last_change: DateTime<Utc>,
}

impl Catalogue {
    /// A portal that has approved the first ships of the fleet.
    pub(crate) fn new(fleet: Fleet, approved_ships: u64) -> Self {
        let listing = |list| Listing {
            from_beginning: fleet.numbers_before_ship(list, approved_ships),
            ..Listing::default()
        };
        let (newest, last_change) = Default::default();
        Self { fleet, listings: List::ALL.map(listing), newest, last_change }
    }

    /// Changes a record, or enters it again if it is not listed.
    pub(crate) fn change(&mut self, list: List, number: u64) -> Version {
        // Later than every change before, as a portal's commits are: what was read once stays behind the cursor.
        let at = now().max(self.last_change + TimeDelta::microseconds(1));
        self.last_change = at;
        let version = Version { at, revision: self.newest(list, number).map_or(0, |it| it.revision + 1) };
        self.listings[list as usize].put(number, version);
        self.newest[list as usize].insert(number, version);
        version
    }

    /// Enters a ship with all that belongs to it; the version of its vessel.
    pub(crate) fn approve(&mut self, ship: u64) -> Version {
        let version = self.change(List::Vessels, ship);
        for list in [List::Equipment, List::Users] {
            for number in self.fleet.numbers_of_ship(list, ship) {
                self.change(list, number);
            }
        }
        version
    }

    pub(crate) fn backup(&self) -> Backup {
        Backup(self.listings.clone())
    }

    pub(crate) fn restore(&mut self, backup: &Backup) {
        self.listings = backup.0.clone();
    }

    /// The version that is listed; none: the record is not.
    pub(crate) fn listed(&self, list: List, number: u64) -> Option<Version> {
        self.listings[list as usize].version(number)
    }

    /// The newest version that ever was listed.
    pub(crate) fn newest(&self, list: List, number: u64) -> Option<Version> {
        let newest = self.newest[list as usize].get(&number).copied();
        newest.or_else(|| self.listings[list as usize].version(number))
    }

    /// Records that are listed in an older version than their newest, and those that are not listed any more.
    pub(crate) fn lost(&self, list: List) -> impl Iterator<Item = (u64, Option<Version>)> {
        let newest = self.newest[list as usize].iter();
        newest.filter_map(move |(number, newest)| {
            let listed = self.listed(list, *number);
            (listed != Some(*newest)).then_some((*number, listed))
        })
    }

    /// Every record that was ever listed, by its number, in its newest version.
    pub(crate) fn ever_listed(&self, list: List, from: u64) -> impl Iterator<Item = Numbered> {
        let newest = &self.newest[list as usize];
        let first = self.listings[list as usize].from_beginning;
        let later = newest.range(from.max(first)..).map(|(number, _)| *number);
        (from.min(first)..first)
            .chain(later)
            .filter_map(move |number| Some((number, self.newest(list, number)?)))
    }

    /// Records of a list in its order: changed at this time or later, behind this place, in this slice.
    pub(crate) fn walk(
        &self,
        list: List,
        since: Option<DateTime<Utc>>,
        after: Option<Place>,
        slice: Slice,
    ) -> impl Iterator<Item = Numbered> {
        self.listings[list as usize].walk(since, after, slice)
    }

    /// How many records [`Self::walk`] would pass in the whole list.
    pub(crate) fn count(&self, list: List, since: Option<DateTime<Utc>>) -> u64 {
        self.listings[list as usize].count(since)
    }
}

/// The portal's clock, in the microseconds that PostgreSQL keeps.
pub(crate) fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(SystemTime::now()).trunc_subsecs(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 20 ships, of which 15 were there from the beginning; one is approved later, and some records change.
    fn catalogue() -> Catalogue {
        let fleet = Fleet { seed: 3, ships: 20, equipment_per_ship: 7, ships_per_user: 4 };
        let mut catalogue = Catalogue::new(fleet, 15);
        catalogue.approve(17);
        for number in [3, 104, 50, 3] {
            catalogue.change(List::Equipment, number);
        }
        catalogue
    }

    fn numbers(catalogue: &Catalogue, slice: Slice) -> Vec<u64> {
        catalogue.walk(List::Equipment, None, None, slice).map(|(number, _)| number).collect()
    }

    #[test]
    fn walk_is_in_the_order_of_time_and_id_and_names_each_record_once() {
        let catalogue = catalogue();
        let walked: Vec<_> = catalogue.walk(List::Equipment, None, None, Slice::WHOLE).collect();
        assert!(walked.is_sorted_by(|a, b| (a.1.at, a.0) < (b.1.at, b.0)));
        assert_eq!(walked.len() as u64, catalogue.count(List::Equipment, None));
        let mut sorted = numbers(&catalogue, Slice::WHOLE);
        assert_eq!(sorted[sorted.len() - 3..], [104, 50, 3]);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..105).chain(119..126).collect::<Vec<_>>());
    }

    #[test]
    fn slices_hold_each_record_once() {
        let catalogue = catalogue();
        for count in [1, 2, 4, 64] {
            let mut all: Vec<u64> =
                (0..count).flat_map(|index| numbers(&catalogue, Slice { index, count })).collect();
            all.sort_unstable();
            let mut whole = numbers(&catalogue, Slice::WHOLE);
            whole.sort_unstable();
            assert_eq!(all, whole, "{count} slices");
        }
    }

    #[test]
    fn every_place_leads_on_to_the_rest_of_the_list_in_any_slice() {
        let catalogue = catalogue();
        let slice = Slice { index: 1, count: 4 };
        let all: Vec<_> = catalogue.walk(List::Equipment, None, None, Slice::WHOLE).collect();
        for (passed, (number, version)) in all.iter().enumerate() {
            let after = Some((version.at, *number));
            let rest: Vec<_> = catalogue.walk(List::Equipment, None, after, slice).collect();
            let expected: Vec<_> =
                all[passed + 1..].iter().copied().filter(|(number, _)| slice.admits(*number)).collect();
            assert_eq!(rest, expected);
        }
    }

    #[test]
    fn changes_since_a_time_are_counted_as_they_are_walked() {
        let catalogue = catalogue();
        let times = [Fleet::first_time(0), Fleet::first_time(60), Fleet::first_time(104), now()];
        let changed = catalogue.listed(List::Equipment, 50).map(|version| version.at);
        for since in times.map(Some).into_iter().chain([changed]) {
            let walked = catalogue.walk(List::Equipment, since, None, Slice::WHOLE);
            let all: Vec<_> = walked.map(|(_, version)| version.at).collect();
            assert!(all.iter().all(|at| Some(*at) >= since));
            assert_eq!(all.len() as u64, catalogue.count(List::Equipment, since));
        }
    }

    #[test]
    fn restored_backup_lists_older_versions_and_no_later_ships() {
        let mut catalogue = catalogue();
        let backup = catalogue.backup();
        let before = catalogue.listed(List::Equipment, 3);
        catalogue.change(List::Equipment, 3);
        catalogue.approve(19);
        catalogue.restore(&backup);
        assert_eq!(catalogue.listed(List::Equipment, 3), before);
        let lost: Vec<_> = catalogue.lost(List::Vessels).collect();
        assert_eq!(lost, [(19, None)]);
        assert_eq!(catalogue.lost(List::Equipment).count(), 8);
        let newest = catalogue.change(List::Equipment, 3);
        assert_eq!(newest.revision, 4, "no version is ever used twice");
        let ever = |list| catalogue.ever_listed(list, 0).map(|(number, _)| number).collect::<Vec<_>>();
        assert_eq!(ever(List::Vessels), (0..15).chain([17, 19]).collect::<Vec<_>>());
    }
}
