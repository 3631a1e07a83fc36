//! Who the caller is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

domain::vocabulary::vocabulary! {
    /// What an operator may do; each role includes the one before.
    #[derive(ToSchema)]
    OperatorRole {
        /// Reads, with personal data masked.
        Viewer = "viewer",
        /// Starts, stops and repairs.
        Operator = "operator",
        /// Changes settings and rights, and reads personal data.
        Admin = "admin",
    }
}

/// `GET /api/sync/me`: who the token says one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The operator's name.
    pub subject: String,
    /// What the operator may do.
    pub role: OperatorRole,
}
