//! The part of the fleet that an operator may see: rows of vessels and companies, and what belongs to them.

use std::collections::BTreeSet;

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, Scope};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::table_name,
};

/// The rows of an operator who is limited to a part of the fleet. What has no row of a vessel or company there is outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FleetPart {
    /// Rows of vessels.
    pub vessels: Vec<uuid::Uuid>,
    /// The same, by their ids in the onboarding portal; and those that were named by that id and have no row, as they were rejected
    /// or have not come yet.
    pub vessel_ids: Vec<String>,
    /// Rows of companies.
    pub companies: Vec<uuid::Uuid>,
}

impl FleetPart {
    /// Reads the rows that the names mean: vessels by IMO number or id in the onboarding portal, with those of the companies, by
    /// id in the onboarding portal or IMO company number. A name that is the number of one and the id of another means the number.
    pub async fn load(
        db: &mut Db,
        vessels: &BTreeSet<String>,
        companies: &BTreeSet<String>,
    ) -> Result<Self, StoreError> {
        let names = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
        let companies: Vec<uuid::Uuid> =
            statement(
                "SELECT id FROM companies t WHERE imo_company_number = ANY($1) OR source_id = ANY($1)
                     AND NOT EXISTS (SELECT FROM companies o WHERE o.imo_company_number = t.source_id AND o.id <> t.id)",
            )
                .bind::<Array<Text>, _>(names(companies))
                .returning::<Uuid>()
                .load(db)
                .await?;
        let found: Vec<(uuid::Uuid, String, String)> = statement(
            "SELECT id, source_id, imo_number FROM vessels t WHERE imo_number = ANY($1) OR company_id = ANY($2) OR source_id = ANY($1)
                 AND NOT EXISTS (SELECT FROM vessels o WHERE o.imo_number = t.source_id AND o.id <> t.id)",
        )
        .bind::<Array<Text>, _>(names(vessels))
        .bind::<Array<Uuid>, _>(&companies)
        .returning::<(Uuid, Text, Text)>()
        .load(db)
        .await?;
        let is_known = |name: &str| found.iter().any(|(_, id, imo_number)| id == name || imo_number == name);
        let without_row: Vec<String> = vessels.iter().filter(|name| !is_known(name)).cloned().collect();
        let (vessels, mut vessel_ids): (Vec<_>, Vec<_>) =
            found.into_iter().map(|(row, id, _)| (row, id)).unzip();
        vessel_ids.extend(without_row);
        Ok(Self { vessels, vessel_ids, companies })
    }

    #[must_use]
    pub fn has_vessel(&self, source_id: &str) -> bool {
        self.vessel_ids.iter().any(|id| id == source_id)
    }

    /// Whether a company, by its row, belongs to it or has a vessel in it.
    pub async fn knows_company(&self, db: &mut Db, company: uuid::Uuid) -> Result<bool, StoreError> {
        Ok(statement(
            "SELECT $1 = ANY($2) OR EXISTS (SELECT FROM vessels WHERE id = ANY($3) AND company_id = $1)",
        )
        .bind::<Uuid, _>(company)
        .bind::<Array<Uuid>, _>(&self.companies)
        .bind::<Array<Uuid>, _>(&self.vessels)
        .returning::<Bool>()
        .get_result(db)
        .await?)
    }

    /// Whether a sync's scope names vessels, and none outside.
    #[must_use]
    pub fn has_vessels(&self, scope: &Scope) -> bool {
        !scope.vessel_ids.is_empty() && scope.vessel_ids.iter().all(|id| self.has_vessel(id))
    }

    /// Whether a record belongs to it: by its row, or by the vessels that its findings name.
    pub async fn has_record(
        &self,
        db: &mut Db,
        record_type: RecordType,
        source_id: &str,
    ) -> Result<bool, StoreError> {
        let text = format!(
            "SELECT EXISTS (SELECT FROM {table} t WHERE t.source_id = $4 AND {of_rows})
                 OR EXISTS (SELECT FROM record_findings f
                     WHERE f.record_type = $5 AND f.source_id = $4 AND f.vessel_ids && $2)",
            table = table_name(record_type),
            of_rows = of_rows(record_type, 1)
        );
        Ok(statement(&text)
            .bind::<Array<Uuid>, _>(&self.vessels)
            .bind::<Array<Text>, _>(self.vessel_ids.clone())
            .bind::<Array<Uuid>, _>(&self.companies)
            .bind::<Text, _>(source_id)
            .bind::<Text, _>(record_type.as_str())
            .returning::<Bool>()
            .get_result(db)
            .await?)
    }
}

/// The condition of rows `t` that belong to a part of the fleet, whose three lists are the parameters from `first` on: rows of
/// vessels, ids of vessels, rows of companies.
pub(crate) fn of_rows(record_type: RecordType, first: usize) -> String {
    let (vessels, vessel_ids, companies) = (first, first + 1, first + 2);
    match record_type {
        RecordType::Company => format!("t.id = ANY(${companies})"),
        RecordType::Vessel => format!("t.id = ANY(${vessels})"),
        RecordType::Equipment => format!("t.vessel_id = ANY(${vessels})"),
        RecordType::User => format!("(t.company_id = ANY(${companies}) OR t.vessel_scope && ${vessel_ids})"),
    }
}
