//! Bundles: several messages in one.
//!
//! The cost of a message to a quorum queue hardly depends on the size of its body. Messages that are published together to a
//! queue that takes bundles are therefore packed into bundles. Publishers and handlers see single messages: the publisher
//! returns a result for each, and the consumer settles each by itself. A message that is retried or rejected leaves its
//! bundle.

use std::borrow::Cow;

use contracts::messages::{BundledMessage, Message, MessageBundle};
use lapin::{
    BasicProperties,
    types::{FieldTable, ShortString},
};

use crate::{
    OutgoingMessage,
    headers::{REPLAY_COUNT_HEADER, REPLAY_OF_HEADER},
    message::{AmqpMessage, persistent_properties},
    trace_context,
};

/// Messages of a bundle, at most: few enough that several workers share a burst.
const BUNDLE_LIMIT: usize = 16;

/// The messages to send for a batch, in its order.
pub(crate) fn pack(batch: &[OutgoingMessage]) -> Vec<AmqpMessage<'_>> {
    let same_bundle = |one: &OutgoingMessage, next: &OutgoingMessage| {
        one.queue == next.queue && can_be_bundled(one) && can_be_bundled(next)
    };
    batch.chunk_by(same_bundle).flat_map(|messages| messages.chunks(BUNDLE_LIMIT)).map(pack_one).collect()
}

/// A replay and what has failed before are sent alone, so that they fail alone. A body that is not UTF-8 does not fit into the
/// bundle's JSON.
fn can_be_bundled(message: &OutgoingMessage) -> bool {
    message.queue.takes_bundles()
        && message.replay.is_none()
        && message.attempt <= 1
        && std::str::from_utf8(&message.body).is_ok()
}

fn pack_one(messages: &[OutgoingMessage]) -> AmqpMessage<'_> {
    let first = &messages[0];
    let mut packed = first.to_amqp();
    if messages.len() > 1 {
        let bundle = MessageBundle { messages: messages.iter().map(bundled_message).collect() };
        packed.properties = persistent_properties(MessageBundle::KIND, &first.message_id);
        packed.body = Cow::Owned(bundle.encode());
        packed.message_count = messages.len();
    }
    packed
}

fn bundled_message(message: &OutgoingMessage) -> BundledMessage {
    BundledMessage {
        message_id: message.message_id.clone(),
        kind: message.kind.clone(),
        correlation_id: message.correlation_id.clone().unwrap_or_default(),
        trace_context: message.trace_context.clone().into_iter().collect(),
        body: String::from_utf8_lossy(&message.body).into_owned(),
    }
}

