//! Reads the updates stream of RabbitMQ once per process, and broadcasts each update to all clients of the event stream.
//! A client that comes back is sent what it missed by a reader of its own: see [`EventHub::resume`].
//!
//! It must not know what an update says, nor how it goes over HTTP: see `routes/updates.rs`.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use broker::{BrokerError, ReadFrom, StreamUpdate, Updates};
use contracts::messages::SyncUpdate;
use futures_util::StreamExt;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio_util::sync::CancellationToken;

/// How long the hub waits before it reads the stream again after it lost the broker.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);
/// Readers of missed updates at a time. Each has a channel and a consumer at the broker; later ones wait for their turn.
const RESUME_CONCURRENCY: usize = 8;
/// How long a reader of missed updates may wait and read. Then its client fetches its data again instead, so that a client
/// that takes nothing keeps no reader for long.
const RESUME_TIMEOUT: Duration = Duration::from_secs(30);
/// Missed updates that wait between the reader and its client.
const RESUME_BUFFER: usize = 64;
/// In place of the newest offset, while it is not known.
const UNKNOWN_OFFSET: u64 = u64::MAX;

/// An update that all clients share.
#[derive(Debug)]
pub(crate) struct SharedUpdate {
    pub(crate) offset: u64,
    pub(crate) update: SyncUpdate,
    text: OnceLock<Option<String>>,
}

impl SharedUpdate {
    /// What clients are sent of it: the first client writes it, the others have it ready. None if there is nothing to send.
    pub(crate) fn text(&self, write: impl FnOnce(&SyncUpdate) -> Option<String>) -> Option<&str> {
        self.text.get_or_init(|| write(&self.update)).as_deref()
    }
}

impl From<StreamUpdate> for SharedUpdate {
    fn from(it: StreamUpdate) -> Self {
        Self { offset: it.offset, update: it.update, text: OnceLock::new() }
    }
}

/// What a subscriber receives.
#[derive(Debug, Clone)]
pub(crate) enum HubEvent {
    Update(Arc<SharedUpdate>),
    /// Updates may be missing: the client has to fetch its data again.
    Resync,
}

/// What a client that comes back receives before the broadcast. Without a [`Missed::Complete`] at the end updates are missing.
#[derive(Debug)]
pub(crate) enum Missed {
    Update(Arc<SharedUpdate>),
    Complete,
}

/// Clones share one broadcast channel.
#[derive(Clone)]
pub(crate) struct EventHub {
    sender: broadcast::Sender<HubEvent>,
    updates: Updates,
    resume_limit: u64,
    resume_permits: Arc<Semaphore>,
    /// Offset of the last update that was broadcast, or [`UNKNOWN_OFFSET`].
    newest: Arc<AtomicU64>,
}

impl EventHub {
    /// `backlog` is the number of updates that wait for a slow subscriber before it gets a [`HubEvent::Resync`],
    /// `resume_limit` the number of missed updates that [`Self::resume`] sends.
    pub(crate) fn new(updates: Updates, backlog: usize, resume_limit: u64) -> Self {
        Self {
            sender: broadcast::channel(backlog).0,
            updates,
            resume_limit,
            resume_permits: Arc::new(Semaphore::new(RESUME_CONCURRENCY)),
            newest: Arc::new(AtomicU64::new(UNKNOWN_OFFSET)),
        }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<HubEvent> {
        self.sender.subscribe()
    }

    /// Sends the updates after offset `last`, up to the newest one at the time of the call, as they are read. None of them if
    /// there are too many, or if the stream has dropped some or never had the offset; not all if reading takes too long.
    /// Subscribe before, so that no update is lost in between.
    ///
    /// The reader ends with its work or with its receiver, whichever is first.
    pub(crate) fn resume(&self, last: u64) -> mpsc::Receiver<Missed> {
        let (sender, receiver) = mpsc::channel(RESUME_BUFFER);
        let hub = self.clone();
        tokio::spawn(async move {
            let reading = tokio::time::timeout(RESUME_TIMEOUT, hub.read_missed(last, &sender));
            tokio::select! {
                () = sender.closed() => {}
                read = reading => match read {
                    Ok(Ok(true)) => sender.send(Missed::Complete).await.unwrap_or_default(),
                    Ok(Ok(false)) => {}
                    Ok(Err(error)) => tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        "missed updates could not be read"
                    ),
                    Err(_elapsed) => tracing::debug!("missed updates were not read in time"),
                },
            }
        });
        receiver
    }

    /// Whether all missed updates were sent.
    async fn read_missed(&self, last: u64, client: &mpsc::Sender<Missed>) -> Result<bool, BrokerError> {
        let Ok(_permit) = self.resume_permits.acquire().await else { return Ok(false) };
        let newest = match self.newest.load(Ordering::Acquire) {
            newest if newest != UNKNOWN_OFFSET && newest >= last => Some(newest),
            // Not known yet, or behind: the client has its last update from another process.
            _ => self.updates.newest_offset().await?,
        };
        let Some(newest) = newest.filter(|newest| *newest >= last) else { return Ok(false) };
        if newest == last {
            return Ok(true);
        }
        if newest - last > self.resume_limit {
            return Ok(false);
        }
        let oldest = self.updates.oldest_offset().await?;
        if oldest.is_none_or(|oldest| last + 1 < oldest) {
            return Ok(false);
        }
        let mut stream = self.updates.read(ReadFrom::Offset(last + 1)).await?;
        while let Some(update) = stream.next().await {
            let update = update?;
            let is_last = update.offset >= newest;
            if client.send(Missed::Update(Arc::new(update.into()))).await.is_err() || is_last {
                return Ok(true);
            }
        }
        Ok(false)
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
                self.newest.store(UNKNOWN_OFFSET, Ordering::Release);
            }
            self.sender.send(HubEvent::Resync).ok();
        }
    }

    async fn broadcast_from(&self, from: ReadFrom, last: &mut Option<u64>) -> Result<(), BrokerError> {
        let mut stream = self.updates.read(from).await?;
        while let Some(update) = stream.next().await {
            let update = update?;
            *last = Some(update.offset);
            // Before the broadcast: who subscribes in between reads this update from the stream.
            self.newest.store(update.offset, Ordering::Release);
            // An error means that there is no subscriber.
            self.sender.send(HubEvent::Update(Arc::new(update.into()))).ok();
        }
        Ok(())
    }
}
