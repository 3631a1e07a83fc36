//! The event stream: updates as server-sent events (WHATWG HTML, section 9.2).
//!
//! Start with [`stream_updates`]. `event_hub.rs` reads the updates of the broker; `views/updates.rs` writes their JSON.
//! Nothing is awaited before the answer begins, so that each client gets its first bytes at once.

use std::{convert::Infallible, pin::Pin, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, Responder, get,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderName, HeaderValue},
    },
    web,
};
use actix_web_lab::{
    extract::Query,
    sse::{Data, Event, Sse},
};
use chassis::{
    auth::{Revocations, Viewer},
    problem::{Problem, ProblemBody},
};
use contracts::{messages::sync_update::What, operator::UpdateName};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        mpsc,
    },
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    event_hub::{EventHub, HubEvent, Missed, SharedUpdate},
    event_slots::{EventSlot, EventSlots, NoSlot},
    views::updates::notice,
};

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// The `retry` field of the stream: how long a client waits before it connects again.
const RECONNECT_DELAY: Duration = Duration::from_millis(3000);

/// What all event streams of the process share.
pub(crate) struct EventStreams {
    pub(crate) hub: EventHub,
    pub(crate) slots: EventSlots,
    pub(crate) revocations: Revocations,
    pub(crate) stop: CancellationToken,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct UpdatesQuery {
    /// Id of the last event that the client received, for clients that cannot send the header `Last-Event-ID`.
    last_event_id: Option<String>,
    /// Only updates about this sync, or about one of these.
    #[serde(default)]
    sync_id: Vec<Uuid>,
    /// Only updates of this name, or of one of these.
    #[serde(default)]
    name: Vec<UpdateName>,
}

/// Which updates a client receives. What has no name of an update, such as `resync`, everybody does.
#[derive(Debug)]
struct UpdateFilter {
    sync_ids: Vec<String>,
    names: Vec<domain::update::UpdateName>,
}

impl UpdateFilter {
    fn includes(&self, name: domain::update::UpdateName, what: Option<&What>) -> bool {
        let sync_id = match what {
            Some(What::Sync(it)) => &it.sync_id,
            Some(What::Conflict(it)) => &it.sync_id,
            _ => "",
        };
        (self.names.is_empty() || self.names.contains(&name))
            && (self.sync_ids.is_empty() || self.sync_ids.iter().any(|it| it == sync_id))
    }
}

/// Stream updates as server-sent events
///
/// Each event has a name and one line of JSON: `sync.started`, `sync.progress`, `sync.phase`, `sync.completed`,
/// `sync.failed`, `sync.cancelled` (SyncNotice), `deadletter.added`, `deadletter.replayed` (DeadLetterNotice),
/// `webhook.processed` (WebhookNotice), `schedule.changed` (SettingsNotice), `conflict.opened`, `conflict.resolved`
/// (ConflictNotice), `health.changed` (HealthNotice). A `heartbeat` comes every 15 seconds. A `resync` says that events are missing: fetch the data again.
/// An `end` says why the stream ends, as `{"code": "token_expired"}` or `{"code": "token_revoked"}`: connect again with another
/// token. `heartbeat`, `resync` and `end` are sent to every client, whatever its filters. Event ids are the same on every replica. To resume after a lost connection, send the last id as `Last-Event-ID`.
/// The number of streams is limited: 429 when you have as many as one operator may have, 503 when the service has as many as
/// it can serve.
#[utoipa::path(
    operation_id = "streamUpdates", tag = "updates", security(("bearer" = ["viewer"])),
    params(
        UpdatesQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that the client received"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream", description = "The events, until the stream ends"),
        (status = 429, body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After", description = "Seconds until it is worth trying again")),
            description = "The operator sends too many requests, or has as many streams as allowed (`too_many_streams`)"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json",
            headers(("Retry-After", description = "Seconds until it is worth trying again")),
            description = "The service has as many streams as it can serve"),
    )
)]
#[get("/api/sync/updates")]
pub(crate) async fn stream_updates(
    streams: web::Data<EventStreams>,
    request: HttpRequest,
    viewer: Viewer,
    query: Query<UpdatesQuery>,
) -> Result<HttpResponse, Problem> {
    let slot = streams.slots.take(viewer.subject()).map_err(no_slot)?;
    let UpdatesQuery { last_event_id: of_query, sync_id, name } = query.into_inner();
    let last_event_id = last_event_id(&request).or(of_query);
    let filter = UpdateFilter {
        sync_ids: sync_id.iter().map(Uuid::to_string).collect(),
        names: name.into_iter().map(Into::into).collect(),
    };
    let client = Client::new(&streams, &viewer, slot, last_event_id.as_deref(), filter);
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

fn no_slot(why: NoSlot) -> Problem {
    match why {
        NoSlot::Subject => {
            let detail =
                "You follow the updates as often as one operator may. Close another page or program first.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams")
                .with_detail(detail)
                .with_retry_after(RECONNECT_DELAY)
        }
        NoSlot::Process => {
            let detail = "The limit of clients that follow the updates is reached. Try again later.";
            Problem::unavailable("too_many_followers", detail, RECONNECT_DELAY)
        }
    }
}

