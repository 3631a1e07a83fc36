//! A tick: one time at which a schedule was due. A row of `schedule_ticks`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Result of a tick.
    TickOutcome {
        /// It started a sync.
        Started = "started",
        /// It started none: an earlier sync had not ended, the schedule was paused, or no vessel of its selection is known.
        Skipped = "skipped",
        /// It started none: no scheduler ran when it was due, and a later tick stands for it or it was too old to be caught up.
        Missed = "missed",
    }
);
