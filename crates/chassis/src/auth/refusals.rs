//! Attempts at what an operator's role, or the part of the fleet that the token is for, does not allow, for whoever records them.
//!
//! An attempt is noted where the role is checked ([`super::Authorized`]), so that no route can be without it. Of one operator's
//! attempts a few a minute are handed on; the next one counts the others.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use actix_web::{HttpMessage, HttpRequest};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::sync::mpsc;

use super::{Operator, Role};
use crate::{http::RequestId, telemetry};

/// Attempts a minute of one operator that are handed on.
pub const REFUSALS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("10 is not zero");

/// Attempts that may wait for the recorder; more of them are counted.
const WAITING_LIMIT: usize = 256;

/// Operators whose other attempts are counted at a time.
const COUNTED_OPERATORS_LIMIT: usize = 10_000;

/// An attempt at what the operator's role or part of the fleet does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Subject of the operator's token.
    pub subject: String,
    pub role: Role,
    /// The least role that is required.
    pub required: Role,
    /// Whether the token is for a part of the fleet, and the attempt was about the whole.
    pub outside_scope: bool,
    pub method: String,
    /// As it is registered, with the names of its parameters: a caller cannot make up new ones.
    pub route: String,
    pub path: String,
    pub trace_id: Option<String>,
    pub request_id: Option<String>,
    /// Attempts of this operator since the last one that was handed on.
    pub others: u64,
}

/// Where refused attempts are noted. Clones share the limit.
#[derive(Debug, Clone)]
pub struct RefusalLog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limiter: DefaultKeyedRateLimiter<String>,
    others: Mutex<BTreeMap<String, u64>>,
    sender: mpsc::Sender<Refusal>,
}

impl RefusalLog {
    /// A log, and where its attempts come out.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Refusal>) {
        let (sender, receiver) = mpsc::channel(WAITING_LIMIT);
        let limiter = RateLimiter::keyed(Quota::per_minute(REFUSALS_PER_MINUTE));
        (Self(Arc::new(Inner { limiter, others: Mutex::default(), sender })), receiver)
    }

    pub(super) fn note(&self, request: &HttpRequest, operator: &Operator, required: Role) {
        let Inner { limiter, others, sender } = &*self.0;
        let subject = operator.subject().to_owned();
        let place = limiter.check_key(&subject).ok().and_then(|()| sender.try_reserve().ok());
        // Counting cannot panic in between.
        let mut others = others.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = place else {
            if others.len() >= COUNTED_OPERATORS_LIMIT {
                others.clear();
                limiter.retain_recent();
            }
            *others.entry(subject).or_default() += 1;
            return;
        };
        place.send(Refusal {
            role: operator.role(),
            required,
            outside_scope: operator.role() >= required,
            method: request.method().to_string(),
            route: request.match_pattern().unwrap_or_default(),
            path: request.path().chars().take(500).collect(),
            trace_id: telemetry::current_trace_id(),
            request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
            others: others.remove(&subject).unwrap_or_default(),
            subject,
        });
    }
}
