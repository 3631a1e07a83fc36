//! States that are older than the rows though they were fetched later: the onboarding portal has gone back in time, as
//! after the restore of a backup. Its records stand rejected until an operator accepts its state.
//!
//! Accepting lowers the versions of the rows, so that whatever the portal lists is newer, and fetches exactly these
//! records again. Edits of the maintenance portal keep their time: they meet the portal's state as a conflict.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, Scope, SyncId, SyncState, audit::AuditAction, last_write_wins::Writer};
use serde_json::json;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::{
        audit::audit_append,
        syncs::{NewSync, SyncCreated, sync_create, sync_lock},
    },
    records::{table_name, vessel_of_each_company},
};

/// The code of the findings of such records.
const CODE: &str = "older_than_here";
/// Most records that one call accepts: their ids are the scope of one sync.
pub const OLDER_STATES_LIMIT: usize = 5_000;
/// Older than whatever the onboarding portal lists.
const LOWEST_VERSION: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// Result of accepting the older states that a sync met.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum OlderStatesAccepted {
    Accepted {
        /// Records whose older state the new sync fetches.
        records: u64,
        /// Records that are left for a further call.
        left: u64,
        /// The new sync, whose command is unpublished.
        sync: SyncId,
    },
    /// So many records stand rejected, and not as many as the operator has seen.
    CountDiffers(u64),
    /// The sync has not ended.
    Active(SyncState),
    /// There is no such sync.
    Unknown,
}

/// How many records stand rejected since this sync because their state is older than the row, by type. Records whose
/// state was accepted do not count any more.
pub async fn older_states_count(db: &mut Db, id: SyncId) -> Result<BTreeMap<RecordType, u64>, StoreError> {
    let mut counts = BTreeMap::new();
    for record_type in RecordType::ALL {
        let ids = older_states(db, id, *record_type).await?;
        if !ids.is_empty() {
            counts.insert(*record_type, ids.len() as u64);
        }
    }
    Ok(counts)
}

/// Accepts the older states that a sync met, at most [`OLDER_STATES_LIMIT`]: lowers the versions of the rows, and creates
/// a sync that fetches these records again. `expected`: how many the operator has seen. `new` holds who asks and why; its
/// scope is made here. Appends to the audit log. In a transaction.
pub async fn older_states_accept(
    db: &mut Db,
    id: SyncId,
    new: &NewSync,
    expected: u64,
    now: DateTime<Utc>,
) -> Result<OlderStatesAccepted, StoreError> {
    let Some(sync) = sync_lock(db, id).await? else { return Ok(OlderStatesAccepted::Unknown) };
    if !sync.state.is_terminal() {
        return Ok(OlderStatesAccepted::Active(sync.state));
    }
    let mut found = BTreeMap::new();
    for record_type in RecordType::ALL {
        found.insert(*record_type, older_states(db, id, *record_type).await?);
    }
    let total: usize = found.values().map(Vec::len).sum();
    if total as u64 != expected || total == 0 {
        return Ok(OlderStatesAccepted::CountDiffers(total as u64));
    }
    let mut room = OLDER_STATES_LIMIT;
    for source_ids in found.values_mut() {
        source_ids.truncate(room);
        room -= source_ids.len();
    }
    found.retain(|_, source_ids| !source_ids.is_empty());
    let mut counts = BTreeMap::new();
    for (record_type, source_ids) in &found {
        versions_lower(db, *record_type, source_ids).await?;
        counts.insert(record_type.as_str(), source_ids.len());
    }
    let records = counts.values().sum::<usize>() as u64;
    let scope = Scope { source_ids: fetchable(db, found).await?, ..Scope::default() };
    let new = NewSync { scope, retry_of: Some(id), dry_run: false, ..new.clone() };
    if sync_create(db, &new, now).await? != SyncCreated::Created {
        return Err(StoreError::Statement(diesel::result::Error::RollbackTransaction));
    }
    let left = total as u64 - records;
    let detail = json!({ "records": counts, "left": left, "retry": new.id, "reason": new.reason });
    audit_append(db, &new.requested_by, AuditAction::SyncAcceptOlder, &id.to_string(), &detail, now).await?;
    Ok(OlderStatesAccepted::Accepted { records, left, sync: new.id })
}

/// The records of a type that stand rejected since this sync because their state is older than the row. A company
/// without an active vessel is left out: companies are fetched with their vessels.
async fn older_states(db: &mut Db, id: SyncId, record_type: RecordType) -> Result<Vec<String>, StoreError> {
    let is_fetchable = match record_type {
        RecordType::Company => {
            "EXISTS (SELECT FROM vessels v WHERE v.company_id = t.id AND v.status = 'active')"
        }
        RecordType::Vessel | RecordType::Equipment | RecordType::User => "true",
    };
    let text = format!(
        "SELECT DISTINCT f.source_id FROM record_findings f JOIN {table} t ON t.source_id = f.source_id
         WHERE f.sync_id = $1 AND f.record_type = $2 AND f.code = '{CODE}' AND f.severity = 'error'
             AND t.source_updated_at > $3 AND {is_fetchable} ORDER BY f.source_id",
        table = table_name(record_type),
    );
    Ok(statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Text, _>(record_type.as_str())
        .bind::<Timestamptz, _>(LOWEST_VERSION)
        .returning::<Text>()
        .load(db)
        .await?)
}

/// Lowers the versions of rows; locks them in the order of their ids, as a sync does. A row that the maintenance portal
/// has edited keeps the time of the edit.
async fn versions_lower(
    db: &mut Db,
    record_type: RecordType,
    source_ids: &[String],
) -> Result<(), StoreError> {
    let text = format!(
        "WITH locked AS (
             SELECT id FROM {table} WHERE source_id = ANY($1) ORDER BY source_id FOR NO KEY UPDATE
         )
         UPDATE {table} AS t SET source_updated_at = $2, fetched_at = $2,
             version_at = CASE WHEN t.last_writer = '{onboarding}' THEN $2 ELSE t.version_at END
         FROM locked WHERE locked.id = t.id",
        table = table_name(record_type),
        onboarding = Writer::Onboarding,
    );
    statement(&text)
        .bind::<Array<Text>, _>(source_ids)
        .bind::<Timestamptz, _>(LOWEST_VERSION)
        .execute(db)
        .await?;
    Ok(())
}

/// The ids by which these records can be fetched: each company with one of its vessels.
async fn fetchable(
    db: &mut Db,
    mut found: BTreeMap<RecordType, Vec<String>>,
) -> Result<BTreeMap<RecordType, Vec<String>>, StoreError> {
    if let Some(companies) = found.remove(&RecordType::Company) {
        let of_companies = vessel_of_each_company(db, &companies).await?;
        let vessels = found.entry(RecordType::Vessel).or_default();
        let all: BTreeSet<String> = vessels.drain(..).chain(of_companies).collect();
        vessels.extend(all);
    }
    Ok(found)
}
