//! A channel with one consumer on it. Work queues and the dead-letter queue are both read through it.

use std::{collections::VecDeque, time::Duration};

use futures_util::StreamExt;
use lapin::{
    Consumer,
    message::Delivery,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use tokio_util::sync::CancellationToken;

use crate::Broker;

/// How long to wait after the broker refused a consumer.
const RECONSUME_DELAY: Duration = Duration::from_millis(500);

pub(crate) struct ConsumerChannel {
    channel: lapin::Channel,
    queue: ShortString,
    consumer: Consumer,
    /// Messages of an earlier consumer of this channel.
    left: VecDeque<Delivery>,
}

impl ConsumerChannel {
    /// Retries until the broker accepts the consumer; `None` if `stop` comes first.
    pub(crate) async fn open(
        broker: &Broker,
        queue: &str,
        prefetch: u16,
        stop: &CancellationToken,
    ) -> Option<Self> {
        loop {
            let channel = broker.open_channel_with_retries(stop).await?;
            match begin(&channel, queue.into(), prefetch).await {
                Ok(consumer) => {
                    return Some(Self { channel, queue: queue.into(), consumer, left: VecDeque::new() });
                }
                Err(error) => {
                    tracing::warn!(%error, queue, "cannot consume; trying again");
                    tokio::select! {
                        () = stop.cancelled() => return None,
                        () = tokio::time::sleep(RECONSUME_DELAY) => {}
                    }
                }
            }
        }
    }

    pub(crate) const fn channel(&self) -> &lapin::Channel {
        &self.channel
    }

    /// Changes how many messages are delivered before they are acknowledged. RabbitMQ applies a new number to new consumers alone, so
    /// this makes a new one; what the earlier one has received is kept.
    pub(crate) async fn set_prefetch(&mut self, prefetch: u16) -> Result<(), lapin::Error> {
        self.channel.basic_cancel(self.consumer.tag(), BasicCancelOptions::default()).await?;
        while let Some(message) = self.consumer.next().await {
            self.left.push_back(message?);
        }
        self.consumer = begin(&self.channel, self.queue.clone(), prefetch).await?;
        Ok(())
    }

    /// The next message; `None` when the connection is lost or `stop` has come.
    pub(crate) async fn next_message(&mut self, stop: &CancellationToken) -> Option<Delivery> {
        if !stop.is_cancelled()
            && let Some(message) = self.left.pop_front()
        {
            return Some(message);
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            message = self.consumer.next() => match message {
                Some(Ok(message)) => Some(message),
                // lapin's consumer yields one error, and ends.
                Some(Err(error)) => {
                    tracing::warn!(%error, "the consumer was interrupted");
                    None
                }
                None => None,
            },
        }
    }

    /// Stops deliveries. The broker requeues prefetched messages without an acknowledgement when the channel closes.
    pub(crate) async fn cancel(&self) {
        let tag = self.consumer.tag();
        if let Err(error) = self.channel.basic_cancel(tag, BasicCancelOptions::default()).await {
            tracing::debug!(%error, "the consumer could not be cancelled; closing the connection cancels it");
        }
    }
}

async fn begin(
    channel: &lapin::Channel,
    queue: ShortString,
    prefetch: u16,
) -> Result<Consumer, lapin::Error> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    channel.basic_consume(queue, "".into(), BasicConsumeOptions::default(), FieldTable::default()).await
}
