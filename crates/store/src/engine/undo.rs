//! Undoing a sync: records that it updated get their earlier values back, and records that it created are withdrawn. A
//! record that was written again since is left alone.
//!
//! An undo is an edit of the maintenance portal: a later sync that brings the same state finds nothing new, and one
//! that brings a newer state wins, with both sides kept.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    RecordType, SyncId, SyncState,
    audit::AuditAction,
    last_write_wins::Writer,
    undo::{UndoResult, UndoSkipReason},
};
use serde_json::{Value, json};

use crate::{
    db::{
        advisory_locks::AdvisoryLock,
        connection::Db,
        error::{StoreError, count, word},
        page::{Page, Window},
        statement::statement,
    },
    ledger::{
        audit::audit_append,
        syncs::{sync_find, sync_lock},
    },
    records::{
        PART_TABLES, PartTable, STATE_COLUMNS, TableSchema, role_given_by_hand, roles_derive, table_name,
        table_schema,
    },
};

/// How long a statement of a plan may take: workers that write the same rows wait for it.
const PLAN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a plan waits for a lock.
const PLAN_LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// A record of an undone sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoItem {
    pub record_type: RecordType,
    pub source_id: String,
    pub result: UndoResult,
    /// Why it was skipped.
    pub reason: Option<UndoSkipReason>,
}

/// An undone sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    pub undone_at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub undone_by: String,
    /// Records as they were before the sync.
    pub restored: u64,
    /// Records that the sync had created.
    pub withdrawn: u64,
    /// Records left alone.
    pub skipped: u64,
}

/// Result of undoing a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SyncUndone {
    Undone(Undo),
    /// It was undone before.
    Already(Undo),
    /// It has not ended.
    Running(SyncState),
    /// There is no such sync.
    Unknown,
}

/// Undoes a sync, and appends to the audit log. In a transaction.
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
    // In the order in which pages lock them, so that an undo and a page wait for each other alike.
    let mut locked = Vec::new();
    for record_type in RecordType::ALL.iter().copied() {
        let rows = synced_rows_lock(db, id, record_type, table_name(record_type)).await?;
        locked.push(SyncedRows { record_type, rows });
    }
    let mut undos = Vec::new();
    for rows in locked.into_iter().rev() {
        // What others refer to is withdrawn after them, and restored before them.
        undos.push(rows_withdraw(db, rows).await?);
    }
    for rows in undos.into_iter().rev() {
        rows_restore_of(db, id, rows).await?;
    }
    // After the rows, as tasks do it: somebody may have resumed the sync meanwhile.
    if sync_lock(db, id).await?.is_none_or(|sync| !sync.state.is_terminal()) {
        return Err(StoreError::Contended);
    }
    let undo = undo_find(db, id).await?.ok_or(diesel::result::Error::NotFound)?;
    let detail = json!({ "restored": undo.restored, "withdrawn": undo.withdrawn, "skipped": undo.skipped });
    audit_append(db, actor, AuditAction::SyncUndo, &id.to_string(), &detail, now).await?;
    Ok(SyncUndone::Undone(undo))
}

/// Plans an undo: what [`sync_undo`] would do now. In a transaction that is rolled back; it locks the rows of the sync, so it waits
/// for others only briefly, and no statement of it takes longer than [`PLAN_TIMEOUT`]. None: another undo is being planned.
pub async fn undo_plan(
    db: &mut Db,
    id: SyncId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Option<SyncUndone>, StoreError> {
    let is_first: bool = statement("SELECT pg_try_advisory_xact_lock($1)")
        .bind::<Int8, _>(AdvisoryLock::UndoPlan.key())
        .returning::<Bool>()
        .get_result(db)
        .await?;
    if !is_first {
        return Ok(None);
    }
    statement("SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)")
        .bind::<Text, _>(format!("{}ms", PLAN_TIMEOUT.as_millis()))
        .bind::<Text, _>(format!("{}ms", PLAN_LOCK_TIMEOUT.as_millis()))
        .execute(db)
        .await?;
    sync_undo(db, id, actor, now).await.map(Some)
}

/// The rows of one record type that the sync has written.
struct SyncedRows {
    record_type: RecordType,
    rows: Vec<SyncedRow>,
}

/// Withdraws the rows that the sync has created, unless active rows refer to them.
///
/// Neither this statement nor that of the restore moves synced_at, so the trigger takes both for edits of the maintenance
/// portal. Created rows give up their natural keys before earlier rows are restored.
async fn rows_withdraw(db: &mut Db, synced: SyncedRows) -> Result<SyncedRows, StoreError> {
    let SyncedRows { record_type, mut rows } = synced;
    let table = table_name(record_type);
    let created: Vec<uuid::Uuid> =
        rows.iter().filter(|row| row.skip_reason.is_none() && !row.existed).map(|row| row.id).collect();
    let text = format!(
        "UPDATE {table} AS t SET status = 'withdrawn' WHERE id = ANY($1) AND NOT ({}) RETURNING id",
        is_in_use(record_type)
    );
    let withdrawn: Vec<uuid::Uuid> =
        statement(&text).bind::<Array<Uuid>, _>(&created).returning::<Uuid>().load(db).await?;
    let withdrawn: HashSet<uuid::Uuid> = withdrawn.into_iter().collect();
    for row in &mut rows {
        if row.skip_reason.is_none() && !row.existed && !withdrawn.contains(&row.id) {
            row.skip_reason = Some(UndoSkipReason::InUse);
        }
    }
    Ok(SyncedRows { record_type, rows })
}

/// SQL: whether active rows refer to a row `t`.
const fn is_in_use(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Company => {
            "EXISTS (SELECT FROM vessels v WHERE v.company_id = t.id AND v.status = 'active')
             OR EXISTS (SELECT FROM users u WHERE u.company_id = t.id AND u.status = 'active')"
        }
        RecordType::Vessel => {
            "EXISTS (SELECT FROM equipment e WHERE e.vessel_id = t.id AND e.status = 'active')
             OR EXISTS (SELECT FROM users u WHERE t.source_id = ANY(u.vessel_scope) AND u.status = 'active')"
        }
        RecordType::Equipment | RecordType::User => "false",
    }
}

