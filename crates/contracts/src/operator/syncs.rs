//! Syncs: start, state, tally, tasks, attempts, findings.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{FailureClass, MissingState, RecordType};

words! {
    /// Where a sync stands.
    SyncState = domain::SyncState {
        /// Accepted, not begun.
        Queued = "queued",
        /// At work.
        Running = "running",
        /// All that is left waits for its next attempt.
        Retrying = "retrying",
        /// Every record is accounted for, none was rejected or lost.
        Completed = "completed",
        /// Ended; some records were rejected or some work died.
        CompletedWithErrors = "completed_with_errors",
        /// Ended without result.
        Failed = "failed",
        /// Stopped by an operator.
        Cancelled = "cancelled",
    }
}

words! {
    /// Why a sync began.
    Cause = domain::Cause {
        /// An operator.
        Manual = "manual",
        /// The schedule.
        Scheduled = "scheduled",
        /// An approval in the onboarding portal.
        Webhook = "webhook",
        /// A dead letter that was replayed.
        Replay = "replay",
    }
}

words! {
    /// How much a sync looks at.
    Mode = domain::Mode {
        /// Everything that the onboarding portal has approved.
        Full = "full",
        /// What changed since the last complete sync.
        Incremental = "incremental",
        /// The records that its scope names.
        Selective = "selective",
    }
}

/// Body of `POST /api/sync/trigger`. No body at all starts a full sync.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TriggerRequest {
    /// `full` unless said otherwise. `incremental` looks at what changed since the last complete sync, `selective` at what
    /// the fields below name.
    pub mode: Option<Mode>,
    /// Only these kinds of record (`incremental`, `selective`); companies come with vessels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub record_types: Vec<RecordType>,
    /// Only these vessels with what belongs to them, by IMO number (`selective`); at most 500.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vessel_imos: Vec<String>,
    /// Only this company with its vessels and what belongs to them, by its id in the onboarding portal (`selective`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Only these pieces of equipment, by their ids in the onboarding portal (`selective`); at most 500.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equipment_ids: Vec<String>,
    /// Only what changed at this time or later (`selective`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_since: Option<DateTime<Utc>>,
    /// Only what changed at this time or earlier (`selective`); what the provider lists beyond is counted as skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_until: Option<DateTime<Utc>>,
    /// Write nothing, and answer what would become of each record: see `/api/sync/status/{syncId}/changes`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Why; kept in the sync and the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer to a trigger: the sync was accepted, not yet done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncAccepted {
    /// The sync.
    pub sync_id: Uuid,
    /// `queued`.
    pub state: SyncState,
}

/// What became of the records of one kind. Read is the sum of the outcomes, always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordCounts {
    /// Kind of record.
    pub record_type: RecordType,
    /// How many the provider says there are; absent until it has said.
    pub expected: Option<i64>,
    /// Taken from the provider so far.
    pub read: i64,
    /// New here.
    pub created: i64,
    /// Changed here.
    pub updated: i64,
    /// Already the same.
    pub unchanged: i64,
    /// Lost against a newer edit in the maintenance portal, or held for an operator; both sides are kept.
    pub conflict: i64,
    /// Not let in, with reasons.
    pub rejected: i64,
    /// Nothing to do: older than what is here, or withdrawn before it was ever known.
    pub skipped: i64,
    /// Here, and not listed any more (full syncs); not part of `read`.
    #[serde(default)]
    pub missing: i64,
    /// Of these, those that were withdrawn for it.
    #[serde(default)]
    pub deactivated: i64,
    /// Of what was read, that which had changed since the provider said how many there are. It may not have been among
    /// them, or may have been read before it changed: `read` may exceed `expected` by as many.
    #[serde(default)]
    pub late: i64,
}

/// A sync, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncSummary {
    /// The sync.
    pub sync_id: Uuid,
    /// Why it ran.
    pub cause: Cause,
    /// How much it looked at.
    pub mode: Mode,
    /// Where it stands.
    pub state: SyncState,
    /// 0 before the first phase, 1 companies and vessels, 2 equipment and users.
    pub phase: i16,
    /// The operator, `scheduler`, or the webhook's id.
    pub requested_by: String,
    /// What the operator gave as reason.
    pub reason: Option<String>,
    /// It writes nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// What it looks at, as it is recorded; empty: everything.
    #[schema(value_type = Object)]
    #[serde(default)]
    pub scope: serde_json::Value,
    /// The sync whose failures it tries again.
    #[serde(default)]
    pub retry_of: Option<Uuid>,
    /// What it waits for, if it does not move.
    #[serde(default)]
    pub detail: Option<String>,
    /// What became of records that are not listed any more; `asks`: an operator has to say.
    #[serde(default)]
    pub missing_records: Option<MissingState>,
    /// When it was asked for.
    pub started_at: DateTime<Utc>,
    /// When a worker began.
    pub running_at: Option<DateTime<Utc>>,
    /// Last sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why it failed, or what is missing.
    pub failure: Option<String>,
    /// Who stopped it.
    pub cancelled_by: Option<String>,
    /// The tally, per kind of record.
    pub counts: Vec<RecordCounts>,
}

/// A sync, whole: `GET /api/sync/status/{syncId}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: SyncSummary,
    /// Its tasks by state.
    pub tasks: TaskCounts,
    /// How many findings there are; read them at `/api/sync/syncs/{syncId}/findings`.
    pub findings: i64,
    /// Failed attempts, newest first, at most 50.
    pub attempts: Vec<Attempt>,
}

/// Tasks of a sync by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskCounts {
    /// Waiting or at work.
    pub pending: i64,
    /// Waiting for the next attempt.
    pub retrying: i64,
    /// Done.
    pub done: i64,
    /// Given up; their messages are dead letters.
    pub dead: i64,
    /// Stopped with their sync.
    pub cancelled: i64,
}

/// One attempt that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The task, sync or webhook event.
    pub message_id: String,
    /// From 1.
    pub number: i32,
    /// Whether a retry can help.
    pub class: FailureClass,
    /// What went wrong.
    pub failure: String,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// When it is tried again; absent: it went to the dead letters.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

words! {
    /// Whether a finding rejects its record.
    Severity = domain::Severity {
        /// The record was rejected.
        Error = "error",
        /// The record was let in, and an operator should look.
        Warning = "warning",
    }
}

/// Why a record was rejected, or what is odd about one that was let in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Kind of record.
    pub record_type: RecordType,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// Whether the record was rejected.
    pub severity: Severity,
    /// Stable word for the rule.
    pub code: String,
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// The rule, in words.
    pub message: String,
    /// The offending value; persons' data masked.
    pub value: Option<String>,
}

/// Data of the SSE events `sync.started`, `sync.progress`, `sync.phase`, `sync.completed`, `sync.failed` and
/// `sync.cancelled`: the state of a sync, whole, so that a reader that missed some needs only the newest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncNotice {
    /// The sync.
    pub sync_id: Uuid,
    /// Where it stands.
    pub state: SyncState,
    /// Why it ran.
    pub cause: Cause,
    /// How much it looks at.
    pub mode: Mode,
    /// 0 before the first phase, 1 companies and vessels, 2 equipment and users.
    pub phase: i16,
    /// The tally so far.
    pub counts: Vec<RecordCounts>,
    /// Why it failed, or what it waits for.
    pub detail: Option<String>,
    /// When this was so.
    pub occurred_at: DateTime<Utc>,
}
