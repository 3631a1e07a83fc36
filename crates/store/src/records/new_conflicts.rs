//! New conflicts: values that lost, or are held back, stored with both sides.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted,
    conflict::{ConflictKind, ConflictPolicy, Side},
};
use serde_json::{Map, Value};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{
        stored_version::LockedRow,
        table::Table,
        write::{input_statement, input_table},
        write_stamp::WriteStamp,
    },
};

/// The columns of a criticality downgrade.
const CRITICALITY_COLUMNS: [&str; 2] = ["is_critical", "criticality_basis"];

/// A conflict between an incoming record and its row.
pub(super) struct NewConflict<'a, R> {
    pub(super) accepted: &'a Accepted<R>,
    pub(super) row: &'a LockedRow,
    pub(super) kind: ConflictKind,
    pub(super) winner: Side,
    pub(super) policy: ConflictPolicy,
}

/// Stores conflicts. The same two versions are one conflict, however often they meet.
pub(super) async fn conflicts_insert<T: Table>(
    table: &T,
    db: &mut Db,
    stamp: WriteStamp,
    conflicts: &[NewConflict<'_, T::Record>],
) -> Result<(), StoreError> {
    let incoming = incoming_values_read(table, db, stamp, conflicts).await?;
    let mut dependents = T::dependents_read(db, conflicts.iter().map(|it| it.row.id).collect()).await?;
    let sides = conflicts.iter().zip(incoming).map(|(conflict, incoming)| {
        let dependents = dependents.remove(&conflict.row.id).unwrap_or_default();
        sides_of::<T>(conflict, incoming, &dependents)
    });
    let (local, source): (Vec<Value>, Vec<Value>) = sides.unzip();
    let accepted = || conflicts.iter().map(|conflict| conflict.accepted);
    let source_ids: Vec<&str> = accepted().map(|accepted| T::source_id(&accepted.record).as_str()).collect();
    let labels: Vec<&str> = accepted().map(|accepted| accepted.label.as_str()).collect();
    let source_at: Vec<DateTime<Utc>> = accepted().map(|accepted| accepted.version.updated_at).collect();
    let source_hashes: Vec<&[u8]> =
        accepted().map(|accepted| accepted.version.hash.as_bytes().as_slice()).collect();
    let rows = || conflicts.iter().map(|conflict| conflict.row);
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
    .bind::<Uuid, _>(stamp.sync_id.as_uuid())
    .bind::<Text, _>(T::RECORD_TYPE.as_str())
    .bind::<Timestamptz, _>(stamp.now)
    .bind::<Array<Uuid>, _>(conflicts.iter().map(|_| uuid::Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(source_ids)
    .bind::<Array<Text>, _>(labels)
    .bind::<Array<Text>, _>(conflicts.iter().map(|conflict| conflict.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(local)
    .bind::<Array<Jsonb>, _>(source)
    .bind::<Array<Timestamptz>, _>(rows().map(|row| row.version.version_at).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows().map(|row| row.version.last_writer.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(source_at)
    .bind::<Array<Binary>, _>(source_hashes)
    .bind::<Array<Text>, _>(conflicts.iter().map(|conflict| conflict.winner.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(conflicts.iter().map(|conflict| conflict.policy.as_str()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// The incoming records as the table would hold them, so that both sides have the same form.
async fn incoming_values_read<T: Table>(
    table: &T,
    db: &mut Db,
    stamp: WriteStamp,
    conflicts: &[NewConflict<'_, T::Record>],
) -> Result<Vec<Value>, StoreError> {
    let records: Vec<_> = conflicts.iter().map(|conflict| conflict.accepted).collect();
    let columns =
        T::COLUMNS.iter().map(|column| format!("'{}', {}", column.name, column.insert_expression()));
    // Whether the record is withdrawn belongs to both sides.
    let columns: Vec<String> = columns.chain(["'status', i.status".to_owned()]).collect();
    let text = format!("SELECT jsonb_build_object({}) FROM {}", columns.join(", "), input_table::<T>());
    let statement = input_statement(table, &text, stamp, &records);
    Ok(statement.returning::<Jsonb>().load(db).await?)
}

/// The local and the source values of a conflict: the columns that both have, without bookkeeping and passwords, and what
/// belongs to them in other tables.
fn sides_of<T: Table>(
    conflict: &NewConflict<'_, T::Record>,
    incoming: Value,
    dependents: &Map<String, Value>,
) -> (Value, Value) {
    let Value::Object(mut incoming) = incoming else { return (Map::new().into(), Map::new().into()) };
    incoming.extend(T::dependents(&conflict.accepted.record));
    let is_disputed = |column: &str| {
        conflict.kind != ConflictKind::CriticalityDowngrade || CRITICALITY_COLUMNS.contains(&column)
    };
    let source: Map<String, Value> = incoming.into_iter().filter(|(column, _)| is_disputed(column)).collect();
    let local_value =
        |column: &str| dependents.get(column).or_else(|| conflict.row.local.as_ref()?.get(column)).cloned();
    let local: Map<String, Value> =
        source.keys().map(|column| (column.clone(), local_value(column).unwrap_or_default())).collect();
    (local.into(), source.into())
}
