//! The tables `critical_parts` and `maintenance_schedules`: written with their equipment, one statement each, and one
//! more for what is no longer there.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, SyncId,
    equipment::{CriticalPart, Equipment, MaintenanceSchedule},
};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{table::Arrays, write::image},
};

type Written<'a> = [(uuid::Uuid, &'a Accepted<Equipment>, bool)];

const PARTS: &[&str] = &[
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
];

const SCHEDULES: &[&str] = &[
    "job_code",
    "title",
    "procedure",
    "kind",
    "every_days",
    "every_hours",
    "tolerance_days",
    "responsible_rank",
    "class_item_code",
];

/// Tables with their columns of the onboarding portal.
pub(crate) const CRITICAL_PARTS: (&str, &[&str]) = ("critical_parts", PARTS);

/// Tables with their columns of the onboarding portal.
pub(crate) const MAINTENANCE_SCHEDULES: (&str, &[&str]) = ("maintenance_schedules", SCHEDULES);

/// `once` is the ship's own: set when the row is created, and never again.
///
/// What is as it was is not written again: most parts of an equipment that changed have not.
fn upsert(table: &str, columns: &[&str], once: &str) -> String {
    let names = columns.join(", ");
    let values: Vec<String> = columns.iter().map(|name| format!("i.{name}")).collect();
    let sets: Vec<String> = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let held: Vec<String> = columns.iter().map(|name| format!("t.{name}")).collect();
    let incoming: Vec<String> = columns.iter().map(|name| format!("excluded.{name}")).collect();
    let parameters: Vec<String> = (3..columns.len() + 7).map(|n| format!("${n}")).collect();
    let of_input: Vec<String> = columns.iter().map(|name| format!("i.{name}")).collect();
    let changed = |incoming: &[String]| {
        format!("t.status <> 'active' OR ({}) IS DISTINCT FROM ({})", held.join(", "), incoming.join(", "))
    };
    format!(
        "WITH i AS (
             SELECT * FROM unnest({}) AS i (id, equipment_id, source_id, {names}, {once})
         ), kept AS (
             INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image)
             SELECT $2, '{table}', t.id, t.synced_by, {}
             FROM {table} AS t JOIN i ON i.equipment_id = t.equipment_id AND i.source_id = t.source_id WHERE {}
         )
         INSERT INTO {table} AS t (id, equipment_id, source_id, {names}, {once}, synced_at, synced_by, created_at,
             updated_at)
         SELECT i.id, i.equipment_id, i.source_id, {}, i.{once}, $1, $2, $1, $1 FROM i
         ON CONFLICT (equipment_id, source_id) DO UPDATE SET {}, status = 'active', updated_at = $1, synced_by = $2,
             synced_at = greatest($1, t.synced_at + interval '1 microsecond')
         WHERE {}",
        parameters.join(", "),
        image(columns.iter().copied()),
        changed(&of_input),
        values.join(", "),
        sets.join(", "),
        changed(&incoming)
    )
}

/// Returns which equipment has less of a critical part on board than the minimum: by the ship's own count.
pub(super) async fn parts_apply(
    db: &mut Db,
    sync_id: SyncId,
    written: &Written<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
    let rows: Vec<(uuid::Uuid, &CriticalPart)> = written
        .iter()
        .flat_map(|(id, it, _)| it.record.critical_parts.iter().map(|part| (*id, part)))
        .collect();
    if !rows.is_empty() {
        let text = upsert(CRITICAL_PARTS.0, CRITICAL_PARTS.1, "stock_on_board");
        Arrays::of(statement(&text).bind::<Timestamptz, _>(now).bind::<Uuid, _>(sync_id.as_uuid()), &rows)
            .add::<Uuid, _>(|_| uuid::Uuid::now_v7())
            .add::<Uuid, _>(|(equipment, _)| equipment)
            .text(|(_, it)| it.source_id.as_str())
            .text(|(_, it)| &it.part_number)
            .text(|(_, it)| &it.name)
            .text_if_any(|(_, it)| it.maker.as_deref())
            .text_if_any(|(_, it)| it.drawing_number.as_deref())
            .text_if_any(|(_, it)| it.position_number.as_deref())
            .text(|(_, it)| &it.unit)
            .add::<Int4, _>(|(_, it)| it.minimum_stock)
            .number_if_any(|(_, it)| it.reorder_quantity)
            .text_if_any(|(_, it)| it.location.as_deref())
            .number_if_any(|(_, it)| it.lead_time_days)
            .add::<Bool, _>(|(_, it)| it.is_critical)
            .number_if_any(|(_, it)| it.stock_on_board)
            .done()
            .execute(db)
            .await?;
    }
    let keys = rows.iter().map(|(equipment, it)| (*equipment, it.source_id.as_str()));
    withdraw_others(db, sync_id, &CRITICAL_PARTS, written, keys, now).await?;
    below_minimum(db, written).await
}

