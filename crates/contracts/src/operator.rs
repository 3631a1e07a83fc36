//! The operator API (port 3005): what status answers and what the dashboard, the CLI and curl send.
//!
//! JSON is camelCase, times are RFC 3339 in UTC. Input with a field that is not known is refused, so that a slip of the
//! pen in a setting is not taken for agreement.

mod quality;

use chrono::{DateTime, Utc};
pub use quality::{CodeCount, RecordQuality, ValidationReport, VesselIdentity};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Most entries that one page of a list may hold.
pub const PAGE_SIZE_LIMIT: i64 = 200;
/// Entries of a page, unless asked otherwise.
pub const DEFAULT_PAGE_SIZE: i64 = 20;

/// Defines an enum of the operator API with the words of one of `domain`, and the conversions between the two. Words that
/// differ do not compile.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident = $domain:ty { $($(#[$word_doc:meta])* $word:ident = $text:tt),+ $(,)? }) => {
        domain::vocabulary::vocabulary! {
            $(#[$doc])*
            #[derive(utoipa::ToSchema)]
            $name { $($(#[$word_doc])* $word = $text),+ }
        }

        impl From<$domain> for $name {
            fn from(it: $domain) -> Self {
                match it { $(<$domain>::$word => Self::$word),+ }
            }
        }

        impl From<$name> for $domain {
            fn from(it: $name) -> Self {
                match it { $($name::$word => Self::$word),+ }
            }
        }

        $(const _: () = assert!(
            $crate::operator::is_same($name::$word.as_str(), <$domain>::$word.as_str()),
            "the word differs from the one in domain"
        );)+
    };
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

mod changes;
mod reconcile;
mod replay;
mod sync_control;
mod webhooks;

pub use changes::*;
pub use reconcile::*;
pub use replay::*;
pub use sync_control::*;
pub use webhooks::*;

mod conflicts;
mod users;

pub use conflicts::{
    Conflict, ConflictField, ConflictKind, ConflictNotice, ConflictPolicies, ConflictPoliciesChange,
    ConflictPolicy, ConflictState, Resolution, ResolutionError, ResolutionRefused, ResolveManyRequest,
    ResolveRequest, ResolvedMany, Side, Undo, UndoResult, UndoSkipReason, UndoneRecord, Writer,
};
pub use users::{
    LockReason, PasswordState, Permission, PortalRole, RoleChange, RoleMapping, RoleMappingChange,
    RoleMappingEffect, RoleRule, User, Workplace,
};

words! {
    /// A kind of record that has a tally of its own.
    RecordType = domain::RecordType {
        /// A ship manager or owner.
        Company = "company",
        /// A vessel.
        Vessel = "vessel",
        /// A piece of equipment with its parts and maintenance schedules.
        Equipment = "equipment",
        /// A person with access to the maintenance portal.
        User = "user",
    }
}
words! {
    /// Where a sync stands.
    SyncState = domain::SyncState {
        /// Accepted, not begun.
        Queued = "queued",
        /// At work.
        Running = "running",
        /// All that is left waits for its next attempt.
        Retrying = "retrying",
        /// Every record is accounted for, none was rejected or lost.
        Completed = "completed",
        /// Ended; some records were rejected or some work died.
        CompletedWithErrors = "completed_with_errors",
        /// Ended without result.
        Failed = "failed",
        /// Stopped by an operator.
        Cancelled = "cancelled",
    }
}
words! {
    /// Why a sync began.
    Cause = domain::Cause {
        /// An operator.
        Manual = "manual",
        /// The schedule.
        Scheduled = "scheduled",
        /// An approval in the onboarding portal.
        Webhook = "webhook",
        /// A dead letter that was replayed.
        Replay = "replay",
    }
}
words! {
    /// How much a sync looks at.
    Mode = domain::Mode {
        /// Everything that the onboarding portal has approved.
        Full = "full",
        /// What changed since the last complete sync.
        Incremental = "incremental",
        /// The records that its scope names.
        Selective = "selective",
    }
}

/// Body of `POST /api/sync/trigger`. No body at all starts a full sync.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TriggerRequest {
    /// `full` unless said otherwise. `incremental` looks at what changed since the last complete sync, `selective` at what
    /// the fields below name.
    pub mode: Option<Mode>,
    /// Only these kinds of record (`incremental`, `selective`); companies come with vessels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub record_types: Vec<RecordType>,
    /// Only these vessels with what belongs to them, by IMO number (`selective`); at most 500.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vessel_imos: Vec<String>,
    /// Only this company with its vessels and what belongs to them, by its id in the onboarding portal (`selective`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_id: Option<String>,
    /// Only these pieces of equipment, by their ids in the onboarding portal (`selective`); at most 500.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub equipment_ids: Vec<String>,
    /// Only what changed at this time or later (`selective`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_since: Option<DateTime<Utc>>,
    /// Only what changed at this time or earlier (`selective`); what the provider lists beyond is counted as skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_until: Option<DateTime<Utc>>,
    /// Write nothing, and answer what would become of each record: see `/api/sync/status/{syncId}/changes`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Why; kept in the sync and the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer to a trigger: the sync was accepted, not yet done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncAccepted {
    /// The sync.
    pub sync_id: Uuid,
    /// `queued`.
    pub state: SyncState,
}

/// What became of the records of one kind. Read is the sum of the outcomes, always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordCounts {
    /// Kind of record.
    pub record_type: RecordType,
    /// How many the provider says there are; absent until it has said.
    pub expected: Option<i64>,
    /// Taken from the provider so far.
    pub read: i64,
    /// New here.
    pub created: i64,
    /// Changed here.
    pub updated: i64,
    /// Already the same.
    pub unchanged: i64,
    /// Lost against a newer edit in the maintenance portal, or held for an operator; both sides are kept.
    pub conflict: i64,
    /// Not let in, with reasons.
    pub rejected: i64,
    /// Nothing to do: older than what is here, or withdrawn before it was ever known.
    pub skipped: i64,
    /// Here, and not listed any more (full syncs); not part of `read`.
    #[serde(default)]
    pub missing: i64,
    /// Of these, those that were withdrawn for it.
    #[serde(default)]
    pub deactivated: i64,
    /// Of what was read, that which had changed since the provider said how many there are. It may not have been among
    /// them, or may have been read before it changed: `read` may exceed `expected` by as many.
    #[serde(default)]
    pub late: i64,
}

/// A sync, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncSummary {
    /// The sync.
    pub sync_id: Uuid,
    /// Why it ran.
    pub cause: Cause,
    /// How much it looked at.
    pub mode: Mode,
    /// Where it stands.
    pub state: SyncState,
    /// 0 before the first phase, 1 companies and vessels, 2 equipment and users.
    pub phase: i16,
    /// The operator, `scheduler`, or the webhook's id.
    pub requested_by: String,
    /// What the operator gave as reason.
    pub reason: Option<String>,
    /// It writes nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// What it looks at, as it is recorded; empty: everything.
    #[schema(value_type = Object)]
    #[serde(default)]
    pub scope: serde_json::Value,
    /// The sync whose failures it tries again.
    #[serde(default)]
    pub retry_of: Option<Uuid>,
    /// What it waits for, if it does not move.
    #[serde(default)]
    pub detail: Option<String>,
    /// What became of records that are not listed any more; `asks`: an operator has to say.
    #[serde(default)]
    pub missing_records: Option<MissingState>,
    /// When it was asked for.
    pub started_at: DateTime<Utc>,
    /// When a worker began.
    pub running_at: Option<DateTime<Utc>>,
    /// Last sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why it failed, or what is missing.
    pub failure: Option<String>,
    /// Who stopped it.
    pub cancelled_by: Option<String>,
    /// The tally, per kind of record.
    pub counts: Vec<RecordCounts>,
}

