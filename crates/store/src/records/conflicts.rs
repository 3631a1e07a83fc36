//! Values that lost are kept with both sides.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Accepted, SyncId};
use serde_json::{Map, Value};

use super::{HeldRow, Table, bound, input};
use crate::{Db, StoreError, sql::statement};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    LocalNewer,
    SourceNewer,
    CriticalityDowngrade,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::LocalNewer => "local_newer",
            Self::SourceNewer => "source_newer",
            Self::CriticalityDowngrade => "criticality_downgrade",
        }
    }

    const fn winner(self) -> &'static str {
        match self {
            Self::LocalNewer | Self::CriticalityDowngrade => "local",
            Self::SourceNewer => "source",
        }
    }
}

/// Stores conflicts; the same two versions are one conflict, however often they meet.
pub(super) async fn store<T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    disputes: &[(&Accepted<T::Record>, &HeldRow, Kind)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let records: Vec<_> = disputes.iter().map(|(it, ..)| *it).collect();
    // In the form of the table, so that the two sides can be laid side by side.
    let values: Vec<String> =
        T::COLUMNS.iter().map(|it| format!("'{}', {}", it.name, it.inserted())).collect();
    let text = format!("SELECT $1, jsonb_build_object({}) FROM {}", values.join(", "), input::<T>());
    let incoming: Vec<(DateTime<Utc>, Value)> =
        bound(table, &text, &records, now).returning::<(Timestamptz, Jsonb)>().load(db).await?;

    let (mut local, mut source) = (Vec::new(), Vec::new());
    for ((_, row, kind), (_, incoming)) in disputes.iter().zip(incoming) {
        let incoming = match incoming {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        // Only what both have: neither bookkeeping nor passwords.
        let held: Map<String, Value> = incoming
            .keys()
            .filter(|name| *kind != Kind::CriticalityDowngrade || name.starts_with("is_critical"))
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
        "INSERT INTO conflicts (id, sync_id, record_type, source_id, kind, local_value, source_value, local_at,
             source_at, winner, opened_at)
         SELECT i.id, $1, $2, i.source_id, i.kind, i.local_value, i.source_value, i.local_at, i.source_at, i.winner, $3
         FROM unnest($4, $5, $6, $7, $8, $9, $10, $11) AS i
             (id, source_id, kind, local_value, source_value, local_at, source_at, winner)
         ON CONFLICT DO NOTHING",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Text, _>(T::RECORD_TYPE.as_str())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Uuid>, _>(disputes.iter().map(|_| uuid::Uuid::now_v7()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|(it, ..)| T::source_id(&it.record).as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|(_, _, kind)| kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(local)
    .bind::<Array<Jsonb>, _>(source)
    .bind::<Array<Timestamptz>, _>(disputes.iter().map(|(_, row, _)| row.version_at).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(disputes.iter().map(|(it, ..)| it.version.updated_at).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(disputes.iter().map(|(_, _, kind)| kind.winner()).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}
