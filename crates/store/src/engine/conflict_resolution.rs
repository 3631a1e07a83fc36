//! Resolving a conflict: carrying out what an operator has decided about a record that both portals have changed.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    ConflictId, RecordType, SourceId,
    audit::AuditAction,
    conflict::{ConflictKind, ConflictState, Resolution, Side},
    last_write_wins::Writer,
    portal_role::PortalRole,
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
    records::{PART_TABLES, parts_replace, role_given_by_hand, roles_derive, table_name, table_schema},
};

/// The decision of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// All values of one side.
    Side(Side),
    /// Side by field; a field that is not named stays as it is in the record.
    Fields(BTreeMap<String, Side>),
    /// The record stays as it is.
    Keep,
}

impl Choice {
    fn resolution(&self) -> Resolution {
        match self {
            Self::Side(Side::Source) => Resolution::Source,
            Self::Side(Side::Local) => Resolution::Local,
            Self::Fields(_) => Resolution::Fields,
            Self::Keep => Resolution::Keep,
        }
    }

    /// The chosen side of each column that is to be written.
    fn sides<'c>(&'c self, conflict: &'c Conflict) -> BTreeMap<&'c str, Side> {
        match self {
            Self::Keep => BTreeMap::new(),
            Self::Side(side) => conflict.source.keys().map(|column| (column.as_str(), *side)).collect(),
            Self::Fields(fields) => fields.iter().map(|(column, side)| (column.as_str(), *side)).collect(),
        }
    }
}

/// Result of resolving a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Resolved {
    Resolved,
    /// It was resolved before.
    Already,
    /// The record has a newer version than both sides: the operator has to look again, or keep it.
    Changed,
    /// The sides do not differ in a field that was named.
    UnknownField,
    /// There is no such conflict.
    Unknown,
}

/// Resolves a conflict as an operator has chosen, and appends to the audit log. In a transaction.
///
/// The source's version counts as synced from then on: the same two versions are no conflict any more. Values of the
/// source are written as by a sync. Values that an operator mixed, or took from the maintenance portal, are an edit of
/// the maintenance portal.
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
    let Some((conflict, version_at)) = conflict_lock(db, id).await? else { return Ok(Resolved::Unknown) };
    if conflict.state == ConflictState::Resolved {
        return Ok(Resolved::Already);
    }
    let sides = choice.sides(&conflict);
    if sides.keys().any(|column| !conflict.source.contains_key(*column)) {
        return Ok(Resolved::UnknownField);
    }
    let is_newer = version_at.is_none_or(|at| at > conflict.local_at.max(conflict.source_at));
    if *choice != Choice::Keep && is_newer {
        return Ok(Resolved::Changed);
    }
    match conflict.kind {
        ConflictKind::NaturalKey => {
            if sides.get("qr_code") == Some(&Side::Source) {
                qr_code_hand_over(db, &conflict).await?;
            }
        }
        ConflictKind::LocalNewer | ConflictKind::SourceNewer | ConflictKind::CriticalityDowngrade => {
            values_write(db, &conflict, choice, &sides, now).await?;
        }
    }
    synced_version_update(db, &conflict).await?;
    let resolution = choice.resolution();
    let fields = (resolution == Resolution::Fields).then(|| json!(sides));
    conflict_close(db, id, resolution, fields.as_ref(), actor, now).await?;
    let detail = json!({
        "recordType": conflict.record_type, "sourceId": conflict.source_id, "kind": conflict.kind,
        "resolution": resolution, "fields": fields,
    });
    audit_append(db, actor, AuditAction::ConflictResolve, &id.to_string(), &detail, now).await?;
    Ok(Resolved::Resolved)
}

/// Locks a conflict's record, as a sync does, and then the conflict. Returns the conflict and the version of the
/// record, if that still exists.
async fn conflict_lock(
    db: &mut Db,
    id: ConflictId,
) -> Result<Option<(Conflict, Option<DateTime<Utc>>)>, StoreError> {
    let Some(found) = conflict_find(db, id).await? else { return Ok(None) };
    let text = format!(
        "SELECT version_at FROM {} WHERE source_id = $1 FOR NO KEY UPDATE",
        table_name(found.record_type)
    );
    let versions: Vec<DateTime<Utc>> = statement(&text)
        .bind::<Text, _>(found.source_id.as_str())
        .returning::<Timestamptz>()
        .load(db)
        .await?;
    let text = format!("SELECT {COLUMNS} FROM conflicts WHERE id = $1 FOR UPDATE");
    let rows: Vec<Row> = statement(&text).bind::<Uuid, _>(id.as_uuid()).load(db).await?;
    let conflict = rows.into_iter().next().map(Conflict::try_from).transpose()?;
    Ok(conflict.map(|conflict| (conflict, versions.into_iter().next())))
}

