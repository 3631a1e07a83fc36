//! Dead letters.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Attempt, FailureClass};

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
