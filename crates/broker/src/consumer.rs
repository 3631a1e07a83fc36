//! Consuming: deliveries in, dispositions out. Survives a broker that goes and comes back.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use lapin::{
    Consumer,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::{FieldTable, ShortString},
};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::{
    Broker, Delivery, Disposition, Publisher, Queue,
    settlement::{self as ticket, Ticket},
    trace_context as trace,
};

/// How long a batch waits for company after its first message.
const LINGER: Duration = Duration::from_millis(2);

/// Handles the messages of a queue, up to `concurrency` at a time, until `stop`; then finishes those in hand.
///
/// A message is acknowledged only after its handler has said what is to become of it; a handler that panics gives its
/// message back, and the delivery limit ends a message that does this again and again.
pub async fn consume<H, F>(
    broker: &Broker,
    queue: Queue,
    concurrency: u16,
    stop: &CancellationToken,
    handler: H,
) where
    H: Fn(Delivery) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Disposition> + Send + 'static,
{
    let publisher = Publisher::new(broker);
    let in_hand = TaskTracker::new();
    while let Some(mut session) = Session::open(broker, queue.name(), concurrency, stop).await {
        while let Some(message) = session.next(stop).await {
            let (handler, publisher) = (handler.clone(), publisher.clone());
            in_hand.spawn(async move {
                let began = Instant::now();
                let (delivery, ticket) = ticket::deliver(message);
                let span = tracing::info_span!(
                    "process",
                    otel.name = format!("process {queue}"),
                    otel.kind = "consumer",
                    messaging.system = "rabbitmq",
                    messaging.destination.name = queue.name(),
                    messaging.operation.type = "process",
                    messaging.message.id = delivery.message_id,
                    sms.attempt = delivery.attempt,
                );
                if let Some(headers) = delivery.properties.headers() {
                    trace::link(&span, headers);
                }
                async {
                    let disposition = in_a_task(handler(delivery)).await;
                    record(queue, &disposition, began);
                    ticket.settle(&publisher, queue, disposition).await;
                }
                .instrument(span)
                .await;
            });
        }
        if stop.is_cancelled() {
            session.cancel().await;
            in_hand.close();
            // The channel must live until the last of them is settled.
            in_hand.wait().await;
            return;
        }
    }
    in_hand.close();
    in_hand.wait().await;
}

/// Like [`consume`], but unpacks bundles, and hands over what waits together, at most `largest`, and one batch at a time. The handler answers
/// with one disposition for each, in order. An idle message waits at most two milliseconds for company.
pub async fn consume_batches<H, F>(
    broker: &Broker,
    queue: Queue,
    largest: u16,
    stop: &CancellationToken,
    handler: H,
) where
    H: Fn(Vec<Delivery>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Vec<Disposition>> + Send + 'static,
{
    let publisher = Publisher::new(broker);
    // Twice the batch, so that the next one gathers while this one is handled.
    while let Some(mut session) = Session::open(broker, queue.name(), largest.saturating_mul(2), stop).await {
        // Of a bundle that did not fit into the batch.
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                let Some(first) = session.next(stop).await else { break };
                waiting.extend(ticket::unpack(first, &publisher, queue).await);
            }
            let began = Instant::now();
            while waiting.len() < usize::from(largest) {
                match timeout(LINGER, session.next(stop)).await {
                    Ok(Some(message)) => waiting.extend(ticket::unpack(message, &publisher, queue).await),
                    Ok(None) | Err(_) => break,
                }
            }
            if waiting.is_empty() {
                continue;
            }
            let batch = waiting.drain(..together(&waiting, largest.into()));
            let span = tracing::info_span!(
                "process",
                otel.name = format!("process {queue}"),
                otel.kind = "consumer",
                messaging.system = "rabbitmq",
                messaging.destination.name = queue.name(),
                messaging.operation.type = "process",
                messaging.batch.message_count = batch.len(),
            );
            let (deliveries, tickets): (Vec<_>, Vec<_>) = batch.unzip();
            for headers in deliveries.iter().filter_map(|d: &Delivery| d.properties.headers().as_ref()) {
                trace::link(&span, headers);
            }
            let handling = handler(deliveries);
            let dispositions = tokio::spawn(handling.instrument(span)).await.unwrap_or_else(|panicked| {
                tracing::error!(%panicked, "a handler panicked; its messages are delivered again");
                Vec::new()
            });
            let dispositions = dispositions.into_iter().map(Some).chain(std::iter::repeat(None));
            let settling = tickets.into_iter().zip(dispositions).map(|(ticket, disposition)| {
                record(queue, &disposition, began);
                ticket.settle(&publisher, queue, disposition)
            });
            futures_util::future::join_all(settling).await;
        }
        if stop.is_cancelled() {
            session.cancel().await;
            break;
        }
    }
}

/// How many of those that wait are handled together. What came back twice already is handled alone: it may be what made
/// its batch fail, and the others must not reach the delivery limit with it.
fn together(waiting: &VecDeque<(Delivery, Ticket)>, largest: usize) -> usize {
    let harmless = waiting.iter().take(largest).take_while(|(delivery, _)| delivery.returns < 2).count();
    harmless.max(1)
}

/// In a task of its own, so that a panic is its own; `None` then.
async fn in_a_task(handling: impl Future<Output = Disposition> + Send + 'static) -> Option<Disposition> {
    match tokio::spawn(handling.in_current_span()).await {
        Ok(disposition) => Some(disposition),
        Err(panicked) => {
            tracing::error!(%panicked, "a handler panicked; its message is delivered again");
            None
        }
    }
}

fn record(queue: Queue, disposition: &Option<Disposition>, began: Instant) {
    let word = match disposition {
        Some(Disposition::Done) => "done",
        Some(Disposition::Retry { .. }) => "retry",
        Some(Disposition::Reject { .. }) => "reject",
        Some(Disposition::Snooze(_)) => "snooze",
        None => "panic",
    };
    metrics::histogram!("messaging_process_duration_seconds", "queue" => queue.name(), "disposition" => word)
        .record(began.elapsed().as_secs_f64());
}

/// A consumer on a channel of its own.
pub(crate) struct Session {
    channel: lapin::Channel,
    consumer: Consumer,
}

impl Session {
    /// However long it takes; none if `stop` comes first.
    pub(crate) async fn open(
        broker: &Broker,
        queue: &str,
        prefetch: u16,
        stop: &CancellationToken,
    ) -> Option<Self> {
        loop {
            let channel = broker.channel_eventually(stop).await?;
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
                        () = tokio::time::sleep(Duration::from_millis(500)) => {}
                    }
                }
            }
        }
    }

    /// The next message; none when the connection is lost or `stop` has come.
    pub(crate) async fn next(&mut self, stop: &CancellationToken) -> Option<lapin::message::Delivery> {
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            message = self.consumer.next() => match message {
                Some(Ok(message)) => Some(message),
                // The consumer yields one error, and ends.
                Some(Err(error)) => {
                    tracing::warn!(%error, "the consumer was interrupted");
                    None
                }
                None => None,
            },
        }
    }

    /// Takes no more messages. What was delivered and not begun goes back when the channel closes.
    pub(crate) async fn cancel(&self) {
        let tag = self.consumer.tag();
        if let Err(error) = self.channel.basic_cancel(tag, BasicCancelOptions::default()).await {
            tracing::debug!(%error, "the consumer could not be cancelled; the connection's end will do it");
        }
    }
}
