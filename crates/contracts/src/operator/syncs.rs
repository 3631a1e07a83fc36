//! Syncs: request, state, tally, tasks, attempts, findings.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FailureClass, MissingState, RecordType};

words! {
    /// State of a sync.
    SyncState = domain::SyncState {
        /// No worker has started the sync.
        Queued = "queued",
        /// Workers process the sync.
        Running = "running",
        /// All open tasks wait for their next attempt.
        Retrying = "retrying",
        /// Every record was processed, and none was rejected.
        Completed = "completed",
        /// The sync ended with rejected records or dead tasks.
        CompletedWithErrors = "completed_with_errors",
        /// The sync ended without a result.
        Failed = "failed",
        /// An operator cancelled the sync.
        Cancelled = "cancelled",
    }
}

words! {
    /// What started a sync.
    Cause = domain::Cause {
        /// An operator.
        Manual = "manual",
        /// The schedule.
        Scheduled = "scheduled",
        /// An approval in the onboarding portal.
        Webhook = "webhook",
        /// The replay of a dead letter.
        Replay = "replay",
    }
}

words! {
    /// Which records a sync reads.
    Mode = domain::Mode {
        /// All records that the onboarding portal has approved.
        Full = "full",
        /// Records changed since the last complete sync.
        Incremental = "incremental",
        /// Records that the scope names.
        Selective = "selective",
    }
}

/// Body of `POST /api/sync/trigger`. Without a body, a full sync starts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TriggerRequest {
    /// Mode of the sync; the default is `full`. `incremental` reads records changed since the last complete sync,
    /// `selective` the records that the fields below name.
    pub mode: Option<Mode>,
    /// Only these record types (`incremental`, `selective`); companies come with vessels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub record_types: Vec<RecordType>,
    /// Only the vessels with these IMO numbers, their equipment and users (`selective`); at most 500.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vessel_imos: Vec<String>,
    /// Only the company with this id in the onboarding portal, its vessels, and their equipment and users
    /// (`selective`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Only the equipment with these ids in the onboarding portal (`selective`); at most 500.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equipment_ids: Vec<String>,
    /// Only records changed at this time or later (`selective`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_since: Option<DateTime<Utc>>,
    /// Only records changed at this time or earlier (`selective`); later ones count as skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_until: Option<DateTime<Utc>>,
    /// Write nothing, and record what would happen to each record: see `/api/sync/status/{syncId}/changes`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Reason, kept with the sync and in the audit log; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer to the start of a sync: the sync is recorded and has not ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncAccepted {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// Always `queued`.
    pub state: SyncState,
}

/// Tally of one record type. `read` is the sum of `created`, `updated`, `unchanged`, `conflict`, `rejected` and
/// `skipped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordCounts {
    /// Record type.
    pub record_type: RecordType,
    /// Whether the sync has read at least one page of this type. If it has ended and this is false, nothing is known about
    /// the records of this type.
    pub reached: bool,
    /// Number of records that the onboarding portal announced; absent until then.
    pub expected: Option<i64>,
    /// Number of records read so far.
    pub read: i64,
    /// Number of records created in the maintenance portal.
    pub created: i64,
    /// Number of records updated in the maintenance portal.
    pub updated: i64,
    /// Number of records that were already the same.
    pub unchanged: i64,
    /// Number of records that lost against a newer edit in the maintenance portal, or wait for an operator; both sides
    /// are kept.
    pub conflict: i64,
    /// Number of records that failed validation; findings say why.
    pub rejected: i64,
    /// Number of records with nothing to do: older than the maintenance portal's version, or withdrawn before they were
    /// ever synced.
    pub skipped: i64,
    /// Number of active records that the onboarding portal no longer lists (full syncs); not part of `read`.
    #[serde(default)]
    pub missing: i64,
    /// Number of missing records that were withdrawn.
    #[serde(default)]
    pub deactivated: i64,
    /// Number of records read that changed after the onboarding portal had announced `expected`. They may not have been
    /// counted, or may have been read twice: `read` may exceed `expected` by this number.
    #[serde(default)]
    pub late: i64,
}

/// A sync with its tally.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncSummary {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// What started the sync.
    pub cause: Cause,
    /// Which records the sync reads.
    pub mode: Mode,
    /// State of the sync.
    pub state: SyncState,
    /// 0: not started, 1: companies and vessels, 2: equipment and users.
    pub phase: i16,
    /// Name of the operator, `scheduler`, or the webhook's id.
    pub requested_by: String,
    /// Reason that the operator gave.
    pub reason: Option<String>,
    /// Whether the sync is a dry run, which writes no records.
    #[serde(default)]
    pub dry_run: bool,
    /// Records that the sync reads; an empty object means all.
    #[schema(value_type = Object)]
    #[serde(default)]
    pub scope: serde_json::Value,
    /// Sync whose rejected records this one retries.
    #[serde(default)]
    pub retry_of: Option<Uuid>,
    /// What the sync waits for.
    #[serde(default)]
    pub detail: Option<String>,
    /// Result for missing records; `asks` means that an operator has to decide.
    #[serde(default)]
    pub missing_records: Option<MissingState>,
    /// When the sync was requested.
    pub started_at: DateTime<Utc>,
    /// When a worker started the sync.
    pub running_at: Option<DateTime<Utc>>,
    /// When a worker last reported progress.
    pub heartbeat_at: DateTime<Utc>,
    /// When the sync ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why the sync failed, or what is missing.
    pub failure: Option<String>,
    /// Operator who cancelled the sync.
    pub cancelled_by: Option<String>,
    /// Tally by record type, one for each type in the scope, reached or not.
    pub counts: Vec<RecordCounts>,
}

