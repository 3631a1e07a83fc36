//! What needs an operator's attention, by what stands now.

use contracts::operator::{
    Attention, AttentionCode, MissingState, PartHealth, RecordCounts, RecordType, SyncState, SyncSummary,
    Urgency,
};
use uuid::Uuid;

/// What stands now.
pub(crate) struct Standing<'a> {
    pub(crate) health: &'a [PartHealth],
    /// The last full sync that ended.
    pub(crate) last_full_sync: Option<&'a SyncSummary>,
    /// Tasks of that sync that were given up.
    pub(crate) dead_tasks: i64,
    pub(crate) dead_letters: i64,
    pub(crate) rejected_records: i64,
    pub(crate) open_conflicts: i64,
    /// Ticks that were missed since one has started a sync.
    pub(crate) missed_ticks: i64,
}

/// What needs attention, errors first.
pub(crate) fn attention(standing: &Standing<'_>) -> Vec<Attention> {
    let mut all: Vec<Attention> = standing.health.iter().filter_map(of_health).collect();
    all.extend(standing.last_full_sync.into_iter().flat_map(|last| of_sync(last, standing.dead_tasks)));
    let counted = [
        (
            standing.dead_letters,
            AttentionCode::DeadLetters,
            Urgency::Error,
            "dead letter waits",
            "dead letters wait",
        ),
        (
            standing.rejected_records,
            AttentionCode::RejectedRecords,
            Urgency::Warning,
            "record is rejected",
            "records are rejected",
        ),
        (
            standing.open_conflicts,
            AttentionCode::OpenConflicts,
            Urgency::Warning,
            "conflict is open",
            "conflicts are open",
        ),
        (
            standing.missed_ticks,
            AttentionCode::MissedTicks,
            Urgency::Warning,
            "scheduled sync was missed, and none has started since",
            "scheduled syncs were missed, and none has started since",
        ),
    ];
    for (number, code, urgency, one, many) in counted {
        if number > 0 {
            all.push(item(urgency, code, counted_text(number, one, many), None));
        }
    }
    all.sort_by_key(|it| it.urgency);
    all
}

fn of_health(part: &PartHealth) -> Option<Attention> {
    let detail = part.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    let message = format!("The {} is not well{detail}", part.name.replace('-', " "));
    (!part.ok).then(|| item(Urgency::Error, AttentionCode::Health, message, None))
}

/// What the last full sync has left undone.
fn of_sync(last: &SyncSummary, dead_tasks: i64) -> Vec<Attention> {
    let mut all = Vec::new();
    let mut add = |urgency, code, message: String| all.push(item(urgency, code, message, Some(last.sync_id)));
    match last.state {
        SyncState::Failed => {
            let failure = last.failure.as_ref().map(|failure| format!(": {failure}")).unwrap_or_default();
            add(Urgency::Error, AttentionCode::SyncFailed, format!("The last full sync failed{failure}"));
        }
        SyncState::Cancelled => {
            let message = "The last full sync was cancelled".to_owned();
            add(Urgency::Warning, AttentionCode::SyncCancelled, message);
        }
        _ => {}
    }
    if dead_tasks > 0 {
        let text = counted_text(
            dead_tasks,
            "task of the last full sync was given up",
            "tasks of the last full sync were given up",
        );
        add(Urgency::Error, AttentionCode::DeadTasks, text);
    }
    if last.state == SyncState::CompletedWithErrors {
        let unread: i64 = last.counts.iter().map(unread_records).sum();
        if unread > 0 {
            let text =
                counted_text(unread, "announced record was not read", "announced records were not read");
            add(Urgency::Error, AttentionCode::RecordsNotRead, text);
        }
    }
    if last.missing_records == Some(MissingState::Asks) {
        let missing = last.counts.iter().map(|counts| counts.missing).sum();
        let text = counted_text(
            missing,
            "record is no longer in the onboarding portal: an operator decides",
            "records are no longer in the onboarding portal: an operator decides",
        );
        add(Urgency::Warning, AttentionCode::MissingRecords, text);
    }
    let unreached = last.counts.iter().filter(|it| last.state != SyncState::Completed && !it.reached);
    all.extend(unreached.map(|counts| Attention {
        record_type: Some(counts.record_type),
        ..item(
            Urgency::Error,
            AttentionCode::TypeNotRead,
            not_read_text(counts.record_type),
            Some(last.sync_id),
        )
    }));
    all
}

fn unread_records(counts: &RecordCounts) -> i64 {
    counts.expected.map_or(0, |expected| expected.saturating_sub(counts.read).max(0))
}

fn not_read_text(record_type: RecordType) -> String {
    match record_type {
        RecordType::Company => "Companies were not read",
        RecordType::Vessel => "Vessels were not read",
        RecordType::Equipment => "Equipment was not read",
        RecordType::User => "Users were not read",
    }
    .to_owned()
}

fn counted_text(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn item(urgency: Urgency, code: AttentionCode, message: String, sync_id: Option<Uuid>) -> Attention {
    Attention { urgency, code, message, sync_id, record_type: None }
}
