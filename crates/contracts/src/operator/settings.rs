//! Settings that operators change, and the preview of a schedule.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MissingPolicy, Mode};

/// `GET /api/sync/settings`. The `ETag` is the version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Grows with every change.
    pub version: i64,
    /// The schedule is on.
    pub enable_scheduled_sync: bool,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub schedule_cron: String,
    /// IANA zone in which the cron expression is meant.
    pub schedule_time_zone: String,
    /// Records per page asked of the onboarding portal.
    pub page_size: i32,
    /// Waits before the second, third and fourth attempt, in milliseconds.
    pub retry_delays_ms: Vec<i32>,
    /// How far before the last complete sync an incremental one begins, in seconds.
    #[serde(default)]
    pub incremental_overlap_seconds: i32,
    /// What the schedule starts: `full` or `incremental`.
    pub schedule_mode: Mode,
    /// What a full sync does with records that are not listed any more.
    pub missing_records: MissingPolicy,
    /// Of the active records of a type, in percent; beyond it an operator is asked.
    #[serde(default)]
    pub deactivation_limit_percent: i32,
    /// The expression in words, and its next times.
    pub schedule: SchedulePreview,
    /// Last change.
    pub updated_at: DateTime<Utc>,
    /// By whom.
    pub updated_by: String,
}

/// Body of `POST /api/sync/settings`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SettingsChange {
    /// The schedule on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_scheduled_sync: Option<bool>,
    /// Five fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_cron: Option<String>,
    /// IANA zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_time_zone: Option<String>,
    /// 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i32>,
    /// Three waits, each above zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delays_ms: Option<Vec<i32>>,
    /// 0 to 604800.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incremental_overlap_seconds: Option<i32>,
    /// `full` or `incremental`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_mode: Option<Mode>,
    /// `keep` or `deactivate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_records: Option<MissingPolicy>,
    /// 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivation_limit_percent: Option<i32>,
}

/// What a cron expression means: `GET /api/sync/schedule/preview?cron&timeZone`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePreview {
    /// In words.
    pub description: String,
    /// The next five times; fewer if there are no more.
    pub next_runs: Vec<DateTime<Utc>>,
}

/// Data of the SSE event `schedule.changed`: settings have a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsNotice {
    /// The version.
    pub version: i64,
    /// When this was so.
    pub occurred_at: DateTime<Utc>,
}
