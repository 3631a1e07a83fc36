//! How many pages are worked on at a time: all that a worker has in hand, and only one in the fleet while events come.
//!
//! To read a page of a thousand records keeps a processor busy, and to write it one of the database, for some hundred
//! milliseconds in all. Many pages at once are worth it as long as nobody waits. An approval does: its way leads through
//! a dozen short steps, each of which would wait behind pages for a processor.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use store::{PageTurn, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So long a worker waits for the others. One that hangs does not stop the fleet, and where many wait pages go on side by
/// side after all.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hands out turns to read and write a page. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PageTurns {
    turns: Arc<Semaphore>,
    /// Of all pages in hand.
    all: u32,
    last_event: Arc<Mutex<Option<Instant>>>,
    /// So long after an event the next one is likely.
    events_come: Duration,
}

/// Until it ends, or is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _here: OwnedSemaphorePermit,
    /// While events come.
    in_the_fleet: Option<PageTurn>,
}

impl Turn {
    pub(crate) async fn end(self) {
        if let Some(turn) = self.in_the_fleet {
            turn.end().await;
        }
    }
}

impl PageTurns {
    /// For a worker with so many page tasks in hand, that take turns for so long after an event.
    pub(crate) fn of(tasks: u16, events_come: Duration) -> Self {
        let turns = Arc::new(Semaphore::new(tasks.into()));
        Self { turns, all: tasks.into(), last_event: Arc::default(), events_come }
    }

    /// An event has come.
    pub(crate) fn event_came(&self) {
        *self.last_event.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn events_come(&self) -> bool {
        let last_event = *self.last_event.lock().unwrap_or_else(PoisonError::into_inner);
        last_event.is_some_and(|at| at.elapsed() < self.events_come)
    }

    /// Waits for a turn, in the order of asking.
    pub(crate) async fn turn(&self, store: &Store) -> Turn {
        let alone = self.events_come();
        let here = self.here(alone).await;
        let in_the_fleet = if alone {
            // A courtesy: what keeps it from us is no reason to fail.
            let turn = store.page_turn(PATIENCE).await;
            turn.inspect_err(|error| tracing::debug!(error = error as &dyn std::error::Error, "no turn")).ok()
        } else {
            None
        };
        Turn { _here: here, in_the_fleet }
    }

    /// A turn among this worker's pages.
    async fn here(&self, alone: bool) -> OwnedSemaphorePermit {
        let turns = if alone { self.all } else { 1 };
        self.turns.clone().acquire_many_owned(turns).await.expect("nobody closes the semaphore")
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn all_pages_are_worked_on_at_once_and_each_alone_while_events_come() {
        let pages = PageTurns::of(3, Duration::MAX);
        assert!(!pages.events_come());
        let (first, second) = (pages.here(false).await, pages.here(false).await);
        pages.event_came();
        assert!(pages.events_come());
        let mut third = Box::pin(pages.here(true));
        assert!(third.as_mut().now_or_never().is_none(), "alone, and so after the others");
        drop((first, second));
        let third = third.await;
        assert!(pages.here(false).now_or_never().is_none());
        drop(third);
        assert!(pages.here(false).now_or_never().is_some());
    }
}
