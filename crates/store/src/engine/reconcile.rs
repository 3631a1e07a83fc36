//! Missing records: found at the end of a full sync, counted, and kept or withdrawn.
//!
//! Every page stores the ids that it listed ([`crate::ledger::seen`]). A record that is active and on no page of a full
//! sync is missing, unless its row was written since the sync began: then it was approved or listed meanwhile.
//!
//! A missing record is never deleted: it is kept, or withdrawn as by its tombstone. Withdrawing more than a set share
//! of a record type, or any critical equipment, takes an operator's decision.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Mode, RecordType, SyncId, SyncState,
    audit::AuditAction,
    missing_records::{MissingCount, MissingPolicy, MissingState, question},
};
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count},
        statement::{statement, word_list},
    },
    ledger::{
        audit::audit_append,
        syncs::{StoredSync, sync_lock},
    },
    records::{STATE_COLUMNS, TableSchema, row_image_sql, table_name, table_schema},
    settings::sync_settings::settings_read,
};

/// Result of deciding about missing records.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum MissingRecordsDecided {
    Decided {
        deactivated: u64,
    },
    /// The sync asks nothing.
    NotAsked,
    /// This later full sync has newer knowledge of what is listed.
    Overtaken(SyncId),
    /// There is no such sync.
    Unknown,
}

/// Finds missing records at the end of a full sync without dead tasks, and keeps or withdraws them. Returns the
/// question to an operator, if there is one.
pub(crate) async fn reconcile(
    db: &mut Db,
    sync: &StoredSync,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let (Mode::Full, Some(since)) = (sync.mode, sync.running_at) else { return Ok(None) };
    let mut found = Vec::new();
    for record_type in RecordType::ALL {
        found.push(missing_find(db, sync.id, *record_type, since).await?);
    }
    let total: u64 = found.iter().map(|found| found.missing).sum();
    if total == 0 {
        return Ok(None);
    }
    let settings = settings_read(db).await?;
    let question = question(&found, u64::from(settings.deactivation_limit_percent));
    let state = match (settings.missing_records, &question, sync.dry_run) {
        (MissingPolicy::Keep, _, _) => MissingState::Kept,
        (MissingPolicy::Deactivate, Some(_), _) => MissingState::Asks,
        (MissingPolicy::Deactivate, None, true) => MissingState::Planned,
        (MissingPolicy::Deactivate, None, false) => {
            missing_deactivate(db, sync.id, since, now).await?;
            MissingState::Deactivated
        }
    };
    statement("UPDATE sync_logs SET missing_records = $2 WHERE id = $1")
        .bind::<Uuid, _>(sync.id.as_uuid())
        .bind::<Text, _>(state.as_str())
        .execute(db)
        .await?;
    tracing::warn!(sync.id = %sync.id, records = total, became = state.as_str(), "records are not listed any more");
    Ok(question.filter(|_| state == MissingState::Asks))
}

