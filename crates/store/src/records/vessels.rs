//! The table `vessels`.

use std::collections::{BTreeSet, HashMap};

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, RecordType, SourceId,
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
        apply::{AppliedRecord, page_apply},
        references::row_ids_read,
        table::{Column, ColumnArrays, KeyClaim, NaturalKey, Table, column},
        write_stamp::WriteStamp,
    },
};

pub(super) struct Vessels {
    /// Row ids by source id.
    companies: HashMap<String, uuid::Uuid>,
    /// The vessels of the page, and active ones whose IMO number is one digit away from theirs.
    neighbours: HashMap<ImoNumber, KnownVessel>,
    /// Source ids of the vessels that have an MMSI of the page.
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
        column("withdrawal_due_at"),
    ];
    /// A ship whose approval was withdrawn may be approved anew under another id.
    const NATURAL_KEY: Option<NaturalKey> = Some(NaturalKey {
        expression: "imo_number",
        code: "duplicate_imo_number",
        pointer: "/imoNumber",
        index_predicate: "status = 'active'",
    });

    fn source_id(record: &Vessel) -> &SourceId {
        &record.source_id
    }

    fn is_withdrawn(record: &Vessel) -> bool {
        record.withdrawal.is_due()
    }

    fn natural_key(record: &Vessel) -> KeyClaim<'_> {
        if record.withdrawal.is_due() {
            KeyClaim::GivesUp
        } else {
            KeyClaim::Wants(record.imo_number.as_str())
        }
    }

    fn vessel_ids(record: &Vessel) -> Vec<SourceId> {
        vec![record.source_id.clone()]
    }

    fn warnings(&self, record: &Vessel, _: Option<i32>) -> Vec<Finding> {
        let numbers = record.imo_number.one_digit_away();
        let near_misses = numbers.iter().filter_map(|number| near_miss(record, self.neighbours.get(number)?));
        let duplicate_mmsi = record.mmsi.as_ref().and_then(|mmsi| {
            let holder = self.mmsi_holders.get(mmsi)?.iter().find(|id| *id != record.source_id.as_str())?;
            let message = format!("is the MMSI of {holder}, too: one ship has it at a time");
            Some(Finding::warning("duplicate_mmsi", "/mmsi", message).with_value(mmsi))
        });
        near_misses.chain(duplicate_mmsi).collect()
    }

    fn missing_reference(&self, record: &Vessel) -> Option<Finding> {
        let known = self.companies.contains_key(record.company_source_id.as_str());
        (!known).then(|| {
            Finding::error("company_rejected", "/company", "its company was rejected")
                .with_value(&record.company_source_id)
        })
    }

    fn bind_columns<'f>(&'f self, statement: Statement<'f>, rows: &[&'f Accepted<Vessel>]) -> Statement<'f> {
        ColumnArrays::new(statement, rows)
            .bind::<Nullable<Uuid>, _>(|row| {
                self.companies.get(row.record.company_source_id.as_str()).copied()
            })
            .bind_text(|row| row.record.imo_number.as_str())
            .bind_text(|row| &row.record.name)
            .bind_optional_text(|row| row.record.mmsi.as_ref().map(|value| value.as_str()))
            .bind_optional_text(|row| row.record.call_sign.as_ref().map(|value| value.as_str()))
            .bind_text(|row| row.record.flag.as_str())
            .bind_optional_text(|row| row.record.port_of_registry.as_deref())
            .bind_text(|row| row.record.vessel_type.as_str())
            .bind_optional_int(|row| row.record.gross_tonnage)
            .bind_optional_int(|row| row.record.net_tonnage)
            .bind_optional_int(|row| row.record.deadweight)
            .bind::<Nullable<Float8>, _>(|row| row.record.length_overall_m)
            .bind::<Nullable<Float8>, _>(|row| row.record.beam_m)
            .bind::<Nullable<Float8>, _>(|row| row.record.draught_m)
            .bind_optional_int(|row| row.record.build_year)
            .bind_optional_text(|row| row.record.shipyard.as_deref())
            .bind_optional_text(|row| row.record.hull_number.as_deref())
            .bind_optional_text(|row| row.record.class_society.as_deref())
            .bind_optional_text(|row| row.record.main_engine.as_deref())
            .bind_text(|row| row.record.service_status.as_str())
            .bind::<Nullable<Timestamptz>, _>(|row| row.record.withdrawal.due_at())
            .into_statement()
    }
}

/// Writes vessels, last write wins, with their conflicts and findings; one outcome each, in their order. Their
/// companies have to be written before: a vessel without its company is rejected. In a transaction.
///
/// # Errors
///
/// If the database fails: then roll back. A record that the database refuses is an outcome, not an error.
pub async fn vessels_apply(
    db: &mut Db,
    stamp: WriteStamp,
    vessels: &[Accepted<Vessel>],
) -> Result<Vec<AppliedRecord>, StoreError> {
    let companies =
        row_ids_read(db, "companies", vessels.iter().map(|row| &row.record.company_source_id)).await?;
    let neighbours = neighbours_read(db, vessels).await?;
    let mmsi_holders = mmsi_holders_read(db, vessels).await?;
    page_apply(&Vessels { companies, neighbours, mmsi_holders }, db, stamp, vessels).await
}

