//! A sync: one execution with a cause, a mode, phases and a state. A row of `sync_logs`.

use crate::{RecordType, Scope, vocabulary::vocabulary};

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

    /// States in which a sync has not ended.
    pub const ACTIVE: &'static [Self] = &[Self::Queued, Self::Running, Self::Retrying];

    /// States from which a sync may go to this one.
    pub fn sources(self) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |state| state.may_become(self))
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
    fn active_states_are_those_that_have_not_ended() {
        for state in SyncState::ALL {
            assert_eq!(SyncState::ACTIVE.contains(state), !state.is_terminal(), "{state}");
        }
    }
}
