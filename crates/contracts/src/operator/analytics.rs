//! Analytics: what happened in each hour or day.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Cause, Mode, RecordType};

words! {
    /// How long a window is. Windows begin at whole hours and days of UTC.
    WindowWidth = domain::analytics::WindowWidth {
        Hour = "hour",
        Day = "day",
    }
}

/// What happened in a time, in all and window by window. A window in which nothing happened is there, with zeros.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Analytics {
    /// How long the windows are.
    pub window: WindowWidth,
    /// Beginning of the first window.
    pub from: DateTime<Utc>,
    /// End of the last window.
    pub to: DateTime<Utc>,
    /// Until when all that happened is counted: the windows after it, and the one that it is in, are not complete. Absent while
    /// nothing is counted.
    pub counted_until: Option<DateTime<Utc>>,
    /// All windows together.
    pub total: WindowFigures,
    /// How the syncs ended, the most frequent first.
    pub syncs: Vec<SyncEndCount>,
    /// Findings by their codes, the most frequent first.
    pub findings: Vec<FindingCount>,
    /// Attempts that failed, by class, the most frequent first.
    pub failures: Vec<FailureCount>,
    pub windows: Vec<AnalyticsWindow>,
}

/// What happened in one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", try_from = "Value")]
pub struct AnalyticsWindow {
    /// Its beginning.
    pub starts_at: DateTime<Utc>,
    #[serde(flatten)]
    pub figures: WindowFigures,
}

/// By hand: serde reads no fractions in a flattened field while serde_json keeps the digits of numbers (its feature
/// `arbitrary_precision`).
impl TryFrom<Value> for AnalyticsWindow {
    type Error = serde_json::Error;

    fn try_from(value: Value) -> Result<Self, serde_json::Error> {
        let starts_at = DateTime::deserialize(&value["startsAt"])?;
        Ok(Self { starts_at, figures: WindowFigures::deserialize(value)? })
    }
}

/// How much happened, and how long it took. What is not counted by vessel is absent if one vessel is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WindowFigures {
    /// Syncs that ended, dry runs apart. They are of no single record type.
    pub syncs: Option<SyncFigures>,
    /// How long these syncs took. Absent: there was none.
    pub sync_duration: Option<Percentiles>,
    /// Records that these syncs read, by outcome.
    pub records: Option<RecordFigures>,
    /// From the approval in the onboarding portal to the row, for webhook events. Absent: there was none.
    pub approval_lag: Option<Percentiles>,
    /// Records that were rejected, and doubtful values.
    pub findings: i64,
    /// Attempts at a task or an event that failed. Most succeed with the next one.
    pub failed_attempts: Option<i64>,
}

/// Syncs by how they ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncFigures {
    pub completed: i64,
    pub completed_with_errors: i64,
    pub failed: i64,
    pub cancelled: i64,
    /// Share of those that completed, with errors or without, among those that completed or failed. Absent without any.
    pub success_rate: Option<f64>,
}

/// Records by their outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordFigures {
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub conflict: i64,
    pub rejected: i64,
    pub skipped: i64,
    /// Withdrawn, for a full sync no longer found them. Not among those that were read.
    pub deactivated: i64,
}

/// How long something took, in seconds. A figure is a tenth off at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Percentiles {
    /// How many were measured.
    pub count: i64,
    /// Half took no longer.
    pub p50_seconds: f64,
    /// Nine of ten took no longer.
    pub p90_seconds: f64,
    /// 99 of 100 took no longer.
    pub p99_seconds: f64,
}

/// How many syncs ended so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncEndCount {
    pub mode: Mode,
    pub cause: Cause,
    /// State in which they ended.
    pub state: super::SyncState,
    pub count: i64,
}

/// How many findings have a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FindingCount {
    pub record_type: Option<RecordType>,
    pub code: String,
    pub count: i64,
}

/// How many attempts failed so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureCount {
    /// As the attempts of a sync have it.
    pub class: String,
    pub count: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_is_read_as_it_is_written() {
        let lag = Percentiles { count: 3, p50_seconds: 0.25, p90_seconds: 1.5, p99_seconds: 12.75 };
        let syncs =
            SyncFigures { completed: 2, failed: 1, success_rate: Some(0.667), ..SyncFigures::default() };
        let figures =
            WindowFigures { syncs: Some(syncs), approval_lag: Some(lag), ..WindowFigures::default() };
        let window = AnalyticsWindow { starts_at: DateTime::UNIX_EPOCH, figures };
        let text = serde_json::to_string(&window).expect("it is JSON");
        assert!(text.contains("\"p50Seconds\":0.25"), "{text}");
        assert_eq!(serde_json::from_str::<AnalyticsWindow>(&text).expect(&text), window);
    }
}
