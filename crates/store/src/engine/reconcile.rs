//! Missing records: found at the end of a full sync, counted, and kept or withdrawn.
//!
//! Every page stores the ids that it listed ([`crate::ledger::seen`]). A record that is active and on no page of a full
//! sync is missing, unless its row was written since the sync began: then it was approved or listed meanwhile.
//!
//! A missing record is never deleted: it is kept, or withdrawn as by its tombstone. Withdrawing more than a set share
//! of a record type within a day, or any critical equipment, takes an operator's decision. Where a record of the list is not
//! accounted for ([`ListReading::doubt`]), the missing ones are counted and stay.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Mode, RecordType, SyncId, SyncState, Tally,
    audit::AuditAction,
    missing_records::{
        ListDoubt, ListReading, MissingCount, MissingPolicy, MissingState, question, unverified,
    },
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
        syncs::{StoredSync, is_undone, sync_lock},
        tallies::tallies_at_end,
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
    /// It was undone: what it withdrew now could never be undone again.
    Undone,
    /// There is no such sync.
    Unknown,
}

/// How long the records that full syncs have withdrawn count for the limit.
const LIMIT_PERIOD: TimeDelta = TimeDelta::days(1);

/// Finds missing records at the end of a full sync that read its lists to their ends, and keeps or withdraws them. Returns
/// what an operator must know of them before the sync is green: a question, or why some could not be judged.
pub(crate) async fn reconcile(
    db: &mut Db,
    sync: &StoredSync,
    now: DateTime<Utc>,
) -> Result<Option<String>, StoreError> {
    let (Mode::Full, Some(since)) = (sync.mode, sync.running_at) else { return Ok(None) };
    let (mut found, mut doubtful) = (Vec::new(), Vec::new());
    // A sync that was resumed, retried or replayed: its pages are of before, and what they lack may have come back since.
    let overtaken = later_full_sync(db, sync).await?.map(|_later| ListDoubt::Overtaken);
    for record_type in RecordType::ALL {
        let missing = missing_find(db, sync.id, *record_type, since, now).await?;
        if missing.missing == 0 {
            continue;
        }
        let doubt = match overtaken {
            None => list_doubt(db, sync.id, *record_type, since).await?,
            overtaken => overtaken,
        };
        match doubt {
            None => found.push(missing),
            Some(doubt) => {
                missing_forget(db, sync.id, *record_type).await?;
                doubtful.push((missing, doubt));
            }
        }
    }
    if found.is_empty() && doubtful.is_empty() {
        return Ok(None);
    }
    let settings = settings_read(db).await?;
    let question = question(&found, u64::from(settings.deactivation_limit_percent));
    let state = match (settings.missing_records, &question, sync.dry_run) {
        (MissingPolicy::Keep, ..) if doubtful.is_empty() => MissingState::Kept,
        (MissingPolicy::Keep, ..) => MissingState::Unverified,
        (MissingPolicy::Deactivate, Some(_), _) => MissingState::Asks,
        (MissingPolicy::Deactivate, None, is_dry_run) => {
            if !is_dry_run {
                missing_deactivate(db, sync.id, since, now).await?;
            }
            match (doubtful.is_empty(), is_dry_run) {
                (false, _) => MissingState::Unverified,
                (true, true) => MissingState::Planned,
                (true, false) => MissingState::Deactivated,
            }
        }
    };
    statement("UPDATE sync_logs SET missing_records = $2 WHERE id = $1")
        .bind::<Uuid, _>(sync.id.as_uuid())
        .bind::<Text, _>(state.as_str())
        .execute(db)
        .await?;
    let records: u64 = found.iter().chain(doubtful.iter().map(|(it, _)| it)).map(|it| it.missing).sum();
    tracing::warn!(sync.id = %sync.id, records, became = state.as_str(), "records are not listed any more");
    if settings.missing_records == MissingPolicy::Keep {
        return Ok(None);
    }
    let texts: Vec<String> = question.into_iter().chain(unverified(&doubtful)).collect();
    Ok((!texts.is_empty()).then(|| texts.join("; ")))
}

/// Why the list of a record type does not show which records are missing. Companies have no list of their own: they come
/// with vessels.
async fn list_doubt(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    since: DateTime<Utc>,
) -> Result<Option<ListDoubt>, StoreError> {
    let tallies = tallies_at_end(db, sync_id).await?;
    let tally_of =
        |of| tallies.iter().copied().find(|it| it.record_type == of).unwrap_or_else(|| Tally::empty(of));
    let list = if record_type == RecordType::Company { RecordType::Vessel } else { record_type };
    let (unexplained, without_id) = ids_not_accounted_for(db, sync_id, list, since).await?;
    let of_list = ListReading { tally: tally_of(list), unexplained, without_id };
    let of_type = ListReading { tally: tally_of(record_type), ..of_list };
    Ok(of_list.doubt().or_else(|| of_type.doubt()))
}