async fn below_minimum(db: &mut Db, written: &Written<'_>) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
    let has_critical = |it: &Accepted<Equipment>| {
        it.record.withdrawn_at.is_none() && it.record.critical_parts.iter().any(|part| part.is_critical)
    };
    let equipment: Vec<uuid::Uuid> =
        written.iter().filter(|(_, it, _)| has_critical(it)).map(|(id, ..)| *id).collect();
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
    let of = |id: uuid::Uuid| written.iter().find(|(row, ..)| *row == id).map(|(_, it, _)| &it.record);
    Ok(rows
        .into_iter()
        .filter_map(|(id, part, stock, minimum)| {
            let at = of(id)?.critical_parts.iter().position(|it| it.source_id.as_str() == part)?;
            let message =
                format!("{stock} on board, and {minimum} must be: ISM keeps a minimum of critical spares");
            let pointer = format!("/criticalParts/{at}/stockOnBoard");
            Some((id, Finding::warning("critical_spares_below_minimum", pointer, message).with_value(stock)))
        })
        .collect())
}

pub(super) async fn schedules_apply(
    db: &mut Db,
    sync_id: SyncId,
    written: &Written<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows: Vec<(uuid::Uuid, &MaintenanceSchedule)> = written
        .iter()
        .flat_map(|(id, it, _)| it.record.maintenance_schedules.iter().map(|it| (*id, it)))
        .collect();
    if !rows.is_empty() {
        let text = upsert(MAINTENANCE_SCHEDULES.0, MAINTENANCE_SCHEDULES.1, "last_done_on");
        Arrays::of(statement(&text).bind::<Timestamptz, _>(now).bind::<Uuid, _>(sync_id.as_uuid()), &rows)
            .add::<Uuid, _>(|_| uuid::Uuid::now_v7())
            .add::<Uuid, _>(|(equipment, _)| equipment)
            .text(|(_, it)| it.source_id.as_str())
            .text(|(_, it)| &it.job_code)
            .text(|(_, it)| &it.title)
            .text_if_any(|(_, it)| it.procedure.as_deref())
            .text(|(_, it)| it.kind.as_str())
            .number_if_any(|(_, it)| it.interval.every_days())
            .number_if_any(|(_, it)| it.interval.every_hours())
            .number_if_any(|(_, it)| it.tolerance_days)
            .text_if_any(|(_, it)| it.responsible_rank.as_deref())
            .text_if_any(|(_, it)| it.class_item_code.as_deref())
            .add::<Nullable<Date>, _>(|(_, it)| it.last_done_on)
            .done()
            .execute(db)
            .await?;
    }
    let keys = rows.iter().map(|(equipment, it)| (*equipment, it.source_id.as_str()));
    withdraw_others(db, sync_id, &MAINTENANCE_SCHEDULES, written, keys, now).await
}

/// What its equipment no longer names is withdrawn. New equipment has nothing to withdraw.
async fn withdraw_others(
    db: &mut Db,
    sync_id: SyncId,
    (table, columns): &(&str, &[&str]),
    written: &Written<'_>,
    named: impl Iterator<Item = (uuid::Uuid, &str)> + Send,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let updated: Vec<uuid::Uuid> = written.iter().filter(|(.., new)| !new).map(|(id, ..)| *id).collect();
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
             SELECT $2, '{table}', t.id, t.synced_by, {} FROM {table} AS t JOIN gone ON gone.id = t.id
         )
         UPDATE {table} AS t SET status = 'withdrawn', updated_at = $1, synced_by = $2,
             synced_at = greatest($1, t.synced_at + interval '1 microsecond')
         FROM gone WHERE gone.id = t.id",
        image(columns.iter().copied())
    );
    statement(&text)
        .bind::<Timestamptz, _>(now)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Array<Uuid>, _>(updated)
        .bind::<Array<Uuid>, _>(equipment)
        .bind::<Array<Text>, _>(ids)
        .execute(db)
        .await?;
    Ok(())
}

/// The tables of what belongs to equipment, with their columns of the onboarding portal.
pub(crate) const PARTS_OF_EQUIPMENT: [(&str, &[&str]); 2] = [CRITICAL_PARTS, MAINTENANCE_SCHEDULES];
