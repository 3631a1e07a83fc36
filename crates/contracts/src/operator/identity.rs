//! The operator of a token.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

domain::vocabulary::vocabulary! {
    /// Role of an operator; each role includes the one before.
    #[derive(ToSchema)]
    OperatorRole {
        /// Reads everything; personal data is masked.
        Viewer = "viewer",
        /// Also starts, cancels and repairs syncs.
        Operator = "operator",
        /// Also changes settings and role mapping, and reads personal data.
        Admin = "admin",
    }
}

/// The operator that the token names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Name of the operator.
    pub subject: String,
    /// Role of the operator.
    pub role: OperatorRole,
    /// When the token ends.
    pub expires_at: DateTime<Utc>,
}
