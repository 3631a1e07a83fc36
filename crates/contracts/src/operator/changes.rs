//! What a sync changed, and what a dry run would change.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConflictKind, RecordType, Side};

domain::vocabulary::vocabulary! {
    /// What became of a record, or in a dry run would.
    #[derive(ToSchema)]
    ChangeOutcome {
        /// The record was created.
        Created = "created",
        /// The record was updated.
        Updated = "updated",
        /// The record was withdrawn.
        Withdrawn = "withdrawn",
        /// The record was withdrawn before, and is active again.
        Returned = "returned",
        /// Of dry runs: the record would lose against an edit in the maintenance portal, or wait for an operator.
        Conflict = "conflict",
        /// Of dry runs: the record would be rejected; the findings of the sync say why.
        Rejected = "rejected",
    }
}

/// A change of one record by a sync; of a dry run, one that it would make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Type of the record.
    pub record_type: RecordType,
    /// Id of the record in the onboarding portal.
    pub source_id: String,
    /// Name of the record for people.
    pub label: Option<String>,
    /// What became of the record.
    pub outcome: ChangeOutcome,
    /// Changed fields. For a new record, `old` is null.
    pub fields: Vec<FieldChange>,
    /// Whether `fields` are what the sync changed. Otherwise the record was changed in the maintenance portal, undone or decided upon
    /// since, and what the sync wrote is not known any more.
    pub fields_known: bool,
    /// Conflict that would be opened; only for the outcome `conflict`.
    pub conflict: Option<ConflictPreview>,
}

/// A field that a sync changed, or that a dry run would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// JSON pointer to the field in the provider's record. Critical parts and maintenance schedules are named by their
    /// ids.
    pub field: String,
    /// Value before; personal data is masked.
    #[schema(value_type = Object)]
    pub old: serde_json::Value,
    /// Value after; personal data is masked.
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
