//! Everything that is printed: tables for people, JSON for programs.
#![expect(clippy::print_stdout, reason = "this is the command line")]

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use contracts::operator::{Finding, RecordCounts, Severity, SyncSummary};
use serde::Serialize;

use crate::arguments::Output;

/// Most reasons that are listed after a sync.
const MOST_REASONS: usize = 25;

pub(crate) fn line(text: impl std::fmt::Display) {
    println!("{text}");
}

pub(crate) fn json(value: &impl Serialize) {
    println!("{}", serde_json::to_string_pretty(value).expect("what came as JSON goes as JSON"));
}

/// JSON, or what `people` prints.
pub(crate) fn either<T: Serialize>(output: Output, value: &T, people: impl FnOnce(&T)) {
    match output {
        Output::Json => json(value),
        Output::Table => people(value),
    }
}

/// Says what went wrong on standard error.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

/// The word of a value, as it stands in JSON.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => other.map(|value| value.to_string()).unwrap_or_default(),
    }
}

pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(header);
    table
}

fn number(value: i64) -> Cell {
    Cell::new(value).set_alignment(CellAlignment::Right)
}

/// Expected, read and every outcome, per kind of record.
pub(crate) fn outcomes(counts: &[RecordCounts]) {
    let mut table =
        table(["", "expected", "read", "created", "updated", "unchanged", "conflict", "rejected", "skipped"]);
    for it in counts {
        let expected = it.expected.map_or_else(|| "?".to_owned(), |expected| expected.to_string());
        table.add_row(vec![
            Cell::new(plural(it)),
            Cell::new(expected).set_alignment(CellAlignment::Right),
            number(it.read),
            number(it.created),
            number(it.updated),
            number(it.unchanged),
            number(it.conflict),
            number(it.rejected),
            number(it.skipped),
        ]);
    }
    println!("{table}");
    let late: i64 = counts.iter().map(|it| it.late).sum();
    if late > 0 {
        println!(
            "{late} of those read had changed since the onboarding portal counted, and may be read twice"
        );
    }
}

/// What people call these records.
pub(crate) fn plural(counts: &RecordCounts) -> &'static str {
    use contracts::operator::RecordType::{Company, Equipment, User, Vessel};
    match counts.record_type {
        Company => "companies",
        Vessel => "vessels",
        Equipment => "equipment",
        User => "users",
    }
}

/// Why records were rejected.
pub(crate) fn reasons(findings: &[Finding], total: i64) {
    let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    if errors.is_empty() {
        return;
    }
    let mut table = table(["rejected", "record", "field", "reason", "value"]);
    for it in errors.iter().take(MOST_REASONS) {
        let label = it.label.as_deref().unwrap_or(&it.source_id);
        let value = it.value.as_deref().unwrap_or_default();
        table.add_row([word(&it.record_type).as_str(), label, &it.pointer, &it.message, value]);
    }
    println!("{table}");
    let more = total.saturating_sub(i64::try_from(errors.len().min(MOST_REASONS)).unwrap_or(i64::MAX));
    if more > 0 {
        println!("{more} more findings: GET /api/sync/syncs/<id>/findings, or the dashboard");
    }
}

/// Syncs, a row each.
pub(crate) fn syncs(syncs: &[SyncSummary]) {
    let mut table = table(["sync", "started", "took", "cause", "mode", "state", "read", "rejected", "by"]);
    for it in syncs {
        let read: i64 = it.counts.iter().map(|counts| counts.read).sum();
        let rejected: i64 = it.counts.iter().map(|counts| counts.rejected).sum();
        table.add_row(vec![
            Cell::new(it.sync_id),
            Cell::new(time(it.started_at)),
            Cell::new(took(it)),
            Cell::new(word(&it.cause)),
            Cell::new(word(&it.mode)),
            Cell::new(word(&it.state)),
            number(read),
            number(rejected),
            Cell::new(&it.requested_by),
        ]);
    }
    println!("{table}");
}

pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How long a sync took, once it has ended.
pub(crate) fn took(sync: &SyncSummary) -> String {
    sync.completed_at.map_or_else(|| "…".to_owned(), |end| duration(end - sync.started_at))
}

fn duration(delta: TimeDelta) -> String {
    let ms = delta.num_milliseconds().max(0);
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{} h {:02} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let said = [999, 1_234, 61_000, 3_720_000].map(|ms| duration(TimeDelta::milliseconds(ms)));
        assert_eq!(said, ["999 ms", "1.2 s", "1 min 01 s", "1 h 02 min"]);
    }
}