/// Marks the source's version as synced in a record that was edited in the maintenance portal.
async fn synced_version_update(db: &mut Db, conflict: &Conflict) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE {} AS t SET content_hash = c.source_hash, source_updated_at = c.source_at
         FROM conflicts c WHERE c.id = $1 AND t.source_id = c.source_id AND c.source_hash IS NOT NULL
             AND t.source_updated_at <= c.source_at AND t.last_writer = '{}'",
        table_name(conflict.record_type),
        Writer::Maintenance
    );
    statement(&text).bind::<Uuid, _>(conflict.id.as_uuid()).execute(db).await?;
    Ok(())
}

async fn conflict_close(
    db: &mut Db,
    id: ConflictId,
    resolution: Resolution,
    fields: Option<&Value>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE conflicts SET state = $2, resolved_at = $3, resolved_by = $4, resolution = $5, resolved_fields = $6
         WHERE id = $1",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(ConflictState::Resolved.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .bind::<Text, _>(resolution.as_str())
    .bind::<Nullable<Jsonb>, _>(fields)
    .execute(db)
    .await?;
    Ok(())
}

/// Writes the chosen values into the record.
async fn values_write(
    db: &mut Db,
    conflict: &Conflict,
    choice: &Choice,
    sides: &BTreeMap<&str, Side>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let schema = table_schema(conflict.record_type);
    let content = schema.columns.iter().copied();
    // A withdrawal is a side, too.
    let columns: Vec<&str> = content.chain(["status"]).filter(|column| sides.contains_key(column)).collect();
    let parts = conflict.record_type == RecordType::Equipment;
    if columns.is_empty() && !sides.contains_key("role") && !parts {
        return Ok(());
    }
    let value = |column: &str| match sides.get(column) {
        Some(Side::Source) => conflict.source.get(column).cloned(),
        _ => conflict.local.get(column).cloned(),
    };
    let values: Map<String, Value> =
        columns.iter().filter_map(|column| Some(((*column).to_owned(), value(column)?))).collect();
    let mut assignments: Vec<String> =
        columns.iter().map(|column| format!("{column} = r.{column}")).collect();
    // A row that an operator decides about is missing no more.
    assignments.push("missing_since = NULL".to_owned());
    if *choice == Choice::Side(Side::Source) {
        assignments.extend(sync_assignments(conflict));
    }
    let text = format!(
        "UPDATE {table} AS t SET {} FROM conflicts c, jsonb_populate_record(NULL::{table}, $2) AS r
         WHERE c.id = $1 AND t.source_id = c.source_id",
        assignments.join(", "),
        table = schema.table
    );
    let roles = match conflict.record_type {
        RecordType::User => user_role_of_choice(db, conflict, sides).await?,
        RecordType::Company | RecordType::Vessel | RecordType::Equipment => HashMap::new(),
    };
    statement(&text)
        .bind::<Uuid, _>(conflict.id.as_uuid())
        .bind::<Jsonb, _>(Value::Object(values))
        .execute(db)
        .await?;
    if conflict.record_type == RecordType::Equipment {
        parts_write(db, conflict, sides, now).await?;
    }
    let users: Vec<uuid::Uuid> = roles.keys().copied().collect();
    let by_hand = roles.into_iter().filter_map(|(user, role)| Some((user, role?))).collect();
    roles_derive(db, &users, &by_hand).await
}

/// Writes the chosen parts and schedules of equipment.
async fn parts_write(
    db: &mut Db,
    conflict: &Conflict,
    sides: &BTreeMap<&str, Side>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for table in &PART_TABLES {
        let parts = match sides.get(table.name) {
            Some(Side::Source) => conflict.source.get(table.name),
            Some(Side::Local) => conflict.local.get(table.name),
            None => None,
        };
        let Some(parts) = parts else { continue };
        let equipment: uuid::Uuid = statement("SELECT id FROM equipment WHERE source_id = $1")
            .bind::<Text, _>(conflict.source_id.as_str())
            .returning::<Uuid>()
            .get_result(db)
            .await?;
        parts_replace(db, table, equipment, parts, now).await?;
    }
    Ok(())
}

