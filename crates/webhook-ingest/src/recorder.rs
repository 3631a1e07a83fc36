//! Makes events durable: whoever waits together is written with one statement.
//!
//! A single event is written at once. While a batch is being written the next one gathers, so the batches grow with the
//! load by themselves, and an idle service adds no wait. One batch at a time keeps the order of arrival.
//!
//! A database that is gone or hangs must not make webhooks pile up: they are answered with 503 when a batch fails, and
//! for a short while after it at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chassis::shutdown::Shutdown;
use domain::clock::{Clock, SystemClock};
use outbox::Outbox;
use store::{
    Connection, Store, StoreError,
    ledger::webhook_events::{Inserted, NewWebhookEvent, webhook_events_insert},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::dispatcher::Dispatcher;

/// Events of one statement, at most.
const LARGEST_BATCH: usize = 256;
/// A connection that was in use so recently needs no proof that it lives.
const FRESH: Duration = Duration::from_secs(1);
/// After a batch that failed, webhooks are refused for so long without asking the database again.
const BREATHER: Duration = Duration::from_millis(500);

/// Where events go to become rows.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: mpsc::Sender<Waiting>,
    outage: Arc<Outage>,
    patience: Duration,
}

struct Waiting {
    event: NewWebhookEvent,
    answer: oneshot::Sender<Result<Inserted, NotRecorded>>,
}

/// Why an event is not a row.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NotRecorded {
    /// As many wait as may.
    #[error("too many webhooks wait to be recorded")]
    Overloaded,
    /// The database was away a moment ago.
    #[error("the database was away a moment ago")]
    Outage,
    /// The database hangs.
    #[error("the database took too long")]
    TooSlow,
    /// The database refused, or is gone.
    #[error("the event was not written")]
    Store(#[source] Arc<StoreError>),
}

/// What is done with events. A running service does both; the benchmark leaves halves out, to say what each costs.
pub(crate) enum Work {
    /// Insert, answer, publish.
    Both(Store, Dispatcher),
    /// Insert, answer.
    Insert(Store),
    /// Publish, answer.
    Publish(Outbox),
    /// Answer.
    Nothing,
}

/// Until when the database is taken to be away, in milliseconds since this was made.
struct Outage {
    began: Instant,
    until: AtomicU64,
}

