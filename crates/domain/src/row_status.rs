//! The status of a row of the maintenance portal that a sync has brought.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// Rows are never deleted: an older state that comes late must find what it is older than.
    RowStatus {
        /// The record is approved.
        Active = "active",
        /// The approval was withdrawn, or the record is missing in the onboarding portal.
        Withdrawn = "withdrawn",
    }
);
