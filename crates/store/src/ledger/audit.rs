//! The audit log: rows of `audit`, appended and never changed: one per change by an operator, refused attempt, and reading of
//! personal data. At the commit a row joins a chain of hashes, by a trigger; `audit_chain.rs` verifies it.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::audit::AuditAction;
use serde_json::Value;

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window, count_of, page_load},
    statement::{Statement, statement},
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
    /// Of the request that did it.
    pub trace_id: Option<String>,
    pub request_id: Option<String>,
    /// Its place in the chain of hashes; none of entries from before there was one.
    pub position: Option<u64>,
}

/// Which entries to list; empty lists and absent values do not filter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub actors: Vec<String>,
    pub actions: Vec<AuditAction>,
    pub subject: Option<String>,
    pub request_id: Option<String>,
    pub trace_id: Option<String>,
    /// At this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    pub until: Option<DateTime<Utc>>,
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

const COLUMNS: &str = "id, at, actor, action, subject, detail, trace_id, request_id, position";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Int8)]
    id: i64,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Jsonb)]
    detail: Value,
    #[diesel(sql_type = Nullable<Text>)]
    trace_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    request_id: Option<String>,
    #[diesel(sql_type = Nullable<Int8>)]
    position: Option<i64>,
}

impl TryFrom<Row> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: count(row.id),
            at: row.at,
            actor: row.actor,
            action: word("audit", "action", row.id, &row.action)?,
            subject: row.subject,
            detail: row.detail,
            trace_id: row.trace_id,
            request_id: row.request_id,
            position: row.position.map(count),
        })
    }
}

/// Entries of the audit log, newest first.
pub async fn audit_list(
    db: &mut Db,
    filter: &AuditFilter,
    window: Window<u64>,
) -> Result<Page<AuditEntry>, StoreError> {
    let (direction, beyond) = (window.order.direction(), window.order.beyond());
    let rows = format!(
        "SELECT {COLUMNS} FROM audit WHERE {condition} AND ($8 IS NULL OR id {beyond} $8) ORDER BY id {direction} LIMIT $9 OFFSET $10",
        condition = AuditFilter::CONDITION
    );
    let rows = filter.bind(&rows).bind::<Nullable<Int8>, _>(window.after.map(id_number));
    let total = count_of(format_args!("audit WHERE {}", AuditFilter::CONDITION));
    page_load::<Row, _, _>(db, rows, filter.bind(&total), &window).await
}

/// The next entries after the entry `after`, oldest first, at most `limit`: for a walk through the whole log, however long.
pub async fn audit_walk(
    db: &mut Db,
    filter: &AuditFilter,
    after: u64,
    limit: u32,
) -> Result<Vec<AuditEntry>, StoreError> {
    let rows = format!(
        "SELECT {COLUMNS} FROM audit WHERE {} AND id > $8 ORDER BY id LIMIT $9",
        AuditFilter::CONDITION
    );
    let rows: Vec<Row> = filter
        .bind(&rows)
        .bind::<Int8, _>(id_number(after))
        .bind::<Int8, _>(i64::from(limit))
        .load(db)
        .await?;
    rows.into_iter().map(AuditEntry::try_from).collect()
}

fn id_number(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

impl AuditFilter {
    const CONDITION: &'static str = "(cardinality($1) = 0 OR actor = ANY($1))
        AND (cardinality($2) = 0 OR action = ANY($2)) AND ($3 IS NULL OR subject = $3)
        AND ($4 IS NULL OR request_id = $4) AND ($5 IS NULL OR trace_id = $5)
        AND ($6 IS NULL OR at >= $6) AND ($7 IS NULL OR at < $7)";

    /// A statement with the parameters of the condition, the first seven.
    fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        statement(text)
            .bind::<Array<Text>, _>(self.actors.iter().map(String::as_str).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(self.actions.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Nullable<Text>, _>(self.subject.as_deref())
            .bind::<Nullable<Text>, _>(self.request_id.as_deref())
            .bind::<Nullable<Text>, _>(self.trace_id.as_deref())
            .bind::<Nullable<Timestamptz>, _>(self.from)
            .bind::<Nullable<Timestamptz>, _>(self.until)
    }
}
