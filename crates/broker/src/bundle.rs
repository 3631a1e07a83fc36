//! Several messages in one.
//!
//! What a message costs a quorum queue hardly depends on what is in it. So messages that are published together, to a
//! queue that takes bundles, travel together. Nobody else needs to know: one result for each comes back to the publisher,
//! and the consumer unpacks them into deliveries that are settled each by itself. What is retried or given up goes on alone.

use std::borrow::Cow;

use contracts::messages::{BundledMessage, Message, MessageBundle};
use lapin::{
    BasicProperties,
    types::{FieldTable, ShortString},
};

use crate::{
    Outgoing,
    publisher::{REPLAY_COUNT_HEADER, REPLAY_OF_HEADER, Raw, persistent},
    trace_context as trace,
};

/// Messages of a bundle, at most: few enough that several workers share a burst.
const LARGEST: usize = 16;

/// What is sent for a batch, in its order.
pub(crate) fn pack(batch: &[Outgoing]) -> Vec<Raw<'_>> {
    let together = |one: &Outgoing, next: &Outgoing| one.queue == next.queue && fits(one) && fits(next);
    batch.chunk_by(together).flat_map(|messages| messages.chunks(LARGEST)).map(packed).collect()
}

/// A replay goes alone, so that it dies alone; so does what is no text.
fn fits(message: &Outgoing) -> bool {
    message.queue.takes_bundles() && message.replay.is_none() && std::str::from_utf8(&message.body).is_ok()
}

fn packed(messages: &[Outgoing]) -> Raw<'_> {
    let first = &messages[0];
    let mut raw = first.raw();
    if messages.len() > 1 {
        let bundle = MessageBundle { messages: messages.iter().map(bundled).collect() };
        raw.properties = persistent(MessageBundle::KIND, &first.message_id);
        raw.body = Cow::Owned(bundle.encode());
        raw.messages = messages.len();
    }
    raw
}

fn bundled(message: &Outgoing) -> BundledMessage {
    BundledMessage {
        message_id: message.message_id.clone(),
        kind: message.kind.clone(),
        correlation_id: message.correlation_id.clone().unwrap_or_default(),
        trace_context: message.trace_context.clone().into_iter().collect(),
        body: String::from_utf8_lossy(&message.body).into_owned(),
    }
}

/// The messages of a bundle, as if each had come alone. None if this is no bundle, or one that cannot be read: that is
/// one message, to be rejected as such.
pub(crate) fn unpack(properties: &BasicProperties, body: &[u8]) -> Option<Vec<(BasicProperties, Vec<u8>)>> {
    let kind = properties.kind().as_ref().map(ShortString::as_str).unwrap_or_default();
    let bundle = MessageBundle::decode(kind, body).ok()?;
    let legible = |it: &BundledMessage| [&it.message_id, &it.kind, &it.correlation_id].iter().all(is_short);
    if bundle.messages.is_empty() || !bundle.messages.iter().all(legible) {
        return None;
    }
    // Of a bundle that was a dead letter itself.
    let lineage: Vec<_> = properties
        .headers()
        .iter()
        .flat_map(FieldTable::inner)
        .filter(|(key, _)| [REPLAY_OF_HEADER, REPLAY_COUNT_HEADER].contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let alone = |message: BundledMessage| {
        let mut headers = trace::headers(&message.trace_context);
        for (key, value) in &lineage {
            headers.insert(key.clone(), value.clone());
        }
        let mut properties = persistent(&message.kind, &message.message_id).with_headers(headers);
        if !message.correlation_id.is_empty() {
            properties = properties.with_correlation_id(message.correlation_id.as_str().into());
        }
        (properties, message.body.into_bytes())
    };
    Some(bundle.messages.into_iter().map(alone).collect())
}

/// AMQP has a byte for the length of such a text.
fn is_short(text: &&String) -> bool {
    text.len() <= usize::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lapin::types::AMQPValue;

    use super::*;
    use crate::{Queue, Replay};

    fn message(queue: Queue, id: &str) -> Outgoing {
        Outgoing {
            queue,
            message_id: id.to_owned(),
            kind: "sms.sync.v1.ApprovalEvent".to_owned(),
            body: br#"{"webhookId": "\u00e9\""}"#.to_vec(),
            correlation_id: Some("run".to_owned()),
            trace_context: BTreeMap::from([("traceparent".to_owned(), "00-1-2-01".to_owned())]),
            replay: None,
        }
    }

    fn events(n: usize) -> Vec<Outgoing> {
        (0..n).map(|n| message(Queue::Events, &n.to_string())).collect()
    }

    fn sizes(batch: &[Outgoing]) -> Vec<usize> {
        pack(batch).iter().map(|raw| raw.messages).collect()
    }

    #[test]
    fn what_is_unpacked_is_what_each_message_would_have_been_alone() {
        let batch = events(LARGEST);
        let packed = pack(&batch);
        assert_eq!(packed.len(), 1);
        let unpacked = unpack(&packed[0].properties, &packed[0].body).expect("a bundle");
        let alone = batch.iter().map(|message| (message.raw().properties, message.body.clone()));
        assert_eq!(unpacked, alone.collect::<Vec<_>>());
    }

    #[test]
    fn events_travel_together_in_their_order_and_a_lone_one_as_it_is() {
        assert_eq!(sizes(&events(2 * LARGEST + 1)), [LARGEST, LARGEST, 1]);
        let lone = events(1);
        let packed = pack(&lone);
        assert_eq!(packed[0].properties, lone[0].raw().properties);
        assert!(unpack(&packed[0].properties, &packed[0].body).is_none(), "it is no bundle");
    }

    #[test]
    fn tasks_commands_replays_and_what_is_no_text_travel_alone() {
        let mut batch = events(5);
        batch[1].replay = Some(Replay { of: "a dead letter".to_owned(), count: 1 });
        batch[2].body = vec![0xff];
        batch.extend([message(Queue::Tasks, "t"), message(Queue::Tasks, "u"), message(Queue::Commands, "c")]);
        assert_eq!(sizes(&batch), [1, 1, 1, 2, 1, 1, 1]);
    }

    #[test]
    fn the_messages_of_a_bundle_that_is_replayed_know_the_dead_letter() {
        let batch = events(2);
        let Raw { properties, body, .. } = pack(&batch).remove(0);
        let mut headers = FieldTable::default();
        headers.insert(REPLAY_OF_HEADER.into(), AMQPValue::LongString("a dead letter".into()));
        for (properties, body) in unpack(&properties.with_headers(headers), &body).expect("a bundle") {
            let delivery = crate::Delivery::new(properties, body);
            assert_eq!(delivery.replay_of.as_deref(), Some("a dead letter"));
        }
    }

    #[test]
    fn what_only_claims_to_be_a_bundle_is_none() {
        let claims = persistent(MessageBundle::KIND, "m");
        let long = format!(r#"{{"messages": [{{"messageId": "{}"}}]}}"#, "m".repeat(256));
        for body in ["\u{0}", "{}", r#"{"messages": []}"#, r#"{"messages": [7]}"#, &long] {
            assert!(unpack(&claims, body.as_bytes()).is_none(), "{body}");
        }
    }
}
