//! Which readings of personal data are recorded: the dashboard asks again and again for what it shows.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

use domain::audit::AuditAction;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde_json::Value;

const RECORDS_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN;
/// After so many readings those that are older than a minute are forgotten.
const FORGET_INTERVAL: u32 = 1_000;

/// The sample of this process.
#[derive(Debug)]
pub(crate) struct ReadingSample {
    limiter: DefaultKeyedRateLimiter<String>,
    readings: AtomicU32,
}

impl Default for ReadingSample {
    fn default() -> Self {
        let limiter = RateLimiter::keyed(Quota::per_minute(RECORDS_PER_MINUTE));
        Self { limiter, readings: AtomicU32::new(0) }
    }
}

impl ReadingSample {
    /// Whether this operator has not read the same within a minute.
    pub(crate) fn is_new(&self, actor: &str, action: AuditAction, subject: &str, detail: &Value) -> bool {
        if self.readings.fetch_add(1, Ordering::Relaxed) % FORGET_INTERVAL == FORGET_INTERVAL - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        // No part holds a NUL: names with control characters and requests with NUL are refused.
        self.limiter.check_key(&format!("{actor}\0{action}\0{subject}\0{detail}")).is_ok()
    }
}
