//! Exchanges and queues, in one table. Nothing else in the workspace declares any.
//!
//! ```text
//!  sms.sync ──▶ sync.events  sync.commands  sync.tasks ──(delivery limit)──▶ sms.dead ──▶ sync.dead-letters
//!     ▲                                        │ retry                         ▲
//!     └──(expired)── sync.retry.10s 30s 90s ◀──┘            rejected ──────────┘            sync.updates (stream)
//! ```
//!
//! Work queues are quorum queues: they survive the loss of a node, count deliveries, and end a poison message after
//! [`DELIVERY_LIMIT`]. All dead-lettering is at-least-once, which RabbitMQ grants only together with `reject-publish`;
//! the default would drop messages when the target is not there. A message that arrives twice is harmless by design.

use lapin::{
    Channel, Connection, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions},
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::{AMQPValue, FieldTable},
};

use crate::{BrokerError, headers::text_to_value};

/// Direct; routing keys are the names of the work queues.
pub(crate) const WORK_EXCHANGE: &str = "sms.sync";
/// Fanout; all dead letters go through it.
pub(crate) const DEAD_EXCHANGE: &str = "sms.dead";
/// Dead letters, until the archiver has made them rows.
pub(crate) const DEAD_LETTER_QUEUE: &str = "sync.dead-letters";
/// Progress notices: a stream, read from any offset by any number of readers.
pub(crate) const UPDATES_STREAM: &str = "sync.updates";
/// Redeliveries of a message whose consumer died with it: `x-delivery-limit` 5 is 6 deliveries.
pub(crate) const DELIVERY_LIMIT: i32 = 5;

/// The same of the dead-letter queue, in effect none: a broker whose default is 20 would throw the message away.
const NO_DELIVERY_LIMIT: i32 = i32::MAX;

/// One delay queue per tier: a message waits as long as its expiration says, and then returns to its work queue. Each tier has
/// a queue of its own, since only the head of a queue can expire.
pub(crate) const RETRY_TIERS: [&str; 3] = ["sync.retry.10s", "sync.retry.30s", "sync.retry.90s"];

/// A work queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Approval events. They must not wait behind pages.
    Events,
    /// Starts of syncs.
    Commands,
    /// Pages of syncs.
    Tasks,
}

impl Queue {
    pub const ALL: [Self; 3] = [Self::Events, Self::Commands, Self::Tasks];

    /// The queue's name, which is also its routing key.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "sync.events",
            Self::Commands => "sync.commands",
            Self::Tasks => "sync.tasks",
        }
    }

    /// Whether messages that are published together are bundled: the queue has bursts, and
    /// [`consume_batches`](crate::consume_batches) unpacks the bundles.
    pub(crate) const fn takes_bundles(self) -> bool {
        matches!(self, Self::Events)
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.name() == name)
    }
}

impl std::fmt::Display for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Declares everything but the stream of updates. Declaring what exists changes nothing, so every new connection does it: a
/// broker that came back with an empty disk has all queues again at once. A user who may not declare looks whether everything
/// is there.
pub(crate) async fn declare(connection: &Connection) -> Result<(), BrokerError> {
    declare_or_look(connection, Part::Work).await
}

/// What is declared together.
#[derive(Debug, Clone, Copy)]
enum Part {
    /// Everything that work needs.
    Work,
    Updates,
}

/// Declares; where the user may not, looks.
async fn declare_or_look(connection: &Connection, part: Part) -> Result<(), BrokerError> {
    let mut result = Ok(());
    for passive in [false, true] {
        // On a channel of its own, since an error closes the channel.
        let channel = connection.create_channel().await?;
        let topology = Topology { channel: &channel, passive };
        result = match part {
            Part::Work => topology.declare(connection).await,
            Part::Updates => topology.declare_updates().await,
        };
        match result {
            Ok(()) => drop(channel.close(200, "declared".into()).await),
            Err(BrokerError::Refused { code: ACCESS_REFUSED, .. }) => continue,
            Err(_) => {}
        }
        break;
    }
    result
}

/// AMQP's code for what the user may not do.
const ACCESS_REFUSED: u16 = 403;

struct Topology<'c> {
    channel: &'c Channel,
    /// Only looks whether it is there.
    passive: bool,
}