/// A sync, whole: `GET /api/sync/status/{syncId}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: SyncSummary,
    /// Its tasks by state.
    pub tasks: TaskCounts,
    /// How many findings there are; read them at `/api/sync/syncs/{syncId}/findings`.
    pub findings: i64,
    /// Failed attempts, newest first, at most 50.
    pub attempts: Vec<Attempt>,
}

/// Tasks of a sync by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskCounts {
    /// Waiting or at work.
    pub pending: i64,
    /// Waiting for the next attempt.
    pub retrying: i64,
    /// Done.
    pub done: i64,
    /// Given up; their messages are dead letters.
    pub dead: i64,
    /// Stopped with their sync.
    pub cancelled: i64,
}

/// One attempt that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The task, sync or webhook event.
    pub message_id: String,
    /// From 1.
    pub number: i32,
    /// Whether a retry can help.
    pub class: FailureClass,
    /// What went wrong.
    pub failure: String,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// When it is tried again; absent: it went to the dead letters.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

words! {
    /// Whether a finding rejects its record.
    Severity = domain::Severity {
        /// The record was rejected.
        Error = "error",
        /// The record was let in, and an operator should look.
        Warning = "warning",
    }
}

/// Why a record was rejected, or what is odd about one that was let in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Kind of record.
    pub record_type: RecordType,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// Whether the record was rejected.
    pub severity: Severity,
    /// Stable word for the rule.
    pub code: String,
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// The rule, in words.
    pub message: String,
    /// The offending value; persons' data masked.
    pub value: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// Newest first.
    pub data: Vec<T>,
    /// Where the page stands.
    pub pagination: Pagination,
}

