//! What the database says, in the words of the operator API.

use contracts::{
    messages::{self, sync_update},
    operator::{self, ConflictField, RecordCounts, SyncSummary},
};
use domain::{DeadLetterId, SyncId, Tally, dead_letter::DeadLetterState, values::Email};
use store::{
    Db, StoreError,
    ledger::{
        attempts, conflicts, dead_letters::DeadLetter, findings::StoredFinding,
        refused_webhooks::RefusedWebhook, syncs::StoredSync, tallies::tallies_read,
        webhook_events::WebhookEvent,
    },
};

/// Columns that say who a person is.
const PERSONAL: [&str; 4] = ["email", "given_name", "family_name", "employee_number"];

/// A conflict; persons' data in it is masked unless it is shown whole.
pub(crate) fn conflict(it: conflicts::Conflict, whole: bool) -> operator::Conflict {
    let masked = |name: &str, value: Option<&serde_json::Value>| {
        let value = value.cloned().unwrap_or_default();
        match value.as_str() {
            Some(text)
                if !whole && it.record_type == domain::RecordType::User && PERSONAL.contains(&name) =>
            {
                Email::mask(text).into()
            }
            _ => value,
        }
    };
    let fields =
        it.source.iter().filter(|(name, value)| it.local.get(*name) != Some(value)).map(|(name, value)| {
            let field =
                ConflictField { local: masked(name, it.local.get(name)), source: masked(name, Some(value)) };
            (name.clone(), field)
        });
    operator::Conflict {
        fields: fields.collect(),
        id: it.id.as_uuid(),
        sync_id: it.sync_id.map(SyncId::as_uuid),
        record_type: it.record_type.into(),
        source_id: it.source_id.to_string(),
        label: it.label.clone(),
        kind: it.kind.into(),
        policy: it.policy.into(),
        winner: it.winner.into(),
        local_writer: it.local_writer.into(),
        local_at: it.local_at,
        source_at: it.source_at,
        state: it.state.into(),
        opened_at: it.opened_at,
        resolved_at: it.resolved_at,
        resolved_by: it.resolved_by.clone(),
        resolution: it.resolution.map(Into::into),
        resolved_fields: it.resolved_fields.clone().and_then(|it| serde_json::from_value(it).ok()),
    }
}

/// A number of rows. None is near the end of an i64.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn counts(tally: &Tally) -> RecordCounts {
    let it = &tally.counts;
    RecordCounts {
        record_type: tally.record_type.into(),
        expected: tally.expected.map(number),
        read: number(it.read()),
        created: number(it.created),
        updated: number(it.updated),
        unchanged: number(it.unchanged),
        conflict: number(it.conflict),
        rejected: number(it.rejected),
        skipped: number(it.skipped),
        missing: number(tally.missing),
        deactivated: number(tally.deactivated),
        late: number(tally.late),
    }
}

pub(crate) fn summary(sync: StoredSync, tallies: &[Tally]) -> SyncSummary {
    SyncSummary {
        sync_id: sync.id.as_uuid(),
        cause: sync.cause.into(),
        mode: sync.mode.into(),
        state: sync.state.into(),
        phase: sync.phase.map_or(0, domain::Phase::number),
        requested_by: sync.requested_by,
        reason: sync.reason,
        dry_run: sync.dry_run,
        scope: serde_json::json!(sync.scope),
        retry_of: sync.retry_of.map(SyncId::as_uuid),
        detail: sync.detail,
        missing_records: sync.missing_records.map(Into::into),
        started_at: sync.started_at,
        running_at: sync.running_at,
        heartbeat_at: sync.heartbeat_at,
        completed_at: sync.completed_at,
        failure: sync.failure,
        cancelled_by: sync.cancelled_by,
        counts: tallies.iter().map(counts).collect(),
    }
}

/// Syncs with their tallies, in the order of `syncs`.
pub(crate) async fn summaries(db: &mut Db, syncs: Vec<StoredSync>) -> Result<Vec<SyncSummary>, StoreError> {
    let ids: Vec<SyncId> = syncs.iter().map(|sync| sync.id).collect();
    let tallies = tallies_read(db, &ids).await?;
    let of = |sync: StoredSync| {
        let tallies = tallies.get(&sync.id).map(Vec::as_slice).unwrap_or_default();
        summary(sync, tallies)
    };
    Ok(syncs.into_iter().map(of).collect())
}

pub(crate) fn attempt(attempt: attempts::Attempt) -> operator::Attempt {
    operator::Attempt {
        message_id: attempt.message_id,
        number: i32::try_from(attempt.number).unwrap_or(i32::MAX),
        class: attempt.class.into(),
        failure: attempt.failure,
        began_at: attempt.began_at,
        duration_ms: i32::try_from(attempt.duration_ms).unwrap_or(i32::MAX),
        next_attempt_at: attempt.next_attempt_at,
    }
}

pub(crate) fn finding(it: StoredFinding) -> operator::Finding {
    operator::Finding {
        record_type: it.record_type.into(),
        source_id: it.source_id,
        label: it.label,
        severity: it.severity.into(),
        code: it.code,
        pointer: it.pointer,
        message: it.message,
        value: it.value,
    }
}