/// Carries out an operator's decision about the missing records of a sync that asks, and appends to the audit log. In a
/// transaction.
pub async fn missing_records_decide(
    db: &mut Db,
    id: SyncId,
    policy: MissingPolicy,
    actor: &str,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> Result<MissingRecordsDecided, StoreError> {
    let Some(sync) = sync_lock(db, id).await? else { return Ok(MissingRecordsDecided::Unknown) };
    let (Some(MissingState::Asks), Some(since), false) =
        (sync.missing_records, sync.running_at, sync.dry_run)
    else {
        return Ok(MissingRecordsDecided::NotAsked);
    };
    // Also an active one, which may be about to find the records again.
    let text = format!(
        "SELECT id FROM sync_logs WHERE mode = '{}' AND NOT dry_run AND started_at > $1
             AND state NOT IN {} ORDER BY started_at DESC LIMIT 1",
        Mode::Full,
        word_list([SyncState::Failed, SyncState::Cancelled].map(SyncState::as_str)),
    );
    let later: Vec<uuid::Uuid> =
        statement(&text).bind::<Timestamptz, _>(sync.started_at).returning::<Uuid>().load(db).await?;
    if let Some(later) = later.into_iter().next() {
        return Ok(MissingRecordsDecided::Overtaken(SyncId::from_uuid(later)));
    }
    let (deactivated, state) = match policy {
        MissingPolicy::Keep => (0, MissingState::Declined),
        MissingPolicy::Deactivate => (missing_deactivate(db, id, since, now).await?, MissingState::Confirmed),
    };
    statement("UPDATE sync_logs SET missing_records = $2 WHERE id = $1")
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(state.as_str())
        .execute(db)
        .await?;
    let detail = json!({ "decision": policy.as_str(), "deactivated": deactivated, "reason": reason });
    audit_append(db, actor, AuditAction::SyncConfirm, &id.to_string(), &detail, now).await?;
    Ok(MissingRecordsDecided::Decided { deactivated })
}

async fn missing_find(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    since: DateTime<Utc>,
) -> Result<MissingCount, StoreError> {
    let seen = match record_type {
        RecordType::Company => "SELECT source_id FROM sync_companies_seen WHERE sync_id = $1",
        _ => "SELECT unnest(source_ids) AS source_id FROM sync_seen WHERE sync_id = $1 AND record_type = $2",
    };
    let table = table_name(record_type);
    let critical = if record_type == RecordType::Equipment { "t.is_critical" } else { "false" };
    // EXCEPT and no anti-join: without statistics of a table that was filled a moment ago, the planner may scan all ids
    // for each row. If no row is older than the sync, as in a first load, the ids are not read at all.
    let text = format!(
        "WITH older AS (SELECT source_id FROM {table} WHERE status = 'active' AND synced_at < $3),
         gone AS (SELECT source_id FROM older EXCEPT {seen} AND EXISTS (SELECT FROM older)),
         missing AS (INSERT INTO sync_missing (sync_id, record_type, source_id)
             SELECT $1, $2, source_id FROM gone ON CONFLICT DO NOTHING RETURNING source_id)
         SELECT n,
             CASE WHEN n = 0 THEN 0 ELSE (SELECT count(*) FROM {table} WHERE status = 'active') END,
             CASE WHEN n = 0 THEN 0
                 ELSE (SELECT count(*) FROM missing m JOIN {table} t ON t.source_id = m.source_id WHERE {critical}) END
         FROM (SELECT count(*) AS n FROM missing) AS counted"
    );
    let (missing, active, critical): (i64, i64, i64) = statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Timestamptz, _>(since)
        .returning::<(Int8, Int8, Int8)>()
        .get_result(db)
        .await?;
    if missing > 0 {
        statement(
            "INSERT INTO sync_counts AS c (sync_id, record_type, missing) VALUES ($1, $2, $3)
             ON CONFLICT (sync_id, record_type) DO UPDATE SET missing = excluded.missing",
        )
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Int8, _>(missing)
        .execute(db)
        .await?;
    }
    Ok(MissingCount {
        record_type,
        missing: count(missing),
        active: count(active),
        critical: count(critical),
    })
}

/// Withdraws the missing records of a sync that were not written since. The rows remember why: a record that is listed
/// again becomes active again.
async fn missing_deactivate(
    db: &mut Db,
    sync_id: SyncId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let mut deactivated = 0;
    for record_type in RecordType::ALL {
        let TableSchema { table, columns, .. } = table_schema(*record_type);
        // The same statement keeps the rows' images, so that the sync can be undone.
        let text = format!(
            "WITH gone AS (
                 SELECT t.id FROM {table} AS t JOIN sync_missing m ON m.source_id = t.source_id
                 WHERE m.sync_id = $1 AND m.record_type = $2 AND t.status = 'active' AND t.synced_at < $3
                 ORDER BY t.source_id FOR NO KEY UPDATE OF t
             ), kept AS (
                 INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image)
                 SELECT $1, $2, t.id, t.synced_by, {} FROM {table} AS t JOIN gone ON gone.id = t.id
             )
             UPDATE {table} AS t SET status = 'withdrawn', missing_since = $4, updated_at = $4, synced_by = $1,
                 synced_at = greatest($4, t.synced_at + interval '1 microsecond')
             FROM gone WHERE gone.id = t.id",
            row_image_sql(columns.into_iter().chain(STATE_COLUMNS))
        );
        let rows = statement(&text)
            .bind::<Uuid, _>(sync_id.as_uuid())
            .bind::<Text, _>(record_type.as_str())
            .bind::<Timestamptz, _>(since)
            .bind::<Timestamptz, _>(now)
            .execute(db)
            .await?;
        if rows > 0 {
            statement("UPDATE sync_counts SET deactivated = $3 WHERE sync_id = $1 AND record_type = $2")
                .bind::<Uuid, _>(sync_id.as_uuid())
                .bind::<Text, _>(record_type.as_str())
                .bind::<Int8, _>(i64::try_from(rows).unwrap_or(i64::MAX))
                .execute(db)
                .await?;
        }
        deactivated += rows as u64;
    }
    Ok(deactivated)
}
