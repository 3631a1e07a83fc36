//! Changes that a dry run would make.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConflictKind, RecordType, Side};

domain::vocabulary::vocabulary! {
    /// Outcome that a record of a dry run would have.
    #[derive(ToSchema)]
    ChangeOutcome {
        /// The record would be created.
        Created = "created",
        /// The record would be updated.
        Updated = "updated",
        /// The record would lose against an edit in the maintenance portal, or wait for an operator.
        Conflict = "conflict",
        /// The record would be rejected; the findings of the sync say why.
        Rejected = "rejected",
    }
}

impl From<ChangeOutcome> for domain::Outcome {
    fn from(it: ChangeOutcome) -> Self {
        match it {
            ChangeOutcome::Created => Self::Created,
            ChangeOutcome::Updated => Self::Updated,
            ChangeOutcome::Conflict => Self::Conflict,
            ChangeOutcome::Rejected => Self::Rejected,
        }
    }
}

/// A change that a dry run would make to one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Type of the record.
    pub record_type: RecordType,
    /// Id of the record in the onboarding portal.
    pub source_id: String,
    /// Name of the record for people.
    pub label: Option<String>,
    /// Outcome that the record would have.
    pub outcome: ChangeOutcome,
    /// Changed fields. For a new record, `old` is null.
    pub fields: Vec<FieldChange>,
    /// Conflict that would be opened; only for the outcome `conflict`.
    pub conflict: Option<ConflictPreview>,
}

/// A field that a dry run would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// JSON pointer to the field in the provider's record. Critical parts and maintenance schedules are named by their
    /// ids.
    pub field: String,
    /// Current value; personal data is masked.
    #[schema(value_type = Object)]
    pub old: serde_json::Value,
    /// New value; personal data is masked.
    #[schema(value_type = Object)]
    pub new: serde_json::Value,
}

/// A conflict that a dry run would open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictPreview {
    /// Kind of the conflict.
    pub kind: ConflictKind,
    /// Side whose values the record would have.
    pub winner: Side,
    /// Fields in which the sides differ.
    pub fields: Vec<ConflictFieldPreview>,
}

/// A field of a conflict that a dry run would open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictFieldPreview {
    /// JSON pointer to the field.
    pub field: String,
    /// Value in the maintenance portal.
    #[schema(value_type = Object)]
    pub local: serde_json::Value,
    /// Value in the onboarding portal.
    #[schema(value_type = Object)]
    pub source: serde_json::Value,
}
