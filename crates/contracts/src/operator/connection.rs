//! Test of the connection to the onboarding portal.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Result of the connection test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTest {
    /// Whether all steps succeeded.
    pub ok: bool,
    /// When the test began.
    pub tested_at: DateTime<Utc>,
    /// Tested URL.
    pub url: String,
    /// Steps in their order; the test stops at the first failed step.
    pub steps: Vec<ConnectionStep>,
}

/// A step of the connection test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionStep {
    /// Name of the step.
    pub name: String,
    /// Whether the step succeeded.
    pub ok: bool,
    /// Result of the step, or why it failed.
    pub detail: String,
    /// What to do about the failure.
    pub hint: Option<String>,
    /// Duration of the step in milliseconds.
    pub latency_ms: i64,
}