impl Topology<'_> {
    async fn declare(&self, connection: &Connection) -> Result<(), BrokerError> {
        // The dead-letter queue first: a work queue must always have somewhere to dead-letter to.
        self.exchange(DEAD_EXCHANGE, ExchangeKind::Fanout).await?;
        if self.passive {
            self.queue(DEAD_LETTER_QUEUE, FieldTable::default()).await?;
        } else {
            declare_dead_letter_queue(connection).await?;
        }
        self.bind(DEAD_LETTER_QUEUE, DEAD_EXCHANGE, "").await?;

        self.exchange(WORK_EXCHANGE, ExchangeKind::Direct).await?;
        for work in Queue::ALL {
            let mut arguments = with_dead_lettering(quorum_arguments(), DEAD_EXCHANGE);
            arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
            self.queue(work.name(), arguments).await?;
            self.bind(work.name(), WORK_EXCHANGE, work.name()).await?;
        }

        for tier in RETRY_TIERS {
            // Fanout, so that the message keeps its routing key, which leads back to its work queue.
            self.exchange(tier, ExchangeKind::Fanout).await?;
            self.queue(tier, with_dead_lettering(quorum_arguments(), WORK_EXCHANGE)).await?;
            self.bind(tier, tier, "").await?;
        }
        Ok(())
    }

    async fn declare_updates(&self) -> Result<(), BrokerError> {
        // Size and age are limited; a reader that is further behind gets a resync event.
        let mut stream = FieldTable::default();
        stream.insert("x-queue-type".into(), text_to_value("stream"));
        stream.insert("x-max-length-bytes".into(), AMQPValue::LongLongInt(64 * 1024 * 1024));
        stream.insert("x-stream-max-segment-size-bytes".into(), AMQPValue::LongLongInt(8 * 1024 * 1024));
        stream.insert("x-max-age".into(), text_to_value("6h"));
        self.queue(UPDATES_STREAM, stream).await
    }

    async fn exchange(&self, name: &'static str, kind: ExchangeKind) -> Result<(), BrokerError> {
        let options = ExchangeDeclareOptions {
            durable: true,
            passive: self.passive,
            ..ExchangeDeclareOptions::default()
        };
        let declared = self.channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await;
        declared.map_err(|error| refused(name, error))
    }

    async fn queue(&self, name: &'static str, arguments: FieldTable) -> Result<(), BrokerError> {
        let options =
            QueueDeclareOptions { durable: true, passive: self.passive, ..QueueDeclareOptions::default() };
        let declared = self.channel.queue_declare(name.into(), options, arguments).await;
        declared.map(drop).map_err(|error| refused(name, error))
    }

    async fn bind(&self, queue: &'static str, exchange: &str, routing_key: &str) -> Result<(), BrokerError> {
        if self.passive {
            return Ok(());
        }
        let options = QueueBindOptions::default();
        let bound = self
            .channel
            .queue_bind(queue.into(), exchange.into(), routing_key.into(), options, FieldTable::default())
            .await;
        bound.map_err(|error| refused(queue, error))
    }
}

/// Tells what the broker says about this exchange or queue from a connection that is lost.
fn refused(name: &'static str, error: lapin::Error) -> BrokerError {
    let lapin::ErrorKind::ProtocolError(said) = error.kind() else { return error.into() };
    let AMQPErrorKind::Soft(kind) = said.kind() else { return error.into() };
    let advice = match kind {
        AMQPSoftError::PRECONDITIONFAILED => {
            "it is there with other properties: delete it once it is empty, or use a vhost of its own"
        }
        AMQPSoftError::NOTFOUND => "have `sms-sync migrate` make it, as a user who may configure",
        AMQPSoftError::ACCESSREFUSED => "grant the user the right",
        _ => "see the broker's log",
    };
    BrokerError::Refused { name, code: said.get_id(), text: said.get_message().to_string(), advice }
}

/// A queue that an earlier release has declared with the broker's default delivery limit is replaced once it is empty and
/// without consumers.
async fn declare_dead_letter_queue(connection: &Connection) -> Result<(), BrokerError> {
    let mut arguments = quorum_arguments();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(NO_DELIVERY_LIMIT));
    let channel = connection.create_channel().await?;
    match (Topology { channel: &channel, passive: false }).queue(DEAD_LETTER_QUEUE, arguments.clone()).await {
        Err(BrokerError::Refused { code: PRECONDITION_FAILED, .. }) => {}
        declared => {
            let _ = channel.close(200, "declared".into()).await;
            return declared;
        }
    }
    // RabbitMQ does not know "delete if empty" of a quorum queue.
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let found = channel.queue_declare(DEAD_LETTER_QUEUE.into(), options, FieldTable::default()).await?;
    if found.message_count() == 0 && found.consumer_count() == 0 {
        channel.queue_delete(DEAD_LETTER_QUEUE.into(), QueueDeleteOptions::default()).await?;
        (Topology { channel: &channel, passive: false }).queue(DEAD_LETTER_QUEUE, arguments).await?;
        tracing::info!(queue = DEAD_LETTER_QUEUE, "the queue of an earlier release was replaced");
    } else {
        tracing::warn!(
            queue = DEAD_LETTER_QUEUE,
            "the queue is of an earlier release, with a delivery limit, and in use; the next connection replaces it if it is free"
        );
    }
    let _ = channel.close(200, "declared".into()).await;
    Ok(())
}

/// AMQP's code for a queue that exists with other arguments.
const PRECONDITION_FAILED: u16 = 406;

/// Declares the stream of updates, which is allowed to fail: a RabbitMQ that was killed may keep a stream that it cannot run
/// any more, and work must not stop for want of progress notices.
pub(crate) async fn declare_updates(connection: &Connection) -> Result<(), BrokerError> {
    declare_or_look(connection, Part::Updates).await
}

fn quorum_arguments() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text_to_value("quorum"));
    arguments
}

fn with_dead_lettering(mut arguments: FieldTable, exchange: &str) -> FieldTable {
    arguments.insert("x-dead-letter-exchange".into(), text_to_value(exchange));
    arguments.insert("x-dead-letter-strategy".into(), text_to_value("at-least-once"));
    arguments.insert("x-overflow".into(), text_to_value("reject-publish"));
    arguments
}
