//! The last outcome of a request to another system, by process: rows of `peer_outcomes`.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::peer_outcome::OutcomeClass;

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    statement::statement,
};

/// How long the outcome of a process that has gone is kept.
const RETENTION: TimeDelta = TimeDelta::days(1);

/// The outcome of a request to another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerOutcome {
    /// The process that sent the request.
    pub instance: uuid::Uuid,
    /// The other system.
    pub peer: String,
    pub class: OutcomeClass,
    /// What went wrong, without secrets; none if nothing did.
    pub failure: Option<String>,
    pub ended_at: DateTime<Utc>,
}

/// Notes the last outcome of a process, and forgets those of processes that have been gone for a day.
pub async fn peer_outcome_note(db: &mut Db, outcome: &PeerOutcome) -> Result<(), StoreError> {
    statement(
        "WITH gone AS (DELETE FROM peer_outcomes WHERE peer = $1 AND instance <> $2 AND ended_at < $6)
         INSERT INTO peer_outcomes (peer, instance, outcome, failure, ended_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (peer, instance) DO UPDATE SET outcome = excluded.outcome, failure = excluded.failure,
             ended_at = excluded.ended_at",
    )
    .bind::<Text, _>(&outcome.peer)
    .bind::<Uuid, _>(outcome.instance)
    .bind::<Text, _>(outcome.class.as_str())
    .bind::<Nullable<Text>, _>(outcome.failure.as_deref())
    .bind::<Timestamptz, _>(outcome.ended_at)
    .bind::<Timestamptz, _>(outcome.ended_at - RETENTION)
    .execute(db)
    .await?;
    Ok(())
}

/// The last outcomes of requests to a peer, one per process, the newest first.
pub async fn peer_outcomes(db: &mut Db, peer: &str) -> Result<Vec<PeerOutcome>, StoreError> {
    type Columns = (uuid::Uuid, String, Option<String>, DateTime<Utc>);
    let rows: Vec<Columns> = statement(
        "SELECT instance, outcome, failure, ended_at FROM peer_outcomes WHERE peer = $1 ORDER BY ended_at DESC",
    )
    .bind::<Text, _>(peer)
    .returning::<(Uuid, Text, Nullable<Text>, Timestamptz)>()
    .load(db)
    .await?;
    rows.into_iter()
        .map(|(instance, class, failure, ended_at)| {
            let class = word("peer_outcomes", "outcome", instance, &class)?;
            Ok(PeerOutcome { instance, peer: peer.to_owned(), class, failure, ended_at })
        })
        .collect()
}
