//! How many pages this worker has in hand: as many as keep its writers busy while other pages wait for the onboarding portal.
//!
//! With fewer, a slow portal leaves the processors idle. With more, pages wait here that other workers could take.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// Weight of the newest page in the means.
const NEWEST_WEIGHT: f64 = 0.1;
/// Least time between two changes: each costs two round trips to the broker.
const CHANGE_INTERVAL: Duration = Duration::from_secs(2);
/// Pages in hand for each writer before anything is measured.
const FIRST_PER_WRITER: u16 = 8;

/// Counts pages, and tells the consumer of their number.
#[derive(Debug)]
pub(crate) struct PageSlots {
    /// Pages that are read and written at a time.
    writers: u16,
    /// Pages in hand at most.
    limit: u16,
    measured: Mutex<Measured>,
    slots: watch::Sender<u16>,
}

#[derive(Debug, Default)]
struct Measured {
    /// Mean times of a page, in seconds: at the portal, and in the hands of a writer.
    waited: Option<f64>,
    worked: Option<f64>,
    changed_at: Option<Instant>,
}

impl PageSlots {
    pub(crate) fn new(writers: u16, limit: u16) -> Self {
        let first = writers.saturating_mul(FIRST_PER_WRITER).min(limit);
        Self { writers, limit, measured: Mutex::default(), slots: watch::Sender::new(first) }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u16> {
        self.slots.subscribe()
    }

    /// Takes the times of a page into account: how long the portal took to answer, and how long it was read and written.
    pub(crate) fn record(&self, waited: Duration, worked: Duration, now: Instant) {
        // Every change is one assignment, so a panic of another holder cannot leave half of one.
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = mean(&mut measured.waited, waited);
        let worked = mean(&mut measured.worked, worked);
        let (wanted, current) = (wanted(self.writers, self.limit, waited, worked), *self.slots.borrow());
        let is_due = measured.changed_at.is_none_or(|at| now.duration_since(at) >= CHANGE_INTERVAL);
        // Small differences are noise.
        if is_due && wanted.abs_diff(current) > current / 4 {
            measured.changed_at = Some(now);
            self.slots.send_replace(wanted);
            tracing::debug!(slots = wanted, before = current, waited, worked, "pages in hand");
        }
    }
}

/// The mean with this time, in seconds.
fn mean(mean: &mut Option<f64>, newest: Duration) -> f64 {
    let newest = newest.as_secs_f64();
    let next = mean.map_or(newest, |mean| mean + NEWEST_WEIGHT * (newest - mean));
    *mean = Some(next);
    next
}

/// Each writer needs the page that it writes, the next one, and as many at the portal as it writes while one comes (Little's law).
fn wanted(writers: u16, limit: u16, waited: f64, worked: f64) -> u16 {
    let at_portal = waited / worked.max(0.001);
    let pages = (f64::from(writers) * (2.0 + at_portal)).ceil();
    (pages.min(f64::from(limit)) as u16).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn slower_portal_gets_more_pages_up_to_the_limit() {
        let of = |waited| wanted(2, 32, waited, 0.05);
        assert_eq!([of(0.0), of(0.05), of(0.2), of(10.0)], [4, 6, 12, 32]);
        assert_eq!(wanted(2, 1, 0.0, 0.0), 1, "a limit is a limit");
    }

    #[test]
    fn slots_follow_the_means_and_not_each_page() {
        let (slots, now) = (PageSlots::new(2, 32), Instant::now());
        let current = slots.subscribe();
        assert_eq!(*current.borrow(), 16);
        slots.record(ms(50), ms(50), now);
        assert_eq!(*current.borrow(), 6);
        slots.record(ms(5_000), ms(50), now + ms(100));
        assert_eq!(*current.borrow(), 6, "one slow page, just after a change");
        for n in 0..100 {
            slots.record(ms(500), ms(50), now + ms(100 * n));
        }
        // Ten times as long at the portal as in hand asks for 24, give or take what is taken for noise.
        let slots = *current.borrow();
        assert!((19..=30).contains(&slots), "{slots}");
    }
}
