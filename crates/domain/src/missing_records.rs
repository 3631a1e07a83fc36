//! Records that stand in the maintenance portal and that a full sync did not find listed any more.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// What a full sync does with missing records; the column `settings.missing_records`. A record is never deleted.
    MissingPolicy {
        /// Count them.
        Keep = "keep",
        /// Withdraw them, within the limit.
        Deactivate = "deactivate",
    }
);

vocabulary!(
    /// What a full sync did with missing records; the column `sync_logs.missing_records`.
    MissingState {
        /// They were counted.
        Kept = "kept",
        /// The sync is a dry run: they would be withdrawn.
        Planned = "planned",
        /// They were withdrawn.
        Deactivated = "deactivated",
        /// They exceed the limit or are critical: an operator has to decide.
        Asks = "asks",
        /// An operator decided to withdraw them.
        Confirmed = "confirmed",
        /// An operator decided to keep them.
        Declined = "declined",
    }
);
