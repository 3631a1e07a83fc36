//! The event stream: updates as server-sent events (WHATWG HTML, section 9.2).
//!
//! Start with [`stream_updates`]. `event_hub.rs` reads the updates of the broker; `views/updates.rs` writes their JSON.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, Responder, get,
    http::header::{CACHE_CONTROL, HeaderName, HeaderValue},
    web,
};
use actix_web_lab::sse::{Data, Event, Sse};
use broker::StreamUpdate;
use chassis::{auth::Viewer, problem::Problem};
use futures_util::stream;
use serde::Deserialize;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, Interval, interval_at},
};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use crate::{
    event_hub::{EventHub, HubEvent},
    views::updates::notice,
};

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// The `retry` field of the stream: how long a client waits before it connects again.
const RECONNECT_DELAY: Duration = Duration::from_millis(3000);

/// What all event streams of the process share.
pub(crate) struct EventStreams {
    pub(crate) hub: EventHub,
    pub(crate) client_limit: usize,
    pub(crate) stop: CancellationToken,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct UpdatesQuery {
    /// Id of the last event that the client received, for clients that cannot send the header `Last-Event-ID`.
    last_event_id: Option<String>,
}

/// Stream updates as server-sent events
///
/// Each event has a name and one line of JSON: `sync.started`, `sync.progress`, `sync.phase`, `sync.completed`,
/// `sync.failed`, `sync.cancelled` (SyncNotice), `deadletter.added`, `deadletter.replayed` (DeadLetterNotice),
/// `webhook.received` (WebhookNotice), `schedule.changed` (SettingsNotice), `conflict.opened`, `conflict.resolved`
/// (ConflictNotice). A `heartbeat` comes every 15 seconds. A `resync` says that events are missing: fetch the data again.
/// Event ids are the same on every replica. To resume after a lost connection, send the last id as `Last-Event-ID`.
#[utoipa::path(
    operation_id = "streamUpdates", tag = "updates",
    params(
        UpdatesQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that the client received"),
    ),
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
#[get("/api/sync/updates")]
pub(crate) async fn stream_updates(
    streams: web::Data<EventStreams>,
    request: HttpRequest,
    _viewer: Viewer,
    query: web::Query<UpdatesQuery>,
) -> Result<HttpResponse, Problem> {
    if streams.hub.subscriber_count() >= streams.client_limit {
        let detail = "The limit of clients that follow the updates is reached. Try again later.";
        return Err(Problem::unavailable("too_many_followers", detail, RECONNECT_DELAY));
    }
    let last_event_id = last_event_id(&request).or_else(|| query.last_event_id.clone());
    let client = Client::connect(&streams, last_event_id.as_deref()).await;
    let events = stream::unfold(client, |mut client| async move {
        let event = client.next_event().await?;
        Some((Ok::<_, Infallible>(event), client))
    });
    let mut response = Sse::from_stream(Box::pin(events))
        .with_retry_duration(RECONNECT_DELAY)
        .respond_to(&request)
        .map_into_boxed_body();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx delivers each event at once.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

fn last_event_id(request: &HttpRequest) -> Option<String> {
    let id = request.headers().get("last-event-id")?;
    id.to_str().ok().map(str::to_owned)
}

/// A connected client. The hub's backlog limits how many updates wait for a slow one.
struct Client {
    /// Events from before the subscription, sent first.
    missed: VecDeque<HubEvent>,
    live: Receiver<HubEvent>,
    /// Offset of the last update that was sent.
    last_offset: Option<u64>,
    heartbeat: Interval,
    stop: CancellationToken,
}

impl Client {
    async fn connect(streams: &EventStreams, last_event_id: Option<&str>) -> Self {
        // Subscribes before it reads the missed updates, so that no update is lost in between. An update that arrives both
        // ways is sent once: see `last_offset`.
        let live = streams.hub.subscribe();
        let mut missed = VecDeque::new();
        let mut last_offset = None;
        if let Some(id) = last_event_id {
            last_offset = id.trim().parse().ok();
            let updates = match last_offset {
                Some(offset) => streams.hub.updates_since(offset).await.ok().flatten(),
                None => None,
            };
            match updates {
                Some(updates) => missed.extend(updates.into_iter().map(HubEvent::Update)),
                None => {
                    last_offset = None;
                    missed.push_back(HubEvent::Resync);
                }
            }
        }
        let heartbeat = interval_at(Instant::now() + HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
        Self { missed, live, last_offset, heartbeat, stop: streams.stop.clone() }
    }

    /// None ends the stream.
    async fn next_event(&mut self) -> Option<Event> {
        loop {
            let event = match self.missed.pop_front() {
                Some(event) => event,
                None => tokio::select! {
                    () = self.stop.cancelled() => return None,
                    _ = self.heartbeat.tick() => return Some(Data::new("{}").event("heartbeat").into()),
                    event = self.live.recv() => match event {
                        Ok(event) => event,
                        Err(RecvError::Lagged(_)) => HubEvent::Resync,
                        Err(RecvError::Closed) => return None,
                    }
                },
            };
            match event {
                HubEvent::Resync => {
                    self.last_offset = None;
                    return Some(Data::new("{}").event("resync").into());
                }
                HubEvent::Update(update) => {
                    if self.last_offset.is_some_and(|last| update.offset <= last) {
                        continue;
                    }
                    self.last_offset = Some(update.offset);
                    if let Some(event) = server_sent_event(&update) {
                        return Some(event);
                    }
                }
            }
        }
    }
}

/// None for an update of a newer version that this one cannot read.
fn server_sent_event(it: &StreamUpdate) -> Option<Event> {
    let json = notice(&it.update)?.to_string();
    Some(Data::new(json).id(it.offset.to_string()).event(it.update.name.clone()).into())
}
