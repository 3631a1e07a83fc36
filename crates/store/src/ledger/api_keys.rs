//! API keys of services: rows of `api_keys`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::audit::AuditAction;
use serde_json::{Value, json};

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        page::{Page, Window},
        statement::statement,
    },
    ledger::audit::audit_append,
};

/// How long a key that has ended is listed.
const RETENTION: TimeDelta = TimeDelta::days(400);

/// Rows that may exist. Every process holds all active ones in memory.
pub const API_KEYS_LIMIT: u64 = 1_000;

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: uuid::Uuid,
    pub name: String,
    /// Word of a role; the table's CHECK knows the words.
    pub role: String,
    pub secret_hash: Vec<u8>,
    pub created_at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub created_by: String,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// The key that it was replaced by.
    pub replaced_by: Option<uuid::Uuid>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// A key to be added.
#[derive(Debug, Clone)]
pub struct NewApiKey<'k> {
    pub id: uuid::Uuid,
    pub name: &'k str,
    pub role: &'k str,
    pub secret_hash: [u8; 32],
    pub expires_at: DateTime<Utc>,
}

/// Who changes keys, why and when: for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct KeyChange<'k> {
    pub actor: &'k str,
    pub reason: Option<&'k str>,
    pub now: DateTime<Utc>,
}

impl KeyChange<'_> {
    async fn record(
        self,
        db: &mut Db,
        action: AuditAction,
        key: &ApiKey,
        more: Value,
    ) -> Result<(), StoreError> {
        let mut detail = json!({ "name": key.name, "role": key.role, "reason": self.reason });
        if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
            detail.extend(more);
        }
        audit_append(db, self.actor, action, &key.id.to_string(), &detail, self.now).await
    }
}

/// Adds a key, with its entry in the audit log. `None` if there are [`API_KEYS_LIMIT`] keys that have not ended.
pub async fn api_key_add(
    db: &mut Db,
    new: &NewApiKey<'_>,
    change: KeyChange<'_>,
) -> Result<Option<ApiKey>, StoreError> {
    let Some(key) = insert(db, new, change).await? else { return Ok(None) };
    change.record(db, AuditAction::ApiKeyCreate, &key, json!({ "expiresAt": key.expires_at })).await?;
    Ok(Some(key))
}

/// Adds a key in the place of an active one, which ends at `ends_at` or as it would have. `None` for the new one if there are
/// [`API_KEYS_LIMIT`] keys that have not ended.
pub async fn api_key_rotate(
    db: &mut Db,
    old: &ApiKey,
    ends_at: DateTime<Utc>,
    new: &NewApiKey<'_>,
    change: KeyChange<'_>,
) -> Result<Option<ApiKey>, StoreError> {
    let Some(key) = insert(db, new, change).await? else { return Ok(None) };
    statement("UPDATE api_keys SET expires_at = least(expires_at, $2), replaced_by = $3 WHERE id = $1")
        .bind::<Uuid, _>(old.id)
        .bind::<Timestamptz, _>(ends_at)
        .bind::<Uuid, _>(new.id)
        .execute(db)
        .await?;
    let more = json!({ "expiresAt": key.expires_at, "replaces": old.id, "replacedEndsAt": ends_at });
    change.record(db, AuditAction::ApiKeyRotate, &key, more).await?;
    Ok(Some(key))
}

/// Ends a key at once. `None`: there is no such key, or it was revoked before.
pub async fn api_key_revoke(
    db: &mut Db,
    id: uuid::Uuid,
    change: KeyChange<'_>,
) -> Result<Option<ApiKey>, StoreError> {
    let sql = format!(
        "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING {COLUMNS}"
    );
    let rows: Vec<Columns> = statement(&sql)
        .bind::<Uuid, _>(id)
        .bind::<Timestamptz, _>(change.now)
        .returning::<SqlColumns>()
        .load(db)
        .await?;
    let Some(key) = rows.into_iter().next().map(api_key) else { return Ok(None) };
    change.record(db, AuditAction::ApiKeyRevoke, &key, json!({})).await?;
    Ok(Some(key))
}

/// A key, locked until the end of the transaction.
pub async fn api_key_find(db: &mut Db, id: uuid::Uuid) -> Result<Option<ApiKey>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE id = $1 FOR UPDATE");
    let rows: Vec<Columns> = statement(&sql).bind::<Uuid, _>(id).returning::<SqlColumns>().load(db).await?;
    Ok(rows.into_iter().next().map(api_key))
}

