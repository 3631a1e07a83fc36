//! A sync: one sync with a cause, a mode, a scope, phases and a state. A row of `sync_logs`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{RecordType, vocabulary::vocabulary};

vocabulary!(
    /// Why a sync began.
    Cause {
        /// An operator asked for it.
        Manual = "manual",
        /// A schedule was due.
        Scheduled = "scheduled",
        /// The onboarding portal said that something was approved.
        Webhook = "webhook",
        /// A dead letter was replayed.
        Replay = "replay",
    }
);

vocabulary!(
    /// How much a sync looks at.
    Mode {
        /// Everything the provider has. At most one such sync at a time.
        Full = "full",
        /// What changed since a time.
        Incremental = "incremental",
        /// Named records.
        Selective = "selective",
    }
);

vocabulary!(
    /// Where a sync stands.
    SyncState {
        /// Recorded, not begun.
        Queued = "queued",
        /// At work.
        Running = "running",
        /// Its only open tasks wait for a retry.
        Retrying = "retrying",
        /// Ended, everything in.
        Completed = "completed",
        /// Ended; some records were rejected or some tasks are dead.
        CompletedWithErrors = "completed_with_errors",
        /// Ended without having read anything that was to be read, or its numbers do not add up.
        Failed = "failed",
        /// Ended by an operator.
        Cancelled = "cancelled",
    }
);

impl SyncState {
    /// Whether the sync has ended. A replayed dead task can open an ended sync again, and so can an operator who resumes
    /// it.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithErrors | Self::Failed | Self::Cancelled)
    }

    /// Whether a sync may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use SyncState::{Cancelled, Completed, CompletedWithErrors, Failed, Queued, Retrying, Running};
        match self {
            Queued => matches!(next, Running | Failed | Cancelled),
            Running => matches!(next, Retrying | Completed | CompletedWithErrors | Failed | Cancelled),
            Retrying => matches!(next, Running | Completed | CompletedWithErrors | Failed | Cancelled),
            // By a replay of one of its dead tasks, or resumed; what had not begun waits to begin again.
            CompletedWithErrors => matches!(next, Running),
            Failed | Cancelled => matches!(next, Running | Queued),
            Completed => false,
        }
    }
}

/// The phases of a run: companies come with their vessels, and both must be there before what refers to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Vessels, each with its company.
    One,
    /// Equipment and users, side by side.
    Two,
}

impl Phase {
    /// As it stands in `sync_logs.phase`.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// From `sync_logs.phase`; 0 is "before the first".
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        match number {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            _ => None,
        }
    }

    /// The record types whose lists are fetched in this phase. Companies have none: they are embedded in vessels.
    #[must_use]
    pub const fn lists(self) -> &'static [RecordType] {
        match self {
            Self::One => &[RecordType::Vessel],
            Self::Two => &[RecordType::Equipment, RecordType::User],
        }
    }

    /// The phase that opens when this one is done.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::One => Some(Self::Two),
            Self::Two => None,
        }
    }

    /// The first phase at or after `from` in which this scope has anything to fetch.
    #[must_use]
    pub fn first_with_work(from: Self, scope: &Scope) -> Option<(Self, Vec<RecordType>)> {
        let lists: Vec<_> = from.lists().iter().copied().filter(|list| scope.wants(*list)).collect();
        if lists.is_empty() { Self::first_with_work(from.next()?, scope) } else { Some((from, lists)) }
    }
}

/// What a sync is to look at; the column `sync_logs.scope`. Empty: everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Scope {
    /// Only these record types; empty: all. Companies come with vessels.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub record_types: BTreeSet<RecordType>,
    /// Only this vessel with its company, equipment and users, by its id in the onboarding portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vessel_id: Option<String>,
    /// Only these vessels, the same way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vessel_ids: Vec<String>,
    /// Only this company, its vessels, and what is on board of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Only these records, by their ids in the onboarding portal. A record type without an entry is not looked at,
    /// unless the map is empty.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub source_ids: BTreeMap<RecordType, Vec<String>>,
    /// Only records changed at or after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<DateTime<Utc>>,
    /// Only records changed at or before this time. The provider cannot be asked for this: what it lists beyond is
    /// counted as skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_until: Option<DateTime<Utc>>,
}

