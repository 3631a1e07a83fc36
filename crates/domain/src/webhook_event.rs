//! A webhook event: one signed approval notice. A row of `webhook_events`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Where a webhook event stands.
    WebhookState {
        /// Committed, not yet confirmed by the broker.
        Received = "received",
        /// Confirmed by the broker.
        Published = "published",
        /// Its effect is committed.
        Processed = "processed",
        /// Given up; a dead letter keeps its message.
        Failed = "failed",
        /// Of a type that starts no sync.
        Ignored = "ignored",
    }
);

impl WebhookState {
    /// Whether nothing more is to be done for an event in this state. A replay takes a failed event to processed.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Processed | Self::Failed | Self::Ignored)
    }

    /// Whether an operator may have an event in this state processed again. An event that is not published yet, or that
    /// is ignored, would gain nothing.
    #[must_use]
    pub const fn is_reprocessable(self) -> bool {
        matches!(self, Self::Published | Self::Processed | Self::Failed)
    }

    /// States from which an event may go to this one without an operator's order.
    pub fn sources(self) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |state| state.may_become(self))
    }

    /// Whether an event may go from this state to `next` without an operator's order.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use WebhookState::{Failed, Ignored, Processed, Published, Received};
        match self {
            // A worker may be done before the broker's confirm is recorded.
            Received => matches!(next, Published | Processed | Failed),
            Published => matches!(next, Processed | Failed),
            Failed => matches!(next, Published | Processed),
            Processed | Ignored => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processed_and_ignored_events_stay_so_without_an_operator() {
        for next in WebhookState::ALL {
            assert!(!WebhookState::Processed.may_become(*next));
            assert!(!WebhookState::Ignored.may_become(*next));
        }
    }
}
