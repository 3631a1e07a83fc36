//! Settings that operators change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MissingPolicy, Mode, SchedulePause, SchedulePreview};

/// Settings of the sync. The `ETag` of the answer is the version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Version of the settings; grows with every change.
    pub version: i64,
    /// Whether the schedule starts syncs.
    pub enable_scheduled_sync: bool,
    /// Cron expression of the schedule: minute, hour, day of month, month, day of week.
    pub schedule_cron: String,
    /// IANA time zone of the schedule.
    pub schedule_time_zone: String,
    /// Records per page requested from the onboarding portal.
    pub page_size: i32,
    /// Delays before the second, third and fourth attempt, in milliseconds.
    pub retry_delays_ms: Vec<i32>,
    /// Overlap in seconds: an incremental sync also reads records changed this long before the last complete sync.
    #[serde(default)]
    pub incremental_overlap_seconds: i32,
    /// Mode of scheduled syncs: `full` or `incremental`.
    pub schedule_mode: Mode,
    /// What a full sync does with records that the onboarding portal no longer lists.
    pub missing_records: MissingPolicy,
    /// Largest share of a record type's active records, in percent, that a full sync deactivates without asking an
    /// operator.
    #[serde(default)]
    pub deactivation_limit_percent: i32,
    /// Cron expression in words, with its next times.
    pub schedule: SchedulePreview,
    /// The pause of the schedule, while it is paused: it starts no syncs, though it is enabled.
    #[serde(default)]
    pub schedule_pause: Option<SchedulePause>,
    /// When the settings were last changed.
    pub updated_at: DateTime<Utc>,
    /// Operator who last changed the settings.
    pub updated_by: String,
}

/// Body of `POST /api/sync/settings`. A setting that is absent keeps its value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SettingsChange {
    /// Whether the schedule starts syncs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_scheduled_sync: Option<bool>,
    /// Cron expression: minute, hour, day of month, month, day of week; a field for seconds may stand before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_cron: Option<String>,
    /// IANA time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_time_zone: Option<String>,
    /// Records per page, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i32>,
    /// Three delays in milliseconds, each from 1 to 86400000 (a day).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delays_ms: Option<Vec<i32>>,
    /// Overlap in seconds, 0 to 604800 (a week).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incremental_overlap_seconds: Option<i32>,
    /// Mode of scheduled syncs: `full` or `incremental`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_mode: Option<Mode>,
    /// What a full sync does with records that the onboarding portal no longer lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_records: Option<MissingPolicy>,
    /// Share in percent, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivation_limit_percent: Option<i32>,
}

/// Data of the SSE event `schedule.changed`: the settings have a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsNotice {
    /// New version of the settings.
    pub version: i64,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
}
