//! Conflicts, the policies that meet them, and the undoing of syncs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Pagination, RecordType};

words! {
    /// What is done when both portals have changed a record.
    ConflictPolicy = domain::conflict::ConflictPolicy {
        /// The newer write stays.
        LastWriteWins = "last_write_wins",
        /// What is new in the onboarding portal stays, however new the other's edit is.
        SourceWins = "source_wins",
        /// Nothing is written before an operator has decided.
        Manual = "manual",
    }
}
words! {
    /// What the two sides disagree about.
    ConflictKind = domain::conflict::ConflictKind {
        /// The edit of the maintenance portal is the newer one.
        LocalNewer = "local_newer",
        /// The onboarding portal's change is the newer one.
        SourceNewer = "source_newer",
        /// Critical equipment came as not critical.
        CriticalityDowngrade = "criticality_downgrade",
        /// A QR code that another equipment has.
        NaturalKey = "natural_key",
    }
}
words! {
    /// Where a conflict stands.
    ConflictState = domain::conflict::ConflictState {
        /// Nobody has looked at it.
        Open = "open",
        /// An operator has decided.
        Resolved = "resolved",
    }
}
words! {
    /// One of the two sides.
    Side = domain::conflict::Side {
        /// The maintenance portal's.
        Local = "local",
        /// The onboarding portal's.
        Source = "source",
    }
}
words! {
    /// How a conflict is resolved.
    Resolution = domain::conflict::Resolution {
        /// By the onboarding portal's values.
        Source = "source",
        /// By the maintenance portal's values.
        Local = "local",
        /// Field by field.
        Fields = "fields",
        /// By leaving the record as it stands.
        Keep = "keep",
    }
}

words! {
    /// Why a conflict was not resolved as asked.
    ResolutionError = domain::conflict::ResolutionError {
        /// There is no such conflict.
        NotFound = "conflict_not_found",
        /// Another operator has resolved it.
        AlreadyResolved = "conflict_resolved",
        /// The record was written after both sides of the conflict.
        RecordChanged = "record_changed",
        /// A named field is none in which the sides differ.
        UnknownField = "unknown_field",
        /// The database refuses the value: it may belong to another record by now.
        ValueRefused = "value_refused",
    }
}
words! {
    /// Who wrote a record last.
    Writer = domain::last_write_wins::Writer {
        /// The onboarding portal, through a sync.
        Onboarding = "onboarding",
        /// Somebody in the maintenance portal.
        Maintenance = "maintenance",
    }
}
words! {
    /// Result for one record of an undone sync.
    UndoResult = domain::undo::UndoResult {
        /// The record is as it was before the sync.
        Restored = "restored",
        /// The sync had created the record: it is withdrawn, not deleted.
        Withdrawn = "withdrawn",
        /// The record was left alone.
        Skipped = "skipped",
    }
}
words! {
    /// Why a record of an undone sync was left alone.
    UndoSkipReason = domain::undo::UndoSkipReason {
        /// It was edited in the maintenance portal after the sync.
        EditedSince = "edited_since",
        /// A later sync wrote it.
        OverwrittenSince = "overwritten_since",
        /// The sync had created it, and it was withdrawn already.
        AlreadyWithdrawn = "already_withdrawn",
        /// Its earlier number, code or address belongs to another record by now.
        KeyTaken = "key_taken",
    }
}

/// A conflict: both sides, who wrote them and when, and what was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The conflict.
    pub id: Uuid,
    /// The sync that met it; absent once that is forgotten.
    pub sync_id: Option<Uuid>,
    /// Kind of record.
    pub record_type: RecordType,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// What the sides disagree about.
    pub kind: ConflictKind,
    /// The policy that was in force.
    pub policy: ConflictPolicy,
    /// Which side stood then.
    pub winner: Side,
    /// The fields in which the sides differ, by column.
    pub fields: BTreeMap<String, ConflictField>,
    /// `maintenance`, or `onboarding` for a value that an earlier sync had brought.
    pub local_writer: Writer,
    /// When the maintenance portal's side was written.
    pub local_at: DateTime<Utc>,
    /// When the onboarding portal's side was written.
    pub source_at: DateTime<Utc>,
    /// Where it stands.
    pub state: ConflictState,
    /// When it was met.
    pub opened_at: DateTime<Utc>,
    /// When it was decided.
    pub resolved_at: Option<DateTime<Utc>>,
    /// By whom.
    pub resolved_by: Option<String>,
    /// How.
    pub resolution: Option<Resolution>,
    /// Of a decision field by field: which side each was taken from.
    pub resolved_fields: Option<BTreeMap<String, Side>>,
}

