//! Conflicts, their resolution, conflict policies, and the undo of syncs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Pagination, RecordType};

words! {
    /// Which side wins when both portals changed a record.
    ConflictPolicy = domain::conflict::ConflictPolicy {
        /// The newer write wins.
        LastWriteWins = "last_write_wins",
        /// The onboarding portal's change wins, even if the edit in the maintenance portal is newer.
        SourceWins = "source_wins",
        /// The record stays as it is until an operator resolves the conflict.
        Manual = "manual",
    }
}
words! {
    /// Kind of a conflict.
    ConflictKind = domain::conflict::ConflictKind {
        /// Both portals changed the record; the edit in the maintenance portal is newer.
        LocalNewer = "local_newer",
        /// Both portals changed the record; the onboarding portal's change is newer.
        SourceNewer = "source_newer",
        /// The onboarding portal lists critical equipment as not critical.
        CriticalityDowngrade = "criticality_downgrade",
        /// The onboarding portal gives the equipment a QR code that other equipment has.
        NaturalKey = "natural_key",
    }
}
words! {
    /// State of a conflict.
    ConflictState = domain::conflict::ConflictState {
        /// The conflict waits for an operator.
        Open = "open",
        /// An operator has resolved the conflict.
        Resolved = "resolved",
    }
}
words! {
    /// A side of a conflict.
    Side = domain::conflict::Side {
        /// The maintenance portal.
        Local = "local",
        /// The onboarding portal.
        Source = "source",
    }
}
words! {
    /// How a conflict is resolved.
    Resolution = domain::conflict::Resolution {
        /// With the values of the onboarding portal. If it has withdrawn the record, the record is withdrawn, and a user is
        /// locked out: see `sourceEffect` of the conflict.
        Source = "source",
        /// With the values of the maintenance portal.
        Local = "local",
        /// With the side that `fields` names for each field.
        Fields = "fields",
        /// By keeping the record as it is.
        Keep = "keep",
    }
}

words! {
    /// Why a conflict was not resolved.
    ResolutionError = domain::conflict::ResolutionError {
        /// There is no such conflict.
        NotFound = "conflict_not_found",
        /// The conflict is already resolved.
        AlreadyResolved = "conflict_resolved",
        /// The record was changed after the conflict was found.
        RecordChanged = "record_changed",
        /// `fields` names a field in which the sides do not differ.
        UnknownField = "unknown_field",
        /// The database refuses a value, such as a code that another record has.
        ValueRefused = "value_refused",
    }
}
words! {
    /// Last writer of a record.
    Writer = domain::last_write_wins::Writer {
        /// The onboarding portal, through a sync.
        Onboarding = "onboarding",
        /// A person in the maintenance portal.
        Maintenance = "maintenance",
    }
}
words! {
    /// Result for one record of an undone sync.
    UndoResult = domain::undo::UndoResult {
        /// The record has its values from before the sync.
        Restored = "restored",
        /// The sync had created the record: it is withdrawn, not deleted.
        Withdrawn = "withdrawn",
        /// The record was not changed; `reason` says why.
        Skipped = "skipped",
    }
}
words! {
    /// Why the undo of a sync skipped a record.
    UndoSkipReason = domain::undo::UndoSkipReason {
        /// The record was edited in the maintenance portal after the sync.
        EditedSince = "edited_since",
        /// A later sync wrote the record.
        OverwrittenSince = "overwritten_since",
        /// The sync had created the record, which is already withdrawn.
        AlreadyWithdrawn = "already_withdrawn",
        /// The earlier number, code or address of the record belongs to another record now.
        KeyTaken = "key_taken",
        /// The sync had created it, and active records refer to it.
        InUse = "in_use",
    }
}

/// A conflict: both sides, who wrote them and when, and its resolution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// Id of the conflict.
    pub id: Uuid,
    /// Sync that found the conflict; absent after the sync was deleted by retention.
    pub sync_id: Option<Uuid>,
    /// Type of the record.
    pub record_type: RecordType,
    /// Id of the record in the onboarding portal.
    pub source_id: String,
    /// Name of the record for people.
    pub label: Option<String>,
    /// What the portals disagree about, in a sentence for people.
    pub summary: String,
    /// Kind of the conflict.
    pub kind: ConflictKind,
    /// Whether one side has taken the record away while the other has it active; absent if neither has.
    #[serde(default)]
    pub withdrawal: Option<ConflictWithdrawal>,
    /// Of a QR code that other equipment has: that equipment's id in the onboarding portal.
    #[serde(default)]
    pub holder_source_id: Option<String>,
    /// Effect of resolving the conflict with the values of the onboarding portal, in a sentence for people; absent if it
    /// changes nothing but the fields. A withdrawal takes the record away, and locks a user out.
    #[serde(default)]
    pub source_effect: Option<String>,
    /// The same for the values of the maintenance portal.
    #[serde(default)]
    pub local_effect: Option<String>,
    /// Policy that was in force when the conflict was found.
    pub policy: ConflictPolicy,
    /// Side whose values the record got when the conflict was found.
    pub winner: Side,
    /// Fields in which the sides differ, by column name. `status` is `withdrawn` on the side that has withdrawn the record.
    pub fields: BTreeMap<String, ConflictField>,
    /// Last writer of the maintenance portal's side: `maintenance`, or `onboarding` for values of an earlier sync.
    pub local_writer: Writer,
    /// Time of the maintenance portal's side.
    pub local_at: DateTime<Utc>,
    /// Time of the onboarding portal's side.
    pub source_at: DateTime<Utc>,
    /// State of the conflict.
    pub state: ConflictState,
    /// When the conflict was found.
    pub opened_at: DateTime<Utc>,
    /// When the conflict was resolved.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Operator who resolved the conflict.
    pub resolved_by: Option<String>,
    /// How the conflict was resolved.
    pub resolution: Option<Resolution>,
    /// Side that was chosen for each field; only for the resolution `fields`.
    pub resolved_fields: Option<BTreeMap<String, Side>>,
}

