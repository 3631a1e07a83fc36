//! The overview: health, running syncs, counts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{RecordType, SyncSummary};

words! {
    /// How a request to a system ended.
    OutcomeClass = domain::peer_outcome::OutcomeClass {
        /// With the answer that was asked for.
        Ok = "ok",
        /// With a failure that may pass by itself.
        Transient = "transient",
        /// With a failure that will not pass by itself, as when the API key is refused.
        Permanent = "permanent",
    }
}

domain::vocabulary::vocabulary! {
    /// How urgent something is that needs an operator's attention.
    #[derive(utoipa::ToSchema)]
    Urgency {
        /// Records may be wrong, missing or unknown: the maintenance portal is out of sync.
        Error = "error",
        /// An operator has to decide, or to correct a record in the onboarding portal.
        Warning = "warning",
    }
}

domain::vocabulary::vocabulary! {
    /// What needs an operator's attention.
    #[derive(utoipa::ToSchema)]
    AttentionCode {
        /// A system that the sync depends on does not answer, or refuses requests.
        Health = "health",
        /// The last full sync failed.
        SyncFailed = "sync_failed",
        /// The last full sync did not read any record of a type.
        TypeNotRead = "type_not_read",
        /// Tasks of the last full sync were given up.
        DeadTasks = "dead_tasks",
        /// The last full sync read fewer records than announced.
        RecordsNotRead = "records_not_read",
        /// The last full sync was cancelled.
        SyncCancelled = "sync_cancelled",
        /// Messages failed for good.
        DeadLetters = "dead_letters",
        /// Records are rejected.
        RejectedRecords = "rejected_records",
        /// The last full sync asks what to do with missing records.
        MissingRecords = "missing_records",
        /// Conflicts are open.
        OpenConflicts = "open_conflicts",
        /// Ticks of a schedule were missed, and none has started a sync since.
        MissedTicks = "missed_ticks",
    }
}

/// Overview: what needs attention, health, running syncs, the last full sync, and counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// What needs attention, the most urgent first. With an `error` among them, the maintenance portal is out of sync.
    #[serde(default)]
    pub attention: Vec<Attention>,
    /// Syncs that have not ended.
    pub running: Vec<SyncSummary>,
    /// Last full sync that ended.
    pub last_full_sync: Option<SyncSummary>,
    /// Next time at which a schedule starts a sync; absent while all of them are off or paused.
    pub next_scheduled_at: Option<DateTime<Utc>>,
    /// Active records in the maintenance portal by type.
    pub fleet: Vec<FleetCount>,
    /// Number of dead letters in the state `dead`.
    pub dead_letters: i64,
    /// Number of conflicts in the state `open`, whichever sync found them: see `/api/sync/conflicts?state=open`.
    #[serde(default)]
    pub open_conflicts: i64,
    /// Rejected records of which an operator has said that they are known; `attention` leaves them out.
    #[serde(default)]
    pub acknowledged_rejections: i64,
    /// Number of committed messages that the broker has not confirmed.
    pub unpublished: i64,
    /// Number of messages that wait until they are due, as long as the onboarding portal asked for or its circuit is open.
    #[serde(default)]
    pub postponed: i64,
    /// When the last webhook was accepted.
    pub last_webhook_at: Option<DateTime<Utc>>,
    /// Health of `database`, `broker` and `onboarding-portal`.
    pub health: Vec<PartHealth>,
}

/// Something that needs an operator's attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    /// How urgent it is.
    pub urgency: Urgency,
    /// What it is, for programs.
    pub code: AttentionCode,
    /// What it is, for people.
    pub message: String,
    /// Sync that it is about.
    pub sync_id: Option<Uuid>,
    /// Record type that it is about.
    pub record_type: Option<RecordType>,
}

/// Number of active records of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FleetCount {
    /// Record type.
    pub record_type: RecordType,
    /// Number of records that are not withdrawn.
    pub active: i64,
}

/// Health of a system that the sync depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartHealth {
    /// Name of the system: `database`, `broker` or `onboarding-portal`.
    pub name: String,
    /// Whether the system answers, and does not refuse requests.
    pub ok: bool,
    /// What is wrong.
    pub detail: Option<String>,
    /// Outcome of the last request; absent if none was sent, and for systems that are asked for this answer.
    #[serde(default)]
    pub last_outcome: Option<LastOutcome>,
}

/// Data of the SSE event `health.changed`: requests of a worker to a system end otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthNotice {
    /// Name of the system: `onboarding-portal`.
    pub part: String,
    /// How the last request ended.
    pub outcome: OutcomeClass,
    /// What went wrong.
    pub failure: Option<String>,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
}

/// Outcome of the last request to a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastOutcome {
    /// How the request ended.
    pub class: OutcomeClass,
    /// What went wrong.
    pub failure: Option<String>,
    /// When the request ended.
    pub ended_at: DateTime<Utc>,
}
