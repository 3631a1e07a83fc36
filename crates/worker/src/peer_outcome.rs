//! Tells operators, by a row, how the last request to the onboarding portal ended: a portal that refuses every request
//! answers, so its circuit stays closed.

use std::time::Duration;

use portal_client::RequestOutcome;
use store::{
    Store, StoreError,
    ledger::peer_outcomes::{PeerOutcome, peer_outcome_note},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The peer's name in rows.
const PEER: &str = "onboarding-portal";
/// Between two reports. Of the requests in between only the last one is told of.
const REPORT_INTERVAL: Duration = Duration::from_secs(3);

/// Reports until `stop`.
pub(crate) async fn report(
    store: Store,
    mut outcomes: watch::Receiver<Option<RequestOutcome>>,
    stop: CancellationToken,
) {
    // Names this process among the workers, for as long as it lives.
    let instance = uuid::Uuid::now_v7();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            changed = outcomes.changed() => if changed.is_err() { break },
        }
        if !note(&store, instance, &mut outcomes).await {
            outcomes.mark_changed();
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(REPORT_INTERVAL) => {}
        }
    }
    if outcomes.has_changed().unwrap_or(false) {
        note(&store, instance, &mut outcomes).await;
    }
}

/// Notes the last outcome. False if it could not be noted.
async fn note(
    store: &Store,
    instance: uuid::Uuid,
    outcomes: &mut watch::Receiver<Option<RequestOutcome>>,
) -> bool {
    let Some(outcome) = outcomes.borrow_and_update().clone() else { return true };
    let RequestOutcome { class, failure, ended_at } = outcome;
    let outcome = PeerOutcome { instance, peer: PEER.to_owned(), class, failure, ended_at };
    let noted: Result<(), StoreError> =
        async { peer_outcome_note(&mut *store.db().await?, &outcome).await }.await;
    if let Err(error) = &noted {
        tracing::debug!(
            error = error as &dyn std::error::Error,
            "the outcome could not be reported; next time"
        );
    }
    noted.is_ok()
}