/// Where a page of a list stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// Entries asked for.
    pub limit: i64,
    /// Entries passed over.
    pub offset: i64,
    /// Entries in all.
    pub total: i64,
}

/// The state of the whole: `GET /api/sync/status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Syncs that have not ended.
    pub running: Vec<SyncSummary>,
    /// The last full sync that ended.
    pub last_full_sync: Option<SyncSummary>,
    /// The next tick of the schedule, if it is on.
    pub next_scheduled_at: Option<DateTime<Utc>>,
    /// Records in the maintenance portal, withdrawn ones left out.
    pub fleet: Vec<FleetCount>,
    /// Dead letters that wait for a person.
    pub dead_letters: i64,
    /// Committed messages that the broker has not confirmed yet.
    pub unpublished: i64,
    /// The last webhook that was accepted.
    pub last_webhook_at: Option<DateTime<Utc>>,
    /// The parts: `database`, `broker`.
    pub health: Vec<PartHealth>,
}

/// How many records of a kind the maintenance portal has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FleetCount {
    /// Kind of record.
    pub record_type: RecordType,
    /// Rows that are not withdrawn.
    pub active: i64,
}

/// Whether a part of the system answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartHealth {
    /// `database`, `broker`.
    pub name: String,
    /// It answers.
    pub ok: bool,
    /// What is wrong, in words.
    pub detail: Option<String>,
}

/// `GET /api/sync/settings`. The `ETag` is the version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Grows with every change.
    pub version: i64,
    /// The schedule is on.
    pub enable_scheduled_sync: bool,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub schedule_cron: String,
    /// IANA zone in which the cron expression is meant.
    pub schedule_time_zone: String,
    /// Records per page asked of the onboarding portal.
    pub page_size: i32,
    /// Waits before the second, third and fourth attempt, in milliseconds.
    pub retry_delays_ms: Vec<i32>,
    /// How far before the last complete sync an incremental one begins, in seconds.
    #[serde(default)]
    pub incremental_overlap_seconds: i32,
    /// What the schedule starts: `full` or `incremental`.
    pub schedule_mode: Mode,
    /// What a full sync does with records that are not listed any more.
    pub missing_records: MissingPolicy,
    /// Of the active records of a type, in percent; beyond it an operator is asked.
    #[serde(default)]
    pub deactivation_limit_percent: i32,
    /// The expression in words, and its next times.
    pub schedule: SchedulePreview,
    /// Last change.
    pub updated_at: DateTime<Utc>,
    /// By whom.
    pub updated_by: String,
}

/// Body of `POST /api/sync/settings`: what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SettingsChange {
    /// The schedule on or off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_scheduled_sync: Option<bool>,
    /// Five fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_cron: Option<String>,
    /// IANA zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_time_zone: Option<String>,
    /// 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_size: Option<i32>,
    /// Three waits, each above zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_delays_ms: Option<Vec<i32>>,
    /// 0 to 604800.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incremental_overlap_seconds: Option<i32>,
    /// `full` or `incremental`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_mode: Option<Mode>,
    /// `keep` or `deactivate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_records: Option<MissingPolicy>,
    /// 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivation_limit_percent: Option<i32>,
}

/// What a cron expression means: `GET /api/sync/schedule/preview?cron&timeZone`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePreview {
    /// In words.
    pub description: String,
    /// The next five times; fewer if there are no more.
    pub next_runs: Vec<DateTime<Utc>>,
}

/// `GET /api/sync/test-connection`: the way to the onboarding portal, step by step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTest {
    /// Every step went well.
    pub ok: bool,
    /// The address that was tried.
    pub url: String,
    /// In order; after a failed step the rest is not tried.
    pub steps: Vec<ConnectionStep>,
}

/// One step of a connection test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionStep {
    /// What was tried.
    pub name: String,
    /// It went well.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
    /// What to do about a failure.
    pub hint: Option<String>,
    /// How long it took, in milliseconds.
    pub latency_ms: i64,
}

