//! Updates: progress notices that go out over the updates stream and as server-sent events.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Name of an update, which is the name of its server-sent event.
    UpdateName {
        SyncStarted = "sync.started",
        /// Records were written.
        SyncProgress = "sync.progress",
        /// The next phase of a sync is open.
        SyncPhase = "sync.phase",
        /// A sync ended, with or without rejected records.
        SyncCompleted = "sync.completed",
        SyncFailed = "sync.failed",
        SyncCancelled = "sync.cancelled",
        DeadLetterAdded = "deadletter.added",
        DeadLetterReplayed = "deadletter.replayed",
        /// A webhook event was processed, failed or was ignored.
        WebhookProcessed = "webhook.processed",
        /// Settings have a new version.
        ScheduleChanged = "schedule.changed",
        ConflictOpened = "conflict.opened",
        ConflictResolved = "conflict.resolved",
        /// Requests of a worker to another system end otherwise than before.
        HealthChanged = "health.changed",
    }
);

impl UpdateName {
    /// The name in an update. Earlier releases called [`UpdateName::WebhookProcessed`] `webhook.received`. None for a name of
    /// a later release.
    #[must_use]
    pub fn of_update(text: &str) -> Option<Self> {
        if text == "webhook.received" { Some(Self::WebhookProcessed) } else { text.parse().ok() }
    }
}