/// Most ids that one request to the provider may name.
pub const MOST_IDS: usize = 500;

/// A part of a list that is fetched page by page, in a chain of its own. Empty: the whole list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListSlice {
    /// Only these records; at most [`MOST_IDS`].
    pub source_ids: Vec<String>,
    /// Only what belongs to this vessel.
    pub vessel_id: Option<String>,
    /// Only vessels of this company.
    pub company_id: Option<String>,
}

impl Scope {
    /// Whether the list of this record type is to be fetched.
    #[must_use]
    pub fn wants(&self, list: RecordType) -> bool {
        let by_type = self.record_types.is_empty()
            || self.record_types.contains(&list)
            || (list == RecordType::Vessel && self.record_types.contains(&RecordType::Company));
        let by_id = self.source_ids.is_empty() || self.source_ids.contains_key(&list);
        by_type && by_id
    }

    /// The parts in which a list is fetched, side by side. The provider can be asked for some ids, one vessel or one
    /// company at a time. `of_company`: the vessels that [`Scope::company_id`] is known to have, when their equipment and
    /// users are fetched.
    #[must_use]
    pub fn slices(&self, list: RecordType, of_company: &[String]) -> Vec<ListSlice> {
        let by_ids = |ids: &[String]| {
            let slice = |ids: &[String]| ListSlice { source_ids: ids.to_vec(), ..ListSlice::default() };
            ids.chunks(MOST_IDS).map(slice).collect()
        };
        let by_vessel = |ids: &[String]| {
            let slice = |id: &String| ListSlice { vessel_id: Some(id.clone()), ..ListSlice::default() };
            ids.iter().map(slice).collect()
        };
        let vessels = self.vessel_id.as_ref().map_or(self.vessel_ids.as_slice(), std::slice::from_ref);
        match (self.source_ids.get(&list), list) {
            (Some(ids), _) => by_ids(ids),
            (None, RecordType::Vessel) if !vessels.is_empty() => by_ids(vessels),
            (None, RecordType::Vessel) => {
                vec![ListSlice { company_id: self.company_id.clone(), ..ListSlice::default() }]
            }
            (None, _) if !vessels.is_empty() => by_vessel(vessels),
            (None, _) if self.company_id.is_some() => by_vessel(of_company),
            (None, _) => vec![ListSlice::default()],
        }
    }
}

/// Whether a list was read as it was announced.
///
/// A record that changes while its list is read comes at the end of it: once more, or only there; and so does a new one.
/// `expected`: how many the provider said there are at its first look. `read`: how many came. `late`: of these, those that
/// are newer than that look. `again`: of the late ones, those that had been read before they changed. What remains of the
/// late ones may have been among the announced, or not.
#[must_use]
pub const fn is_whole(expected: u64, read: u64, late: u64, again: u64) -> bool {
    read.saturating_sub(late) <= expected && expected <= read.saturating_sub(again)
}

