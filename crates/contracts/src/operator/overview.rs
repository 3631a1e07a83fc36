//! The overview: health, running syncs, counts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RecordType, SyncSummary};

/// Overview: health, running syncs, the last full sync, and counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Syncs that have not ended.
    pub running: Vec<SyncSummary>,
    /// Last full sync that ended.
    pub last_full_sync: Option<SyncSummary>,
    /// Next time of the schedule; absent while the schedule is off.
    pub next_scheduled_at: Option<DateTime<Utc>>,
    /// Active records in the maintenance portal by type.
    pub fleet: Vec<FleetCount>,
    /// Number of dead letters in the state `dead`.
    pub dead_letters: i64,
    /// Number of committed messages that the broker has not confirmed.
    pub unpublished: i64,
    /// When the last webhook was accepted.
    pub last_webhook_at: Option<DateTime<Utc>>,
    /// Health of `database`, `broker` and `onboarding-portal`.
    pub health: Vec<PartHealth>,
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
    /// Whether the system answers.
    pub ok: bool,
    /// What is wrong.
    pub detail: Option<String>,
}
