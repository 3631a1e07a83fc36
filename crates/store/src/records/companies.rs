//! The table `companies`.

use chrono::{DateTime, Utc};
use domain::{Accepted, RecordType, SourceId, SyncId, company::Company};

use crate::{
    db::{connection::Db, error::StoreError, statement::Statement},
    records::{
        apply::{Applied, page_apply},
        table::{Arrays, Column, Table, column},
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

    fn bind<'f>(&'f self, statement: Statement<'f>, rows: &[&'f Accepted<Company>]) -> Statement<'f> {
        Arrays::of(statement, rows)
            .text(|it| &it.record.name)
            .text_if_any(|it| it.record.imo_company_number.as_ref().map(|it| it.as_str()))
            .text(|it| it.record.country.as_str())
            .text_if_any(|it| it.record.email.as_ref().map(|it| it.as_str()))
            .done()
    }
}

/// Writes companies, last write wins, with their conflicts and findings; one outcome each, in their order. In a
/// transaction.
///
/// # Errors
///
/// If the database fails: then roll back. What it refuses of single records is an outcome, not an error.
pub async fn companies_apply(
    db: &mut Db,
    sync_id: SyncId,
    companies: &[Accepted<Company>],
    now: DateTime<Utc>,
) -> Result<Vec<Applied>, StoreError> {
    page_apply(&Companies, db, sync_id, companies, now).await
}
