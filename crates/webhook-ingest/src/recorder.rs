//! Makes events durable: whoever waits together is written with one statement, and published with one round of confirms.
//!
//! A single event is written at once. While a batch is being written the next one gathers, so the batches grow with the
//! load by themselves, and an idle service adds no wait.

use std::sync::Arc;

use chassis::shutdown::Shutdown;
use domain::clock::{Clock, SystemClock};
use outbox::Outbox;
use store::{
    Store, StoreError,
    webhook_events::{Inserted, NewWebhookEvent, webhook_events_insert},
};
use tokio::sync::{mpsc, oneshot};

/// Events of one statement, at most.
const LARGEST_BATCH: usize = 256;
/// Batches in hand at a time: one is written while the one before is published.
const WRITERS: usize = 2;

/// Where events go to become rows.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    event: NewWebhookEvent,
    answer: oneshot::Sender<Result<Inserted, Arc<StoreError>>>,
}

/// Why an event is not a row.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRecorded {
    /// As many wait as may.
    #[error("too many webhooks wait to be recorded")]
    Overloaded,
    /// The database refused, or is gone.
    #[error("the event was not written")]
    Store(#[source] Arc<StoreError>),
}

impl Recorder {
    /// Starts writing. Ends once no handler is left that could send more and every event in hand is written.
    pub(crate) fn start(store: Store, outbox: Outbox, waiting_limit: usize, shutdown: &Shutdown) -> Self {
        let (queue, waiting) = mpsc::channel(waiting_limit);
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        for _ in 0..WRITERS {
            let writing = write(store.clone(), outbox.clone(), waiting.clone());
            shutdown.supervise("recorder", async {
                writing.await;
                Ok::<(), std::convert::Infallible>(())
            });
        }
        Self { queue }
    }

    /// Returns once the event is committed, now or by an earlier delivery.
    pub(crate) async fn record(&self, event: NewWebhookEvent) -> Result<Inserted, NotRecorded> {
        let (answer, written) = oneshot::channel();
        // Full, or closing: either way nobody will write it, and the sender must come back.
        self.queue.try_send(Waiting { event, answer }).map_err(|_full| NotRecorded::Overloaded)?;
        match written.await {
            Ok(result) => result.map_err(NotRecorded::Store),
            Err(_gone) => Err(NotRecorded::Overloaded),
        }
    }
}

async fn write(store: Store, outbox: Outbox, waiting: Arc<tokio::sync::Mutex<mpsc::Receiver<Waiting>>>) {
    loop {
        let mut batch = Vec::new();
        if waiting.lock().await.recv_many(&mut batch, LARGEST_BATCH).await == 0 {
            return;
        }
        record_batch(&store, &outbox, batch).await;
    }
}

async fn record_batch(store: &Store, outbox: &Outbox, batch: Vec<Waiting>) {
    let (events, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|w| (w.event, w.answer)).unzip();
    match insert(store, &events).await {
        Ok(inserted) => {
            let new: Vec<NewWebhookEvent> = events
                .into_iter()
                .zip(&inserted)
                .filter(|(_, inserted)| matches!(inserted, Inserted::New(_)))
                .map(|(event, _)| event)
                .collect();
            for (answer, inserted) in answers.into_iter().zip(inserted) {
                // The sender may have hung up; its event is recorded all the same.
                let _ = answer.send(Ok(inserted));
            }
            outbox.publish_events(new).await;
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                webhook.count = events.len(),
                "webhooks were not recorded"
            );
            let error = Arc::new(error);
            for answer in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

async fn insert(store: &Store, events: &[NewWebhookEvent]) -> Result<Vec<Inserted>, StoreError> {
    webhook_events_insert(&mut *store.db().await?, events, SystemClock.now()).await
}
