//! A tick: one time at which a schedule was due. A row of `schedule_ticks`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Result of a tick.
    TickOutcome {
        /// It started a sync.
        Started = "started",
        /// It started none: a full sync had not ended, or the tick was missed and is not caught up.
        Skipped = "skipped",
    }
);
