//! Requests and answers of the operator API (port 3005). The doc texts become the descriptions of its OpenAPI document.
//!
//! JSON is camelCase, times are RFC 3339 in UTC. A request with an unknown field is refused: a misspelt setting must not
//! look like a successful change.

pub use acknowledgements::{Acknowledgement, AcknowledgementRequest, StandingError};
pub use analytics::*;
pub use api_keys::{ApiKey, ApiKeyRequest, ApiKeyRotation, ApiKeyState, NewApiKey};
pub use audit::{AuditAction, AuditChain, AuditEntry};
pub use changes::*;
pub use configuration::*;
pub use conflicts::{
    Conflict, ConflictField, ConflictKind, ConflictNotice, ConflictPolicies, ConflictPoliciesChange,
    ConflictPolicy, ConflictState, ConflictWithdrawal, Resolution, ResolutionError, ResolutionRefused,
    ResolveManyRequest, ResolveRequest, ResolvedMany, Side, Undo, UndoResult, UndoSkipReason, UndoneRecord,
    Withdrawn, Writer,
};
pub use connection::{ConnectionStep, ConnectionTest};
pub use dead_letters::{DeadLetter, DeadLetterDetail, DeadLetterNotice, DeadLetterState};
pub use doctor::{Diagnosis, DoctorQuestion, DoctorReport};
pub use identity::{Identity, IdentityScope, OperatorRole};
pub use overview::*;
pub use parts::{Part, PartKind};
pub use quality::{CodeCount, RecordQuality, ValidationReport, VesselIdentity};
pub use reconcile::*;
pub use records::{
    DependentCounts, KeptSince, Record, RecordDetail, RecordStanding, RecordStatusFilter, RowStatus,
    Timeline, TimelineEntry, TimelineKind,
};
pub use replay::*;
pub use schedules::*;
pub use search::{HitKind, MatchedField, SearchGroup, SearchHit, SearchResult};
use serde::{Deserialize, Serialize};
pub use settings::{Settings, SettingsChange, SettingsNotice};
pub use sync_control::*;
pub use syncs::{
    Attempt, Cause, Finding, Mode, RecordCounts, Severity, SyncAccepted, SyncDetail, SyncNotice, SyncState,
    SyncSummary, Task, TaskCounts, TaskState, TriggerRequest, UpdateName,
};
pub use tokens::{TokenRevocation, TokenRevocationRequest};
pub use users::{
    LockReason, PasswordState, Permission, PortalRole, RoleChange, RoleMapping, RoleMappingChange,
    RoleMappingEffect, RoleRule, TemporaryPassword, TemporaryPasswordReissue, User, Workplace,
};
use utoipa::ToSchema;
pub use vessels::VesselState;
pub use webhooks::*;

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

mod acknowledgements;
mod analytics;
mod api_keys;
mod audit;
mod changes;
mod configuration;
mod conflicts;
mod connection;
mod dead_letters;
mod doctor;
mod identity;
mod overview;
mod parts;
mod quality;
mod reconcile;
mod records;
mod replay;
mod schedules;
mod search;
mod settings;
mod sync_control;
mod syncs;
mod tokens;
mod users;
mod vessels;
mod webhooks;

domain::vocabulary::vocabulary! {
    /// The order of a list by time.
    #[derive(ToSchema)]
    Sort {
        /// The newest entries come first.
        Newest = "newest",
        /// The oldest entries come first.
        Oldest = "oldest",
    }
}

words! {
    /// Record type. Each has a tally of its own.
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

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// Entries of the page.
    pub data: Vec<T>,
    /// Position of the page in the list.
    pub pagination: Pagination,
}

/// Position of a page in its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// Requested number of entries.
    pub limit: i64,
    /// Number of skipped entries.
    pub offset: i64,
    /// Number of entries in the whole list; of a long one, a number that it exceeds (`totalIsExact`).
    pub total: i64,
    /// Whether `total` is the number of entries. Lists of history are counted up to 10,000 entries: one that is longer has more than
    /// `total`.
    #[serde(default = "yes")]
    pub total_is_exact: bool,
    /// `cursor` of the next page, in lists that have one; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Of services before lists were counted up to a limit.
const fn yes() -> bool {
    true
}
