//! The vessels of the fleet, with what waits for somebody.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::RecordStanding;

/// A vessel, with numbers of what stands about it and all on board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VesselState {
    /// Id of the vessel in the onboarding portal.
    pub source_id: String,
    /// IMO number; absent if no state of the vessel was ever written.
    pub imo_number: Option<String>,
    /// Name of the vessel.
    pub name: Option<String>,
    /// Id of the company in the onboarding portal.
    pub company_id: Option<String>,
    /// Where the vessel itself stands.
    pub standing: RecordStanding,
    /// Rejected records that nobody has acknowledged: the vessel, its equipment, its users.
    pub rejected: i64,
    /// Rejected records that are acknowledged.
    pub acknowledged: i64,
    /// Records with warnings.
    pub warnings: i64,
    /// Open conflicts about the vessel, its equipment and its users.
    pub open_conflicts: i64,
    /// Dead letters about the vessel, its equipment and its users that nobody has replayed.
    pub dead_letters: i64,
    /// Rejected equipment of which no state was ever written: the crew does not see it.
    pub equipment_missing: i64,
    /// When the vessel's values were last written, by whichever portal.
    pub version_at: Option<DateTime<Utc>>,
    /// When a sync last wrote the vessel's row.
    pub synced_at: Option<DateTime<Utc>>,
    /// When the request began that brought the state of its row.
    pub fetched_at: Option<DateTime<Utc>>,
}
