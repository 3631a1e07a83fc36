//! The table `equipment`.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use diesel::sql_types::*;
use domain::{Accepted, Finding, Outcome, RecordType, SourceId, equipment::Equipment};
use serde_json::{Map, Value};

use crate::{
    db::{connection::Db, error::StoreError, statement::Statement},
    records::{
        apply::{AppliedRecord, page_apply_with},
        equipment_parts,
        references::row_ids_read,
        snapshot::EquipmentSnapshot,
        stored_version::{outcome_without_write, stored_versions_read},
        table::{Column, ColumnArrays, KeyClaim, NaturalKey, Table, WrittenRow, column},
        taken_qr_codes::{TakenQrCode, qr_code_conflicts_insert, taken_qr_codes_read, without_taken_qr_code},
        write_stamp::WriteStamp,
    },
};

pub(super) struct EquipmentTable {
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
        // Critical equipment stays critical until an operator decides otherwise.
        column("is_critical").merged("t.is_critical OR i.is_critical"),
        column("criticality_basis").merged(
            "CASE WHEN t.is_critical AND NOT i.is_critical THEN t.criticality_basis ELSE i.criticality_basis END",
        ),
        column("is_standby"),
        column("standby_test_interval_days"),
        column("redundancy_group"),
        // The label on board outlives a code that was only derived.
        column("qr_code").merged("CASE WHEN i.qr_code_derived THEN t.qr_code ELSE i.qr_code END"),
        column("installed_on"),
        column("warranty_until"),
        column("service_status"),
        column("withdrawal_due_at"),
    ];
    const EXTRA_INPUTS: &'static [&'static str] = &["qr_code_derived"];
    const INSERT_ONLY: &'static [&'static str] = &["running_hours"];
    /// A code is never reused, not even after its equipment is retired: its label may still hang on board.
    const NATURAL_KEY: Option<NaturalKey> = Some(NaturalKey {
        expression: "qr_code",
        code: "duplicate_qr_code",
        pointer: "/qrCode",
        index_predicate: "true",
    });
    const KEEPS_PAYLOAD_HASH: bool = true;
    const IS_CRITICAL: &'static str = "t.is_critical";
    const SHIP_COUNTER: &'static str = "t.running_hours";

    fn source_id(record: &Equipment) -> &SourceId {
        &record.source_id
    }

    fn is_withdrawn(record: &Equipment) -> bool {
        record.withdrawal.is_due()
    }

    fn is_critical(record: &Equipment) -> bool {
        record.is_critical
    }

    fn natural_key(record: &Equipment) -> KeyClaim<'_> {
        if record.qr_code_derived { KeyClaim::Keeps } else { KeyClaim::Wants(record.qr_code.as_str()) }
    }

    fn vessel_ids(record: &Equipment) -> Vec<SourceId> {
        vec![record.vessel_source_id.clone()]
    }

    fn warnings(&self, record: &Equipment, ship_counter: Option<i32>) -> Vec<Finding> {
        let (Some(hours), Some(ship_hours)) = (record.running_hours, ship_counter) else { return Vec::new() };
        if hours >= ship_hours {
            return Vec::new();
        }
        let message = format!("runs backwards: the ship's counter stands at {ship_hours}, and stays");
        vec![Finding::warning("running_hours_backwards", "/runningHours", message).with_value(hours)]
    }

    fn missing_reference(&self, record: &Equipment) -> Option<Finding> {
        let known = self.vessels.contains_key(record.vessel_source_id.as_str());
        (!known).then(|| {
            Finding::error("orphan", "/vesselId", "its vessel is not known")
                .with_value(&record.vessel_source_id)
        })
    }

    fn bind_columns<'f>(
        &'f self,
        statement: Statement<'f>,
        rows: &[&'f Accepted<Equipment>],
    ) -> Statement<'f> {
        ColumnArrays::new(statement, rows)
            .bind::<Nullable<Uuid>, _>(|row| self.vessels.get(row.record.vessel_source_id.as_str()).copied())
            .bind_text(|row| row.record.code.as_str())
            .bind::<Int4, _>(|row| row.record.unit_number)
            .bind_text(|row| &row.record.name)
            .bind_optional_text(|row| row.record.maker.as_deref())
            .bind_optional_text(|row| row.record.model.as_deref())
            .bind_optional_text(|row| row.record.serial_number.as_deref())
            .bind_optional_text(|row| row.record.location.as_deref())
            .bind::<Jsonb, _>(|row| &row.record.specs)
            .bind::<Bool, _>(|row| row.record.is_critical)
            .bind_optional_text(|row| row.record.criticality_basis.map(|value| value.as_str()))
            .bind::<Bool, _>(|row| row.record.is_standby)
            .bind_optional_int(|row| row.record.standby_test_interval_days)
            .bind_optional_text(|row| row.record.redundancy_group.as_deref())
            .bind_text(|row| row.record.qr_code.as_str())
            .bind::<Nullable<Date>, _>(|row| row.record.installed_on)
            .bind::<Nullable<Date>, _>(|row| row.record.warranty_until)
            .bind_text(|row| row.record.service_status.as_str())
            .bind::<Nullable<Timestamptz>, _>(|row| row.record.withdrawal.due_at())
            .bind::<Bool, _>(|row| row.record.qr_code_derived)
            .bind_optional_int(|row| row.record.running_hours)
            .into_statement()
    }

    fn dependents(record: &Equipment) -> Map<String, Value> {
        equipment_parts::parts_of(record)
    }

    async fn dependents_read(
        db: &mut Db,
        rows: Vec<uuid::Uuid>,
    ) -> Result<HashMap<uuid::Uuid, Map<String, Value>>, StoreError> {
        equipment_parts::parts_read(db, &rows).await
    }

    async fn after_write(
        &self,
        db: &mut Db,
        stamp: WriteStamp,
        written: &[WrittenRow<'_, Equipment>],
    ) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
        let below_minimum = equipment_parts::parts_apply(db, stamp, written).await?;
        equipment_parts::schedules_apply(db, stamp, written).await?;
        Ok(below_minimum)
    }
}

