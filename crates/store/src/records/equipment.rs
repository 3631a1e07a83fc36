//! The table `equipment`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use domain::{Accepted, Finding, RecordType, SourceId, SyncId, equipment::Equipment};
use serde_json::Value;

use super::{Applied, Arrays, Column, Table, column, equipment_parts, ids_of, page_apply};
use crate::{Db, StoreError, sql::Statement};

struct EquipmentTable {
    vessels: HashMap<String, uuid::Uuid>,
}

impl Table for EquipmentTable {
    type Record = Equipment;
    const NAME: &'static str = "equipment";
    const RECORD_TYPE: RecordType = RecordType::Equipment;
    const COLUMNS: &'static [Column] = &[
        column("vessel_id"),
        column("code"),
        column("unit_number"),
        column("name"),
        column("maker"),
        column("model"),
        column("serial_number"),
        column("location"),
        column("specs"),
        // Critical equipment never loses its criticality without an operator's word.
        column("is_critical").merged("t.is_critical OR i.is_critical"),
        column("criticality_basis").merged(
            "CASE WHEN t.is_critical AND NOT i.is_critical THEN t.criticality_basis ELSE i.criticality_basis END",
        ),
        column("is_standby"),
        column("standby_test_interval_days"),
        column("redundancy_group"),
        // A label that hangs on board is worth more than one that we made up.
        column("qr_code").merged("CASE WHEN i.qr_code_derived THEN t.qr_code ELSE i.qr_code END"),
        column("installed_on"),
        column("warranty_until"),
        column("service_status"),
    ];
    const INPUTS: &'static [&'static str] = &["qr_code_derived"];
    const ONCE: &'static [&'static str] = &["running_hours"];
    const NATURAL_KEY: Option<(&'static str, &'static str, &'static str)> =
        Some(("qr_code", "duplicate_qr_code", "/qrCode"));
    const IS_CRITICAL: &'static str = "t.is_critical";
    const SHIPS_NUMBER: &'static str = "t.running_hours";

    fn source_id(record: &Equipment) -> &SourceId {
        &record.source_id
    }

    fn is_withdrawn(record: &Equipment) -> bool {
        record.withdrawn_at.is_some()
    }

    fn is_critical(record: &Equipment) -> bool {
        record.is_critical
    }

    fn natural_key(record: &Equipment) -> Option<&str> {
        Some(record.qr_code.as_str())
    }

    fn vessel_ids(record: &Equipment) -> Vec<String> {
        vec![record.vessel_source_id.to_string()]
    }

    fn warnings(&self, record: &Equipment, ships: Option<i32>) -> Vec<Finding> {
        let (Some(hours), Some(ships)) = (record.running_hours, ships) else { return Vec::new() };
        if hours >= ships {
            return Vec::new();
        }
        let message = format!("runs backwards: the ship's counter stands at {ships}, and stays");
        vec![Finding::warning("running_hours_backwards", "/runningHours", message).with_value(hours)]
    }

    fn missing_reference(&self, record: &Equipment) -> Option<Finding> {
        let known = self.vessels.contains_key(record.vessel_source_id.as_str());
        (!known).then(|| {
            Finding::error("orphan", "/vesselId", "its vessel is not known")
                .with_value(&record.vessel_source_id)
        })
    }

    fn bind<'f>(&'f self, statement: Statement<'f>, rows: &[&'f Accepted<Equipment>]) -> Statement<'f> {
        Arrays::of(statement, rows)
            .add::<Nullable<Uuid>, _>(|it| self.vessels.get(it.record.vessel_source_id.as_str()).copied())
            .text(|it| it.record.code.as_str())
            .add::<Int4, _>(|it| it.record.unit_number)
            .text(|it| &it.record.name)
            .text_if_any(|it| it.record.maker.as_deref())
            .text_if_any(|it| it.record.model.as_deref())
            .text_if_any(|it| it.record.serial_number.as_deref())
            .text_if_any(|it| it.record.location.as_deref())
            .add::<Jsonb, _>(|it| Value::Object(it.record.specs.clone()))
            .add::<Bool, _>(|it| it.record.is_critical)
            .text_if_any(|it| it.record.criticality_basis.map(|it| it.as_str()))
            .add::<Bool, _>(|it| it.record.is_standby)
            .number_if_any(|it| it.record.standby_test_interval_days)
            .text_if_any(|it| it.record.redundancy_group.as_deref())
            .text(|it| it.record.qr_code.as_str())
            .add::<Nullable<Date>, _>(|it| it.record.installed_on)
            .add::<Nullable<Date>, _>(|it| it.record.warranty_until)
            .text(|it| it.record.service_status.as_str())
            .add::<Bool, _>(|it| it.record.qr_code_derived)
            .number_if_any(|it| it.record.running_hours)
            .done()
    }

    async fn after(
        &self,
        db: &mut Db,
        written: &[(uuid::Uuid, &Accepted<Equipment>, bool)],
        now: DateTime<Utc>,
    ) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
        let below_minimum = equipment_parts::parts_apply(db, written, now).await?;
        equipment_parts::schedules_apply(db, written, now).await?;
        Ok(below_minimum)
    }
}

/// Writes equipment with its parts and schedules, last write wins, with conflicts and findings; one outcome each, in
/// their order. Equipment of a vessel that is not there is rejected as an orphan. In a transaction.
///
/// # Errors
///
/// If the database fails: then roll back. What it refuses of single records is an outcome, not an error.
pub async fn equipment_apply(
    db: &mut Db,
    sync_id: SyncId,
    equipment: &[Accepted<Equipment>],
    now: DateTime<Utc>,
) -> Result<Vec<Applied>, StoreError> {
    let vessels = ids_of(db, "vessels", equipment.iter().map(|it| &it.record.vessel_source_id)).await?;
    page_apply(&EquipmentTable { vessels }, db, sync_id, equipment, now).await
}
