//! The end of an attempt at a message: done, retried later, put off, or rejected as a dead letter; and the record of a
//! failed one.

use std::time::Duration;

use broker::{Delivery, Disposition};
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

/// The sync and the task that a message belongs to, as far as they could be read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject {
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
        return snoozed(context, subject, wait).await;
    }
    let reason = error.chain();
    let class = error.class();
    let ended = context.clock.now();
    let delays = delays(context).await;
    let mut next = after_failure(class, delivery.attempt, error.retry_after(), &delays);
    if let AfterFailure::Retry { wait, .. } = &mut next {
        let scatter = if error.retry_after().is_some() { with_added_jitter } else { with_jitter };
        *wait = scatter(*wait, &mut rand::rng());
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
            AfterFailure::Retry { wait, .. } => Some(ended + wait),
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
        AfterFailure::DeadLetter => Disposition::Reject { class, reason },
    }
}

/// Puts a message off that cannot be handled now through no fault of its own. It counts as no attempt, and its sync shows
/// a sign of life. The wait is scattered, so that messages that wait for one cause do not return at one moment.
async fn snoozed(context: &Context, subject: Subject, wait: Duration) -> Disposition {
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
    Disposition::Snooze(with_jitter(wait, &mut rand::rng()).max(MINIMUM_SNOOZE_DELAY))
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