/// Writes equipment with its parts and schedules, last write wins, with conflicts and findings; one outcome each, in
/// their order. Equipment of an unknown vessel is rejected as an orphan. In a transaction.
///
/// # Errors
///
/// If the database fails: then roll back. A record that the database refuses is an outcome, not an error.
pub async fn equipment_apply(
    db: &mut Db,
    stamp: WriteStamp,
    equipment: &[Accepted<Equipment>],
    snapshot: Option<&EquipmentSnapshot>,
) -> Result<Vec<AppliedRecord>, StoreError> {
    if equipment.is_empty() {
        return Ok(Vec::new());
    }
    let stored = match snapshot {
        Some(snapshot) => Cow::Borrowed(&snapshot.versions),
        None => {
            let source_ids = equipment.iter().map(|row| row.record.source_id.as_str()).collect();
            Cow::Owned(stored_versions_read::<EquipmentTable>(db, source_ids).await?)
        }
    };
    // Most of a page is unchanged: neither its vessel nor its code has to be looked up.
    let is_changed = |row: &&Accepted<Equipment>| {
        let stored = stored.get(row.record.source_id.as_str()).copied();
        outcome_without_write::<EquipmentTable>(row, stamp.fetched_at, stored).is_none()
    };
    let changed: Vec<&Accepted<Equipment>> = equipment.iter().filter(is_changed).collect();
    let vessels = row_ids_read(db, "vessels", changed.iter().map(|row| &row.record.vessel_source_id)).await?;
    let table = EquipmentTable { vessels };
    let taken = taken_qr_codes_read(db, stamp, &changed, &stored).await?;
    if taken.is_empty() && !changed.iter().any(|row| row.record.withdrawal.is_due()) {
        return page_apply_with(&table, db, stamp, equipment, &stored).await;
    }
    let taken_from = |row: &Accepted<Equipment>| taken.get(row.record.source_id.as_str());
    let relabelled: Vec<Accepted<Equipment>> =
        equipment.iter().map(|row| without_taken_qr_code(row, taken_from(row))).collect();
    let mut applied = page_apply_with(&table, db, stamp, &relabelled, &stored).await?;
    let mut in_conflict: HashSet<&str> = HashSet::new();
    for record in &mut applied {
        let is_written = matches!(record.outcome, Outcome::Created | Outcome::Updated | Outcome::Conflict);
        let taken = taken.get_key_value(record.source_id.as_str());
        if let (true, Some((source_id, _))) = (is_written, taken.filter(|(_, code)| code.was_given)) {
            record.outcome = Outcome::Conflict;
            in_conflict.insert(source_id);
        }
    }
    let conflicts: Vec<(&Accepted<Equipment>, &TakenQrCode)> = equipment
        .iter()
        .filter(|row| in_conflict.contains(row.record.source_id.as_str()))
        .filter_map(|row| Some((row, taken_from(row)?)))
        .collect();
    qr_code_conflicts_insert(db, stamp, &conflicts).await?;
    Ok(applied)
}
