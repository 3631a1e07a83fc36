//! Sends pending webhooks. Any number of instances may run: each claims the messages that it sends. The claim of an
//! instance that died expires, and another instance sends its messages. So a webhook arrives at least once, under the
//! same id each time.

mod retry_schedule;
mod target;
mod verdict;

use std::{sync::Arc, time::Duration};

use chassis::{config::Environment, shutdown::Shutdown, telemetry};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::webhook::signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use tokio::{sync::Notify, task::JoinSet, time::Instant};
use tracing::{Instrument, Span};

use crate::{
    clock::Clock,
    config::Webhook,
    database::{Database, DatabaseError},
    endpoint,
    outbox::{self, Attempt, AttemptOutcome, ClaimedMessage},
};

use retry_schedule::RetrySchedule;
pub use target::InvalidTarget;
use target::Target;
use verdict::Verdict;

/// How often the sender looks for messages that came due, or that another instance queued.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often it looks while the database fails.
const POLL_INTERVAL_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Time after the timeout of an attempt to record its result; then the claim expires.
const RECORDING_TIMEOUT: TimeDelta = TimeDelta::seconds(30);
const GAUGE_INTERVAL: Duration = Duration::from_secs(10);
const CLEANUP_INTERVAL: Duration = Duration::from_secs(3600);

/// The webhook sender of one instance. Clones share it.
#[derive(Debug, Clone)]
pub struct Sender {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    clock: Clock,
    target: Option<Target>,
    schedule: RetrySchedule,
    concurrency: usize,
    /// How long a claim lasts.
    lease: TimeDelta,
    /// After so long without a success the endpoint is disabled.
    disable_after: TimeDelta,
    /// How long ended messages are kept.
    retention: TimeDelta,
    wake: Notify,
}

impl Sender {
    /// A sender to the endpoint of the config. Without an address, messages stay pending.
    pub(crate) fn new(
        database: Database,
        clock: Clock,
        config: &Webhook,
        environment: Environment,
    ) -> Result<Self, InvalidTarget> {
        let timeout = Duration::from_millis(config.timeout_ms);
        let target = if config.url.is_empty() {
            tracing::info!("no WEBHOOK_URL: webhooks stay pending");
            None
        } else {
            Some(Target::new(&config.url, timeout, config.policy(environment))?)
        };
        let inner = Inner {
            database,
            clock,
            target,
            schedule: RetrySchedule::of_seconds(&config.retry_after_seconds),
            concurrency: config.concurrency,
            lease: TimeDelta::milliseconds(config.timeout_ms.cast_signed()) + RECORDING_TIMEOUT,
            disable_after: TimeDelta::hours(config.disable_after_hours.into()),
            retention: TimeDelta::days(config.keep_days.into()),
            wake: Notify::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes the sender look for messages now, not at its next poll.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
    }

    /// Sends until shutdown, then finishes the attempts under way. What fails is tried again.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut attempts = JoinSet::new();
        let (mut gauges_at, mut cleanup_at) = (Instant::now(), Instant::now());
        while !shutdown.is_requested() {
            while attempts.try_join_next().is_some() {}
            let poll_interval = self.start_attempts(&mut attempts).await;
            if gauges_at <= Instant::now() {
                gauges_at = Instant::now() + GAUGE_INTERVAL;
                self.set_gauges().await;
            }
            if cleanup_at <= Instant::now() {
                cleanup_at = Instant::now() + CLEANUP_INTERVAL;
                self.delete_old_messages().await;
            }
            tokio::select! {
                () = shutdown.requested() => {}
                () = self.inner.wake.notified() => {}
                Some(_) = attempts.join_next() => {}
                () = tokio::time::sleep(poll_interval) => {}
            }
        }
        while attempts.join_next().await.is_some() {}
    }

    /// Starts as many attempts as are due and allowed; returns when to look again.
    async fn start_attempts(&self, attempts: &mut JoinSet<()>) -> Duration {
        match self.claim(self.inner.concurrency - attempts.len()).await {
            Ok((messages, secrets)) => {
                for message in messages {
                    let span = attempt_span(&message);
                    attempts.spawn(self.clone().send(message, Arc::clone(&secrets)).instrument(span));
                }
                POLL_INTERVAL
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot look for webhooks to send");
                POLL_INTERVAL_AFTER_FAILURE
            }
        }
    }

    async fn claim(&self, limit: usize) -> Result<(Vec<ClaimedMessage>, Arc<[Secret]>), DatabaseError> {
        if limit == 0 || self.inner.target.is_none() {
            return Ok((Vec::new(), Arc::from([])));
        }
        let mut db = self.inner.database.connection().await?;
        // Read after the wait for a connection, because the lease counts from here.
        let now = self.inner.clock.now();
        let messages = outbox::claim(&mut db, limit, self.inner.lease, now).await?;
        if messages.is_empty() {
            return Ok((messages, Arc::from([])));
        }
        Ok((messages, endpoint::signing_secrets(&mut db, now).await?.into()))
    }