impl Outage {
    fn begin(&self) {
        let until = self.began.elapsed() + BREATHER;
        self.until.store(u64::try_from(until.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn is_on(&self) -> bool {
        self.began.elapsed().as_millis() < u128::from(self.until.load(Ordering::Relaxed))
    }
}

impl Recorder {
    /// Starts writing. Ends once no handler is left that could send more and every event in hand is written.
    pub(crate) fn start(work: Work, waiting_limit: usize, patience: Duration, shutdown: &Shutdown) -> Self {
        let (queue, waiting) = mpsc::channel(waiting_limit);
        let outage = Arc::new(Outage { began: Instant::now(), until: AtomicU64::new(0) });
        let writer = Writer { work, connection: None, outage: outage.clone(), patience };
        shutdown.supervise_infallible("recorder", writer.run(waiting));
        Self { queue, outage, patience }
    }

    /// Whether it is any use to read a webhook now.
    pub(crate) fn check(&self) -> Result<(), NotRecorded> {
        if self.outage.is_on() {
            return Err(NotRecorded::Outage);
        }
        if self.queue.capacity() == 0 { Err(NotRecorded::Overloaded) } else { Ok(()) }
    }

    /// Returns once the event is committed, now or by an earlier delivery.
    pub(crate) async fn record(&self, event: NewWebhookEvent) -> Result<Inserted, NotRecorded> {
        let (answer, written) = oneshot::channel();
        // Full, or closing: either way nobody will write it, and the sender must come back.
        self.queue.try_send(Waiting { event, answer }).map_err(|_full| NotRecorded::Overloaded)?;
        // Twice: behind the batch that is being written now.
        match timeout(self.patience * 2, written).await {
            Ok(Ok(result)) => result,
            Ok(Err(_gone)) => Err(NotRecorded::Overloaded),
            Err(_elapsed) => Err(NotRecorded::TooSlow),
        }
    }
}

struct Writer {
    work: Work,
    /// Kept from batch to batch, with the time of its last use: a checkout costs a round trip.
    connection: Option<(Connection, Instant)>,
    outage: Arc<Outage>,
    patience: Duration,
}

impl Writer {
    async fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(LARGEST_BATCH);
        while waiting.recv_many(&mut batch, LARGEST_BATCH).await > 0 {
            // Whoever hung up has got no 202 and comes again.
            batch.retain(|waiting| !waiting.answer.is_closed());
            let (events, answers): (Vec<_>, Vec<_>) = batch.drain(..).map(|w| (w.event, w.answer)).unzip();
            if let Err(error) = self.record(events, answers).await {
                self.outage.begin();
                // They have waited as long, and the database would not answer them either.
                while let Ok(waiting) = waiting.try_recv() {
                    let _ = waiting.answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Writes a batch and answers it. Fails if the database is away, not if it refuses an event.
    async fn record(
        &mut self,
        mut events: Vec<NewWebhookEvent>,
        answers: Vec<oneshot::Sender<Result<Inserted, NotRecorded>>>,
    ) -> Result<(), NotRecorded> {
        if let Work::Publish(outbox) = &self.work {
            let all: Vec<_> = events.iter().map(|event| Ok(Inserted::New(event.id))).collect();
            outbox.publish_events_unnoted(events).await;
            answer(answers, all);
            return Ok(());
        }
        let inserted = match self.insert(&events).await {
            Ok(inserted) => inserted,
            Err(NotRecorded::Store(error)) if error.is_refusal() && events.len() > 1 => {
                // One of them is the culprit; the others must not suffer for it.
                for (event, answer) in events.into_iter().zip(answers) {
                    Box::pin(self.record(vec![event], vec![answer])).await?;
                }
                return Ok(());
            }
            Err(error) => {
                let refusal = matches!(&error, NotRecorded::Store(error) if error.is_refusal());
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    webhook.count = events.len(),
                    "webhooks were not recorded"
                );
                let count = answers.len();
                answer(answers, vec![Err(error.clone()); count]);
                return if refusal { Ok(()) } else { Err(error) };
            }
        };
        let mut place = 0;
        events.retain(|_event| {
            place += 1;
            matches!(inserted[place - 1], Inserted::New(_))
        });
        // The sender may have hung up; its event is recorded all the same.
        answer(answers, inserted.into_iter().map(Ok).collect());
        if let Work::Both(_, dispatcher) = &self.work {
            dispatcher.hand_over(events);
        }
        Ok(())
    }

    async fn insert(&mut self, events: &[NewWebhookEvent]) -> Result<Vec<Inserted>, NotRecorded> {
        let (Work::Both(store, _) | Work::Insert(store)) = &self.work else {
            return Ok(events.iter().map(|event| Inserted::New(event.id)).collect());
        };
        let connecting = async {
            match self.connection.take() {
                Some((connection, used)) if used.elapsed() < FRESH => Ok(connection),
                // Back to the pool, which looks whether it lives.
                _ => store.db().await,
            }
        };
        let mut connection =
            timeout(self.patience, connecting).await.map_err(|_elapsed| NotRecorded::TooSlow)??;
        match timeout(self.patience, webhook_events_insert(&mut connection, events, SystemClock.now())).await
        {
            Ok(Ok(inserted)) => {
                self.connection = Some((connection, Instant::now()));
                Ok(inserted)
            }
            Ok(Err(error)) => {
                // After a refusal it is as good as before. Otherwise it goes back to the pool.
                self.connection = Some((connection, Instant::now())).filter(|_| error.is_refusal());
                Err(error.into())
            }
            Err(_elapsed) => {
                connection.discard();
                Err(NotRecorded::TooSlow)
            }
        }
    }
}

impl From<StoreError> for NotRecorded {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

fn answer(
    answers: Vec<oneshot::Sender<Result<Inserted, NotRecorded>>>,
    results: Vec<Result<Inserted, NotRecorded>>,
) {
    for (answer, result) in answers.into_iter().zip(results) {
        let _hung_up = answer.send(result);
    }
}
