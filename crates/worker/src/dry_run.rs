//! A page of a dry run: written as ever, taken back, and what it would have done recorded.

use domain::{Accepted, RecordType, Rejection};
use store::{
    Db, StoreError,
    engine::dry_run::{DryRunRecord, DryRunRecords, dry_run_page_begin, dry_run_page_end},
    records::WriteStamp,
};

use crate::{
    batch::{Sorted, ValidatedBatch},
    write::{Written, batch_write},
};

/// Tries a batch in the transaction of its task; the outcomes are those that the real sync would have.
pub(crate) async fn dry_run_page_write(
    tx: &mut Db,
    stamp: WriteStamp,
    batch: &ValidatedBatch,
) -> Result<Written, StoreError> {
    let page = dry_run_page_begin(tx, stamp.sync_id, records_of(batch)).await?;
    // No passwords: nobody gets a login.
    let written = batch_write(tx, stamp, batch, &[]).await?;
    dry_run_page_end(tx, stamp.sync_id, page, &written.outcomes).await?;
    Ok(written)
}

fn records_of(batch: &ValidatedBatch) -> DryRunRecords {
    let ValidatedBatch { companies, vessels, equipment, users, snapshot: _ } = batch;
    let of = [
        (RecordType::Company, records_of_type(companies, |it| (it.source_id.as_str(), None))),
        (
            RecordType::Vessel,
            records_of_type(vessels, |it| (it.source_id.as_str(), Some(it.imo_number.as_str().to_owned()))),
        ),
        (
            RecordType::Equipment,
            records_of_type(equipment, |it| (it.source_id.as_str(), Some(it.qr_code.as_str().to_owned()))),
        ),
        (
            RecordType::User,
            records_of_type(users, |it| (it.source_id.as_str(), Some(it.email.as_str().to_owned()))),
        ),
    ];
    of.into_iter().filter(|(_, records)| !records.is_empty()).collect()
}

fn records_of_type<T>(sorted: &Sorted<T>, name: fn(&T) -> (&str, Option<String>)) -> Vec<DryRunRecord> {
    let accepted = |it: &Accepted<T>| {
        let (source_id, natural_key) = name(&it.record);
        DryRunRecord { source_id: source_id.to_owned(), natural_key, label: Some(it.label.clone()) }
    };
    let rejected = |it: &Rejection| DryRunRecord {
        source_id: it.source_id.to_string(),
        natural_key: None,
        label: it.label.clone(),
    };
    sorted.accepted.iter().map(accepted).chain(sorted.rejected.iter().map(rejected)).collect()
}
