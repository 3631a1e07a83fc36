//! The table `equipment`.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, Outcome, RecordType, SourceId, SyncId, equipment::Equipment, last_write_wins::decide,
    values::QrCode,
};

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        statement::{JsonObject, Statement, statement},
    },
    records::{
        EquipmentSnapshot,
        apply::{Applied, page_apply_to},
        equipment_parts,
        references::ids_of,
        stored_version::{settled, stored_versions_read},
        table::{Arrays, Column, NaturalKey, Table, column},
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
    /// A label that once hung on board is never another's, not even when its equipment is retired.
    const NATURAL_KEY: Option<NaturalKey> = Some(NaturalKey {
        expression: "qr_code",
        code: "duplicate_qr_code",
        pointer: "/qrCode",
        held_while: "true",
    });
    const KEEPS_PAYLOAD_HASH: bool = true;
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
            .add::<Jsonb, _>(|it| JsonObject(&it.record.specs))
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
        sync_id: SyncId,
        written: &[(uuid::Uuid, &Accepted<Equipment>, bool)],
        now: DateTime<Utc>,
    ) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
        let below_minimum = equipment_parts::parts_apply(db, sync_id, written, now).await?;
        equipment_parts::schedules_apply(db, sync_id, written, now).await?;
        Ok(below_minimum)
    }
}

/// Writes equipment with its parts and schedules, last write wins, with conflicts and findings; one outcome each, in
/// their order. Equipment of a vessel that is not there is rejected as an orphan. `look`: what stood in the table a moment
/// ago, if somebody has looked. In a transaction.
///
/// # Errors
///
/// If the database fails: then roll back. What it refuses of single records is an outcome, not an error.
pub async fn equipment_apply(
    db: &mut Db,
    sync_id: SyncId,
    equipment: &[Accepted<Equipment>],
    look: Option<&EquipmentSnapshot>,
    now: DateTime<Utc>,
) -> Result<Vec<Applied>, StoreError> {
    if equipment.is_empty() {
        return Ok(Vec::new());
    }
    // Most of a page is as it was, and needs neither vessel nor code looked up.
    let seen = match look {
        Some(look) => Cow::Borrowed(&look.held),
        None => {
            let ids = equipment.iter().map(|it| it.record.source_id.as_str()).collect();
            Cow::Owned(stored_versions_read::<EquipmentTable>(db, ids).await?)
        }
    };
    let is_open = |it: &&Accepted<Equipment>| {
        settled(decide(it.version, seen.get(it.record.source_id.as_str()).copied())).is_none()
    };
    let open: Vec<&Accepted<Equipment>> = equipment.iter().filter(is_open).collect();
    let vessels = ids_of(db, "vessels", open.iter().map(|it| &it.record.vessel_source_id)).await?;
    let table = EquipmentTable { vessels };
    let foreign = foreign_codes(db, &open).await?;
    // A tombstone brings no code: a label that hangs on board stays, and what was never on board takes none.
    let tombstone = |it: &Accepted<Equipment>| it.record.withdrawn_at.is_some();
    if foreign.is_empty() && !open.iter().any(|it| tombstone(it)) {
        return page_apply_to(&table, db, sync_id, equipment, &seen, now).await;
    }
    // They go in without the code that is another's: with the one that they have, or one of ours.
    let relabelled: Vec<Accepted<Equipment>> = equipment
        .iter()
        .map(|it| {
            let mut it = it.clone();
            if tombstone(&it) {
                it.record.qr_code = QrCode::derived(&it.record.source_id);
                it.record.qr_code_derived = true;
            } else if let Some(clash) = foreign.get(it.record.source_id.as_str()) {
                let message = format!("is on the label of {} already, which keeps it", clash.holder);
                let finding = Finding::warning("duplicate_qr_code", "/qrCode", message);
                it.warnings.push(finding.with_value(&it.record.qr_code));
                it.record.qr_code = QrCode::derived(&it.record.source_id);
                it.record.qr_code_derived = true;
            }
            it
        })
        .collect();
    let mut applied = page_apply_to(&table, db, sync_id, &relabelled, &seen, now).await?;
    let written = |it: &Applied| {
        matches!(it.outcome, Outcome::Created | Outcome::Updated | Outcome::Conflict)
            && foreign.contains_key(it.source_id.as_str())
    };
    let ids: Vec<&str> = applied.iter().filter(|it| written(it)).map(|it| it.source_id.as_str()).collect();
    foreign_codes_store(db, sync_id, equipment, &foreign, &ids, now).await?;
    for it in applied.iter_mut().filter(|it| written(it)) {
        it.outcome = Outcome::Conflict;
    }
    Ok(applied)
}

