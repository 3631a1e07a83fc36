//! The statements that write a page: one `INSERT` of what is new, one `UPDATE` of what is known, over arrays.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Accepted, SyncId};

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        statement::{Statement, statement},
    },
    records::table::{Column, Source, Table},
};

/// The names of the input `i`: what every table has, then its own.
fn input_names<T: Table>() -> String {
    let mut names = vec!["id", "source_id", "source_updated_at", "content_hash", "status"];
    names.extend(T::KEEPS_PAYLOAD_HASH.then_some("arrived_as"));
    names.extend(T::COLUMNS.iter().filter(|it| !matches!(it.value, Source::Made(_))).map(|it| it.name));
    names.extend(T::INPUTS);
    names.extend(T::ONCE);
    names.join(", ")
}

/// `unnest($3, $4, …) AS i (…)`; `$1` is the time, `$2` the sync.
pub(super) fn input<T: Table>() -> String {
    let names = input_names::<T>();
    let parameters: Vec<String> = (3..names.split(", ").count() + 3).map(|n| format!("${n}")).collect();
    format!("unnest({}) AS i ({names})", parameters.join(", "))
}

/// Binds the input. The ids of what is known already do not matter.
pub(super) fn bound<'f, T: Table>(
    table: &'f T,
    text: &'f str,
    sync_id: SyncId,
    records: &[&'f Accepted<T::Record>],
    now: DateTime<Utc>,
) -> Statement<'f> {
    bound_with_ids(table, text, sync_id, records, vec![uuid::Uuid::nil(); records.len()], now)
}

fn bound_with_ids<'f, T: Table>(
    table: &'f T,
    text: &'f str,
    sync_id: SyncId,
    records: &[&'f Accepted<T::Record>],
    ids: Vec<uuid::Uuid>,
    now: DateTime<Utc>,
) -> Statement<'f> {
    let status = |it: &&Accepted<T::Record>| if T::is_withdrawn(&it.record) { "withdrawn" } else { "active" };
    let statement = statement(text)
        .bind::<Timestamptz, _>(now)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Array<Uuid>, _>(ids)
        .bind::<Array<Text>, _>(
            records.iter().map(|it| T::source_id(&it.record).as_str()).collect::<Vec<_>>(),
        )
        .bind::<Array<Timestamptz>, _>(records.iter().map(|it| it.version.updated_at).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(
            records.iter().map(|it| it.version.hash.as_bytes().as_slice()).collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(records.iter().map(status).collect::<Vec<_>>());
    let arrived_as = |it: &&'f Accepted<T::Record>| it.arrival.as_ref().map(|it| it.as_bytes().as_slice());
    let statement = if T::KEEPS_PAYLOAD_HASH {
        statement.bind::<Array<Nullable<Binary>>, _>(records.iter().map(arrived_as).collect::<Vec<_>>())
    } else {
        statement
    };
    table.bind(statement, records)
}

/// Inserts; the ids of the new rows, in the order of the records. None: the row, or its natural key, is there already.
pub(super) async fn insert<T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    records: &[&Accepted<T::Record>],
    now: DateTime<Utc>,
) -> Result<Vec<Option<uuid::Uuid>>, StoreError> {
    let as_it_comes = || T::ONCE.iter().copied().chain(T::KEEPS_PAYLOAD_HASH.then_some("arrived_as"));
    let names: Vec<&str> = T::COLUMNS.iter().map(|it| it.name).chain(as_it_comes()).collect();
    let values = T::COLUMNS.iter().map(Column::inserted).chain(as_it_comes().map(|name| format!("i.{name}")));
    let values: Vec<String> = values.collect();
    let text = format!(
        "INSERT INTO {} (id, source_id, source_updated_at, content_hash, status, version_at, last_writer, synced_at,
             synced_by, created_at, updated_at, {})
         SELECT i.id, i.source_id, i.source_updated_at, i.content_hash, i.status, i.source_updated_at, 'onboarding', $1,
             $2, $1, $1, {}
         FROM {}",
        T::NAME,
        names.join(", "),
        values.join(", "),
        input::<T>()
    );
    let ids: Vec<uuid::Uuid> = records.iter().map(|_| uuid::Uuid::now_v7()).collect();
    // Mostly nothing is in the way. Then a plain INSERT is less work, by a look into each unique index and a confirmation
    // a row.
    statement("SAVEPOINT plain").execute(db).await?;
    let inserted = bound_with_ids(table, &text, sync_id, records, ids.clone(), now).execute(db).await;
    match inserted.map_err(StoreError::from) {
        Ok(_all) => {
            statement("RELEASE SAVEPOINT plain").execute(db).await?;
            Ok(ids.into_iter().map(Some).collect())
        }
        Err(error) if error.is_duplicate() => {
            statement("ROLLBACK TO SAVEPOINT plain").execute(db).await?;
            let text = format!("{text} ON CONFLICT DO NOTHING RETURNING id");
            let new: Vec<uuid::Uuid> = bound_with_ids(table, &text, sync_id, records, ids.clone(), now)
                .returning::<Uuid>()
                .load(db)
                .await?;
            let new: HashSet<uuid::Uuid> = new.into_iter().collect();
            Ok(ids.into_iter().map(|id| new.contains(&id).then_some(id)).collect())
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn update<T: Table>(
    table: &T,
    db: &mut Db,
    sync_id: SyncId,
    records: &[&Accepted<T::Record>],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sets = T::COLUMNS.iter().map(|it| format!("{} = {}", it.name, it.updated()));
    let arrival = T::KEEPS_PAYLOAD_HASH.then(|| "arrived_as = i.arrived_as".to_owned());
    let sets: Vec<String> = sets.chain(arrival).collect();
    // What is written over is kept in the same statement, so that a sync can be undone. synced_at always moves, which
    // tells the trigger that this is no edit of the maintenance portal.
    let text = format!(
        "WITH i AS (SELECT * FROM {}), kept AS (
             INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image)
             SELECT $2, '{}', t.id, t.synced_by, {} FROM {} AS t JOIN i ON t.source_id = i.source_id
         )
         UPDATE {} AS t SET source_updated_at = i.source_updated_at, content_hash = i.content_hash, status = i.status,
             version_at = i.source_updated_at, last_writer = 'onboarding', updated_at = $1, synced_by = $2,
             synced_at = greatest($1, t.synced_at + interval '1 microsecond'), {}
         FROM i WHERE t.source_id = i.source_id",
        input::<T>(),
        T::RECORD_TYPE,
        image(T::COLUMNS.iter().map(|it| it.name)),
        T::NAME,
        T::NAME,
        sets.join(", "),
    );
    bound(table, &text, sync_id, records, now).execute(db).await?;
    Ok(())
}

/// A row `t` before it is written over: these columns and its status.
pub(crate) fn image<'n>(columns: impl Iterator<Item = &'n str>) -> String {
    let pairs: Vec<String> = columns.chain(["status"]).map(|name| format!("'{name}', t.{name}")).collect();
    format!("jsonb_build_object({})", pairs.join(", "))
}
