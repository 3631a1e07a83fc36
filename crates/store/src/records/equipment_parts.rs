//! The tables `critical_parts` and `maintenance_schedules`, which are written with their equipment: one statement each
//! for what the equipment names, and one for what it no longer names.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Finding,
    equipment::{CriticalPart, Equipment, MaintenanceSchedule},
};
use serde_json::{Map, Value, json};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{
        table::{ColumnArrays, WrittenRow},
        write::row_image_sql,
        write_stamp::WriteStamp,
    },
};

/// A table whose rows belong to equipment.
pub(crate) struct PartTable {
    pub(crate) name: &'static str,
    /// Columns of the onboarding portal.
    pub(crate) columns: &'static [&'static str],
    /// The column that is set when the row is inserted and belongs to the ship afterwards.
    insert_only: &'static str,
}

pub(crate) const CRITICAL_PARTS: PartTable = PartTable {
    name: "critical_parts",
    columns: &[
        "part_number",
        "name",
        "maker",
        "drawing_number",
        "position_number",
        "unit",
        "minimum_stock",
        "reorder_quantity",
        "location",
        "lead_time_days",
        "is_critical",
    ],
    insert_only: "stock_on_board",
};

pub(crate) const MAINTENANCE_SCHEDULES: PartTable = PartTable {
    name: "maintenance_schedules",
    columns: &[
        "job_code",
        "title",
        "procedure",
        "kind",
        "every_days",
        "every_hours",
        "tolerance_days",
        "responsible_rank",
        "class_item_code",
    ],
    insert_only: "last_done_on",
};

pub(crate) const PART_TABLES: [PartTable; 2] = [CRITICAL_PARTS, MAINTENANCE_SCHEDULES];

/// The parts and schedules that a record names, by table and id, with the tables' columns.
pub(super) fn parts_of(record: &Equipment) -> Map<String, Value> {
    let part = |part: &CriticalPart| {
        let columns = json!({
            "part_number": part.part_number, "name": part.name, "maker": part.maker,
            "drawing_number": part.drawing_number, "position_number": part.position_number, "unit": part.unit,
            "minimum_stock": part.minimum_stock, "reorder_quantity": part.reorder_quantity,
            "location": part.location, "lead_time_days": part.lead_time_days, "is_critical": part.is_critical,
        });
        (part.source_id.to_string(), columns)
    };
    let schedule = |schedule: &MaintenanceSchedule| {
        let columns = json!({
            "job_code": schedule.job_code, "title": schedule.title, "procedure": schedule.procedure,
            "kind": schedule.kind, "every_days": schedule.interval.every_days(),
            "every_hours": schedule.interval.every_hours(), "tolerance_days": schedule.tolerance_days,
            "responsible_rank": schedule.responsible_rank, "class_item_code": schedule.class_item_code,
        });
        (schedule.source_id.to_string(), columns)
    };
    let parts: Map<String, Value> = record.critical_parts.iter().map(part).collect();
    let schedules: Map<String, Value> = record.maintenance_schedules.iter().map(schedule).collect();
    [
        (CRITICAL_PARTS.name.to_owned(), parts.into()),
        (MAINTENANCE_SCHEDULES.name.to_owned(), schedules.into()),
    ]
    .into_iter()
    .collect()
}

/// The active parts and schedules of equipment, as [`parts_of`].
pub(super) async fn parts_read(
    db: &mut Db,
    equipment: &[uuid::Uuid],
) -> Result<HashMap<uuid::Uuid, Map<String, Value>>, StoreError> {
    let mut read: HashMap<uuid::Uuid, Map<String, Value>> = HashMap::new();
    for PartTable { name, columns, .. } in &PART_TABLES {
        let text = format!(
            "SELECT e.id, coalesce(jsonb_object_agg(t.source_id, {columns}) FILTER (WHERE t.id IS NOT NULL), '{{}}')
             FROM unnest($1) AS e (id) LEFT JOIN {name} AS t ON t.equipment_id = e.id AND t.status = 'active'
             GROUP BY e.id",
            columns = row_image_sql(columns.iter().copied())
        );
        let rows: Vec<(uuid::Uuid, Value)> =
            statement(&text).bind::<Array<Uuid>, _>(equipment).returning::<(Uuid, Jsonb)>().load(db).await?;
        for (id, parts) in rows {
            read.entry(id).or_default().insert((*name).to_owned(), parts);
        }
    }
    Ok(read)
}

