//! Dead letters.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Attempt, FailureClass, RecordType};

words! {
    /// State of a dead letter.
    DeadLetterState = domain::dead_letter::DeadLetterState {
        /// The dead letter waits for an operator.
        Dead = "dead",
        /// A replay was requested; its message is not published yet.
        Replaying = "replaying",
        /// The message was published to its queue again.
        Replayed = "replayed",
        /// The replayed message was processed.
        Succeeded = "succeeded",
    }
}

/// A dead letter: a message that failed for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// Id of the dead letter.
    pub id: Uuid,
    /// Id of the message.
    pub message_id: String,
    /// Queue from which the message came, and to which a replay publishes it.
    pub queue: String,
    /// Kind of the message.
    pub kind: String,
    /// Failure class.
    pub class: FailureClass,
    /// Reason of the last failure.
    pub reason: String,
    /// Fingerprint of the cause: dead letters with the same cause have the same one.
    pub fingerprint: String,
    /// Type of the record that the message was about; of a page of a list, that of the list.
    pub record_type: Option<RecordType>,
    /// Id, in the onboarding portal, of the record that the message was about. Absent of messages about no single record.
    pub source_id: Option<String>,
    /// Number of attempts.
    pub attempts: i32,
    /// Sync of the message.
    pub sync_id: Option<Uuid>,
    /// When the last attempt failed.
    pub died_at: DateTime<Utc>,
    /// State of the dead letter.
    pub state: DeadLetterState,
    /// Number of replays.
    pub replays: i32,
    /// Dead letter whose replay failed and became this one.
    pub replay_of: Option<Uuid>,
    /// Operator of the last replay.
    pub replayed_by: Option<String>,
    /// When the last replay was requested.
    pub replayed_at: Option<DateTime<Utc>>,
    /// Trace of the last attempt.
    pub trace_id: Option<String>,
}

/// A dead letter with its message and attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterDetail {
    /// The dead letter as in lists.
    #[serde(flatten)]
    pub summary: DeadLetter,
    /// Body of the message, if it is UTF-8 text.
    pub body: Option<String>,
    /// Body of the message in base64, if it is no UTF-8 text.
    pub body_base64: Option<String>,
    /// AMQP headers of the message.
    #[schema(value_type = Object)]
    pub headers: serde_json::Value,
    /// Failed attempts, newest first, at most 50.
    pub attempts_made: Vec<Attempt>,
}

/// Data of the SSE events `deadletter.added` and `deadletter.replayed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterNotice {
    /// Id of the dead letter.
    pub dead_letter_id: Uuid,
    /// Queue of the message; empty in `deadletter.replayed`.
    pub queue: String,
    /// State of the dead letter.
    pub state: DeadLetterState,
    /// Reason of the last failure; empty in `deadletter.replayed`.
    pub reason: String,
    /// Time of the event.
    pub occurred_at: DateTime<Utc>,
}
