//! Acknowledged rejections: rows of `acknowledgements`. An operator knows of the errors that stand about a record, and does not
//! want to be told until a time. It ends before that with the rejection, and covers no other errors.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{RecordType, audit::AuditAction};
use serde_json::json;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count},
        statement::statement,
    },
    ledger::audit::audit_append,
};

/// An acknowledgement as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    pub reason: String,
    pub until: DateTime<Utc>,
    pub acknowledged_at: DateTime<Utc>,
    /// Subject of the operator's token.
    pub acknowledged_by: String,
    /// Whether its time has not come and no other error stands.
    pub holds: bool,
}

/// Acknowledges the errors that stand about a record, and appends to the audit log; a second one replaces the first. None: the
/// record is not rejected. In a transaction.
pub async fn rejection_acknowledge(
    db: &mut Db,
    (record_type, source_id): (RecordType, &str),
    reason: &str,
    until: DateTime<Utc>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Option<Acknowledgement>, StoreError> {
    let stored = statement(
        "INSERT INTO acknowledgements (record_type, source_id, errors, reason, until, acknowledged_at, acknowledged_by)
         SELECT $1, $2, array_agg(DISTINCT code || ' ' || pointer), $3, $4, $5, $6 FROM record_findings
             WHERE record_type = $1 AND source_id = $2 AND severity = 'error' HAVING count(*) > 0
         ON CONFLICT (record_type, source_id) DO UPDATE SET errors = excluded.errors, reason = excluded.reason,
             until = excluded.until, acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by",
    )
    .bind::<Text, _>(record_type.as_str())
    .bind::<Text, _>(source_id)
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(until)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .execute(db)
    .await?;
    if stored == 0 {
        return Ok(None);
    }
    let detail = json!({ "reason": reason, "until": until });
    let subject = subject(record_type, source_id);
    audit_append(db, actor, AuditAction::RejectionAcknowledge, &subject, &detail, now).await?;
    acknowledgement_find(db, record_type, source_id).await
}

/// Takes an acknowledgement back, and appends to the audit log. False: there is none. In a transaction.
pub async fn acknowledgement_withdraw(
    db: &mut Db,
    (record_type, source_id): (RecordType, &str),
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let deleted = statement("DELETE FROM acknowledgements WHERE record_type = $1 AND source_id = $2")
        .bind::<Text, _>(record_type.as_str())
        .bind::<Text, _>(source_id)
        .execute(db)
        .await?;
    if deleted == 0 {
        return Ok(false);
    }
    let subject = subject(record_type, source_id);
    audit_append(db, actor, AuditAction::AcknowledgementWithdraw, &subject, &json!({}), now).await?;
    Ok(true)
}

fn subject(record_type: RecordType, source_id: &str) -> String {
    format!("{record_type} {source_id}")
}

pub async fn acknowledgement_find(
    db: &mut Db,
    record_type: RecordType,
    source_id: &str,
) -> Result<Option<Acknowledgement>, StoreError> {
    type Row = (String, DateTime<Utc>, DateTime<Utc>, String, bool);
    let rows: Vec<Row> = statement(
        "SELECT reason, until, acknowledged_at, acknowledged_by, EXISTS (
             SELECT FROM acknowledged_rejections r WHERE r.record_type = $1 AND r.source_id = $2)
         FROM acknowledgements WHERE record_type = $1 AND source_id = $2",
    )
    .bind::<Text, _>(record_type.as_str())
    .bind::<Text, _>(source_id)
    .returning::<(Text, Timestamptz, Timestamptz, Text, Bool)>()
    .load(db)
    .await?;
    let row = rows.into_iter().next();
    Ok(row.map(|(reason, until, acknowledged_at, acknowledged_by, holds)| Acknowledgement {
        reason,
        until,
        acknowledged_at,
        acknowledged_by,
        holds,
    }))
}

/// How many rejected records are acknowledged.
pub async fn acknowledged_count(db: &mut Db) -> Result<u64, StoreError> {
    let number: i64 =
        statement("SELECT count(*) FROM acknowledged_rejections").returning::<Int8>().get_result(db).await?;
    Ok(count(number))
}
