//! A circuit breaker: a portal that fails again and again is left alone for a while, and then tried with one request.
//!
//! Closed, everything goes through. After so many failures in a row it opens: nothing goes through until the pause is
//! over. Then it is half open: one request goes through, and its outcome closes or opens it. What counts as a failure is
//! no answer, a broken one, or a 5xx; a 429 is the answer of a portal that lives.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::PortalError;

/// When a circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitOptions {
    /// Failures in a row that open it.
    pub failures: u32,
    /// How long it stays open.
    pub open_for: Duration,
}

impl Default for CircuitOptions {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(30) }
    }
}

/// Where a circuit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CircuitState {
    /// Everything goes through.
    Closed,
    /// Nothing goes through, for this failure.
    Open(String),
    /// One request is on its way, to see whether this failure has passed.
    HalfOpen(String),
}

/// A wait for those that come while the one trial is on its way.
const TRIAL: Duration = Duration::from_secs(2);

/// Clones share one state.
#[derive(Debug, Clone)]
pub(crate) struct Circuit {
    options: CircuitOptions,
    inner: Arc<Mutex<Inner>>,
    told: Arc<watch::Sender<CircuitState>>,
}

#[derive(Debug)]
enum Inner {
    Closed { failures: u32 },
    Open { until: Instant, failure: String },
    Trial { failure: String },
}

/// Leave to ask. Dropped without a word (the asker was cancelled), it says nothing about the portal.
#[derive(Debug)]
pub(crate) struct Leave<'c> {
    circuit: &'c Circuit,
    settled: bool,
}

impl Circuit {
    pub(crate) fn new(options: CircuitOptions) -> Self {
        let circuit = Self {
            options,
            inner: Arc::new(Mutex::new(Inner::Closed { failures: 0 })),
            told: Arc::new(watch::Sender::new(CircuitState::Closed)),
        };
        gauge(&CircuitState::Closed);
        circuit
    }

    /// Where it stands, and whenever that changes.
    pub(crate) fn watch(&self) -> watch::Receiver<CircuitState> {
        self.told.subscribe()
    }

    /// Asks for leave; refused, it says when to come again.
    pub(crate) fn enter(&self, now: Instant) -> Result<Leave<'_>, PortalError> {
        let mut inner = self.lock();
        match &*inner {
            Inner::Closed { .. } => {}
            Inner::Open { until, .. } if *until > now => {
                return Err(PortalError::CircuitOpen { retry_in: *until - now });
            }
            Inner::Trial { .. } => return Err(PortalError::CircuitOpen { retry_in: TRIAL }),
            Inner::Open { failure, .. } => {
                let failure = failure.clone();
                self.tell(CircuitState::HalfOpen(failure.clone()));
                *inner = Inner::Trial { failure };
            }
        }
        drop(inner);
        Ok(Leave { circuit: self, settled: false })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is one assignment: a panic elsewhere leaves nothing half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, state: CircuitState) {
        gauge(&state);
        self.told.send_replace(state);
    }
}

fn gauge(state: &CircuitState) {
    let number = match state {
        CircuitState::Closed => 0.0,
        CircuitState::HalfOpen(_) => 1.0,
        CircuitState::Open(_) => 2.0,
    };
    metrics::gauge!("sms_circuit_state", "peer" => "onboarding-portal").set(number);
}

impl Leave<'_> {
    /// Says how it went.
    pub(crate) fn settle<T>(mut self, result: &Result<T, PortalError>, now: Instant) {
        self.settled = true;
        let circuit = self.circuit;
        let mut inner = circuit.lock();
        let Some(failure) = result.as_ref().err().filter(|error| error.is_sickness()) else {
            if !matches!(*inner, Inner::Closed { .. }) {
                tracing::info!("the onboarding portal answers again: the circuit is closed");
                circuit.tell(CircuitState::Closed);
            }
            *inner = Inner::Closed { failures: 0 };
            return;
        };
        let opens = match &mut *inner {
            Inner::Closed { failures } => {
                *failures += 1;
                *failures >= circuit.options.failures
            }
            Inner::Trial { .. } => true,
            // Asked before it opened, and late with its failure: that is known.
            Inner::Open { .. } => false,
        };
        if opens {
            let failure = failure.to_string();
            tracing::warn!(
                failure,
                open_ms = circuit.options.open_for.as_millis() as u64,
                "the circuit is open"
            );
            circuit.tell(CircuitState::Open(failure.clone()));
            *inner = Inner::Open { until: now + circuit.options.open_for, failure };
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let mut inner = self.circuit.lock();
        if let Inner::Trial { failure } = &*inner {
            // The trial did not take place: the next to come makes it.
            let failure = failure.clone();
            *inner = Inner::Open { until: Instant::now(), failure };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sick() -> Result<(), PortalError> {
        Err(PortalError::Status { status: 503, path: "sync/vessels".into(), detail: None, retry_after: None })
    }

    fn circuit() -> Circuit {
        Circuit::new(CircuitOptions { failures: 3, open_for: Duration::from_secs(30) })
    }

    fn is_open(circuit: &Circuit, now: Instant) -> bool {
        circuit.enter(now).is_err()
    }

    #[test]
    fn it_opens_after_so_many_failures_in_a_row_and_not_before() {
        let (circuit, now) = (circuit(), Instant::now());
        for result in [sick(), sick(), Ok(()), sick(), sick()] {
            circuit.enter(now).unwrap().settle(&result, now);
        }
        assert_eq!(*circuit.watch().borrow(), CircuitState::Closed);
        circuit.enter(now).unwrap().settle(&sick(), now);
        assert!(is_open(&circuit, now) && is_open(&circuit, now + Duration::from_secs(29)));
        assert!(matches!(*circuit.watch().borrow(), CircuitState::Open(_)));
    }

    #[test]
    fn after_the_pause_one_request_finds_out() {
        let (circuit, now) = (circuit(), Instant::now());
        (0..3).for_each(|_| circuit.enter(now).unwrap().settle(&sick(), now));
        let later = now + Duration::from_secs(31);
        let trial = circuit.enter(later).unwrap();
        assert!(is_open(&circuit, later), "one at a time");
        trial.settle(&sick(), later);
        assert!(is_open(&circuit, later + Duration::from_secs(29)));
        let again = later + Duration::from_secs(31);
        circuit.enter(again).unwrap().settle(&Ok(()), again);
        assert_eq!(*circuit.watch().borrow(), CircuitState::Closed);
        assert!(!is_open(&circuit, again));
    }

    #[test]
    fn a_trial_that_was_cancelled_leaves_the_next_one_to_find_out() {
        let (circuit, now) = (circuit(), Instant::now());
        (0..3).for_each(|_| circuit.enter(now).unwrap().settle(&sick(), now));
        let later = now + Duration::from_secs(31);
        drop(circuit.enter(later).unwrap());
        assert!(circuit.enter(later).is_ok());
    }

    #[test]
    fn an_answer_that_we_do_not_like_is_an_answer() {
        let (circuit, now) = (circuit(), Instant::now());
        for status in [401, 404, 429, 404, 429, 401] {
            let answer: Result<(), _> =
                Err(PortalError::Status { status, path: String::new(), detail: None, retry_after: None });
            circuit.enter(now).unwrap().settle(&answer, now);
        }
        assert_eq!(*circuit.watch().borrow(), CircuitState::Closed);
    }
}