/// A field in which the two sides differ. E-mail addresses, names and numbers of persons are masked for viewers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConflictField {
    /// The maintenance portal's value.
    #[schema(value_type = Value)]
    pub local: serde_json::Value,
    /// The onboarding portal's value.
    #[schema(value_type = Value)]
    pub source: serde_json::Value,
}

/// Body of `POST /api/sync/conflicts/{id}/resolve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveRequest {
    /// How.
    pub resolution: Resolution,
    /// For `fields`: which side each field is taken from; one that is not named stays as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Side>,
}

/// Body of `POST /api/sync/conflicts/resolve`: open conflicts, by their ids or by all the rest that is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveManyRequest {
    /// `source`, `local` or `keep`.
    pub resolution: Resolution,
    /// These.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// All about this kind of record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_type: Option<RecordType>,
    /// All of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ConflictKind>,
    /// All that this sync met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_id: Option<Uuid>,
}

/// Answer to the resolution of many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedMany {
    /// How many are resolved.
    pub resolved: i64,
    /// Those that are not, and why.
    pub refused: Vec<ResolutionRefused>,
}

/// A conflict that could not be resolved so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolutionRefused {
    /// The conflict.
    pub id: Uuid,
    /// Why.
    pub code: ResolutionError,
}

/// `GET|PUT /api/sync/conflicts/policies`. The `ETag` is the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConflictPolicies {
    /// Grows with every change.
    pub version: i64,
    /// Of companies.
    pub company: ConflictPolicy,
    /// Of vessels.
    pub vessel: ConflictPolicy,
    /// Of equipment.
    pub equipment: ConflictPolicy,
    /// Of users.
    pub user: ConflictPolicy,
    /// Last change.
    pub updated_at: DateTime<Utc>,
    /// By whom.
    pub updated_by: String,
}

/// Body of `PUT /api/sync/conflicts/policies`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConflictPoliciesChange {
    /// Of companies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<ConflictPolicy>,
    /// Of vessels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vessel: Option<ConflictPolicy>,
    /// Of equipment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equipment: Option<ConflictPolicy>,
    /// Of users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<ConflictPolicy>,
}

/// Data of the SSE events `conflict.opened` and `conflict.resolved`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConflictNotice {
    /// The conflict that was resolved.
    pub conflict_id: Option<Uuid>,
    /// The sync that met conflicts.
    pub sync_id: Option<Uuid>,
    /// Of `conflict.opened`: how many of this sync are open.
    pub open: i64,
    /// When this was so.
    pub occurred_at: DateTime<Utc>,
}

/// `POST|GET /api/sync/status/{syncId}/undo`: an undone sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// The sync.
    pub sync_id: Uuid,
    /// When it was undone.
    pub undone_at: DateTime<Utc>,
    /// By whom.
    pub undone_by: String,
    /// Records that are as they were before the sync.
    pub restored: i64,
    /// Records that the sync had created: they are withdrawn, not deleted.
    pub withdrawn: i64,
    /// Records that were left alone, for something newer stands there.
    pub skipped: i64,
    /// A page of the records, those that were left alone first.
    pub records: Vec<UndoneRecord>,
    /// Where the page stands.
    pub pagination: Pagination,
}

/// What became of a record of an undone sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndoneRecord {
    /// Kind of record.
    pub record_type: RecordType,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// Result for the record.
    pub result: UndoResult,
    /// Why a skipped one was left alone.
    pub reason: Option<UndoSkipReason>,
}
