//! A tick: one time at which a schedule was due. A row of `schedule_ticks`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Result of a tick.
    TickOutcome {
        /// It started a sync.
        Started = "started",
        /// It started none: a full sync had not ended.
        Skipped = "skipped",
        /// It started none: no scheduler ran when it was due, and a later tick stands for it or it was too old to be caught up.
        Missed = "missed",
    }
);
