//! A webhook event: one signed approval notice. A row of `webhook_events`.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Where a webhook event stands.
    WebhookState {
        /// Committed, and not yet confirmed by the broker.
        Received = "received",
        /// Confirmed by the broker.
        Published = "published",
        /// Its effect is committed.
        Processed = "processed",
        /// Given up; a dead letter keeps its message.
        Failed = "failed",
        /// Of a type that needs nothing.
        Ignored = "ignored",
    }
);

impl WebhookState {
    /// Whether nothing more is to be done for it. A replay takes a failed event to processed.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Processed | Self::Failed | Self::Ignored)
    }

    /// Whether an event may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use WebhookState::{Failed, Ignored, Processed, Published, Received};
        match self {
            // A worker may be done before the confirm is recorded.
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
    fn a_processed_event_is_never_processed_again() {
        for next in WebhookState::ALL {
            assert!(!WebhookState::Processed.may_become(*next));
            assert!(!WebhookState::Ignored.may_become(*next));
        }
    }
}
