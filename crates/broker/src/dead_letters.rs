//! Dead letters: how a consumer rejects a message, and how the archiver reads what arrives in the dead-letter queue.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use contracts::messages::{DeadLetterEnvelope, Message};
use domain::FailureClass;
use lapin::{
    BasicProperties,
    options::{BasicAckOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, Delivery, Queue,
    consumer_channel::ConsumerChannel,
    headers::{ATTEMPT_HEADER, DEATH_HEADER, table_to_json, text_header, text_to_value},
    topology,
};

/// Dead letters in flight to the archiver: the others stay in the queue, where they are counted.
const ARCHIVE_PREFETCH: u16 = 1;
/// How long a dead letter that could not be archived waits before it is tried again, at first and at most.
const FIRST_ARCHIVE_DELAY: Duration = Duration::from_secs(1);
const LONGEST_ARCHIVE_DELAY: Duration = Duration::from_secs(30);
/// How often the queue's length is asked for.
const QUEUE_LENGTH_INTERVAL: Duration = Duration::from_secs(10);
/// Headers that are left out of a replay: its attempts are counted from 1.
const HEADERS_NOT_REPLAYED: [&str; 2] = [DEATH_HEADER, ATTEMPT_HEADER];

/// A message from the dead-letter queue.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadMessage {
    /// Id of the row behind the message; empty if it had none.
    pub message_id: String,
    /// The AMQP `type`; empty if the message had none.
    pub kind: String,
    pub body: Vec<u8>,
    /// As JSON, without those that are left out of a replay.
    pub headers: serde_json::Value,
    /// The work queue in which the message died.
    pub queue: String,
    pub class: FailureClass,
    /// In words, for operators.
    pub reason: String,
    pub attempts: u32,
    pub died_at: DateTime<Utc>,
    /// Id of the message's sync.
    pub correlation_id: Option<String>,
    /// Id of the dead letter that the message was a replay of.
    pub replay_of: Option<String>,
    pub trace_id: Option<String>,
}

/// The properties of a rejected message, with the envelope that says why it was rejected.
pub(crate) fn dead_letter_properties(
    properties: &BasicProperties,
    queue: Queue,
    class: FailureClass,
    reason: &str,
    now: DateTime<Utc>,
) -> BasicProperties {
    let delivery = Delivery::new(properties.clone(), Vec::new());
    let envelope = DeadLetterEnvelope {
        queue: queue.name().to_owned(),
        failure_class: class.as_str().to_owned(),
        reason: reason.to_owned(),
        attempts: delivery.attempt,
        died_at: Some(now.into()),
        sync_id: properties.correlation_id().as_ref().map(|id| id.to_string()).unwrap_or_default(),
        replay_of: delivery.replay_of.unwrap_or_default(),
    };
    let mut headers = properties.headers().clone().unwrap_or_default();
    let text = String::from_utf8(envelope.encode()).expect("JSON is UTF-8");
    headers.insert(DEATH_HEADER.into(), text_to_value(&text));
    properties.clone().with_delivery_mode(2).with_headers(headers)
}

/// Hands every dead message to `archive`, one by one, until `stop`. When `archive` returns `true`, the message is a row now and
/// is acknowledged; until then it is kept and tried again. It is not requeued: each time would count as a delivery, and
/// some brokers throw away what was delivered often.
pub async fn archive_dead_letters<H, F>(broker: &Broker, stop: &CancellationToken, archive: H)
where
    H: Fn(DeadMessage) -> F,
    F: Future<Output = bool>,
{
    while let Some(mut channel) =
        ConsumerChannel::open(broker, topology::DEAD_LETTER_QUEUE, ARCHIVE_PREFETCH, stop).await
    {
        let in_hand = Arc::new(AtomicU32::new(0));
        let watch = tokio::spawn(watch_length(channel.channel().clone(), in_hand.clone()));
        while let Some(message) = channel.next_message(stop).await {
            let dead = read_dead_message(message.properties, message.data, broker.clock().now());
            in_hand.store(1, Ordering::Relaxed);
            if !archive_until_kept(&dead, stop, &archive).await {
                break; // the broker delivers it again when the channel closes
            }
            in_hand.store(0, Ordering::Relaxed);
            if !matches!(message.acker.ack(BasicAckOptions::default()).await, Ok(true)) {
                tracing::debug!(
                    "a dead letter could not be settled; it is delivered again, and stays one row"
                );
            }
        }
        watch.abort();
        if stop.is_cancelled() {
            channel.cancel().await;
            return;
        }
    }
}

