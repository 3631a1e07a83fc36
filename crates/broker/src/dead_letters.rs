//! The dead: how a message is given up, and how the archiver gets to see it.

use chrono::{DateTime, Utc};
use contracts::messages::{DeadLetterEnvelope, Message};
use domain::{FailureClass, clock::Clock, clock::SystemClock};
use lapin::{
    BasicProperties,
    options::{BasicAckOptions, BasicNackOptions},
    types::{AMQPValue, FieldTable},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Broker, Delivery, Queue,
    consumer::Session,
    delivery::{header_text, number},
    topology,
};

/// The envelope's header.
const DEATH_HEADER: &str = "x-sms-death";
/// Headers that belong to the life that ended; a replay begins a new one.
const OF_THIS_LIFE: [&str; 2] = [DEATH_HEADER, crate::publisher::ATTEMPT_HEADER];

/// A message that was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadMessage {
    /// Id of the row behind it; empty if it had none.
    pub message_id: String,
    /// The AMQP `type`; empty if it had none.
    pub kind: String,
    /// As it came.
    pub body: Vec<u8>,
    /// Its headers, as JSON.
    pub headers: serde_json::Value,
    /// Where it died.
    pub queue: String,
    /// Why.
    pub class: FailureClass,
    /// Why, in words.
    pub reason: String,
    /// Attempts that were made.
    pub attempts: u32,
    /// When.
    pub died_at: DateTime<Utc>,
    /// Its sync.
    pub correlation_id: Option<String>,
    /// The dead letter that it was a replay of.
    pub replay_of: Option<String>,
    /// Trace of the message.
    pub trace_id: Option<String>,
}

/// The properties of a message that is given up by its consumer.
pub(crate) fn given_up(
    properties: &BasicProperties,
    queue: Queue,
    class: FailureClass,
    reason: &str,
) -> BasicProperties {
    let delivery = Delivery::new(properties.clone(), Vec::new());
    let envelope = DeadLetterEnvelope {
        queue: queue.name().to_owned(),
        failure_class: class.as_str().to_owned(),
        reason: reason.to_owned(),
        attempts: delivery.attempt,
        died_at: Some(SystemClock.now().into()),
        sync_id: properties.correlation_id().as_ref().map(|id| id.to_string()).unwrap_or_default(),
        replay_of: delivery.replay_of.unwrap_or_default(),
    };
    let mut headers = properties.headers().clone().unwrap_or_default();
    let text = String::from_utf8(envelope.encode()).expect("JSON is UTF-8");
    headers.insert(DEATH_HEADER.into(), AMQPValue::LongString(text.into()));
    properties.clone().with_delivery_mode(2).with_headers(headers)
}

/// Hands every dead message to `archive`, one by one, until `stop`. `true`: it is a row now, and is acknowledged; `false`:
/// it stays, and comes again after a moment.
pub async fn archive_dead_letters<H, F>(broker: &Broker, stop: &CancellationToken, archive: H)
where
    H: Fn(DeadMessage) -> F,
    F: Future<Output = bool>,
{
    while let Some(mut session) = Session::open(broker, topology::DEAD_LETTERS, 20, stop).await {
        while let Some(message) = session.next(stop).await {
            let dead = read(message.properties, message.data);
            let settled = if archive(dead).await {
                message.acker.ack(BasicAckOptions::default()).await
            } else {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
                }
                message.acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await
            };
            if !matches!(settled, Ok(true)) {
                tracing::debug!(
                    "a dead letter could not be settled; it comes again, and is one row all the same"
                );
            }
        }
        if stop.is_cancelled() {
            session.cancel().await;
            return;
        }
    }
}

fn read(properties: BasicProperties, body: Vec<u8>) -> DeadMessage {
    let envelope = header_text(&properties, DEATH_HEADER)
        .and_then(|text| DeadLetterEnvelope::decode(DeadLetterEnvelope::KIND, text.as_bytes()).ok());
    let delivery = Delivery::new(properties.clone(), body);
    let trace_id =
        header_text(&properties, "traceparent").and_then(|t| t.split('-').nth(1).map(str::to_owned));
    let headers = properties.headers().clone().unwrap_or_default();
    let mut dead = DeadMessage {
        message_id: delivery.message_id,
        kind: delivery.kind,
        body: delivery.body,
        headers: headers_as_json(&headers),
        queue: String::new(),
        class: FailureClass::Poison,
        reason: "its consumer died with it, again and again".to_owned(),
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
            dead.died_at =
                envelope.died_at.and_then(|t| t.try_into().ok()).unwrap_or_else(|| SystemClock.now());
        }
        // No consumer of ours gave it up: the broker did.
        None => {
            let death = last_death(&headers);
            dead.queue = death.queue;
            dead.died_at = death.at.unwrap_or_else(|| SystemClock.now());
            if death.reason != "delivery_limit" {
                dead.class = FailureClass::Permanent;
                dead.reason = format!("the broker gave it up: {}", death.reason);
            }
        }
    }
    dead
}

#[derive(Default)]
struct Death {
    queue: String,
    reason: String,
    at: Option<DateTime<Utc>>,
}

/// The newest entry of `x-death`, which the broker keeps first.
fn last_death(headers: &FieldTable) -> Death {
    let mut death = Death::default();
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

/// Headers for people, and for a replay: those of the life that ended are left out.
fn headers_as_json(headers: &FieldTable) -> serde_json::Value {
    let own = headers.inner().iter().filter(|(key, _)| !OF_THIS_LIFE.contains(&key.as_str()));
    own.map(|(key, value)| (key.to_string(), as_json(value))).collect::<serde_json::Map<_, _>>().into()
}

fn as_json(value: &AMQPValue) -> serde_json::Value {
    match value {
        AMQPValue::LongString(text) => text.to_string().into(),
        AMQPValue::ShortString(text) => text.to_string().into(),
        AMQPValue::Boolean(truth) => (*truth).into(),
        AMQPValue::FieldTable(table) => table
            .inner()
            .iter()
            .map(|(k, v)| (k.to_string(), as_json(v)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        AMQPValue::FieldArray(values) => values.as_slice().iter().map(as_json).collect::<Vec<_>>().into(),
        AMQPValue::Timestamp(seconds) => (*seconds).into(),
        other => number(other).into(),
    }
}
