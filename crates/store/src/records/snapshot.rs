//! The equipment snapshot: stored versions and payload hashes, read before a page is parsed.
//!
//! A record that arrives byte for byte as before, for a row that only syncs have written since, needs no parsing.

use std::collections::HashMap;

use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    PayloadHash, Version,
    last_write_wins::{StoredVersion, Writer},
};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{
        stored_version::{VERSION_COLUMNS, VersionColumns},
        table::Table,
    },
};

/// Stored versions of equipment a moment ago, and payload hashes.
#[derive(Debug, Default)]
pub struct EquipmentSnapshot {
    pub(super) versions: HashMap<String, StoredVersion>,
    /// Only of rows that are active, as the last sync left them, and whose record does not stand rejected.
    payload_hashes: HashMap<String, PayloadHash>,
}

impl EquipmentSnapshot {
    /// The version of the row if a sync wrote it from exactly these bytes and it was not edited since.
    #[must_use]
    pub fn version_if_identical(&self, source_id: &str, bytes: &[u8]) -> Option<Version> {
        let version = self.versions.get(source_id)?.version;
        (PayloadHash::of(version, bytes) == *self.payload_hashes.get(source_id)?).then_some(version)
    }
}

/// Reads the snapshot of these pieces of equipment without locks.
pub async fn equipment_snapshot_read(
    db: &mut Db,
    source_ids: &[&str],
) -> Result<EquipmentSnapshot, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(embed)]
        version: VersionColumns,
        #[diesel(sql_type = Nullable<Binary>)]
        arrived_as: Option<Vec<u8>>,
    }
    let text = format!(
        "SELECT {VERSION_COLUMNS}, CASE WHEN t.status = 'active' AND t.last_writer = '{}'
             AND t.version_at = t.source_updated_at AND NOT EXISTS (
                 SELECT FROM record_findings f
                 WHERE f.record_type = 'equipment' AND f.source_id = t.source_id AND f.severity = 'error'
             ) THEN t.arrived_as END AS arrived_as
         FROM equipment AS t WHERE t.source_id = ANY($1)",
        Writer::Onboarding
    );
    let rows: Vec<Row> = statement(&text).bind::<Array<Text>, _>(source_ids.to_vec()).load(db).await?;
    let mut snapshot = EquipmentSnapshot {
        versions: HashMap::with_capacity(rows.len()),
        payload_hashes: HashMap::with_capacity(rows.len()),
    };
    for Row { version, arrived_as } in rows {
        if let Some(hash) = arrived_as.and_then(|bytes| PayloadHash::try_from(bytes.as_slice()).ok()) {
            snapshot.payload_hashes.insert(version.source_id.clone(), hash);
        }
        let stored = version.stored_version("equipment")?;
        snapshot.versions.insert(version.source_id, stored);
    }
    Ok(snapshot)
}

/// Stores the payload hashes of records that were parsed and found unchanged: an older release, or a fetch of the
/// single record, has left another hash. Rows that are locked are left for the next time.
pub(super) async fn payload_hashes_store<T: Table>(
    db: &mut Db,
    hashes: &[(&str, PayloadHash)],
) -> Result<(), StoreError> {
    if hashes.is_empty() {
        return Ok(());
    }
    let text = format!(
        "UPDATE {0} AS t SET arrived_as = i.arrived_as
         FROM unnest($1, $2) AS i (source_id, arrived_as)
         WHERE t.source_id = i.source_id AND t.arrived_as IS DISTINCT FROM i.arrived_as
             AND t.id IN (SELECT id FROM {0} WHERE source_id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED)",
        T::NAME
    );
    statement(&text)
        .bind::<Array<Text>, _>(hashes.iter().map(|(source_id, _)| *source_id).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(
            hashes.iter().map(|(_, hash)| hash.as_bytes().as_slice()).collect::<Vec<_>>(),
        )
        .execute(db)
        .await?;
    Ok(())
}