/// Replaces the parts or schedules of equipment by those of one side of a conflict: the engine carries out what an
/// operator has decided. Parts that are not among them are withdrawn.
pub(crate) async fn parts_replace(
    db: &mut Db,
    PartTable { name: table, columns, .. }: &PartTable,
    equipment: uuid::Uuid,
    parts: &Value,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let assignments: Vec<String> = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let values: Vec<String> = columns.iter().map(|name| format!("r.{name}")).collect();
    let text = format!(
        "INSERT INTO {table} AS t (id, equipment_id, source_id, {names}, synced_at, created_at, updated_at)
         SELECT gen_random_uuid(), $1, p.key, {values}, $3, $3, $3
         FROM jsonb_each($2) AS p, jsonb_populate_record(NULL::{table}, p.value) AS r
         ON CONFLICT (equipment_id, source_id) DO UPDATE SET {assignments}, status = 'active', updated_at = $3,
             synced_at = t.synced_at + interval '1 microsecond'",
        names = columns.join(", "),
        values = values.join(", "),
        assignments = assignments.join(", "),
    );
    statement(&text)
        .bind::<Uuid, _>(equipment)
        .bind::<Jsonb, _>(parts)
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    let text = format!(
        "UPDATE {table} AS t SET status = 'withdrawn', updated_at = $3, synced_at = t.synced_at + interval '1 microsecond'
         WHERE t.equipment_id = $1 AND t.status = 'active' AND NOT jsonb_exists($2, t.source_id)"
    );
    statement(&text)
        .bind::<Uuid, _>(equipment)
        .bind::<Jsonb, _>(parts)
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(())
}

/// The statement that inserts or updates parts. Unchanged ones are not written: most parts of changed equipment are.
fn upsert_text(table: &PartTable) -> String {
    let PartTable { name: table, columns, insert_only } = table;
    let prefixed =
        |alias: &str| columns.iter().map(|name| format!("{alias}.{name}")).collect::<Vec<_>>().join(", ");
    let changed =
        |alias| format!("t.status <> 'active' OR ({}) IS DISTINCT FROM ({})", prefixed("t"), prefixed(alias));
    let parameters: Vec<String> = (3..columns.len() + 7).map(|n| format!("${n}")).collect();
    let assignments: Vec<String> = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "WITH i AS (
             SELECT * FROM unnest({parameters}) AS i (id, equipment_id, source_id, {names}, {insert_only})
         ), kept AS (
             INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image)
             SELECT $2, '{table}', t.id, t.synced_by, {image}
             FROM {table} AS t JOIN i ON i.equipment_id = t.equipment_id AND i.source_id = t.source_id
             WHERE {input_changed}
         )
         INSERT INTO {table} AS t (id, equipment_id, source_id, {names}, {insert_only}, synced_at, synced_by, created_at,
             updated_at)
         SELECT i.id, i.equipment_id, i.source_id, {values}, i.{insert_only}, $1, $2, $1, $1 FROM i
         ON CONFLICT (equipment_id, source_id) DO UPDATE SET {assignments}, status = 'active', updated_at = $1,
             synced_by = $2, synced_at = greatest($1, t.synced_at + interval '1 microsecond')
         WHERE {excluded_changed}",
        parameters = parameters.join(", "),
        names = columns.join(", "),
        image = row_image_sql(columns.iter().copied().chain(["status"])),
        input_changed = changed("i"),
        values = prefixed("i"),
        assignments = assignments.join(", "),
        excluded_changed = changed("excluded"),
    )
}

