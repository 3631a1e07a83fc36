//! Publishes recorded events, in the order in which they arrived.
//!
//! Batches come from the recorder one after the other, and are published one after the other, with one round of confirms for
//! several batches. What is recorded meanwhile gathers into the next round, in bundles. A single event is published at once.
//! That the broker confirmed is marked in the ledger a little later, many events at a time.
//!
//! An event that cannot be published stays in the ledger. From then on no later event may overtake it: the dispatcher
//! forgets the events that it has in memory, and publishes from the ledger, oldest first, until no event is left there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chassis::shutdown::Shutdown;
use chrono::TimeDelta;
use outbox::{LeftEvents, Outbox};
use store::ledger::webhook_events::NewWebhookEvent;
use tokio::sync::{mpsc, oneshot};

use crate::publication_marker::{MarkRequest, mark_published};

/// Batches that wait to be published: without their bodies some hundred bytes an event. If the broker falls behind by more,
/// events stay in the ledger and are read from there.
const QUEUE_LIMIT: usize = 256;
/// Batches of one round of confirms. A longer round takes the processors from requests that wait for a 202.
const ROUND_LIMIT: usize = 6;
/// From this many events on, a round waits [`ROUND_DELAY`] for more events. Each round of confirms is a write to the broker's
/// disk, beside those of the database, and delays every request that waits for a 202.
const ROUND_DELAY_THRESHOLD: usize = 8;
const ROUND_DELAY: Duration = Duration::from_millis(8);
/// How often to check for events that another process, or this one before it was killed, left unpublished.
const LEFT_EVENTS_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Younger events are still being published.
const LEFT_EVENTS_AGE: TimeDelta = TimeDelta::seconds(1);
/// Pause between two attempts to publish from the ledger.
const CATCH_UP_RETRY_DELAY: Duration = Duration::from_millis(250);

/// Queues recorded events for publication.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    batches: mpsc::Sender<Vec<NewWebhookEvent>>,
    /// Events stayed in the ledger, because the queue was full.
    has_overflowed: Arc<AtomicBool>,
}

impl Dispatcher {
    /// Starts the tasks that publish and mark events. They end when every `Dispatcher` is dropped and the queue is empty.
    pub(crate) fn start(outbox: Outbox, shutdown: &Shutdown) -> Self {
        let (sender, batches) = mpsc::channel(QUEUE_LIMIT);
        let (marks, mark_requests) = mpsc::channel(QUEUE_LIMIT);
        let has_overflowed = Arc::new(AtomicBool::new(false));
        shutdown.supervise_infallible("notes", {
            let outbox = outbox.clone();
            async move { mark_published(&outbox, mark_requests).await }
        });
        let publisher =
            EventPublisher { outbox, marks, has_overflowed: has_overflowed.clone(), left_checked_at: None };
        shutdown.supervise_infallible("dispatcher", publisher.run(batches));
        Self { batches: sender, has_overflowed }
    }

    /// Queues events that were just committed. Never waits: events that do not fit stay in the ledger.
    pub(crate) fn hand_over(&self, mut events: Vec<NewWebhookEvent>) {
        events.retain(|event| event.entity.is_some());
        if events.is_empty() {
            return;
        }
        // A message names the record; the body is needed in the ledger only.
        events.iter_mut().for_each(|event| event.body = Vec::new());
        if self.batches.try_send(events).is_err() {
            self.has_overflowed.store(true, Ordering::Release);
        }
    }
}

struct EventPublisher {
    outbox: Outbox,
    marks: mpsc::Sender<MarkRequest>,
    has_overflowed: Arc<AtomicBool>,
    left_checked_at: Option<Instant>,
}

impl EventPublisher {
    async fn run(mut self, mut queue: mpsc::Receiver<Vec<NewWebhookEvent>>) {
        let mut round = Vec::with_capacity(ROUND_LIMIT);
        while queue.recv_many(&mut round, ROUND_LIMIT).await > 0 {
            if round.iter().map(Vec::len).sum::<usize>() >= ROUND_DELAY_THRESHOLD {
                tokio::time::sleep(ROUND_DELAY).await;
                while round.len() < ROUND_LIMIT
                    && let Ok(batch) = queue.try_recv()
                {
                    round.push(batch);
                }
            }
            let events: Vec<_> = round.drain(..).flatten().collect();
            if self.has_overflowed.swap(false, Ordering::AcqRel) || self.has_left_events().await {
                self.catch_up(&mut queue).await;
                continue;
            }
            if !self.publish(events).await {
                self.catch_up(&mut queue).await;
            }
        }
        // The service ends, and no further batch would report the overflow.
        if self.has_overflowed.swap(false, Ordering::AcqRel) {
            self.catch_up(&mut queue).await;
        }
    }

    /// Whether every event was confirmed.
    async fn publish(&self, events: Vec<NewWebhookEvent>) -> bool {
        let sent = events.len();
        let confirmed = self.outbox.publish_events_unnoted(events).await;
        let all_confirmed = confirmed.len() == sent;
        // Fails if the process is ending by force. The relay then publishes the events again, which is harmless.
        let _ending = self.marks.send(MarkRequest::Confirmed(confirmed)).await;
        all_confirmed
    }

    /// Whether the ledger holds older events, of any process, that must be published first.
    async fn has_left_events(&mut self) -> bool {
        if self.left_checked_at.is_some_and(|at| at.elapsed() < LEFT_EVENTS_CHECK_INTERVAL) {
            return false;
        }
        self.left_checked_at = Some(Instant::now());
        // If the ledger does not answer, order cannot be kept; the events in memory are committed and may go out.
        self.outbox.has_left_events(LEFT_EVENTS_AGE).await.unwrap_or(false)
    }

    /// Publishes from the ledger until no event is left, or the service ends; the relay then goes on.
    async fn catch_up(&mut self, queue: &mut mpsc::Receiver<Vec<NewWebhookEvent>>) {
        self.flush_marks().await;
        tracing::warn!("events were not published; publishing from the ledger");
        let mut total = 0;
        loop {
            // Events in memory are in the ledger, too, and are published in their turn.
            self.has_overflowed.store(false, Ordering::Release);
            while queue.try_recv().is_ok() {}
            match self.outbox.publish_left_events().await {
                Ok(LeftEvents::None) => break,
                Ok(LeftEvents::Some { published, refused: 0 }) => {
                    total += published;
                    continue;
                }
                Ok(LeftEvents::Some { published, .. }) => total += published,
                Ok(LeftEvents::InOtherHands) => {}
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the ledger could not be read");
                }
            }
            if queue.is_closed() {
                return;
            }
            tokio::time::sleep(CATCH_UP_RETRY_DELAY).await;
        }
        self.left_checked_at = Some(Instant::now());
        tracing::info!(messages.count = total, "every event in the ledger is published");
    }

    /// Waits until confirmed events are marked, so that they are not read from the ledger as unpublished.
    async fn flush_marks(&self) {
        let (marked, wait) = oneshot::channel();
        if self.marks.send(MarkRequest::Flush(marked)).await.is_ok() {
            let _ = wait.await;
        }
    }
}