/// The user of a conflict, and the role that the decision leaves it if that was given by hand: the maintenance portal's
/// side if that was chosen, the row's own if the role was not named.
async fn user_role_of_choice(
    db: &mut Db,
    conflict: &Conflict,
    sides: &BTreeMap<&str, Side>,
) -> Result<HashMap<uuid::Uuid, Option<PortalRole>>, StoreError> {
    let users: Vec<(uuid::Uuid, Value)> = statement(
        "SELECT id, jsonb_build_object('role', role, 'role_mapping_version', role_mapping_version, 'rank', rank,
             'department', department, 'workplace', workplace) FROM users WHERE source_id = $1",
    )
    .bind::<Text, _>(conflict.source_id.as_str())
    .returning::<(Uuid, Jsonb)>()
    .load(db)
    .await?;
    let mut roles = HashMap::new();
    for (id, row) in users {
        let by_hand = match sides.get("role") {
            Some(Side::Source) => None,
            Some(Side::Local) => role_given_by_hand(db, &Value::Object(conflict.local.clone())).await?,
            None => role_given_by_hand(db, &row).await?,
        };
        roles.insert(id, by_hand);
    }
    Ok(roles)
}

/// The bookkeeping of a row `t` that takes the source's side of the conflict `c`, as a sync would write it.
fn sync_assignments(conflict: &Conflict) -> Vec<String> {
    // It moves, so that the trigger takes this for a sync and no edit of the maintenance portal.
    let mut assignments = vec!["synced_at = t.synced_at + interval '1 microsecond'".to_owned()];
    if conflict.kind == ConflictKind::CriticalityDowngrade {
        return assignments;
    }
    let is_revocation = conflict.source.keys().all(|column| matches!(column.as_str(), "status" | "active"));
    if is_revocation {
        // The rest of the record was rejected: the row keeps its edits, and its next sound state differs from it.
        assignments.push("content_hash = '\\x00000000000000000000000000000000'".to_owned());
        return assignments;
    }
    assignments.push(format!("last_writer = '{}'", Writer::Onboarding));
    let has_parts = PART_TABLES.iter().all(|table| conflict.source.contains_key(table.name));
    if conflict.record_type == RecordType::Equipment && !has_parts {
        // A conflict of an earlier release, without parts and schedules: the next sync brings them, so the content hash
        // stays, since the row alone is not that content yet.
        assignments.push("version_at = least(t.source_updated_at, c.source_at)".to_owned());
    } else {
        assignments.push("version_at = c.source_at".to_owned());
        assignments.push("source_updated_at = c.source_at".to_owned());
        assignments.push("content_hash = coalesce(c.source_hash, t.content_hash)".to_owned());
    }
    assignments
}

/// Gives a QR code to the equipment that came with it. The equipment that had it gets the code derived from its id, and
/// needs a new label.
async fn qr_code_hand_over(db: &mut Db, conflict: &Conflict) -> Result<(), StoreError> {
    let Some(code) = conflict.source.get("qr_code").and_then(Value::as_str) else { return Ok(()) };
    let new_owner = conflict.source_id.as_str();
    let holders: Vec<String> =
        statement("SELECT source_id FROM equipment WHERE qr_code = $1 AND source_id <> $2 FOR NO KEY UPDATE")
            .bind::<Text, _>(code)
            .bind::<Text, _>(new_owner)
            .returning::<Text>()
            .load(db)
            .await?;
    // The new owner gives its own code up first: no two rows may have one code at any moment.
    let interim = format!("SWAP-{}", conflict.id);
    for holder in &holders {
        let holder_id: SourceId = word("equipment", "source_id", holder, holder)?;
        qr_code_write(db, new_owner, &interim).await?;
        qr_code_write(db, holder, QrCode::derived(&holder_id).as_str()).await?;
    }
    qr_code_write(db, new_owner, code).await
}

async fn qr_code_write(db: &mut Db, source_id: &str, code: &str) -> Result<(), StoreError> {
    statement(
        "UPDATE equipment SET qr_code = $2, qr_label_state = 'to_print',
             synced_at = synced_at + interval '1 microsecond'
         WHERE source_id = $1 AND qr_code <> $2",
    )
    .bind::<Text, _>(source_id)
    .bind::<Text, _>(code)
    .execute(db)
    .await?;
    Ok(())
}