async fn neighbours_read(
    db: &mut Db,
    vessels: &[Accepted<Vessel>],
) -> Result<HashMap<ImoNumber, KnownVessel>, StoreError> {
    let numbers: BTreeSet<ImoNumber> =
        vessels.iter().flat_map(|row| row.record.imo_number.one_digit_away()).collect();
    let rows: Vec<(String, String, String, Option<i32>)> = statement(
        "SELECT imo_number, source_id, name, gross_tonnage FROM vessels
         WHERE imo_number = ANY($1) AND status = 'active'",
    )
    .bind::<Array<Text>, _>(numbers.iter().map(ImoNumber::as_str).collect::<Vec<_>>())
    .returning::<(Text, Text, Text, Nullable<Int4>)>()
    .load(db)
    .await?;
    let mut neighbours = HashMap::new();
    for (number, source_id, name, gross_tonnage) in rows {
        let imo_number: ImoNumber = word("vessels", "imo_number", &source_id, &number)?;
        let source_id = word("vessels", "source_id", &source_id, &source_id)?;
        neighbours.insert(imo_number.clone(), KnownVessel { source_id, imo_number, name, gross_tonnage });
    }
    // The states of the page are newer than those of the table.
    let on_page = vessels.iter().map(|row| &row.record).filter(|vessel| !vessel.withdrawal.is_due());
    neighbours.extend(on_page.map(|vessel| (vessel.imo_number.clone(), KnownVessel::of(vessel))));
    Ok(neighbours)
}

async fn mmsi_holders_read(
    db: &mut Db,
    vessels: &[Accepted<Vessel>],
) -> Result<HashMap<Mmsi, Vec<String>>, StoreError> {
    let mut holders: HashMap<Mmsi, Vec<String>> = HashMap::new();
    for vessel in vessels.iter().map(|row| &row.record).filter(|vessel| !vessel.withdrawal.is_due()) {
        if let Some(mmsi) = &vessel.mmsi {
            holders.entry(mmsi.clone()).or_default().push(vessel.source_id.to_string());
        }
    }
    if holders.is_empty() {
        return Ok(holders);
    }
    let on_page: Vec<&str> = vessels.iter().map(|row| row.record.source_id.as_str()).collect();
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

/// Those of the vessels that are in the table.
pub async fn vessel_ids_known(
    db: &mut Db,
    source_ids: &[SourceId],
) -> Result<BTreeSet<SourceId>, StoreError> {
    let known = row_ids_read(db, "vessels", source_ids.iter()).await?;
    Ok(source_ids.iter().filter(|id| known.contains_key(id.as_str())).cloned().collect())
}

/// Whether active vessels of a company are here. `company`: its id in the onboarding portal.
pub async fn company_has_vessels(db: &mut Db, company: &SourceId) -> Result<bool, StoreError> {
    Ok(statement(
        "SELECT EXISTS (SELECT FROM vessels v JOIN companies c ON c.id = v.company_id
                        WHERE c.source_id = $1 AND v.status = 'active')",
    )
    .bind::<Text, _>(company.as_str())
    .returning::<Bool>()
    .get_result(db)
    .await?)
}

/// Source ids of vessels by IMO number: a withdrawn vessel only if no active one has the number. An unknown number is
/// absent.
pub async fn vessel_ids_by_imo(
    db: &mut Db,
    imo_numbers: &[ImoNumber],
) -> Result<HashMap<String, String>, StoreError> {
    let rows: Vec<(String, String)> = statement(
        "SELECT imo_number, source_id FROM vessels WHERE imo_number = ANY($1)
         ORDER BY status = 'active', version_at",
    )
    .bind::<Array<Text>, _>(imo_numbers.iter().map(ImoNumber::as_str).collect::<Vec<_>>())
    .returning::<(Text, Text)>()
    .load(db)
    .await?;
    Ok(rows.into_iter().collect())
}

/// One active vessel of each company that has one: companies are fetched with their vessels.
pub(crate) async fn vessel_of_each_company(
    db: &mut Db,
    companies: &[String],
) -> Result<Vec<String>, StoreError> {
    Ok(statement(
        "SELECT min(v.source_id) FROM vessels v JOIN companies c ON c.id = v.company_id
         WHERE c.source_id = ANY($1) AND v.status = 'active' GROUP BY c.id",
    )
    .bind::<Array<Text>, _>(companies)
    .returning::<Text>()
    .load(db)
    .await?)
}
