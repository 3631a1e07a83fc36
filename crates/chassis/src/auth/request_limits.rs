//! A rate limit per operator, over all requests that need a token.
//!
//! The limit is checked where the role is checked ([`super::Authorized`]), so that no route can be without it. The answer
//! says what is left, by the headers of draft-ietf-httpapi-ratelimit-headers-10.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use governor::{
    Quota, RateLimiter, clock::Clock, clock::DefaultClock, middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};

use crate::problem::Problem;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Name of the policy in both headers.
const POLICY_NAME: &str = "operator";
/// After so many requests the subjects whose burst is full again are forgotten.
const FORGET_IDLE_INTERVAL: u32 = 10_000;

type Limiter = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// A rate limit per subject of a token. Clones share the counts.
#[derive(Debug, Clone)]
pub struct RequestLimits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limiter: Limiter,
    quota: Quota,
    requests: AtomicU32,
}

impl RequestLimits {
    /// `per_second` requests of each subject in the long run, and `burst` at once. None without a limit: 0 per second.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Option<Self> {
        let per_second = NonZeroU32::new(per_second)?;
        let burst = NonZeroU32::new(burst).unwrap_or(per_second);
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let limiter = RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>();
        Some(Self(Arc::new(Inner { limiter, quota, requests: AtomicU32::new(0) })))
    }

    /// Counts a request of a subject, once. The state for the headers stays with the request.
    pub(super) fn check(&self, request: &HttpRequest, subject: &str) -> Result<(), Problem> {
        if request.extensions().get::<RateLimitState>().is_some() {
            return Ok(());
        }
        let Inner { limiter, quota, requests } = &*self.0;
        if requests.fetch_add(1, Ordering::Relaxed) % FORGET_IDLE_INTERVAL == FORGET_IDLE_INTERVAL - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        let (state, wait) = match limiter.check_key(&subject.to_owned()) {
            Ok(snapshot) => {
                let left = snapshot.remaining_burst_capacity();
                let used = quota.burst_size().get().saturating_sub(left);
                (RateLimitState::new(*quota, left, quota.replenish_interval() * used), None)
            }
            Err(early) => {
                let wait = early.wait_time_from(limiter.clock().now());
                (RateLimitState::new(*quota, 0, wait), Some(wait))
            }
        };
        request.extensions_mut().insert(state);
        match wait {
            None => Ok(()),
            Some(wait) => Err(Problem::too_many_requests(wait).with_detail(
                "This operator sends more requests than the limit allows. Wait as long as Retry-After says.",
            )),
        }
    }
}

/// What is left of the limit after a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimitState {
    burst: u32,
    /// Seconds in which a whole burst comes back.
    window: u64,
    left: u32,
    /// Seconds until the burst is full again; without any request left, until the next one.
    reset: u64,
}

impl RateLimitState {
    fn new(quota: Quota, left: u32, reset: Duration) -> Self {
        let seconds = |duration: Duration| duration.as_secs_f64().ceil() as u64;
        let window = seconds(quota.burst_size_replenished_in()).max(1);
        Self { burst: quota.burst_size().get(), window, left, reset: seconds(reset) }
    }

    pub(crate) fn add_headers(self, headers: &mut HeaderMap) {
        let Self { burst, window, left, reset } = self;
        let values = [
            (POLICY, format!("\"{POLICY_NAME}\";q={burst};w={window}")),
            (LIMIT, format!("\"{POLICY_NAME}\";r={left};t={reset}")),
        ];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}