/// The messages of a bundle, each with the properties that it would have alone. `None` if the message is no bundle, or one
/// that cannot be decoded: its consumer then rejects it as a single message.
pub(crate) fn unpack(properties: &BasicProperties, body: &[u8]) -> Option<Vec<(BasicProperties, Vec<u8>)>> {
    let kind = properties.kind().as_ref().map(ShortString::as_str).unwrap_or_default();
    let bundle = MessageBundle::decode(kind, body).ok()?;
    let fits_properties = |it: &BundledMessage| {
        [&it.message_id, &it.kind, &it.correlation_id].into_iter().all(|text| fits_short_string(text))
    };
    if bundle.messages.is_empty() || !bundle.messages.iter().all(fits_properties) {
        return None;
    }
    // A bundle that is itself a replayed dead letter passes its origin on to its messages.
    let replay_headers: Vec<_> = properties
        .headers()
        .iter()
        .flat_map(FieldTable::inner)
        .filter(|(key, _)| [REPLAY_OF_HEADER, REPLAY_COUNT_HEADER].contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let unpacked = |message: BundledMessage| {
        let mut headers = trace_context::to_headers(&message.trace_context);
        for (key, value) in &replay_headers {
            headers.insert(key.clone(), value.clone());
        }
        let mut properties = persistent_properties(&message.kind, &message.message_id).with_headers(headers);
        if !message.correlation_id.is_empty() {
            properties = properties.with_correlation_id(message.correlation_id.as_str().into());
        }
        (properties, message.body.into_bytes())
    };
    Some(bundle.messages.into_iter().map(unpacked).collect())
}

/// AMQP 0-9-1 has one byte for the length of a short string.
fn fits_short_string(text: &str) -> bool {
    text.len() <= usize::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Queue, Replay, headers::text_to_value};

    fn message(queue: Queue, id: &str) -> OutgoingMessage {
        OutgoingMessage {
            queue,
            message_id: id.to_owned(),
            kind: "sms.sync.v1.ApprovalEvent".to_owned(),
            body: br#"{"webhookId": "\u00e9\""}"#.to_vec(),
            correlation_id: Some("sync".to_owned()),
            trace_context: BTreeMap::from([("traceparent".to_owned(), "00-1-2-01".to_owned())]),
            attempt: 1,
            replay: None,
        }
    }

    fn events(n: usize) -> Vec<OutgoingMessage> {
        (0..n).map(|n| message(Queue::Events, &n.to_string())).collect()
    }

    /// How many messages are in each message that is sent.
    fn packed_counts(batch: &[OutgoingMessage]) -> Vec<usize> {
        pack(batch).iter().map(|packed| packed.message_count).collect()
    }

    #[test]
    fn unpacked_messages_equal_those_that_are_sent_alone() {
        let batch = events(BUNDLE_LIMIT);
        let packed = pack(&batch);
        assert_eq!(packed.len(), 1);
        let unpacked = unpack(&packed[0].properties, &packed[0].body).expect("a bundle");
        let alone = batch.iter().map(|message| (message.to_amqp().properties, message.body.clone()));
        assert_eq!(unpacked, alone.collect::<Vec<_>>());
    }

    #[test]
    fn events_are_bundled_in_order_up_to_the_limit() {
        assert_eq!(packed_counts(&events(2 * BUNDLE_LIMIT + 1)), [BUNDLE_LIMIT, BUNDLE_LIMIT, 1]);
    }

    #[test]
    fn a_single_event_is_not_bundled() {
        let batch = events(1);
        let packed = pack(&batch);
        assert_eq!(packed[0].properties, batch[0].to_amqp().properties);
        assert!(unpack(&packed[0].properties, &packed[0].body).is_none());
    }

    #[test]
    fn tasks_commands_replays_and_binary_bodies_are_sent_alone() {
        let mut batch = events(5);
        batch[1].replay = Some(Replay { of: "a dead letter".to_owned(), count: 1 });
        batch[2].body = vec![0xff];
        batch.extend([message(Queue::Tasks, "t"), message(Queue::Tasks, "u"), message(Queue::Commands, "c")]);
        assert_eq!(packed_counts(&batch), [1, 1, 1, 2, 1, 1, 1]);
    }

    #[test]
    fn messages_of_a_replayed_bundle_name_its_dead_letter() {
        let batch = events(2);
        let AmqpMessage { properties, body, .. } = pack(&batch).remove(0);
        let mut headers = FieldTable::default();
        headers.insert(REPLAY_OF_HEADER.into(), text_to_value("a dead letter"));
        for (properties, body) in unpack(&properties.with_headers(headers), &body).expect("a bundle") {
            let delivery = crate::Delivery::new(properties, body);
            assert_eq!(delivery.replay_of.as_deref(), Some("a dead letter"));
        }
    }

    #[test]
    fn a_malformed_bundle_is_not_unpacked() {
        let properties = persistent_properties(MessageBundle::KIND, "m");
        let long_id = format!(r#"{{"messages": [{{"messageId": "{}"}}]}}"#, "m".repeat(256));
        for body in ["\u{0}", "{}", r#"{"messages": []}"#, r#"{"messages": [7]}"#, &long_id] {
            assert!(unpack(&properties, body.as_bytes()).is_none(), "{body}");
        }
    }
}
