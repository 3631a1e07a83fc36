//! The log of rejected requests, in table `refused_webhooks`: operators read it when webhooks of a sender do not arrive.
//!
//! What an attacker sends must cost little. For each reason only a few requests a minute get a row; the others are counted
//! in the next row. Rows are small, and the oldest are deleted. Requests never wait for the log: a row that cannot be queued
//! at once is only counted. Bodies and signatures are not kept.

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
use domain::{RefusedWebhookId, WebhookRefusal, clock::Clock};
use governor::{DefaultKeyedRateLimiter, Quota};
use sha2::{Digest, Sha256};
use store::{
    Store, StoreError,
    ledger::refused_webhooks::{
        RefusedWebhook, refused_webhooks_count_alike, refused_webhooks_insert, refused_webhooks_trim,
    },
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{rate_limiter::RateLimiter, rejection::Rejection};

/// Rows that wait to be written.
const QUEUE_LIMIT: usize = 256;
/// How often counts without a row are written, idle clients are forgotten, and old rows are deleted.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(10);
/// How often old rows are deleted while no new ones are written.
const IDLE_TRIM_INTERVAL: Duration = Duration::from_secs(3600);
/// Characters of a text column.
const TEXT_LIMIT: usize = 255;
/// Characters of the column `detail`.
const DETAIL_LIMIT: usize = 500;

const REASONS: usize = WebhookRefusal::ALL.len();

/// How much of the log is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RejectionLogLimits {
    /// Rows a minute, for each reason.
    pub(crate) per_minute: NonZeroU32,
    /// Rows in all.
    pub(crate) rows: u32,
    /// Older rows are deleted.
    pub(crate) age: TimeDelta,
}

/// Writes rejected requests to the log. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RejectionLog(Arc<Inner>);

struct Inner {
    sample: DefaultKeyedRateLimiter<WebhookRefusal>,
    /// Requests since the last row, per reason.
    unwritten: [AtomicU64; REASONS],
    queue: mpsc::Sender<RefusedWebhook>,
    clock: Arc<dyn Clock>,
}

impl RejectionLog {
    /// Starts the task that writes rows and, now and then, lets `rate_limiter` forget idle clients.
    pub(crate) fn start(
        store: Store,
        limits: RejectionLogLimits,
        rate_limiter: Arc<RateLimiter>,
        clock: Arc<dyn Clock>,
        shutdown: &Shutdown,
    ) -> Self {
        for reason in WebhookRefusal::ALL {
            counter(*reason).increment(0);
        }
        let (queue, rows) = mpsc::channel(QUEUE_LIMIT);
        let inner = Arc::new(Inner {
            sample: governor::RateLimiter::keyed(Quota::per_minute(limits.per_minute)),
            unwritten: array::from_fn(|_| AtomicU64::new(0)),
            queue,
            clock: clock.clone(),
        });
        let (log, stop) = (inner.clone(), shutdown.soft().clone());
        let mut writer = Writer { store, limits, rate_limiter, clock, rows, trimmed_at: None };
        shutdown.supervise("refusals", async move {
            writer.run(&log, &stop).await;
            Ok::<(), std::convert::Infallible>(())
        });
        Self(inner)
    }

    /// Counts a rejected request and queues its row, if it is in the sample. Never waits.
    pub(crate) fn add(
        &self,
        request: &HttpRequest,
        client: IpAddr,
        rejection: &Rejection,
        body: Option<&Bytes>,
    ) {
        let reason = rejection.reason;
        counter(reason).increment(1);
        let unwritten = &self.0.unwritten[reason as usize];
        if self.0.sample.check_key(&reason).is_err() {
            unwritten.fetch_add(1, Ordering::Relaxed);
            return;
        }
        tracing::info!(
            webhook.refusal = reason.as_str(),
            client.address = %client,
            http.status = rejection.problem.status().as_u16(),
            webhook.refusal_detail = rejection.detail,
            "rejected a webhook"
        );
        let alike = unwritten.swap(0, Ordering::Relaxed);
        let row = self.0.row(request, client, rejection, body, alike);
        if let Err(full) = self.0.queue.try_send(row) {
            unwritten.fetch_add(full.into_inner().alike + 1, Ordering::Relaxed);
        }
    }
}

