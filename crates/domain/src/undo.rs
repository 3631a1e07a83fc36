//! Undoing a sync. One row of `undo_items` per record.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Result for one record of an undone sync.
    UndoResult {
        /// The record is as it was before the sync.
        Restored = "restored",
        /// The sync had created the record: it is withdrawn, not deleted.
        Withdrawn = "withdrawn",
        /// The record was left alone.
        Skipped = "skipped",
    }
);

vocabulary!(
    /// Why a record of an undone sync was left alone.
    UndoSkipReason {
        /// It was edited in the maintenance portal after the sync.
        EditedSince = "edited_since",
        /// A later sync wrote it.
        OverwrittenSince = "overwritten_since",
        /// The sync had created it, and it was withdrawn already.
        AlreadyWithdrawn = "already_withdrawn",
        /// Its earlier number, code or address belongs to another record by now.
        KeyTaken = "key_taken",
        /// The sync had created it, and active records refer to it.
        InUse = "in_use",
    }
);
