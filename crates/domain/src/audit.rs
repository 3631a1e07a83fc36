//! The audit log: every change by an operator, refused attempt, and reading of personal data.

use crate::vocabulary::vocabulary;

vocabulary!(
    /// What an operator did; the column `audit.action`.
    AuditAction {
        SyncTrigger = "sync.trigger",
        SyncCancel = "sync.cancel",
        SyncResume = "sync.resume",
        SyncRetry = "sync.retry",
        /// Decided about the missing records of a full sync.
        SyncConfirm = "sync.confirm",
        /// Accepted states of the onboarding portal that are older than the rows.
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
        /// Asked for a temporary password; a refused request is recorded as well.
        UserRevealPassword = "user.reveal_password",
        /// Said that a rejection is known, until a time.
        RejectionAcknowledge = "rejection.acknowledge",
        AcknowledgementWithdraw = "acknowledgement.withdraw",
        DeadLetterReplay = "dead_letter.replay",
        ReplayCancel = "replay.cancel",
        WebhookReprocess = "webhook.reprocess",
        TokenRevoke = "token.revoke",
        ApiKeyCreate = "api_key.create",
        ApiKeyRotate = "api_key.rotate",
        ApiKeyRevoke = "api_key.revoke",
        /// Had a new temporary password made for a user.
        UserReissuePassword = "user.reissue_password",
        /// Asked for what their role does not allow. Of many attempts a few are recorded.
        AccessRefuse = "access.refuse",
        /// Read names or e-mail addresses of users.
        UserRead = "user.read",
        /// Read the values of users in conflicts.
        ConflictRead = "conflict.read",
        /// Read the body of a dead letter.
        DeadLetterRead = "dead_letter.read",
        /// Read the body of a webhook event.
        WebhookReadBody = "webhook.read_body",
    }
);
