//! Retention: rows that are deleted once they are old enough, in batches.
//!
//! Each batch is a transaction of its own, so that a long backlog holds no lock for long. A batch finds its rows by an index,
//! oldest first, and leaves out rows that another transaction has locked: a later batch takes them.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    WebhookState,
    conflict::ConflictState,
    dead_letter::{DeadLetterState, ReplayItemState},
};

use crate::db::{
    connection::Db,
    error::StoreError,
    statement::{statement, word_list},
};

/// A kind of rows that are deleted in time. The audit log, open conflicts, dead letters that were not replayed with
/// success, and postponed messages are none: they stay whatever their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OldRows {
    /// Webhook events that were processed, ignored, or given up, with the attempts at them. A failed event stays with its
    /// dead letter, whose replay needs it.
    WebhookEvents,
    /// Attempts that belong to no sync, unless the dead letter of their message stays or the next attempt is yet to come.
    Attempts,
    /// Replay jobs without an open item.
    ReplayJobs,
    /// Dead letters whose replay has succeeded.
    DeadLetters,
    /// Resolved conflicts.
    Conflicts,
    /// Ended syncs, with their tasks, tallies, attempts and findings, and what they wrote over.
    Syncs,
    /// Ticks of schedules. The last tick of each schedule stays: it says which ticks have been handled.
    Ticks,
    /// Circuits of workers that have not reported them for so long.
    Circuits,
    /// Outcomes of requests by processes that have sent none for so long.
    PeerOutcomes,
}

impl OldRows {
    /// Every kind. Rows that refer to others come before them, so that their references need no update.
    pub const ALL: &'static [Self] = &[
        Self::WebhookEvents,
        Self::Attempts,
        Self::ReplayJobs,
        Self::DeadLetters,
        Self::Conflicts,
        Self::Syncs,
        Self::Ticks,
        Self::Circuits,
        Self::PeerOutcomes,
    ];

    /// The table that the rows are in.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::WebhookEvents => "webhook_events",
            Self::Attempts => "attempts",
            Self::ReplayJobs => "replay_jobs",
            Self::DeadLetters => "dead_letters",
            Self::Conflicts => "conflicts",
            Self::Syncs => "sync_logs",
            Self::Ticks => "schedule_ticks",
            Self::Circuits => "circuits",
            Self::PeerOutcomes => "peer_outcomes",
        }
    }

    /// The statement of a batch: `$1` is the time before which rows are old, `$2` the limit.
    fn delete(self) -> String {
        match self {
            Self::WebhookEvents => format!(
                "WITH old AS MATERIALIZED (
                     SELECT id FROM webhook_events e
                     WHERE received_at < $1 AND state IN {ended} AND NOT (state = '{failed}' AND {has_dead_letter})
                     ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED
                 ), attempts_of_old AS (
                     DELETE FROM attempts WHERE message_id = ANY(ARRAY(SELECT id::text FROM old))
                 )
                 DELETE FROM webhook_events WHERE id = ANY(ARRAY(SELECT id FROM old))",
                ended = word_list(
                    WebhookState::ALL.iter().filter(|state| state.is_terminal()).map(|state| state.as_str())
                ),
                failed = WebhookState::Failed,
                has_dead_letter = has_dead_letter("e.id::text"),
            ),
            Self::Attempts => delete_oldest(
                "attempts",
                &format!(
                    "sync_id IS NULL AND began_at < $1 AND coalesce(next_attempt_at < $1, true) AND NOT {}",
                    has_dead_letter("old_row.message_id")
                ),
                "began_at",
            ),
            Self::ReplayJobs => delete_weighed(
                "replay_jobs",
                &format!(
                    "created_at < $1 AND NOT EXISTS
                         (SELECT FROM replay_items i WHERE i.job_id = old_row.id AND i.state IN {})",
                    word_list(ReplayItemState::OPEN.iter().map(|state| state.as_str()))
                ),
                "created_at",
                "SELECT count(*) AS weight FROM replay_items WHERE job_id = old.id",
            ),
            Self::DeadLetters => delete_oldest(
                "dead_letters",
                &format!("state = '{}' AND succeeded_at < $1", DeadLetterState::Succeeded),
                "succeeded_at",
            ),
            Self::Conflicts => delete_oldest(
                "conflicts",
                &format!("state = '{}' AND resolved_at < $1", ConflictState::Resolved),
                "resolved_at",
            ),
            // A sync ends after its start, so the index of the list, by start, finds what ended long ago.
            Self::Syncs => delete_weighed(
                "sync_logs",
                "started_at < $1 AND completed_at < $1",
                "started_at",
                "SELECT coalesce(sum(read + missing), 0) AS weight FROM sync_counts WHERE sync_id = old.id",
            ),
            Self::Ticks => "WITH old AS MATERIALIZED (
                     SELECT s.name, (SELECT max(due_at) FROM (
                         SELECT due_at FROM schedule_ticks WHERE schedule = s.name AND due_at < least($1,
                             (SELECT max(due_at) FROM schedule_ticks WHERE schedule = s.name))
                         ORDER BY due_at LIMIT $2) AS oldest) AS last
                     FROM schedules s
                 )
                 DELETE FROM schedule_ticks t USING old WHERE t.schedule = old.name AND t.due_at <= old.last"
                .to_owned(),
            Self::Circuits => delete_unreported("circuits", "reported_at"),
            Self::PeerOutcomes => delete_unreported("peer_outcomes", "ended_at"),
        }
    }
}

