//! Records as operators look them up, and their timelines.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Acknowledgement, Finding, Pagination, RecordType, Writer};

words! {
    /// Where a record stands.
    RecordStanding = domain::record_standing::RecordStanding {
        /// Its row is active, and no newer state stands rejected. Of a conflict it may hold the other side.
        Active = "active",
        /// Its row is withdrawn.
        Withdrawn = "withdrawn",
        /// Its newest state was rejected. An earlier state may stand in its row: see `status`.
        Rejected = "rejected",
        /// No state of it was ever written, and none stands rejected. Its timeline says what is known of it.
        NeverCame = "never_came",
    }
}
words! {
    /// Status of the row of a record.
    RowStatus = domain::row_status::RowStatus {
        /// The record is approved.
        Active = "active",
        /// The approval was withdrawn, or the record is missing in the onboarding portal.
        Withdrawn = "withdrawn",
    }
}
words! {
    /// What happened to a record.
    TimelineKind = domain::timeline::TimelineKind {
        /// A webhook about it was received.
        WebhookReceived = "webhook_received",
        /// A webhook about it was processed.
        WebhookProcessed = "webhook_processed",
        /// A webhook was refused, as it had the id of one about the record and another body. Which record other refused
        /// requests were about is not known.
        WebhookRefused = "webhook_refused",
        /// The message of a webhook about it became a dead letter.
        DeadLetter = "dead_letter",
        /// A sync created it.
        Created = "created",
        /// A sync wrote it.
        Updated = "updated",
        /// A sync withdrew it.
        Withdrawn = "withdrawn",
        /// A sync made it active again.
        Returned = "returned",
        /// A full sync did not find it any more.
        Missing = "missing",
        /// A dry run found what it would do to it, and wrote nothing.
        DryRun = "dry_run",
        /// A sync found something wrong with it; `detail` has the finding. With the severity `error` it was rejected.
        Finding = "finding",
        /// Both portals had changed it.
        ConflictOpened = "conflict_opened",
        /// An operator resolved a conflict.
        ConflictResolved = "conflict_resolved",
        /// The undo of a sync restored it, withdrew it or skipped it.
        Undone = "undone",
        /// It was changed in the maintenance portal: on board, ashore, by the resolution of a conflict or by an undo.
        Edited = "edited",
        /// An admin asked for its temporary password. Only admins see it.
        PasswordClaim = "password_claim",
        /// An admin had a new temporary password made. Only admins see it.
        PasswordReissue = "password_reissue",
    }
}

domain::vocabulary::vocabulary! {
    /// Status by which records are listed.
    #[derive(ToSchema)]
    RecordStatusFilter {
        /// Records whose row is active, also if a newer state was rejected.
        Active = "active",
        /// Records whose row is withdrawn, also if a newer state was rejected.
        Withdrawn = "withdrawn",
        /// Records whose newest state was rejected, with a row or without.
        Rejected = "rejected",
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Type of the record.
    pub record_type: RecordType,
    /// Id of the record in the onboarding portal.
    pub source_id: String,
    /// Name of the record for people. Of a user the e-mail address, masked except for admins.
    pub name: Option<String>,
    /// Where the record stands.
    pub standing: RecordStanding,
    /// Status of the row; absent if no state of the record was ever written.
    pub status: Option<RowStatus>,
    /// Id in the maintenance portal; absent without a row.
    pub id: Option<Uuid>,
    /// Id, in the onboarding portal, of the vessel of equipment.
    pub vessel_id: Option<String>,
    /// Id, in the onboarding portal, of the company of a vessel or a user.
    pub company_id: Option<String>,
    /// `updatedAt` of the state that was synced last.
    pub source_updated_at: Option<DateTime<Utc>>,
    /// When the values were last written, by whichever portal.
    pub version_at: Option<DateTime<Utc>>,
    /// Portal that wrote the values last.
    pub last_writer: Option<Writer>,
    /// Sync that wrote the record last. Retention may have removed it.
    pub sync_id: Option<Uuid>,
    /// When a sync last wrote the row. A sync that finds the same version again does not.
    pub synced_at: Option<DateTime<Utc>>,
    /// When the row was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When a full sync withdrew the record because it was not listed.
    pub missing_since: Option<DateTime<Utc>>,
    /// Time of an announced withdrawal.
    pub withdrawal_due_at: Option<DateTime<Utc>>,
}

/// A record with all that stands about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordDetail {
    #[serde(flatten)]
    pub summary: Record,
    /// Values of the row by field; empty without a row. Of a user, name, e-mail address and employee number are masked except
    /// for admins. Passwords are never shown.
    #[schema(value_type = Object)]
    pub particulars: BTreeMap<String, Value>,
    /// Whether `syncId` can still be looked up; absent if the record has none.
    pub sync_is_kept: Option<bool>,
    /// When the request began that brought the state.
    pub fetched_at: Option<DateTime<Utc>>,
    /// Number of open conflicts.
    pub open_conflicts: i64,
    /// What an operator has said of the rejection that stands; absent without.
    pub acknowledgement: Option<Acknowledgement>,
    /// Number of findings that stand.
    pub findings_total: i64,
    /// Findings that stand, errors first; at most 50.
    pub findings: Vec<Finding>,
    /// Number of what belongs to the record, by what it is, such as `equipment` of a vessel; empty without a row.
    pub dependents: BTreeMap<String, DependentCounts>,
}

/// Number of records that belong to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependentCounts {
    pub active: i64,
    pub withdrawn: i64,
}

/// Timeline of a record, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Type of the record.
    pub record_type: RecordType,
    /// Id of the record in the onboarding portal.
    pub source_id: String,
    /// A page of the entries.
    pub entries: Vec<TimelineEntry>,
    /// Position of the page in the timeline.
    pub pagination: Pagination,
    /// From when on history is kept.
    pub kept_since: KeptSince,
}

/// From when on history is kept. Retention has removed what was before, if there was anything. Absent: nothing of the kind is
/// kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeptSince {
    /// Start of the oldest sync; what earlier syncs wrote and found is not in the timeline.
    pub syncs: Option<DateTime<Utc>>,
    /// Receipt of the oldest webhook event.
    pub webhook_events: Option<DateTime<Utc>>,
    /// Time of the oldest resolution of a conflict.
    pub decisions: Option<DateTime<Utc>>,
}

/// What happened to a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    /// When it happened. Of a webhook by the clock of this system.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: TimelineKind,
    /// What happened, for people.
    pub summary: String,
    /// Sync that did it, or that it was done to.
    pub sync_id: Option<Uuid>,
    /// Webhook event.
    pub webhook_event_id: Option<Uuid>,
    /// Conflict.
    pub conflict_id: Option<Uuid>,
    /// Dead letter.
    pub dead_letter_id: Option<Uuid>,
    /// Operator who did it.
    pub actor: Option<String>,
    /// Values before, by field: of the fields that changed, or of all if `after` is absent. `companyRowId` and `vesselRowId` are
    /// ids in the maintenance portal. Personal data is masked except for admins.
    #[schema(value_type = Option<Object>)]
    pub before: Option<BTreeMap<String, Value>>,
    /// Values afterwards, of the fields that changed. Absent if they are not known: the record was changed in the maintenance
    /// portal as well before the next sync wrote it.
    #[schema(value_type = Option<Object>)]
    pub after: Option<BTreeMap<String, Value>>,
    /// More about it, by kind: the finding, the state of the webhook event, the resolution of the conflict.
    #[schema(value_type = Object)]
    pub detail: Value,
}
