//! Resume and retry of syncs that have ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::SyncState;

/// Answer to `POST /api/sync/syncs/{syncId}/resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResumeAccepted {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// `running`, or `queued` if no worker had started the sync.
    pub state: SyncState,
    /// Number of reopened tasks.
    pub tasks: i64,
}

/// Body of `POST /api/sync/syncs/{syncId}/retry`; may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RetryRequest {
    /// Reason, kept with the new sync and in the audit log; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer to the retry of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryAccepted {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// Number of reopened tasks.
    pub tasks: i64,
    /// Number of rejected records that the new sync retries.
    pub records: i64,
    /// Id of the new sync; absent if no record was rejected.
    pub retry_sync_id: Option<Uuid>,
}
