//! Messages of the updates stream: written for the changes that this service makes, read for the clients of the event
//! stream.

use contracts::{
    messages::{self, SyncUpdate, sync_update::What},
    operator as api,
};
use domain::{DeadLetterId, dead_letter::DeadLetterState};
use serde_json::{Value, json};

use crate::saturating::to_i64;

/// The state of a sync.
pub(crate) fn sync_update(it: &api::SyncSummary) -> What {
    What::Sync(messages::SyncProgress {
        sync_id: it.sync_id.to_string(),
        state: it.state.to_string(),
        cause: it.cause.to_string(),
        mode: it.mode.to_string(),
        phase: u32::try_from(it.phase).unwrap_or_default(),
        counts: it.counts.iter().map(counts_message).collect(),
        detail: it.failure.clone().or_else(|| it.detail.clone()).unwrap_or_default(),
        tasks: None,
    })
}

fn counts_message(it: &api::RecordCounts) -> messages::RecordCounts {
    messages::RecordCounts {
        record_type: messages::RecordType::from(domain::RecordType::from(it.record_type)).into(),
        expected: it.expected.map(i64::unsigned_abs),
        read: it.read.unsigned_abs(),
        created: it.created.unsigned_abs(),
        updated: it.updated.unsigned_abs(),
        unchanged: it.unchanged.unsigned_abs(),
        conflict: it.conflict.unsigned_abs(),
        rejected: it.rejected.unsigned_abs(),
        skipped: it.skipped.unsigned_abs(),
        missing: it.missing.unsigned_abs(),
        deactivated: it.deactivated.unsigned_abs(),
        late: it.late.unsigned_abs(),
        reached: Some(it.reached),
    }
}

/// A dead letter whose replay was requested.
pub(crate) fn dead_letter_replaying_update(id: DeadLetterId) -> What {
    What::DeadLetter(messages::DeadLetterNotice {
        dead_letter_id: id.to_string(),
        queue: String::new(),
        state: DeadLetterState::Replaying.to_string(),
        reason: String::new(),
    })
}

/// The JSON of an update for clients of the event stream. None for an update of a newer version that this one cannot read.
pub(crate) fn notice(update: &SyncUpdate) -> Option<Value> {
    let occurred_at = update.occurred_at?.try_into().ok()?;
    Some(match update.what.as_ref()? {
        What::Sync(it) => json!(api::SyncNotice {
            sync_id: it.sync_id.parse().ok()?,
            state: it.state.parse().ok()?,
            cause: it.cause.parse().ok()?,
            mode: it.mode.parse().ok()?,
            phase: i16::try_from(it.phase).ok()?,
            counts: it.counts.iter().filter_map(record_counts).collect(),
            tasks: it.tasks.as_ref().map(|it| api::TaskCounts {
                pending: to_i64(it.pending),
                retrying: to_i64(it.retrying),
                done: to_i64(it.done),
                dead: to_i64(it.dead),
                cancelled: to_i64(it.cancelled),
            }),
            detail: Some(it.detail.clone()).filter(|detail| !detail.is_empty()),
            occurred_at,
        }),
        What::DeadLetter(it) => json!(api::DeadLetterNotice {
            dead_letter_id: it.dead_letter_id.parse().ok()?,
            queue: it.queue.clone(),
            state: it.state.parse().ok()?,
            reason: it.reason.clone(),
            occurred_at,
        }),
        What::Webhook(it) => json!(api::WebhookNotice {
            webhook_event_id: it.webhook_event_id.parse().ok()?,
            event_type: it.event_type.clone(),
            record_type: domain::RecordType::try_from(it.record_type()).ok().map(Into::into),
            source_id: it.source_id.clone(),
            state: it.state.parse().ok()?,
            occurred_at,
        }),
        What::Conflict(it) => json!(api::ConflictNotice {
            conflict_id: it.conflict_id.parse().ok(),
            sync_id: it.sync_id.parse().ok(),
            open: to_i64(it.open),
            occurred_at,
        }),
        What::Health(it) => json!(api::HealthNotice {
            part: it.part.clone(),
            outcome: it.outcome.parse().ok()?,
            failure: Some(it.failure.clone()).filter(|failure| !failure.is_empty()),
            occurred_at,
        }),
        What::Settings(it) => json!(api::SettingsNotice { version: to_i64(it.version), occurred_at }),
    })
}

fn record_counts(it: &messages::RecordCounts) -> Option<api::RecordCounts> {
    Some(api::RecordCounts {
        record_type: domain::RecordType::try_from(it.record_type()).ok()?.into(),
        reached: it.reached.unwrap_or(it.read > 0 || it.expected.is_some()),
        expected: it.expected.map(to_i64),
        read: to_i64(it.read),
        created: to_i64(it.created),
        updated: to_i64(it.updated),
        unchanged: to_i64(it.unchanged),
        conflict: to_i64(it.conflict),
        rejected: to_i64(it.rejected),
        skipped: to_i64(it.skipped),
        missing: to_i64(it.missing),
        deactivated: to_i64(it.deactivated),
        late: to_i64(it.late),
    })
}