    async fn send(self, message: ClaimedMessage, secrets: Arc<[Secret]>) {
        let Some(target) = &self.inner.target else { return };
        let began_at = self.inner.clock.now();
        let began = Instant::now();
        let signed =
            signed_headers(&message, &secrets, began_at).map(|(name, value)| (name.to_owned(), value));
        let headers = signed.into_iter().chain(telemetry::current_context()).collect();
        let answer = target.post(headers, message.body.clone()).await;
        let now = self.inner.clock.now();
        let verdict = Verdict::of(&answer, now);
        let (status, response) = match answer {
            Ok(answer) => (Some(answer.status), answer.beginning),
            Err(reason) => (None, reason),
        };
        let duration_ms = i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX);
        let attempt = Attempt { began_at, duration_ms, status, response };
        metrics::counter!("onboarding_webhook_attempts_total", "result" => verdict.word()).increment(1);
        // An attempt that is not recorded is made again when its claim has expired.
        if let Err(error) = self.record(&message, &attempt, &verdict, now).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the result of an attempt could not be recorded"
            );
        }
    }

    async fn record(
        &self,
        message: &ClaimedMessage,
        attempt: &Attempt,
        verdict: &Verdict,
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        let outcome = self.outcome_of(message, verdict, now);
        let result = match attempt.status {
            Some(status) => format!("HTTP {status}"),
            None => attempt.response.clone(),
        };
        let disable_after = self.inner.disable_after;
        let mut connection = self.inner.database.connection().await?;
        let db: &mut AsyncPgConnection = &mut connection;
        let disabled = db
            .transaction(async |db: &mut AsyncPgConnection| {
                outbox::record_attempt(db, message, attempt, outcome, now).await?;
                match verdict {
                    Verdict::Delivered => endpoint::record_success(db, now).await.map(|()| false),
                    Verdict::Disable(reason) => endpoint::disable(db, reason, now).await,
                    Verdict::Abort => Ok(false),
                    Verdict::Failed { not_before } => {
                        endpoint::record_failure(db, &result, *not_before, disable_after, now).await
                    }
                }
            })
            .await?;
        if disabled {
            tracing::error!(
                reason = result,
                "ALERT: the webhook endpoint is disabled; webhooks stay pending until it is enabled"
            );
        }
        match outcome {
            AttemptOutcome::Delivered => {
                tracing::info!(status = attempt.status, event = message.event_type, "delivered")
            }
            AttemptOutcome::RetryAt(at) => {
                tracing::warn!(failure = result, next_attempt_at = %at, "not delivered")
            }
            AttemptOutcome::GivenUp => tracing::error!(failure = result, "not delivered, and given up"),
        }
        Ok(())
    }

    fn outcome_of(&self, message: &ClaimedMessage, verdict: &Verdict, now: DateTime<Utc>) -> AttemptOutcome {
        match verdict {
            Verdict::Delivered => AttemptOutcome::Delivered,
            Verdict::Abort => AttemptOutcome::GivenUp,
            // The message is due again as soon as somebody enables the endpoint.
            Verdict::Disable(_) => AttemptOutcome::RetryAt(now),
            Verdict::Failed { not_before } => {
                let retries = usize::try_from(message.retries).unwrap_or_default();
                match self.inner.schedule.next_attempt(retries, rand::random_range(-1.0..=1.0), now) {
                    Some(at) => {
                        AttemptOutcome::RetryAt(not_before.map_or(at, |not_before| at.max(not_before)))
                    }
                    None => AttemptOutcome::GivenUp,
                }
            }
        }
    }

    async fn set_gauges(&self) {
        let gauges = async {
            let mut db = self.inner.database.connection().await?;
            let backlog = outbox::backlog(&mut db).await?;
            let health = endpoint::health(&mut db).await?;
            Ok::<_, DatabaseError>((backlog, health))
        };
        match gauges.await {
            Ok((backlog, health)) => {
                let age =
                    backlog.oldest.map_or(0.0, |oldest| (self.inner.clock.now() - oldest).as_seconds_f64());
                let enabled = if health.state == "enabled" { 1.0 } else { 0.0 };
                metrics::gauge!("onboarding_webhooks_pending").set(backlog.pending as f64);
                metrics::gauge!("onboarding_webhooks_oldest_pending_seconds").set(age.max(0.0));
                metrics::gauge!("onboarding_webhook_endpoint_enabled").set(enabled);
            }
            Err(error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "cannot set the gauges of webhooks"
                );
            }
        }
    }

    async fn delete_old_messages(&self) {
        let before = self.inner.clock.now() - self.inner.retention;
        let deleted = async {
            let mut db = self.inner.database.connection().await?;
            outbox::delete_ended(&mut db, before).await
        };
        match deleted.await {
            Ok(0) => {}
            Ok(messages) => tracing::info!(messages, %before, "deleted old webhooks"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot delete old webhooks");
            }
        }
    }
}

/// The span of an attempt, a child of the request that has queued the message.
fn attempt_span(message: &ClaimedMessage) -> Span {
    let span = tracing::info_span!(
        "send webhook",
        otel.kind = "client",
        webhook.id = message.id,
        webhook.attempt = message.attempts
    );
    // Before the span is entered: one that has begun keeps its parent.
    telemetry::set_parent(&span, &message.trace_context());
    span
}

/// Signs with the time of the attempt, not of the event: a receiver refuses timestamps older than a few minutes.
fn signed_headers(
    message: &ClaimedMessage,
    secrets: &[Secret],
    began_at: DateTime<Utc>,
) -> [(&'static str, String); 3] {
    let timestamp = began_at.timestamp();
    let signatures: Vec<String> =
        secrets.iter().map(|secret| secret.sign(&message.id, timestamp, message.body.as_bytes())).collect();
    [
        (ID_HEADER, message.id.clone()),
        (TIMESTAMP_HEADER, timestamp.to_string()),
        (SIGNATURE_HEADER, signatures.join(" ")),
    ]
}