/// A connected client. The hub's backlog limits how many updates wait for a slow one.
struct Client {
    /// Updates from before the subscription, sent first.
    missed: Option<mpsc::Receiver<Missed>>,
    live: Receiver<HubEvent>,
    /// Offset of the last update that was sent.
    last_offset: Option<u64>,
    filter: UpdateFilter,
    heartbeat: Interval,
    /// Waits until the token is valid no longer, and returns the code that says why.
    token_end: Pin<Box<dyn Future<Output = &'static str> + Send>>,
    has_ended: bool,
    stop: CancellationToken,
    _slot: EventSlot,
}

impl Client {
    fn new(
        streams: &EventStreams,
        viewer: &Viewer,
        slot: EventSlot,
        last_event_id: Option<&str>,
        filter: UpdateFilter,
    ) -> Self {
        // Subscribes before the missed updates are read, so that no update is lost in between. An update that arrives both
        // ways is sent once: see `last_offset`.
        let live = streams.hub.subscribe();
        let last_offset = last_event_id.and_then(|id| id.trim().parse().ok());
        let missed = last_event_id.map(|_id| match last_offset {
            Some(offset) => streams.hub.resume(offset),
            // No id of ours: without a sender the client is told to fetch its data again.
            None => mpsc::channel(1).1,
        });
        let (revocations, operator) = (streams.revocations.clone(), (**viewer).clone());
        let token_end = Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep(operator.valid_for()) => "token_expired",
                () = revocations.wait_until_revoked(&operator) => "token_revoked",
            }
        });
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
        // A client that took nothing for a while gets one heartbeat then, not all that are due.
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = streams.stop.clone();
        Self { missed, live, last_offset, filter, heartbeat, token_end, has_ended: false, stop, _slot: slot }
    }

    /// None ends the stream.
    async fn next_event(&mut self) -> Option<Event> {
        while !self.has_ended {
            let event = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                code = &mut self.token_end => {
                    self.has_ended = true;
                    return Some(Data::new(json!({ "code": code }).to_string()).event("end").into());
                }
                _ = self.heartbeat.tick() => return Some(Data::new("{}").event("heartbeat").into()),
                missed = next_missed(self.missed.as_mut()), if self.missed.is_some() => match missed {
                    Some(Missed::Update(update)) => HubEvent::Update(update),
                    Some(Missed::Complete) => {
                        self.missed = None;
                        continue;
                    }
                    None => {
                        self.missed = None;
                        HubEvent::Resync
                    }
                },
                event = self.live.recv(), if self.missed.is_none() => match event {
                    Ok(event) => event,
                    Err(RecvError::Lagged(_)) => HubEvent::Resync,
                    Err(RecvError::Closed) => return None,
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
                    if let Some(event) = self.server_sent_event(&update) {
                        return Some(event);
                    }
                }
            }
        }
        None
    }

    /// None for an update that the client did not ask for, and for one of a newer version that this one cannot read.
    fn server_sent_event(&self, it: &SharedUpdate) -> Option<Event> {
        let name = domain::update::UpdateName::of_update(&it.update.name)?;
        if !self.filter.includes(name, it.update.what.as_ref()) {
            return None;
        }
        let json = it.text(|update| Some(notice(update)?.to_string()))?;
        Some(Data::new(json).id(it.offset.to_string()).event(name.as_str()).into())
    }
}

async fn next_missed(missed: Option<&mut mpsc::Receiver<Missed>>) -> Option<Missed> {
    missed?.recv().await
}
