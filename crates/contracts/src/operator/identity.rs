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
    /// The part of the fleet that the token is for; absent: the whole fleet.
    pub scope: Option<IdentityScope>,
}

/// The part of the fleet that a token is for: the vessels, the companies with their vessels, and what belongs to them. Other
/// operations than those about single records, vessels and labels are refused with `outside_scope`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityScope {
    /// Vessels, by IMO number or id in the onboarding portal.
    pub vessels: Vec<String>,
    /// Companies, by id in the onboarding portal or IMO company number.
    pub companies: Vec<String>,
}
