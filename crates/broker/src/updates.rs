//! The updates stream: progress notices, with offsets that are the same for every reader.

use std::pin::Pin;

use contracts::messages::{Message, SyncUpdate};
use futures_util::{Stream, stream};
use lapin::{
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};

use crate::{
    Broker, BrokerError, Publisher,
    delivery::number,
    publisher::{Raw, persistent},
    topology,
};

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// With the oldest that is kept.
    First,
    /// With what comes now.
    Next,
    /// With this offset, or the oldest that is kept if that is newer.
    Offset(u64),
}

/// An update and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedUpdate {
    /// Its offset in the stream.
    pub offset: u64,
    /// The update.
    pub update: SyncUpdate,
}

/// The updates stream.
#[derive(Debug, Clone)]
pub struct Updates {
    broker: Broker,
    publisher: Publisher,
}

impl Updates {
    /// The stream of this broker.
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone(), publisher: Publisher::new(broker) }
    }

    /// Tells operators. Best effort: what an update tells is committed already, and the next one tells it again.
    pub async fn publish(&self, update: &SyncUpdate) {
        let body = update.encode();
        let properties = persistent(SyncUpdate::KIND, "");
        // Through the default exchange, which routes by the name of the queue.
        let raw = Raw { exchange: "", key: topology::UPDATES, body: body.into(), properties, messages: 1 };
        if let Err(error) = self.publisher.publish_one(&raw).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "an update was not published");
        }
    }

    /// Reads on and on. Ends with an error when the connection is lost: read again from the offset after the last.
    ///
    /// # Errors
    /// When the broker is not there.
    pub async fn read(
        &self,
        from: From,
    ) -> Result<Pin<Box<dyn Stream<Item = Result<PlacedUpdate, BrokerError>> + Send>>, BrokerError> {
        let channel = self.broker.channel().await?;
        channel.basic_qos(200, BasicQosOptions::default()).await?;
        let mut arguments = FieldTable::default();
        let offset = match from {
            From::First => AMQPValue::LongString("first".into()),
            From::Next => AMQPValue::LongString("next".into()),
            From::Offset(offset) => AMQPValue::LongLongInt(offset.try_into().unwrap_or(i64::MAX)),
        };
        arguments.insert("x-stream-offset".into(), offset);
        let consumer = channel
            .basic_consume(topology::UPDATES.into(), "".into(), BasicConsumeOptions::default(), arguments)
            .await?;
        // The channel travels along, since dropping it would end the consumer.
        let updates = stream::unfold((channel, consumer, from), |(channel, mut consumer, from)| async move {
            use futures_util::StreamExt;
            loop {
                let message = match consumer.next().await? {
                    Ok(message) => message,
                    Err(error) => return Some((Err(error.into()), (channel, consumer, from))),
                };
                // Without acknowledgements the stream stops at the prefetch.
                if let Err(error) = message.acker.ack(BasicAckOptions::default()).await {
                    return Some((Err(error.into()), (channel, consumer, from)));
                }
                let headers = message.properties.headers().as_ref();
                let offset = headers.and_then(|h| number(h.inner().get("x-stream-offset")?)?.try_into().ok());
                let kind = message.properties.kind().as_ref().map(|k| k.to_string()).unwrap_or_default();
                let (Some(offset), Ok(update)) = (offset, SyncUpdate::decode(&kind, &message.data)) else {
                    tracing::warn!("something that is no update is in the updates stream; passed over");
                    continue;
                };
                // The broker delivers whole chunks: what lies before the offset that was asked for is passed over.
                if matches!(from, From::Offset(asked) if offset < asked) {
                    continue;
                }
                return Some((Ok(PlacedUpdate { offset, update }), (channel, consumer, from)));
            }
        });
        Ok(Box::pin(updates))
    }

    /// The offset of the oldest update that is kept; none if the stream is empty.
    ///
    /// # Errors
    /// When the broker is not there.
    pub async fn oldest(&self) -> Result<Option<u64>, BrokerError> {
        self.peek("first").await
    }

    /// The offset of the newest update, give or take what arrives just now; none if the stream is empty.
    ///
    /// # Errors
    /// When the broker is not there.
    pub async fn newest(&self) -> Result<Option<u64>, BrokerError> {
        self.peek("last").await
    }

    /// Reads to the end of the chunk at one end of the stream: a stream tells its offsets in no other way.
    async fn peek(&self, end: &str) -> Result<Option<u64>, BrokerError> {
        use futures_util::StreamExt;
        let channel = self.broker.channel().await?;
        let declare = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare(topology::UPDATES.into(), declare, FieldTable::default()).await?;
        let mut found = None;
        if queue.message_count() > 0 || end == "last" {
            channel.basic_qos(200, BasicQosOptions::default()).await?;
            let mut arguments = FieldTable::default();
            arguments.insert("x-stream-offset".into(), AMQPValue::LongString(end.into()));
            let options = BasicConsumeOptions::default();
            let mut consumer =
                channel.basic_consume(topology::UPDATES.into(), "".into(), options, arguments).await?;
            let silence = std::time::Duration::from_millis(100);
            while let Ok(Some(Ok(message))) = tokio::time::timeout(silence, consumer.next()).await {
                let _ = message.acker.ack(BasicAckOptions::default()).await;
                let headers = message.properties.headers().as_ref();
                found = headers.and_then(|h| number(h.inner().get("x-stream-offset")?)?.try_into().ok());
                if end == "first" {
                    break;
                }
            }
            let _ = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await;
        }
        let _ = channel.close(200, "peeked".into()).await;
        Ok(found)
    }
}
