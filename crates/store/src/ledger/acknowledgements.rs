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

/// An error that stands about a record, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StandingError {
    pub code: String,
    /// JSON pointer.
    pub pointer: String,
}

/// What is acknowledged.
#[derive(Debug, Clone, Copy)]
pub struct NewAcknowledgement<'a> {
    pub record_type: RecordType,
    pub source_id: &'a str,
    /// The errors that the operator has seen; none: whatever stands.
    pub seen: Option<&'a [StandingError]>,
    pub reason: &'a str,
    pub until: DateTime<Utc>,
}

/// Result of acknowledging a rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum RejectionAcknowledged {
    Acknowledged(Acknowledgement),
    /// These errors stand, and the operator has seen others.
    OthersStand(Vec<StandingError>),
    /// The record is not rejected.
    NotRejected,
}

/// Acknowledges the errors that stand about a record, and appends to the audit log; a second one replaces the first. In a
/// transaction.
pub async fn rejection_acknowledge(
    db: &mut Db,
    new: NewAcknowledgement<'_>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<RejectionAcknowledged, StoreError> {
    let NewAcknowledgement { record_type, source_id, seen, reason, until } = new;
    let mut standing = errors_lock(db, record_type, source_id).await?;
    if standing.is_empty() {
        // Who corrects the record, and who rejects it anew, deletes what stood: after waiting for them the new errors are seen.
        standing = errors_lock(db, record_type, source_id).await?;
    }
    if standing.is_empty() {
        return Ok(RejectionAcknowledged::NotRejected);
    }
    let (keys, mut errors): (Vec<String>, Vec<StandingError>) = standing.into_iter().unzip();
    errors.sort();
    errors.dedup();
    if let Some(seen) = seen {
        let mut seen = seen.to_vec();
        seen.sort();
        seen.dedup();
        if seen != errors {
            return Ok(RejectionAcknowledged::OthersStand(errors));
        }
    }
    statement(
        "INSERT INTO acknowledgements (record_type, source_id, errors, reason, until, acknowledged_at, acknowledged_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (record_type, source_id) DO UPDATE SET errors = excluded.errors, reason = excluded.reason,
             until = excluded.until, acknowledged_at = excluded.acknowledged_at, acknowledged_by = excluded.acknowledged_by",
    )
    .bind::<Text, _>(record_type.as_str())
    .bind::<Text, _>(source_id)
    .bind::<Array<Text>, _>(keys)
    .bind::<Text, _>(reason)
    .bind::<Timestamptz, _>(until)
    .bind::<Timestamptz, _>(now)
    .bind::<Text, _>(actor)
    .execute(db)
    .await?;
    let detail = json!({ "reason": reason, "until": until });
    let subject = subject(record_type, source_id);
    audit_append(db, actor, AuditAction::RejectionAcknowledge, &subject, &detail, now).await?;
    let stored = acknowledgement_find(db, record_type, source_id).await?;
    Ok(stored.map_or(RejectionAcknowledged::NotRejected, RejectionAcknowledged::Acknowledged))
}

/// The errors that stand about a record, locked: who corrects it waits until the acknowledgement is there to be ended.
async fn errors_lock(
    db: &mut Db,
    record_type: RecordType,
    source_id: &str,
) -> Result<Vec<(String, StandingError)>, StoreError> {
    let rows: Vec<(String, String, String)> = statement(
        "SELECT code || ' ' || pointer || ' ' || md5(coalesce(value, '')), code, pointer FROM record_findings
         WHERE record_type = $1 AND source_id = $2 AND severity = 'error' ORDER BY id FOR KEY SHARE",
    )
    .bind::<Text, _>(record_type.as_str())
    .bind::<Text, _>(source_id)
    .returning::<(Text, Text, Text)>()
    .load(db)
    .await?;
    Ok(rows.into_iter().map(|(key, code, pointer)| (key, StandingError { code, pointer })).collect())
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
