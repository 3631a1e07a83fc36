//! One reader of the updates stream per process; everyone who follows gets what it reads.

use std::{sync::Arc, time::Duration};

use broker::{BrokerError, ReadFrom, StreamUpdate, Updates};
use futures_util::StreamExt;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Before the stream is read again after the broker was lost.
const BREATH: Duration = Duration::from_secs(1);

/// What goes out to followers.
#[derive(Debug, Clone)]
pub(crate) enum News {
    /// An update.
    Update(Arc<StreamUpdate>),
    /// Some may have been missed.
    Resync,
}

/// Where followers listen.
#[derive(Clone)]
pub(crate) struct Hub {
    sender: broadcast::Sender<News>,
    updates: Updates,
}

impl Hub {
    pub(crate) fn new(updates: Updates, backlog: usize) -> Self {
        Self { sender: broadcast::channel(backlog).0, updates }
    }

    /// How many follow.
    pub(crate) fn followers(&self) -> usize {
        self.sender.receiver_count()
    }

    /// What is read from now on.
    pub(crate) fn follow(&self) -> broadcast::Receiver<News> {
        self.sender.subscribe()
    }

    /// What came after `last`, as far as it is there by now. None: it is too old, or this stream never had it.
    pub(crate) async fn since(&self, last: u64) -> Result<Option<Vec<Arc<StreamUpdate>>>, BrokerError> {
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
        while let Some(placed) = stream.next().await {
            let placed = placed?;
            let is_last = placed.offset >= newest;
            missed.push(Arc::new(placed));
            if is_last {
                break;
            }
        }
        Ok(Some(missed))
    }

    /// Reads on and on until `stop`, through losses of the broker.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut last: Option<u64> = None;
        loop {
            let from = last.map_or(ReadFrom::Next, |last| ReadFrom::Offset(last + 1));
            let reading = self.read(from, &mut last);
            tokio::select! {
                () = stop.cancelled() => return,
                ended = reading => if let Err(error) = ended {
                    tracing::debug!(error = &error as &dyn std::error::Error, "the updates stream was lost");
                },
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BREATH) => {}
            }
            // A broker that started anew counts from the beginning.
            if let (Some(seen), Ok(newest)) = (last, self.updates.newest_offset().await)
                && newest.is_none_or(|newest| newest < seen)
            {
                last = None;
            }
            self.sender.send(News::Resync).ok();
        }
    }

    async fn read(&self, from: ReadFrom, last: &mut Option<u64>) -> Result<(), BrokerError> {
        let mut stream = self.updates.read(from).await?;
        while let Some(placed) = stream.next().await {
            let placed = placed?;
            *last = Some(placed.offset);
            self.sender.send(News::Update(Arc::new(placed))).ok(); // nobody follows: nobody misses it
        }
        Ok(())
    }
}
