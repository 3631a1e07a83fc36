//! A task: one unit of work of a sync. A row of `sync_queue`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Where a task stands.
    ///
    /// Only an open task is done, given up or cancelled. A replay opens a dead task again, and the resumption of its sync
    /// opens every task that is not done.
    TaskState {
        /// Not done yet.
        Pending = "pending",
        /// Failed, waiting for its next attempt.
        Retrying = "retrying",
        /// Its effect is committed.
        Done = "done",
        /// Given up; a dead letter keeps its message.
        Dead = "dead",
        /// Its sync was cancelled.
        Cancelled = "cancelled",
    }
);

impl TaskState {
    /// States of a task that is still to be done.
    pub const OPEN: [Self; 2] = [Self::Pending, Self::Retrying];

    /// Whether nothing more is to be done for a task in this state.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::Retrying)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_state_is_open_or_terminal() {
        for state in TaskState::ALL {
            assert_ne!(TaskState::OPEN.contains(state), state.is_terminal(), "{state}");
        }
    }
}