/// The condition that a dead letter of a message is left to operators. A subquery that counts is looked up by index for
/// each message; the planner may turn `EXISTS` into a scan of all dead letters.
fn has_dead_letter(message_id: &str) -> String {
    format!(
        "(SELECT count(*) FROM dead_letters d WHERE d.message_id = {message_id} AND d.state <> '{}') > 0",
        DeadLetterState::Succeeded
    )
}

/// The statement that deletes the oldest rows that meet the condition, at most `$2`.
///
/// The ids are an array, so that the planner takes the index of the primary key, however many ids it expects.
fn delete_oldest(table: &str, condition: &str, time: &str) -> String {
    format!(
        "WITH old AS MATERIALIZED (
             SELECT id FROM {table} AS old_row WHERE {condition} ORDER BY {time} LIMIT $2 FOR UPDATE SKIP LOCKED
         )
         DELETE FROM {table} WHERE id = ANY(ARRAY(SELECT id FROM old))"
    )
}

/// The statement that deletes what processes reported last before `$1`, of at most `$2` processes. The tables have a few
/// rows per process, so they have no index by time.
fn delete_unreported(table: &str, time: &str) -> String {
    format!(
        "DELETE FROM {table} WHERE {time} < $1
             AND instance = ANY(ARRAY(SELECT instance FROM {table} WHERE {time} < $1 ORDER BY {time} LIMIT $2))"
    )
}

/// The statement that deletes the oldest rows that meet the condition, with the rows that go with them: at most `$2`, or
/// one with whatever goes with it. `weight` asks how many go with the row `old`.
fn delete_weighed(table: &str, condition: &str, time: &str, weight: &str) -> String {
    format!(
        "WITH old AS MATERIALIZED (
             SELECT id, {time} AS at FROM {table} AS old_row WHERE {condition}
             ORDER BY {time} LIMIT $2 FOR UPDATE SKIP LOCKED
         ), weighed AS (
             SELECT id, sum(1 + weight) OVER (ORDER BY at, id) AS total, row_number() OVER (ORDER BY at, id) AS place
             FROM old, LATERAL ({weight}) AS w
         )
         DELETE FROM {table} WHERE id = ANY(ARRAY(SELECT id FROM weighed WHERE total <= $2 OR place = 1))"
    )
}

/// Deletes a batch of rows that ended, or were last reported, before `before`, and returns their number. None: nothing is
/// left to delete. In a transaction.
///
/// A batch has at most `limit` rows. Of syncs and replay jobs, the rows that go with them count as well: a batch is smaller
/// by them, and one sync with more than `limit` records is a batch of its own.
pub async fn retention_purge(
    db: &mut Db,
    rows: OldRows,
    before: DateTime<Utc>,
    limit: u32,
) -> Result<u64, StoreError> {
    let deleted = statement(&rows.delete())
        .bind::<Timestamptz, _>(before)
        .bind::<Int8, _>(i64::from(limit))
        .execute(db)
        .await?;
    Ok(deleted as u64)
}
