//! Dead letters: recording them, replaying them, and recording the result of a replay.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    DeadLetterId, SyncId,
    audit::AuditAction,
    dead_letter::{DeadLetterState, ReplayItemState},
};
use serde_json::Value;

use crate::{
    db::{
        connection::Db,
        error::StoreError,
        statement::{statement, word_list},
    },
    ledger::{
        audit::audit_append,
        dead_letters::{DeadLetterFilter, NewDeadLetter},
        replay_jobs::{NewReplayJob, is_replayable, item_died, items_succeeded, open_items, replay_job_find},
    },
};

/// Result of recording a message of the dead-letter queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Archived {
    New,
    /// The same death was recorded before, under this id.
    Already(DeadLetterId),
}

/// Records a message of the dead-letter queue. The message may be acked after the commit.
pub async fn dead_letter_archive(
    db: &mut Db,
    letter: &NewDeadLetter,
    now: DateTime<Utc>,
) -> Result<Archived, StoreError> {
    let inserted = statement(
        "INSERT INTO dead_letters (id, message_id, queue, kind, body, headers, class, reason, fingerprint, attempts,
             sync_id, trace_id, died_at, archived_at, replay_of, record_type, source_id)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, (SELECT id FROM sync_logs WHERE id = $11), $12, $13, $14,
             (SELECT id FROM dead_letters WHERE id = $15), coalesce(e.record_type, t.record_type), e.source_id
         FROM (SELECT $16 AS id) AS message
         LEFT JOIN webhook_events e ON e.id = message.id LEFT JOIN sync_queue t ON t.id = message.id
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
    .bind::<Nullable<Text>, _>(letter.trace_id.as_deref())
    .bind::<Timestamptz, _>(letter.died_at)
    .bind::<Timestamptz, _>(now)
    .bind::<Nullable<Uuid>, _>(letter.replay_of.map(DeadLetterId::as_uuid))
    .bind::<Nullable<Uuid>, _>(letter.message_id.parse::<uuid::Uuid>().ok())
    .execute(db)
    .await?;
    if inserted > 0 {
        if let Some(origin) = letter.replay_of {
            item_died(db, origin, letter.id, now).await?;
        }
        return Ok(Archived::New);
    }
    let recorded: uuid::Uuid =
        statement("SELECT id FROM dead_letters WHERE message_id = $1 AND queue = $2 AND died_at = $3")
            .bind::<Text, _>(&letter.message_id)
            .bind::<Text, _>(&letter.queue)
            .bind::<Timestamptz, _>(letter.died_at)
            .returning::<Uuid>()
            .get_result(db)
            .await?;
    Ok(Archived::Already(DeadLetterId::from_uuid(recorded)))
}

/// Replays at most `limit` dead letters, the oldest first. As [`replay_job_create`], for a job that has neither a rate
/// nor a reason. Returns the dead letters. In a transaction.
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

/// Marks a dead letter whose replay took effect as succeeded, and with it the dead letters that it descends from. False
/// if the dead letter is gone or had succeeded before. In the transaction of the effect.
pub async fn replay_succeed(db: &mut Db, id: DeadLetterId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let text = format!(
        "WITH RECURSIVE origin AS (
             SELECT id, replay_of FROM dead_letters WHERE id = $1
             UNION SELECT d.id, d.replay_of FROM dead_letters d JOIN origin o ON d.id = o.replay_of
         )
         UPDATE dead_letters SET state = '{succeeded}', succeeded_at = $2
         WHERE id IN (SELECT id FROM origin) AND state IN {replayed} RETURNING id",
        succeeded = DeadLetterState::Succeeded.as_str(),
        replayed =
            word_list([DeadLetterState::Replaying, DeadLetterState::Replayed].map(DeadLetterState::as_str)),
    );
    let succeeded: Vec<uuid::Uuid> = statement(&text)
        .bind::<Uuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .returning::<Uuid>()
        .load(db)
        .await?;
    if succeeded.is_empty() {
        return Ok(false);
    }
    items_succeeded(db, &succeeded, now).await?;
    Ok(true)
}

