//! Follows a sync until it ends, by the event stream; while the stream is interrupted, by polling.

mod event_stream;
mod progress;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contracts::operator::{SyncDetail, SyncNotice, SyncState};
use reqwest::{Method, Response};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};
use uuid::Uuid;

use self::{
    event_stream::{EventParser, ServerSentEvent},
    progress::ProgressDisplay,
};
use crate::api::{Api, ApiError};

const UPDATES: &str = "/api/sync/updates";
/// Polling beside the event stream catches updates that the stream missed.
const POLL_INTERVAL_WITH_UPDATES: Duration = Duration::from_secs(5);
const POLL_INTERVAL_WITHOUT_UPDATES: Duration = Duration::from_millis(700);
const RECONNECT_DELAY: Duration = Duration::from_secs(1);
/// How long the API may be unreachable before the command fails.
const UNREACHABLE_TIMEOUT: Duration = Duration::from_secs(60);

enum Update {
    /// The stream starts, or updates are missing: the sync must be polled once.
    Resync,
    Notice(Box<SyncNotice>),
}

/// Follows a sync until it ends, with progress bars on a terminal and lines elsewhere (both on standard error).
pub(crate) async fn follow(api: &Api, sync_id: Uuid) -> Result<SyncDetail, ApiError> {
    let (sender, receiver) = mpsc::channel(256);
    let is_streaming = Arc::new(AtomicBool::new(false));
    let listener =
        UpdateListener { api: api.clone(), sync_id, sender, is_streaming: Arc::clone(&is_streaming) };
    let listening = tokio::spawn(listener.listen());
    let mut follower =
        Follower { api, sync_id, updates: receiver, is_streaming, display: ProgressDisplay::new() };
    let ended = follower.poll_until_end().await;
    listening.abort();
    follower.display.clear();
    ended
}

struct Follower<'a> {
    api: &'a Api,
    sync_id: Uuid,
    updates: mpsc::Receiver<Update>,
    is_streaming: Arc<AtomicBool>,
    display: ProgressDisplay,
}

impl Follower<'_> {
    async fn poll_until_end(&mut self) -> Result<SyncDetail, ApiError> {
        let path = format!("/api/sync/status/{}", self.sync_id);
        let mut unreachable_since: Option<Instant> = None;
        loop {
            match self.api.get::<SyncDetail>(&path).await {
                Ok(detail) => {
                    unreachable_since = None;
                    let summary = &detail.summary;
                    self.display.show(summary.state, summary.phase, &summary.counts);
                    if has_ended(summary.state) {
                        return Ok(detail);
                    }
                }
                Err(error @ ApiError::Refused(_)) => return Err(error),
                Err(error) => {
                    if unreachable_since.get_or_insert_with(Instant::now).elapsed() > UNREACHABLE_TIMEOUT {
                        return Err(error);
                    }
                }
            }
            self.show_updates_until_next_poll().await;
        }
    }

    async fn show_updates_until_next_poll(&mut self) {
        let interval = if self.is_streaming.load(Ordering::Relaxed) {
            POLL_INTERVAL_WITH_UPDATES
        } else {
            POLL_INTERVAL_WITHOUT_UPDATES
        };
        let next_poll = sleep(interval);
        tokio::pin!(next_poll);
        loop {
            tokio::select! {
                () = &mut next_poll => return,
                Some(update) = self.updates.recv() => match update {
                    Update::Resync => return,
                    Update::Notice(notice) => {
                        self.display.show(notice.state, notice.phase, &notice.counts);
                        if has_ended(notice.state) {
                            return;
                        }
                    }
                }
            }
        }
    }
}

fn has_ended(state: SyncState) -> bool {
    use SyncState::{Cancelled, Completed, CompletedWithErrors, Failed};
    matches!(state, Completed | CompletedWithErrors | Failed | Cancelled)
}

/// Reads the event stream, and forwards the updates of one sync.
struct UpdateListener {
    api: Api,
    sync_id: Uuid,
    sender: mpsc::Sender<Update>,
    is_streaming: Arc<AtomicBool>,
}

/// The follower was dropped: its channel is closed.
struct Closed;

impl UpdateListener {
    /// Reads the stream until the follower is dropped, and connects again after each failure.
    async fn listen(self) {
        let mut last_event_id: Option<String> = None;
        loop {
            let mut request = self.api.request(Method::GET, UPDATES).header("accept", "text/event-stream");
            if let Some(id) = &last_event_id {
                request = request.header("last-event-id", id);
            }
            if let Ok(response) = self.api.send(request, UPDATES).await {
                self.is_streaming.store(true, Ordering::Relaxed);
                if let Err(Closed) = self.forward_updates(response, &mut last_event_id).await {
                    return;
                }
                self.is_streaming.store(false, Ordering::Relaxed);
            }
            sleep(RECONNECT_DELAY).await;
        }
    }

    async fn forward_updates(
        &self,
        mut stream: Response,
        last_event_id: &mut Option<String>,
    ) -> Result<(), Closed> {
        self.send(Update::Resync).await?;
        let mut parser = EventParser::default();
        while let Ok(Some(chunk)) = stream.chunk().await {
            for event in parser.feed(&chunk) {
                if let Some(update) = self.update_of(&event) {
                    self.send(update).await?;
                }
                *last_event_id = event.id.or(last_event_id.take());
            }
        }
        Ok(())
    }

    fn update_of(&self, event: &ServerSentEvent) -> Option<Update> {
        // At the end of a stream the next poll says why the token is no longer valid.
        if ["resync", "end"].contains(&event.name.as_str()) {
            return Some(Update::Resync);
        }
        if !event.name.starts_with("sync.") {
            return None;
        }
        let notice: SyncNotice = serde_json::from_str(&event.data).ok()?;
        (notice.sync_id == self.sync_id).then(|| Update::Notice(Box::new(notice)))
    }

    async fn send(&self, update: Update) -> Result<(), Closed> {
        self.sender.send(update).await.map_err(|_closed| Closed)
    }
}
