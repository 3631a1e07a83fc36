//! How many messages of a queue a consumer has in hand at most.

use std::future::pending;

use tokio::sync::watch;

/// A fixed number of messages, or one that follows what the worker measures.
#[derive(Debug)]
pub struct Prefetch {
    limit: watch::Receiver<u16>,
    /// Of a fixed number: nobody else has a sender.
    _fixed: Option<watch::Sender<u16>>,
}

impl Prefetch {
    #[must_use]
    pub fn fixed(limit: u16) -> Self {
        let (sender, limit) = watch::channel(limit);
        Self { limit, _fixed: Some(sender) }
    }

    /// The newest number of `limit`.
    #[must_use]
    pub const fn following(limit: watch::Receiver<u16>) -> Self {
        Self { limit, _fixed: None }
    }

    /// The number now.
    pub(crate) fn limit(&mut self) -> u16 {
        *self.limit.borrow_and_update()
    }

    /// Waits for another number.
    pub(crate) async fn changed(&mut self) {
        if self.limit.changed().await.is_err() {
            pending::<()>().await;
        }
    }
}