/// Result of cancelling a replay job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum ReplayCancelled {
    /// Number of dead letters that were not published, and are as before the job.
    Cancelled(u64),
    /// Nothing of the job was left to cancel.
    Ended,
    /// There is no such job.
    Unknown,
}

/// Creates a job that replays dead letters, the oldest first, and appends to the audit log. Letters that are being
/// replayed or have succeeded are left alone. Returns the dead letters of the job. In a transaction.
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
    .bind::<Nullable<Text>, _>(job.reason.as_deref())
    .bind::<Nullable<Int4>, _>(job.rate_per_second.map(|n| i32::try_from(n).unwrap_or(i32::MAX)))
    .bind::<Timestamptz, _>(now)
    .execute(db)
    .await?;
    let text = format!(
        "WITH locked AS (SELECT id, state, archived_at FROM dead_letters
             WHERE {is_replayable} ORDER BY archived_at, id LIMIT $11 FOR NO KEY UPDATE),
         chosen AS (SELECT id, state, row_number() OVER (ORDER BY archived_at, id) - 1 AS place FROM locked),
         moved AS (UPDATE dead_letters d SET state = '{replaying}', replays = d.replays + 1, replayed_by = $9,
                 replayed_at = $10, published_at = NULL,
                 replay_due_at = $10 + make_interval(secs => (c.place / $12)::double precision)
             FROM chosen c WHERE d.id = c.id),
         taken_over AS (UPDATE replay_items i SET state = '{cancelled}', ended_at = $10
             FROM chosen c WHERE i.dead_letter_id = c.id AND i.state IN {open})
         INSERT INTO replay_items (job_id, dead_letter_id, before, state) SELECT $13, id, state, '{waiting}' FROM chosen
         RETURNING dead_letter_id",
        is_replayable = is_replayable(),
        replaying = DeadLetterState::Replaying,
        cancelled = ReplayItemState::Cancelled,
        waiting = ReplayItemState::Waiting,
        open = open_items(),
    );
    let ids: Vec<uuid::Uuid> = job
        .which
        .bind(&text)
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
        audit_append(db, &job.requested_by, AuditAction::DeadLetterReplay, &id.to_string(), &detail, now)
            .await?;
    }
    Ok(ids.into_iter().map(DeadLetterId::from_uuid).collect())
}

/// Cancels a job: what is not published yet is a dead letter as before. Appends to the audit log. In a transaction.
pub async fn replay_job_cancel(
    db: &mut Db,
    id: uuid::Uuid,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<ReplayCancelled, StoreError> {
    let Some(job) = replay_job_find(db, id).await? else { return Ok(ReplayCancelled::Unknown) };
    // A letter that the relay is publishing is locked: this waits for it, and then finds it published.
    let text = format!(
        "UPDATE dead_letters d SET state = i.before, replays = d.replays - 1, replay_due_at = NULL
         FROM replay_items i
         WHERE i.job_id = $1 AND i.state = '{}' AND d.id = i.dead_letter_id AND d.state = '{}'
         RETURNING d.id",
        ReplayItemState::Waiting,
        DeadLetterState::Replaying
    );
    let stopped: Vec<uuid::Uuid> = statement(&text).bind::<Uuid, _>(id).returning::<Uuid>().load(db).await?;
    if stopped.is_empty() || job.cancelled_at.is_some() {
        return Ok(ReplayCancelled::Ended);
    }
    let count = stopped.len() as u64;
    let text = format!(
        "UPDATE replay_items SET state = '{}', ended_at = $3 WHERE job_id = $1 AND dead_letter_id = ANY($2)",
        ReplayItemState::Cancelled
    );
    statement(&text)
        .bind::<Uuid, _>(id)
        .bind::<Array<Uuid>, _>(stopped)
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    statement("UPDATE replay_jobs SET cancelled_at = $2, cancelled_by = $3 WHERE id = $1")
        .bind::<Uuid, _>(id)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(actor)
        .execute(db)
        .await?;
    let detail = serde_json::json!({ "stopped": count });
    audit_append(db, actor, AuditAction::ReplayCancel, &id.to_string(), &detail, now).await?;
    Ok(ReplayCancelled::Cancelled(count))
}
