//! Resume and retry of syncs that have ended, and older states of a portal that has gone back in time.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{RecordType, SyncState};

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

/// Records that stand rejected since a sync because the onboarding portal's state is older than the one here
/// (`older_than_here`), as after the restore of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OlderRecords {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// Number of records.
    pub records: i64,
    /// Number of records by type.
    pub by_type: Vec<OlderRecordsOfType>,
}

/// Number of rejected older records of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OlderRecordsOfType {
    /// Record type.
    pub record_type: RecordType,
    /// Number of records.
    pub records: i64,
}

/// Body of `POST /api/sync/syncs/{syncId}/accept-older`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptOlderRequest {
    /// Number of records that the operator has seen (`records` of the answer to `GET` on the same path). If it is another
    /// one by now, nothing is accepted.
    pub expected_records: i64,
    /// Reason, kept with the new sync and in the audit log; at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Result of accepting older records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OlderAccepted {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// Number of records that the new sync reads; at most 5000.
    pub records: i64,
    /// Number of records that are left for a further request.
    pub left: i64,
    /// Id of the new sync.
    pub retry_sync_id: Uuid,
}
