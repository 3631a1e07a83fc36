//! Critical parts and maintenance schedules of equipment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::RowStatus;

domain::vocabulary::vocabulary! {
    /// What belongs to a piece of equipment.
    #[derive(ToSchema)]
    PartKind {
        /// A spare part that must be on board.
        CriticalPart = "critical_part",
        /// A job that comes due by days or running hours.
        MaintenanceSchedule = "maintenance_schedule",
    }
}

/// A critical part or a maintenance schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    pub kind: PartKind,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// Name of the part, or title of the job.
    pub name: String,
    /// Id of the equipment in the onboarding portal.
    pub equipment_id: String,
    /// SFI code, unit number and name of the equipment.
    pub equipment_name: String,
    /// Status of the row.
    pub status: RowStatus,
    /// All values of the row by field, the ship's own included.
    #[schema(value_type = Object)]
    pub values: BTreeMap<String, Value>,
}
