//! Revocations: rejected records that withdraw an approval or deactivate a user take that away all the same.
//!
//! The row keeps its other values. Its content hash is cleared: a sound state of the record, listed later, differs from
//! the row and goes in.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    RecordType, Revocation,
    conflict::{ConflictKind, ConflictPolicy, Side},
    last_write_wins::Writer,
    revocation::Revoked,
    row_status::RowStatus,
};
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    records::{
        table::Table,
        write::{image_columns, row_image_sql},
        write_stamp::WriteStamp,
    },
    settings::conflict_policies::policy_of,
};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Timestamptz)]
    version_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    source_updated_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    fetched_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    last_writer: String,
    /// The row has what is revoked.
    #[diesel(sql_type = Bool)]
    has_it: bool,
}

/// Withdraws or deactivates the rows of rejected records, where nothing newer stands. If the maintenance portal has
/// edited a row later, the conflict policy decides, and both sides are kept. Returns the ids of rows on which the
/// revocation has no effect.
pub(super) async fn rows_revoke<T: Table>(
    db: &mut Db,
    stamp: WriteStamp,
    revocations: &[Revocation],
) -> Result<HashSet<String>, StoreError> {
    let mut kept = HashSet::new();
    for revoked in [Revoked::Approval, Revoked::Access] {
        // Only users have an access of their own; and companies are never withdrawn by a record.
        let is_possible = match T::RECORD_TYPE {
            RecordType::Company => false,
            RecordType::Vessel | RecordType::Equipment => revoked == Revoked::Approval,
            RecordType::User => true,
        };
        let of_kind: Vec<&Revocation> = revocations.iter().filter(|it| it.revoked == revoked).collect();
        if is_possible && !of_kind.is_empty() {
            kept.extend(revoke::<T>(db, stamp, revoked, &of_kind).await?);
        }
    }
    Ok(kept)
}

async fn revoke<T: Table>(
    db: &mut Db,
    stamp: WriteStamp,
    revoked: Revoked,
    revocations: &[&Revocation],
) -> Result<Vec<String>, StoreError> {
    let text = format!(
        "SELECT id, source_id, version_at, source_updated_at, fetched_at, last_writer, {} AS has_it FROM {} AS t
         WHERE source_id = ANY($1) ORDER BY source_id FOR NO KEY UPDATE",
        has_it(revoked),
        T::NAME
    );
    let source_ids: Vec<&str> = revocations.iter().map(|it| it.source_id.as_str()).collect();
    let rows: Vec<Row> = statement(&text).bind::<Array<Text>, _>(source_ids).load(db).await?;
    let (mut taking, mut contested, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let Some(updated_at) = newest(revocations, &row.source_id) else { continue };
        if updated_at.is_some_and(|at| (at, stamp.fetched_at) < (row.source_updated_at, row.fetched_at)) {
            kept.push(row.source_id.clone());
            continue;
        }
        if !row.has_it {
            continue;
        }
        let last_writer: Writer = word(T::NAME, "last_writer", &row.source_id, &row.last_writer)?;
        if last_writer == Writer::Maintenance {
            let is_newer = updated_at.is_none_or(|at| at > row.version_at);
            let policy = policy_of(db, T::RECORD_TYPE).await?;
            let winner = match policy {
                ConflictPolicy::SourceWins => Side::Source,
                ConflictPolicy::LastWriteWins if is_newer => Side::Source,
                ConflictPolicy::LastWriteWins | ConflictPolicy::Manual => Side::Local,
            };
            let kind = if is_newer { ConflictKind::SourceNewer } else { ConflictKind::LocalNewer };
            contested.push(Contested { row, updated_at, kind, policy, winner });
            if winner == Side::Local {
                kept.push(row.source_id.clone());
                continue;
            }
        }
        taking.push((row, updated_at));
    }
    conflicts_insert::<T>(db, stamp, revoked, &contested).await?;
    rows_update::<T>(db, stamp, revoked, &taking).await?;
    Ok(kept)
}

/// The time of the newest revocation of a record. Within: none if its time cannot be read, which counts as the newest.
fn newest(revocations: &[&Revocation], source_id: &str) -> Option<Option<DateTime<Utc>>> {
    let of_record = revocations.iter().filter(|it| it.source_id.as_str() == source_id);
    of_record.map(|it| it.updated_at).max_by_key(|at| (at.is_none(), *at))
}

/// A revocation of a row that the maintenance portal has edited.
struct Contested<'r> {
    row: &'r Row,
    updated_at: Option<DateTime<Utc>>,
    kind: ConflictKind,
    policy: ConflictPolicy,
    winner: Side,
}

