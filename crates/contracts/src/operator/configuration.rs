//! The history of what operators configure.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::AuditAction;

domain::vocabulary::vocabulary! {
    /// What operators configure.
    #[derive(ToSchema)]
    ConfigurationPart {
        /// The settings of the sync.
        Settings = "settings",
        /// The schedules.
        Schedules = "schedules",
        /// Which portal wins a conflict.
        ConflictPolicies = "conflict_policies",
        /// Which role a user gets.
        RoleMapping = "role_mapping",
    }
}

impl ConfigurationPart {
    /// The actions that change it.
    #[must_use]
    pub const fn actions(self) -> &'static [AuditAction] {
        match self {
            Self::Settings => &[AuditAction::SettingsUpdate],
            Self::Schedules => &[
                AuditAction::ScheduleCreate,
                AuditAction::ScheduleUpdate,
                AuditAction::ScheduleDelete,
                AuditAction::SchedulePause,
                AuditAction::ScheduleResume,
            ],
            Self::ConflictPolicies => &[AuditAction::ConflictPoliciesUpdate],
            Self::RoleMapping => &[AuditAction::RoleMappingChange],
        }
    }
}

/// A change of what operators configure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationChange {
    /// Id of the entry of the audit log. Grows from change to change.
    pub id: u64,
    pub at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub actor: String,
    pub part: ConfigurationPart,
    pub action: AuditAction,
    /// Name of the schedule; absent of the other parts, of which there is one each.
    pub schedule: Option<String>,
    /// Version that the change made; absent where it deleted a schedule.
    pub version: Option<u64>,
    /// In the words of the operator, where they were asked for.
    pub reason: Option<String>,
    /// The values that differ.
    pub changes: Vec<ValueChange>,
}

/// A value of the configuration before a change and after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ValueChange {
    /// Name of the value, as the operator API has it.
    pub name: String,
    /// Null: there was none.
    #[schema(value_type = Value)]
    pub before: Value,
    /// Null: there is none.
    #[schema(value_type = Value)]
    pub after: Value,
}
