//! The state of rows during a dry run: read before and after a page, and put back for later pages.

use std::collections::HashMap;

use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{RecordType, SyncId};
use serde_json::{Map, Value};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    engine::dry_run::records::{DryRunRecord, DryRunRecords},
    records::{table_name, table_schema},
};

#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub(super) struct RowState {
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) natural_key: Option<String>,
    /// All columns but passwords, for later pages.
    #[diesel(sql_type = Jsonb)]
    pub(super) columns: Value,
    /// Values of other tables: source ids of rows that it refers to, and the parts that belong to it.
    #[diesel(sql_type = Jsonb)]
    pub(super) related: Value,
}

/// Reads the rows of these records, by source id.
pub(super) async fn row_states_read(
    db: &mut Db,
    record_type: RecordType,
    records: &[DryRunRecord],
) -> Result<HashMap<String, RowState>, StoreError> {
    let natural_key =
        table_schema(record_type).natural_key.map_or_else(|| "NULL::text".to_owned(), |key| key("t"));
    let text = format!(
        "SELECT t.source_id, {natural_key} AS natural_key, {related} AS related,
             to_jsonb(t) - '{{password_hash,sealed_password,password_expires_at,password_claimed_at}}'::text[] AS columns
         FROM {table} t WHERE t.source_id = ANY($1)",
        related = related_sql(record_type),
        table = table_name(record_type)
    );
    let source_ids: Vec<&str> = records.iter().map(|record| record.source_id.as_str()).collect();
    let rows: Vec<RowState> = statement(&text).bind::<Array<Text>, _>(source_ids).load(db).await?;
    Ok(rows.into_iter().map(|row| (row.source_id.clone(), row)).collect())
}

/// SQL of [`RowState::related`] for a row `t`.
fn related_sql(record_type: RecordType) -> String {
    let parts_of = |table: &str| {
        format!(
            "(SELECT coalesce(jsonb_object_agg(p.source_id, to_jsonb(p)), '{{}}') FROM {table} p
              WHERE p.equipment_id = t.id AND p.status = 'active')"
        )
    };
    let company = "(SELECT c.source_id FROM companies c WHERE c.id = t.company_id)";
    match record_type {
        RecordType::Company => "'{}'::jsonb".to_owned(),
        RecordType::Vessel | RecordType::User => format!("jsonb_build_object('companyId', {company})"),
        RecordType::Equipment => format!(
            "jsonb_build_object('vesselId', (SELECT v.source_id FROM vessels v WHERE v.id = t.vessel_id),
                 'criticalParts', {}, 'maintenanceSchedules', {})",
            parts_of("critical_parts"),
            parts_of("maintenance_schedules")
        ),
    }
}

/// Writes the rows that earlier pages of the sync would have written, as far as this page can meet them: every new
/// company and vessel, since records refer to them; and the last state of the page's own records, by id or by natural
/// key.
pub(super) async fn earlier_rows_restore(
    db: &mut Db,
    sync_id: SyncId,
    records: &DryRunRecords,
) -> Result<(), StoreError> {
    for record_type in RecordType::ALL {
        let records = records.get(record_type).map(Vec::as_slice).unwrap_or_default();
        let may_be_referred_to = matches!(record_type, RecordType::Company | RecordType::Vessel);
        if records.is_empty() && !may_be_referred_to {
            continue;
        }
        let rows: Vec<Value> = statement(
            "SELECT row_after FROM sync_changes
             WHERE sync_id = $1 AND record_type = $2 AND row_after IS NOT NULL AND
                 (source_id = ANY($3) OR key_before = ANY($4) OR key_after = ANY($4)
                  OR ($5 AND (row_before IS NULL OR key_before IS DISTINCT FROM key_after)))
             ORDER BY id",
        )
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Array<Text>, _>(records.iter().map(|record| record.source_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(
            records.iter().filter_map(|record| record.natural_key.as_deref()).collect::<Vec<_>>(),
        )
        .bind::<Bool, _>(may_be_referred_to)
        .returning::<Jsonb>()
        .load(db)
        .await?;
        rows_upsert(db, *record_type, rows).await?;
    }
    Ok(())
}

/// Writes rows one by one, in the order in which they would have been written: a natural key may have moved from one to
/// another.
async fn rows_upsert(db: &mut Db, record_type: RecordType, rows: Vec<Value>) -> Result<(), StoreError> {
    let [Value::Object(first), ..] = rows.as_slice() else { return Ok(()) };
    let (table, columns) = (table_name(record_type), column_list(first));
    let updated = first.keys().filter(|name| !matches!(name.as_str(), "id" | "source_id"));
    let assignments: Vec<String> = updated.map(|name| format!("{name} = excluded.{name}")).collect();
    let text = format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, $1)
         ON CONFLICT (source_id) DO UPDATE SET {}",
        assignments.join(", ")
    );
    for row in rows {
        statement(&text).bind::<Jsonb, _>(row).execute(db).await?;
    }
    Ok(())
}

/// The column names of a row that `to_jsonb` has made, as an SQL list.
pub(super) fn column_list(row: &Map<String, Value>) -> String {
    row.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}