words! {
    /// Where a dead letter stands.
    DeadLetterState = domain::dead_letter::DeadLetterState {
        /// It waits for an operator.
        Dead = "dead",
        /// A replay was asked for and is not in its queue yet.
        Replaying = "replaying",
        /// It is in its queue again.
        Replayed = "replayed",
        /// Its replay took effect.
        Succeeded = "succeeded",
    }
}

/// A dead letter, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The dead letter.
    pub id: Uuid,
    /// Id of the message that died.
    pub message_id: String,
    /// Where it died, and where a replay goes.
    pub queue: String,
    /// Kind of message.
    pub kind: String,
    /// Why it was given up.
    pub class: FailureClass,
    /// Why it died.
    pub reason: String,
    /// The same for deaths of one cause.
    pub fingerprint: String,
    /// How often it was tried.
    pub attempts: i32,
    /// The sync it belongs to.
    pub sync_id: Option<Uuid>,
    /// When it died.
    pub died_at: DateTime<Utc>,
    /// Where it stands.
    pub state: DeadLetterState,
    /// How often it was replayed.
    pub replays: i32,
    /// The dead letter whose replay died as this one.
    pub replay_of: Option<Uuid>,
    /// Who replayed it last.
    pub replayed_by: Option<String>,
    /// When.
    pub replayed_at: Option<DateTime<Utc>>,
    /// Trace of the attempt that gave up.
    pub trace_id: Option<String>,
}

/// A dead letter, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: DeadLetter,
    /// The message, if it is text.
    pub body: Option<String>,
    /// The message in base64, if it is not.
    pub body_base64: Option<String>,
    /// AMQP headers.
    #[schema(value_type = Object)]
    pub headers: serde_json::Value,
    /// Every attempt at the message, newest first.
    pub attempts_made: Vec<Attempt>,
}

domain::vocabulary::vocabulary! {
    /// What an operator may do; each role includes the one before.
    #[derive(ToSchema)]
    OperatorRole {
        /// Reads, with personal data masked.
        Viewer = "viewer",
        /// Starts, stops and repairs.
        Operator = "operator",
        /// Changes settings and rights, and reads personal data.
        Admin = "admin",
    }
}

/// `GET /api/sync/me`: who the token says one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// The operator's name.
    pub subject: String,
    /// What the operator may do.
    pub role: OperatorRole,
}

/// `POST /api/sync/users/{userId}/temporary-password`: the one reveal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemporaryPassword {
    /// Shown now and never again; must be changed at the first sign-in.
    pub password: String,
    /// Not accepted after this time.
    pub expires_at: DateTime<Utc>,
}

/// Data of the SSE events `sync.started`, `sync.progress`, `sync.phase`, `sync.completed`, `sync.failed` and
/// `sync.cancelled`: the state of a sync, whole, so that a reader that missed some needs only the newest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncNotice {
    /// The sync.
    pub sync_id: Uuid,
    /// Where it stands.
    pub state: SyncState,
    /// Why it ran.
    pub cause: Cause,
    /// How much it looks at.
    pub mode: Mode,
    /// 0 before the first phase, 1 companies and vessels, 2 equipment and users.
    pub phase: i16,
    /// The tally so far.
    pub counts: Vec<RecordCounts>,
    /// Why it failed, or what it waits for.
    pub detail: Option<String>,
    /// When this was so.
    pub occurred_at: DateTime<Utc>,
}

/// Data of the SSE events `deadletter.added` and `deadletter.replayed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterNotice {
    /// The dead letter.
    pub dead_letter_id: Uuid,
    /// Where it died.
    pub queue: String,
    /// Where it stands.
    pub state: DeadLetterState,
    /// Why it died.
    pub reason: String,
    /// When this was so.
    pub occurred_at: DateTime<Utc>,
}

/// Data of the SSE event `webhook.received`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookNotice {
    /// Our id of the event.
    pub webhook_event_id: Uuid,
    /// As the sender wrote it: `vessel.approved`.
    pub event_type: String,
    /// Kind of record; absent: ignored.
    pub record_type: Option<RecordType>,
    /// Id in the onboarding portal.
    pub source_id: String,
    /// Where it stands.
    pub state: WebhookState,
    /// When this was so.
    pub occurred_at: DateTime<Utc>,
}

/// Data of the SSE event `schedule.changed`: settings have a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsNotice {
    /// The version.
    pub version: i64,
    /// When this was so.
    pub occurred_at: DateTime<Utc>,
}
