//! Publishing: confirmed, mandatory, pipelined.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::AMQPValue,
};
use tokio::{sync::Mutex, time::timeout};

use crate::{Broker, BrokerError, Queue, bundle, connection::PATIENCE, topology, trace_context as trace};

/// A header: which attempt this delivery is, from 1; absent on the first.
pub(crate) const ATTEMPT_HEADER: &str = "x-attempt";
/// A header: the dead letter that this message is a replay of.
pub(crate) const REPLAY_OF_HEADER: &str = "x-replay-of";
/// A header: how often it was replayed.
pub(crate) const REPLAY_COUNT_HEADER: &str = "x-replay-count";

/// A message to a work queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Where to.
    pub queue: Queue,
    /// Stable over retries and replays: the id of the row behind the message.
    pub message_id: String,
    /// Full name of the proto message; the AMQP `type`.
    pub kind: String,
    /// ProtoJSON.
    pub body: Vec<u8>,
    /// The sync it belongs to.
    pub correlation_id: Option<String>,
    /// `traceparent`, `tracestate`.
    pub trace_context: BTreeMap<String, String>,
    /// Which dead letter this replays.
    pub replay: Option<Replay>,
}

/// The lineage of a replayed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The dead letter.
    pub of: String,
    /// How often it was replayed, this time included.
    pub count: u32,
}

/// A message as AMQP has it.
pub(crate) struct Raw<'m> {
    pub(crate) exchange: &'m str,
    pub(crate) key: &'m str,
    pub(crate) body: Cow<'m, [u8]>,
    pub(crate) properties: BasicProperties,
    /// More than one: a bundle.
    pub(crate) messages: usize,
}

/// Publishes. Clones share one channel.
#[derive(Debug, Clone)]
pub struct Publisher {
    broker: Broker,
    channel: Arc<Mutex<Option<Channel>>>,
}

impl Publisher {
    /// A publisher with a channel of its own.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone(), channel: Arc::new(Mutex::new(None)) }
    }

    /// Publishes all, one after the other without waiting and events in bundles, and then waits for every confirm: one
    /// result for each. Comes back within a few seconds even if the broker is gone; what was not confirmed may have
    /// arrived all the same, and is published again by whoever keeps the ledger.
    pub async fn publish_batch(&self, batch: &[Outgoing]) -> Vec<Result<(), BrokerError>> {
        let packed = bundle::pack(batch);
        let results = self.publish_raw(&packed).await.into_iter().zip(&packed);
        results.flat_map(|(result, raw)| std::iter::repeat_n(result, raw.messages)).collect()
    }

    /// Publishes one.
    ///
    /// # Errors
    /// When the broker did not confirm that it stored the message.
    pub async fn publish(&self, message: &Outgoing) -> Result<(), BrokerError> {
        self.publish_one(&message.raw()).await
    }

    pub(crate) async fn publish_one(&self, message: &Raw<'_>) -> Result<(), BrokerError> {
        self.publish_raw(std::slice::from_ref(message)).await.pop().unwrap_or(Err(BrokerError::Timeout))
    }

    pub(crate) async fn publish_raw(&self, batch: &[Raw<'_>]) -> Vec<Result<(), BrokerError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let mut results = Vec::with_capacity(batch.len());
        let patience = PATIENCE + Duration::from_millis(batch.len() as u64);
        let done = timeout(patience, self.publish_in_order(batch, &mut results)).await;
        let failed = !matches!(done, Ok(Ok(())))
            || results
                .iter()
                .any(|result| matches!(result, Err(BrokerError::Amqp(_) | BrokerError::Timeout)));
        if failed {
            // Whatever happened, the channel may be dead, or owe us confirms that nobody waits for any more.
            *self.channel.lock().await = None;
        }
        if results.iter().any(|result| matches!(result, Err(BrokerError::Unroutable))) {
            // Somebody has deleted a queue.
            self.broker.declare_again().await;
            *self.channel.lock().await = None;
        }
        if let Ok(Err(error)) = done {
            results.push(Err(error));
        }
        results.resize_with(batch.len(), || Err(BrokerError::Timeout));
        let (mut sent, mut lost) = (0, 0);
        for (message, result) in batch.iter().zip(&results) {
            *if result.is_ok() { &mut sent } else { &mut lost } += message.messages as u64;
        }
        metrics::counter!("messaging_client_sent_messages_total").increment(sent);
        metrics::counter!("sms_broker_publish_failures_total").increment(lost);
        results
    }

    async fn publish_in_order(
        &self,
        batch: &[Raw<'_>],
        results: &mut Vec<Result<(), BrokerError>>,
    ) -> Result<(), BrokerError> {
        let channel = self.open_channel().await?;
        let mut sent = Vec::with_capacity(batch.len());
        for message in batch {
            // Mandatory: a message without a queue comes back instead of vanishing.
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let (exchange, key) = (message.exchange.into(), message.key.into());
            sent.push(
                channel
                    .basic_publish(exchange, key, options, &message.body, message.properties.clone())
                    .await?,
            );
        }
        for confirm in sent {
            results.push(match confirm.await {
                Ok(Confirmation::Ack(None)) => Ok(()),
                // An unroutable message is acknowledged, and returned inside of the acknowledgement.
                Ok(Confirmation::Ack(Some(_returned))) => Err(BrokerError::Unroutable),
                Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Err(BrokerError::Refused),
                Err(error) => Err(error.into()),
            });
        }
        Ok(())
    }

    async fn open_channel(&self) -> Result<Channel, BrokerError> {
        let mut current = self.channel.lock().await;
        if let Some(channel) = current.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.broker.channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        *current = Some(channel.clone());
        Ok(channel)
    }
}

impl Outgoing {
    pub(crate) fn raw(&self) -> Raw<'_> {
        let mut headers = trace::headers(&self.trace_context);
        if let Some(Replay { of, count }) = &self.replay {
            headers.insert(REPLAY_OF_HEADER.into(), AMQPValue::LongString(of.as_str().into()));
            headers.insert(
                REPLAY_COUNT_HEADER.into(),
                AMQPValue::LongInt((*count).try_into().unwrap_or(i32::MAX)),
            );
        }
        let mut properties = persistent(&self.kind, &self.message_id).with_headers(headers);
        if let Some(sync) = &self.correlation_id {
            properties = properties.with_correlation_id(sync.as_str().into());
        }
        Raw {
            exchange: topology::WORK_EXCHANGE,
            key: self.queue.name(),
            body: (&self.body).into(),
            properties,
            messages: 1,
        }
    }
}

/// What every message of ours says of itself. Delivery mode 2: written to disk.
pub(crate) fn persistent(kind: &str, message_id: &str) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_type(kind.into())
        .with_message_id(message_id.into())
        .with_app_id("sms-sync".into())
}
