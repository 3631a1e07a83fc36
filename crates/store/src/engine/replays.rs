//! Dead letters that come, go out again, and what became of that.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{DeadLetterId, SyncId};
use serde_json::Value;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::{
        audit::audit_append,
        dead_letters::{DeadLetterFilter, FILTER, NewDeadLetter, filtered},
        replay_jobs::{NewReplayJob, item_died, items_succeeded, replay_job_find},
    },
};

/// What became of a message out of the dead-letter queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Archived {
    /// It is recorded.
    New,
    /// The same death had been recorded, under this id.
    Already(DeadLetterId),
}

/// Records a message out of the dead-letter queue; it may be acked after the commit.
///
/// # Errors
///
/// If the database fails.
pub async fn dead_letter_archive(
    db: &mut Db,
    letter: &NewDeadLetter,
    now: DateTime<Utc>,
) -> Result<Archived, StoreError> {
    let inserted = statement(
        "INSERT INTO dead_letters (id, message_id, queue, kind, body, headers, class, reason, fingerprint, attempts,
             sync_id, trace_id, died_at, archived_at, replay_of)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, (SELECT id FROM sync_logs WHERE id = $11), $12, $13, $14,
             (SELECT id FROM dead_letters WHERE id = $15))
         ON CONFLICT DO NOTHING",
    )
    .bind::<Uuid, _>(letter.id.as_uuid())
    .bind::<Text, _>(&letter.message_id)
    .bind::<Text, _>(&letter.queue)
    .bind::<Text, _>(&letter.kind)
    .bind::<Binary, _>(&letter.body)
    .bind::<Jsonb, _>(&letter.headers)
    .bind::<Text, _>(letter.class.as_str())
    .bind::<Text, _>(&letter.reason)
    .bind::<Text, _>(&letter.fingerprint)
    .bind::<Int4, _>(i32::try_from(letter.attempts).unwrap_or(i32::MAX))
    .bind::<Nullable<Uuid>, _>(letter.sync_id.map(SyncId::as_uuid))
    .bind::<Nullable<Text>, _>(&letter.trace_id)
    .bind::<Timestamptz, _>(letter.died_at)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Uuid>, _>(letter.replay_of.map(DeadLetterId::as_uuid))
    .execute(db)
    .await?;
    if inserted > 0 {
        if let Some(origin) = letter.replay_of {
            item_died(db, origin, letter.id, now).await?;
        }
        return Ok(Archived::New);
    }
    let there: uuid::Uuid =
        statement("SELECT id FROM dead_letters WHERE message_id = $1 AND queue = $2 AND died_at = $3")
            .bind::<Text, _>(&letter.message_id)
            .bind::<Text, _>(&letter.queue)
            .bind::<Timestamptz, _>(letter.died_at)
            .returning::<Uuid>()
            .get_result(db)
            .await?;
    Ok(Archived::Already(DeadLetterId::from_uuid(there)))
}

/// Asks for dead letters to be tried again, at most `limit`, oldest first, by a job of which nobody asks for more: see
/// [`replay_job_create`]. In a transaction; returns which.
///
/// # Errors
///
/// If the database fails.
pub async fn replay_request(
    db: &mut Db,
    filter: &DeadLetterFilter,
    limit: u32,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Vec<DeadLetterId>, StoreError> {
    let job = NewReplayJob {
        id: uuid::Uuid::now_v7(),
        which: filter.clone(),
        asked: Value::Object(serde_json::Map::new()),
        limit,
        rate_per_second: None,
        requested_by: actor.to_owned(),
        reason: None,
    };
    replay_job_create(db, &job, now).await
}

/// Notes that a replayed message took effect, for the dead letter and those whose replay it was itself. In the
/// transaction of the effect; false if the dead letter is gone or had succeeded before.
///
/// # Errors
///
/// If the database fails.
pub async fn replay_succeed(db: &mut Db, id: DeadLetterId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let marked: Vec<uuid::Uuid> = statement(
        "WITH RECURSIVE origin AS (
             SELECT id, replay_of FROM dead_letters WHERE id = $1
             UNION SELECT d.id, d.replay_of FROM dead_letters d JOIN origin o ON d.id = o.replay_of
         )
         UPDATE dead_letters SET state = 'succeeded', succeeded_at = $2
         WHERE id IN (SELECT id FROM origin) AND state IN ('replaying', 'replayed') RETURNING id",
    )
    .bind::<Uuid, _>(id.as_uuid())
    .bind::<Timestamptz, _>(now)
    .returning::<Uuid>()
    .load(db)
    .await?;
    let any = !marked.is_empty();
    if any {
        items_succeeded(db, &marked, now).await?;
    }
    Ok(any)
}

