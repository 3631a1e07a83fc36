//! The log of refused requests: what operators look at when a sender says that its webhooks do not arrive.
//!
//! What an attacker sends must cost us little. Per reason only so many requests a minute get a row, the others are
//! counted in the next; rows are few and small, and the oldest go. Nobody waits for the log: what it cannot take at once
//! is counted only. Bodies and signatures are not kept.

use std::{
    array,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest,
    http::header::{CONTENT_TYPE, USER_AGENT},
    web::Bytes,
};
use chassis::shutdown::Shutdown;
use chrono::TimeDelta;
use contracts::webhook::signature::{HUB_ID_HEADER, ID_HEADER};
use domain::{
    RefusedWebhookId, WebhookRefusal,
    clock::{Clock, SystemClock},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use store::{
    Store, StoreError,
    ledger::refused_webhooks::{
        RefusedWebhook, refused_webhooks_count_alike, refused_webhooks_insert, refused_webhooks_trim,
    },
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::rate_limiter::Sources;

/// Rows that may wait to be written.
const WAITING: usize = 256;
/// How often what is only counted is written, quiet sources are forgotten, and old rows go.
const TIDY_EVERY: Duration = Duration::from_secs(10);
/// How often old rows go where no new ones come.
const TRIM_EVERY: Duration = Duration::from_secs(3600);
/// Longest text of a column, in characters; the detail may have twice as many.
const LONGEST: usize = 255;

const REASONS: usize = WebhookRefusal::ALL.len();

/// How much of it is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Rows a minute, for each reason.
    pub(crate) per_minute: NonZeroU32,
    /// Rows in all.
    pub(crate) rows: u32,
    /// Older ones go.
    pub(crate) age: TimeDelta,
}

/// Where refused requests are noted. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Refusals(Arc<Inner>);

struct Inner {
    sample: DefaultKeyedRateLimiter<WebhookRefusal>,
    /// Refused since the last row, per reason.
    uncounted: [AtomicU64; REASONS],
    queue: mpsc::Sender<RefusedWebhook>,
}

/// A request as it is refused.
pub(crate) struct Refused<'r> {
    pub(crate) request: &'r HttpRequest,
    pub(crate) source: IpAddr,
    pub(crate) reason: WebhookRefusal,
    pub(crate) status: u16,
    pub(crate) detail: String,
    /// As far as it was read.
    pub(crate) body: Option<&'r Bytes>,
}

impl Refusals {
    /// Starts writing.
    pub(crate) fn start(store: Store, bounds: Bounds, sources: Arc<Sources>, shutdown: &Shutdown) -> Self {
        for reason in WebhookRefusal::ALL {
            counter(*reason).increment(0);
        }
        let (queue, waiting) = mpsc::channel(WAITING);
        let inner = Arc::new(Inner {
            sample: RateLimiter::keyed(Quota::per_minute(bounds.per_minute)),
            uncounted: array::from_fn(|_| AtomicU64::new(0)),
            queue,
        });
        let (log, stop) = (inner.clone(), shutdown.soft().clone());
        let mut writer = Writer { store, bounds, sources, waiting, trimmed: None };
        shutdown.supervise_infallible("refusals", async move { writer.run(&log, &stop).await });
        Self(inner)
    }

    /// Notes a refused request. Never waits.
    pub(crate) fn note(&self, refused: &Refused<'_>) {
        let Refused { reason, source, status, .. } = *refused;
        counter(reason).increment(1);
        let uncounted = &self.0.uncounted[reason as usize];
        if self.0.sample.check_key(&reason).is_err() {
            uncounted.fetch_add(1, Ordering::Relaxed);
            return;
        }
        tracing::info!(
            webhook.refusal = reason.as_str(),
            client.address = %source,
            http.status = status,
            webhook.refusal_detail = refused.detail,
            "refused a webhook"
        );
        let alike = uncounted.swap(0, Ordering::Relaxed);
        if let Err(full) = self.0.queue.try_send(row(refused, alike)) {
            uncounted.fetch_add(full.into_inner().alike + 1, Ordering::Relaxed);
        }
    }
}

fn counter(reason: WebhookRefusal) -> metrics::Counter {
    metrics::counter!("sms_webhook_requests_total", "result" => "refused", "reason" => reason.as_str())
}

fn row(refused: &Refused<'_>, alike: u64) -> RefusedWebhook {
    let header = |name: &str| {
        let text = String::from_utf8_lossy(refused.request.headers().get(name)?.as_bytes());
        Some(cut(&text, LONGEST))
    };
    RefusedWebhook {
        id: RefusedWebhookId::new(),
        received_at: SystemClock.now(),
        reason: refused.reason,
        status: refused.status,
        detail: cut(&refused.detail, 2 * LONGEST - 10),
        source: refused.source.to_string(),
        webhook_id: header(ID_HEADER).or_else(|| header(HUB_ID_HEADER)),
        content_type: header(CONTENT_TYPE.as_str()),
        user_agent: header(USER_AGENT.as_str()),
        body_bytes: refused.body.map(|body| body.len() as u64),
        body_sha256: refused.body.map(|body| Sha256::digest(body).to_vec()),
        alike,
    }
}

/// At most so many characters, and none that a terminal or the database would stumble over.
fn cut(text: &str, longest: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(longest).collect()
}

struct Writer {
    store: Store,
    bounds: Bounds,
    sources: Arc<Sources>,
    waiting: mpsc::Receiver<RefusedWebhook>,
    /// When old rows went last; none: something was written since.
    trimmed: Option<Instant>,
}

impl Writer {
    /// Until the service ends: then what was only counted is written, too.
    async fn run(&mut self, log: &Inner, stop: &CancellationToken) {
        let mut tidy = tokio::time::interval(TIDY_EVERY);
        let mut ended = false;
        while !ended {
            let mut rows = Vec::new();
            tokio::select! {
                biased;
                received = self.waiting.recv_many(&mut rows, WAITING) => ended = received == 0,
                _ = tidy.tick() => {}
                () = stop.cancelled(), if !self.waiting.is_closed() => self.waiting.close(),
            }
            if let Err(error) = self.write(log, &rows).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "refused webhooks were not recorded"
                );
                for row in rows {
                    log.uncounted[row.reason as usize].fetch_add(row.alike + 1, Ordering::Relaxed);
                }
            }
        }
    }

    async fn write(&mut self, log: &Inner, rows: &[RefusedWebhook]) -> Result<(), StoreError> {
        if !rows.is_empty() {
            self.trimmed = None;
            return refused_webhooks_insert(&mut *self.store.db().await?, rows).await;
        }
        self.sources.forget_quiet();
        for reason in WebhookRefusal::ALL {
            let uncounted = &log.uncounted[*reason as usize];
            let further = uncounted.swap(0, Ordering::Relaxed);
            if further == 0 {
                continue;
            }
            let counting =
                async { refused_webhooks_count_alike(&mut *self.store.db().await?, *reason, further).await };
            if !matches!(counting.await, Ok(true)) {
                uncounted.fetch_add(further, Ordering::Relaxed);
            }
        }
        if self.trimmed.is_none_or(|at| at.elapsed() > TRIM_EVERY) {
            let before = SystemClock.now() - self.bounds.age;
            refused_webhooks_trim(&mut *self.store.db().await?, self.bounds.rows, before).await?;
            self.trimmed = Some(Instant::now());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_an_attacker_is_cut_and_harmless() {
        assert_eq!(cut("a\u{0}\u{1b}[31mb\n", 100), "a  [31mb ");
        assert_eq!(cut(&"ä".repeat(300), 255).chars().count(), 255);
    }
}
