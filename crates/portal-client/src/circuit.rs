//! A circuit breaker: a portal that fails repeatedly gets no requests for a while, and then a single one.
//!
//! A closed circuit lets every request through. After a number of failures in a row it opens, and lets no request through
//! until its pause is over. Then it is half open: one request goes through, and its result closes or opens the circuit.
//! Failures are: no answer, a malformed answer, a 5xx. A 429 is the answer of a portal that works.
//!
//! Requests that were under way together fail as one: many slices of one list that fail at once say no more about the portal than
//! one chain does, and must not keep approvals waiting.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use reqwest::Response;
use tokio::sync::watch;

use crate::PortalError;

/// When the circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CircuitOptions {
    /// Failures in a row that open the circuit.
    pub failures: u32,
    pub open_for: Duration,
}

impl Default for CircuitOptions {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(30) }
    }
}

/// State of the circuit, as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CircuitState {
    /// Every request goes through.
    Closed,
    /// No request goes through, after this failure.
    Open(String),
    /// One request tests whether this failure has passed.
    HalfOpen(String),
}

/// What `retry_in` says to requests that are refused while the circuit is half open.
const HALF_OPEN_RETRY_DELAY: Duration = Duration::from_secs(2);

/// Clones share one state.
#[derive(Debug, Clone)]
pub(crate) struct Circuit {
    options: CircuitOptions,
    inner: Arc<Mutex<Inner>>,
    state: Arc<watch::Sender<CircuitState>>,
}

#[derive(Debug)]
enum Inner {
    Closed {
        failures: u32,
        /// When the last of them was counted.
        counted_at: Option<Instant>,
    },
    Open {
        until: Instant,
        failure: String,
    },
    HalfOpen {
        failure: String,
    },
}

/// Permission to send one request. A permit that is dropped without a result (its request was cancelled) says nothing about
/// the portal.
#[derive(Debug)]
pub(crate) struct CircuitPermit<'c> {
    circuit: &'c Circuit,
    acquired_at: Instant,
    has_result: bool,
}

impl Circuit {
    pub(crate) fn new(options: CircuitOptions) -> Self {
        let circuit = Self {
            options,
            inner: Arc::new(Mutex::new(Inner::Closed { failures: 0, counted_at: None })),
            state: Arc::new(watch::Sender::new(CircuitState::Closed)),
        };
        set_state_gauge(&CircuitState::Closed);
        circuit
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<CircuitState> {
        self.state.subscribe()
    }

    /// A permit for one request, or [`PortalError::CircuitOpen`] with the time to wait.
    pub(crate) fn acquire(&self, now: Instant) -> Result<CircuitPermit<'_>, PortalError> {
        let mut inner = self.lock();
        match &*inner {
            Inner::Closed { .. } => {}
            Inner::Open { until, .. } if *until > now => {
                return Err(PortalError::CircuitOpen { retry_in: *until - now });
            }
            Inner::HalfOpen { .. } => {
                return Err(PortalError::CircuitOpen { retry_in: HALF_OPEN_RETRY_DELAY });
            }
            Inner::Open { failure, .. } => {
                let failure = failure.clone();
                self.publish_state(CircuitState::HalfOpen(failure.clone()));
                *inner = Inner::HalfOpen { failure };
            }
        }
        drop(inner);
        Ok(CircuitPermit { circuit: self, acquired_at: now, has_result: false })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is one assignment, so a panic of another holder cannot leave half of one.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish_state(&self, state: CircuitState) {
        set_state_gauge(&state);
        self.state.send_replace(state);
    }
}

fn set_state_gauge(state: &CircuitState) {
    let number = match state {
        CircuitState::Closed => 0.0,
        CircuitState::HalfOpen(_) => 1.0,
        CircuitState::Open(_) => 2.0,
    };
    metrics::gauge!("sms_circuit_state", "peer" => "onboarding-portal").set(number);
}

impl CircuitPermit<'_> {
    /// Records an answer by its status alone, whose body is read later.
    pub(crate) fn record_answer(self, answer: &Result<Response, PortalError>, now: Instant) {
        match answer {
            Ok(response) if response.status().is_server_error() => {
                let status = response.status().as_u16();
                let path = response.url().path().to_owned();
                let failed = PortalError::Status { status, path, detail: None, retry_after: None };
                self.record_result::<()>(&Err(failed), now);
            }
            answer => self.record_result(answer, now),
        }
    }