/// Restores the rows that were there before the sync.
async fn rows_restore_of(
    db: &mut Db,
    id: SyncId,
    SyncedRows { record_type, rows }: SyncedRows,
) -> Result<(), StoreError> {
    let known =
        rows.iter().filter(|row| row.skip_reason.is_none() && row.existed).map(|row| row.id).collect();
    let restored = rows_restore(db, id, record_type, &table_schema(record_type), known).await?;
    if record_type == RecordType::Equipment {
        for table in &PART_TABLES {
            parts_undo(db, id, table, &restored).await?;
        }
    }
    undo_items_insert(db, id, record_type, &rows, &restored.into_iter().collect()).await
}

/// A row that the sync has written.
struct SyncedRow {
    id: uuid::Uuid,
    source_id: String,
    /// It existed before the sync.
    existed: bool,
    /// Why it cannot be undone.
    skip_reason: Option<UndoSkipReason>,
}

impl SyncedRow {
    fn result(&self, restored: &HashSet<uuid::Uuid>) -> (UndoResult, Option<UndoSkipReason>) {
        match self.skip_reason {
            Some(reason) => (UndoResult::Skipped, Some(reason)),
            None if !self.existed => (UndoResult::Withdrawn, None),
            None if restored.contains(&self.id) => (UndoResult::Restored, None),
            None => (UndoResult::Skipped, Some(UndoSkipReason::KeyTaken)),
        }
    }
}

async fn synced_rows_lock(
    db: &mut Db,
    id: SyncId,
    record_type: RecordType,
    table: &str,
) -> Result<Vec<SyncedRow>, StoreError> {
    // The first image that the sync kept of a row is its state before the sync. If the sync itself had written that
    // state, or kept no image, it has created the row. A row that a later sync wrote again is found by the later image.
    let text = format!(
        "WITH first AS (
             SELECT DISTINCT ON (row_id) row_id, synced_by FROM overwritten
             WHERE sync_id = $1 AND record_type = $2 ORDER BY row_id, id
         ), later AS (
             SELECT DISTINCT row_id FROM overwritten WHERE synced_by = $1 AND record_type = $2 AND sync_id <> $1
         )
         SELECT t.id, t.source_id,
             first.row_id IS NOT NULL AND first.synced_by IS DISTINCT FROM $1,
             CASE WHEN t.synced_by IS DISTINCT FROM $1 THEN 'overwritten_since'
                  WHEN t.last_writer = '{maintenance}' THEN 'edited_since'
                  WHEN first.row_id IS NOT NULL AND first.synced_by IS DISTINCT FROM $1 THEN NULL
                  WHEN t.status = 'withdrawn' THEN 'already_withdrawn' END
         FROM {table} AS t LEFT JOIN first ON first.row_id = t.id LEFT JOIN later ON later.row_id = t.id
         WHERE t.synced_by = $1 OR first.row_id IS NOT NULL OR later.row_id IS NOT NULL
         ORDER BY t.source_id FOR NO KEY UPDATE OF t",
        maintenance = Writer::Maintenance
    );
    let rows: Vec<(uuid::Uuid, String, bool, Option<String>)> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .returning::<(Uuid, Text, Bool, Nullable<Text>)>()
        .load(db)
        .await?;
    let row = |(id, source_id, existed, reason): (uuid::Uuid, String, bool, Option<String>)| {
        let skip_reason =
            reason.map(|reason| word("undo_items", "reason", &source_id, &reason)).transpose()?;
        Ok(SyncedRow { id, source_id, existed, skip_reason })
    };
    rows.into_iter().map(row).collect()
}

