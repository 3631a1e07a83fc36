//! What stands in a table of records before a page is written: enough to decide.

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

/// A row as the decision needs it.
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
    pub(super) ships_number: Option<i32>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub(super) local: Option<Value>,
}

impl LockedRow {
    pub(super) fn held(&self, table: &'static str) -> Result<StoredVersion, StoreError> {
        held(table, &self.source_id, &self.content_hash, self.version_at, &self.last_writer)
    }

    /// What the last sync brought, whoever wrote since.
    pub(super) fn source_version(&self, held: &StoredVersion) -> Version {
        Version { updated_at: self.source_updated_at, hash: held.version.hash }
    }
}

/// What stands in the table of these records now, without locks: enough to tell what there is nothing to do for.
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
        .map(|(source_id, hash, at, writer)| {
            let held = held(T::NAME, &source_id, &hash, at, &writer)?;
            Ok((source_id, held))
        })
        .collect()
}

/// The outcome of a record that there is nothing to do for.
pub(super) fn settled(decision: Decision) -> Option<Outcome> {
    matches!(decision, Decision::Unchanged { newer: false } | Decision::Stale).then(|| decision.outcome())
}

pub(super) fn held(
    table: &'static str,
    source_id: &str,
    hash: &[u8],
    updated_at: DateTime<Utc>,
    writer: &str,
) -> Result<StoredVersion, StoreError> {
    let hash = ContentHash::try_from(hash).map_err(|source| StoreError::Contradiction {
        table,
        column: "content_hash",
        id: source_id.to_owned(),
        source: source.into(),
    })?;
    let last_writer: Writer = crate::db::error::word(table, "last_writer", source_id, writer)?;
    Ok(StoredVersion { version: Version { updated_at, hash }, last_writer })
}

/// The rows of these records, locked in the order of their ids until the transaction ends.
pub(super) async fn rows_lock<T: Table>(
    db: &mut Db,
    source_ids: Vec<&str>,
) -> Result<HashMap<String, LockedRow>, StoreError> {
    let text = format!(
        "SELECT source_id, id, content_hash, version_at, source_updated_at, last_writer, {} AS is_critical, {} AS ships_number,
             CASE WHEN last_writer = 'maintenance' OR {} THEN to_jsonb(t) END AS local
         FROM {} AS t WHERE source_id = ANY($1) ORDER BY source_id FOR NO KEY UPDATE",
        T::IS_CRITICAL,
        T::SHIPS_NUMBER,
        T::IS_CRITICAL,
        T::NAME
    );
    let rows: Vec<LockedRow> = statement(&text).bind::<Array<Text>, _>(source_ids).load(db).await?;
    Ok(rows.into_iter().map(|row| (row.source_id.clone(), row)).collect())
}
