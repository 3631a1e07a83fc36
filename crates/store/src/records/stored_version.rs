//! The stored versions of records: read without locks to find what changed, and with locks to decide.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    ContentHash, Outcome, Version,
    last_write_wins::{Decision, StoredVersion, Writer},
};
use serde_json::Value;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::table::Table,
};

/// A locked row: the columns that last write wins needs.
#[derive(QueryableByName)]
pub(super) struct LockedRow {
    #[diesel(sql_type = Text)]
    pub(super) source_id: String,
    #[diesel(sql_type = Uuid)]
    pub(super) id: uuid::Uuid,
    #[diesel(sql_type = Binary)]
    pub(super) content_hash: Vec<u8>,
    #[diesel(sql_type = Timestamptz)]
    pub(super) version_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub(super) source_updated_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub(super) last_writer: String,
    #[diesel(sql_type = Bool)]
    pub(super) is_critical: bool,
    #[diesel(sql_type = Nullable<Int4>)]
    pub(super) ship_counter: Option<i32>,
    /// The whole row, if a value of it can lose: it was edited in the maintenance portal, or it is critical.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub(super) local: Option<Value>,
}

impl LockedRow {
    pub(super) fn stored_version(&self, table: &'static str) -> Result<StoredVersion, StoreError> {
        stored_version(table, &self.source_id, &self.content_hash, self.version_at, &self.last_writer)
    }

    /// The version that the last sync brought, also if the maintenance portal has written since.
    pub(super) fn synced_version(&self, stored: &StoredVersion) -> Version {
        Version { updated_at: self.source_updated_at, hash: stored.version.hash }
    }
}

/// Reads the stored versions of these records without locks. Absent: there is no such row.
pub(super) async fn stored_versions_read<T: Table>(
    db: &mut Db,
    source_ids: Vec<&str>,
) -> Result<HashMap<String, StoredVersion>, StoreError> {
    let text = format!(
        "SELECT source_id, content_hash, version_at, last_writer FROM {} WHERE source_id = ANY($1)",
        T::NAME
    );
    let rows: Vec<(String, Vec<u8>, DateTime<Utc>, String)> = statement(&text)
        .bind::<Array<Text>, _>(source_ids)
        .returning::<(Text, Binary, Timestamptz, Text)>()
        .load(db)
        .await?;
    rows.into_iter()
        .map(|(source_id, hash, version_at, last_writer)| {
            let stored = stored_version(T::NAME, &source_id, &hash, version_at, &last_writer)?;
            Ok((source_id, stored))
        })
        .collect()
}

/// The outcome of a record for which nothing is written; none if its row has to be written or locked.
pub(super) fn outcome_without_write(decision: Decision) -> Option<Outcome> {
    matches!(decision, Decision::Unchanged { newer: false } | Decision::Stale).then(|| decision.outcome())
}

pub(super) fn stored_version(
    table: &'static str,
    source_id: &str,
    content_hash: &[u8],
    version_at: DateTime<Utc>,
    last_writer: &str,
) -> Result<StoredVersion, StoreError> {
    let hash = ContentHash::try_from(content_hash).map_err(|source| StoreError::Contradiction {
        table,
        column: "content_hash",
        id: source_id.to_owned(),
        source: source.into(),
    })?;
    let last_writer: Writer = crate::db::error::word(table, "last_writer", source_id, last_writer)?;
    Ok(StoredVersion { version: Version { updated_at: version_at, hash }, last_writer })
}

/// Locks the rows of these records until the transaction ends. In the order of their ids, so that two workers cannot
/// deadlock over rows that both know.
pub(super) async fn rows_lock<T: Table>(
    db: &mut Db,
    source_ids: Vec<&str>,
) -> Result<HashMap<String, LockedRow>, StoreError> {
    let text = format!(
        "SELECT source_id, id, content_hash, version_at, source_updated_at, last_writer, {} AS is_critical, {} AS ship_counter,
             CASE WHEN last_writer = '{}' OR {} THEN to_jsonb(t) END AS local
         FROM {} AS t WHERE source_id = ANY($1) ORDER BY source_id FOR NO KEY UPDATE",
        T::IS_CRITICAL,
        T::SHIP_COUNTER,
        Writer::Maintenance,
        T::IS_CRITICAL,
        T::NAME
    );
    let rows: Vec<LockedRow> = statement(&text).bind::<Array<Text>, _>(source_ids).load(db).await?;
    Ok(rows.into_iter().map(|row| (row.source_id.clone(), row)).collect())
}
