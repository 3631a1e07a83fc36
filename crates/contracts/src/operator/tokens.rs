//! Revocation of operators' tokens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Tokens to revoke: one by its `tokenId`, or all of a `subject` that were issued until now. Exactly one of the two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenRevocationRequest {
    /// `jti` of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 255)]
    pub token_id: Option<String>,
    /// `sub` of the tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 255)]
    pub subject: Option<String>,
    /// Why, for the audit log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// A revocation of tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenRevocation {
    pub id: Uuid,
    /// `jti` of the revoked token.
    pub token_id: Option<String>,
    /// `sub` of the revoked tokens.
    pub subject: Option<String>,
    /// Tokens of the subject that were issued later are valid.
    pub issued_until: DateTime<Utc>,
    pub reason: Option<String>,
    pub revoked_at: DateTime<Utc>,
    /// Operator who revoked them.
    pub revoked_by: String,
}