    pub(crate) fn record_result<T>(mut self, result: &Result<T, PortalError>, now: Instant) {
        self.has_result = true;
        let circuit = self.circuit;
        let mut inner = circuit.lock();
        let Some(failure) = result.as_ref().err().filter(|error| error.is_portal_failure()) else {
            if !matches!(*inner, Inner::Closed { .. }) {
                tracing::info!("the onboarding portal answers again: the circuit is closed");
                circuit.publish_state(CircuitState::Closed);
            }
            *inner = Inner::Closed { failures: 0, counted_at: None };
            return;
        };
        let opens = match &mut *inner {
            Inner::Closed { counted_at: Some(counted_at), .. } if self.acquired_at < *counted_at => false,
            Inner::Closed { failures, counted_at } => {
                *failures += 1;
                *counted_at = Some(now);
                *failures >= circuit.options.failures
            }
            Inner::HalfOpen { .. } => true,
            // The request was sent before the circuit opened, and fails late.
            Inner::Open { .. } => false,
        };
        if opens {
            let failure = failure.to_string();
            tracing::warn!(
                failure,
                open_ms = circuit.options.open_for.as_millis() as u64,
                "the circuit is open"
            );
            circuit.publish_state(CircuitState::Open(failure.clone()));
            *inner = Inner::Open { until: now + circuit.options.open_for, failure };
        }
    }
}

impl Drop for CircuitPermit<'_> {
    fn drop(&mut self) {
        if self.has_result {
            return;
        }
        let mut inner = self.circuit.lock();
        if let Inner::HalfOpen { failure } = &*inner {
            // The test did not take place: the next request makes it.
            let failure = failure.clone();
            *inner = Inner::Open { until: Instant::now(), failure };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable() -> Result<(), PortalError> {
        Err(PortalError::Status { status: 503, path: "sync/vessels".into(), detail: None, retry_after: None })
    }

    fn circuit() -> Circuit {
        Circuit::new(CircuitOptions { failures: 3, open_for: Duration::from_secs(30) })
    }

    fn is_open(circuit: &Circuit, now: Instant) -> bool {
        circuit.acquire(now).is_err()
    }

    #[test]
    fn circuit_opens_after_the_configured_failures_in_a_row() {
        let (circuit, now) = (circuit(), Instant::now());
        for result in [unavailable(), unavailable(), Ok(()), unavailable(), unavailable()] {
            circuit.acquire(now).unwrap().record_result(&result, now);
        }
        assert_eq!(*circuit.subscribe().borrow(), CircuitState::Closed);
        circuit.acquire(now).unwrap().record_result(&unavailable(), now);
        assert!(is_open(&circuit, now) && is_open(&circuit, now + Duration::from_secs(29)));
        assert!(matches!(*circuit.subscribe().borrow(), CircuitState::Open(_)));
    }

    #[test]
    fn requests_under_way_together_fail_as_one() {
        let (circuit, now) = (circuit(), Instant::now());
        let second = |n| now + Duration::from_secs(n);
        for wave in 0..2 {
            let together: Vec<_> = (0..16).map(|_| circuit.acquire(second(2 * wave)).unwrap()).collect();
            together.into_iter().for_each(|it| it.record_result(&unavailable(), second(2 * wave + 1)));
            assert!(!is_open(&circuit, second(2 * wave + 1)), "wave {wave}");
        }
        circuit.acquire(second(4)).unwrap().record_result(&unavailable(), second(5));
        assert!(is_open(&circuit, second(5)), "the third failure in a row");
    }

    #[test]
    fn half_open_circuit_lets_one_request_through() {
        let (circuit, now) = (circuit(), Instant::now());
        (0..3).for_each(|_| circuit.acquire(now).unwrap().record_result(&unavailable(), now));
        let later = now + Duration::from_secs(31);
        let test = circuit.acquire(later).unwrap();
        assert!(is_open(&circuit, later), "one at a time");
        test.record_result(&unavailable(), later);
        assert!(is_open(&circuit, later + Duration::from_secs(29)));
        let again = later + Duration::from_secs(31);
        circuit.acquire(again).unwrap().record_result(&Ok(()), again);
        assert_eq!(*circuit.subscribe().borrow(), CircuitState::Closed);
        assert!(!is_open(&circuit, again));
    }

    #[test]
    fn a_cancelled_request_leaves_the_test_to_the_next_one() {
        let (circuit, now) = (circuit(), Instant::now());
        (0..3).for_each(|_| circuit.acquire(now).unwrap().record_result(&unavailable(), now));
        let later = now + Duration::from_secs(31);
        drop(circuit.acquire(later).unwrap());
        assert!(circuit.acquire(later).is_ok());
    }

    #[test]
    fn client_errors_do_not_open_the_circuit() {
        let (circuit, now) = (circuit(), Instant::now());
        for status in [401, 404, 429, 404, 429, 401] {
            let answer: Result<(), _> =
                Err(PortalError::Status { status, path: String::new(), detail: None, retry_after: None });
            circuit.acquire(now).unwrap().record_result(&answer, now);
        }
        assert_eq!(*circuit.subscribe().borrow(), CircuitState::Closed);
    }
}
