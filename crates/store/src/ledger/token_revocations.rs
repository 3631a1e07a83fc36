//! Revoked tokens of operators: rows of `token_revocations`.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::audit::AuditAction;
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        page::{Page, Window},
        statement::statement,
    },
    ledger::audit::audit_append,
};

/// How long a row is kept: longer than a token may be valid by any config, which is a year.
const RETENTION: TimeDelta = TimeDelta::days(400);

/// Rows that may exist. Every process holds all of them in memory.
pub const TOKEN_REVOCATIONS_LIMIT: u64 = 10_000;

/// Which tokens are revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedTokens {
    /// The token with this `jti`.
    Token(String),
    /// All tokens of this `sub` that were issued until the revocation.
    Subject(String),
}

/// A revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRevocation {
    pub id: uuid::Uuid,
    pub tokens: RevokedTokens,
    /// Tokens of a subject that were issued later are valid.
    pub issued_until: DateTime<Utc>,
    pub reason: Option<String>,
    pub revoked_at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub revoked_by: String,
}

/// Revokes tokens, with its entry in the audit log. A second revocation of a subject also covers the tokens that were issued
/// in between. `None` if there are [`TOKEN_REVOCATIONS_LIMIT`] rows.
pub async fn token_revocation_add(
    db: &mut Db,
    tokens: &RevokedTokens,
    reason: Option<&str>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Option<TokenRevocation>, StoreError> {
    statement("DELETE FROM token_revocations WHERE revoked_at < $1")
        .bind::<Timestamptz, _>(now - RETENTION)
        .execute(db)
        .await?;
    let (token_id, subject) = match tokens {
        RevokedTokens::Token(id) => (Some(id), None),
        RevokedTokens::Subject(subject) => (None, Some(subject)),
    };
    let conflict = if token_id.is_some() { "token_id" } else { "subject" };
    let sql = format!(
        "INSERT INTO token_revocations (id, token_id, subject, issued_until, reason, revoked_at, revoked_by)
         SELECT $1, $2, $3, $4, $5, $4, $6
         WHERE (SELECT count(*) FROM token_revocations) < $7
            OR EXISTS (SELECT FROM token_revocations WHERE {conflict} = coalesce($2, $3))
         ON CONFLICT ({conflict}) DO UPDATE SET issued_until = excluded.issued_until, reason = excluded.reason,
             revoked_at = excluded.revoked_at, revoked_by = excluded.revoked_by
         RETURNING {COLUMNS}"
    );
    let rows: Vec<Columns> = statement(&sql)
        .bind::<Uuid, _>(uuid::Uuid::now_v7())
        .bind::<Nullable<Text>, _>(token_id)
        .bind::<Nullable<Text>, _>(subject)
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(reason)
        .bind::<Text, _>(actor)
        .bind::<Int8, _>(i64::try_from(TOKEN_REVOCATIONS_LIMIT).unwrap_or(i64::MAX))
        .returning::<SqlColumns>()
        .load(db)
        .await?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let (kind, name) = match tokens {
        RevokedTokens::Token(id) => ("token", id),
        RevokedTokens::Subject(subject) => ("subject", subject),
    };
    let detail = json!({ "revoked": kind, "reason": reason });
    audit_append(db, actor, AuditAction::TokenRevoke, name, &detail, now).await?;
    Ok(Some(revocation(row)))
}

/// All revocations, in no order: for the list that each process holds in memory.
pub async fn token_revocations_all(db: &mut Db) -> Result<Vec<TokenRevocation>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM token_revocations");
    let rows: Vec<Columns> = statement(&sql).returning::<SqlColumns>().load(db).await?;
    Ok(rows.into_iter().map(revocation).collect())
}

/// A page of the revocations, newest first.
pub async fn token_revocation_list(
    db: &mut Db,
    window: Window<()>,
) -> Result<Page<TokenRevocation>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM token_revocations ORDER BY revoked_at DESC, id DESC LIMIT $1 OFFSET $2"
    );
    let rows: Vec<Columns> = statement(&sql)
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .returning::<SqlColumns>()
        .load(db)
        .await?;
    let total: i64 =
        statement("SELECT count(*) FROM token_revocations").returning::<Int8>().get_result(db).await?;
    Ok(Page::of(rows.into_iter().map(revocation).collect(), window.limit, total))
}

const COLUMNS: &str = "id, token_id, subject, issued_until, reason, revoked_at, revoked_by";

type SqlColumns = (Uuid, Nullable<Text>, Nullable<Text>, Timestamptz, Nullable<Text>, Timestamptz, Text);

type Columns =
    (uuid::Uuid, Option<String>, Option<String>, DateTime<Utc>, Option<String>, DateTime<Utc>, String);

fn revocation(row: Columns) -> TokenRevocation {
    let (id, token_id, subject, issued_until, reason, revoked_at, revoked_by) = row;
    // The table's CHECK leaves exactly one of the two.
    let tokens = match (token_id, subject) {
        (Some(token_id), _) => RevokedTokens::Token(token_id),
        (None, subject) => RevokedTokens::Subject(subject.unwrap_or_default()),
    };
    TokenRevocation { id, tokens, issued_until, reason, revoked_at, revoked_by }
}
