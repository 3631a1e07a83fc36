//! The tally of a run: what became of the records of each kind, by whichever way it was read.

use std::collections::BTreeMap;

use anyhow::Context;
use contracts::operator::RecordCounts;
use serde_json::Value;

/// The words of the kinds of records, as they stand in every tally.
pub const RECORD_TYPES: [&str; 4] = ["company", "vessel", "equipment", "user"];

/// Per kind of record, by its word.
pub type Tally = BTreeMap<String, RecordCounts>;

/// From entries as the operator API has them.
pub(crate) fn tally(entries: Vec<RecordCounts>) -> anyhow::Result<Tally> {
    entries
        .into_iter()
        .map(|entry| {
            let word = serde_json::to_value(entry.record_type)?;
            Ok((word.as_str().context("a kind of record is a word")?.to_owned(), entry))
        })
        .collect()
}

/// From entries as JSON: of the command line, or rows of `sync_counts`.
pub(crate) fn tally_of_json(entries: Value) -> anyhow::Result<Tally> {
    tally(serde_json::from_value(entries)?)
}

/// Whether all that was announced was read, and all that was read has an outcome.
pub fn is_balanced(counts: &RecordCounts) -> bool {
    let RecordCounts { expected, read, created, updated, unchanged, conflict, rejected, skipped, .. } =
        counts;
    let outcomes = created + updated + unchanged + conflict + rejected + skipped;
    *expected == Some(*read) && *read == outcomes
}
