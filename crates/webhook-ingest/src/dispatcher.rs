//! Publishes what was recorded, in the order in which it arrived.
//!
//! Batches come from the recorder one after the other and are published one after the other, with a round of confirms
//! for each; what is recorded meanwhile gathers into the next, and travels in bundles. A lone event goes out at once. That
//! the broker has confirmed is noted in the ledger a little later, many events at a time.
//!
//! What cannot be published stays in the ledger. From then on nothing may overtake it: the dispatcher falls *behind*,
//! forgets what it has in memory, and publishes from the ledger, oldest first, until nothing is left there.

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
use store::ledger::{unpublished::UnpublishedId, webhook_events::NewWebhookEvent};
use tokio::sync::{mpsc, oneshot};

/// Batches that may wait to be published, without their bodies some hundred bytes an event: if the broker falls behind by
/// more than this, they are left in the ledger, and read from there.
const WAITING_BATCHES: usize = 256;
/// Batches of one round of confirms, at most: a longer round keeps the processors from those who wait for a 202.
const ROUND: usize = 6;
/// So many events at once are a load. Then more are awaited for a moment before they are published together: each round of
/// confirms is a write to the broker's disk, beside those of the database, and whoever waits for a 202 feels them all.
const LOAD: usize = 8;
const GATHER: Duration = Duration::from_millis(8);
/// How long a confirm may wait to be noted: so that many are noted at once, and not so many that webhooks wait for it.
/// Well below the relay's patience, which would publish them again.
const NOTE_AFTER: Duration = Duration::from_millis(30);
/// Confirms that are noted with one statement, at most.
const MOST_NOTES: usize = 2000;
/// How often to look whether another process, or this one before it was killed, has left events behind.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Younger events are on their way.
const LEFT_AFTER: TimeDelta = TimeDelta::seconds(1);
/// Between two tries to publish what was left behind.
const TRY_EVERY: Duration = Duration::from_millis(250);

/// Where recorded events go to be published.
#[derive(Clone)]
pub(crate) struct Dispatcher {
    recorded: mpsc::Sender<Vec<NewWebhookEvent>>,
    behind: Arc<AtomicBool>,
}

impl Dispatcher {
    /// Starts publishing. Ends when the recorder has, with what it was given until then.
    pub(crate) fn start(outbox: Outbox, shutdown: &Shutdown) -> Self {
        let (sender, recorded) = mpsc::channel(WAITING_BATCHES);
        let (notes, noting) = mpsc::channel(WAITING_BATCHES);
        let behind = Arc::new(AtomicBool::new(false));
        shutdown.supervise_infallible("notes", {
            let outbox = outbox.clone();
            async move { note(&outbox, noting).await }
        });
        let work = Dispatch { outbox, notes, behind: behind.clone(), looked: None };
        shutdown.supervise_infallible("dispatcher", work.run(recorded));
        Self { recorded: sender, behind }
    }

    /// Hands over events that were just committed. Never waits: what is too much stays in the ledger.
    pub(crate) fn hand_over(&self, mut events: Vec<NewWebhookEvent>) {
        events.retain(|event| event.entity.is_some());
        if events.is_empty() {
            return;
        }
        // A message names the record; the body stays where it is.
        events.iter_mut().for_each(|event| event.body = Vec::new());
        if self.recorded.try_send(events).is_err() {
            self.behind.store(true, Ordering::Release);
        }
    }
}

struct Dispatch {
    outbox: Outbox,
    notes: mpsc::Sender<Note>,
    behind: Arc<AtomicBool>,
    looked: Option<Instant>,
}

enum Note {
    Confirmed(Vec<UnpublishedId>),
    /// Note all, then say so.
    Now(oneshot::Sender<()>),
}

impl Dispatch {
    async fn run(mut self, mut recorded: mpsc::Receiver<Vec<NewWebhookEvent>>) {
        let mut batches = Vec::with_capacity(ROUND);
        while recorded.recv_many(&mut batches, ROUND).await > 0 {
            if batches.iter().map(Vec::len).sum::<usize>() >= LOAD {
                tokio::time::sleep(GATHER).await;
                while batches.len() < ROUND
                    && let Ok(more) = recorded.try_recv()
                {
                    batches.push(more);
                }
            }
            let events: Vec<_> = batches.drain(..).flatten().collect();
            if self.behind.swap(false, Ordering::AcqRel) || self.has_left_events().await {
                self.catch_up(&mut recorded).await;
                continue;
            }
            let sent = events.len();
            let confirmed = self.outbox.publish_events_unnoted(events).await;
            let all = confirmed.len() == sent;
            // Fails when the process is ending by force: then the relay publishes once more, which is harmless.
            let _ending = self.notes.send(Note::Confirmed(confirmed)).await;
            if !all {
                self.catch_up(&mut recorded).await;
            }
        }
        // The service ends; what was too much to wait in memory has no batch after it that would say so.
        if self.behind.swap(false, Ordering::AcqRel) {
            self.catch_up(&mut recorded).await;
        }
    }

    /// Whether there is anything older, of whomever, that must go first.
    async fn has_left_events(&mut self) -> bool {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return false;
        }
        self.looked = Some(Instant::now());
        // Without an answer there is no order to keep: what is here is at least committed.
        self.outbox.has_left_events(LEFT_AFTER).await.unwrap_or(false)
    }

    /// Publishes from the ledger until nothing is left, or the service ends: then the relay goes on.
    async fn catch_up(&mut self, recorded: &mut mpsc::Receiver<Vec<NewWebhookEvent>>) {
        let (noted, wait) = oneshot::channel();
        if self.notes.send(Note::Now(noted)).await.is_ok() {
            let _ = wait.await;
        }
        tracing::warn!("events were left behind; publishing from the ledger");
        let mut total = 0;
        loop {
            // What waits in memory is in the ledger, too, and goes out in its turn.
            self.behind.store(false, Ordering::Release);
            while recorded.try_recv().is_ok() {}
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
            if recorded.is_closed() {
                return;
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
        self.looked = Some(Instant::now());
        tracing::info!(messages.count = total, "nothing is left behind any more");
    }
}

/// Notes confirms, many at a time.
async fn note(outbox: &Outbox, mut notes: mpsc::Receiver<Note>) {
    let mut confirmed = Vec::new();
    while let Some(first) = notes.recv().await {
        let mut asked = take(first, &mut confirmed);
        let due = tokio::time::Instant::now() + NOTE_AFTER;
        while asked.is_none() && confirmed.len() < MOST_NOTES {
            match tokio::time::timeout_at(due, notes.recv()).await {
                Ok(Some(next)) => asked = take(next, &mut confirmed),
                Ok(None) | Err(_) => break,
            }
        }
        if let Err(error) = outbox.note_published(&confirmed).await {
            // The relay publishes them again, which is harmless.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                messages.count = confirmed.len(),
                "published messages could not be noted"
            );
        }
        confirmed.clear();
        if let Some(asked) = asked {
            let _nobody_waits = asked.send(());
        }
    }
}

fn take(note: Note, confirmed: &mut Vec<UnpublishedId>) -> Option<oneshot::Sender<()>> {
    match note {
        Note::Confirmed(ids) => {
            confirmed.extend(ids);
            None
        }
        Note::Now(asked) => Some(asked),
    }
}
