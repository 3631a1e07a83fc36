//! Replay jobs: rows of `replay_jobs`, and in `replay_items` the result for each dead letter.
//!
//! A job marks its dead letters as to be replayed; the relay publishes them when they are due. The result of each is noted
//! where it becomes known: published, taken effect, or died again.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    DeadLetterId,
    dead_letter::{DeadLetterState, ReplayItemState},
};
use serde_json::Value;

use crate::{
    db::{
        connection::Db,
        error::{StoreError, count, word},
        page::{Page, Window},
        statement::{statement, word_list},
    },
    ledger::dead_letters::DeadLetterFilter,
};

/// A job that is asked for.
#[derive(Debug, Clone)]
pub struct NewReplayJob {
    pub id: uuid::Uuid,
    /// Which dead letters; of these, those that can be replayed.
    pub which: DeadLetterFilter,
    /// The filter as it was asked for; a JSON object.
    pub asked: Value,
    /// Most dead letters, the oldest first.
    pub limit: u32,
    /// None: as fast as can be.
    pub rate_per_second: Option<u32>,
    pub requested_by: String,
    pub reason: Option<String>,
}

/// A job as it is recorded, with how many of its dead letters have which result so far.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct ReplayJob {
    #[diesel(sql_type = Uuid)]
    pub id: uuid::Uuid,
    /// As it was asked for.
    #[diesel(sql_type = Jsonb)]
    pub filter: Value,
    #[diesel(sql_type = Text)]
    pub requested_by: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Nullable<Int4>)]
    pub rate_per_second: Option<i32>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub cancelled_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub cancelled_by: Option<String>,
    /// When the last dead letter got its result; none while one waits for it.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub completed_at: Option<DateTime<Utc>>,
    /// Dead letters that are not published yet.
    #[diesel(sql_type = Int8)]
    pub waiting: i64,
    /// Dead letters that are published and have no result yet.
    #[diesel(sql_type = Int8)]
    pub sent: i64,
    /// Dead letters whose replay took effect.
    #[diesel(sql_type = Int8)]
    pub succeeded: i64,
    /// Dead letters that died again.
    #[diesel(sql_type = Int8)]
    pub died: i64,
    /// Dead letters that were stopped before they were published, or taken over by a later job.
    #[diesel(sql_type = Int8)]
    pub cancelled: i64,
}

/// One dead letter of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayItem {
    pub dead_letter_id: DeadLetterId,
    pub state: ReplayItemState,
    /// The dead letter that its replay became.
    pub died_as: Option<DeadLetterId>,
    pub ended_at: Option<DateTime<Utc>>,
    /// Why the message had been given up.
    pub reason: String,
}

/// How many dead letters a replay would put back on their way.
pub async fn replay_count(db: &mut Db, which: &DeadLetterFilter) -> Result<u64, StoreError> {
    let text = format!("SELECT count(*) FROM dead_letters WHERE {}", is_replayable());
    Ok(count(which.bind(&text).returning::<Int8>().get_result(db).await?))
}

/// The condition of dead letters that match a filter and that can be replayed: those under replay or with success cannot.
pub(crate) fn is_replayable() -> String {
    let states = [DeadLetterState::Dead, DeadLetterState::Replayed];
    format!("{} AND state IN {}", DeadLetterFilter::CONDITION, word_list(states.map(DeadLetterState::as_str)))
}

fn select_jobs(rest: &str) -> String {
    let [waiting, sent, succeeded, died, cancelled] = [
        ReplayItemState::Waiting,
        ReplayItemState::Sent,
        ReplayItemState::Succeeded,
        ReplayItemState::Died,
        ReplayItemState::Cancelled,
    ]
    .map(|state| format!("count(*) FILTER (WHERE state = '{state}') AS {state}"));
    format!(
        "SELECT j.id, j.filter, j.requested_by, j.reason, j.rate_per_second, j.created_at, j.cancelled_at,
             j.cancelled_by, i.waiting, i.sent, i.succeeded, i.died, i.cancelled,
             CASE WHEN i.waiting + i.sent = 0 THEN coalesce(i.ended_at, j.created_at) END AS completed_at
         FROM replay_jobs j CROSS JOIN LATERAL (
             SELECT {waiting}, {sent}, {succeeded}, {died}, {cancelled}, max(ended_at) AS ended_at
             FROM replay_items WHERE job_id = j.id) i
         {rest}"
    )
}

pub async fn replay_job_find(db: &mut Db, id: uuid::Uuid) -> Result<Option<ReplayJob>, StoreError> {
    let text = select_jobs("WHERE j.id = $1");
    let jobs: Vec<ReplayJob> = statement(&text).bind::<Uuid, _>(id).load(db).await?;
    Ok(jobs.into_iter().next())
}

