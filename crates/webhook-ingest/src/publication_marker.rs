//! Marks events as published in the ledger, many with one statement.

use std::time::Duration;

use outbox::Outbox;
use store::ledger::unpublished::UnpublishedId;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

/// How long a confirmed event may wait to be marked: long enough that many are marked at once, and not so many that webhooks
/// wait for the statement. Well below the relay's grace time, after which it would publish the event again.
const MARK_DELAY: Duration = Duration::from_millis(30);
/// Events that are marked with one statement.
const MARK_LIMIT: usize = 2000;

pub(crate) enum MarkRequest {
    /// The broker confirmed these events.
    Confirmed(Vec<UnpublishedId>),
    /// Mark everything that was requested before, then answer.
    Flush(oneshot::Sender<()>),
}

/// Marks events until the sending half of `requests` is dropped.
pub(crate) async fn mark_published(outbox: &Outbox, mut requests: mpsc::Receiver<MarkRequest>) {
    let mut confirmed = Vec::new();
    while let Some(first) = requests.recv().await {
        let mut flush = collect(first, &mut confirmed);
        let due = Instant::now() + MARK_DELAY;
        while flush.is_none() && confirmed.len() < MARK_LIMIT {
            match timeout_at(due, requests.recv()).await {
                Ok(Some(next)) => flush = collect(next, &mut confirmed),
                Ok(None) | Err(_) => break,
            }
        }
        if let Err(error) = outbox.note_published(&confirmed).await {
            // The relay publishes the events again, which is harmless.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                messages.count = confirmed.len(),
                "published events could not be marked"
            );
        }
        confirmed.clear();
        if let Some(flush) = flush {
            let _nobody_waits = flush.send(());
        }
    }
}

fn collect(request: MarkRequest, confirmed: &mut Vec<UnpublishedId>) -> Option<oneshot::Sender<()>> {
    match request {
        MarkRequest::Confirmed(ids) => {
            confirmed.extend(ids);
            None
        }
        MarkRequest::Flush(answer) => Some(answer),
    }
}
