//! The timeline of a record: what happened to it, from the notice of its approval to its row.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// What happened to a record.
    TimelineKind {
        /// A webhook about it was received.
        WebhookReceived = "webhook_received",
        /// A webhook about it was processed: its present state was fetched, and written if it was new.
        WebhookProcessed = "webhook_processed",
        /// A webhook was refused: it came under the id of one about the record, with another body.
        WebhookRefused = "webhook_refused",
        /// The message of a webhook about it was given up.
        DeadLetter = "dead_letter",
        /// A sync created its row.
        Created = "created",
        /// A sync wrote its row.
        Updated = "updated",
        /// A sync withdrew its row.
        Withdrawn = "withdrawn",
        /// A sync made its withdrawn row active again.
        Returned = "returned",
        /// A full sync did not find it any more.
        Missing = "missing",
        /// A dry run found what it would do to the record, and wrote nothing.
        DryRun = "dry_run",
        /// A sync found something wrong with it.
        Finding = "finding",
        /// Both portals had changed it.
        ConflictOpened = "conflict_opened",
        /// An operator decided about a conflict.
        ConflictResolved = "conflict_resolved",
        /// The undo of a sync came to it.
        Undone = "undone",
        /// Its row was changed in the maintenance portal: on board, ashore, by a decision or by an undo.
        Edited = "edited",
        /// An admin asked for its temporary password.
        PasswordClaim = "password_claim",
        /// An admin had a new temporary password made.
        PasswordReissue = "password_reissue",
    }
);
