//! What a sync wrote, record by record, with the fields before and after.
//!
//! Nothing is kept for this list alone. What a sync wrote over is kept for its undo, in `overwritten`, as long as the sync itself; what
//! came after that is the image that the next sync wrote over, or the row as it stands. Records that a sync created are found by
//! their rows.

use std::collections::HashMap;

use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{RecordType, SyncId, last_write_wins::Writer, row_status::RowStatus};
use serde_json::{Map, Value};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        page::{Page, Window, count_of},
        statement::statement,
    },
    ledger::tallies::tallies_read,
    records::{
        PART_TABLES, STATE_COLUMNS, field_differences, provider_form, row_image_sql, table_name, table_schema,
    },
    views::{
        record_conditions::{STATEMENT_TIMEOUT, limits_set},
        record_names::record_names,
        timeline::is_changed_between,
    },
};

domain::vocabulary::vocabulary! {
    /// What became of a row.
    WriteKind {
        Created = "created",
        Updated = "updated",
        /// It was active before.
        Withdrawn = "withdrawn",
        /// It was withdrawn before.
        Returned = "returned",
    }
}

/// What a sync wrote of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncWrite {
    pub record_type: RecordType,
    pub source_id: String,
    /// The name that people know the record by now.
    pub label: Option<String>,
    pub kind: WriteKind,
    /// JSON pointers, as the provider names the fields, with the values before and after. None: not known, since the row was changed
    /// in the maintenance portal as well before the next sync wrote it.
    pub fields: Option<Vec<(String, Value, Value)>>,
}

/// Conditions for what a sync wrote. An absent one selects all.
#[derive(Debug, Clone, Copy, Default)]
pub struct WriteFilter {
    pub record_type: Option<RecordType>,
    pub kind: Option<WriteKind>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    record_type: String,
    #[diesel(sql_type = Uuid)]
    row_id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Jsonb>)]
    before: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    after: Option<Value>,
}

/// SQL of what the sync `$1` wrote of one type: `before` is null for a row that it created, `after` if it is not known.
///
/// A row that was written twice counts once. An image whose writer is the sync itself is of a row that the sync created.
fn writes_of(record_type: RecordType, with_known: bool, with_created: bool) -> Option<String> {
    let (table, schema) = (table_name(record_type), table_schema(record_type));
    let known = format!(
        "SELECT o.row_id, o.id AS place, o.image AS before FROM overwritten o
         WHERE o.sync_id = $1 AND o.record_type = '{record_type}' AND o.synced_by IS DISTINCT FROM $1
             AND NOT EXISTS (SELECT FROM overwritten p WHERE p.row_id = o.row_id AND p.sync_id = $1 AND p.id < o.id)"
    );
    // The time of the row comes first, since it costs least to compare. Clocks of workers may differ.
    let created = format!(
        "SELECT c.id AS row_id, NULL::bigint AS place, NULL::jsonb AS before FROM {table} c
         WHERE c.created_at BETWEEN (SELECT started_at - interval '1 hour' FROM sync_logs WHERE id = $1)
                 AND (SELECT coalesce(completed_at + interval '1 hour', 'infinity') FROM sync_logs WHERE id = $1)
             AND (c.synced_by = $1 OR EXISTS (SELECT FROM overwritten o WHERE o.row_id = c.id AND o.synced_by = $1))
             AND NOT EXISTS (SELECT FROM overwritten o WHERE o.row_id = c.id AND o.sync_id = $1
                 AND o.synced_by IS DISTINCT FROM $1)"
    );
    let parts: Vec<String> = [(with_known, known), (with_created, created)]
        .into_iter()
        .filter_map(|(is, sql)| is.then_some(sql))
        .collect();
    if parts.is_empty() {
        return None;
    }
    Some(format!(
        "SELECT '{record_type}' AS record_type, w.row_id, t.source_id, w.place, w.before,
             CASE WHEN n.id IS NOT NULL THEN n.image WHEN t.last_writer = '{onboarding}' THEN {image} END AS after,
             coalesce(l.at, t.created_at) AS at, n.sync_id AS next_sync_id, n.at AS next_at
         FROM ({writes}) AS w JOIN {table} t ON t.id = w.row_id
             LEFT JOIN LATERAL (SELECT o.id, coalesce(o.written_at, s.completed_at, s.started_at) AS at FROM overwritten o
                 JOIN sync_logs s ON s.id = o.sync_id WHERE o.row_id = w.row_id AND o.sync_id = $1
                 ORDER BY o.id DESC LIMIT 1) AS l ON true
             LEFT JOIN LATERAL (SELECT o.id, o.sync_id, o.image, coalesce(o.written_at, s.completed_at, s.started_at) AS at
                 FROM overwritten o JOIN sync_logs s ON s.id = o.sync_id
                 WHERE o.row_id = w.row_id AND o.id > coalesce(l.id, 0) ORDER BY o.id LIMIT 1) AS n ON true",
        onboarding = Writer::Onboarding,
        image = row_image_sql(schema.columns.into_iter().chain(STATE_COLUMNS)),
        writes = parts.join(" UNION ALL "),
    ))
}

