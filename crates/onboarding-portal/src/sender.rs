//! Sends what is owed. Any number of instances may run: each message is in the hands of one at a time, and of one that
//! died it is taken back when its claim runs out. So a webhook arrives at least once, under the same id each time.

mod target;
mod verdict;

use std::{sync::Arc, time::Duration};

use chassis::{config::Environment, shutdown::Shutdown};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::webhook::signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use tokio::{sync::Notify, task::JoinSet, time::Instant};

use crate::{
    clock::Clock,
    config::Webhook,
    database::{Database, DatabaseError},
    endpoint,
    outbox::{self, Attempt, Claimed, Next},
};

pub(crate) use target::Policy;
pub use target::Refused;
use target::Target;
use verdict::{Schedule, Verdict};

/// How often it looks for what has come due, or was owed by another instance.
const LOOK: Duration = Duration::from_secs(1);
/// For noting the end of an attempt; then the claim runs out.
const NOTING: TimeDelta = TimeDelta::seconds(30);
/// How often the gauges are set.
const GAUGES: Duration = Duration::from_secs(10);
/// How often what is past keeping is deleted.
const TIDY: Duration = Duration::from_secs(3600);

/// The sender of one instance. Clones share it.
#[derive(Debug, Clone)]
pub struct Sender {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    clock: Clock,
    target: Option<Target>,
    schedule: Schedule,
    concurrency: usize,
    lease: TimeDelta,
    patience: TimeDelta,
    keep: TimeDelta,
    wake: Notify,
}

