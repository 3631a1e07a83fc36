//! A dead letter: a message that used up its retries or can never succeed. A row of `dead_letters`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Where a dead letter stands.
    DeadLetterState {
        /// It waits for an operator.
        Dead = "dead",
        /// An operator asked for a replay, which the broker has not confirmed yet.
        Replaying = "replaying",
        /// It was published again. If that failed, another dead letter names this one as its origin.
        Replayed = "replayed",
        /// Its replay took effect.
        Succeeded = "succeeded",
    }
);

vocabulary!(
    /// Where one dead letter of a replay job stands; the column `replay_items.state`.
    ReplayItemState {
        /// Not published yet.
        Waiting = "waiting",
        /// Published, without a result yet.
        Sent = "sent",
        /// Its replay took effect.
        Succeeded = "succeeded",
        /// It died again.
        Died = "died",
        /// Stopped before it was published, or taken over by a later job.
        Cancelled = "cancelled",
    }
);

impl ReplayItemState {
    /// States of a replay without a result yet.
    pub const OPEN: &'static [Self] = &[Self::Waiting, Self::Sent];
}
