//! Conflicts: what is done when both portals have changed a record, and how operators decide afterwards.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    ConflictId, RecordType, SourceId,
    conflict::{ConflictKind, ConflictState, ResolutionKind, Side},
    values::QrCode,
};
use serde_json::{Map, Value, json};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    ledger::{
        audit::audit_append,
        conflicts::{COLUMNS, Conflict, Row, conflict_find},
    },
    records::table_schema,
};

/// What an operator decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// All of one side.
    Side(Side),
    /// Field by field; a field that is not named stays as the record has it.
    Fields(BTreeMap<String, Side>),
    /// Leave the record as it stands.
    Keep,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Resolved {
    /// It is carried out.
    Resolved,
    /// Somebody has decided before.
    Already,
    /// Something newer than both sides was written to the record: look again, or keep it.
    Changed,
    /// A field is none that the sides disagree about.
    UnknownField,
    /// There is no such conflict.
    Unknown,
}

/// Carries out an operator's decision and writes the audit. In a transaction.
///
/// The onboarding portal's side counts as seen from then on: the same two versions are no conflict any more. Its values
/// go in as a sync would bring them; values that an operator mixed, or took back from the maintenance portal, are an
/// edit of the maintenance portal.
///
/// # Errors
///
/// If the database fails, or refuses a value.
pub async fn conflict_resolve(
    db: &mut Db,
    id: ConflictId,
    choice: &Choice,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Resolved, StoreError> {
    // The record first, as a sync locks it; then the conflict.
    let Some(seen) = conflict_find(db, id).await? else { return Ok(Resolved::Unknown) };
    let schema = table_schema(seen.record_type);
    let text = format!("SELECT version_at FROM {} WHERE source_id = $1 FOR NO KEY UPDATE", schema.table);
    let versions: Vec<DateTime<Utc>> =
        statement(&text).bind::<Text, _>(seen.source_id.as_str()).returning::<Timestamptz>().load(db).await?;
    let text = format!("SELECT {COLUMNS} FROM conflicts WHERE id = $1 FOR UPDATE");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    let Some(conflict) = rows.into_iter().next().map(Conflict::try_from).transpose()? else {
        return Ok(Resolved::Unknown);
    };
    if conflict.state == ConflictState::Resolved {
        return Ok(Resolved::Already);
    }
    let chosen: BTreeMap<&str, Side> = match choice {
        Choice::Keep => BTreeMap::new(),
        Choice::Side(side) => conflict.source.keys().map(|name| (name.as_str(), *side)).collect(),
        Choice::Fields(fields) => fields.iter().map(|(name, side)| (name.as_str(), *side)).collect(),
    };
    if chosen.keys().any(|name| !conflict.source.contains_key(*name)) {
        return Ok(Resolved::UnknownField);
    }
    let stands = versions.into_iter().next();
    if *choice != Choice::Keep && stands.is_none_or(|at| at > conflict.local_at.max(conflict.source_at)) {
        return Ok(Resolved::Changed);
    }
    match conflict.kind {
        ConflictKind::NaturalKey => {
            if chosen.get("qr_code") == Some(&Side::Source) {
                qr_code_hand_over(db, &conflict).await?;
            }
        }
        ConflictKind::LocalNewer | ConflictKind::SourceNewer | ConflictKind::CriticalityDowngrade => {
            values_write(db, &conflict, choice, &chosen).await?;
        }
    }
    let text = format!(
        "UPDATE {} AS t SET content_hash = c.source_hash, source_updated_at = c.source_at
         FROM conflicts c WHERE c.id = $1 AND t.source_id = c.source_id AND c.source_hash IS NOT NULL
             AND t.source_updated_at <= c.source_at AND t.last_writer = 'maintenance'",
        schema.table
    );
    statement(&text).bind::<Uuid, _>(id.as_uuid()).execute(db).await?;
    let resolution = match choice {
        Choice::Side(Side::Source) => ResolutionKind::Source,
        Choice::Side(Side::Local) => ResolutionKind::Local,
        Choice::Fields(_) => ResolutionKind::Fields,
        Choice::Keep => ResolutionKind::Keep,
    };
    let fields = (resolution == ResolutionKind::Fields).then(|| json!(chosen));
    statement(
        "UPDATE conflicts SET state = 'resolved', resolved_at = $2, resolved_by = $3, resolution = $4,
             resolved_fields = $5 WHERE id = $1",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .bind::<Text, _>(resolution.as_str())
    .bind::<Nullable<Jsonb>, _>(fields.clone())
    .execute(db)
    .await?;
    let detail = json!({
        "recordType": conflict.record_type, "sourceId": conflict.source_id, "kind": conflict.kind,
        "resolution": resolution, "fields": fields,
    });
    audit_append(db, actor, "conflict.resolve", &id.to_string(), &detail, now).await?;
    Ok(Resolved::Resolved)
}

/// Writes the chosen values.
async fn values_write(
    db: &mut Db,
    conflict: &Conflict,
    choice: &Choice,
    chosen: &BTreeMap<&str, Side>,
) -> Result<(), StoreError> {
    let schema = table_schema(conflict.record_type);
    let columns: Vec<&str> =
        schema.columns.iter().copied().filter(|name| chosen.contains_key(name)).collect();
    if columns.is_empty() {
        return Ok(());
    }
    let value = |name: &str| match chosen.get(name) {
        Some(Side::Source) => conflict.source.get(name).cloned(),
        _ => conflict.local.get(name).cloned(),
    };
    let image: Map<String, Value> =
        columns.iter().filter_map(|name| Some(((*name).to_owned(), value(name)?))).collect();
    let mut sets: Vec<String> = columns.iter().map(|name| format!("{name} = r.{name}")).collect();
    if *choice == Choice::Side(Side::Source) {
        // As a sync would have written them. Of equipment, parts and schedules come with the next one: its content is
        // not yet the onboarding portal's.
        sets.push("synced_at = t.synced_at + interval '1 microsecond'".to_owned());
        if conflict.kind != ConflictKind::CriticalityDowngrade {
            sets.push("last_writer = 'onboarding'".to_owned());
            if conflict.record_type == RecordType::Equipment {
                sets.push("version_at = least(t.source_updated_at, c.source_at)".to_owned());
            } else {
                sets.push("version_at = c.source_at".to_owned());
                sets.push("source_updated_at = c.source_at".to_owned());
                sets.push("content_hash = coalesce(c.source_hash, t.content_hash)".to_owned());
            }
        }
    }
    let text = format!(
        "UPDATE {table} AS t SET {} FROM conflicts c, jsonb_populate_record(NULL::{table}, $2) AS r
         WHERE c.id = $1 AND t.source_id = c.source_id",
        sets.join(", "),
        table = schema.table
    );
    statement(&text)
        .bind::<Uuid, _>(conflict.id.as_uuid())
        .bind::<Jsonb, _>(Value::Object(image))
        .execute(db)
        .await?;
    Ok(())
}

/// The code goes to the equipment that came with it; the one that had it gets the code derived from its id, and needs a
/// new label.
async fn qr_code_hand_over(db: &mut Db, conflict: &Conflict) -> Result<(), StoreError> {
    let Some(code) = conflict.source.get("qr_code").and_then(Value::as_str) else { return Ok(()) };
    let holders: Vec<String> =
        statement("SELECT source_id FROM equipment WHERE qr_code = $1 AND source_id <> $2 FOR NO KEY UPDATE")
            .bind::<Text, _>(code)
            .bind::<Text, _>(conflict.source_id.as_str())
            .returning::<Text>()
            .load(db)
            .await?;
    let give = "UPDATE equipment SET qr_code = $2, qr_label_state = 'to_print',
                    synced_at = synced_at + interval '1 microsecond' WHERE source_id = $1 AND qr_code <> $2";
    // Out of the way first: both may never have one code.
    let taker = conflict.source_id.clone();
    let interim = format!("SWAP-{}", conflict.id);
    for holder in &holders {
        let own: SourceId = word("equipment", "source_id", holder, holder)?;
        let own = QrCode::derived(&own);
        statement(give).bind::<Text, _>(taker.as_str()).bind::<Text, _>(&interim).execute(db).await?;
        statement(give).bind::<Text, _>(holder).bind::<Text, _>(own.as_str()).execute(db).await?;
    }
    statement(give).bind::<Text, _>(taker.as_str()).bind::<Text, _>(code).execute(db).await?;
    Ok(())
}
