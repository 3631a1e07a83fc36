//! What operators do to syncs that have ended.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::SyncState;

/// Answer to `POST /api/sync/syncs/{syncId}/resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResumeAccepted {
    /// The sync, which goes on.
    pub sync_id: Uuid,
    /// `running`, or `queued` if it had never begun.
    pub state: SyncState,
    /// Tasks that are open again.
    pub tasks: i64,
}

/// Body of `POST /api/sync/syncs/{syncId}/retry`; none at all will do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RetryRequest {
    /// Why; kept in the new sync and the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer to a retry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetryAccepted {
    /// The sync whose failures are tried again.
    pub sync_id: Uuid,
    /// Its tasks that were given up and are open again.
    pub tasks: i64,
    /// Its records that were rejected and are looked at again.
    pub records: i64,
    /// The new sync that looks at them; absent if none was rejected.
    pub retry_sync_id: Option<Uuid>,
}
