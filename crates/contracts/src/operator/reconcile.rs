//! Missing records: active ones that the onboarding portal no longer lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

words! {
    /// What a full sync does with missing records: active ones that the onboarding portal no longer lists. No record is
    /// ever deleted.
    MissingPolicy = domain::missing_records::MissingPolicy {
        /// Count the records, and keep them.
        Keep = "keep",
        /// Withdraw the records, within the limit.
        Deactivate = "deactivate",
    }
}
words! {
    /// Result of a full sync for its missing records.
    MissingState = domain::missing_records::MissingState {
        /// The records were counted and kept.
        Kept = "kept",
        /// Dry run: the records would be withdrawn.
        Planned = "planned",
        /// The records were withdrawn.
        Deactivated = "deactivated",
        /// An operator has to decide: the records are more than the limit, or one of them is critical.
        Asks = "asks",
        /// An operator decided to withdraw the records.
        Confirmed = "confirmed",
        /// An operator decided to keep the records.
        Declined = "declined",
        /// Some of the records were counted and stay, because the list that lacks them was not read whole, held a record
        /// without a readable id, or a record that was new while it was read.
        Unverified = "unverified",
    }
}

/// Body of `POST /api/sync/syncs/{syncId}/confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmRequest {
    /// `deactivate` withdraws the missing records, `keep` keeps them.
    pub decision: MissingPolicy,
    /// Reason, kept in the audit log; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Result of a decision about missing records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmAccepted {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// Number of withdrawn records.
    pub deactivated: i64,
}
