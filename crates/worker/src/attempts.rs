//! The end of an attempt at a message: done, retried later, put off, or rejected as a dead letter; and the record of a
//! failed one.

use std::time::Duration;

use broker::{Delivery, Disposition, Queue};
use chrono::{DateTime, Utc};
use domain::{
    SyncId, TaskId,
    retry::{AfterFailure, after_failure, with_added_jitter, with_jitter},
};
use store::{
    StoreError,
    engine::settle::task_retry,
    ledger::{
        attempts::{Attempt, attempt_append},
        syncs::sync_heartbeat,
    },
    settings::sync_settings::settings_read,
};

use crate::{context::Context, failure::WorkError};

/// The shortest time that a message is put off: with less it would spend more time on its way than waiting.
const MINIMUM_SNOOZE_DELAY: Duration = Duration::from_millis(200);

/// Longest wait in the shortest delay queue of what the ledger could not take.
const LONGEST_QUEUED_SNOOZE: Duration = Duration::from_secs(10);

/// The queue of a message, and the sync and the task that it belongs to, as far as they could be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) queue: Queue,
    pub(crate) sync: Option<SyncId>,
    pub(crate) task: Option<TaskId>,
}

/// Decides what becomes of a message after an attempt, and records a failed attempt.
pub(crate) async fn settle(
    context: &Context,
    delivery: &Delivery,
    subject: Subject,
    began: DateTime<Utc>,
    result: Result<(), WorkError>,
) -> Disposition {
    let error = match result {
        Ok(()) => return Disposition::Done,
        Err(error) => error,
    };
    if let Some(wait) = error.snooze() {
        return snoozed(context, delivery, subject, wait).await;
    }
    let reason = error.chain();
    let class = error.class();
    let ended = context.clock.now();
    let delays = delays(context).await;
    let mut next = after_failure(class, delivery.attempt, error.retry_after(), &delays);
    match &mut next {
        AfterFailure::Retry { wait, .. } => *wait = with_jitter(*wait, &mut rand::rng()),
        AfterFailure::Postpone { wait } => *wait = with_added_jitter(*wait, &mut rand::rng()),
        AfterFailure::DeadLetter => {}
    }
    let attempt = Attempt {
        message_id: delivery.message_id.clone(),
        sync_id: subject.sync,
        number: delivery.attempt,
        class,
        failure: reason.clone(),
        began_at: began,
        duration_ms: (ended - began).num_milliseconds().try_into().unwrap_or(u32::MAX),
        next_attempt_at: match next {
            AfterFailure::Retry { wait, .. } | AfterFailure::Postpone { wait } => Some(ended + wait),
            AfterFailure::DeadLetter => None,
        },
    };
    tracing::warn!(
        message.id = attempt.message_id,
        attempt.number = attempt.number,
        attempt.duration_ms = attempt.duration_ms,
        failure.class = class.as_str(),
        failure.reason = reason,
        attempt.last = attempt.next_attempt_at.is_none(),
        "an attempt failed"
    );
    if let Err(error) = record(context, subject, &attempt).await {
        // Likely the same outage that failed the attempt. What becomes of the message does not depend on this.
        tracing::warn!(error = &error as &dyn std::error::Error, "the failed attempt could not be recorded");
    }
    match next {
        AfterFailure::Retry { tier, wait } => {
            metrics::counter!("sms_sync_retries_total", "class" => class.as_str()).increment(1);
            Disposition::Retry { tier, wait }
        }
        AfterFailure::Postpone { wait } => {
            metrics::counter!("sms_sync_retries_total", "class" => class.as_str()).increment(1);
            if postponed(context, delivery, subject.queue, delivery.attempt + 1, wait).await {
                return Disposition::Done;
            }
            // The ledger is away: the provider is asked sooner than it wished.
            let last = delays.len() - 1;
            Disposition::Retry { tier: last, wait: wait.min(delays[last]) }
        }
        AfterFailure::DeadLetter => Disposition::Reject { class, reason },
    }
}

/// Puts a message off that cannot be handled now through no fault of its own. It counts as no attempt, and its sync shows
/// a sign of life. The wait is scattered, so that messages that wait for one cause do not return at one moment.
async fn snoozed(context: &Context, delivery: &Delivery, subject: Subject, wait: Duration) -> Disposition {
    if let Some(sync) = subject.sync {
        let now = context.clock.now();
        let noted = async { sync_heartbeat(&mut *context.store.db().await?, sync, now).await };
        if let Err(error) = noted.await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a sync's sign of life could not be noted"
            );
        }
    }
    let wait = with_jitter(wait, &mut rand::rng()).max(MINIMUM_SNOOZE_DELAY);
    if postponed(context, delivery, subject.queue, delivery.attempt, wait).await {
        Disposition::Done
    } else {
        Disposition::Snooze(wait.min(LONGEST_QUEUED_SNOOZE))
    }
}

/// Whether the ledger has taken the message, to be published again after `wait`.
async fn postponed(
    context: &Context,
    delivery: &Delivery,
    queue: Queue,
    attempt: u32,
    wait: Duration,
) -> bool {
    let due_at = context.clock.now() + wait;
    match context.outbox.postpone(delivery.again(queue, attempt), due_at).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                message.id = delivery.message_id,
                "a message could not be put off in the ledger; it waits in the broker"
            );
            false
        }
    }
}

/// The retry delays of the settings; the defaults while the database does not answer.
async fn delays(context: &Context) -> [Duration; 3] {
    let read = async { settings_read(&mut *context.store.db().await?).await };
    match read.await {
        Ok(settings) => settings.retry_delays_ms.map(|ms| Duration::from_millis(ms.into())),
        Err(_gone) => domain::retry::DEFAULT_DELAYS,
    }
}

async fn record(context: &Context, subject: Subject, attempt: &Attempt) -> Result<(), StoreError> {
    let now = context.clock.now();
    context
        .store
        .transaction(async |tx| {
            attempt_append(tx, attempt).await?;
            // A task that goes to the dead letters is marked by the archiver, with the letter.
            if let (Some(id), Some(_)) = (subject.task, attempt.next_attempt_at) {
                task_retry(tx, id, &attempt.failure, now).await?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
    if let Some(id) = attempt.sync_id {
        context.progress.sync(id, crate::progress::Moment::Moved);
    }
    Ok(())
}