/// A code that came with one piece of equipment and is on the label of another.
struct ForeignCode {
    holder: String,
    held_since: DateTime<Utc>,
}

/// The foreign codes of a page, by the equipment that came with them. Codes that we derived are nobody else's.
async fn foreign_codes(
    db: &mut Db,
    equipment: &[&Accepted<Equipment>],
) -> Result<HashMap<String, ForeignCode>, StoreError> {
    let given: Vec<&Accepted<Equipment>> = equipment
        .iter()
        .copied()
        .filter(|it| !it.record.qr_code_derived && it.record.withdrawn_at.is_none())
        .collect();
    if given.is_empty() {
        return Ok(HashMap::new());
    }
    let codes: BTreeSet<&str> = given.iter().map(|it| it.record.qr_code.as_str()).collect();
    let rows: Vec<(String, String, DateTime<Utc>)> =
        statement("SELECT qr_code, source_id, version_at FROM equipment WHERE qr_code = ANY($1)")
            .bind::<Array<Text>, _>(codes.into_iter().collect::<Vec<_>>())
            .returning::<(Text, Text, Timestamptz)>()
            .load(db)
            .await?;
    let mut holders: HashMap<&str, (&str, DateTime<Utc>)> =
        rows.iter().map(|(code, holder, since)| (code.as_str(), (holder.as_str(), *since))).collect();
    let mut given = given;
    given.sort_by_key(|it| &it.record.source_id);
    let mut foreign = HashMap::new();
    for it in given {
        let own = it.record.source_id.as_str();
        let (holder, held_since) =
            *holders.entry(it.record.qr_code.as_str()).or_insert((own, it.version.updated_at));
        if holder != own {
            foreign.insert(own.to_owned(), ForeignCode { holder: holder.to_owned(), held_since });
        }
    }
    Ok(foreign)
}

/// Keeps both sides: the code that the equipment has now, and the one that it came with.
async fn foreign_codes_store(
    db: &mut Db,
    sync_id: SyncId,
    equipment: &[Accepted<Equipment>],
    foreign: &HashMap<String, ForeignCode>,
    written: &[&str],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let those: Vec<(&Accepted<Equipment>, &ForeignCode)> = equipment
        .iter()
        .filter(|it| written.contains(&it.record.source_id.as_str()))
        .filter_map(|it| Some((it, foreign.get(it.record.source_id.as_str())?)))
        .collect();
    statement(
        "INSERT INTO conflicts (id, sync_id, record_type, source_id, label, kind, local_value, source_value, local_at,
             local_writer, source_at, source_hash, winner, policy, opened_at)
         SELECT i.id, $1, 'equipment', i.source_id, i.label, 'natural_key', jsonb_build_object('qr_code', e.qr_code),
             jsonb_build_object('qr_code', i.code, 'holder', i.holder), i.held_since, e.last_writer, i.at, i.hash,
             'local', 'last_write_wins', $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10) AS i (id, source_id, label, code, holder, held_since, at, hash)
         JOIN equipment e ON e.source_id = i.source_id
         ON CONFLICT DO NOTHING",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Uuid>, _>(those.iter().map(|_| uuid::Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(those.iter().map(|(it, _)| it.record.source_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(those.iter().map(|(it, _)| it.label.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(those.iter().map(|(it, _)| it.record.qr_code.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(those.iter().map(|(_, clash)| clash.holder.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(those.iter().map(|(_, clash)| clash.held_since).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(those.iter().map(|(it, _)| it.version.updated_at).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(those.iter().map(|(it, _)| it.version.hash.as_bytes().as_slice()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
