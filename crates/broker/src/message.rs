//! Messages to be sent: as callers hand them over, and as AMQP carries them.

use std::{borrow::Cow, collections::BTreeMap};

use lapin::BasicProperties;

use crate::{
    Queue,
    headers::{ATTEMPT_HEADER, REPLAY_COUNT_HEADER, REPLAY_OF_HEADER, integer_to_value, text_to_value},
    topology, trace_context,
};

/// A message to a work queue.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingMessage {
    pub queue: Queue,
    /// Id of the row behind the message; the same over retries and replays.
    pub message_id: String,
    /// Full name of the proto message; the AMQP `type`.
    pub kind: String,
    /// ProtoJSON.
    pub body: Vec<u8>,
    /// Id of the sync that the message belongs to.
    pub correlation_id: Option<String>,
    /// `traceparent`, `tracestate`.
    pub trace_context: BTreeMap<String, String>,
    /// Number of the attempt that the message is for, from 1.
    pub attempt: u32,
    pub replay: Option<Replay>,
}

/// Origin of a replayed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Id of the dead letter.
    pub of: String,
    /// How often the dead letter was replayed, this time included.
    pub count: u32,
}

/// A message with its AMQP properties and where it goes.
pub(crate) struct AmqpMessage<'m> {
    pub(crate) exchange: &'m str,
    pub(crate) routing_key: &'m str,
    pub(crate) body: Cow<'m, [u8]>,
    pub(crate) properties: BasicProperties,
    /// Messages inside of this one: more than 1 in a bundle.
    pub(crate) message_count: usize,
}

impl OutgoingMessage {
    pub(crate) fn to_amqp(&self) -> AmqpMessage<'_> {
        let mut headers = trace_context::to_headers(&self.trace_context);
        if let Some(Replay { of, count }) = &self.replay {
            headers.insert(REPLAY_OF_HEADER.into(), text_to_value(of));
            headers.insert(REPLAY_COUNT_HEADER.into(), integer_to_value(*count));
        }
        if self.attempt > 1 {
            headers.insert(ATTEMPT_HEADER.into(), integer_to_value(self.attempt));
        }
        let mut properties = persistent_properties(&self.kind, &self.message_id).with_headers(headers);
        if let Some(sync_id) = &self.correlation_id {
            properties = properties.with_correlation_id(sync_id.as_str().into());
        }
        AmqpMessage {
            exchange: topology::WORK_EXCHANGE,
            routing_key: self.queue.name(),
            body: (&self.body).into(),
            properties,
            message_count: 1,
        }
    }
}

/// The properties that all our messages share. Delivery mode 2: the broker writes the message to disk.
pub(crate) fn persistent_properties(kind: &str, message_id: &str) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_type(kind.into())
        .with_message_id(message_id.into())
        .with_app_id("sms-sync".into())
}
