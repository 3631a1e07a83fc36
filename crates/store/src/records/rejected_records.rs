//! Records that validation has rejected: what they take away is taken away all the same, and the findings about them stand
//! until a newer state is sound.

use std::collections::HashSet;

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, Rejection, Revocation};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::findings::{RecordFinding, findings_insert},
    records::{
        companies::Companies, equipment::EquipmentTable, revocations::rows_revoke, table_name, users::Users,
        vessels::Vessels, write_stamp::WriteStamp,
    },
};

/// Keeps why records were rejected, and withdraws or deactivates the rows of those that say so, where nothing newer stands.
/// If the maintenance portal has edited a row later, the conflict policy decides, and both sides are kept. In a
/// transaction, after the sound records of the page: a record may be on it twice.
///
/// # Errors
///
/// If the database fails: then roll back.
pub async fn rejections_apply(
    db: &mut Db,
    stamp: WriteStamp,
    record_type: RecordType,
    rejections: &[Rejection],
) -> Result<(), StoreError> {
    if rejections.is_empty() {
        return Ok(());
    }
    let overtaken = overtaken(db, stamp, record_type, rejections).await?;
    let revocations: Vec<Revocation> =
        rejections.iter().filter_map(|it| it.revocation.as_deref().cloned()).collect();
    let without_effect = match record_type {
        RecordType::Company => rows_revoke::<Companies>(db, stamp, &revocations).await?,
        RecordType::Vessel => rows_revoke::<Vessels>(db, stamp, &revocations).await?,
        RecordType::Equipment => rows_revoke::<EquipmentTable>(db, stamp, &revocations).await?,
        RecordType::User => rows_revoke::<Users<'_>>(db, stamp, &revocations).await?,
    };
    let mut findings = Vec::new();
    for rejection in rejections {
        let source_id = rejection.source_id.as_str();
        let revoked = rejection.revocation.as_deref().filter(|_| !without_effect.contains(source_id));
        let of_record = rejection.findings.iter().cloned().chain(revoked.map(|it| it.revoked.finding()));
        findings.extend(of_record.map(|finding| RecordFinding {
            record_type,
            source_id: rejection.source_id.clone(),
            label: rejection.label.clone(),
            vessel_ids: rejection.vessel_ids.clone(),
            stated_at: rejection.updated_at,
            is_overtaken: overtaken.contains(source_id),
            finding,
        }));
    }
    findings_insert(db, stamp.sync_id, stamp.fetched_at, &findings, stamp.now).await
}

/// The ids of rejected states that a later fetch has overtaken: the row is as new or newer. Not if the state was fetched
/// later: then its row may be the one that is out of date.
async fn overtaken(
    db: &mut Db,
    stamp: WriteStamp,
    record_type: RecordType,
    rejections: &[Rejection],
) -> Result<HashSet<String>, StoreError> {
    let text = format!(
        "SELECT t.source_id FROM {table} AS t JOIN unnest($1, $2) AS i (source_id, stated_at) USING (source_id)
         WHERE t.fetched_at > $3 AND (i.stated_at IS NULL OR i.stated_at <= t.source_updated_at)",
        table = table_name(record_type)
    );
    let ids: Vec<String> = statement(&text)
        .bind::<Array<Text>, _>(rejections.iter().map(|it| it.source_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(
            rejections.iter().map(|it| it.updated_at).collect::<Vec<_>>(),
        )
        .bind::<Timestamptz, _>(stamp.fetched_at)
        .returning::<Text>()
        .load(db)
        .await?;
    Ok(ids.into_iter().collect())
}
