//! Dry runs: a page is written and rolled back, and the changes that it would have made are recorded.
//!
//! The statements of a real sync do the work, inside a savepoint, so that the changes are observed and not predicted.
//! Pages of a sync build on each other: equipment needs its vessel, and of two records with one natural key the second
//! is rejected. So a page first restores the rows that earlier pages would have written, from their recorded changes;
//! and pages of one list take turns.
//!
//! A dry run must leave nothing but rows of `sync_changes`, findings and its tally.

use std::collections::{BTreeMap, HashMap};

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Outcome, RecordType, SyncId};
use serde_json::{Value, json};

use self::{
    changes::{LISTED_OUTCOMES, NewChange, changes_insert},
    row_state::{RowState, column_list, earlier_rows_restore, row_states_read},
};
use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{field_differences, provider_form},
};

mod changes;
mod records;
mod row_state;

pub use changes::{Change, ChangeFilter, change_list};
pub use records::{DryRunRecord, DryRunRecords};

/// A page between [`dry_run_page_begin`] and [`dry_run_page_end`].
#[derive(Debug)]
pub struct DryRunPage {
    records: DryRunRecords,
    /// The rows before the page is written.
    before: BTreeMap<RecordType, HashMap<String, RowState>>,
    /// The newest finding of the sync before the page is written.
    last_finding: i64,
}

/// Begins a page: what is written from here on is rolled back by [`dry_run_page_end`]. Other pages of the same lists of
/// the sync wait until the transaction ends. In the transaction of the task.
pub async fn dry_run_page_begin(
    db: &mut Db,
    sync_id: SyncId,
    records: DryRunRecords,
) -> Result<DryRunPage, StoreError> {
    for record_type in records.keys() {
        statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind::<Text, _>(format!("dry run {sync_id} {record_type}"))
            .execute(db)
            .await?;
    }
    statement("SAVEPOINT dry_run_page").execute(db).await?;
    earlier_rows_restore(db, sync_id, &records).await?;
    let mut before = BTreeMap::new();
    for (record_type, records) in &records {
        before.insert(*record_type, row_states_read(db, *record_type, records).await?);
    }
    let last_finding = statement("SELECT coalesce(max(id), 0) FROM findings WHERE sync_id = $1")
        .bind::<Uuid, _>(sync_id.as_uuid())
        .returning::<Int8>()
        .get_result(db)
        .await?;
    Ok(DryRunPage { records, before, last_finding })
}

/// Rolls the page back, and records its changes and findings. `outcomes` are those of every record that it has tried to
/// write, by source id.
pub async fn dry_run_page_end(
    db: &mut Db,
    sync_id: SyncId,
    page: DryRunPage,
    outcomes: &BTreeMap<RecordType, Vec<(String, Outcome)>>,
) -> Result<(), StoreError> {
    let mut changes = Vec::new();
    for (record_type, outcomes) in outcomes {
        changes.extend(page_changes(db, sync_id, &page, *record_type, outcomes).await?);
    }
    let findings = page_findings_read(db, sync_id, &page).await?;
    statement("ROLLBACK TO SAVEPOINT dry_run_page").execute(db).await?;
    statement("RELEASE SAVEPOINT dry_run_page").execute(db).await?;
    // In the order in which the page writes: new rows after known ones, which may have given up a natural key.
    changes.sort_by_key(|change| change.before.is_none());
    changes_insert(db, sync_id, &changes).await?;
    findings_restore(db, findings).await
}