/// Jobs, newest first.
pub async fn replay_job_list(db: &mut Db, limit: u32, offset: u32) -> Result<Page<ReplayJob>, StoreError> {
    let text = select_jobs("ORDER BY j.created_at DESC, j.id DESC LIMIT $1 OFFSET $2");
    let jobs: Vec<ReplayJob> = statement(&text)
        .bind::<Int8, _>(i64::from(limit) + 1)
        .bind::<Int8, _>(i64::from(offset))
        .load(db)
        .await?;
    let total: i64 = statement("SELECT count(*) FROM replay_jobs").returning::<Int8>().get_result(db).await?;
    Ok(Page::of(jobs, limit, total))
}

/// The dead letters of a job with their results, in the order in which they died.
pub async fn replay_item_list(
    db: &mut Db,
    id: uuid::Uuid,
    state: Option<ReplayItemState>,
    window: Window<()>,
) -> Result<Page<ReplayItem>, StoreError> {
    type Row = (uuid::Uuid, String, Option<uuid::Uuid>, Option<DateTime<Utc>>, String);
    let rows: Vec<Row> = statement(
        "SELECT i.dead_letter_id, i.state, i.died_as, i.ended_at, d.reason
         FROM replay_items i JOIN dead_letters d ON d.id = i.dead_letter_id
         WHERE i.job_id = $1 AND ($4 IS NULL OR i.state = $4) ORDER BY d.archived_at, d.id LIMIT $2 OFFSET $3",
    )
    .bind::<Uuid, _>(id)
    .bind::<Int8, _>(i64::from(window.limit) + 1)
    .bind::<Int8, _>(i64::from(window.offset))
    .bind::<Nullable<Text>, _>(state.map(ReplayItemState::as_str))
    .returning::<(Uuid, Text, Nullable<Uuid>, Nullable<Timestamptz>, Text)>()
    .load(db)
    .await?;
    let total: i64 =
        statement("SELECT count(*) FROM replay_items WHERE job_id = $1 AND ($2 IS NULL OR state = $2)")
            .bind::<Uuid, _>(id)
            .bind::<Nullable<Text>, _>(state.map(ReplayItemState::as_str))
            .returning::<Int8>()
            .get_result(db)
            .await?;
    let item = |(dead_letter_id, state, died_as, ended_at, reason): Row| {
        Ok(ReplayItem {
            state: word("replay_items", "state", dead_letter_id, &state)?,
            dead_letter_id: DeadLetterId::from_uuid(dead_letter_id),
            died_as: died_as.map(DeadLetterId::from_uuid),
            ended_at,
            reason,
        })
    };
    let items = rows.into_iter().map(item).collect::<Result<_, StoreError>>()?;
    Ok(Page::of(items, window.limit, total))
}

/// States of replays without a result yet, as an SQL list.
pub(crate) fn open_items() -> String {
    word_list(ReplayItemState::OPEN.iter().map(|state| state.as_str()))
}

/// Notes that replays were published.
pub(crate) async fn items_sent(db: &mut Db, letters: &[uuid::Uuid]) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE replay_items SET state = '{}' WHERE dead_letter_id = ANY($1) AND state = '{}'",
        ReplayItemState::Sent,
        ReplayItemState::Waiting
    );
    statement(&text).bind::<Array<Uuid>, _>(letters).execute(db).await?;
    Ok(())
}

/// Notes that replays took effect.
pub(crate) async fn items_succeeded(
    db: &mut Db,
    letters: &[uuid::Uuid],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE replay_items SET state = '{}', ended_at = $2 WHERE dead_letter_id = ANY($1) AND state IN {}",
        ReplayItemState::Succeeded,
        open_items()
    );
    statement(&text).bind::<Array<Uuid>, _>(letters).bind::<Timestamptz, _>(now).execute(db).await?;
    Ok(())
}

/// Notes that the replay of `letter` died again, as `died_as`.
pub(crate) async fn item_died(
    db: &mut Db,
    letter: DeadLetterId,
    died_as: DeadLetterId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE replay_items SET state = '{}', died_as = $2, ended_at = $3
         WHERE dead_letter_id = $1 AND state IN {}",
        ReplayItemState::Died,
        open_items()
    );
    statement(&text)
        .bind::<Uuid, _>(letter.as_uuid())
        .bind::<Uuid, _>(died_as.as_uuid())
        .bind::<Timestamptz, _>(now)
        .execute(db)
        .await?;
    Ok(())
}