domain::vocabulary::vocabulary! {
    /// What one side of a conflict has taken away.
    #[derive(utoipa::ToSchema)]
    Withdrawn {
        /// The approval: the record is withdrawn.
        Approval = "approval",
        /// The access: the user is deactivated.
        Access = "access",
    }
}

/// One side of a conflict has taken the record away, and the other has it active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConflictWithdrawal {
    /// Side that has taken it away.
    pub side: Side,
    /// What is taken away.
    pub withdrawn: Withdrawn,
}

/// A field in which the two sides differ. For viewers, names, e-mail addresses and employee numbers are masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConflictField {
    /// Value in the maintenance portal.
    #[schema(value_type = Value)]
    pub local: serde_json::Value,
    /// Value in the onboarding portal.
    #[schema(value_type = Value)]
    pub source: serde_json::Value,
}

/// Body of `POST /api/sync/conflicts/{id}/resolve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveRequest {
    /// How to resolve the conflict.
    pub resolution: Resolution,
    /// Side for each field, only for the resolution `fields`. A field that is not named stays as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Side>,
}

/// Body of `POST /api/sync/conflicts/resolve`: conflicts by `ids`, or open conflicts by a filter of the other fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveManyRequest {
    /// `source`, `local` or `keep`.
    pub resolution: Resolution,
    /// Ids of the conflicts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// Only conflicts about records of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_type: Option<RecordType>,
    /// Only conflicts of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ConflictKind>,
    /// Only conflicts that this sync found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_id: Option<Uuid>,
}

/// Result of resolving many conflicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedMany {
    /// Number of resolved conflicts.
    pub resolved: i64,
    /// Conflicts that were not resolved.
    pub refused: Vec<ResolutionRefused>,
}

/// A conflict that was not resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolutionRefused {
    /// Id of the conflict.
    pub id: Uuid,
    /// Why the conflict was not resolved.
    pub code: ResolutionError,
}

/// Conflict policies by record type. The `ETag` of the answer is the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConflictPolicies {
    /// Version of the policies; grows with every change.
    pub version: i64,
    /// Policy for companies.
    pub company: ConflictPolicy,
    /// Policy for vessels.
    pub vessel: ConflictPolicy,
    /// Policy for equipment.
    pub equipment: ConflictPolicy,
    /// Policy for users.
    pub user: ConflictPolicy,
    /// When the policies were last changed.
    pub updated_at: DateTime<Utc>,
    /// Operator who last changed the policies.
    pub updated_by: String,
}

/// Body of `PUT /api/sync/conflicts/policies`. A record type that is absent keeps its policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConflictPoliciesChange {
    /// Policy for companies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<ConflictPolicy>,
    /// Policy for vessels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vessel: Option<ConflictPolicy>,
    /// Policy for equipment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equipment: Option<ConflictPolicy>,
    /// Policy for users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<ConflictPolicy>,
}

/// Data of the SSE events `conflict.opened` and `conflict.resolved`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConflictNotice {
    /// Conflict that was resolved; absent in `conflict.opened`.
    pub conflict_id: Option<Uuid>,
    /// Sync that found the conflicts.
    pub sync_id: Option<Uuid>,
    /// Number of open conflicts of this sync; only in `conflict.opened`.
    pub open: i64,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
}

/// The undo of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// Id of the sync.
    pub sync_id: Uuid,
    /// When the sync was undone.
    pub undone_at: DateTime<Utc>,
    /// Operator who undid the sync.
    pub undone_by: String,
    /// Number of records that have their values from before the sync.
    pub restored: i64,
    /// Number of records that the sync had created: they are withdrawn, not deleted.
    pub withdrawn: i64,
    /// Number of records that were not changed.
    pub skipped: i64,
    /// A page of the records, skipped ones first.
    pub records: Vec<UndoneRecord>,
    /// Position of the page in the list of records.
    pub pagination: Pagination,
}

/// A record of an undone sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndoneRecord {
    /// Type of the record.
    pub record_type: RecordType,
    /// Id of the record in the onboarding portal.
    pub source_id: String,
    /// Result for the record.
    pub result: UndoResult,
    /// Why the record was skipped.
    pub reason: Option<UndoSkipReason>,
}
