//! Records that validation has rejected: what they take away is taken away all the same.

use domain::{RecordType, Revocation};

use crate::{
    db::{connection::Db, error::StoreError},
    records::{
        companies::Companies, equipment::EquipmentTable, revocations::rows_revoke, users::Users,
        vessels::Vessels, write_stamp::WriteStamp,
    },
};

/// Withdraws or deactivates the rows of rejected records, where nothing newer stands. If the maintenance portal has
/// edited a row later, the conflict policy decides, and both sides are kept. In a transaction.
///
/// # Errors
///
/// If the database fails: then roll back.
pub async fn revocations_apply(
    db: &mut Db,
    stamp: WriteStamp,
    record_type: RecordType,
    revocations: &[Revocation],
) -> Result<(), StoreError> {
    match record_type {
        RecordType::Company => rows_revoke::<Companies>(db, stamp, revocations).await,
        RecordType::Vessel => rows_revoke::<Vessels>(db, stamp, revocations).await,
        RecordType::Equipment => rows_revoke::<EquipmentTable>(db, stamp, revocations).await,
        RecordType::User => rows_revoke::<Users<'_>>(db, stamp, revocations).await,
    }
}
