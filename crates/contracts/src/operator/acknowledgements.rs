//! Acknowledged rejections.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An operator's word that a rejection is known, until a time. It ends before that with the rejection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledgement {
    /// Why nothing is to be done for now.
    pub reason: String,
    /// Until when.
    pub until: DateTime<Utc>,
    /// When it was acknowledged.
    pub acknowledged_at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub acknowledged_by: String,
    /// Whether the rejection needs no attention: its time has not come, and no other error stands than those of then.
    pub holds: bool,
}

/// A rejection to be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcknowledgementRequest {
    /// Why nothing is to be done for now.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// Until when: at most 400 days from now.
    pub until: DateTime<Utc>,
    /// The errors that you have seen: if others stand by now, nothing is acknowledged. Absent: whatever stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1000)]
    pub errors: Option<Vec<StandingError>>,
}

/// An error that stands about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StandingError {
    /// Code of the finding.
    pub code: String,
    /// JSON pointer of the finding.
    pub pointer: String,
}
