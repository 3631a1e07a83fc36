//! Schedules: what starts syncs by itself, when, and what came of it.

use chrono::{DateTime, FixedOffset, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Mode, RecordType};

words! {
    /// What a schedule does while an earlier sync has not ended. No policy starts a second full sync.
    OverlapPolicy = domain::schedule::OverlapPolicy {
        /// Skips the tick while a sync that the schedule has started is active; a full or incremental one also while any other
        /// full or incremental sync is.
        Skip = "skip",
        /// Starts the sync all the same.
        Allow = "allow",
    }
}

/// A schedule. The `ETag` of the answer is its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Name of the schedule.
    pub name: String,
    /// Version of the schedule; grows with every change.
    pub version: i64,
    #[serde(flatten)]
    pub definition: ScheduleDefinition,
    /// The pause, while the schedule is paused.
    pub pause: Option<SchedulePause>,
    /// Cron expression in words, with its next times.
    pub preview: SchedulePreview,
    /// When it will start a sync next; absent while it is off, or paused without an end.
    pub next_run_at: Option<DateTime<Utc>>,
    /// The last time at which it was due, and what came of it.
    pub last_tick: Option<ScheduleTick>,
    /// When the definition was last changed.
    pub updated_at: DateTime<Utc>,
    /// Operator who made this version: by a change of the definition, a pause, or its end.
    pub updated_by: String,
}

/// When a schedule starts syncs, and which. The body of `PUT /api/sync/schedules/{name}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleDefinition {
    /// Cron expression: minute, hour, day of month, month, day of week; a field for seconds may stand before them.
    #[schema(example = "0 2 * * *")]
    pub cron: String,
    /// IANA time zone of the expression.
    #[serde(default = "utc")]
    #[schema(default = "UTC", example = "Europe/Oslo")]
    pub time_zone: String,
    /// Mode of the syncs.
    #[serde(default = "full")]
    #[schema(default = "full")]
    pub mode: Mode,
    /// Whether the schedule starts syncs.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
    #[serde(default = "skip")]
    #[schema(default = "skip")]
    pub overlap: OverlapPolicy,
    /// Only these record types, in the modes `incremental` and `selective`. Companies come with vessels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_types: Vec<RecordType>,
    /// Only these vessels with their equipment and users, in the mode `selective`. Looked up at each tick.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vessel_imos: Vec<String>,
    /// Only this company, its vessels, and what is on board of them, in the mode `selective`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Only these pieces of equipment, in the mode `selective`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equipment_ids: Vec<String>,
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn full() -> Mode {
    Mode::Full
}

const fn yes() -> bool {
    true
}

const fn skip() -> OverlapPolicy {
    OverlapPolicy::Skip
}

/// A time in which a schedule starts no syncs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePause {
    pub reason: String,
    /// Operator who paused it.
    pub by: String,
    pub since: DateTime<Utc>,
    /// Absent: until the schedule is resumed.
    pub until: Option<DateTime<Utc>>,
}

/// Body of `POST /api/sync/schedules/{name}/pause`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SchedulePauseRequest {
    /// Why, in at most 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// When the schedule goes on by itself; absent: when it is resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// All schedules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleList {
    /// By name.
    pub data: Vec<Schedule>,
    /// Expressions for common needs.
    pub presets: Vec<SchedulePreset>,
}

/// A cron expression for a common need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePreset {
    pub cron: String,
    pub mode: Mode,
    /// What it is for.
    pub description: String,
}

/// A cron expression in words, with its next times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePreview {
    /// Cron expression in words.
    pub description: String,
    /// Next five times in UTC; fewer if no more follow.
    pub next_runs: Vec<DateTime<Utc>>,
    /// The same times, as clocks of the zone show them.
    #[serde(default)]
    pub local_runs: Vec<LocalRun>,
    /// Changes of the zone's clocks in the next year, and what they do to the schedule.
    #[serde(default)]
    pub clock_changes: Vec<ClockChange>,
}

/// A time of a schedule, as clocks of its zone show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalRun {
    /// The time with the zone's offset from UTC.
    #[schema(value_type = DateTime<Utc>)]
    pub at: DateTime<FixedOffset>,
    /// What a change of the clocks does to it.
    pub note: Option<String>,
}

/// A change of a zone's clocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClockChange {
    pub at: DateTime<Utc>,
    /// Offset from UTC until then.
    #[schema(example = "+01:00")]
    pub offset_before: String,
    /// Offset from UTC from then on.
    #[schema(example = "+02:00")]
    pub offset_after: String,
    /// First time of the schedule on that day or later.
    pub first_run: Option<LocalRun>,
}

words! {
    /// What came of a tick.
    TickOutcome = domain::tick::TickOutcome {
        /// It started a sync.
        Started = "started",
        /// It started none, as an earlier sync had not ended, the schedule was paused, or no vessel of it is known.
        Skipped = "skipped",
        /// It started none, as no scheduler ran when it was due.
        Missed = "missed",
    }
}

/// A time at which a schedule was due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleTick {
    /// Name of the schedule.
    pub schedule: String,
    pub due_at: DateTime<Utc>,
    pub outcome: TickOutcome,
    /// Why it started no sync, or which vessels its sync leaves out.
    pub detail: Option<String>,
    /// The sync that it started, or that had not ended.
    pub sync_id: Option<Uuid>,
    /// When a scheduler handled it.
    pub handled_at: DateTime<Utc>,
}
