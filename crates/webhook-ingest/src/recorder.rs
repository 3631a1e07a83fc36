//! Makes events durable, batch by batch.
//!
//! A single event is written at once. While a batch is being written, the next one gathers. Batches thus grow with the load,
//! and an idle service adds no wait. Only one batch is written at a time, which keeps the order of arrival.
//!
//! A database that is gone or hangs must not make webhooks pile up: they are answered with 503 when their batch fails, and
//! for a short while after it at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chassis::shutdown::Shutdown;
use store::{
    StoreError,
    ledger::webhook_events::{Inserted, NewWebhookEvent},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// Events of one batch.
const BATCH_LIMIT: usize = 256;
/// How long webhooks are rejected after a failed batch without trying the database again.
const OUTAGE_DELAY: Duration = Duration::from_millis(500);

/// What happens to the events of a batch. The service writes them to the ledger and publishes them.
pub trait EventSink: Send + 'static {
    /// Makes events durable. Returns one result for each, in order. Their senders are answered after this.
    fn insert(
        &mut self,
        events: &[NewWebhookEvent],
    ) -> impl Future<Output = Result<Vec<Inserted>, RecordError>> + Send;

    /// Takes those events that were new. The next batch is not written before this returns.
    fn hand_over(&mut self, events: Vec<NewWebhookEvent>);
}

/// Why an event was not recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RecordError {
    #[error("too many webhooks wait to be recorded")]
    Overloaded,
    #[error("the database was away a moment ago")]
    Outage,
    #[error("the database took too long")]
    TooSlow,
    #[error("the event was not written")]
    Store(#[source] Arc<StoreError>),
}

impl RecordError {
    /// Whether the database refused an event, and would take others.
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_refusal())
    }
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Queues events for the task that writes batches.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<QueuedEvent>,
    outage: Arc<Outage>,
    sink_timeout: Duration,
}

type RecordResult = Result<Inserted, RecordError>;

struct QueuedEvent {
    event: NewWebhookEvent,
    answer: oneshot::Sender<RecordResult>,
}

impl Recorder {
    /// Starts the task that writes batches. The task ends when every `Recorder` is dropped and the queue is empty.
    pub(crate) fn start(
        sink: impl EventSink,
        queue_limit: usize,
        sink_timeout: Duration,
        shutdown: &Shutdown,
    ) -> Self {
        let (queue, queued) = mpsc::channel(queue_limit);
        let outage = Arc::new(Outage::new());
        let writer = BatchWriter { sink, outage: outage.clone() };
        shutdown.supervise("recorder", async {
            writer.run(queued).await;
            Ok::<(), std::convert::Infallible>(())
        });
        Self { queue, outage, sink_timeout }
    }

    /// Whether an event could be queued now.
    pub(crate) fn check_capacity(&self) -> Result<(), RecordError> {
        if self.outage.is_on() {
            return Err(RecordError::Outage);
        }
        if self.queue.capacity() == 0 { Err(RecordError::Overloaded) } else { Ok(()) }
    }

    /// Returns once the event is committed, now or by an earlier delivery.
    pub(crate) async fn record(&self, event: NewWebhookEvent) -> RecordResult {
        let (answer, written) = oneshot::channel();
        // The queue is full or closed. The event will not be written, and the sender must send it again.
        self.queue.try_send(QueuedEvent { event, answer }).map_err(|_rejected| RecordError::Overloaded)?;
        // Twice: the event may wait for the batch that is being written now.
        match timeout(self.sink_timeout * 2, written).await {
            Ok(Ok(result)) => result,
            Ok(Err(_dropped)) => Err(RecordError::Overloaded),
            Err(_elapsed) => Err(RecordError::TooSlow),
        }
    }
}

/// The time until which the database is taken to be away.
struct Outage {
    created_at: Instant,
    /// Milliseconds since `created_at`.
    until: AtomicU64,
}

impl Outage {
    fn new() -> Self {
        Self { created_at: Instant::now(), until: AtomicU64::new(0) }
    }

    fn begin(&self) {
        let until = self.created_at.elapsed() + OUTAGE_DELAY;
        self.until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.created_at.elapsed().as_millis() < u128::from(self.until.load(Ordering::Relaxed))
    }
}

struct BatchWriter<S> {
    sink: S,
    outage: Arc<Outage>,
}

impl<S: EventSink> BatchWriter<S> {
    async fn run(mut self, mut queued: mpsc::Receiver<QueuedEvent>) {
        let mut batch = Vec::with_capacity(BATCH_LIMIT);
        while queued.recv_many(&mut batch, BATCH_LIMIT).await > 0 {
            // A sender that hung up got no 202 and sends its event again.
            batch.retain(|queued| !queued.answer.is_closed());
            let (events, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|q| (q.event, q.answer)).unzip();
            if let Err(error) = self.write(events, answers).await {
                self.outage.begin();
                // The events in the queue have waited as long, and the database would not take them either.
                while let Ok(queued) = queued.try_recv() {
                    let _ = queued.answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Writes a batch and answers its senders. Fails if the database is away, not if it refuses an event.
    async fn write(
        &mut self,
        events: Vec<NewWebhookEvent>,
        answers: Vec<oneshot::Sender<RecordResult>>,
    ) -> Result<(), RecordError> {
        let inserted = match self.sink.insert(&events).await {
            Ok(inserted) => inserted,
            Err(error) if error.is_refusal() && events.len() > 1 => {
                // One event is at fault: each is written by itself, so that the others are accepted.
                for (event, answer) in events.into_iter().zip(answers) {
                    Box::pin(self.write(vec![event], vec![answer])).await?;
                }
                return Ok(());
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    webhook.count = events.len(),
                    "webhooks were not recorded"
                );
                let errors = vec![Err(error.clone()); answers.len()];
                send_answers(answers, errors);
                return if error.is_refusal() { Ok(()) } else { Err(error) };
            }
        };
        let new = new_events(events, &inserted);
        send_answers(answers, inserted.into_iter().map(Ok).collect());
        self.sink.hand_over(new);
        Ok(())
    }
}

fn new_events(events: Vec<NewWebhookEvent>, inserted: &[Inserted]) -> Vec<NewWebhookEvent> {
    let is_new = |inserted: &Inserted| matches!(inserted, Inserted::New(_));
    events
        .into_iter()
        .zip(inserted)
        .filter(|(_, inserted)| is_new(inserted))
        .map(|(event, _)| event)
        .collect()
}

fn send_answers(answers: Vec<oneshot::Sender<RecordResult>>, results: Vec<RecordResult>) {
    for (answer, result) in answers.into_iter().zip(results) {
        // A sender may have hung up; its event is recorded all the same.
        let _hung_up = answer.send(result);
    }
}
