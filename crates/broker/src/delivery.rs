//! A message that arrived, and the four words that settle it.

use std::time::Duration;

use contracts::messages::{DecodeError, Message};
use domain::FailureClass;
use lapin::{BasicProperties, types::AMQPValue};

use crate::publisher::{ATTEMPT_HEADER, REPLAY_OF_HEADER};

/// A header of quorum queues; absent on the first delivery.
const RETURNS_HEADER: &str = "x-delivery-count";

/// A message that arrived.
#[derive(Debug)]
pub struct Delivery {
    /// Id of the row behind it; empty if the message has none.
    pub message_id: String,
    /// The AMQP `type`; empty if the message has none.
    pub kind: String,
    /// As it came.
    pub body: Vec<u8>,
    /// Which attempt this is, from 1. Redeliveries after a crash are not counted here.
    pub attempt: u32,
    /// The dead letter that it is a replay of.
    pub replay_of: Option<String>,
    /// How often it came back because its consumer gave no disposition, as the broker counts.
    pub(crate) returns: u32,
    pub(crate) properties: BasicProperties,
}

impl Delivery {
    pub(crate) fn new(properties: BasicProperties, body: Vec<u8>) -> Self {
        let text = |text: &Option<lapin::types::ShortString>| {
            text.as_ref().map(|t| t.to_string()).unwrap_or_default()
        };
        Self {
            message_id: text(properties.message_id()),
            kind: text(properties.kind()),
            attempt: header_number(&properties, ATTEMPT_HEADER).unwrap_or(1).max(1),
            replay_of: header_text(&properties, REPLAY_OF_HEADER),
            returns: header_number(&properties, RETURNS_HEADER).unwrap_or(0),
            body,
            properties,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is of another kind, or garbage. That is data, to be rejected, and no reason to stop.
    pub fn decode<M: Message>(&self) -> Result<M, DecodeError> {
        M::decode(&self.kind, &self.body)
    }
}

/// What is to become of a delivery: the only thing that can settle it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Its effect is committed: acknowledged.
    Done,
    /// Tried again after `wait` (scattered already), in a delay queue.
    Retry {
        /// Which delay queue, from 0.
        tier: usize,
        /// How long.
        wait: Duration,
    },
    /// Given up: a dead letter.
    Reject {
        /// Kind of failure.
        class: FailureClass,
        /// In words.
        reason: String,
    },
    /// Not now, through no fault of its own: comes back after `0` without having used an attempt.
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

pub(crate) fn header_text(properties: &BasicProperties, name: &str) -> Option<String> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// A number, whatever width the broker or another client gave it.
pub(crate) fn header_number(properties: &BasicProperties, name: &str) -> Option<u32> {
    number(properties.headers().as_ref()?.inner().get(name)?)?.try_into().ok()
}

pub(crate) fn number(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::ShortShortInt(n) => Some(n.into()),
        AMQPValue::ShortShortUInt(n) => Some(n.into()),
        AMQPValue::ShortInt(n) => Some(n.into()),
        AMQPValue::ShortUInt(n) => Some(n.into()),
        AMQPValue::LongInt(n) => Some(n.into()),
        AMQPValue::LongUInt(n) => Some(n.into()),
        AMQPValue::LongLongInt(n) => Some(n),
        _ => None,
    }
}
