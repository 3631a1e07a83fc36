//! Tells operators, by a row and by an update where it changes, how the last request to the onboarding portal ended: a portal that refuses every request
//! answers, so its circuit stays closed.

use std::time::Duration;

use domain::peer_outcome::OutcomeClass;
use portal_client::RequestOutcome;
use store::{
    Store, StoreError,
    ledger::peer_outcomes::{PeerOutcome, peer_outcome_note},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::progress::Progress;

/// The peer's name in rows.
const PEER: &str = "onboarding-portal";
/// Between two reports. Of the requests in between only the last one is told of.
const REPORT_INTERVAL: Duration = Duration::from_secs(3);

/// Reports until `stop`.
pub(crate) async fn report(
    store: Store,
    outcomes: watch::Receiver<Option<RequestOutcome>>,
    progress: Progress,
    stop: CancellationToken,
) {
    // Names this process among the workers, for as long as it lives.
    let instance = uuid::Uuid::now_v7();
    let mut reporter = Reporter { store, instance, outcomes, progress, told: OutcomeClass::Ok };
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            changed = reporter.outcomes.changed() => if changed.is_err() { break },
        }
        if !reporter.note().await {
            reporter.outcomes.mark_changed();
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(REPORT_INTERVAL) => {}
        }
    }
    if reporter.outcomes.has_changed().unwrap_or(false) {
        reporter.note().await;
    }
}

struct Reporter {
    store: Store,
    instance: uuid::Uuid,
    outcomes: watch::Receiver<Option<RequestOutcome>>,
    progress: Progress,
    /// What the last update has told. A process begins with good hope.
    told: OutcomeClass,
}

impl Reporter {
    /// Notes the last outcome. False if it could not be noted.
    async fn note(&mut self) -> bool {
        let Some(outcome) = self.outcomes.borrow_and_update().clone() else { return true };
        let RequestOutcome { class, failure, ended_at } = outcome;
        let outcome =
            PeerOutcome { instance: self.instance, peer: PEER.to_owned(), class, failure, ended_at };
        let noted: Result<(), StoreError> =
            async { peer_outcome_note(&mut *self.store.db().await?, &outcome).await }.await;
        if let Err(error) = &noted {
            tracing::debug!(
                error = error as &dyn std::error::Error,
                "the outcome could not be reported; next time"
            );
            return false;
        }
        // After the row: who is told of it reads the row.
        if class != self.told {
            self.told = class;
            self.progress.health(PEER, class, outcome.failure.as_deref());
        }
        true
    }
}
