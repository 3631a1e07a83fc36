//! Which failed requests get a line in the log. Whoever can reach the port can send requests that fail, so of those that are
//! alike only some get a line each minute; the next line counts the others. The metrics count all.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{LazyLock, Mutex, PoisonError},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Lines a minute for requests that are alike.
const LINES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).expect("30 is not zero");

/// The sample of this process.
pub(super) static FAILED_REQUESTS: LazyLock<LogSample> = LazyLock::new(LogSample::new);

/// Requests are alike if they have the route, the status and the problem's code in common. A caller can make up none of the
/// three, so there are only so many.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LogKey {
    pub(super) route: String,
    pub(super) status: u16,
    pub(super) code: Option<String>,
}

pub(super) struct LogSample {
    limiter: DefaultKeyedRateLimiter<LogKey>,
    /// Requests without a line since the last one.
    unlogged: Mutex<BTreeMap<LogKey, u64>>,
}

impl LogSample {
    fn new() -> Self {
        let limiter = RateLimiter::keyed(Quota::per_minute(LINES_PER_MINUTE));
        Self { limiter, unlogged: Mutex::default() }
    }

    /// How many requests alike had no line since the last one, if this one gets a line.
    pub(super) fn admit(&self, key: LogKey) -> Option<u64> {
        let is_admitted = self.limiter.check_key(&key).is_ok();
        // Counting cannot panic in between.
        let mut unlogged = self.unlogged.lock().unwrap_or_else(PoisonError::into_inner);
        if is_admitted {
            return Some(unlogged.remove(&key).unwrap_or_default());
        }
        *unlogged.entry(key).or_default() += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(status: u16) -> LogKey {
        LogKey { route: "/api/sync/webhook".to_owned(), status, code: Some("bad_signature".to_owned()) }
    }

    #[test]
    fn failed_requests_alike_get_a_few_lines_and_the_rest_is_counted() {
        let sample = LogSample::new();
        let lines = (0..20_000).filter(|_| sample.admit(key(401)).is_some()).count();
        assert!((30..40).contains(&lines), "{lines}");
        assert_eq!(sample.admit(key(429)), Some(0), "others have lines of their own");
        let unlogged = sample.unlogged.lock().unwrap();
        assert!(unlogged[&key(401)] > 19_000, "{unlogged:?}");
    }
}