/// The changes of a page to records of one type.
async fn page_changes<'a>(
    db: &mut Db,
    sync_id: SyncId,
    page: &'a DryRunPage,
    record_type: RecordType,
    outcomes: &'a [(String, Outcome)],
) -> Result<Vec<NewChange<'a>>, StoreError> {
    let records = page.records.get(&record_type).map(Vec::as_slice).unwrap_or_default();
    let records_by_id: HashMap<&str, &DryRunRecord> =
        records.iter().map(|record| (record.source_id.as_str(), record)).collect();
    let before = page.before.get(&record_type);
    let mut after = row_states_read(db, record_type, records).await?;
    let mut conflicts = conflicts_read(db, sync_id, record_type, records).await?;
    let mut changes = Vec::new();
    for (source_id, outcome) in outcomes {
        let before = before.and_then(|rows| rows.get(source_id));
        let after = after.remove(source_id);
        let row_changes = before != after.as_ref();
        if !row_changes && !LISTED_OUTCOMES.contains(outcome) {
            continue;
        }
        changes.push(NewChange {
            record_type,
            source_id,
            label: records_by_id.get(source_id.as_str()).and_then(|record| record.label.as_deref()),
            outcome: *outcome,
            fields: row_differences(record_type, before, after.as_ref()),
            conflict: conflicts.remove(source_id),
            before: before.filter(|_| row_changes),
            after: after.filter(|_| row_changes),
        });
    }
    Ok(changes)
}

/// `[{field, old, new}]`
fn row_differences(record_type: RecordType, before: Option<&RowState>, after: Option<&RowState>) -> Value {
    if before == after {
        return json!([]);
    }
    let record = |state: Option<&RowState>| {
        let Some(state) = state else { return Value::Null };
        let mut record = provider_form(&state.columns);
        if let (Value::Object(fields), Value::Object(related)) = (&mut record, provider_form(&state.related))
        {
            fields.extend(related);
        }
        record
    };
    field_differences(record_type, &record(before), &record(after))
        .into_iter()
        .map(|(field, old, new)| json!({ "field": field, "old": old, "new": new }))
        .collect()
}

/// The conflicts that the page has opened: `{kind, winner, fields}` by source id.
async fn conflicts_read(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    records: &[DryRunRecord],
) -> Result<HashMap<String, Value>, StoreError> {
    let rows: Vec<(String, String, String, Value, Value)> = statement(
        "SELECT source_id, kind, winner, local_value, source_value FROM conflicts
         WHERE sync_id = $1 AND record_type = $2 AND source_id = ANY($3)",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Text, _>(record_type.as_str())
    .bind::<Array<Text>, _>(records.iter().map(|record| record.source_id.as_str()).collect::<Vec<_>>())
    .returning::<(Text, Text, Text, Jsonb, Jsonb)>()
    .load(db)
    .await?;
    let conflicts = rows.into_iter().map(|(source_id, kind, winner, local, source)| {
        let differences = field_differences(record_type, &provider_form(&local), &provider_form(&source));
        let fields: Vec<Value> = differences
            .into_iter()
            .map(|(field, local, source)| json!({ "field": field, "local": local, "source": source }))
            .collect();
        (source_id, json!({ "kind": kind, "winner": winner, "fields": fields }))
    });
    Ok(conflicts.collect())
}

/// The findings of the page as JSON rows, to be stored again after the rollback.
async fn page_findings_read(db: &mut Db, sync_id: SyncId, page: &DryRunPage) -> Result<Value, StoreError> {
    let record_types: Vec<&str> = page.records.keys().map(|record_type| record_type.as_str()).collect();
    Ok(statement(
        "SELECT coalesce(jsonb_agg(to_jsonb(f) - 'id' ORDER BY id), '[]') FROM findings f
         WHERE sync_id = $1 AND id > $2 AND record_type = ANY($3)",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Int8, _>(page.last_finding)
    .bind::<Array<Text>, _>(record_types)
    .returning::<Jsonb>()
    .get_result(db)
    .await?)
}

async fn findings_restore(db: &mut Db, findings: Value) -> Result<(), StoreError> {
    let Some(Value::Object(first)) = findings.get(0) else { return Ok(()) };
    let columns = column_list(first);
    let text = format!(
        "INSERT INTO findings ({columns}) SELECT {columns} FROM jsonb_populate_recordset(NULL::findings, $1)"
    );
    statement(&text).bind::<Jsonb, _>(findings).execute(db).await?;
    Ok(())
}
