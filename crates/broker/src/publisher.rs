//! Publishes messages: confirmed, mandatory, and without waiting for each before the next.

use std::{sync::Arc, time::Duration};

use domain::clock::Clock;
use lapin::{
    Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{sync::Mutex, time::timeout};

use crate::{
    Broker, BrokerError, OutgoingMessage, Queue, bundle, connection::BROKER_TIMEOUT, message::AmqpMessage,
};

/// How much longer a batch may take for each of its messages.
const PER_MESSAGE_TIMEOUT: Duration = Duration::from_millis(1);

/// Publishes messages. Clones share one channel.
#[derive(Debug, Clone)]
pub struct Publisher {
    broker: Broker,
    channel: Arc<Mutex<Option<Channel>>>,
}

impl Publisher {
    /// A publisher with a channel of its own, opened at the first use.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone(), channel: Arc::new(Mutex::new(None)) }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.broker.clock()
    }

    /// Publishes all messages, events in bundles, and then waits for every confirm. Returns one result for each message.
    /// Takes a few seconds at most, even if the broker is gone. A message without a confirm may have arrived all the same;
    /// the outbox publishes it again.
    pub async fn publish_batch(&self, batch: &[OutgoingMessage]) -> Vec<Result<(), BrokerError>> {
        let packed = bundle::pack(batch);
        let results = self.publish_messages(&packed).await.into_iter().zip(&packed);
        results.flat_map(|(result, packed)| std::iter::repeat_n(result, packed.message_count)).collect()
    }

    /// How many messages of a work queue wait to be delivered.
    ///
    /// # Errors
    ///
    /// If the broker does not answer, or does not know the queue.
    pub async fn queue_length(&self, queue: Queue) -> Result<u32, BrokerError> {
        let asking = async {
            let channel = self.broker.open_channel().await?;
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let found = channel.queue_declare(queue.name().into(), options, FieldTable::default()).await?;
            let _ = channel.close(200, "asked".into()).await;
            Ok(found.message_count())
        };
        timeout(BROKER_TIMEOUT, asking).await.map_err(|_elapsed| BrokerError::Timeout)?
    }

    pub(crate) async fn publish_message(&self, message: &AmqpMessage<'_>) -> Result<(), BrokerError> {
        self.publish_messages(std::slice::from_ref(message)).await.pop().unwrap_or(Err(BrokerError::Timeout))
    }

    pub(crate) async fn publish_messages(&self, batch: &[AmqpMessage<'_>]) -> Vec<Result<(), BrokerError>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let mut results = Vec::with_capacity(batch.len());
        if self.broker.is_blocked() {
            let results = vec![Err(BrokerError::Blocked); batch.len()];
            count_results(batch, &results);
            return results;
        }
        let limit = BROKER_TIMEOUT + PER_MESSAGE_TIMEOUT * u32::try_from(batch.len()).unwrap_or(u32::MAX);
        let ended = timeout(limit, self.send_and_confirm(batch, &mut results)).await;
        let failed = !matches!(ended, Ok(Ok(())))
            || results
                .iter()
                .any(|result| matches!(result, Err(BrokerError::Amqp(_) | BrokerError::Timeout)));
        if failed {
            // The channel may be closed, or still have confirms to deliver for which no caller waits.
            *self.channel.lock().await = None;
        }
        if results.iter().any(|result| matches!(result, Err(BrokerError::Unroutable))) {
            // Somebody has deleted a queue.
            self.broker.request_redeclaration().await;
            *self.channel.lock().await = None;
        }
        if let Ok(Err(error)) = ended {
            results.push(Err(error));
        }
        // The alarm may have come in between.
        let unanswered = if self.broker.is_blocked() { BrokerError::Blocked } else { BrokerError::Timeout };
        results.resize(batch.len(), Err(unanswered));
        count_results(batch, &results);
        results
    }

    async fn send_and_confirm(
        &self,
        batch: &[AmqpMessage<'_>],
        results: &mut Vec<Result<(), BrokerError>>,
    ) -> Result<(), BrokerError> {
        let channel = self.confirming_channel().await?;
        let mut sent = Vec::with_capacity(batch.len());
        for message in batch {
            // Mandatory: the broker returns a message without a queue instead of dropping it.
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let (exchange, key) = (message.exchange.into(), message.routing_key.into());
            sent.push(
                channel
                    .basic_publish(exchange, key, options, &message.body, message.properties.clone())
                    .await?,
            );
        }
        for confirm in sent {
            results.push(match confirm.await {
                Ok(Confirmation::Ack(None)) => Ok(()),
                // lapin puts a returned message, which had no queue, into its acknowledgement.
                Ok(Confirmation::Ack(Some(_returned))) => Err(BrokerError::Unroutable),
                Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Err(BrokerError::NotTaken),
                Err(error) => Err(error.into()),
            });
        }
        Ok(())
    }

    /// The open channel, or a new one with publisher confirms.
    async fn confirming_channel(&self) -> Result<Channel, BrokerError> {
        let mut current = self.channel.lock().await;
        if let Some(channel) = current.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.broker.open_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        *current = Some(channel.clone());
        Ok(channel)
    }
}

fn count_results(batch: &[AmqpMessage<'_>], results: &[Result<(), BrokerError>]) {
    let (mut sent, mut failed) = (0, 0);
    for (message, result) in batch.iter().zip(results) {
        *if result.is_ok() { &mut sent } else { &mut failed } += message.message_count as u64;
    }
    metrics::counter!("messaging_client_sent_messages_total").increment(sent);
    metrics::counter!("sms_broker_publish_failures_total").increment(failed);
}
