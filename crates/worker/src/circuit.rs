//! Reports of this worker's circuit towards the onboarding portal: a row while it is not closed.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{circuit::OpenCircuitState, clock::Clock};
use portal_client::CircuitState;
use store::{
    Store, StoreError,
    ledger::circuits::{OpenCircuit, circuit_forget, circuit_report},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The peer's name, in rows and metrics.
const PEER: &str = "onboarding-portal";
/// Between two reports of a circuit that stays as it is: a row that is much older is of a process that vanished.
const REPORT_EVERY: Duration = Duration::from_secs(30);

/// Reports until `stop`.
pub(crate) async fn report(
    store: Store,
    mut circuit: watch::Receiver<CircuitState>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    // Names this process among the workers, for as long as it lives.
    let instance = uuid::Uuid::now_v7();
    let mut since: Option<DateTime<Utc>> = None;
    loop {
        let state = circuit.borrow_and_update().clone();
        let now = clock.now();
        let told = match state {
            CircuitState::Closed => match since.take() {
                Some(_) => forget(&store, instance).await,
                None => Ok(()),
            },
            CircuitState::Open(failure) => {
                let since = *since.get_or_insert(now);
                tell(&store, sick(instance, OpenCircuitState::Open, failure, since, now)).await
            }
            CircuitState::HalfOpen(failure) => {
                let since = *since.get_or_insert(now);
                tell(&store, sick(instance, OpenCircuitState::HalfOpen, failure, since, now)).await
            }
        };
        if let Err(error) = told {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the circuit could not be reported; next time"
            );
        }
        tokio::select! {
            () = stop.cancelled() => break,
            changed = circuit.changed() => if changed.is_err() { break },
            () = tokio::time::sleep(REPORT_EVERY), if since.is_some() => {}
        }
    }
    if since.is_some()
        && let Err(error) = forget(&store, instance).await
    {
        tracing::debug!(error = &error as &dyn std::error::Error, "the circuit's row stays, and grows old");
    }
}

fn sick(
    instance: uuid::Uuid,
    state: OpenCircuitState,
    failure: String,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> OpenCircuit {
    OpenCircuit { instance, peer: PEER.to_owned(), state, since, failure, reported_at: now }
}

async fn tell(store: &Store, circuit: OpenCircuit) -> Result<(), StoreError> {
    circuit_report(&mut *store.db().await?, &circuit).await
}

async fn forget(store: &Store, instance: uuid::Uuid) -> Result<(), StoreError> {
    circuit_forget(&mut *store.db().await?, instance, PEER).await
}
