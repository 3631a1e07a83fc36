//! Settles deliveries: publishes the message where its disposition says, and only then acknowledges it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use lapin::{
    Acker, BasicProperties, message,
    options::{BasicAckOptions, BasicNackOptions},
};

use crate::{
    BrokerError, Delivery, Disposition, Publisher, Queue, bundle,
    dead_letters::dead_letter_properties,
    headers::{ATTEMPT_HEADER, integer_to_value},
    message::AmqpMessage,
    topology,
};

/// A delivery that a handler works on. Settled once, by its disposition.
pub(crate) struct UnsettledDelivery {
    properties: BasicProperties,
    body: Vec<u8>,
    ack: Arc<MessageAck>,
}

/// The acknowledgement of one message of the broker, shared by all deliveries that were in it.
struct MessageAck {
    acker: Acker,
    unsettled: AtomicUsize,
    /// One delivery must come again, so the whole message is requeued.
    requeue: AtomicBool,
}

/// A message as one delivery, even if it is a bundle.
pub(crate) fn single_delivery(message: message::Delivery) -> (Delivery, UnsettledDelivery) {
    let ack = MessageAck::new(message.acker, 1);
    ack.delivery(message.properties, message.data)
}

/// The deliveries inside a message. A redelivered bundle gives none: its messages are published again one by one. One of
/// them may be what killed the consumer, and alone each has its own count of deliveries.
pub(crate) async fn unbundle(
    message: message::Delivery,
    publisher: &Publisher,
    queue: Queue,
) -> Vec<(Delivery, UnsettledDelivery)> {
    let Some(messages) = bundle::unpack(&message.properties, &message.data) else {
        return vec![single_delivery(message)];
    };
    let ack = MessageAck::new(message.acker, messages.len());
    if !message.redelivered {
        return messages.into_iter().map(|(properties, body)| ack.delivery(properties, body)).collect();
    }
    let single: Vec<_> = messages
        .into_iter()
        .map(|(properties, body)| AmqpMessage {
            exchange: topology::WORK_EXCHANGE,
            routing_key: queue.name(),
            body: body.into(),
            properties,
            message_count: 1,
        })
        .collect();
    for result in publisher.publish_messages(&single).await {
        ack.settle_one(is_published(result)).await;
    }
    Vec::new()
}

impl MessageAck {
    fn new(acker: Acker, deliveries: usize) -> Arc<Self> {
        Arc::new(Self { acker, unsettled: AtomicUsize::new(deliveries), requeue: AtomicBool::new(false) })
    }

    fn delivery(
        self: &Arc<Self>,
        properties: BasicProperties,
        body: Vec<u8>,
    ) -> (Delivery, UnsettledDelivery) {
        let unsettled =
            UnsettledDelivery { properties: properties.clone(), body: body.clone(), ack: self.clone() };
        (Delivery::new(properties, body), unsettled)
    }

    /// Settles one delivery: finished, or to be delivered again. The last one acknowledges or requeues the message.
    async fn settle_one(&self, finished: bool) {
        if !finished {
            self.requeue.store(true, Ordering::Relaxed);
        }
        if self.unsettled.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let settled = if self.requeue.load(Ordering::Relaxed) {
            self.acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await
        } else {
            self.acker.ack(BasicAckOptions::default()).await
        };
        // `false`: the connection was lost meanwhile. The broker delivers the message again, which is harmless.
        if !matches!(settled, Ok(true)) {
            tracing::debug!("a delivery could not be settled; it comes again");
        }
    }
}

impl UnsettledDelivery {
    /// Publishes the message where its disposition says, confirmed, and only then acknowledges it. A process that is killed
    /// in between leaves the message twice, and never loses it. Without a disposition the message is delivered again.
    pub(crate) async fn settle(self, publisher: &Publisher, queue: Queue, disposition: Option<Disposition>) {
        let finished = match disposition {
            None => false,
            Some(Disposition::Done) => true,
            Some(Disposition::Retry { tier, wait }) => {
                is_published(self.publish_delayed(publisher, queue, tier, wait, 1).await)
            }
            Some(Disposition::Snooze(wait)) => {
                is_published(self.publish_delayed(publisher, queue, 0, wait, 0).await)
            }
            Some(Disposition::Reject { class, reason }) => {
                let dead_letter = AmqpMessage {
                    exchange: topology::DEAD_EXCHANGE,
                    routing_key: queue.name(),
                    body: (&self.body).into(),
                    properties: dead_letter_properties(
                        &self.properties,
                        queue,
                        class,
                        &reason,
                        publisher.clock().now(),
                    ),
                    message_count: 1,
                };
                is_published(publisher.publish_message(&dead_letter).await)
            }
        };
        self.ack.settle_one(finished).await;
    }

    async fn publish_delayed(
        &self,
        publisher: &Publisher,
        queue: Queue,
        tier: usize,
        wait: Duration,
        attempts_used: u32,
    ) -> Result<(), BrokerError> {
        let tier = topology::RETRY_TIERS[tier.min(topology::RETRY_TIERS.len() - 1)];
        let attempt = Delivery::new(self.properties.clone(), Vec::new()).attempt + attempts_used;
        let mut headers = self.properties.headers().clone().unwrap_or_default();
        headers.insert(ATTEMPT_HEADER.into(), integer_to_value(attempt));
        let expiration = wait.as_millis().to_string();
        let properties = self
            .properties
            .clone()
            .with_delivery_mode(2)
            .with_headers(headers)
            .with_expiration(expiration.as_str().into());
        publisher
            .publish_message(&AmqpMessage {
                exchange: tier,
                routing_key: queue.name(),
                body: (&self.body).into(),
                properties,
                message_count: 1,
            })
            .await
    }
}

fn is_published(result: Result<(), BrokerError>) -> bool {
    if let Err(error) = &result {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "a message could not be moved; it is delivered again"
        );
    }
    result.is_ok()
}
