//! The table `companies`.

use chrono::{DateTime, Utc};
use domain::{Accepted, RecordType, SourceId, SyncId, company::Company};

use crate::{
    db::{connection::Db, error::StoreError, statement::Statement},
    records::{
        apply::{AppliedRecord, page_apply},
        table::{Column, ColumnArrays, Table, column},
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
    sync_id: SyncId,
    companies: &[Accepted<Company>],
    now: DateTime<Utc>,
) -> Result<Vec<AppliedRecord>, StoreError> {
    page_apply(&Companies, db, sync_id, companies, now).await
}
