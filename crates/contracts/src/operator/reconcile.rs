//! What is here and not listed any more.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

words! {
    /// What a full sync does with records that are not listed any more. Nothing is ever deleted.
    MissingPolicy = domain::missing_records::MissingPolicy {
        /// Count them.
        Keep = "keep",
        /// Withdraw them, within the limit.
        Deactivate = "deactivate",
    }
}
words! {
    /// What became of the records that a full sync did not find any more.
    MissingState = domain::missing_records::MissingState {
        /// They were counted.
        Kept = "kept",
        /// A dry run: they would be withdrawn.
        Planned = "planned",
        /// They were withdrawn.
        Deactivated = "deactivated",
        /// They are more than the limit, or critical: an operator has to say.
        Asks = "asks",
        /// An operator had them withdrawn.
        Confirmed = "confirmed",
        /// An operator had them kept.
        Declined = "declined",
    }
}

/// Body of `POST /api/sync/syncs/{syncId}/confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmRequest {
    /// `deactivate` what is missing, or `keep` it.
    pub decision: MissingPolicy,
    /// Why; kept in the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmAccepted {
    /// The sync that asked.
    pub sync_id: Uuid,
    /// Records that were withdrawn.
    pub deactivated: i64,
}
