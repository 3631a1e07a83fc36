//! Turns in which pages are read and written: side by side, or one at a time in all workers while events arrive.
//!
//! Reading a page of a thousand records keeps a processor busy, and writing it one of the database's, for some hundred
//! milliseconds in all. An approval takes a dozen short steps, and each would wait behind pages for a processor. Without
//! events nobody waits, and many pages at once are faster.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use store::{PageTurn, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a worker waits for the turns of other workers before it goes on without one: a worker that hangs must not stop
/// the others.
const TURN_TIMEOUT: Duration = Duration::from_secs(5);

/// Hands out turns to read and write a page. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PageTurns {
    turns: Arc<Semaphore>,
    /// Turns in all.
    all: u32,
    last_event: Arc<Mutex<Option<Instant>>>,
    /// How long after an event pages take turns.
    after_event: Duration,
}

/// The turn of one page, until it is ended or dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The turn among the pages of this worker.
    here: Option<OwnedSemaphorePermit>,
    /// The turn among the pages of all workers, while events arrive.
    in_the_fleet: Option<PageTurn>,
}

impl Turn {
    pub(crate) async fn end(mut self) {
        self.release().await;
    }

    async fn release(&mut self) {
        if let Some(turn) = self.in_the_fleet.take() {
            turn.end().await;
        }
        self.here = None;
    }
}

impl PageTurns {
    /// This many turns, one at a time for `after_event` after each event.
    pub(crate) fn of(turns: u16, after_event: Duration) -> Self {
        let all = turns.into();
        let turns = Arc::new(Semaphore::new(turns.into()));
        Self { turns, all, last_event: Arc::default(), after_event }
    }

    /// Notes that an event has arrived.
    pub(crate) fn note_event(&self) {
        *self.last_event.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_event_near(&self) -> bool {
        let last_event = *self.last_event.lock().unwrap_or_else(PoisonError::into_inner);
        last_event.is_some_and(|at| at.elapsed() < self.after_event)
    }

    /// Waits for a turn, in the order of asking.
    pub(crate) async fn turn(&self, store: &Store) -> Turn {
        let alone = self.is_event_near();
        let here = self.local_turn(alone).await;
        let in_the_fleet = if alone {
            // The turn is a courtesy to approvals: without one the page goes on all the same.
            let turn = store.page_turn(TURN_TIMEOUT).await;
            turn.inspect_err(|error| tracing::debug!(error = error as &dyn std::error::Error, "no turn")).ok()
        } else {
            None
        };
        Turn { here: Some(here), in_the_fleet }
    }

    /// Gives a turn to other pages while `work` goes on, and then waits for the next one.
    pub(crate) async fn release_during<T>(
        &self,
        store: &Store,
        turn: &mut Turn,
        work: impl Future<Output = T>,
    ) -> T {
        turn.release().await;
        let result = work.await;
        *turn = self.turn(store).await;
        result
    }

    /// A turn among this worker's pages; `alone`: without others beside it.
    async fn local_turn(&self, alone: bool) -> OwnedSemaphorePermit {
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
        assert!(!pages.is_event_near());
        let (first, second) = (pages.local_turn(false).await, pages.local_turn(false).await);
        pages.note_event();
        assert!(pages.is_event_near());
        let mut third = Box::pin(pages.local_turn(true));
        assert!(third.as_mut().now_or_never().is_none(), "alone, and so after the others");
        drop((first, second));
        let third = third.await;
        assert!(pages.local_turn(false).now_or_never().is_none());
        drop(third);
        assert!(pages.local_turn(false).now_or_never().is_some());
    }
}
