//! Changes that a dry run would make: rows of `sync_changes`.

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Outcome, RecordType, SyncId};
use serde_json::{Value, json};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::Page,
        statement::{statement, word_list},
    },
    engine::dry_run::row_state::RowState,
};

/// Outcomes that people look for in a dry run. Other records are recorded only if their row changes.
pub(super) const LISTED_OUTCOMES: [Outcome; 4] =
    [Outcome::Created, Outcome::Updated, Outcome::Conflict, Outcome::Rejected];

/// A change that a dry run would make.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub id: u64,
    pub record_type: RecordType,
    pub source_id: String,
    /// The name that people know the record by.
    pub label: Option<String>,
    pub outcome: Outcome,
    /// `[{field, old, new}]`: JSON pointers, as the provider names the fields.
    pub fields: Value,
    /// `{kind, winner, fields}` if the record is in conflict.
    pub conflict: Option<Value>,
}

/// Conditions for changes. An absent one selects all.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChangeFilter {
    pub record_type: Option<RecordType>,
    pub outcome: Option<Outcome>,
}

/// A change to be recorded.
pub(super) struct NewChange<'a> {
    pub(super) record_type: RecordType,
    pub(super) source_id: &'a str,
    pub(super) label: Option<&'a str>,
    pub(super) outcome: Outcome,
    /// As [`Change::fields`].
    pub(super) fields: Value,
    /// As [`Change::conflict`].
    pub(super) conflict: Option<Value>,
    /// The row before and after, if it changes.
    pub(super) before: Option<&'a RowState>,
    pub(super) after: Option<RowState>,
}

pub(super) async fn changes_insert(
    db: &mut Db,
    sync_id: SyncId,
    changes: &[NewChange<'_>],
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let row = |change: &NewChange<'_>| {
        json!({
            "record_type": change.record_type,
            "source_id": change.source_id,
            "label": change.label,
            "outcome": change.outcome,
            "fields": change.fields,
            "conflict": change.conflict,
            "row_before": change.before.map(|state| &state.columns),
            "row_after": change.after.as_ref().map(|state| &state.columns),
            "key_before": change.before.and_then(|state| state.natural_key.as_ref()),
            "key_after": change.after.as_ref().and_then(|state| state.natural_key.as_ref()),
        })
    };
    statement(
        "INSERT INTO sync_changes (sync_id, record_type, source_id, label, outcome, fields, conflict, row_before,
             row_after, key_before, key_after)
         SELECT $1, record_type, source_id, label, outcome, fields, nullif(conflict, 'null'),
             nullif(row_before, 'null'), nullif(row_after, 'null'), key_before, key_after
         FROM jsonb_populate_recordset(NULL::sync_changes, $2)",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Jsonb, _>(Value::Array(changes.iter().map(row).collect()))
    .execute(db)
    .await?;
    Ok(())
}

/// The changes of a dry run with one of the [`LISTED_OUTCOMES`], in the order in which they were found.
pub async fn change_list(
    db: &mut Db,
    sync_id: SyncId,
    filter: ChangeFilter,
    limit: u32,
    offset: u32,
) -> Result<Page<Change>, StoreError> {
    type Row = (i64, String, String, Option<String>, String, Value, Option<Value>);
    let condition = format!(
        "sync_id = $1 AND outcome IN {} AND ($2 IS NULL OR record_type = $2) AND ($3 IS NULL OR outcome = $3)",
        word_list(LISTED_OUTCOMES.map(Outcome::as_str))
    );
    let text = format!(
        "SELECT id, record_type, source_id, label, outcome, fields, conflict FROM sync_changes WHERE {condition}
         ORDER BY id LIMIT $4 OFFSET $5"
    );
    let filtered = |text| {
        statement(text)
            .bind::<Uuid, _>(sync_id.as_uuid())
            .bind::<Nullable<Text>, _>(filter.record_type.map(RecordType::as_str))
            .bind::<Nullable<Text>, _>(filter.outcome.map(Outcome::as_str))
    };
    let rows: Vec<Row> = filtered(&text)
        .bind::<Int8, _>(i64::from(limit) + 1)
        .bind::<Int8, _>(i64::from(offset))
        .returning::<(Int8, Text, Text, Nullable<Text>, Text, Jsonb, Nullable<Jsonb>)>()
        .load(db)
        .await?;
    let text = format!("SELECT count(*) FROM sync_changes WHERE {condition}");
    let total: i64 = filtered(&text).returning::<Int8>().get_result(db).await?;
    let changes = rows.into_iter().map(|(id, record_type, source_id, label, outcome, fields, conflict)| {
        Ok(Change {
            id: count(id),
            record_type: word("sync_changes", "record_type", id, &record_type)?,
            source_id,
            label,
            outcome: word("sync_changes", "outcome", id, &outcome)?,
            fields,
            conflict,
        })
    });
    Ok(Page::of(changes.collect::<Result<_, StoreError>>()?, limit, total))
}