/// SQL of the [`WriteKind`] of a row of [`writes_of`].
fn kind_sql() -> String {
    let [active, withdrawn] = [RowStatus::Active, RowStatus::Withdrawn].map(RowStatus::as_str);
    format!(
        "CASE WHEN before IS NULL THEN '{}'
             WHEN before ->> 'status' = '{active}' AND after ->> 'status' = '{withdrawn}' THEN '{}'
             WHEN before ->> 'status' = '{withdrawn}' AND after ->> 'status' = '{active}' THEN '{}' ELSE '{}' END",
        WriteKind::Created,
        WriteKind::Withdrawn,
        WriteKind::Returned,
        WriteKind::Updated
    )
}

/// What a sync wrote: first the records that were there before, as it wrote them, then those that it created. In a transaction, whose
/// statements it limits.
pub async fn sync_writes(
    db: &mut Db,
    id: SyncId,
    filter: WriteFilter,
    window: Window<()>,
) -> Result<Page<SyncWrite>, StoreError> {
    let tallies = tallies_read(db, &[id]).await?.remove(&id).unwrap_or_default();
    limits_set(db, STATEMENT_TIMEOUT).await?;
    let is_wanted = |kind: WriteKind| filter.kind.is_none_or(|it| it == kind);
    let with_known = filter.kind != Some(WriteKind::Created);
    let types = RecordType::ALL.iter().copied();
    let sources: Vec<String> = types
        .filter(|it| filter.record_type.is_none_or(|wanted| wanted == *it))
        .filter_map(|record_type| {
            // Rows are looked through for those that were created only if there are some.
            let created = tallies.iter().any(|it| it.record_type == record_type && it.counts.created > 0);
            writes_of(record_type, with_known, created && is_wanted(WriteKind::Created))
        })
        .collect();
    if sources.is_empty() {
        return Ok(Page::none());
    }
    let of_kind = format!(
        "(SELECT *, {} AS kind FROM ({}) AS w) AS w WHERE ($2 IS NULL OR kind = $2)",
        kind_sql(),
        sources.join(" UNION ALL ")
    );
    let text = format!(
        "SELECT record_type, row_id, source_id, kind, {before} AS before, {after} AS after
         FROM (SELECT * FROM {of_kind} ORDER BY place NULLS LAST, record_type, source_id LIMIT $3 OFFSET $4) AS w
         ORDER BY place NULLS LAST, record_type, source_id",
        before = with_related("before"),
        after = with_related(&format!(
            "CASE WHEN {} THEN NULL ELSE after END",
            is_changed_between("w.record_type", "w.source_id")
        )),
    );
    let kind = filter.kind.map(WriteKind::as_str);
    let bind = |text| statement(text).bind::<Uuid, _>(id.as_uuid()).bind::<Nullable<Text>, _>(kind);
    let rows: Vec<Row> = bind(&text)
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .load(db)
        .await?;
    let total = count_of(of_kind);
    let total: i64 = bind(&total).returning::<Int8>().get_result(db).await?;
    Ok(Page::counted(writes(db, id, rows).await?, &window, total))
}

/// SQL of an image with the source ids of the rows that it refers to.
fn with_related(image: &str) -> String {
    format!(
        "(SELECT i || jsonb_build_object(
             'companyId', (SELECT c.source_id FROM companies c WHERE c.id = (i ->> 'company_id')::uuid),
             'vesselId', (SELECT v.source_id FROM vessels v WHERE v.id = (i ->> 'vessel_id')::uuid))
          FROM (SELECT {image} AS i) AS image)"
    )
}

