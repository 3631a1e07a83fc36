//! The statements that write a batch: one `INSERT` of new rows, one `UPDATE` of known rows, over arrays.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Accepted, last_write_wins::Writer, row_status::RowStatus};

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        statement::{Statement, statement},
    },
    records::{
        table::{Column, ColumnValue, Table},
        write_stamp::WriteStamp,
    },
};

/// The input columns: those of every table, then those of this one.
fn input_names<T: Table>() -> Vec<&'static str> {
    let mut names = vec!["id", "source_id", "source_updated_at", "content_hash", "status"];
    names.extend(T::KEEPS_PAYLOAD_HASH.then_some("arrived_as"));
    let columns = T::COLUMNS.iter().filter(|column| !matches!(column.value, ColumnValue::Computed(_)));
    names.extend(columns.map(|column| column.name));
    names.extend(T::EXTRA_INPUTS);
    names.extend(T::INSERT_ONLY);
    names
}

/// The input as SQL: `unnest($4, $5, …) AS i (…)`. `$1` is the time, `$2` the sync, `$3` the time of the fetch.
pub(super) fn input_table<T: Table>() -> String {
    let names = input_names::<T>();
    let parameters: Vec<String> = (4..names.len() + 4).map(|n| format!("${n}")).collect();
    format!("unnest({}) AS i ({})", parameters.join(", "), names.join(", "))
}

/// A statement over the input, with its binds. The input has no row ids: known rows are found by their source id.
pub(super) fn input_statement<'f, T: Table>(
    table: &'f T,
    text: &'f str,
    stamp: WriteStamp,
    records: &[&'f Accepted<T::Record>],
) -> Statement<'f> {
    let no_ids = vec![uuid::Uuid::nil(); records.len()];
    input_statement_with_ids(table, text, stamp, records, no_ids)
}

fn input_statement_with_ids<'f, T: Table>(
    table: &'f T,
    text: &'f str,
    stamp: WriteStamp,
    records: &[&'f Accepted<T::Record>],
    ids: Vec<uuid::Uuid>,
) -> Statement<'f> {
    let source_id = |accepted: &&'f Accepted<T::Record>| T::source_id(&accepted.record).as_str();
    let content_hash = |accepted: &&'f Accepted<T::Record>| accepted.version.hash.as_bytes().as_slice();
    let status = |accepted: &&'f Accepted<T::Record>| {
        let is_withdrawn = T::is_withdrawn(&accepted.record);
        if is_withdrawn { RowStatus::Withdrawn.as_str() } else { RowStatus::Active.as_str() }
    };
    let updated_at = |accepted: &&'f Accepted<T::Record>| accepted.version.updated_at;
    let statement = statement(text)
        .bind::<Timestamptz, _>(stamp.now)
        .bind::<Uuid, _>(stamp.sync_id.as_uuid())
        .bind::<Timestamptz, _>(stamp.fetched_at)
        .bind::<Array<Uuid>, _>(ids)
        .bind::<Array<Text>, _>(records.iter().map(source_id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(records.iter().map(updated_at).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(records.iter().map(content_hash).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(status).collect::<Vec<_>>());
    let payload_hash = |accepted: &&'f Accepted<T::Record>| {
        accepted.payload_hash.as_ref().map(|hash| hash.as_bytes().as_slice())
    };
    let statement = if T::KEEPS_PAYLOAD_HASH {
        statement.bind::<Array<Nullable<Binary>>, _>(records.iter().map(payload_hash).collect::<Vec<_>>())
    } else {
        statement
    };
    table.bind_columns(statement, records)
}

/// Inserts rows and returns their ids in the order of the records. None: a row with this source id or natural key is
/// there already.
pub(super) async fn rows_insert<T: Table>(
    table: &T,
    db: &mut Db,
    stamp: WriteStamp,
    records: &[&Accepted<T::Record>],
) -> Result<Vec<Option<uuid::Uuid>>, StoreError> {
    let text = insert_text::<T>();
    let ids: Vec<uuid::Uuid> = records.iter().map(|_| uuid::Uuid::now_v7()).collect();
    // Duplicates are rare. Without them a plain INSERT is cheaper than one with ON CONFLICT, which looks into each
    // unique index first and confirms every row.
    statement("SAVEPOINT plain").execute(db).await?;
    let inserted = input_statement_with_ids(table, &text, stamp, records, ids.clone()).execute(db).await;
    match inserted.map_err(StoreError::from) {
        Ok(_all) => {
            statement("RELEASE SAVEPOINT plain").execute(db).await?;
            Ok(ids.into_iter().map(Some).collect())
        }
        Err(error) if error.is_duplicate() => {
            statement("ROLLBACK TO SAVEPOINT plain").execute(db).await?;
            let text = format!("{text} ON CONFLICT DO NOTHING RETURNING id");
            let inserted: Vec<uuid::Uuid> =
                input_statement_with_ids(table, &text, stamp, records, ids.clone())
                    .returning::<Uuid>()
                    .load(db)
                    .await?;
            let inserted: HashSet<uuid::Uuid> = inserted.into_iter().collect();
            Ok(ids.into_iter().map(|id| inserted.contains(&id).then_some(id)).collect())
        }
        Err(error) => Err(error),
    }
}

fn insert_text<T: Table>() -> String {
    let as_given: Vec<&str> =
        T::INSERT_ONLY.iter().copied().chain(T::KEEPS_PAYLOAD_HASH.then_some("arrived_as")).collect();
    let names: Vec<&str> =
        T::COLUMNS.iter().map(|column| column.name).chain(as_given.iter().copied()).collect();
    let values = T::COLUMNS.iter().map(Column::insert_expression);
    let values: Vec<String> = values.chain(as_given.iter().map(|name| format!("i.{name}"))).collect();
    format!(
        "INSERT INTO {table} (id, source_id, source_updated_at, content_hash, status, version_at, last_writer, synced_at,
             synced_by, fetched_at, created_at, updated_at, {names})
         SELECT i.id, i.source_id, i.source_updated_at, i.content_hash, i.status, i.source_updated_at, '{writer}', $1,
             $2, $3, $1, $1, {values}
         FROM {input}",
        table = T::NAME,
        names = names.join(", "),
        writer = Writer::Onboarding,
        values = values.join(", "),
        input = input_table::<T>()
    )
}

