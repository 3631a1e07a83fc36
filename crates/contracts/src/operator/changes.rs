//! What a dry run would do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConflictKind, RecordType, Side};

domain::vocabulary::vocabulary! {
    /// What would become of a record that is not as it should be already.
    #[derive(ToSchema)]
    ChangeOutcome {
        /// It would be new.
        Created = "created",
        /// It would be changed.
        Updated = "updated",
        /// It would lose against the other portal's edit, or be held.
        Conflict = "conflict",
        /// It would not be let in; the sync's findings say why.
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

/// What a dry run would do to one record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Kind of record.
    pub record_type: RecordType,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// What would become of it.
    pub outcome: ChangeOutcome,
    /// Field by field; a new record has no old values.
    pub fields: Vec<FieldChange>,
    /// Of a conflict: who would win, and in which fields the two sides differ.
    pub conflict: Option<ConflictPreview>,
}

/// A field that would be changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// JSON pointer, as the provider names the field; parts and schedules by their ids.
    pub field: String,
    /// As it is; persons' data masked.
    #[schema(value_type = Object)]
    pub old: serde_json::Value,
    /// As it would be.
    #[schema(value_type = Object)]
    pub new: serde_json::Value,
}

/// A conflict that would be opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictPreview {
    /// What the two sides disagree about.
    pub kind: ConflictKind,
    /// Which side would stand.
    pub winner: Side,
    /// Where they differ.
    pub fields: Vec<ConflictFieldPreview>,
}

/// A field of a conflict that would be opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictFieldPreview {
    /// JSON pointer.
    pub field: String,
    /// In the maintenance portal.
    #[schema(value_type = Object)]
    pub local: serde_json::Value,
    /// In the onboarding portal.
    #[schema(value_type = Object)]
    pub source: serde_json::Value,
}
