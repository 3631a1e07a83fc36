//! What settles a delivery: its message is put where its disposition says, and only then acknowledged.

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
    types::AMQPValue,
};

use crate::{
    BrokerError, Delivery, Disposition, Publisher, Queue, bundle, dead_letters,
    publisher::{ATTEMPT_HEADER, Raw},
    topology,
};

/// Settles one delivery.
pub(crate) struct Ticket {
    properties: BasicProperties,
    body: Vec<u8>,
    claim: Arc<Claim>,
}

/// A message of the broker, with the deliveries in it that are not settled yet.
struct Claim {
    acker: Acker,
    open: AtomicUsize,
    /// One of them must come again, and so all do.
    given_back: AtomicBool,
}

/// A message as one delivery.
pub(crate) fn deliver(message: message::Delivery) -> (Delivery, Ticket) {
    let claim = Claim::of(message.acker, 1);
    claim.ticket(message.properties, message.data)
}

/// A message as the deliveries that are in it. A bundle that comes again is taken apart and gives none: one of its
/// messages may be what killed the consumer, and alone each has its own count of deliveries.
pub(crate) async fn unpack(
    message: message::Delivery,
    publisher: &Publisher,
    queue: Queue,
) -> Vec<(Delivery, Ticket)> {
    let Some(messages) = bundle::unpack(&message.properties, &message.data) else {
        return vec![deliver(message)];
    };
    let claim = Claim::of(message.acker, messages.len());
    if !message.redelivered {
        return messages.into_iter().map(|(properties, body)| claim.ticket(properties, body)).collect();
    }
    let alone: Vec<_> = messages
        .into_iter()
        .map(|(properties, body)| Raw {
            exchange: topology::WORK_EXCHANGE,
            key: queue.name(),
            body: body.into(),
            properties,
            messages: 1,
        })
        .collect();
    for moved in publisher.publish_raw(&alone).await {
        claim.settle(is_there(moved)).await;
    }
    Vec::new()
}

impl Claim {
    fn of(acker: Acker, deliveries: usize) -> Arc<Self> {
        Arc::new(Self { acker, open: AtomicUsize::new(deliveries), given_back: AtomicBool::new(false) })
    }

    fn ticket(self: &Arc<Self>, properties: BasicProperties, body: Vec<u8>) -> (Delivery, Ticket) {
        let ticket = Ticket { properties: properties.clone(), body: body.clone(), claim: self.clone() };
        (Delivery::new(properties, body), ticket)
    }

    /// One delivery is where it belongs, or must come again. The last one settles the message.
    async fn settle(&self, is_there: bool) {
        if !is_there {
            self.given_back.store(true, Ordering::Relaxed);
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let settled = if self.given_back.load(Ordering::Relaxed) {
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

impl Ticket {
    /// Puts the message where its disposition says, confirmed, and only then acknowledges it: killed in between, it is
    /// there twice and never not at all. Without a disposition it is delivered again.
    pub(crate) async fn settle(self, publisher: &Publisher, queue: Queue, disposition: Option<Disposition>) {
        let is_there = match disposition {
            None => false,
            Some(Disposition::Done) => true,
            Some(Disposition::Retry { tier, wait }) => {
                is_there(self.delay(publisher, queue, tier, wait, 1).await)
            }
            Some(Disposition::Snooze(wait)) => is_there(self.delay(publisher, queue, 0, wait, 0).await),
            Some(Disposition::Reject { class, reason }) => {
                let raw = Raw {
                    exchange: topology::DEAD_EXCHANGE,
                    key: queue.name(),
                    body: (&self.body).into(),
                    properties: dead_letters::given_up(&self.properties, queue, class, &reason),
                    messages: 1,
                };
                is_there(publisher.publish_one(&raw).await)
            }
        };
        self.claim.settle(is_there).await;
    }

    async fn delay(
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
        headers.insert(ATTEMPT_HEADER.into(), AMQPValue::LongInt(attempt.try_into().unwrap_or(i32::MAX)));
        let expiration = wait.as_millis().to_string();
        let properties = self
            .properties
            .clone()
            .with_delivery_mode(2)
            .with_headers(headers)
            .with_expiration(expiration.as_str().into());
        publisher
            .publish_one(&Raw {
                exchange: tier,
                key: queue.name(),
                body: (&self.body).into(),
                properties,
                messages: 1,
            })
            .await
    }
}

/// Whether a message is where it was sent to.
fn is_there(sent: Result<(), BrokerError>) -> bool {
    if let Err(error) = &sent {
        tracing::warn!(
            error = error as &dyn std::error::Error,
            "a message could not be moved; it is delivered again"
        );
    }
    sent.is_ok()
}