async fn writes(db: &mut Db, id: SyncId, rows: Vec<Row>) -> Result<Vec<SyncWrite>, StoreError> {
    let ids: Vec<uuid::Uuid> = rows.iter().map(|row| row.row_id).collect();
    let mut parts = parts_read(db, id, &ids).await?;
    let mut labels = HashMap::new();
    for record_type in RecordType::ALL.iter().copied() {
        let of_type = rows.iter().filter(|row| row.record_type == record_type.as_str());
        let source_ids: Vec<&str> = of_type.map(|row| row.source_id.as_str()).collect();
        labels.insert(record_type, record_names(db, record_type, &source_ids).await?);
    }
    let write = |row: Row| {
        let record_type: RecordType = word("overwritten", "record_type", row.row_id, &row.record_type)?;
        let (parts_before, parts_after) = parts.remove(&row.row_id).unwrap_or_default();
        let before = row.before.map(|image| with_parts(image, parts_before));
        let after = row.after.map(|image| with_parts(image, parts_after));
        Ok(SyncWrite {
            record_type,
            label: labels.get_mut(&record_type).and_then(|names| names.remove(&row.source_id)),
            source_id: row.source_id,
            kind: word("overwritten", "kind", row.row_id, &row.kind)?,
            fields: after.map(|after| differences(record_type, before, after)),
        })
    };
    rows.into_iter().map(write).collect()
}

/// Parts by the name of their field, and in it by their source ids.
type Parts = Map<String, Value>;

fn with_parts(mut image: Value, parts: Parts) -> Value {
    if let Value::Object(fields) = &mut image {
        fields.extend(parts);
    }
    image
}

/// The fields that differ. An image of an earlier release may lack a column: then nothing is known of it.
fn differences(
    record_type: RecordType,
    before: Option<Value>,
    mut after: Value,
) -> Vec<(String, Value, Value)> {
    let mut before = before.unwrap_or_default();
    if let (Value::Object(before), Value::Object(after)) = (&mut before, &mut after) {
        let is_part = |name: &str| PART_TABLES.iter().any(|table| table.name == name);
        before.retain(|name, _| is_part(name) || after.contains_key(name));
        after.retain(|name, _| is_part(name) || before.contains_key(name));
    }
    field_differences(record_type, &provider_form(&before), &provider_form(&after))
}

/// What the sync wrote of the parts and schedules of these pieces of equipment: those before and those after, by equipment.
async fn parts_read(
    db: &mut Db,
    id: SyncId,
    equipment: &[uuid::Uuid],
) -> Result<HashMap<uuid::Uuid, (Parts, Parts)>, StoreError> {
    let mut parts: HashMap<uuid::Uuid, (Parts, Parts)> = HashMap::new();
    for table in &PART_TABLES {
        let text = format!(
            "SELECT t.equipment_id, t.source_id, b.image, coalesce(n.image, {image})
             FROM {name} t
                 LEFT JOIN LATERAL (SELECT o.image, o.synced_by FROM overwritten o
                     WHERE o.row_id = t.id AND o.sync_id = $1 ORDER BY o.id LIMIT 1) AS b ON b.synced_by IS DISTINCT FROM $1
                 LEFT JOIN LATERAL (SELECT max(o.id) AS id FROM overwritten o
                     WHERE o.row_id = t.id AND o.sync_id = $1) AS l ON true
                 LEFT JOIN LATERAL (SELECT o.image FROM overwritten o
                     WHERE o.row_id = t.id AND o.id > coalesce(l.id, 0) ORDER BY o.id LIMIT 1) AS n ON true
             WHERE t.equipment_id = ANY($2) AND (l.id IS NOT NULL OR t.synced_by = $1
                 OR EXISTS (SELECT FROM overwritten o WHERE o.row_id = t.id AND o.synced_by = $1))",
            name = table.name,
            image = row_image_sql(table.columns.iter().copied().chain(["status"])),
        );
        let rows: Vec<(uuid::Uuid, String, Option<Value>, Value)> = statement(&text)
            .bind::<Uuid, _>(id.as_uuid())
            .bind::<Array<Uuid>, _>(equipment)
            .returning::<(Uuid, Text, Nullable<Jsonb>, Jsonb)>()
            .load(db)
            .await?;
        for (equipment, source_id, before, after) in rows {
            let (all_before, all_after) = parts.entry(equipment).or_default();
            let sides = [(all_before, before), (all_after, Some(after))];
            for (side, image) in sides {
                let of_table = side.entry(table.name).or_insert_with(|| Map::new().into());
                if let (Value::Object(of_table), Some(image)) = (of_table, image) {
                    of_table.insert(source_id.clone(), image);
                }
            }
        }
    }
    Ok(parts)
}
