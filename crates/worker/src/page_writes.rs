//! How many pages a worker writes at a time: all that it has in hand, and only one while events come.
//!
//! A page of a thousand records keeps a processor of the database busy, and its rows locked, for some hundred
//! milliseconds. Several at once are worth it as long as nobody waits; an approval does.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So long after an event the next one is likely.
const EVENTS_COME: Duration = Duration::from_secs(1);

/// Hands out turns to write a page. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct PageWrites {
    turns: Arc<Semaphore>,
    /// Of all pages in hand.
    all: u32,
    last_event: Arc<Mutex<Option<Instant>>>,
}

impl PageWrites {
    /// For a worker with so many page tasks in hand.
    pub(crate) fn of(tasks: u16) -> Self {
        Self { turns: Arc::new(Semaphore::new(tasks.into())), all: tasks.into(), last_event: Arc::default() }
    }

    /// An event has come.
    pub(crate) fn event_came(&self) {
        *self.last_event.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Waits for a turn, in the order of asking. While events come a turn is everybody's.
    pub(crate) async fn turn(&self) -> OwnedSemaphorePermit {
        let last_event = *self.last_event.lock().unwrap_or_else(PoisonError::into_inner);
        let events_come = last_event.is_some_and(|at| at.elapsed() < EVENTS_COME);
        let turns = if events_come { self.all } else { 1 };
        self.turns.clone().acquire_many_owned(turns).await.expect("nobody closes the semaphore")
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn all_pages_are_written_at_once_until_an_event_comes() {
        let writes = PageWrites::of(3);
        let (first, second) = (writes.turn().await, writes.turn().await);
        writes.event_came();
        let mut third = Box::pin(writes.turn());
        assert!(third.as_mut().now_or_never().is_none(), "alone, and so after the others");
        drop((first, second));
        let third = third.await;
        assert!(writes.turn().now_or_never().is_none());
        drop(third);
        assert!(writes.turn().now_or_never().is_some());
    }
}
