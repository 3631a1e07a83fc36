//! AMQP headers: the names of ours, and reading their values.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};

/// Number of the attempt, from 1; absent on the first.
pub(crate) const ATTEMPT_HEADER: &str = "x-attempt";
/// Id of the dead letter that the message is a replay of.
pub(crate) const REPLAY_OF_HEADER: &str = "x-replay-of";
/// How often the message was replayed.
pub(crate) const REPLAY_COUNT_HEADER: &str = "x-replay-count";
/// Why a consumer of ours rejected the message: a [`DeadLetterEnvelope`](contracts::messages::DeadLetterEnvelope).
pub(crate) const DEATH_HEADER: &str = "x-sms-death";
/// Redeliveries as quorum queues count them; absent on the first delivery.
pub(crate) const DELIVERY_COUNT_HEADER: &str = "x-delivery-count";
/// Where a reader of a stream begins, and the offset of each message that it gets.
pub(crate) const STREAM_OFFSET_HEADER: &str = "x-stream-offset";

pub(crate) fn text_header(properties: &BasicProperties, name: &str) -> Option<String> {
    match properties.headers().as_ref()?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

/// An integer of any width: the broker and other clients choose different ones.
pub(crate) fn integer_header<N: TryFrom<i64>>(properties: &BasicProperties, name: &str) -> Option<N> {
    integer_value(properties.headers().as_ref()?.inner().get(name)?)?.try_into().ok()
}

fn integer_value(value: &AMQPValue) -> Option<i64> {
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

/// A count as a header; one that is too large becomes the largest.
pub(crate) fn integer_to_value(count: u32) -> AMQPValue {
    AMQPValue::LongInt(count.try_into().unwrap_or(i32::MAX))
}

pub(crate) fn text_to_value(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

pub(crate) fn table_to_json(table: &FieldTable) -> serde_json::Map<String, serde_json::Value> {
    table.inner().iter().map(|(key, value)| (key.to_string(), value_to_json(value))).collect()
}

fn value_to_json(value: &AMQPValue) -> serde_json::Value {
    match value {
        AMQPValue::LongString(text) => text.to_string().into(),
        AMQPValue::ShortString(text) => text.to_string().into(),
        AMQPValue::Boolean(truth) => (*truth).into(),
        AMQPValue::FieldTable(table) => table_to_json(table).into(),
        AMQPValue::FieldArray(values) => {
            values.as_slice().iter().map(value_to_json).collect::<Vec<_>>().into()
        }
        AMQPValue::Timestamp(seconds) => (*seconds).into(),
        other => integer_value(other).into(),
    }
}
