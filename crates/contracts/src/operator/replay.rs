//! Replays: dead letters by what they have in common, and jobs that put them back on their way.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

words! {
    /// Why a message was given up.
    FailureClass = domain::FailureClass {
        /// It used up its retries.
        Transient = "transient",
        /// It could never succeed as things were.
        Permanent = "permanent",
        /// Its consumer died with it, again and again.
        Poison = "poison",
    }
}
domain::vocabulary::vocabulary! {
    /// Where a replay job stands.
    #[derive(ToSchema)]
    ReplayState {
        /// Some of its dead letters have not come to an end.
        Running = "running",
        /// All have.
        Completed = "completed",
        /// It was stopped.
        Cancelled = "cancelled",
    }
}
words! {
    /// What became of one dead letter of a job.
    ReplayItemState = domain::dead_letter::ReplayItemState {
        /// Not published yet.
        Waiting = "waiting",
        /// Published, and on its way.
        Sent = "sent",
        /// Its effect is in.
        Succeeded = "succeeded",
        /// It died again; `diedAs` says as what.
        Died = "died",
        /// Stopped before it was published, or taken over by a later job.
        Cancelled = "cancelled",
    }
}

/// Body of `POST /api/sync/bulk/replay` and of its plan: which dead letters. Either `ids`, or `all`, or any of the rest,
/// which narrow each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplayRequest {
    /// These, even if they were replayed before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// All that are dead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// All dead ones of one cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// All dead ones of one queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// All dead ones of one class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// All dead ones of one sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_id: Option<Uuid>,
    /// Why; kept in the job and the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// No more than so many a second, 1 to 1000; absent: as fast as can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_second: Option<i32>,
}

/// Answer to a plan: what a replay would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayPlan {
    /// Dead letters that it is about.
    pub matching: i64,
    /// Of these, as many as one job takes, oldest first.
    pub replaying: i64,
}

/// Answer to a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayAccepted {
    /// The job: `/api/sync/bulk/replay/{jobId}`.
    pub job_id: Uuid,
    /// Dead letters that go back to their queues with a new budget of attempts.
    pub replaying: i64,
}

/// A replay job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayJob {
    /// The job.
    pub id: Uuid,
    /// Where it stands.
    pub state: ReplayState,
    /// What was asked for, as it was.
    #[schema(value_type = Object)]
    pub filter: serde_json::Value,
    /// Who asked.
    pub requested_by: String,
    /// Why.
    pub reason: Option<String>,
    /// No more than so many a second.
    pub rate_per_second: Option<i32>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the last of its dead letters came to its end.
    pub completed_at: Option<DateTime<Utc>>,
    /// When it was stopped.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// By whom.
    pub cancelled_by: Option<String>,
    /// What became of its dead letters so far.
    pub counts: ReplayCounts,
}

/// The dead letters of a job by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayCounts {
    /// Not published yet.
    pub waiting: i64,
    /// On their way.
    pub sent: i64,
    /// Their effect is in.
    pub succeeded: i64,
    /// Died again.
    pub died: i64,
    /// Stopped.
    pub cancelled: i64,
}

/// One dead letter of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayItem {
    /// The dead letter.
    pub dead_letter_id: Uuid,
    /// What became of it.
    pub outcome: ReplayItemState,
    /// The dead letter as which it died again.
    pub died_as: Option<Uuid>,
    /// When it came to its end.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it had died.
    pub reason: String,
}

/// Dead letters of one making.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterGroup {
    /// What they have in common.
    pub fingerprint: String,
    /// The queue they died in.
    pub queue: String,
    /// Kind of message.
    pub kind: String,
    /// Why they were given up.
    pub class: FailureClass,
    /// What the newest of them said.
    pub reason: String,
    /// How many there are.
    pub total: i64,
    /// How many of them wait for a person.
    pub dead: i64,
    /// When the first of them died.
    pub first_died_at: DateTime<Utc>,
    /// When the last of them did.
    pub last_died_at: DateTime<Utc>,
}
