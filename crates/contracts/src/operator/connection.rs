//! The test of the connection to the onboarding portal.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /api/sync/test-connection`: the way to the onboarding portal, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTest {
    /// Every step went well.
    pub ok: bool,
    /// The address that was tried.
    pub url: String,
    /// In order; after a failed step the rest is not tried.
    pub steps: Vec<ConnectionStep>,
}

/// One step of a connection test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionStep {
    /// What was tried.
    pub name: String,
    /// It went well.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What to do about a failure.
    pub hint: Option<String>,
    /// How long it took, in milliseconds.
    pub latency_ms: i64,
}