/// A sync with its tasks and failed attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncDetail {
    /// The sync as in lists.
    #[serde(flatten)]
    pub summary: SyncSummary,
    /// Number of tasks by state.
    pub tasks: TaskCounts,
    /// Number of findings; list them at `/api/sync/syncs/{syncId}/findings`.
    pub findings: i64,
    /// Failed attempts, newest first, at most 50.
    pub attempts: Vec<Attempt>,
}

/// Number of tasks of a sync by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskCounts {
    /// Tasks that wait for a worker, or that a worker processes.
    pub pending: i64,
    /// Tasks that wait for their next attempt.
    pub retrying: i64,
    /// Tasks that succeeded.
    pub done: i64,
    /// Tasks that failed for good; their messages are dead letters.
    pub dead: i64,
    /// Tasks that were cancelled with their sync.
    pub cancelled: i64,
}

words! {
    /// Name of an update.
    UpdateName = domain::update::UpdateName {
        SyncStarted = "sync.started",
        /// Records were written.
        SyncProgress = "sync.progress",
        /// The next phase of a sync is open.
        SyncPhase = "sync.phase",
        /// A sync ended, with or without rejected records.
        SyncCompleted = "sync.completed",
        SyncFailed = "sync.failed",
        SyncCancelled = "sync.cancelled",
        DeadLetterAdded = "deadletter.added",
        DeadLetterReplayed = "deadletter.replayed",
        /// A webhook event was processed, failed or was ignored.
        WebhookProcessed = "webhook.processed",
        /// Settings have a new version.
        ScheduleChanged = "schedule.changed",
        ConflictOpened = "conflict.opened",
        ConflictResolved = "conflict.resolved",
        /// Requests of a worker to another system end otherwise than before.
        HealthChanged = "health.changed",
    }
}

words! {
    /// State of a task.
    TaskState = domain::TaskState {
        /// Waits for a worker, or a worker processes it.
        Pending = "pending",
        /// Waits for its next attempt.
        Retrying = "retrying",
        /// Succeeded.
        Done = "done",
        /// Failed for good: its message is a dead letter.
        Dead = "dead",
        /// Was cancelled with its sync.
        Cancelled = "cancelled",
    }
}

/// A page of one of the onboarding portal's lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    pub id: Uuid,
    /// The list.
    pub record_type: RecordType,
    /// Which of the chains of pages that fetch the list side by side, from 0. The slices of a list are the chains from 1 on.
    pub chain: i64,
    /// The place in the chain, from 0.
    pub page: i64,
    pub state: TaskState,
    /// Attempts that have failed.
    pub failed_attempts: i32,
    /// Why the last of them failed.
    pub last_failure: Option<String>,
    pub created_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Id of the task, sync or webhook event.
    pub message_id: String,
    /// Number of the attempt, from 1.
    pub number: i32,
    /// Failure class.
    pub class: FailureClass,
    /// What went wrong.
    pub failure: String,
    /// When the attempt started.
    pub began_at: DateTime<Utc>,
    /// Duration in milliseconds.
    pub duration_ms: i32,
    /// When the next attempt starts; absent if the message became a dead letter.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

words! {
    /// Severity of a finding.
    Severity = domain::Severity {
        /// The record was rejected.
        Error = "error",
        /// The record was written; an operator should check it.
        Warning = "warning",
    }
}

/// A finding of the validation: why a record was rejected, or a doubtful value of a record that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Type of the record.
    pub record_type: RecordType,
    /// Id of the record in the onboarding portal.
    pub source_id: String,
    /// Name of the record for people.
    pub label: Option<String>,
    /// Severity of the finding.
    pub severity: Severity,
    /// Code of the rule, for programs.
    pub code: String,
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What is wrong, for people.
    pub message: String,
    /// Value of the field; personal data is masked.
    pub value: Option<String>,
}

/// Data of the SSE events `sync.started`, `sync.progress`, `sync.phase`, `sync.completed`, `sync.failed` and
/// `sync.cancelled`. Each event carries the whole state of the sync, so a client that missed some needs only the
/// newest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncNotice {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// State of the sync.
    pub state: SyncState,
    /// What started the sync.
    pub cause: Cause,
    /// Which records the sync reads.
    pub mode: Mode,
    /// 0: not started, 1: companies and vessels, 2: equipment and users.
    pub phase: i16,
    /// Tally by record type so far.
    pub counts: Vec<RecordCounts>,
    /// Tasks by state. Absent in updates of a release that did not count them.
    #[serde(default)]
    pub tasks: Option<TaskCounts>,
    /// Why the sync failed, or what it waits for.
    pub detail: Option<String>,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
}
