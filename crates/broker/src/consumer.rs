//! Consumes a work queue: hands deliveries to a handler, and settles each as its disposition says. A lost connection is
//! opened again without end.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use lapin::{message, types::ShortString};
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, Span};

use crate::{
    Broker, Delivery, Disposition, Prefetch, Publisher, Queue,
    consumer_channel::ConsumerChannel,
    settlement::{UnsettledDelivery, single_delivery, unbundle},
    trace_context,
};

/// How long the next batch waits for the one in hand: longer, and work that is stuck would hold up what comes after it; shorter,
/// and batches would hold little.
const SLOW_BATCH_TIMEOUT: Duration = Duration::from_millis(250);

/// How long an incomplete batch waits for more messages.
const BATCH_FILL_TIMEOUT: Duration = Duration::from_millis(2);

/// A message that came back so often without a disposition is handled alone: it may be what makes its batch fail, and the
/// other messages must not reach the delivery limit with it.
const REDELIVERIES_BEFORE_ALONE: u32 = 2;

/// Handles the messages of a queue, as many at a time as `prefetch` says, until `stop`; then waits for the handlers that run.
///
/// A message is acknowledged only after its handler has returned a disposition. If a handler panics, its message is
/// requeued; the delivery limit of the queue makes it a dead letter if this repeats.
pub async fn consume<H, F>(
    broker: &Broker,
    queue: Queue,
    mut prefetch: Prefetch,
    stop: &CancellationToken,
    handler: H,
) where
    H: Fn(Delivery) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Disposition> + Send + 'static,
{
    let publisher = Publisher::new(broker);
    let handlers = TaskTracker::new();
    while let Some(mut channel) = ConsumerChannel::open(broker, queue.name(), prefetch.limit(), stop).await {
        loop {
            let message = tokio::select! {
                message = channel.next_message(stop) => message,
                // A broker that is blocked answers late: the end must not wait for it.
                () = prefetch.changed() => {
                    match stop.run_until_cancelled(channel.set_prefetch(prefetch.limit())).await {
                        Some(Ok(())) => continue,
                        Some(Err(error)) => {
                            tracing::warn!(%error, "the consumer was interrupted");
                            None
                        }
                        None => None,
                    }
                }
            };
            let Some(message) = message else { break };
            let (handler, publisher) = (handler.clone(), publisher.clone());
            handlers.spawn(async move { handle_message(message, queue, &publisher, handler).await });
        }
        if stop.is_cancelled() {
            channel.cancel().await;
            handlers.close();
            // The channel must stay open until the last delivery is settled.
            handlers.wait().await;
            return;
        }
    }
    handlers.close();
    handlers.wait().await;
}

async fn handle_message<H, F>(message: message::Delivery, queue: Queue, publisher: &Publisher, handler: H)
where
    H: Fn(Delivery) -> F,
    F: Future<Output = Disposition> + Send + 'static,
{
    let received_at = Instant::now();
    let (delivery, unsettled) = single_delivery(message);
    let span = message_span(queue, &delivery);
    async {
        // In a task of its own, so that a panic ends nothing else.
        let disposition = match tokio::spawn(handler(delivery).in_current_span()).await {
            Ok(disposition) => Some(disposition),
            Err(panicked) => {
                tracing::error!(%panicked, "a handler panicked; its message is delivered again");
                None
            }
        };
        record_duration(queue, disposition.as_ref(), received_at);
        unsettled.settle(publisher, queue, disposition).await;
    }
    .instrument(span)
    .await;
}

