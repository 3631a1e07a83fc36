//! Syncs with their tallies, attempts and findings as the API shows them.

use contracts::operator as api;
use domain::{Cause, RecordType, SyncId, SyncState, Tally};
use store::{
    Db, StoreError,
    ledger::{
        attempts::Attempt, findings::StoredFinding, syncs::StoredSync, tallies::tallies_read, tasks::Task,
    },
};

use crate::saturating::{to_i32, to_i64};

/// Syncs with their tallies, in the order of `syncs`.
pub(crate) async fn load_sync_summaries(
    db: &mut Db,
    syncs: Vec<StoredSync>,
) -> Result<Vec<api::SyncSummary>, StoreError> {
    let ids: Vec<SyncId> = syncs.iter().map(|sync| sync.id).collect();
    let tallies = tallies_read(db, &ids).await?;
    let summary = |sync: StoredSync| {
        let tallies = tallies.get(&sync.id).map(Vec::as_slice).unwrap_or_default();
        sync_summary(sync, tallies)
    };
    Ok(syncs.into_iter().map(summary).collect())
}

fn sync_summary(sync: StoredSync, tallies: &[Tally]) -> api::SyncSummary {
    let tallies = tallies_in_scope(&sync, tallies);
    let counts = tallies.iter().map(|tally| record_counts(tally, &tallies)).collect();
    api::SyncSummary {
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
        counts,
    }
}

/// A tally for each record type that the sync has read, or was to read. A webhook's sync has no more than it needs: it
/// reads and ends in one transaction. A sync that is completed has left nothing out.
fn tallies_in_scope(sync: &StoredSync, tallies: &[Tally]) -> Vec<Tally> {
    let has_gaps = sync.cause != Cause::Webhook && sync.state != SyncState::Completed;
    let tally_of = |record_type: &RecordType| {
        let found = tallies.iter().find(|tally| tally.record_type == *record_type).copied();
        let is_wanted = has_gaps && sync.scope.covers(*record_type);
        found.or_else(|| is_wanted.then(|| Tally::empty(*record_type)))
    };
    RecordType::ALL.iter().filter_map(tally_of).collect()
}

fn record_counts(tally: &Tally, all: &[Tally]) -> api::RecordCounts {
    let it = &tally.counts;
    api::RecordCounts {
        record_type: tally.record_type.into(),
        reached: Tally::reaches(all, tally.record_type),
        expected: tally.expected.map(to_i64),
        read: to_i64(it.read()),
        created: to_i64(it.created),
        updated: to_i64(it.updated),
        unchanged: to_i64(it.unchanged),
        conflict: to_i64(it.conflict),
        rejected: to_i64(it.rejected),
        skipped: to_i64(it.skipped),
        missing: to_i64(tally.missing),
        deactivated: to_i64(tally.deactivated),
        late: to_i64(tally.late),
    }
}

pub(crate) fn attempt(it: Attempt) -> api::Attempt {
    api::Attempt {
        message_id: it.message_id,
        number: to_i32(it.number),
        class: it.class.into(),
        failure: it.failure,
        began_at: it.began_at,
        duration_ms: to_i32(it.duration_ms),
        next_attempt_at: it.next_attempt_at,
    }
}

pub(crate) fn task(it: Task) -> api::Task {
    api::Task {
        id: it.id.as_uuid(),
        record_type: it.request.record_type.into(),
        chain: i64::from(it.request.chain),
        page: i64::from(it.request.number),
        state: it.state.into(),
        failed_attempts: to_i32(it.attempts),
        last_failure: it.last_failure,
        created_at: it.created_at,
        completed_at: it.completed_at,
    }
}

pub(crate) fn finding(it: StoredFinding) -> api::Finding {
    api::Finding {
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
