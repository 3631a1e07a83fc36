//! API keys of services.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::OperatorRole;

/// Whether a key is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeyState {
    Active,
    Expired,
    Revoked,
}

/// A key of a service. Its secret is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    pub id: Uuid,
    /// Name of the service. Its requests stand in the audit log under `api-key:` and this name.
    pub name: String,
    /// What the service may do.
    pub role: OperatorRole,
    pub state: ApiKeyState,
    pub created_at: DateTime<Utc>,
    /// Operator who made it.
    pub created_by: String,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// To the minute; absent: never.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A new key, with its secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewApiKey {
    pub key: ApiKey,
    /// What the service sends as `Authorization: Bearer <secret>`. It is stored nowhere: this answer alone has it.
    pub secret: String,
}

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiKeyRequest {
    /// Name of the service. Several keys may have one name.
    #[schema(min_length = 1, max_length = 100, example = "fleet-report")]
    pub name: String,
    /// What the service may do.
    #[serde(default = "viewer")]
    #[schema(default = "viewer")]
    pub role: OperatorRole,
    /// Days after which it ends.
    #[serde(default = "ninety_days")]
    #[schema(default = 90, minimum = 1, maximum = 366)]
    pub valid_days: u32,
    /// Why, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// How a key is replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApiKeyRotation {
    /// Hours for which the old key is accepted beside the new one; 0: it ends at once.
    #[serde(default = "a_day")]
    #[schema(default = 24, maximum = 168)]
    pub overlap_hours: u32,
    /// Days after which the new key ends.
    #[serde(default = "ninety_days")]
    #[schema(default = 90, minimum = 1, maximum = 366)]
    pub valid_days: u32,
    /// Why, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

const fn viewer() -> OperatorRole {
    OperatorRole::Viewer
}

const fn ninety_days() -> u32 {
    90
}

const fn a_day() -> u32 {
    24
}
