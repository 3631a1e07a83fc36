//! Groups of dead letters by cause, and replay jobs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::RecordType;

words! {
    /// Failure class of a message.
    FailureClass = domain::FailureClass {
        /// The failure may pass by itself, so the message is retried.
        Transient = "transient",
        /// The message cannot succeed, so it is not retried.
        Permanent = "permanent",
        /// The message crashed its consumer again and again.
        Poison = "poison",
    }
}
domain::vocabulary::vocabulary! {
    /// State of a replay job.
    #[derive(ToSchema)]
    ReplayState {
        /// Some dead letters of the job have no final outcome yet.
        Running = "running",
        /// All dead letters of the job have a final outcome.
        Completed = "completed",
        /// An operator cancelled the job.
        Cancelled = "cancelled",
    }
}
words! {
    /// Outcome of a dead letter in a replay job.
    ReplayItemState = domain::dead_letter::ReplayItemState {
        /// The message is not published yet.
        Waiting = "waiting",
        /// The message is published and not processed yet.
        Sent = "sent",
        /// The message was processed.
        Succeeded = "succeeded",
        /// The message failed again; `diedAs` is the new dead letter.
        Died = "died",
        /// The job was cancelled before it published the message, or a later job replays it.
        Cancelled = "cancelled",
    }
}

/// Selects dead letters by exactly one of `ids`, `all`, and a filter of `fingerprint`, `queue`, `class` and `syncId`.
/// Fields of the filter narrow each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplayRequest {
    /// Ids of dead letters; they may have been replayed before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// All dead letters in the state `dead`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Only dead letters with this cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Only dead letters from this queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// Only dead letters of this failure class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// Only dead letters of this sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_id: Option<Uuid>,
    /// Only dead letters about records of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_type: Option<RecordType>,
    /// Only dead letters about the record with this id in the onboarding portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Reason, kept with the job and in the audit log; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Most messages published per second, 1 to 1000. Absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<i32>,
}

/// Number of dead letters that a replay would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayPlan {
    /// Number of dead letters that the request selects.
    pub matching: i64,
    /// Number of them that one job replays, oldest first.
    pub replaying: i64,
}

/// Answer to the start of a replay job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayAccepted {
    /// Id of the job: see `/api/sync/bulk/replay/{jobId}`.
    pub job_id: Uuid,
    /// Number of dead letters in the job.
    pub replaying: i64,
}

/// A replay job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayJob {
    /// Id of the job.
    pub id: Uuid,
    /// State of the job.
    pub state: ReplayState,
    /// The request that started the job.
    #[schema(value_type = Object)]
    pub filter: serde_json::Value,
    /// Operator who started the job.
    pub requested_by: String,
    /// Reason that the operator gave.
    pub reason: Option<String>,
    /// Most messages published per second.
    pub rate_per_second: Option<i32>,
    /// When the job was started.
    pub created_at: DateTime<Utc>,
    /// When the last dead letter of the job got its final outcome.
    pub completed_at: Option<DateTime<Utc>>,
    /// When the job was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// Operator who cancelled the job.
    pub cancelled_by: Option<String>,
    /// Number of dead letters by outcome.
    pub counts: ReplayCounts,
}

/// Number of dead letters of a job by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayCounts {
    /// Messages not published yet.
    pub waiting: i64,
    /// Messages published and not processed yet.
    pub sent: i64,
    /// Messages processed.
    pub succeeded: i64,
    /// Messages that failed again.
    pub died: i64,
    /// Messages cancelled before they were published.
    pub cancelled: i64,
}

/// A dead letter of a replay job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayItem {
    /// Id of the dead letter.
    pub dead_letter_id: Uuid,
    /// Outcome of the replay.
    pub outcome: ReplayItemState,
    /// Dead letter that the failed replay became.
    pub died_as: Option<Uuid>,
    /// When the outcome became final.
    pub ended_at: Option<DateTime<Utc>>,
    /// Reason of the failure before the replay.
    pub reason: String,
}

/// Dead letters with the same cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterGroup {
    /// Fingerprint of the cause.
    pub fingerprint: String,
    /// Queue of the messages.
    pub queue: String,
    /// Kind of the messages.
    pub kind: String,
    /// Failure class.
    pub class: FailureClass,
    /// Reason of the newest failure.
    pub reason: String,
    /// Number of dead letters.
    pub total: i64,
    /// Number of dead letters in the state `dead`.
    pub dead: i64,
    /// When the first of the messages failed for good.
    pub first_died_at: DateTime<Utc>,
    /// When the last of the messages failed for good.
    pub last_died_at: DateTime<Utc>,
}