/// Whether the message is a row: if not, `stop` has come.
async fn archive_until_kept<H, F>(dead: &DeadMessage, stop: &CancellationToken, archive: &H) -> bool
where
    H: Fn(DeadMessage) -> F,
    F: Future<Output = bool>,
{
    let mut delay = FIRST_ARCHIVE_DELAY;
    while !archive(dead.clone()).await {
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(delay) => {}
        }
        delay = (delay * 2).min(LONGEST_ARCHIVE_DELAY);
    }
    true
}

/// Keeps the gauge of dead letters that wait to be archived, with the one in hand.
async fn watch_length(channel: lapin::Channel, in_hand: Arc<AtomicU32>) {
    let mut interval = tokio::time::interval(QUEUE_LENGTH_INTERVAL);
    loop {
        interval.tick().await;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare(topology::DEAD_LETTER_QUEUE.into(), options, FieldTable::default());
        let Ok(queue) = queue.await else { return };
        let waiting = queue.message_count().saturating_add(in_hand.load(Ordering::Relaxed));
        metrics::gauge!("sms_dead_letters_waiting").set(f64::from(waiting));
    }
}

/// `now`: the time of death where neither the envelope nor the broker has one.
fn read_dead_message(properties: BasicProperties, body: Vec<u8>, now: DateTime<Utc>) -> DeadMessage {
    let envelope = text_header(&properties, DEATH_HEADER)
        .and_then(|text| DeadLetterEnvelope::decode(DeadLetterEnvelope::KIND, text.as_bytes()).ok());
    let delivery = Delivery::new(properties.clone(), body);
    let trace_id =
        text_header(&properties, "traceparent").and_then(|t| t.split('-').nth(1).map(str::to_owned));
    let headers = properties.headers().clone().unwrap_or_default();
    let mut dead = DeadMessage {
        message_id: delivery.message_id,
        kind: delivery.kind,
        body: delivery.body,
        headers: replayable_headers(&headers),
        queue: String::new(),
        class: FailureClass::Poison,
        reason: "its consumer ended without settling it, more often than the delivery limit allows"
            .to_owned(),
        attempts: delivery.attempt,
        died_at: DateTime::UNIX_EPOCH,
        correlation_id: properties.correlation_id().as_ref().map(|id| id.to_string()),
        replay_of: delivery.replay_of,
        trace_id,
    };
    match envelope {
        Some(envelope) => {
            dead.queue = envelope.queue;
            dead.class = envelope.failure_class.parse().unwrap_or(FailureClass::Transient);
            dead.reason = envelope.reason;
            dead.attempts = envelope.attempts;
            dead.died_at = envelope.died_at.and_then(|t| t.try_into().ok()).unwrap_or(now);
        }
        // No consumer of ours rejected the message: the broker dead-lettered it.
        None => {
            let death = newest_x_death(&headers);
            dead.queue = death.queue;
            dead.died_at = death.at.unwrap_or(now);
            if death.reason != "delivery_limit" {
                dead.class = FailureClass::Permanent;
                dead.reason = format!("dead-lettered by the broker: {}", death.reason);
            }
        }
    }
    dead
}

/// An entry of the broker's `x-death` header.
#[derive(Default)]
struct XDeath {
    queue: String,
    reason: String,
    at: Option<DateTime<Utc>>,
}

/// The broker keeps the newest entry first.
fn newest_x_death(headers: &FieldTable) -> XDeath {
    let mut death = XDeath::default();
    let Some(AMQPValue::FieldArray(entries)) = headers.inner().get("x-death") else { return death };
    let Some(AMQPValue::FieldTable(entry)) = entries.as_slice().first() else { return death };
    let text = |key: &str| match entry.inner().get(key) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        _ => String::new(),
    };
    (death.queue, death.reason) = (text("queue"), text("reason"));
    if let Some(AMQPValue::Timestamp(seconds)) = entry.inner().get("time") {
        death.at = i64::try_from(*seconds).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    }
    death
}

fn replayable_headers(headers: &FieldTable) -> serde_json::Value {
    let mut headers = table_to_json(headers);
    headers.retain(|key, _| !HEADERS_NOT_REPLAYED.contains(&key.as_str()));
    headers.into()
}
