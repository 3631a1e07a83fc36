//! The table `vessels`.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use domain::{Accepted, Finding, RecordType, SourceId, SyncId, vessel::Vessel};

use super::{Applied, Arrays, Column, Table, column, ids_of, page_apply};
use crate::{Db, StoreError, sql::Statement};

struct Vessels {
    companies: HashMap<String, uuid::Uuid>,
}

impl Table for Vessels {
    type Record = Vessel;
    const NAME: &'static str = "vessels";
    const RECORD_TYPE: RecordType = RecordType::Vessel;
    const COLUMNS: &'static [Column] = &[
        column("company_id"),
        column("imo_number"),
        column("name"),
        column("mmsi"),
        column("call_sign"),
        column("flag"),
        column("port_of_registry"),
        column("vessel_type"),
        column("gross_tonnage"),
        column("net_tonnage"),
        column("deadweight"),
        column("length_overall_m"),
        column("beam_m"),
        column("draught_m"),
        column("build_year"),
        column("shipyard"),
        column("hull_number"),
        column("class_society"),
        column("main_engine"),
        column("service_status"),
    ];
    const NATURAL_KEY: Option<(&'static str, &'static str, &'static str)> =
        Some(("imo_number", "duplicate_imo_number", "/imoNumber"));

    fn source_id(record: &Vessel) -> &SourceId {
        &record.source_id
    }

    fn is_withdrawn(record: &Vessel) -> bool {
        record.withdrawn_at.is_some()
    }

    fn natural_key(record: &Vessel) -> Option<&str> {
        Some(record.imo_number.as_str())
    }

    fn missing_reference(&self, record: &Vessel) -> Option<Finding> {
        let known = self.companies.contains_key(record.company_source_id.as_str());
        (!known).then(|| {
            Finding::error("company_rejected", "/company", "its company was rejected")
                .with_value(&record.company_source_id)
        })
    }

    fn bind<'f>(&'f self, statement: Statement<'f>, rows: &[&'f Accepted<Vessel>]) -> Statement<'f> {
        Arrays::of(statement, rows)
            .add::<Nullable<Uuid>, _>(|it| self.companies.get(it.record.company_source_id.as_str()).copied())
            .text(|it| it.record.imo_number.as_str())
            .text(|it| &it.record.name)
            .text_if_any(|it| it.record.mmsi.as_ref().map(|it| it.as_str()))
            .text_if_any(|it| it.record.call_sign.as_ref().map(|it| it.as_str()))
            .text(|it| it.record.flag.as_str())
            .text_if_any(|it| it.record.port_of_registry.as_deref())
            .text(|it| it.record.vessel_type.as_str())
            .number_if_any(|it| it.record.gross_tonnage)
            .number_if_any(|it| it.record.net_tonnage)
            .number_if_any(|it| it.record.deadweight)
            .add::<Nullable<Float8>, _>(|it| it.record.length_overall_m)
            .add::<Nullable<Float8>, _>(|it| it.record.beam_m)
            .add::<Nullable<Float8>, _>(|it| it.record.draught_m)
            .number_if_any(|it| it.record.build_year)
            .text_if_any(|it| it.record.shipyard.as_deref())
            .text_if_any(|it| it.record.hull_number.as_deref())
            .text_if_any(|it| it.record.class_society.as_deref())
            .text_if_any(|it| it.record.main_engine.as_deref())
            .text(|it| it.record.service_status.as_str())
            .done()
    }
}

/// Writes vessels whose companies are there, last write wins, with their conflicts and findings; one outcome each, in
/// their order. In a transaction.
///
/// # Errors
///
/// If the database fails: then roll back. What it refuses of single records is an outcome, not an error.
pub async fn vessels_apply(
    db: &mut Db,
    sync_id: SyncId,
    vessels: &[Accepted<Vessel>],
    now: DateTime<Utc>,
) -> Result<Vec<Applied>, StoreError> {
    let companies = ids_of(db, "companies", vessels.iter().map(|it| &it.record.company_source_id)).await?;
    page_apply(&Vessels { companies }, db, sync_id, vessels, now).await
}

/// Which of these vessels we have.
///
/// # Errors
///
/// If the database fails.
pub async fn vessel_ids_known(
    db: &mut Db,
    source_ids: &[SourceId],
) -> Result<BTreeSet<SourceId>, StoreError> {
    let known = ids_of(db, "vessels", source_ids.iter()).await?;
    Ok(source_ids.iter().filter(|id| known.contains_key(id.as_str())).cloned().collect())
}
