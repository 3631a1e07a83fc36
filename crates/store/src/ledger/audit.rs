//! The audit log: rows of `audit`, appended and never changed: one per change by an operator, refused attempt, and reading of
//! personal data. At the commit a row joins a chain of hashes, by a trigger; `audit_chain.rs` verifies it.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::audit::AuditAction;
use serde_json::Value;

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    statement::statement,
};

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Grows.
    pub id: u64,
    pub at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub actor: String,
    pub action: AuditAction,
    /// What was changed.
    pub subject: String,
    /// A JSON object without secrets.
    pub detail: Value,
}

/// Tells the transaction which request it belongs to: the rows that it appends to the audit log name it.
pub async fn audit_origin_set(
    db: &mut Db,
    trace_id: Option<&str>,
    request_id: Option<&str>,
) -> Result<(), StoreError> {
    statement("SELECT set_config('sms.trace_id', $1, true), set_config('sms.request_id', $2, true)")
        .bind::<Text, _>(trace_id.unwrap_or_default())
        .bind::<Text, _>(request_id.unwrap_or_default())
        .execute(db)
        .await?;
    Ok(())
}

/// Appends what an operator does, in the transaction that does it.
pub async fn audit_append(
    db: &mut Db,
    actor: &str,
    action: AuditAction,
    subject: &str,
    detail: &Value,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    statement("INSERT INTO audit (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)")
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor)
        .bind::<Text, _>(action.as_str())
        .bind::<Text, _>(subject)
        .bind::<Jsonb, _>(detail)
        .execute(db)
        .await?;
    Ok(())
}

/// Entries before the entry `before`, newest first.
pub async fn audit_list(db: &mut Db, limit: u32, before: Option<u64>) -> Result<Vec<AuditEntry>, StoreError> {
    let rows: Vec<(i64, DateTime<Utc>, String, String, String, Value)> = statement(
        "SELECT id, at, actor, action, subject, detail FROM audit WHERE $1 IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind::<Nullable<Int8>, _>(before.map(|id| i64::try_from(id).unwrap_or(i64::MAX)))
    .bind::<Int8, _>(i64::from(limit))
    .returning::<(Int8, Timestamptz, Text, Text, Text, Jsonb)>()
    .load(db)
    .await?;
    rows.into_iter()
        .map(|(id, at, actor, action, subject, detail)| {
            let action = word("audit", "action", id, &action)?;
            Ok(AuditEntry { id: count(id), at, actor, action, subject, detail })
        })
        .collect()
}
