//! Webhooks as operators see them: the events that were taken, and the requests that were refused.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Attempt, RecordType};

words! {
    /// Where a webhook event stands.
    WebhookState = domain::WebhookState {
        /// Recorded, and not yet confirmed by the broker.
        Received = "received",
        /// Confirmed by the broker.
        Published = "published",
        /// Its effect is committed.
        Processed = "processed",
        /// Given up; a dead letter keeps its message.
        Failed = "failed",
        /// Of a type that needs nothing.
        Ignored = "ignored",
    }
}
words! {
    /// Why a request to the webhook endpoint was refused.
    WebhookRefusal = domain::WebhookRefusal {
        /// Not a POST.
        UnsupportedMethod = "unsupported_method",
        /// Not JSON by its content type.
        UnsupportedContentType = "unsupported_content_type",
        /// Larger than a webhook may be.
        PayloadTooLarge = "payload_too_large",
        /// The body broke off, or took too long.
        UnreadableBody = "unreadable_body",
        /// A header that a signed webhook has is absent or not text.
        MissingSignature = "missing_signature",
        /// The id is empty, too long, or holds a dot.
        MalformedId = "malformed_id",
        /// The timestamp is no number of Unix seconds.
        MalformedTimestamp = "malformed_timestamp",
        /// Too old, or from the future: a replay, or a clock that is wrong.
        TimestampOutOfTolerance = "timestamp_out_of_tolerance",
        /// Signatures, but of no version that is known here.
        NoUsableSignature = "no_usable_signature",
        /// Changed on the way, or signed with another secret.
        VerificationFailed = "verification_failed",
        /// Signed, and no JSON.
        UnparsableJson = "unparsable_json",
        /// Signed, and not the JSON that a webhook is.
        SchemaInvalid = "schema_invalid",
        /// Its source sends too many.
        RateLimited = "rate_limited",
        /// More wait to be recorded than may.
        Overloaded = "overloaded",
        /// The database did not take it.
        NotRecorded = "not_recorded",
    }
}

/// A webhook event, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookEvent {
    /// Our id of the event, and the id of its message.
    pub id: Uuid,
    /// The sender's `webhook-id`.
    pub webhook_id: String,
    /// As the sender wrote it: `vessel.approved`.
    pub event_type: String,
    /// Kind of record; absent: ignored.
    pub record_type: Option<RecordType>,
    /// The record's id in the onboarding portal.
    pub source_id: Option<String>,
    /// When it happened, by the sender.
    pub occurred_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub state: WebhookState,
    /// How often it came again.
    pub duplicates: i32,
    /// The sync that came of it.
    pub sync_id: Option<Uuid>,
    /// Why it failed last.
    pub last_failure: Option<String>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// When the broker confirmed it.
    pub published_at: Option<DateTime<Utc>>,
    /// When its effect was committed.
    pub processed_at: Option<DateTime<Utc>>,
    /// Name of the secret that it was signed with.
    pub key_name: String,
}

/// A webhook event, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookEventDetail {
    /// What lists show.
    #[serde(flatten)]
    pub summary: WebhookEvent,
    /// Length of the body, which `/api/sync/webhooks/{id}/raw-body` gives.
    pub body_bytes: i64,
    /// Every failed attempt at it, newest first.
    pub attempts_made: Vec<Attempt>,
}

/// Which webhook events, for what is done to many at once; what is absent does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookEventFilter {
    /// In one of these states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<WebhookState>,
    /// Of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// About this kind of record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_type: Option<RecordType>,
    /// About this record of the onboarding portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Received at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Received before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// Which webhook events to process again: exactly one of `ids` and `filter`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReprocessRequest {
    /// These.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// All of these. Count them first with `/api/sync/bulk/reprocess/plan`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<WebhookEventFilter>,
    /// Why; kept in the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a request to reprocess would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReprocessPlan {
    /// Events that would be processed again. Those that are ignored, or on their way already, are not among them.
    pub matching: i64,
    /// Most that one request takes, the oldest first; more come with the next.
    pub at_most: i64,
}

/// Answer to a request to reprocess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReprocessAccepted {
    /// Events that are published again; each makes a new sync.
    pub reprocessing: i64,
}

/// A request to the webhook endpoint that was refused. A sample: where many are refused for one reason, few have an
/// entry. Neither body nor signature is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedWebhook {
    /// Its id.
    pub id: Uuid,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// Why it was refused.
    pub reason: WebhookRefusal,
    /// The HTTP status it was answered with.
    pub status: i32,
    /// The same, for people.
    pub detail: String,
    /// Address of the sender.
    pub source: String,
    /// The `webhook-id` it claimed.
    pub webhook_id: Option<String>,
    /// Its content type.
    pub content_type: Option<String>,
    /// What it said of itself.
    pub user_agent: Option<String>,
    /// Length of the body; absent: it was not read.
    pub body_bytes: Option<i64>,
    /// SHA-256 of the body, in hexadecimal.
    pub body_sha256: Option<String>,
    /// Requests refused for the same reason since the entry before that have no entry of their own.
    pub alike: i64,
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