impl Inner {
    fn row(
        &self,
        request: &HttpRequest,
        client: IpAddr,
        rejection: &Rejection,
        body: Option<&Bytes>,
        alike: u64,
    ) -> RefusedWebhook {
        let header = |name: &str| {
            let text = String::from_utf8_lossy(request.headers().get(name)?.as_bytes());
            Some(printable(&text, TEXT_LIMIT))
        };
        RefusedWebhook {
            id: RefusedWebhookId::new(),
            received_at: self.clock.now(),
            reason: rejection.reason,
            status: rejection.problem.status().as_u16(),
            detail: printable(&rejection.detail, DETAIL_LIMIT),
            source: client.to_string(),
            webhook_id: header(ID_HEADER).or_else(|| header(HUB_ID_HEADER)),
            content_type: header(CONTENT_TYPE.as_str()),
            user_agent: header(USER_AGENT.as_str()),
            body_bytes: body.map(|body| body.len() as u64),
            body_sha256: body.map(|body| Sha256::digest(body).to_vec()),
            alike,
        }
    }
}

fn counter(reason: WebhookRefusal) -> metrics::Counter {
    metrics::counter!("sms_webhook_requests_total", "result" => "refused", "reason" => reason.as_str())
}

/// At most `limit` characters, without control characters: those would confuse terminals, and PostgreSQL takes no NUL.
fn printable(text: &str, limit: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect()
}

struct Writer {
    store: Store,
    limits: RejectionLogLimits,
    rate_limiter: Arc<RateLimiter>,
    clock: Arc<dyn Clock>,
    rows: mpsc::Receiver<RefusedWebhook>,
    /// When old rows were deleted; `None` if rows were written since.
    trimmed_at: Option<Instant>,
}

impl Writer {
    /// Writes until the service ends, including the counts that have no row yet.
    async fn run(&mut self, log: &Inner, stop: &CancellationToken) {
        let mut maintenance = tokio::time::interval(MAINTENANCE_INTERVAL);
        let mut ended = false;
        while !ended {
            let mut rows = Vec::new();
            tokio::select! {
                biased;
                received = self.rows.recv_many(&mut rows, QUEUE_LIMIT) => ended = received == 0,
                _ = maintenance.tick() => {}
                () = stop.cancelled(), if !self.rows.is_closed() => self.rows.close(),
            }
            let written =
                if rows.is_empty() { self.maintain(log).await } else { self.write_rows(&rows).await };
            if let Err(error) = written {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "rejected webhooks were not recorded"
                );
                for row in rows {
                    log.unwritten[row.reason as usize].fetch_add(row.alike + 1, Ordering::Relaxed);
                }
            }
        }
    }

    async fn write_rows(&mut self, rows: &[RefusedWebhook]) -> Result<(), StoreError> {
        self.trimmed_at = None;
        refused_webhooks_insert(&mut *self.store.db().await?, rows).await
    }

    async fn maintain(&mut self, log: &Inner) -> Result<(), StoreError> {
        self.rate_limiter.forget_idle();
        for reason in WebhookRefusal::ALL {
            self.write_count(*reason, &log.unwritten[*reason as usize]).await;
        }
        if self.trimmed_at.is_none_or(|at| at.elapsed() > IDLE_TRIM_INTERVAL) {
            let before = self.clock.now() - self.limits.age;
            refused_webhooks_trim(&mut *self.store.db().await?, self.limits.rows, before).await?;
            self.trimmed_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Adds the requests without a row to the newest row of their reason. Keeps the count if there is no such row.
    async fn write_count(&self, reason: WebhookRefusal, unwritten: &AtomicU64) {
        let count = unwritten.swap(0, Ordering::Relaxed);
        if count == 0 {
            return;
        }
        let counting =
            async { refused_webhooks_count_alike(&mut *self.store.db().await?, reason, count).await };
        if !matches!(counting.await, Ok(true)) {
            unwritten.fetch_add(count, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_text_has_no_control_characters() {
        assert_eq!(printable("a\u{0}\u{1b}[31mb\n", 100), "a  [31mb ");
    }

    #[test]
    fn printable_text_is_cut_at_the_limit_in_characters() {
        assert_eq!(printable(&"ä".repeat(300), 255).chars().count(), 255);
    }
}
