//! The table `companies`.

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Accepted, Finding, RecordType, SourceId, company::Company};

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        statement::{Statement, statement},
    },
    ledger::findings::findings_clear_code,
    records::{
        apply::{AppliedRecord, page_apply},
        table::{Column, ColumnArrays, Table, WrittenRow, column},
        write_stamp::WriteStamp,
    },
};

pub(super) struct Companies;

impl Table for Companies {
    type Record = Company;
    const NAME: &'static str = "companies";
    const RECORD_TYPE: RecordType = RecordType::Company;
    const COLUMNS: &'static [Column] =
        &[column("name"), column("imo_company_number"), column("country"), column("email")];

    fn source_id(record: &Company) -> &SourceId {
        &record.source_id
    }

    /// Users who came before their company belong to it from now on.
    async fn after_write(
        &self,
        db: &mut Db,
        _: WriteStamp,
        written: &[WrittenRow<'_, Company>],
    ) -> Result<Vec<(uuid::Uuid, Finding)>, StoreError> {
        let new = || written.iter().filter(|row| row.is_new);
        if new().next().is_none() {
            return Ok(Vec::new());
        }
        // synced_at moves: this is no edit of the maintenance portal.
        let linked: Vec<String> = statement(
            "UPDATE users AS t SET company_id = i.id, synced_at = t.synced_at + interval '1 microsecond'
             FROM unnest($1, $2) AS i (id, source_id)
             WHERE t.company_source_id = i.source_id AND t.company_id IS NULL RETURNING t.source_id",
        )
        .bind::<Array<Uuid>, _>(new().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(new().map(|row| row.accepted.record.source_id.as_str()).collect::<Vec<_>>())
        .returning::<Text>()
        .load(db)
        .await?;
        findings_clear_code(db, RecordType::User, &linked, "company_unknown").await?;
        Ok(Vec::new())
    }

    fn bind_columns<'f>(&'f self, statement: Statement<'f>, rows: &[&'f Accepted<Company>]) -> Statement<'f> {
        ColumnArrays::new(statement, rows)
            .bind_text(|row| &row.record.name)
            .bind_optional_text(|row| row.record.imo_company_number.as_ref().map(|value| value.as_str()))
            .bind_text(|row| row.record.country.as_str())
            .bind_optional_text(|row| row.record.email.as_ref().map(|value| value.as_str()))
            .into_statement()
    }
}

/// Writes companies, last write wins, with their conflicts and findings; one outcome each, in their order. In a
/// transaction.
///
/// # Errors
///
/// If the database fails: then roll back. A record that the database refuses is an outcome, not an error.
pub async fn companies_apply(
    db: &mut Db,
    stamp: WriteStamp,
    companies: &[Accepted<Company>],
) -> Result<Vec<AppliedRecord>, StoreError> {
    page_apply(&Companies, db, stamp, companies).await
}
