//! A look at the table of equipment before a page is read: what arrives exactly as it came before, on a row that nobody has
//! written since, needs no reading.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{PayloadHash, Version, last_write_wins::StoredVersion};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{stored_version::held, table::Table},
};

/// What stood in the table a moment ago.
#[derive(Debug, Default)]
pub struct EquipmentSnapshot {
    pub(super) held: HashMap<String, StoredVersion>,
    /// How rows came that nobody has written since.
    arrivals: HashMap<String, PayloadHash>,
}

impl EquipmentSnapshot {
    /// The version of a row that a sync wrote from these very bytes, and that nobody has written since.
    #[must_use]
    pub fn version_if_identical(&self, source_id: &str, bytes: &[u8]) -> Option<Version> {
        let version = self.held.get(source_id)?.version;
        (PayloadHash::of(version, bytes) == *self.arrivals.get(source_id)?).then_some(version)
    }
}

/// Looks, without locks, what there is of these pieces of equipment, by their ids in the onboarding portal.
///
/// # Errors
///
/// If the database fails.
pub async fn equipment_snapshot_read(
    db: &mut Db,
    source_ids: &[&str],
) -> Result<EquipmentSnapshot, StoreError> {
    type Row = (String, Vec<u8>, DateTime<Utc>, String, Option<Vec<u8>>);
    let rows: Vec<Row> = statement(
        "SELECT source_id, content_hash, version_at, last_writer,
             CASE WHEN status = 'active' AND last_writer = 'onboarding' AND version_at = source_updated_at
                 THEN arrived_as END
         FROM equipment WHERE source_id = ANY($1)",
    )
    .bind::<Array<Text>, _>(source_ids.to_vec())
    .returning::<(Text, Binary, Timestamptz, Text, Nullable<Binary>)>()
    .load(db)
    .await?;
    let mut snapshot = EquipmentSnapshot {
        held: HashMap::with_capacity(rows.len()),
        arrivals: HashMap::with_capacity(rows.len()),
    };
    for (source_id, hash, at, writer, arrived_as) in rows {
        if let Some(arrival) = arrived_as.and_then(|bytes| PayloadHash::try_from(bytes.as_slice()).ok()) {
            snapshot.arrivals.insert(source_id.clone(), arrival);
        }
        let held = held("equipment", &source_id, &hash, at, &writer)?;
        snapshot.held.insert(source_id, held);
    }
    Ok(snapshot)
}

/// Notes how records came that were read and found to be unchanged: by an older release, or from elsewhere, they came
/// otherwise. Rows that somebody else has locked are left for the next time.
pub(super) async fn payload_hashes_note<T: Table>(
    db: &mut Db,
    arrivals: &[(&str, PayloadHash)],
) -> Result<(), StoreError> {
    if arrivals.is_empty() {
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
        .bind::<Array<Text>, _>(arrivals.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(
            arrivals.iter().map(|(_, arrival)| arrival.as_bytes().as_slice()).collect::<Vec<_>>(),
        )
        .execute(db)
        .await?;
    Ok(())
}