pub(crate) fn dead_letter(it: &DeadLetter) -> operator::DeadLetter {
    operator::DeadLetter {
        id: it.id.as_uuid(),
        message_id: it.message_id.clone(),
        queue: it.queue.clone(),
        kind: it.kind.clone(),
        class: it.class.into(),
        reason: it.reason.clone(),
        fingerprint: it.fingerprint.clone(),
        attempts: i32::try_from(it.attempts).unwrap_or(i32::MAX),
        sync_id: it.sync_id.map(SyncId::as_uuid),
        died_at: it.died_at,
        state: it.state.into(),
        replays: i32::try_from(it.replays).unwrap_or(i32::MAX),
        replay_of: it.replay_of.map(DeadLetterId::as_uuid),
        replayed_by: it.replayed_by.clone(),
        replayed_at: it.replayed_at,
        trace_id: it.trace_id.clone(),
    }
}

pub(crate) fn webhook_event(it: WebhookEvent) -> operator::WebhookEvent {
    operator::WebhookEvent {
        id: it.id.as_uuid(),
        webhook_id: it.webhook_id,
        event_type: it.event_type,
        record_type: it.record_type.map(Into::into),
        source_id: it.source_id,
        occurred_at: it.occurred_at,
        state: it.state.into(),
        duplicates: i32::try_from(it.duplicates).unwrap_or(i32::MAX),
        sync_id: it.sync_id.map(SyncId::as_uuid),
        last_failure: it.last_failure,
        received_at: it.received_at,
        published_at: it.published_at,
        processed_at: it.processed_at,
        key_name: it.key_name,
    }
}

pub(crate) fn refused_webhook(it: RefusedWebhook) -> operator::RefusedWebhook {
    operator::RefusedWebhook {
        id: it.id.as_uuid(),
        received_at: it.received_at,
        reason: it.reason.into(),
        status: i32::from(it.status),
        detail: it.detail,
        source: it.source,
        webhook_id: it.webhook_id,
        content_type: it.content_type,
        user_agent: it.user_agent,
        body_bytes: it.body_bytes.map(number),
        body_sha256: it.body_sha256.map(hex::encode),
        alike: number(it.alike),
    }
}

pub(crate) fn dead_letter_group(
    it: store::ledger::dead_letters::DeadLetterGroup,
) -> operator::DeadLetterGroup {
    operator::DeadLetterGroup {
        fingerprint: it.fingerprint,
        queue: it.queue,
        kind: it.kind,
        class: it.class.into(),
        reason: it.reason,
        total: number(it.total),
        dead: number(it.dead),
        first_died_at: it.first_died_at,
        last_died_at: it.last_died_at,
    }
}

pub(crate) fn replay_job(it: store::ledger::replay_jobs::ReplayJob) -> operator::ReplayJob {
    let state = match (it.cancelled_at, it.completed_at) {
        (Some(_), _) => operator::ReplayState::Cancelled,
        (None, Some(_)) => operator::ReplayState::Completed,
        (None, None) => operator::ReplayState::Running,
    };
    operator::ReplayJob {
        id: it.id,
        state,
        filter: it.filter,
        requested_by: it.requested_by,
        reason: it.reason,
        rate_per_second: it.rate_per_second,
        created_at: it.created_at,
        completed_at: it.completed_at,
        cancelled_at: it.cancelled_at,
        cancelled_by: it.cancelled_by,
        counts: operator::ReplayCounts {
            waiting: it.waiting,
            sent: it.sent,
            succeeded: it.succeeded,
            died: it.died,
            cancelled: it.cancelled,
        },
    }
}

pub(crate) fn replay_item(it: store::ledger::replay_jobs::ReplayItem) -> operator::ReplayItem {
    operator::ReplayItem {
        dead_letter_id: it.dead_letter_id.as_uuid(),
        outcome: it.state.into(),
        died_as: it.died_as.map(DeadLetterId::as_uuid),
        ended_at: it.ended_at,
        reason: it.reason,
    }
}

/// The update that tells of a sync as it stands.
pub(crate) fn progress(it: &SyncSummary) -> sync_update::What {
    sync_update::What::Sync(messages::SyncProgress {
        sync_id: it.sync_id.to_string(),
        state: it.state.to_string(),
        cause: it.cause.to_string(),
        mode: it.mode.to_string(),
        phase: u32::try_from(it.phase).unwrap_or_default(),
        counts: it.counts.iter().map(counts_message).collect(),
        detail: it.failure.clone().or_else(|| it.detail.clone()).unwrap_or_default(),
    })
}

fn counts_message(it: &RecordCounts) -> messages::RecordCounts {
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
    }
}

/// The update that tells of a dead letter on its way back.
pub(crate) fn replaying(id: DeadLetterId) -> sync_update::What {
    sync_update::What::DeadLetter(messages::DeadLetterNotice {
        dead_letter_id: id.to_string(),
        queue: String::new(),
        state: DeadLetterState::Replaying.to_string(),
        reason: String::new(),
    })
}