/// Restores rows to their first image of the sync. Returns their ids, without those whose natural key another row has
/// by now.
async fn rows_restore(
    db: &mut Db,
    id: SyncId,
    record_type: RecordType,
    TableSchema { table, columns, natural_key }: &TableSchema,
    ids: Vec<uuid::Uuid>,
) -> Result<Vec<uuid::Uuid>, StoreError> {
    let key_is_free = match natural_key {
        Some(key) => format!(
            "AND NOT EXISTS (SELECT FROM {table} AS x WHERE {} = {} AND x.id <> t.id)",
            key("x"),
            key("r")
        ),
        None => String::new(),
    };
    let columns: Vec<&str> = columns.iter().copied().chain(STATE_COLUMNS).collect();
    let text = format!(
        "UPDATE {table} AS t SET {}
         FROM (SELECT DISTINCT ON (row_id) row_id, image FROM overwritten
               WHERE sync_id = $1 AND record_type = $2 AND row_id = ANY($3) ORDER BY row_id, id) AS o,
             jsonb_populate_record(NULL::{table}, o.image) AS r
         WHERE t.id = o.row_id {key_is_free} RETURNING t.id, o.image",
        image_assignments(&columns)
    );
    let statement = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Array<Uuid>, _>(ids);
    let rows: Vec<(uuid::Uuid, Value)> = statement.returning::<(Uuid, Jsonb)>().load(db).await?;
    let ids: Vec<uuid::Uuid> = rows.iter().map(|(id, _)| *id).collect();
    if record_type == RecordType::User {
        let mut by_hand = HashMap::new();
        for (id, image) in &rows {
            by_hand.extend(role_given_by_hand(db, image).await?.map(|role| (*id, role)));
        }
        roles_derive(db, &ids, &by_hand).await?;
    }
    Ok(ids)
}

/// Assignments of these columns from an image `r`.
fn image_assignments(columns: &[&str]) -> String {
    let names = columns.iter().copied();
    names.map(|name| format!("{name} = r.{name}")).collect::<Vec<_>>().join(", ")
}

async fn undo_items_insert(
    db: &mut Db,
    id: SyncId,
    record_type: RecordType,
    rows: &[SyncedRow],
    restored: &HashSet<uuid::Uuid>,
) -> Result<(), StoreError> {
    let (results, reasons): (Vec<&str>, Vec<Option<&str>>) = rows
        .iter()
        .map(|row| {
            let (result, reason) = row.result(restored);
            (result.as_str(), reason.map(UndoSkipReason::as_str))
        })
        .unzip();
    statement(
        "INSERT INTO undo_items (sync_id, record_type, source_id, result, reason)
         SELECT $1, $2, i.* FROM unnest($3, $4, $5) AS i",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Text, _>(record_type.as_str())
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.source_id.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(results)
    .bind::<Array<Nullable<Text>>, _>(reasons)
    .execute(db)
    .await?;
    Ok(())
}

/// Restores the parts or schedules of restored equipment, and withdraws those that the sync had created.
async fn parts_undo(
    db: &mut Db,
    id: SyncId,
    PartTable { name: table, columns, .. }: &PartTable,
    equipment: &[uuid::Uuid],
) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE {table} AS t SET {}
         FROM (SELECT DISTINCT ON (row_id) row_id, synced_by, image FROM overwritten
               WHERE sync_id = $1 AND record_type = '{table}' ORDER BY row_id, id) AS o,
             jsonb_populate_record(NULL::{table}, o.image) AS r
         WHERE t.id = o.row_id AND t.synced_by = $1 AND o.synced_by IS DISTINCT FROM $1 AND t.equipment_id = ANY($2)",
        image_assignments(&columns.iter().copied().chain(["status"]).collect::<Vec<_>>())
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

/// The undo of a sync, if it was undone.
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

/// The records of an undone sync. Those that were left alone come first.
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
        Ok(UndoItem {
            record_type: word("undo_items", "record_type", &source_id, &record_type)?,
            result: word("undo_items", "result", &source_id, &result)?,
            reason: reason.map(|it| word("undo_items", "reason", &source_id, &it)).transpose()?,
            source_id,
        })
    });
    Ok(Page::of(items.collect::<Result<_, StoreError>>()?, window.limit, total))
}