impl Sender {
    /// A sender to the endpoint of the config; without an address it lets what is owed wait.
    ///
    /// # Errors
    /// If the address can never be sent to.
    pub(crate) fn new(
        database: Database,
        clock: Clock,
        config: &Webhook,
        environment: Environment,
    ) -> Result<Self, Refused> {
        let timeout = Duration::from_millis(config.timeout_ms);
        let target = if config.url.is_empty() {
            tracing::info!("no WEBHOOK_URL: webhooks are noted, and wait");
            None
        } else {
            Some(Target::new(&config.url, timeout, config.policy(environment))?)
        };
        let inner = Inner {
            database,
            clock,
            target,
            schedule: Schedule::of_seconds(&config.retry_after_seconds),
            concurrency: config.concurrency,
            lease: TimeDelta::milliseconds(config.timeout_ms.cast_signed()) + NOTING,
            patience: TimeDelta::hours(config.disable_after_hours.into()),
            keep: TimeDelta::days(config.keep_days.into()),
            wake: Notify::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Look at once: something is owed.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
    }

    /// Sends until shutdown, and finishes what is under way. What fails is tried again.
    pub(crate) async fn run(self, shutdown: Shutdown) {
        let mut under_way = JoinSet::new();
        let (mut gauges_at, mut tidy_at) = (Instant::now(), Instant::now());
        while !shutdown.is_requested() {
            while under_way.try_join_next().is_some() {}
            let mut pause = LOOK;
            match self.take(self.inner.concurrency - under_way.len()).await {
                Ok((messages, secrets)) => {
                    for message in messages {
                        under_way.spawn(self.clone().attempt(message, Arc::clone(&secrets)));
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot look for webhooks to send"
                    );
                    pause = LOOK * 5;
                }
            }
            if gauges_at <= Instant::now() {
                gauges_at = Instant::now() + GAUGES;
                self.set_gauges().await;
            }
            if tidy_at <= Instant::now() {
                tidy_at = Instant::now() + TIDY;
                self.tidy().await;
            }
            tokio::select! {
                () = shutdown.requested() => {}
                () = self.inner.wake.notified() => {}
                Some(_) = under_way.join_next() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn take(&self, most: usize) -> Result<(Vec<Claimed>, Arc<[Secret]>), DatabaseError> {
        if most == 0 || self.inner.target.is_none() {
            return Ok((Vec::new(), Arc::from([])));
        }
        let mut db = self.inner.database.connection().await?;
        // After the wait for a connection: the lease counts from here.
        let now = self.inner.clock.now();
        let messages = outbox::claim(&mut db, most, self.inner.lease, now).await?;
        if messages.is_empty() {
            return Ok((messages, Arc::from([])));
        }
        Ok((messages, endpoint::signing_secrets(&mut db, now).await?.into()))
    }

    #[tracing::instrument(name = "send webhook", skip_all, fields(otel.kind = "client", webhook.id = message.id, webhook.attempt = message.attempts))]
    async fn attempt(self, message: Claimed, secrets: Arc<[Secret]>) {
        let Some(target) = &self.inner.target else { return };
        let began_at = self.inner.clock.now();
        let began = Instant::now();
        // The time of the attempt and not of the event: a receiver refuses what is older than a few minutes.
        let timestamp = began_at.timestamp();
        let body = message.body.as_bytes();
        let signatures: Vec<String> =
            secrets.iter().map(|secret| secret.sign(&message.id, timestamp, body)).collect();
        let headers = [
            (ID_HEADER, message.id.clone()),
            (TIMESTAMP_HEADER, timestamp.to_string()),
            (SIGNATURE_HEADER, signatures.join(" ")),
        ];
        let answer = target.post(headers, message.body.clone()).await;
        let now = self.inner.clock.now();
        let verdict = verdict::judge(&answer, now);
        let (status, response) = match answer {
            Ok(answer) => (Some(answer.status), answer.beginning),
            Err(reason) => (None, reason),
        };
        let duration_ms = i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX);
        let attempt = Attempt { began_at, duration_ms, status, response };
        metrics::counter!("onboarding_webhook_attempts_total", "result" => verdict.word()).increment(1);
        // Unless it is noted, the attempt is made again when its claim has run out.
        if let Err(error) = self.note(&message, &attempt, &verdict, now).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the end of an attempt could not be noted"
            );
        }
    }

    async fn note(
        &self,
        message: &Claimed,
        attempt: &Attempt,
        verdict: &Verdict,
        now: DateTime<Utc>,
    ) -> Result<(), DatabaseError> {
        let Inner { schedule, patience, .. } = &*self.inner;
        let retries = usize::try_from(message.retries).unwrap_or_default();
        let next = match verdict {
            Verdict::Delivered => Next::Delivered,
            Verdict::Abort => Next::GivenUp,
            Verdict::Disable(_) => Next::Again(now),
            Verdict::Failed { not_before } => {
                match schedule.after(retries, rand::random_range(-1.0..=1.0), now) {
                    Some(at) => Next::Again(not_before.map_or(at, |not_before| at.max(not_before))),
                    None => Next::GivenUp,
                }
            }
        };
        let what = match attempt.status {
            Some(status) => format!("HTTP {status}"),
            None => attempt.response.clone(),
        };
        let mut connection = self.inner.database.connection().await?;
        let db: &mut AsyncPgConnection = &mut connection;
        let disabled = db
            .transaction(async |db: &mut AsyncPgConnection| {
                outbox::conclude(db, message, attempt, next, now).await?;
                match verdict {
                    Verdict::Delivered => endpoint::succeeded(db, now).await.map(|()| false),
                    Verdict::Disable(reason) => endpoint::disable(db, reason, now).await,
                    Verdict::Abort => Ok(false),
                    Verdict::Failed { not_before } => {
                        endpoint::failed(db, &what, *not_before, *patience, now).await
                    }
                }
            })
            .await?;
        if disabled {
            tracing::error!(
                reason = what,
                "ALERT: the webhook endpoint is disabled; what is owed waits until it is enabled"
            );
        }
        match next {
            Next::Delivered => {
                tracing::info!(status = attempt.status, event = message.event_type, "delivered")
            }
            Next::Again(at) => tracing::warn!(failure = what, next_attempt_at = %at, "not delivered"),
            Next::GivenUp => tracing::error!(failure = what, "not delivered, and given up"),
        }
        Ok(())
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
                metrics::gauge!("onboarding_webhooks_pending").set(backlog.pending as f64);
                metrics::gauge!("onboarding_webhooks_oldest_pending_seconds").set(age.max(0.0));
                metrics::gauge!("onboarding_webhook_endpoint_enabled").set(if health.state == "enabled" {
                    1.0
                } else {
                    0.0
                });
            }
            Err(error) => tracing::debug!(error = &error as &dyn std::error::Error, "no gauges of webhooks"),
        }
    }

    async fn tidy(&self) {
        let before = self.inner.clock.now() - self.inner.keep;
        let tidied = async {
            let mut db = self.inner.database.connection().await?;
            outbox::forget_ended(&mut db, before).await
        };
        match tidied.await {
            Ok(0) => {}
            Ok(messages) => tracing::info!(messages, %before, "old webhooks were forgotten"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "old webhooks are kept"),
        }
    }
}