/// Counts what the books of a list do not account for: records that were new while the list was read, and records without a
/// readable id. New are those that had no active row here at `since` and are late, and were not read before; or that were
/// rejected, for the first time: their time may be unreadable.
async fn ids_not_accounted_for(
    db: &mut Db,
    sync_id: SyncId,
    list: RecordType,
    since: DateTime<Utc>,
) -> Result<(u64, u64), StoreError> {
    let text = format!(
        "WITH ids AS (
             SELECT chain, unnest(source_ids) AS id, false AS late FROM sync_seen WHERE sync_id = $1 AND record_type = $2
             UNION ALL
             SELECT chain, unnest(late_ids), true FROM sync_seen WHERE sync_id = $1 AND record_type = $2
         ), each AS (
             SELECT id, count(*) FILTER (WHERE NOT late) AS seen, count(*) FILTER (WHERE late) AS late FROM ids
             GROUP BY chain, id
         ), new AS (
             SELECT id FROM each WHERE late > 0 AND seen <= 1
             UNION SELECT source_id FROM findings f
             WHERE f.sync_id = $1 AND f.record_type = $2 AND f.severity = 'error' AND NOT EXISTS (
                 SELECT FROM findings e JOIN sync_logs s ON s.id = e.sync_id AND NOT s.dry_run
                 WHERE e.sync_id <> $1 AND e.record_type = $2 AND e.source_id = f.source_id)
         ), back AS (
             SELECT o.row_id FROM overwritten o JOIN sync_logs s ON s.id = o.sync_id
             WHERE (s.id = $1 OR s.started_at >= $3) AND o.record_type = $2 AND o.image ->> 'status' <> 'active'
         )
         SELECT (SELECT count(*) FROM new WHERE id <> '' AND NOT EXISTS
                    (SELECT FROM {} t WHERE t.source_id = new.id AND t.created_at < $3
                        AND t.id NOT IN (SELECT row_id FROM back))),
                (SELECT coalesce(sum(seen), 0)::bigint FROM each WHERE id = '')",
        table_name(list)
    );
    let (unexplained, without_id): (i64, i64) = statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(list.as_str())
        .bind::<Timestamptz, _>(since)
        .returning::<(Int8, Int8)>()
        .get_result(db)
        .await?;
    Ok((count(unexplained), count(without_id)))
}

/// Forgets which records are missing, so that nothing withdraws them: their list is in doubt.
async fn missing_forget(db: &mut Db, sync_id: SyncId, record_type: RecordType) -> Result<(), StoreError> {
    statement("DELETE FROM sync_missing WHERE sync_id = $1 AND record_type = $2")
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .execute(db)
        .await?;
    Ok(())
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
    if is_undone(db, id).await? {
        return Ok(MissingRecordsDecided::Undone);
    }
    if let Some(later) = later_full_sync(db, &sync).await? {
        return Ok(MissingRecordsDecided::Overtaken(later));
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

/// The last full sync that was asked for after this one and was neither cancelled nor failed. Also an active one, which may be
/// about to find again what this one lacks.
async fn later_full_sync(db: &mut Db, sync: &StoredSync) -> Result<Option<SyncId>, StoreError> {
    let text = format!(
        "SELECT id FROM sync_logs WHERE mode = '{}' AND NOT dry_run AND started_at > $1
             AND state NOT IN {} ORDER BY started_at DESC LIMIT 1",
        Mode::Full,
        word_list([SyncState::Failed, SyncState::Cancelled].map(SyncState::as_str)),
    );
    let later: Vec<uuid::Uuid> =
        statement(&text).bind::<Timestamptz, _>(sync.started_at).returning::<Uuid>().load(db).await?;
    Ok(later.into_iter().next().map(SyncId::from_uuid))
}

async fn missing_find(
    db: &mut Db,
    sync_id: SyncId,
    record_type: RecordType,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<MissingCount, StoreError> {
    let seen = match record_type {
        // A vessel that was listed and rejected may not have shown its company.
        RecordType::Company => {
            "SELECT source_id FROM (
                 SELECT source_id FROM sync_companies_seen WHERE sync_id = $1
                 UNION SELECT c.source_id FROM findings f JOIN vessels v ON v.source_id = f.source_id
                     JOIN companies c ON c.id = v.company_id
                     WHERE f.sync_id = $1 AND f.record_type = 'vessel' AND f.severity = 'error'
             ) AS seen WHERE true"
        }
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
    let withdrawn_lately = if missing > 0 { withdrawn_lately(db, record_type, now).await? } else { 0 };
    Ok(MissingCount {
        record_type,
        missing: count(missing),
        active: count(active),
        critical: count(critical),
        withdrawn_lately,
    })
}

/// Records that full syncs have withdrawn as missing within [`LIMIT_PERIOD`] and that have not come back, without those that
/// an operator has decided about.
async fn withdrawn_lately(
    db: &mut Db,
    record_type: RecordType,
    now: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let text = format!(
        "SELECT count(*) FROM {} t WHERE t.status = 'withdrawn' AND t.missing_since > $1
             AND NOT EXISTS (SELECT FROM sync_logs s WHERE s.id = t.synced_by AND s.missing_records = '{}')",
        table_name(record_type),
        MissingState::Confirmed
    );
    let withdrawn: i64 = statement(&text)
        .bind::<Timestamptz, _>(now - LIMIT_PERIOD)
        .returning::<Int8>()
        .get_result(db)
        .await?;
    Ok(count(withdrawn))
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
                 INSERT INTO overwritten (sync_id, record_type, row_id, synced_by, image, written_at)
                 SELECT $1, $2, t.id, t.synced_by, {}, $4 FROM {table} AS t JOIN gone ON gone.id = t.id
             )
             UPDATE {table} AS t SET status = 'withdrawn', missing_since = $4, fetched_at = greatest(t.fetched_at, $3),
                 updated_at = $4, synced_by = $1,
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
