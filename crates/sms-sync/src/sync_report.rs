//! Syncs as tables for people: one with its record counts and rejected records, or many in a list.

use contracts::operator::{
    Finding, List, Pagination, RecordCounts, RecordType, Severity, SyncDetail, SyncState, SyncSummary,
};
use uuid::Uuid;

use crate::output::{self, Cell, Table, json_word, right_aligned, time};

/// Most rejected records that are listed after a sync.
const REJECTION_LIMIT: usize = 25;

/// Prints one sync: how it ended, its record counts, and why records were rejected.
pub(crate) fn print_sync(detail: &SyncDetail, findings: Option<&List<Finding>>) {
    let sync = &detail.summary;
    output::line(format!(
        "sync {}: {} in {} ({}, {}, by {})",
        sync.sync_id,
        json_word(&sync.state),
        elapsed(sync),
        json_word(&sync.cause),
        json_word(&sync.mode),
        sync.requested_by
    ));
    if let Some(failure) = &sync.failure {
        output::line(format!("  {failure}"));
    }
    if let Some(detail) = &sync.detail {
        output::line(format!("  {detail}"));
    }
    if sync.scope.as_object().is_some_and(|scope| !scope.is_empty()) {
        output::line(format!("  scope {}", sync.scope));
    }
    if let Some(of) = sync.retry_of {
        output::line(format!("  retry of {of}"));
    }
    if let Some(by) = &sync.cancelled_by {
        output::line(format!("  cancelled by {by}"));
    }
    if !sync.counts.is_empty() {
        print_record_counts(&sync.counts);
        for text in unread_texts(sync) {
            output::line(text);
        }
    }
    if let Some(findings) = findings {
        print_rejections(sync.sync_id, findings);
    }
    if detail.tasks.dead > 0 {
        output::line(format!("{} dead tasks: see sms-sync dead-letters list", detail.tasks.dead));
    }
}

fn print_record_counts(counts: &[RecordCounts]) {
    let mut table = output::table([
        "records",
        "expected",
        "read",
        "created",
        "updated",
        "unchanged",
        "conflict",
        "rejected",
        "skipped",
    ]);
    for it in counts {
        let expected = it.expected.map_or_else(|| "?".to_owned(), |expected| expected.to_string());
        let read = if it.reached { it.read.to_string() } else { "not reached".to_owned() };
        table.add_row(vec![
            Cell::new(record_type_plural(it)),
            right_aligned(expected),
            right_aligned(read),
            right_aligned(it.created),
            right_aligned(it.updated),
            right_aligned(it.unchanged),
            right_aligned(it.conflict),
            right_aligned(it.rejected),
            right_aligned(it.skipped),
        ]);
    }
    table.print();
    let late: i64 = counts.iter().map(|it| it.late).sum();
    if late > 0 {
        output::line(format!(
            "{late} records changed after the onboarding portal counted, and may have been read twice"
        ));
    }
}

/// What a sync that has ended has left unread: one sentence per record type that it did not reach.
fn unread_texts(sync: &SyncSummary) -> Vec<String> {
    let has_gaps = sync.completed_at.is_some() && sync.state != SyncState::Completed;
    let unreached = sync.counts.iter().filter(|it| has_gaps && !it.reached);
    unreached.map(|it| format!("{} not read: nothing is known about their present state", were(it))).collect()
}

fn were(counts: &RecordCounts) -> String {
    let name = record_type_plural(counts);
    let verb = if counts.record_type == RecordType::Equipment { "was" } else { "were" };
    format!("{name} {verb}")
}

pub(crate) fn record_type_plural(counts: &RecordCounts) -> &'static str {
    use RecordType::{Company, Equipment, User, Vessel};
    match counts.record_type {
        Company => "companies",
        Vessel => "vessels",
        Equipment => "equipment",
        User => "users",
    }
}

fn print_rejections(sync_id: Uuid, findings: &List<Finding>) {
    let mut errors: Vec<_> = findings.data.iter().filter(|it| it.severity == Severity::Error).collect();
    // Vessels first: what belongs to a vessel may be missing because the vessel is.
    errors.sort_by_key(|it| (it.record_type, &it.label, &it.source_id, &it.pointer));
    errors.truncate(REJECTION_LIMIT);
    if errors.is_empty() {
        return;
    }
    let mut table = output::table(["rejected", "record", "field", "reason", "value"])
        .text(["record", "reason", "value"])
        .optional(["value", "field"]);
    for it in &errors {
        table.add_row(finding_cells(it));
    }
    table.print();
    let Pagination { total, total_is_exact, .. } = findings.pagination;
    let more = total.saturating_sub(i64::try_from(errors.len()).unwrap_or(i64::MAX));
    if more > 0 {
        let at_least = if total_is_exact { "" } else { "at least " };
        output::line(format!("{at_least}{more} more findings: sms-sync syncs findings {sync_id}"));
    }
}

/// Type, record, field, reason and value of a finding.
fn finding_cells(it: &Finding) -> [Cell; 5] {
    let label = it.label.as_deref().unwrap_or(&it.source_id);
    let value = it.value.as_deref().unwrap_or_default();
    [
        Cell::new(it.record_type),
        Cell::new(label),
        Cell::new(&it.pointer),
        Cell::new(&it.message),
        Cell::new(value),
    ]
}

pub(crate) fn finding_table(findings: &[Finding]) -> Table {
    let mut table = output::table(["severity", "code", "type", "record", "field", "reason", "value"])
        .text(["record", "reason", "value"])
        .optional(["value", "field", "code", "type"]);
    for it in findings {
        let kind = [Cell::new(it.severity), Cell::new(&it.code)];
        table.add_row(kind.into_iter().chain(finding_cells(it)));
    }
    table
}

pub(crate) fn sync_table(syncs: &[SyncSummary]) -> Table {
    let header = ["sync", "started (UTC)", "duration", "cause", "mode", "state", "read", "rejected", "by"];
    let mut table = output::table(header).optional([
        "by",
        "cause",
        "mode",
        "duration",
        "read",
        "rejected",
        "started (UTC)",
    ]);
    for it in syncs {
        let read: i64 = it.counts.iter().map(|counts| counts.read).sum();
        let rejected: i64 = it.counts.iter().map(|counts| counts.rejected).sum();
        table.add_row(vec![
            Cell::new(it.sync_id),
            Cell::new(time(it.started_at)),
            Cell::new(elapsed(it)),
            Cell::new(json_word(&it.cause)),
            Cell::new(json_word(&it.mode)),
            Cell::new(json_word(&it.state)),
            right_aligned(read),
            right_aligned(rejected),
            Cell::new(&it.requested_by),
        ]);
    }
    table
}

/// From start to end; "…" while the sync goes on.
fn elapsed(sync: &SyncSummary) -> String {
    sync.completed_at.map_or_else(|| "…".to_owned(), |end| output::duration(end - sync.started_at))
}