/// Writes critical parts. Returns a warning for each of which the ship, by its own count, has less than the minimum.
pub(super) async fn parts_apply(
    db: &mut Db,
    stamp: WriteStamp,
    written: &[WrittenRow<'_, Equipment>],
) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
    let rows: Vec<(uuid::Uuid, &CriticalPart)> = written
        .iter()
        .flat_map(|row| row.accepted.record.critical_parts.iter().map(|part| (row.id, part)))
        .collect();
    if !rows.is_empty() {
        let text = upsert_text(&CRITICAL_PARTS);
        let statement =
            statement(&text).bind::<Timestamptz, _>(stamp.now).bind::<Uuid, _>(stamp.sync_id.as_uuid());
        ColumnArrays::new(statement, &rows)
            .bind::<Uuid, _>(|_| uuid::Uuid::now_v7())
            .bind::<Uuid, _>(|(equipment, _)| equipment)
            .bind_text(|(_, part)| part.source_id.as_str())
            .bind_text(|(_, part)| &part.part_number)
            .bind_text(|(_, part)| &part.name)
            .bind_optional_text(|(_, part)| part.maker.as_deref())
            .bind_optional_text(|(_, part)| part.drawing_number.as_deref())
            .bind_optional_text(|(_, part)| part.position_number.as_deref())
            .bind_text(|(_, part)| &part.unit)
            .bind::<Int4, _>(|(_, part)| part.minimum_stock)
            .bind_optional_int(|(_, part)| part.reorder_quantity)
            .bind_optional_text(|(_, part)| part.location.as_deref())
            .bind_optional_int(|(_, part)| part.lead_time_days)
            .bind::<Bool, _>(|(_, part)| part.is_critical)
            .bind_optional_int(|(_, part)| part.stock_on_board)
            .into_statement()
            .execute(db)
            .await?;
    }
    let named = rows.iter().map(|(equipment, part)| (*equipment, part.source_id.as_str()));
    unnamed_withdraw(db, stamp, &CRITICAL_PARTS, written, named).await?;
    below_minimum(db, written).await
}

async fn below_minimum(
    db: &mut Db,
    written: &[WrittenRow<'_, Equipment>],
) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
    let has_critical_parts = |equipment: &Equipment| {
        !equipment.withdrawal.is_due() && equipment.critical_parts.iter().any(|part| part.is_critical)
    };
    let equipment: Vec<uuid::Uuid> =
        written.iter().filter(|row| has_critical_parts(&row.accepted.record)).map(|row| row.id).collect();
    if equipment.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(uuid::Uuid, String, i32, i32)> = statement(
        "SELECT equipment_id, source_id, stock_on_board, minimum_stock FROM critical_parts
         WHERE equipment_id = ANY($1) AND is_critical AND status = 'active' AND stock_on_board < minimum_stock
         ORDER BY equipment_id, source_id",
    )
    .bind::<Array<Uuid>, _>(equipment)
    .returning::<(Uuid, Text, Int4, Int4)>()
    .load(db)
    .await?;
    let record = |id: uuid::Uuid| written.iter().find(|row| row.id == id).map(|row| &row.accepted.record);
    Ok(rows
        .into_iter()
        .filter_map(|(id, part, stock, minimum)| {
            let at = record(id)?.critical_parts.iter().position(|named| named.source_id.as_str() == part)?;
            let message =
                format!("{stock} on board, and {minimum} must be: ISM keeps a minimum of critical spares");
            let pointer = format!("/criticalParts/{at}/stockOnBoard");
            Some((id, Finding::warning("critical_spares_below_minimum", pointer, message).with_value(stock)))
        })
        .collect())
}

