//! A channel with one consumer on it. Work queues and the dead-letter queue are both read through it.

use std::time::Duration;

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
    consumer: Consumer,
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
            let consuming = async {
                channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
                let (tag, options) = (ShortString::from(""), BasicConsumeOptions::default());
                channel.basic_consume(queue.into(), tag, options, FieldTable::default()).await
            };
            match consuming.await {
                Ok(consumer) => return Some(Self { channel, consumer }),
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

    /// The next message; `None` when the connection is lost or `stop` has come.
    pub(crate) async fn next_message(&mut self, stop: &CancellationToken) -> Option<Delivery> {
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