/// How a sync whose tasks have all ended ends.
///
/// `dead_tasks`: tasks that were given up. `books_balance`: for every record type, what the provider expected
/// equals what was read. `has_errors`: records were rejected. `has_read`: at least one record was read.
#[must_use]
pub const fn final_state(
    dead_tasks: u64,
    books_balance: bool,
    has_errors: bool,
    has_read: bool,
) -> SyncState {
    if dead_tasks > 0 && !has_read {
        SyncState::Failed
    } else if dead_tasks > 0 || !books_balance || has_errors {
        SyncState::CompletedWithErrors
    } else {
        SyncState::Completed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_has_ended_can_only_be_opened_again_and_a_complete_one_never() {
        for from in SyncState::ALL.iter().filter(|state| state.is_terminal()) {
            for to in SyncState::ALL {
                let reopened = match to {
                    SyncState::Running => *from != SyncState::Completed,
                    SyncState::Queued => matches!(from, SyncState::Failed | SyncState::Cancelled),
                    _ => false,
                };
                assert_eq!(from.may_become(*to), reopened, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn a_sync_can_always_be_cancelled_until_it_has_ended() {
        for from in SyncState::ALL.iter().filter(|state| !state.is_terminal()) {
            assert!(from.may_become(SyncState::Cancelled), "{from}");
        }
    }

    #[test]
    fn every_list_belongs_to_one_phase() {
        let mut lists: Vec<_> = [Phase::One, Phase::Two].iter().flat_map(|phase| phase.lists()).collect();
        lists.sort();
        assert_eq!(lists, [&RecordType::Vessel, &RecordType::Equipment, &RecordType::User]);
    }

    #[test]
    fn a_scope_of_users_begins_in_the_second_phase() {
        let scope = Scope { record_types: [RecordType::User].into(), ..Scope::default() };
        assert_eq!(Phase::first_with_work(Phase::One, &scope), Some((Phase::Two, vec![RecordType::User])));
    }

    #[test]
    fn a_scope_of_companies_fetches_vessels() {
        let scope = Scope { record_types: [RecordType::Company].into(), ..Scope::default() };
        assert_eq!(Phase::first_with_work(Phase::One, &scope), Some((Phase::One, vec![RecordType::Vessel])));
        assert_eq!(Phase::first_with_work(Phase::Two, &scope), None);
    }

    #[test]
    fn a_scope_round_trips_through_json_and_the_empty_one_is_empty() {
        assert_eq!(serde_json::to_string(&Scope::default()).unwrap(), "{}");
        let scope =
            Scope { source_ids: [(RecordType::Vessel, vec!["v-1".into()])].into(), ..Scope::default() };
        let text = serde_json::to_string(&scope).unwrap();
        assert_eq!(text, r#"{"sourceIds":{"vessel":["v-1"]}}"#);
        assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), scope);
    }

    #[test]
    fn a_list_is_fetched_in_parts_that_the_provider_can_be_asked_for() {
        let whole = Scope::default();
        assert_eq!(whole.slices(RecordType::User, &[]), [ListSlice::default()]);

        let vessels = Scope { vessel_ids: vec!["v-1".into(), "v-2".into()], ..Scope::default() };
        let [slice] = vessels.slices(RecordType::Vessel, &[]).try_into().unwrap();
        assert_eq!(slice.source_ids, ["v-1", "v-2"]);
        let of: Vec<_> =
            vessels.slices(RecordType::Equipment, &[]).into_iter().map(|it| it.vessel_id).collect();
        assert_eq!(of, [Some("v-1".to_owned()), Some("v-2".to_owned())]);

        let company = Scope { company_id: Some("c-1".into()), ..Scope::default() };
        assert_eq!(company.slices(RecordType::Vessel, &[])[0].company_id.as_deref(), Some("c-1"));
        assert_eq!(company.slices(RecordType::User, &["v-9".into()])[0].vessel_id.as_deref(), Some("v-9"));
        assert_eq!(company.slices(RecordType::User, &[]), []);

        let many = (0..MOST_IDS + 1).map(|n| n.to_string()).collect();
        let many = Scope { source_ids: [(RecordType::Equipment, many)].into(), ..Scope::default() };
        let sizes: Vec<_> =
            many.slices(RecordType::Equipment, &[]).iter().map(|slice| slice.source_ids.len()).collect();
        assert_eq!(sizes, [MOST_IDS, 1]);
    }

    #[test]
    fn a_list_is_whole_if_only_what_changed_meanwhile_makes_a_difference() {
        assert!(is_whole(30, 30, 0, 0));
        assert!(!is_whole(30, 29, 0, 0) && !is_whole(30, 31, 0, 0));
        assert!(is_whole(30, 31, 1, 1), "one came again");
        assert!(is_whole(30, 30, 1, 0), "one changed before it was read");
        assert!(is_whole(30, 31, 1, 0), "one is new");
        assert!(!is_whole(30, 30, 1, 1), "one came again, and another not at all");
        assert!(!is_whole(30, 41, 1, 1), "a page came twice");
    }

    #[test]
    fn a_sync_ends_green_only_when_its_numbers_do() {
        assert_eq!(final_state(0, true, false, true), SyncState::Completed);
        assert_eq!(final_state(0, true, false, false), SyncState::Completed);
        assert_eq!(final_state(0, false, false, true), SyncState::CompletedWithErrors);
        assert_eq!(final_state(0, true, true, true), SyncState::CompletedWithErrors);
        assert_eq!(final_state(1, true, false, true), SyncState::CompletedWithErrors);
        assert_eq!(final_state(1, false, false, false), SyncState::Failed);
    }
}
