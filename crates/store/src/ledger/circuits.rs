//! Circuit breakers of workers that are not closed: rows of `circuits`.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::circuit::OpenCircuitState;

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    statement::statement,
};

/// A circuit breaker that is not closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCircuit {
    /// The worker's process.
    pub instance: uuid::Uuid,
    /// The system that the circuit leads to.
    pub peer: String,
    pub state: OpenCircuitState,
    /// When the circuit opened.
    pub since: DateTime<Utc>,
    /// The failure that opened the circuit, or kept it open.
    pub failure: String,
    /// When the process last reported the circuit.
    pub reported_at: DateTime<Utc>,
}

/// Reports a circuit that is not closed.
pub async fn circuit_report(db: &mut Db, circuit: &OpenCircuit) -> Result<(), StoreError> {
    statement(
        "INSERT INTO circuits (instance, peer, state, since, failure, reported_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (instance, peer) DO UPDATE SET state = excluded.state, since = excluded.since,
             failure = excluded.failure, reported_at = excluded.reported_at",
    )
    .bind::<Uuid, _>(circuit.instance)
    .bind::<Text, _>(&circuit.peer)
    .bind::<Text, _>(circuit.state.as_str())
    .bind::<Timestamptz, _>(circuit.since)
    .bind::<Text, _>(&circuit.failure)
    .bind::<Timestamptz, _>(circuit.reported_at)
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets a circuit that is closed, or whose process ends.
pub async fn circuit_forget(db: &mut Db, instance: uuid::Uuid, peer: &str) -> Result<(), StoreError> {
    statement("DELETE FROM circuits WHERE instance = $1 AND peer = $2")
        .bind::<Uuid, _>(instance)
        .bind::<Text, _>(peer)
        .execute(db)
        .await?;
    Ok(())
}

/// Circuits that were reported since `after`, the longest open first.
pub async fn circuits_open(db: &mut Db, after: DateTime<Utc>) -> Result<Vec<OpenCircuit>, StoreError> {
    type Columns = (uuid::Uuid, String, String, DateTime<Utc>, String, DateTime<Utc>);
    let rows: Vec<Columns> = statement(
        "SELECT instance, peer, state, since, failure, reported_at FROM circuits WHERE reported_at > $1 ORDER BY since",
    )
    .bind::<Timestamptz, _>(after)
    .returning::<(Uuid, Text, Text, Timestamptz, Text, Timestamptz)>()
    .load(db)
    .await?;
    rows.into_iter()
        .map(|(instance, peer, state, since, failure, reported_at)| {
            let state = word("circuits", "state", instance, &state)?;
            Ok(OpenCircuit { instance, peer, state, since, failure, reported_at })
        })
        .collect()
}
