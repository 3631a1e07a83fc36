//! The overview: what is running, the fleet, health.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RecordType, SyncSummary};

/// The state of the whole: `GET /api/sync/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Syncs that have not ended.
    pub running: Vec<SyncSummary>,
    /// The last full sync that ended.
    pub last_full_sync: Option<SyncSummary>,
    /// The next tick of the schedule, if it is on.
    pub next_scheduled_at: Option<DateTime<Utc>>,
    /// Records in the maintenance portal, withdrawn ones left out.
    pub fleet: Vec<FleetCount>,
    /// Dead letters that wait for a person.
    pub dead_letters: i64,
    /// Committed messages that the broker has not confirmed yet.
    pub unpublished: i64,
    /// The last webhook that was accepted.
    pub last_webhook_at: Option<DateTime<Utc>>,
    /// The parts: `database`, `broker`.
    pub health: Vec<PartHealth>,
}

/// How many records of a kind the maintenance portal has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FleetCount {
    /// Kind of record.
    pub record_type: RecordType,
    /// Rows that are not withdrawn.
    pub active: i64,
}

/// Whether a part of the system answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartHealth {
    /// `database`, `broker`.
    pub name: String,
    /// It answers.
    pub ok: bool,
    /// What is wrong, in words.
    pub detail: Option<String>,
}
