//! Findings: why records were rejected, and what is odd about some that were let in.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Finding, RecordType, Severity, SyncId};

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::Page,
    statement::statement,
};

/// A finding about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFinding {
    /// What kind of record.
    pub record_type: RecordType,
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// The vessels it belongs to, by their ids in the onboarding portal.
    pub vessel_ids: Vec<String>,
    /// What was found.
    pub finding: Finding,
}

/// A finding as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFinding {
    /// Grows.
    pub id: u64,
    /// What kind of record.
    pub record_type: RecordType,
    /// Its id in the onboarding portal.
    pub source_id: String,
    /// What a person calls it.
    pub label: Option<String>,
    /// Whether the record was rejected for it.
    pub severity: Severity,
    /// For programs.
    pub code: String,
    /// RFC 6901.
    pub pointer: String,
    /// For people.
    pub message: String,
    /// The offending value.
    pub value: Option<String>,
    /// When.
    pub found_at: DateTime<Utc>,
}

/// Stores findings, in one statement: with their sync, and as what stands about their records from now on.
///
/// # Errors
///
/// If the database fails.
pub async fn findings_insert(
    db: &mut Db,
    sync_id: SyncId,
    findings: &[RecordFinding],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if findings.is_empty() {
        return Ok(());
    }
    // PostgreSQL keeps no NUL in text, and what is rejected may well hold one.
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    // A record without an id cannot be found again to say that it is mended.
    statement(
        "WITH i AS (
             SELECT * FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11)
                 AS i (record_type, source_id, label, severity, code, pointer, message, value, vessel_ids)
         ), overtaken AS (
             DELETE FROM record_findings f USING (SELECT DISTINCT record_type, source_id FROM i) AS i
             WHERE f.record_type = i.record_type AND f.source_id = i.source_id
         ), standing AS (
             INSERT INTO record_findings (sync_id, record_type, source_id, label, vessel_ids, severity, code, pointer,
                 message, value, found_at)
             SELECT $1, record_type, source_id, label, string_to_array(vessel_ids, ','), severity, code, pointer,
                 message, value, $2 FROM i WHERE source_id <> ''
         )
         INSERT INTO findings (sync_id, record_type, source_id, label, severity, code, pointer, message, value, found_at)
         SELECT $1, record_type, source_id, label, severity, code, pointer, message, value, $2 FROM i",
    )
    .bind::<Uuid, _>(sync_id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(findings.iter().map(|it| it.record_type.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(findings.iter().map(|it| clean(&it.source_id)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(findings.iter().map(|it| it.label.as_deref().map(clean)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(findings.iter().map(|it| it.finding.severity.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(findings.iter().map(|it| it.finding.code).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(findings.iter().map(|it| clean(&it.finding.pointer)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(findings.iter().map(|it| clean(&it.finding.message)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        findings.iter().map(|it| it.finding.value.as_deref().map(clean)).collect::<Vec<_>>(),
    )
    .bind::<Array<Text>, _>(findings.iter().map(|it| clean(&it.vessel_ids.join(","))).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets what stood about records: they were written anew, and nothing is to be said about them.
pub(crate) async fn findings_clear(
    db: &mut Db,
    record_type: RecordType,
    source_ids: &[&str],
) -> Result<(), StoreError> {
    if source_ids.is_empty() {
        return Ok(());
    }
    statement("DELETE FROM record_findings WHERE record_type = $1 AND source_id = ANY($2)")
        .bind::<Text, _>(record_type.as_str())
        .bind::<Array<Text>, _>(source_ids)
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets what stood about those of the records that were rejected, and returns their ids.
pub(crate) async fn findings_of_rejected_clear(
    db: &mut Db,
    record_type: RecordType,
    source_ids: &[&str],
) -> Result<HashSet<String>, StoreError> {
    if source_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let cleared: Vec<String> = statement(
        "WITH rejected AS (
             SELECT DISTINCT source_id FROM record_findings
             WHERE record_type = $1 AND source_id = ANY($2) AND severity = 'error'
         )
         DELETE FROM record_findings f USING rejected r WHERE f.record_type = $1 AND f.source_id = r.source_id
         RETURNING f.source_id",
    )
    .bind::<Text, _>(record_type.as_str())
    .bind::<Array<Text>, _>(source_ids)
    .returning::<Text>()
    .load(db)
    .await?;
    Ok(cleared.into_iter().collect())
}

pub(crate) const COLUMNS: &str =
    "id, record_type, source_id, label, severity, code, pointer, message, value, found_at";

pub(crate) type Columns =
    (i64, String, String, Option<String>, String, String, String, String, Option<String>, DateTime<Utc>);

pub(crate) type Types =
    (Int8, Text, Text, Nullable<Text>, Text, Text, Text, Text, Nullable<Text>, Timestamptz);

/// A finding out of its row.
pub(crate) fn stored(
    (id, record_type, source_id, label, severity, code, pointer, message, value, found_at): Columns,
) -> Result<StoredFinding, StoreError> {
    Ok(StoredFinding {
        id: count(id),
        record_type: word("findings", "record_type", id, &record_type)?,
        source_id,
        label,
        severity: word("findings", "severity", id, &severity)?,
        code,
        pointer,
        message,
        value,
        found_at,
    })
}

/// Findings of a sync in the order they were made, from after the finding `after`.
///
/// # Errors
///
/// If the database fails.
pub async fn finding_list(
    db: &mut Db,
    sync_id: SyncId,
    limit: u32,
    after: Option<u64>,
) -> Result<Vec<StoredFinding>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM findings WHERE sync_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    let rows: Vec<Columns> = statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Int8, _>(after.map_or(0, |id| i64::try_from(id).unwrap_or(i64::MAX)))
        .bind::<Int8, _>(i64::from(limit))
        .returning::<Types>()
        .load(db)
        .await?;
    rows.into_iter().map(stored).collect()
}

/// How many findings a sync has.
///
/// # Errors
///
/// If the database fails.
pub async fn finding_count(db: &mut Db, id: SyncId) -> Result<u64, StoreError> {
    let total: i64 = statement("SELECT count(*) FROM findings WHERE sync_id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .returning::<Int8>()
        .get_result(db)
        .await?;
    Ok(count(total))
}

/// Findings of a sync in the order they were made, rejections before warnings.
///
/// # Errors
///
/// If the database fails.
pub async fn finding_list_with_total(
    db: &mut Db,
    id: SyncId,
    limit: u32,
    offset: u32,
) -> Result<Page<StoredFinding>, StoreError> {
    let text =
        format!("SELECT {COLUMNS} FROM findings WHERE sync_id = $1 ORDER BY severity, id LIMIT $2 OFFSET $3");
    let rows: Vec<Columns> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Int8, _>(i64::from(limit) + 1)
        .bind::<Int8, _>(i64::from(offset))
        .returning::<Types>()
        .load(db)
        .await?;
    let rows = rows.into_iter().map(stored).collect::<Result<_, _>>()?;
    let total = finding_count(db, id).await?;
    Ok(Page::of(rows, limit, i64::try_from(total).unwrap_or(i64::MAX)))
}