/// All keys, in no order: for the list that each process holds in memory.
pub async fn api_keys_all(db: &mut Db) -> Result<Vec<ApiKey>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys");
    let rows: Vec<Columns> = statement(&sql).returning::<SqlColumns>().load(db).await?;
    Ok(rows.into_iter().map(api_key).collect())
}

/// A page of the keys, by name, the newest of a name first.
pub async fn api_key_list(db: &mut Db, window: Window<()>) -> Result<Page<ApiKey>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM api_keys ORDER BY name, created_at DESC, id LIMIT $1 OFFSET $2");
    let rows: Vec<Columns> = statement(&sql)
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .returning::<SqlColumns>()
        .load(db)
        .await?;
    let total: i64 = statement("SELECT count(*) FROM api_keys").returning::<Int8>().get_result(db).await?;
    Ok(Page::of(rows.into_iter().map(api_key).collect(), window.limit, total))
}

/// Notes when keys were used last. Of uses within a minute the first one is noted.
pub async fn api_key_uses_note(
    db: &mut Db,
    uses: &BTreeMap<uuid::Uuid, DateTime<Utc>>,
) -> Result<(), StoreError> {
    statement(
        "UPDATE api_keys k SET last_used_at = u.used_at
         FROM unnest($1, $2) AS u (id, used_at)
         WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.used_at - interval '1 minute')",
    )
    .bind::<Array<Uuid>, _>(uses.keys().copied().collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(uses.values().copied().collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

async fn insert(
    db: &mut Db,
    new: &NewApiKey<'_>,
    change: KeyChange<'_>,
) -> Result<Option<ApiKey>, StoreError> {
    // Those that have ended make room, the oldest first; they stay in the audit log.
    statement(
        "DELETE FROM api_keys WHERE least(expires_at, revoked_at) < $1 OR id IN (
             SELECT id FROM api_keys WHERE least(expires_at, revoked_at) <= $2 ORDER BY least(expires_at, revoked_at)
             LIMIT greatest(0, (SELECT count(*) FROM api_keys) - $3 + 1))",
    )
    .bind::<Timestamptz, _>(change.now - RETENTION)
    .bind::<Timestamptz, _>(change.now)
    .bind::<Int8, _>(API_KEYS_LIMIT as i64)
    .execute(db)
    .await?;
    let sql = format!(
        "INSERT INTO api_keys (id, name, role, secret_hash, created_at, created_by, expires_at)
         SELECT $1, $2, $3, $4, $5, $6, $7 WHERE (SELECT count(*) FROM api_keys) < $8
         RETURNING {COLUMNS}"
    );
    let rows: Vec<Columns> = statement(&sql)
        .bind::<Uuid, _>(new.id)
        .bind::<Text, _>(new.name)
        .bind::<Text, _>(new.role)
        .bind::<Bytea, _>(new.secret_hash.to_vec())
        .bind::<Timestamptz, _>(change.now)
        .bind::<Text, _>(change.actor)
        .bind::<Timestamptz, _>(new.expires_at)
        .bind::<Int8, _>(API_KEYS_LIMIT as i64)
        .returning::<SqlColumns>()
        .load(db)
        .await?;
    Ok(rows.into_iter().next().map(api_key))
}

const COLUMNS: &str =
    "id, name, role, secret_hash, created_at, created_by, expires_at, revoked_at, replaced_by, last_used_at";

type SqlColumns = (
    Uuid,
    Text,
    Text,
    Bytea,
    Timestamptz,
    Text,
    Timestamptz,
    Nullable<Timestamptz>,
    Nullable<Uuid>,
    Nullable<Timestamptz>,
);

type Columns = (
    uuid::Uuid,
    String,
    String,
    Vec<u8>,
    DateTime<Utc>,
    String,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
    Option<uuid::Uuid>,
    Option<DateTime<Utc>>,
);

fn api_key(row: Columns) -> ApiKey {
    let (
        id,
        name,
        role,
        secret_hash,
        created_at,
        created_by,
        expires_at,
        revoked_at,
        replaced_by,
        last_used_at,
    ) = row;
    ApiKey {
        id,
        name,
        role,
        secret_hash,
        created_at,
        created_by,
        expires_at,
        revoked_at,
        replaced_by,
        last_used_at,
    }
}
