//! A message that arrived, and the four dispositions that settle it.

use std::time::Duration;

use contracts::messages::{DecodeError, Message};
use domain::FailureClass;
use lapin::{BasicProperties, types::ShortString};

use crate::{
    OutgoingMessage, Queue, Replay,
    headers::{
        ATTEMPT_HEADER, DELIVERY_COUNT_HEADER, REPLAY_COUNT_HEADER, REPLAY_OF_HEADER, integer_header,
        text_header,
    },
};

/// A message that arrived.
#[derive(Debug)]
pub struct Delivery {
    /// Id of the row behind the message; empty if the message has none.
    pub message_id: String,
    /// The AMQP `type`; empty if the message has none.
    pub kind: String,
    pub body: Vec<u8>,
    /// Number of this attempt, from 1. Redeliveries after a crash do not count as attempts.
    pub attempt: u32,
    /// Id of the dead letter that this message is a replay of.
    pub replay_of: Option<String>,
    /// How often that was replayed, this time included.
    pub replay_count: u32,
    /// How often the message was requeued because its consumer gave no disposition, as the broker counts.
    pub(crate) redeliveries: u32,
    pub(crate) properties: BasicProperties,
}

impl Delivery {
    pub(crate) fn new(properties: BasicProperties, body: Vec<u8>) -> Self {
        let text = |text: &Option<ShortString>| text.as_ref().map(|t| t.to_string()).unwrap_or_default();
        Self {
            message_id: text(properties.message_id()),
            kind: text(properties.kind()),
            attempt: integer_header(&properties, ATTEMPT_HEADER).unwrap_or(1).max(1),
            replay_of: text_header(&properties, REPLAY_OF_HEADER),
            replay_count: integer_header(&properties, REPLAY_COUNT_HEADER).unwrap_or(0),
            redeliveries: integer_header(&properties, DELIVERY_COUNT_HEADER).unwrap_or(0),
            body,
            properties,
        }
    }

    /// The message that comes again as `attempt`, the same in everything else.
    #[must_use]
    pub fn again(&self, queue: Queue, attempt: u32) -> OutgoingMessage {
        OutgoingMessage {
            queue,
            message_id: self.message_id.clone(),
            kind: self.kind.clone(),
            body: self.body.clone(),
            correlation_id: self.properties.correlation_id().as_ref().map(|id| id.to_string()),
            trace_context: ["traceparent", "tracestate"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), text_header(&self.properties, name)?)))
                .collect(),
            attempt,
            replay: self.replay_of.clone().map(|of| Replay { of, count: self.replay_count }),
        }
    }

    /// Decodes the body.
    ///
    /// # Errors
    ///
    /// If the message is of another kind or malformed. That is data to be rejected, and no reason to stop.
    pub fn decode<M: Message>(&self) -> Result<M, DecodeError> {
        M::decode(&self.kind, &self.body)
    }
}

/// How a delivery is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// The effect is committed: the message is acknowledged.
    Done,
    /// The message is delivered again after `wait`, through a delay queue, and has used an attempt.
    Retry {
        /// Index of the delay queue, from 0.
        tier: usize,
        /// With its jitter.
        wait: Duration,
    },
    /// The message becomes a dead letter.
    Reject {
        class: FailureClass,
        /// In words, for operators.
        reason: String,
    },
    /// The message is delivered again after this time, through the shortest delay queue, without having used an attempt: for
    /// failures that the message did not cause.
    Snooze(Duration),
}

impl From<DecodeError> for Disposition {
    fn from(error: DecodeError) -> Self {
        let mut reason = error.to_string();
        if let Some(source) = std::error::Error::source(&error) {
            reason = format!("{reason}: {source}");
        }
        Self::Reject { class: FailureClass::Permanent, reason }
    }
}
