//! Webhook events, their reprocessing, and refused requests.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Attempt, RecordType};

words! {
    /// State of a webhook event.
    WebhookState = domain::WebhookState {
        /// The event is recorded; the broker has not confirmed its message.
        Received = "received",
        /// The broker has confirmed the message.
        Published = "published",
        /// The record was synced.
        Processed = "processed",
        /// The event failed for good; its message is a dead letter.
        Failed = "failed",
        /// The type of the event needs no sync.
        Ignored = "ignored",
    }
}
words! {
    /// Why a request to the webhook endpoint was refused.
    WebhookRefusal = domain::WebhookRefusal {
        /// The method is not POST.
        UnsupportedMethod = "unsupported_method",
        /// The content type is not JSON.
        UnsupportedContentType = "unsupported_content_type",
        /// The body is larger than the limit.
        PayloadTooLarge = "payload_too_large",
        /// The body ended early, or took too long.
        UnreadableBody = "unreadable_body",
        /// A header of the signature is absent, or is not text.
        MissingSignature = "missing_signature",
        /// The id is empty, too long, or holds a dot.
        MalformedId = "malformed_id",
        /// The timestamp is not a number of Unix seconds.
        MalformedTimestamp = "malformed_timestamp",
        /// The timestamp is too old or in the future: a replayed request, or a wrong clock.
        TimestampOutOfTolerance = "timestamp_out_of_tolerance",
        /// No signature has a supported version.
        NoUsableSignature = "no_usable_signature",
        /// No signature matches: the body was changed, or signed with another secret.
        VerificationFailed = "verification_failed",
        /// Signed, under the id of an earlier webhook with another body.
        IdReused = "id_reused",
        /// The signature matches; the body is not JSON.
        UnparsableJson = "unparsable_json",
        /// The signature matches; the body is not the JSON of a webhook.
        SchemaInvalid = "schema_invalid",
        /// The sender exceeds the rate limit.
        RateLimited = "rate_limited",
        /// Too many webhooks wait to be recorded.
        Overloaded = "overloaded",
        /// The database did not record the webhook.
        NotRecorded = "not_recorded",
    }
}

/// A webhook event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookEvent {
    /// Id of the event, and of its message.
    pub id: Uuid,
    /// Value of the header `webhook-id`.
    pub webhook_id: String,
    /// Type of the event, such as `vessel.approved`.
    pub event_type: String,
    /// Type of the record; absent for an ignored event.
    pub record_type: Option<RecordType>,
    /// Id of the record in the onboarding portal.
    pub source_id: Option<String>,
    /// When the event happened, as the sender says.
    pub occurred_at: Option<DateTime<Utc>>,
    /// State of the event.
    pub state: WebhookState,
    /// How often the sender repeated the webhook.
    pub duplicates: i32,
    /// Sync that the event started.
    pub sync_id: Option<Uuid>,
    /// Reason of the last failure.
    pub last_failure: Option<String>,
    /// When the webhook was received.
    pub received_at: DateTime<Utc>,
    /// When the broker confirmed the message.
    pub published_at: Option<DateTime<Utc>>,
    /// When the record was synced.
    pub processed_at: Option<DateTime<Utc>>,
    /// Name of the secret that signed the webhook.
    pub key_name: String,
}

/// A webhook event with its attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookEventDetail {
    /// The event as in lists.
    #[serde(flatten)]
    pub summary: WebhookEvent,
    /// Length of the body in bytes; the body is at `/api/sync/webhooks/{id}/raw-body`.
    pub body_bytes: i64,
    /// Failed attempts, newest first, at most 50.
    pub attempts_made: Vec<Attempt>,
}

/// Filter of webhook events; a field that is absent does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookEventFilter {
    /// Only events in one of these states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<WebhookState>,
    /// Only events of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Only events about records of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_type: Option<RecordType>,
    /// Only events about the record with this id in the onboarding portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<String>,
    /// Only events received at this time or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Only events received before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
}

/// Selects webhook events by exactly one of `ids` and `filter`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReprocessRequest {
    /// Ids of the events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Uuid>,
    /// All events that match. `/api/sync/bulk/reprocess/plan` counts them first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<WebhookEventFilter>,
    /// Reason, kept in the audit log; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Number of webhook events that a request would reprocess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReprocessPlan {
    /// Number of events that can be reprocessed: neither ignored, nor waiting to be processed.
    pub matching: i64,
    /// Most events that one request reprocesses, oldest first.
    pub at_most: i64,
}

/// Answer to a request to reprocess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReprocessAccepted {
    /// Number of events that are published again; each starts a new sync.
    pub reprocessing: i64,
}

/// A refused request to the webhook endpoint. The log is a sample: of many requests refused for the same reason, only
/// some have an entry. Body and signature are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedWebhook {
    /// Id of the entry.
    pub id: Uuid,
    /// When the request was received.
    pub received_at: DateTime<Utc>,
    /// Why the request was refused.
    pub reason: WebhookRefusal,
    /// HTTP status of the answer.
    pub status: i32,
    /// Why the request was refused, for people.
    pub detail: String,
    /// IP address of the sender.
    pub source: String,
    /// Value of the header `webhook-id`.
    pub webhook_id: Option<String>,
    /// Value of the header `Content-Type`.
    pub content_type: Option<String>,
    /// Value of the header `User-Agent`.
    pub user_agent: Option<String>,
    /// Length of the body in bytes; absent if the body was not read.
    pub body_bytes: Option<i64>,
    /// SHA-256 of the body, in hexadecimal.
    pub body_sha256: Option<String>,
    /// Number of requests refused for the same reason since the previous entry that have no entry of their own.
    pub alike: i64,
}

/// Data of the SSE event `webhook.processed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookNotice {
    /// Id of the event.
    pub webhook_event_id: Uuid,
    /// Type of the event, such as `vessel.approved`.
    pub event_type: String,
    /// Type of the record; absent for an ignored event.
    pub record_type: Option<RecordType>,
    /// Id of the record in the onboarding portal.
    pub source_id: String,
    /// State of the event.
    pub state: WebhookState,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
}
