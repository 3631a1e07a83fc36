//! Undoing a run: what it wrote over comes back where nothing newer stands, and what it created is withdrawn.
//!
//! What is undone is an edit of the maintenance portal: a sync that brings the same state again finds nothing new, and
//! one that brings a newer state wins, with both sides kept.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, SyncId, SyncState, vocabulary::UnknownWord};
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::{Page, Window},
        statement::statement,
    },
    ledger::{audit::audit_append, syncs::sync_find},
    records::{PART_TABLES, PartTable, TableSchema, table_schema},
};

/// What became of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UndoResult {
    /// It is as it was before the sync.
    Restored,
    /// The sync had created it.
    Withdrawn,
    /// It was edited in the maintenance portal since.
    EditedSince,
    /// A later sync has written it since.
    OverwrittenSince,
    /// The sync had created it, and it was withdrawn already.
    AlreadyWithdrawn,
    /// Its number, code or address from before belongs to another record by now.
    KeyTaken,
}

impl UndoResult {
    const ALL: [Self; 6] = [
        Self::Restored,
        Self::Withdrawn,
        Self::EditedSince,
        Self::OverwrittenSince,
        Self::AlreadyWithdrawn,
        Self::KeyTaken,
    ];

    /// `restored`, `withdrawn` or `skipped`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Withdrawn => "withdrawn",
            Self::EditedSince | Self::OverwrittenSince | Self::AlreadyWithdrawn | Self::KeyTaken => "skipped",
        }
    }

    /// Why it was skipped.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Restored | Self::Withdrawn => None,
            Self::EditedSince => Some("edited_since"),
            Self::OverwrittenSince => Some("overwritten_since"),
            Self::AlreadyWithdrawn => Some("already_withdrawn"),
            Self::KeyTaken => Some("key_taken"),
        }
    }

    fn read(result: &str, reason: Option<&str>) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == result && it.reason() == reason);
        found.ok_or_else(|| UnknownWord { text: result.to_owned(), vocabulary: "UndoResult" })
    }
}

/// A record of an undone sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoItem {
    /// What kind of record.
    pub record_type: RecordType,
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// What became of it.
    pub result: UndoResult,
}

/// An undone sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// When.
    pub undone_at: DateTime<Utc>,
    /// By whom.
    pub undone_by: String,
    /// Records that are as they were.
    pub restored: u64,
    /// Records that the sync had created.
    pub withdrawn: u64,
    /// Records left alone.
    pub skipped: u64,
}

/// What became of the wish to undo a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SyncUndone {
    /// It is undone.
    Undone(Undo),
    /// It was before.
    Already(Undo),
    /// It has not ended.
    Running(SyncState),
    /// There is no such sync.
    Unknown,
}

