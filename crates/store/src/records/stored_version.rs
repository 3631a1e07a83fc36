//! The stored versions of records: read without locks to find what changed, and with locks to decide.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, ContentHash, Outcome, Version,
    last_write_wins::{Decision, StoredVersion, Writer, decide},
};
use serde_json::Value;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, word},
        statement::statement,
    },
    records::{table::Table, write_stamp::WriteStamp},
};

/// The columns of a row that make its stored version.
#[derive(QueryableByName)]
pub(super) struct VersionColumns {
    #[diesel(sql_type = Text)]
    pub(super) source_id: String,
    #[diesel(sql_type = Binary)]
    pub(super) content_hash: Vec<u8>,
    #[diesel(sql_type = Timestamptz)]
    pub(super) version_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub(super) source_updated_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub(super) fetched_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub(super) last_writer: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_missing: bool,
}

/// The columns of [`VersionColumns`], of a table `t`.
pub(super) const VERSION_COLUMNS: &str = "t.source_id, t.content_hash, t.version_at, t.source_updated_at, t.fetched_at, \
    t.last_writer, t.missing_since IS NOT NULL AS is_missing";

impl VersionColumns {
    pub(super) fn stored_version(&self, table: &'static str) -> Result<StoredVersion, StoreError> {
        let hash = ContentHash::try_from(self.content_hash.as_slice()).map_err(|source| {
            StoreError::Contradiction {
                table,
                column: "content_hash",
                id: self.source_id.clone(),
                source: source.into(),
            }
        })?;
        let last_writer: Writer = word(table, "last_writer", &self.source_id, &self.last_writer)?;
        Ok(StoredVersion {
            version: Version { updated_at: self.version_at, hash },
            source_updated_at: self.source_updated_at,
            fetched_at: self.fetched_at,
            last_writer,
            is_missing: self.is_missing,
        })
    }
}

/// Reads the stored versions of these records without locks. Absent: there is no such row.
pub(super) async fn stored_versions_read<T: Table>(
    db: &mut Db,
    source_ids: Vec<&str>,
) -> Result<HashMap<String, StoredVersion>, StoreError> {
    let text = format!("SELECT {VERSION_COLUMNS} FROM {} AS t WHERE source_id = ANY($1)", T::NAME);
    let rows: Vec<VersionColumns> = statement(&text).bind::<Array<Text>, _>(source_ids).load(db).await?;
    rows.into_iter()
        .map(|row| {
            let stored = row.stored_version(T::NAME)?;
            Ok((row.source_id, stored))
        })
        .collect()
}

/// Notes that rows stand as they were fetched: an earlier fetch of another state at the same time does not win any more.
pub(super) async fn fetch_note<T: Table>(
    db: &mut Db,
    stamp: WriteStamp,
    source_ids: &[&str],
) -> Result<(), StoreError> {
    if source_ids.is_empty() {
        return Ok(());
    }
    let text = format!(
        "UPDATE {0} SET fetched_at = $2 WHERE fetched_at < $2
             AND id IN (SELECT id FROM {0} WHERE source_id = ANY($1) ORDER BY source_id FOR NO KEY UPDATE)",
        T::NAME
    );
    statement(&text)
        .bind::<Array<Text>, _>(source_ids)
        .bind::<Timestamptz, _>(stamp.fetched_at)
        .execute(db)
        .await?;
    Ok(())
}

/// The outcome of a record that needs no write; none if its row has to be written or locked, or is about to be rejected.
pub(super) fn outcome_without_write<T: Table>(
    accepted: &Accepted<T::Record>,
    fetched_at: DateTime<Utc>,
    stored: Option<StoredVersion>,
) -> Option<Outcome> {
    if stored.is_some_and(|stored| returns::<T>(accepted, fetched_at, &stored)) {
        return None;
    }
    let decision = decide(accepted.version, fetched_at, stored);
    matches!(decision, Decision::Unchanged { newer: false } | Decision::Stale).then(|| decision.outcome())
}

/// Whether the record is listed again after its row was withdrawn as missing: not if it was fetched before the sync began
/// that found it missing.
pub(super) fn returns<T: Table>(
    accepted: &Accepted<T::Record>,
    fetched_at: DateTime<Utc>,
    stored: &StoredVersion,
) -> bool {
    stored.is_missing && !T::is_withdrawn(&accepted.record) && fetched_at >= stored.fetched_at
}

/// A locked row: the columns that last write wins needs.
#[derive(QueryableByName)]
pub(super) struct LockedRow {
    #[diesel(embed)]
    pub(super) version: VersionColumns,
    #[diesel(sql_type = Uuid)]
    pub(super) id: uuid::Uuid,
    #[diesel(sql_type = Bool)]
    pub(super) is_critical: bool,
    #[diesel(sql_type = Nullable<Int4>)]
    pub(super) ship_counter: Option<i32>,
    /// The whole row, if a value of it can lose: it was edited in the maintenance portal, or it is critical.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub(super) local: Option<Value>,
}

/// Locks the rows of these records until the transaction ends. In the order of their ids, so that two workers cannot
/// deadlock over rows that both know.
pub(super) async fn rows_lock<T: Table>(
    db: &mut Db,
    source_ids: Vec<&str>,
) -> Result<HashMap<String, LockedRow>, StoreError> {
    let text = format!(
        "SELECT {VERSION_COLUMNS}, t.id, {} AS is_critical, {} AS ship_counter,
             CASE WHEN t.last_writer = '{}' OR {} THEN to_jsonb(t) END AS local
         FROM {} AS t WHERE source_id = ANY($1) ORDER BY source_id FOR NO KEY UPDATE",
        T::IS_CRITICAL,
        T::SHIP_COUNTER,
        Writer::Maintenance,
        T::IS_CRITICAL,
        T::NAME
    );
    let rows: Vec<LockedRow> = statement(&text).bind::<Array<Text>, _>(source_ids).load(db).await?;
    Ok(rows.into_iter().map(|row| (row.version.source_id.clone(), row)).collect())
}
