//! The updates stream: progress notices, with offsets that are the same for every reader.

use std::{pin::Pin, time::Duration};

use contracts::messages::{Message, SyncUpdate};
use futures_util::{Stream, StreamExt, stream};
use lapin::{
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{AMQPValue, FieldTable},
};

use crate::{
    Broker, BrokerError, Publisher,
    headers::{STREAM_OFFSET_HEADER, integer_header, text_to_value},
    message::{AmqpMessage, persistent_properties},
    topology,
};

/// Updates in flight to a reader.
const READ_PREFETCH: u16 = 200;
/// A stream that delivers nothing for so long has no more messages.
const END_OF_STREAM_TIMEOUT: Duration = Duration::from_millis(100);
/// A stream that delivers no first message for so long has none: longer, for a consumer that begins, on a machine under load.
const EMPTY_STREAM_TIMEOUT: Duration = Duration::from_secs(1);

/// Where a reader of the stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// At the oldest update that is kept.
    First,
    /// At the next update to be published.
    Next,
    /// At this offset, or at the oldest update that is kept if that is newer.
    Offset(u64),
}

/// An update with its offset in the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamUpdate {
    pub offset: u64,
    pub update: SyncUpdate,
}

/// The updates stream.
#[derive(Debug, Clone)]
pub struct Updates {
    broker: Broker,
    publisher: Publisher,
}

impl Updates {
    pub fn new(broker: &Broker) -> Self {
        Self { broker: broker.clone(), publisher: Publisher::new(broker) }
    }

    /// Publishes an update. A failure is only logged: an update repeats what is committed, and the next one says it again.
    pub async fn publish(&self, update: &SyncUpdate) {
        let body = update.encode();
        let properties = persistent_properties(SyncUpdate::KIND, "");
        let message = AmqpMessage {
            // The default exchange routes by the name of the queue.
            exchange: "",
            routing_key: topology::UPDATES_STREAM,
            body: body.into(),
            properties,
            message_count: 1,
        };
        if let Err(error) = self.publisher.publish_message(&message).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "an update was not published");
        }
    }

    /// Reads without end. The stream ends with an error when the connection is lost; the caller then reads again from the
    /// offset after the last one.
    pub async fn read(
        &self,
        from: ReadFrom,
    ) -> Result<Pin<Box<dyn Stream<Item = Result<StreamUpdate, BrokerError>> + Send>>, BrokerError> {
        let channel = self.broker.open_channel().await?;
        channel.basic_qos(READ_PREFETCH, BasicQosOptions::default()).await?;
        let mut arguments = FieldTable::default();
        let offset = match from {
            ReadFrom::First => text_to_value("first"),
            ReadFrom::Next => text_to_value("next"),
            ReadFrom::Offset(offset) => AMQPValue::LongLongInt(offset.try_into().unwrap_or(i64::MAX)),
        };
        arguments.insert(STREAM_OFFSET_HEADER.into(), offset);
        let consumer = channel
            .basic_consume(
                topology::UPDATES_STREAM.into(),
                "".into(),
                BasicConsumeOptions::default(),
                arguments,
            )
            .await?;
        // The stream owns the channel, since dropping it would end the consumer.
        let updates = stream::unfold((channel, consumer, from), |(channel, mut consumer, from)| async move {
            loop {
                let message = match consumer.next().await? {
                    Ok(message) => message,
                    Err(error) => return Some((Err(error.into()), (channel, consumer, from))),
                };
                // Without acknowledgements the stream stops at the prefetch.
                if let Err(error) = message.acker.ack(BasicAckOptions::default()).await {
                    return Some((Err(error.into()), (channel, consumer, from)));
                }
                let offset = integer_header(&message.properties, STREAM_OFFSET_HEADER);
                let kind = message.properties.kind().as_ref().map(|k| k.to_string()).unwrap_or_default();
                let (Some(offset), Ok(update)) = (offset, SyncUpdate::decode(&kind, &message.data)) else {
                    tracing::warn!("skipped a message in the updates stream that is no update");
                    continue;
                };
                // The broker delivers whole chunks, which may begin before the requested offset.
                if matches!(from, ReadFrom::Offset(requested) if offset < requested) {
                    continue;
                }
                return Some((Ok(StreamUpdate { offset, update }), (channel, consumer, from)));
            }
        });
        Ok(Box::pin(updates))
    }

    /// The offset of the oldest update that is kept; `None` if the stream is empty.
    pub async fn oldest_offset(&self) -> Result<Option<u64>, BrokerError> {
        self.read_offset_at("first").await
    }

    /// The offset of the newest update; `None` if the stream is empty. Updates published during the call may be missed.
    pub async fn newest_offset(&self) -> Result<Option<u64>, BrokerError> {
        self.read_offset_at("last").await
    }

    /// Reads the first or the last chunk of the stream (`end`: `first`, `last`). Over AMQP 0-9-1 RabbitMQ tells the offsets
    /// of a stream only with its messages.
    async fn read_offset_at(&self, end: &str) -> Result<Option<u64>, BrokerError> {
        let channel = self.broker.open_channel().await?;
        // The count of messages in a declaration is no help: for a stream it is some seconds old, and 0 at first.
        channel.basic_qos(READ_PREFETCH, BasicQosOptions::default()).await?;
        let mut arguments = FieldTable::default();
        arguments.insert(STREAM_OFFSET_HEADER.into(), text_to_value(end));
        let options = BasicConsumeOptions::default();
        let mut consumer =
            channel.basic_consume(topology::UPDATES_STREAM.into(), "".into(), options, arguments).await?;
        let (mut found, mut timeout) = (None, EMPTY_STREAM_TIMEOUT);
        while let Ok(Some(Ok(message))) = tokio::time::timeout(timeout, consumer.next()).await {
            timeout = END_OF_STREAM_TIMEOUT;
            let _ = message.acker.ack(BasicAckOptions::default()).await;
            found = integer_header(&message.properties, STREAM_OFFSET_HEADER);
            if end == "first" {
                break;
            }
        }
        let _ = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await;
        let _ = channel.close(200, "offset read".into()).await;
        Ok(found)
    }
}