/// Updates rows, and keeps their earlier images in the same statement, so that the sync can be undone.
pub(super) async fn rows_update<T: Table>(
    table: &T,
    db: &mut Db,
    stamp: WriteStamp,
    records: &[&Accepted<T::Record>],
) -> Result<(), StoreError> {
    let columns = T::COLUMNS.iter().map(|column| format!("{} = {}", column.name, column.update_expression()));
    let payload_hash = T::KEEPS_PAYLOAD_HASH.then(|| "arrived_as = i.arrived_as".to_owned());
    let assignments: Vec<String> = columns.chain(payload_hash).collect();
    // synced_at always moves: that tells the trigger that this is no edit of the maintenance portal.
    let text = format!(
        "WITH i AS (SELECT * FROM {input}), kept AS (
             INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image, written_at)
             SELECT $2, '{record_type}', t.id, t.synced_by, {image}, $1
             FROM {table} AS t JOIN i ON t.source_id = i.source_id
         )
         UPDATE {table} AS t SET source_updated_at = i.source_updated_at, content_hash = i.content_hash, status = i.status,
             version_at = i.source_updated_at, last_writer = '{writer}', updated_at = $1, synced_by = $2,
             fetched_at = $3, missing_since = NULL, synced_at = greatest($1, t.synced_at + interval '1 microsecond'), {assignments}
         FROM i WHERE t.source_id = i.source_id",
        input = input_table::<T>(),
        record_type = T::RECORD_TYPE,
        image = row_image_sql(image_columns::<T>()),
        table = T::NAME,
        writer = Writer::Onboarding,
        assignments = assignments.join(", "),
    );
    input_statement(table, &text, stamp, records).execute(db).await?;
    Ok(())
}

/// Moves rows to the newer version of the same content. Otherwise a state from in between that arrives late would win.
pub(super) async fn versions_move<T: Table>(
    db: &mut Db,
    stamp: WriteStamp,
    records: &[&Accepted<T::Record>],
) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE {} AS t SET source_updated_at = i.at, fetched_at = $4,
             version_at = CASE WHEN t.last_writer = '{}' THEN i.at ELSE t.version_at END,
             synced_at = greatest($3, t.synced_at + interval '1 microsecond')
         FROM unnest($1, $2) AS i (source_id, at) WHERE t.source_id = i.source_id",
        T::NAME,
        Writer::Onboarding
    );
    let source_ids: Vec<&str> =
        records.iter().map(|accepted| T::source_id(&accepted.record).as_str()).collect();
    let updated_at: Vec<DateTime<Utc>> = records.iter().map(|accepted| accepted.version.updated_at).collect();
    statement(&text)
        .bind::<Array<Text>, _>(source_ids)
        .bind::<Array<Timestamptz>, _>(updated_at)
        .bind::<Timestamptz, _>(stamp.now)
        .bind::<Timestamptz, _>(stamp.fetched_at)
        .execute(db)
        .await?;
    Ok(())
}

/// The columns of the image of a row.
pub(super) fn image_columns<T: Table>() -> impl Iterator<Item = &'static str> {
    T::COLUMNS.iter().map(|column| column.name).chain(STATE_COLUMNS)
}

/// Makes rows active again that were withdrawn as missing, and leaves the edits of the maintenance portal in them.
pub(super) async fn rows_return<T: Table>(
    db: &mut Db,
    stamp: WriteStamp,
    ids: &[uuid::Uuid],
) -> Result<(), StoreError> {
    let text = format!(
        "WITH kept AS (
             INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image, written_at)
             SELECT $2, '{record_type}', t.id, t.synced_by, {image}, $1 FROM {table} AS t WHERE t.id = ANY($4)
         )
         UPDATE {table} AS t SET status = 'active', missing_since = NULL, updated_at = $1, synced_by = $2, fetched_at = $3,
             synced_at = greatest($1, t.synced_at + interval '1 microsecond')
         WHERE t.id = ANY($4)",
        record_type = T::RECORD_TYPE,
        image = row_image_sql(image_columns::<T>()),
        table = T::NAME,
    );
    statement(&text)
        .bind::<Timestamptz, _>(stamp.now)
        .bind::<Uuid, _>(stamp.sync_id.as_uuid())
        .bind::<Timestamptz, _>(stamp.fetched_at)
        .bind::<Array<Uuid>, _>(ids)
        .execute(db)
        .await?;
    Ok(())
}

/// The columns that are no content and belong to the image of a row all the same.
pub(crate) const STATE_COLUMNS: [&str; 2] = ["status", "missing_since"];

/// SQL of the image of a row `t` in `overwritten`: these columns as JSON.
pub(crate) fn row_image_sql<'n>(columns: impl Iterator<Item = &'n str>) -> String {
    let pairs: Vec<String> = columns.map(|name| format!("'{name}', t.{name}")).collect();
    format!("jsonb_build_object({})", pairs.join(", "))
}