/// Keeps what the two sides say of the approval, or of the access.
async fn conflicts_insert<T: Table>(
    db: &mut Db,
    stamp: WriteStamp,
    revoked: Revoked,
    contested: &[Contested<'_>],
) -> Result<(), StoreError> {
    if contested.is_empty() {
        return Ok(());
    }
    let (local, source) = match revoked {
        Revoked::Approval => {
            (json!({ "status": RowStatus::Active }), json!({ "status": RowStatus::Withdrawn }))
        }
        Revoked::Access => (json!({ "active": true }), json!({ "active": false })),
    };
    let text = format!(
        "INSERT INTO conflicts (id, sync_id, record_type, source_id, kind, local_value, source_value, local_at,
             local_writer, source_at, winner, policy, opened_at)
         SELECT i.id, $1, '{record_type}', i.source_id, i.kind, $3, $4, i.local_at, '{maintenance}', i.source_at, i.winner,
             i.policy, $2
         FROM unnest($5, $6, $7, $8, $9, $10, $11) AS i (id, source_id, kind, local_at, source_at, winner, policy)
         ON CONFLICT DO NOTHING",
        record_type = T::RECORD_TYPE,
        maintenance = Writer::Maintenance,
    );
    let text_of = |value: fn(&Contested<'_>) -> &'static str| contested.iter().map(value).collect::<Vec<_>>();
    let source_at = |it: &Contested<'_>| it.updated_at.unwrap_or(it.row.source_updated_at);
    statement(&text)
        .bind::<Uuid, _>(stamp.sync_id.as_uuid())
        .bind::<Timestamptz, _>(stamp.now)
        .bind::<Jsonb, _>(local)
        .bind::<Jsonb, _>(source)
        .bind::<Array<Uuid>, _>(contested.iter().map(|_| uuid::Uuid::now_v7()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(contested.iter().map(|it| it.row.source_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(text_of(|it| it.kind.as_str()))
        .bind::<Array<Timestamptz>, _>(contested.iter().map(|it| it.row.version_at).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(contested.iter().map(source_at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(text_of(|it| it.winner.as_str()))
        .bind::<Array<Text>, _>(text_of(|it| it.policy.as_str()))
        .execute(db)
        .await?;
    Ok(())
}

/// The condition of a row that has what is revoked.
const fn has_it(revoked: Revoked) -> &'static str {
    match revoked {
        Revoked::Approval => "t.status = 'active'",
        Revoked::Access => "t.status = 'active' AND t.active",
    }
}

/// Takes it away, and keeps the rows' images in the same statement, so that the sync can be undone.
async fn rows_update<T: Table>(
    db: &mut Db,
    stamp: WriteStamp,
    revoked: Revoked,
    rows: &[(&Row, Option<DateTime<Utc>>)],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let assignment = match revoked {
        Revoked::Approval => "status = 'withdrawn'",
        Revoked::Access => "active = false",
    };
    let text = format!(
        "WITH i AS (SELECT * FROM unnest($4, $5) AS i (id, updated_at)), kept AS (
             INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image, written_at)
             SELECT $2, '{record_type}', t.id, t.synced_by, {image}, $1 FROM {table} AS t JOIN i ON i.id = t.id
         )
         UPDATE {table} AS t SET {assignment}, updated_at = $1, synced_by = $2, fetched_at = $3,
             source_updated_at = greatest(t.source_updated_at, i.updated_at),
             version_at = CASE WHEN t.last_writer = '{onboarding}' THEN greatest(t.version_at, i.updated_at)
                               ELSE t.version_at END,
             content_hash = '\\x00000000000000000000000000000000',
             synced_at = greatest($1, t.synced_at + interval '1 microsecond')
         FROM i WHERE i.id = t.id",
        record_type = T::RECORD_TYPE,
        table = T::NAME,
        image = row_image_sql(image_columns::<T>()),
        onboarding = Writer::Onboarding,
    );
    // A time that cannot be read is not replaced by the present: the next sound state may be older.
    let time =
        |(row, updated_at): &(&Row, Option<DateTime<Utc>>)| updated_at.unwrap_or(row.source_updated_at);
    statement(&text)
        .bind::<Timestamptz, _>(stamp.now)
        .bind::<Uuid, _>(stamp.sync_id.as_uuid())
        .bind::<Timestamptz, _>(stamp.fetched_at)
        .bind::<Array<Uuid>, _>(rows.iter().map(|(row, _)| row.id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(time).collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(())
}