pub(super) async fn schedules_apply(
    db: &mut Db,
    stamp: WriteStamp,
    written: &[WrittenRow<'_, Equipment>],
) -> Result<(), StoreError> {
    let rows: Vec<(uuid::Uuid, &MaintenanceSchedule)> = written
        .iter()
        .flat_map(|row| row.accepted.record.maintenance_schedules.iter().map(|schedule| (row.id, schedule)))
        .collect();
    if !rows.is_empty() {
        let text = upsert_text(&MAINTENANCE_SCHEDULES);
        let statement =
            statement(&text).bind::<Timestamptz, _>(stamp.now).bind::<Uuid, _>(stamp.sync_id.as_uuid());
        ColumnArrays::new(statement, &rows)
            .bind::<Uuid, _>(|_| uuid::Uuid::now_v7())
            .bind::<Uuid, _>(|(equipment, _)| equipment)
            .bind_text(|(_, schedule)| schedule.source_id.as_str())
            .bind_text(|(_, schedule)| &schedule.job_code)
            .bind_text(|(_, schedule)| &schedule.title)
            .bind_optional_text(|(_, schedule)| schedule.procedure.as_deref())
            .bind_text(|(_, schedule)| schedule.kind.as_str())
            .bind_optional_int(|(_, schedule)| schedule.interval.every_days())
            .bind_optional_int(|(_, schedule)| schedule.interval.every_hours())
            .bind_optional_int(|(_, schedule)| schedule.tolerance_days)
            .bind_optional_text(|(_, schedule)| schedule.responsible_rank.as_deref())
            .bind_optional_text(|(_, schedule)| schedule.class_item_code.as_deref())
            .bind::<Nullable<Date>, _>(|(_, schedule)| schedule.last_done_on)
            .into_statement()
            .execute(db)
            .await?;
    }
    let named = rows.iter().map(|(equipment, schedule)| (*equipment, schedule.source_id.as_str()));
    unnamed_withdraw(db, stamp, &MAINTENANCE_SCHEDULES, written, named).await
}

/// Withdraws parts that their equipment no longer names. New equipment has none.
async fn unnamed_withdraw(
    db: &mut Db,
    stamp: WriteStamp,
    PartTable { name: table, columns, .. }: &PartTable,
    written: &[WrittenRow<'_, Equipment>],
    named: impl Iterator<Item = (uuid::Uuid, &str)> + Send,
) -> Result<(), StoreError> {
    let updated: Vec<uuid::Uuid> = written.iter().filter(|row| !row.is_new).map(|row| row.id).collect();
    if updated.is_empty() {
        return Ok(());
    }
    let (equipment, ids): (Vec<uuid::Uuid>, Vec<&str>) = named.unzip();
    let text = format!(
        "WITH gone AS (
             SELECT t.id FROM {table} AS t
             WHERE t.equipment_id = ANY($3) AND t.status = 'active' AND NOT EXISTS
                 (SELECT FROM unnest($4, $5) AS i (equipment_id, source_id)
                  WHERE i.equipment_id = t.equipment_id AND i.source_id = t.source_id)
         ), kept AS (
             INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image)
             SELECT $2, '{table}', t.id, t.synced_by, {image} FROM {table} AS t JOIN gone ON gone.id = t.id
         )
         UPDATE {table} AS t SET status = 'withdrawn', updated_at = $1, synced_by = $2,
             synced_at = greatest($1, t.synced_at + interval '1 microsecond')
         FROM gone WHERE gone.id = t.id",
        image = row_image_sql(columns.iter().copied().chain(["status"]))
    );
    statement(&text)
        .bind::<Timestamptz, _>(stamp.now)
        .bind::<Uuid, _>(stamp.sync_id.as_uuid())
        .bind::<Array<Uuid>, _>(updated)
        .bind::<Array<Uuid>, _>(equipment)
        .bind::<Array<Text>, _>(ids)
        .execute(db)
        .await?;
    Ok(())
}
