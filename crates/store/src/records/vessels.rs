//! The table `vessels`.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, RecordType, SourceId, SyncId,
    near_miss::{KnownVessel, near_miss},
    values::{ImoNumber, Mmsi},
    vessel::Vessel,
};

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::{Statement, statement},
    },
    records::{
        apply::{Applied, page_apply},
        references::ids_of,
        table::{Arrays, Column, NaturalKey, Table, column},
    },
};

pub(super) struct Vessels {
    companies: HashMap<String, uuid::Uuid>,
    /// Vessels whose numbers are one digit away from one of the page, and all of the page.
    near: HashMap<ImoNumber, KnownVessel>,
    /// Who has the MMSIs of the page.
    mmsi_holders: HashMap<Mmsi, Vec<String>>,
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
    /// A ship whose approval was withdrawn may be approved anew under another id.
    const NATURAL_KEY: Option<NaturalKey> = Some(NaturalKey {
        expression: "imo_number",
        code: "duplicate_imo_number",
        pointer: "/imoNumber",
        held_while: "status = 'active'",
    });

    fn source_id(record: &Vessel) -> &SourceId {
        &record.source_id
    }

    fn is_withdrawn(record: &Vessel) -> bool {
        record.withdrawn_at.is_some()
    }

    fn natural_key(record: &Vessel) -> Option<&str> {
        record.withdrawn_at.is_none().then(|| record.imo_number.as_str())
    }

    fn vessel_ids(record: &Vessel) -> Vec<String> {
        vec![record.source_id.to_string()]
    }

    fn warnings(&self, record: &Vessel, _: Option<i32>) -> Vec<Finding> {
        let near = record.imo_number.one_digit_away();
        let near = near.iter().filter_map(|number| near_miss(record, self.near.get(number)?));
        let holder = record.mmsi.as_ref().and_then(|mmsi| {
            let holder = self.mmsi_holders.get(mmsi)?.iter().find(|id| *id != record.source_id.as_str())?;
            let message = format!("is the MMSI of {holder}, too: one ship has it at a time");
            Some(Finding::warning("duplicate_mmsi", "/mmsi", message).with_value(mmsi))
        });
        near.chain(holder).collect()
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
    let near = near(db, vessels).await?;
    let mmsi_holders = mmsi_holders(db, vessels).await?;
    page_apply(&Vessels { companies, near, mmsi_holders }, db, sync_id, vessels, now).await
}

async fn near(
    db: &mut Db,
    vessels: &[Accepted<Vessel>],
) -> Result<HashMap<ImoNumber, KnownVessel>, StoreError> {
    let numbers: BTreeSet<ImoNumber> =
        vessels.iter().flat_map(|it| it.record.imo_number.one_digit_away()).collect();
    let rows: Vec<(String, String, String, Option<i32>)> = statement(
        "SELECT imo_number, source_id, name, gross_tonnage FROM vessels
         WHERE imo_number = ANY($1) AND status = 'active'",
    )
    .bind::<Array<Text>, _>(numbers.iter().map(ImoNumber::as_str).collect::<Vec<_>>())
    .returning::<(Text, Text, Text, Nullable<Int4>)>()
    .load(db)
    .await?;
    let mut near = HashMap::new();
    for (number, source_id, name, gross_tonnage) in rows {
        let imo_number: ImoNumber = word("vessels", "imo_number", &source_id, &number)?;
        let source_id = word("vessels", "source_id", &source_id, &source_id)?;
        near.insert(imo_number.clone(), KnownVessel { source_id, imo_number, name, gross_tonnage });
    }
    // The page itself overtakes what is there.
    let of_page = vessels.iter().filter(|it| it.record.withdrawn_at.is_none());
    near.extend(of_page.map(|it| (it.record.imo_number.clone(), KnownVessel::of(&it.record))));
    Ok(near)
}

async fn mmsi_holders(
    db: &mut Db,
    vessels: &[Accepted<Vessel>],
) -> Result<HashMap<Mmsi, Vec<String>>, StoreError> {
    let of_page = vessels.iter().filter(|it| it.record.withdrawn_at.is_none());
    let mut holders: HashMap<Mmsi, Vec<String>> = HashMap::new();
    for it in of_page {
        if let Some(mmsi) = &it.record.mmsi {
            holders.entry(mmsi.clone()).or_default().push(it.record.source_id.to_string());
        }
    }
    if holders.is_empty() {
        return Ok(holders);
    }
    let on_page: Vec<&str> = vessels.iter().map(|it| it.record.source_id.as_str()).collect();
    let rows: Vec<(String, String)> = statement(
        "SELECT mmsi, source_id FROM vessels
         WHERE mmsi = ANY($1) AND status = 'active' AND source_id <> ALL($2) ORDER BY source_id",
    )
    .bind::<Array<Text>, _>(holders.keys().map(Mmsi::as_str).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(on_page)
    .returning::<(Text, Text)>()
    .load(db)
    .await?;
    for (mmsi, source_id) in rows {
        holders.entry(word("vessels", "mmsi", &source_id, &mmsi)?).or_default().push(source_id);
    }
    Ok(holders)
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

/// The vessels of a company that are not withdrawn, by their ids in the onboarding portal; with those that a dry run would
/// create, which are of the company that it asks for.
pub(crate) async fn vessels_of_company(
    db: &mut Db,
    sync: SyncId,
    company: &str,
) -> Result<Vec<String>, StoreError> {
    Ok(statement(
        "SELECT v.source_id FROM vessels v JOIN companies c ON c.id = v.company_id
         WHERE c.source_id = $1 AND v.status = 'active'
         UNION SELECT source_id FROM sync_changes
         WHERE sync_id = $2 AND record_type = 'vessel' AND outcome = 'created'
         ORDER BY 1",
    )
    .bind::<Text, _>(company)
    .bind::<Uuid, _>(sync.as_uuid())
    .returning::<Text>()
    .load(db)
    .await?)
}

/// The vessels with these IMO numbers, by their ids in the onboarding portal; a withdrawn one only if no other has its
/// number. A number that we do not know is not in the map.
///
/// # Errors
///
/// If the database fails.
pub async fn vessel_ids_by_imo(
    db: &mut Db,
    imo_numbers: &[ImoNumber],
) -> Result<HashMap<String, String>, StoreError> {
    let rows: Vec<(String, String)> =
        statement("SELECT imo_number, source_id FROM vessels WHERE imo_number = ANY($1) ORDER BY status = 'active', version_at")
            .bind::<Array<Text>, _>(imo_numbers.iter().map(ImoNumber::as_str).collect::<Vec<_>>())
            .returning::<(Text, Text)>()
            .load(db)
            .await?;
    Ok(rows.into_iter().collect())
}
