//! Values that lost are kept with both sides.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, SyncId,
    conflict::{ConflictKind, ConflictPolicy, Side},
};
use serde_json::{Map, Value};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{
        stored_version::LockedRow,
        table::Table,
        write::{bound, input},
    },
};

/// What a downgrade is about.
const OF_CRITICALITY: [&str; 2] = ["is_critical", "criticality_basis"];

/// A value that lost, or is held back.
pub(super) struct NewConflict<'a, R> {
    pub(super) it: &'a Accepted<R>,
    pub(super) row: &'a LockedRow,
    pub(super) kind: ConflictKind,
    pub(super) winner: Side,
    pub(super) policy: ConflictPolicy,
}

/// Stores conflicts; the same two versions are one conflict, however often they meet.
pub(super) async fn conflicts_insert<T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    disputes: &[NewConflict<'_, T::Record>],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let records: Vec<_> = disputes.iter().map(|dispute| dispute.it).collect();
    // In the form of the table, so that the two sides can be laid side by side.
    let values: Vec<String> =
        T::COLUMNS.iter().map(|it| format!("'{}', {}", it.name, it.inserted())).collect();
    let text = format!("SELECT $1, jsonb_build_object({}) FROM {}", values.join(", "), input::<T>());
    let incoming: Vec<(DateTime<Utc>, Value)> =
        bound(table, &text, sync_id, &records, now).returning::<(Timestamptz, Jsonb)>().load(db).await?;

    let (mut local, mut source) = (Vec::new(), Vec::new());
    for (NewConflict { row, kind, .. }, (_, incoming)) in disputes.iter().zip(incoming) {
        let incoming = match incoming {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        // Only what both have: neither bookkeeping nor passwords.
        let held: Map<String, Value> = incoming
            .keys()
            .filter(|name| {
                *kind != ConflictKind::CriticalityDowngrade || OF_CRITICALITY.contains(&name.as_str())
            })
            .map(|name| {
                (name.clone(), row.local.as_ref().and_then(|it| it.get(name)).cloned().unwrap_or_default())
            })
            .collect();
        let incoming: Map<String, Value> =
            incoming.into_iter().filter(|(name, _)| held.contains_key(name)).collect();
        local.push(Value::Object(held));
        source.push(Value::Object(incoming));
    }
    statement(
        "INSERT INTO conflicts (id, sync_id, record_type, source_id, label, kind, local_value, source_value, local_at,
             local_writer, source_at, source_hash, winner, policy, opened_at)
         SELECT i.id, $1, $2, i.source_id, i.label, i.kind, i.local_value, i.source_value, i.local_at, i.local_writer,
             i.source_at, i.source_hash, i.winner, i.policy, $3
         FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS i
             (id, source_id, label, kind, local_value, source_value, local_at, local_writer, source_at, source_hash,
              winner, policy)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Text, _>(T::RECORD_TYPE.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Uuid>, _>(disputes.iter().map(|_| uuid::Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|d| T::source_id(&d.it.record).as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|d| d.it.label.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|d| d.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(local)
    .bind::<Array<Jsonb>, _>(source)
    .bind::<Array<Timestamptz>, _>(disputes.iter().map(|d| d.row.version_at).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|d| d.row.last_writer.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(disputes.iter().map(|d| d.it.version.updated_at).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(disputes.iter().map(|d| d.it.version.hash.as_bytes().as_slice()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|d| d.winner.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|d| d.policy.as_str()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
