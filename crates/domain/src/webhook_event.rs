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

    /// Whether an operator may have it processed again: what is on its way already, or needs nothing, gains nothing.
    #[must_use]
    pub const fn is_reprocessable(self) -> bool {
        matches!(self, Self::Published | Self::Processed | Self::Failed)
    }

    /// Whether an event may go by itself, without an operator's word, from this state to `next`.
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
    fn a_processed_event_is_never_processed_again_by_itself() {
        for next in WebhookState::ALL {
            assert!(!WebhookState::Processed.may_become(*next));
            assert!(!WebhookState::Ignored.may_become(*next));
        }
    }
}