/// What became of stopping a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum ReplayCancelled {
    /// So many were not published any more, and are dead letters as before.
    Cancelled(u64),
    /// Nothing of it was left to stop.
    Ended,
    /// There is no such job.
    Unknown,
}

/// Asks for dead letters to be tried again, oldest first, with the audit. Those that are being replayed or have succeeded
/// are left alone. In a transaction; returns which.
///
/// # Errors
///
/// If the database fails.
pub async fn replay_job_create(
    db: &mut Db,
    job: &NewReplayJob,
    now: DateTime<Utc>,
) -> Result<Vec<DeadLetterId>, StoreError> {
    statement(
        "INSERT INTO replay_jobs (id, filter, requested_by, reason, rate_per_second, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Uuid, _>(job.id)
    .bind::<Jsonb, _>(&job.asked)
    .bind::<Text, _>(&job.requested_by)
    .bind::<Nullable<Text>, _>(&job.reason)
    .bind::<Nullable<Int4>, _>(job.rate_per_second.map(|n| i32::try_from(n).unwrap_or(i32::MAX)))
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    let text = format!(
        "WITH locked AS (SELECT id, state, archived_at FROM dead_letters
             WHERE {FILTER} AND state IN ('dead', 'replayed')
             ORDER BY archived_at, id LIMIT $9 FOR NO KEY UPDATE),
         chosen AS (SELECT id, state, row_number() OVER (ORDER BY archived_at, id) - 1 AS place FROM locked),
         moved AS (UPDATE dead_letters d SET state = 'replaying', replays = d.replays + 1, replayed_by = $7,
                 replayed_at = $8, published_at = NULL,
                 replay_due_at = $8 + make_interval(secs => (c.place / $10)::double precision)
             FROM chosen c WHERE d.id = c.id),
         taken_over AS (UPDATE replay_items i SET state = 'cancelled', ended_at = $8
             FROM chosen c WHERE i.dead_letter_id = c.id AND i.state IN ('waiting', 'sent'))
         INSERT INTO replay_items (job_id, dead_letter_id, before, state) SELECT $11, id, state, 'waiting' FROM chosen
         RETURNING dead_letter_id"
    );
    let ids: Vec<uuid::Uuid> = filtered(&text, &job.which)
        .bind::<Text, _>(&job.requested_by)
        .bind::<Timestamptz, _>(now)
        .bind::<Int8, _>(i64::from(job.limit))
        .bind::<Nullable<Float8>, _>(job.rate_per_second.map(f64::from))
        .bind::<Uuid, _>(job.id)
        .returning::<Uuid>()
        .load(db)
        .await?;
    for id in &ids {
        let detail = serde_json::json!({ "job": job.id, "reason": job.reason });
        audit_append(db, &job.requested_by, "dead_letter.replay", &id.to_string(), &detail, now).await?;
    }
    Ok(ids.into_iter().map(DeadLetterId::from_uuid).collect())
}

/// Stops a job: what is not published yet is a dead letter as before. In a transaction, with the audit.
///
/// # Errors
///
/// If the database fails.
pub async fn replay_job_cancel(
    db: &mut Db,
    id: uuid::Uuid,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<ReplayCancelled, StoreError> {
    let Some(job) = replay_job_find(db, id).await? else { return Ok(ReplayCancelled::Unknown) };
    // One that the relay has in hand is locked: it is published, and then not taken back.
    let back: Vec<uuid::Uuid> = statement(
        "UPDATE dead_letters d SET state = i.before, replays = d.replays - 1, replay_due_at = NULL
         FROM replay_items i
         WHERE i.job_id = $1 AND i.state = 'waiting' AND d.id = i.dead_letter_id AND d.state = 'replaying'
         RETURNING d.id",
    )
    .bind::<Uuid, _>(id)
    .returning::<Uuid>()
    .load(db)
    .await?;
    if back.is_empty() || job.cancelled_at.is_some() {
        return Ok(ReplayCancelled::Ended);
    }
    let stopped = back.len() as u64;
    statement(
        "UPDATE replay_items SET state = 'cancelled', ended_at = $3 WHERE job_id = $1 AND dead_letter_id = ANY($2)",
    )
    .bind::<Uuid, _>(id)
    .bind::<Array<Uuid>, _>(back)
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    statement("UPDATE replay_jobs SET cancelled_at = $2, cancelled_by = $3 WHERE id = $1")
        .bind::<Uuid, _>(id)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor)
        .execute(db)
        .await?;
    let detail = serde_json::json!({ "stopped": stopped });
    audit_append(db, actor, "replay.cancel", &id.to_string(), &detail, now).await?;
    Ok(ReplayCancelled::Cancelled(stopped))
}
