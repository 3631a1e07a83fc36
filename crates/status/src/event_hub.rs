//! Reads the updates stream of RabbitMQ once per process, and broadcasts each update to all clients of the event stream.
//!
//! It must not know what an update says, nor how it goes over HTTP: see `routes/updates.rs`.

use std::{sync::Arc, time::Duration};

use broker::{BrokerError, ReadFrom, StreamUpdate, Updates};
use futures_util::StreamExt;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// How long the hub waits before it reads the stream again after it lost the broker.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// What a subscriber receives.
#[derive(Debug, Clone)]
pub(crate) enum HubEvent {
    Update(Arc<StreamUpdate>),
    /// Updates may be missing: the client has to fetch its data again.
    Resync,
}

/// Clones share one broadcast channel.
#[derive(Clone)]
pub(crate) struct EventHub {
    sender: broadcast::Sender<HubEvent>,
    updates: Updates,
}

impl EventHub {
    /// `backlog` is the number of updates that wait for a slow subscriber before it gets a [`HubEvent::Resync`].
    pub(crate) fn new(updates: Updates, backlog: usize) -> Self {
        Self { sender: broadcast::channel(backlog).0, updates }
    }

    pub(crate) fn subscriber_count(&self) -> usize {
        self.sender.receiver_count()
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<HubEvent> {
        self.sender.subscribe()
    }

    /// The updates after offset `last`, up to the newest one at the time of the call. None if the stream has dropped some
    /// of them, or never had the offset.
    pub(crate) async fn updates_since(
        &self,
        last: u64,
    ) -> Result<Option<Vec<Arc<StreamUpdate>>>, BrokerError> {
        let (oldest, newest) = (self.updates.oldest_offset().await?, self.updates.newest_offset().await?);
        let (Some(oldest), Some(newest)) = (oldest, newest) else { return Ok(None) };
        if last > newest || last.saturating_add(1) < oldest {
            return Ok(None);
        }
        let mut missed = Vec::new();
        if last == newest {
            return Ok(Some(missed));
        }
        let mut stream = self.updates.read(ReadFrom::Offset(last + 1)).await?;
        while let Some(update) = stream.next().await {
            let update = update?;
            let is_last = update.offset >= newest;
            missed.push(Arc::new(update));
            if is_last {
                break;
            }
        }
        Ok(Some(missed))
    }

    /// Broadcasts the stream until `stop` is cancelled. After a loss of the broker it goes on from the last update that
    /// it read.
    pub(crate) async fn broadcast_until_stopped(self, stop: CancellationToken) {
        let mut last: Option<u64> = None;
        loop {
            let from = last.map_or(ReadFrom::Next, |last| ReadFrom::Offset(last + 1));
            tokio::select! {
                () = stop.cancelled() => return,
                ended = self.broadcast_from(from, &mut last) => if let Err(error) = ended {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the updates stream was lost");
                },
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RECONNECT_DELAY) => {}
            }
            // A broker that lost its disk counts offsets from the beginning.
            if let (Some(seen), Ok(newest)) = (last, self.updates.newest_offset().await)
                && newest.is_none_or(|newest| newest < seen)
            {
                last = None;
            }
            self.sender.send(HubEvent::Resync).ok();
        }
    }

    async fn broadcast_from(&self, from: ReadFrom, last: &mut Option<u64>) -> Result<(), BrokerError> {
        let mut stream = self.updates.read(from).await?;
        while let Some(update) = stream.next().await {
            let update = update?;
            *last = Some(update.offset);
            // An error means that there is no subscriber.
            self.sender.send(HubEvent::Update(Arc::new(update))).ok();
        }
        Ok(())
    }
}
