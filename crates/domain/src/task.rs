//! A task: one unit of work of a sync. A row of `sync_queue`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Where a task stands.
    TaskState {
        /// To be done.
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
    /// Whether nothing more is to be done for it. A replay opens a dead task again.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }

    /// Whether a task may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use TaskState::{Cancelled, Dead, Done, Pending, Retrying};
        match self {
            Pending => matches!(next, Retrying | Done | Dead | Cancelled),
            Retrying => matches!(next, Done | Dead | Cancelled),
            Dead => matches!(next, Pending | Cancelled), // by a replay, or when its sync is cancelled
            Cancelled => matches!(next, Pending),        // when its sync is resumed
            Done => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_stays_done() {
        for next in TaskState::ALL {
            assert!(!TaskState::Done.may_become(*next));
        }
    }

    #[test]
    fn a_replay_opens_a_dead_task_again() {
        assert!(TaskState::Dead.may_become(TaskState::Pending));
    }
}