/// Like [`consume`], but unpacks bundles and hands over batches of at most `batch_limit` messages, one after the other; while a
/// slow one is in hand, the next ones beside it. The handler returns one disposition for each message, in order. A message
/// waits at most two milliseconds for its batch to fill.
pub async fn consume_batches<H, F>(
    broker: &Broker,
    queue: Queue,
    batch_limit: u16,
    stop: &CancellationToken,
    handler: H,
) where
    H: Fn(Vec<Delivery>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Vec<Disposition>> + Send + 'static,
{
    let batches = TaskTracker::new();
    let consumer = BatchConsumer {
        publisher: Publisher::new(broker),
        queue,
        limit: batch_limit.into(),
        handler,
        batches: batches.clone(),
    };
    // Twice the batch, so that the next one arrives while this one is handled.
    let prefetch = batch_limit.saturating_mul(2);
    while let Some(mut channel) = ConsumerChannel::open(broker, queue.name(), prefetch, stop).await {
        consumer.run(&mut channel, stop).await;
        if stop.is_cancelled() {
            channel.cancel().await;
            batches.close();
            // The channel must stay open until the last delivery is settled.
            batches.wait().await;
            return;
        }
    }
    batches.close();
    batches.wait().await;
}

#[derive(Clone)]
struct BatchConsumer<H> {
    publisher: Publisher,
    queue: Queue,
    limit: usize,
    handler: H,
    /// The batches in hand. The prefetch limits how many there are.
    batches: TaskTracker,
}

impl<H, F> BatchConsumer<H>
where
    H: Fn(Vec<Delivery>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Vec<Disposition>> + Send + 'static,
{
    /// Handles batches until the connection is lost or `stop` has come.
    async fn run(&self, channel: &mut ConsumerChannel, stop: &CancellationToken) {
        // Deliveries of a bundle that did not fit into the last batch.
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                let Some(first) = channel.next_message(stop).await else { return };
                waiting.extend(unbundle(first, &self.publisher, self.queue).await);
            }
            let received_at = Instant::now();
            self.fill(&mut waiting, channel, stop).await;
            if !waiting.is_empty() {
                let batch = waiting.drain(..batch_length(&waiting, self.limit)).collect();
                let consumer = self.clone();
                let handling = self.batches.spawn(async move { consumer.handle(batch, received_at).await });
                let _in_time = timeout(SLOW_BATCH_TIMEOUT, handling).await;
            }
        }
    }

    async fn fill(
        &self,
        waiting: &mut VecDeque<(Delivery, UnsettledDelivery)>,
        channel: &mut ConsumerChannel,
        stop: &CancellationToken,
    ) {
        while waiting.len() < self.limit
            && let Ok(Some(message)) = timeout(BATCH_FILL_TIMEOUT, channel.next_message(stop)).await
        {
            waiting.extend(unbundle(message, &self.publisher, self.queue).await);
        }
    }

    async fn handle(&self, batch: Vec<(Delivery, UnsettledDelivery)>, received_at: Instant) {
        let (deliveries, unsettled): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        // Each message has a span in the trace of its sender, until the batch is done.
        let message_spans: Vec<_> =
            deliveries.iter().map(|delivery| message_span(self.queue, delivery)).collect();
        let span = match message_spans.as_slice() {
            [alone] => alone.clone(),
            _ => batch_span(self.queue, &message_spans),
        };
        let handling = (self.handler)(deliveries).instrument(span);
        let dispositions = tokio::spawn(handling).await.unwrap_or_else(|panicked| {
            tracing::error!(%panicked, "a handler panicked; its messages are delivered again");
            Vec::new()
        });
        let dispositions = dispositions.into_iter().map(Some).chain(std::iter::repeat(None));
        let settling = unsettled.into_iter().zip(dispositions).map(|(delivery, disposition)| {
            record_duration(self.queue, disposition.as_ref(), received_at);
            delivery.settle(&self.publisher, self.queue, disposition)
        });
        futures_util::future::join_all(settling).await;
    }
}

/// How many of the waiting deliveries make the next batch. One that was redelivered often makes a batch of its own.
fn batch_length(waiting: &VecDeque<(Delivery, UnsettledDelivery)>, limit: usize) -> usize {
    let shareable = waiting
        .iter()
        .take(limit)
        .take_while(|(delivery, _)| delivery.redeliveries < REDELIVERIES_BEFORE_ALONE)
        .count();
    shareable.max(1)
}

/// The span in which one message is processed, a child of the span that has sent it.
fn message_span(queue: Queue, delivery: &Delivery) -> Span {
    // Messages of a sync are correlated by its id; an event has none before its sync is recorded.
    let sync = delivery.properties.correlation_id().as_ref().map(ShortString::as_str);
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {queue}"),
        otel.kind = "consumer",
        messaging.system = "rabbitmq",
        messaging.destination.name = queue.name(),
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.message.id = delivery.message_id,
        messaging.message.conversation_id = sync,
        sms.sync.id = sync,
        sms.attempt = delivery.attempt,
    );
    if let Some(headers) = delivery.properties.headers() {
        trace_context::set_parent(&span, headers);
    }
    span
}

/// The span in which several messages are processed together.
fn batch_span(queue: Queue, message_spans: &[Span]) -> Span {
    let span = tracing::info_span!(
        "process",
        otel.name = format!("process {queue}"),
        otel.kind = "consumer",
        messaging.system = "rabbitmq",
        messaging.destination.name = queue.name(),
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.batch.message_count = message_spans.len(),
        sms.sync.id = tracing::field::Empty,
    );
    for message in message_spans {
        trace_context::link(&span, message);
        trace_context::link(message, &span);
    }
    span
}

fn record_duration(queue: Queue, disposition: Option<&Disposition>, received_at: Instant) {
    let label = match disposition {
        Some(Disposition::Done) => "done",
        Some(Disposition::Retry { .. }) => "retry",
        Some(Disposition::Reject { .. }) => "reject",
        Some(Disposition::Snooze(_)) => "snooze",
        None => "panic",
    };
    metrics::histogram!("messaging_process_duration_seconds", "queue" => queue.name(), "disposition" => label)
        .record(received_at.elapsed().as_secs_f64());
}
