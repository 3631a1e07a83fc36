//! The audit log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

words!(
    /// What an operator did.
    AuditAction = domain::audit::AuditAction {
        SyncTrigger = "sync.trigger",
        SyncCancel = "sync.cancel",
        SyncResume = "sync.resume",
        SyncRetry = "sync.retry",
        SyncConfirm = "sync.confirm",
        SyncAcceptOlder = "sync.accept_older",
        SyncUndo = "sync.undo",
        ConflictResolve = "conflict.resolve",
        ConflictPoliciesUpdate = "conflict_policies.update",
        SettingsUpdate = "settings.update",
        ScheduleCreate = "schedule.create",
        ScheduleUpdate = "schedule.update",
        ScheduleDelete = "schedule.delete",
        SchedulePause = "schedule.pause",
        ScheduleResume = "schedule.resume",
        RoleMappingChange = "role_mapping.change",
        UserRevealPassword = "user.reveal_password",
        RejectionAcknowledge = "rejection.acknowledge",
        AcknowledgementWithdraw = "acknowledgement.withdraw",
        DeadLetterReplay = "dead_letter.replay",
        ReplayCancel = "replay.cancel",
        WebhookReprocess = "webhook.reprocess",
        TokenRevoke = "token.revoke",
        ApiKeyCreate = "api_key.create",
        ApiKeyRotate = "api_key.rotate",
        ApiKeyRevoke = "api_key.revoke",
        UserReissuePassword = "user.reissue_password",
        AccessRefuse = "access.refuse",
        UserRead = "user.read",
        ConflictRead = "conflict.read",
        DeadLetterRead = "dead_letter.read",
        WebhookReadBody = "webhook.read_body",
    }
);

/// What an operator did, was refused, or read of personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Grows from entry to entry.
    pub id: u64,
    pub at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub actor: String,
    pub action: AuditAction,
    /// What it was done to: an id, or a name of what there is one of.
    pub subject: String,
    /// More about it, such as the reason and the values before and after. Without secrets.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// Trace of the request.
    pub trace_id: Option<String>,
    /// The request's `X-Request-Id`.
    pub request_id: Option<String>,
    /// Place in the chain of hashes that `sms-sync audit verify` proves; absent of entries from before there was one.
    pub position: Option<u64>,
}

/// Whether the audit log is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditChain {
    /// Whether no row that is kept was changed, and none was added or deleted.
    pub intact: bool,
    /// Rows that were verified; null if the chain is broken, or if `expect` was purged.
    pub rows: Option<u64>,
    /// Position until which rows were purged by retention; 0 if none were, null if the chain is broken.
    pub purged_until: Option<u64>,
    /// The newest row, as `position:hash`, to be noted elsewhere for a later `expect`; null as `rows` is.
    pub end: Option<String>,
    /// What is wrong, where it is wrong first; of an intact chain, why `expect` could not be compared.
    pub problem: Option<String>,
    pub checked_at: DateTime<Utc>,
}
