//! Every exchange and queue, in one table. Nothing else in the workspace declares any.
//!
//! ```text
//!  sms.sync ──▶ sync.events  sync.commands  sync.tasks ──(delivery limit)──▶ sms.dead ──▶ sync.dead-letters
//!     ▲                                        │ retry                         ▲
//!     └──(expired)── sync.retry.10s 30s 90s ◀──┘            given up ──────────┘            sync.updates (stream)
//! ```
//!
//! Work queues are quorum queues: they survive the loss of a node, count deliveries, and end a poison message after
//! [`DELIVERY_LIMIT`]. All dead-lettering is at-least-once, which RabbitMQ grants only together with `reject-publish`;
//! the default would drop messages when the target is not there. What arrives twice is harmless by design.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

/// Direct; routing keys are the names of the work queues.
pub(crate) const WORK_EXCHANGE: &str = "sms.sync";
/// Fanout; everything that was given up.
pub(crate) const DEAD_EXCHANGE: &str = "sms.dead";
/// What was given up, until the archiver has made it a row.
pub(crate) const DEAD_LETTERS: &str = "sync.dead-letters";
/// Progress notices: a stream, read from any offset by any number of readers.
pub(crate) const UPDATES: &str = "sync.updates";
/// Redeliveries of a message whose consumer died with it: `x-delivery-limit` 5 is 6 deliveries.
pub(crate) const DELIVERY_LIMIT: i32 = 5;

/// One delay queue per tier: a message waits as long as its expiration says, and then goes back to where it came from.
/// Separate queues, since only the head of a queue can expire.
pub(crate) const RETRY_TIERS: [&str; 3] = ["sync.retry.10s", "sync.retry.30s", "sync.retry.90s"];

/// A work queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Approval events: must not wait behind pages.
    Events,
    /// Starts of syncs.
    Commands,
    /// Pages of syncs.
    Tasks,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Events, Self::Commands, Self::Tasks];

    /// Its name, which is its routing key, too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "sync.events",
            Self::Commands => "sync.commands",
            Self::Tasks => "sync.tasks",
        }
    }

    /// Whether messages that are published together travel in bundles: the queue has bursts, and is consumed by
    /// [`consume_batches`](crate::consume_batches), which unpacks them.
    pub(crate) const fn takes_bundles(self) -> bool {
        matches!(self, Self::Events)
    }

    /// The queue of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.name() == name)
    }
}

impl std::fmt::Display for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Declares all that work goes through. Declaring what exists changes nothing, so this is done on every connection: a
/// broker that came back with an empty disk is whole again at once.
pub(crate) async fn declare(channel: &Channel) -> lapin::Result<()> {
    // The place for the dead first: a queue must never dead-letter into nothing.
    exchange(channel, DEAD_EXCHANGE, ExchangeKind::Fanout).await?;
    queue(channel, DEAD_LETTERS, quorum()).await?;
    bind(channel, DEAD_LETTERS, DEAD_EXCHANGE, "").await?;

    exchange(channel, WORK_EXCHANGE, ExchangeKind::Direct).await?;
    for work in Queue::ALL {
        let mut arguments = dead_lettering(quorum(), DEAD_EXCHANGE);
        arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
        queue(channel, work.name(), arguments).await?;
        bind(channel, work.name(), WORK_EXCHANGE, work.name()).await?;
    }

    for tier in RETRY_TIERS {
        // Fanout, so that the routing key stays what it was: the way back.
        exchange(channel, tier, ExchangeKind::Fanout).await?;
        queue(channel, tier, dead_lettering(quorum(), WORK_EXCHANGE)).await?;
        bind(channel, tier, tier, "").await?;
    }
    Ok(())
}

/// Declares the stream of updates. Apart from the rest, and allowed to fail: RabbitMQ that was killed may keep a stream that
/// it cannot run any more, and work does not wait for those who watch it.
pub(crate) async fn declare_updates(channel: &Channel) -> lapin::Result<()> {
    // A stream is bounded by size and age; a reader that is further behind is told to look afresh.
    let mut stream = FieldTable::default();
    stream.insert("x-queue-type".into(), text("stream"));
    stream.insert("x-max-length-bytes".into(), AMQPValue::LongLongInt(64 * 1024 * 1024));
    stream.insert("x-stream-max-segment-size-bytes".into(), AMQPValue::LongLongInt(8 * 1024 * 1024));
    stream.insert("x-max-age".into(), text("6h"));
    queue(channel, UPDATES, stream).await
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

fn dead_lettering(mut arguments: FieldTable, exchange: &str) -> FieldTable {
    arguments.insert("x-dead-letter-exchange".into(), text(exchange));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), kind, options, FieldTable::default()).await
}

async fn queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await.map(drop)
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> lapin::Result<()> {
    let options = QueueBindOptions::default();
    channel.queue_bind(queue.into(), exchange.into(), key.into(), options, FieldTable::default()).await
}