/// Undoes a sync and writes the audit. In a transaction.
///
/// # Errors
///
/// If the database fails.
pub async fn sync_undo(
    db: &mut Db,
    id: SyncId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<SyncUndone, StoreError> {
    let Some(sync) = sync_find(db, id).await? else { return Ok(SyncUndone::Unknown) };
    if !sync.state.is_terminal() {
        return Ok(SyncUndone::Running(sync.state));
    }
    let new = statement(
        "INSERT INTO undos (sync_id, undone_at, undone_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .execute(db)
    .await?;
    if new == 0 {
        let undo = undo_find(db, id).await?.ok_or(diesel::result::Error::NotFound)?;
        return Ok(SyncUndone::Already(undo));
    }
    // What others refer to comes back first.
    for record_type in [RecordType::Company, RecordType::Vessel, RecordType::Equipment, RecordType::User] {
        undo_records(db, id, record_type).await?;
    }
    let undo = undo_find(db, id).await?.ok_or(diesel::result::Error::NotFound)?;
    let detail = json!({ "restored": undo.restored, "withdrawn": undo.withdrawn, "skipped": undo.skipped });
    audit_append(db, actor, "sync.undo", &id.to_string(), &detail, now).await?;
    Ok(SyncUndone::Undone(undo))
}

async fn undo_records(db: &mut Db, id: SyncId, record_type: RecordType) -> Result<(), StoreError> {
    let TableSchema { table, columns, natural_key } = table_schema(record_type);
    // The first image of the sync is what stood before it; a row that the sync had written before was created by it.
    let text = format!(
        "WITH first AS (
             SELECT DISTINCT ON (row_id) row_id, synced_by FROM overwritten
             WHERE sync_id = $1 AND record_type = $2 ORDER BY row_id, id
         ), later AS (
             SELECT DISTINCT row_id FROM overwritten WHERE synced_by = $1 AND record_type = $2 AND sync_id <> $1
         )
         SELECT t.id, t.source_id,
             CASE WHEN t.synced_by IS DISTINCT FROM $1 THEN 'overwritten_since'
                  WHEN t.last_writer = 'maintenance' THEN 'edited_since'
                  WHEN first.row_id IS NOT NULL AND first.synced_by IS DISTINCT FROM $1 THEN 'restored'
                  WHEN t.status = 'withdrawn' THEN 'already_withdrawn'
                  ELSE 'withdrawn' END
         FROM {table} AS t LEFT JOIN first ON first.row_id = t.id LEFT JOIN later ON later.row_id = t.id
         WHERE t.synced_by = $1 OR first.row_id IS NOT NULL OR later.row_id IS NOT NULL
         ORDER BY t.source_id FOR NO KEY UPDATE OF t"
    );
    let rows: Vec<(uuid::Uuid, String, String)> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .returning::<(Uuid, Text, Text)>()
        .load(db)
        .await?;
    let those = |fate: &str| -> Vec<uuid::Uuid> {
        rows.iter().filter(|(.., it)| it == fate).map(|(id, ..)| *id).collect()
    };
    let (restore, withdraw) = (those("restored"), those("withdrawn"));

    // Neither moves synced_at: the trigger takes both for what they are, edits in the maintenance portal.
    // What the sync created lets go of its natural key first.
    let text = format!("UPDATE {table} SET status = 'withdrawn' WHERE id = ANY($1)");
    statement(&text).bind::<Array<Uuid>, _>(withdraw).execute(db).await?;
    let taken = match natural_key {
        Some(key) => format!(
            "AND NOT EXISTS (SELECT FROM {table} AS x WHERE {} = {} AND x.id <> t.id)",
            key("x"),
            key("r")
        ),
        None => String::new(),
    };
    let sets: Vec<String> =
        columns.iter().copied().chain(["status"]).map(|name| format!("{name} = r.{name}")).collect();
    let text = format!(
        "UPDATE {table} AS t SET {}
         FROM (SELECT DISTINCT ON (row_id) row_id, image FROM overwritten
               WHERE sync_id = $1 AND record_type = $2 AND row_id = ANY($3) ORDER BY row_id, id) AS o,
             jsonb_populate_record(NULL::{table}, o.image) AS r
         WHERE t.id = o.row_id {taken} RETURNING t.id",
        sets.join(", ")
    );
    let restored: Vec<uuid::Uuid> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Array<Uuid>, _>(restore)
        .returning::<Uuid>()
        .load(db)
        .await?;
    if record_type == RecordType::Equipment {
        for PartTable { name: table, columns, .. } in PART_TABLES {
            undo_parts(db, id, table, columns, &restored).await?;
        }
    }
    let restored: std::collections::HashSet<uuid::Uuid> = restored.into_iter().collect();
    let (mut ids, mut results, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    for (row, source_id, fate) in &rows {
        let result = match fate.as_str() {
            "restored" if restored.contains(row) => UndoResult::Restored,
            "restored" => UndoResult::KeyTaken,
            "withdrawn" => UndoResult::Withdrawn,
            "edited_since" => UndoResult::EditedSince,
            "overwritten_since" => UndoResult::OverwrittenSince,
            _ => UndoResult::AlreadyWithdrawn,
        };
        ids.push(source_id.as_str());
        results.push(result.as_str());
        reasons.push(result.reason());
    }
    statement(
        "INSERT INTO undo_items (sync_id, record_type, source_id, result, reason)
         SELECT $1, $2, i.* FROM unnest($3, $4, $5) AS i",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(record_type.as_str())
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Text>, _>(results)
    .bind::<Array<Nullable<Text>>, _>(reasons)
    .execute(db)
    .await?;
    Ok(())
}

/// Parts or schedules of equipment that is restored.
async fn undo_parts(
    db: &mut Db,
    id: SyncId,
    table: &str,
    columns: &[&str],
    equipment: &[uuid::Uuid],
) -> Result<(), StoreError> {
    let sets: Vec<String> =
        columns.iter().copied().chain(["status"]).map(|name| format!("{name} = r.{name}")).collect();
    let text = format!(
        "UPDATE {table} AS t SET {}
         FROM (SELECT DISTINCT ON (row_id) row_id, synced_by, image FROM overwritten
               WHERE sync_id = $1 AND record_type = '{table}' ORDER BY row_id, id) AS o,
             jsonb_populate_record(NULL::{table}, o.image) AS r
         WHERE t.id = o.row_id AND t.synced_by = $1 AND o.synced_by IS DISTINCT FROM $1 AND t.equipment_id = ANY($2)",
        sets.join(", ")
    );
    statement(&text).bind::<Uuid, _>(id.as_uuid()).bind::<Array<Uuid>, _>(equipment).execute(db).await?;
    let text = format!(
        "UPDATE {table} AS t SET status = 'withdrawn'
         WHERE t.equipment_id = ANY($2) AND t.synced_by = $1 AND t.status = 'active' AND NOT EXISTS
             (SELECT FROM overwritten o WHERE o.row_id = t.id AND o.sync_id = $1 AND o.record_type = '{table}'
                  AND o.synced_by IS DISTINCT FROM $1)"
    );
    statement(&text).bind::<Uuid, _>(id.as_uuid()).bind::<Array<Uuid>, _>(equipment).execute(db).await?;
    Ok(())
}

/// How a sync was undone, if it was.
///
/// # Errors
///
/// If the database fails.
pub async fn undo_find(db: &mut Db, id: SyncId) -> Result<Option<Undo>, StoreError> {
    let rows: Vec<(DateTime<Utc>, String, i64, i64, i64)> = statement(
        "SELECT u.undone_at, u.undone_by, count(*) FILTER (WHERE i.result = 'restored'),
             count(*) FILTER (WHERE i.result = 'withdrawn'), count(*) FILTER (WHERE i.result = 'skipped')
         FROM undos u LEFT JOIN undo_items i ON i.sync_id = u.sync_id WHERE u.sync_id = $1
         GROUP BY u.undone_at, u.undone_by",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .returning::<(Timestamptz, Text, Int8, Int8, Int8)>()
    .load(db)
    .await?;
    let row = rows.into_iter().next();
    Ok(row.map(|(undone_at, undone_by, restored, withdrawn, skipped)| Undo {
        undone_at,
        undone_by,
        restored: count(restored),
        withdrawn: count(withdrawn),
        skipped: count(skipped),
    }))
}

/// The records of an undone sync, those that were left alone first.
///
/// # Errors
///
/// If the database fails.
pub async fn undo_items(db: &mut Db, id: SyncId, window: Window<()>) -> Result<Page<UndoItem>, StoreError> {
    let total: i64 = statement("SELECT count(*) FROM undo_items WHERE sync_id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .returning::<Int8>()
        .get_result(db)
        .await?;
    let rows: Vec<(String, String, String, Option<String>)> = statement(
        "SELECT record_type, source_id, result, reason FROM undo_items WHERE sync_id = $1
         ORDER BY (result <> 'skipped'), record_type, source_id LIMIT $2 OFFSET $3",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Int8, _>(i64::from(window.limit) + 1)
    .bind::<Int8, _>(i64::from(window.offset))
    .returning::<(Text, Text, Text, Nullable<Text>)>()
    .load(db)
    .await?;
    let items = rows.into_iter().map(|(record_type, source_id, result, reason)| {
        let result =
            UndoResult::read(&result, reason.as_deref()).map_err(|source| StoreError::Contradiction {
                table: "undo_items",
                column: "result",
                id: source_id.clone(),
                source: source.into(),
            })?;
        Ok(UndoItem {
            record_type: word("undo_items", "record_type", &source_id, &record_type)?,
            source_id,
            result,
        })
    });
    Ok(Page::of(items.collect::<Result<_, StoreError>>()?, window.limit, total))
}
