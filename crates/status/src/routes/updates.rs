//! Progress as it happens, as server-sent events.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse, Responder, get,
    http::header::{CACHE_CONTROL, HeaderName, HeaderValue},
    web,
};
use actix_web_lab::sse::{Data, Event, Sse};
use broker::StreamUpdate;
use chassis::{auth::Viewer, problem::Problem};
use contracts::{
    messages::sync_update::What,
    operator::{ConflictNotice, DeadLetterNotice, RecordCounts, SettingsNotice, SyncNotice, WebhookNotice},
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, Interval, interval_at},
};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use crate::{
    hub::{Hub, News},
    views,
};

const HEARTBEAT: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_millis(3000);

/// How updates are given out.
pub(crate) struct Following {
    pub(crate) hub: Hub,
    pub(crate) most: usize,
    pub(crate) stop: CancellationToken,
}

/// Where to resume.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct Resume {
    /// The id of the last event that was seen, for clients that cannot send `Last-Event-ID`.
    last_event_id: Option<String>,
}

/// Updates, as server-sent events
///
/// Named events with one line of JSON: `sync.started`, `sync.progress`, `sync.phase`, `sync.completed`, `sync.failed`,
/// `sync.cancelled` (SyncNotice), `deadletter.added`, `deadletter.replayed` (DeadLetterNotice), `webhook.received`
/// (WebhookNotice), `schedule.changed` (SettingsNotice), `conflict.opened`, `conflict.resolved` (ConflictNotice). `heartbeat` comes every 15 seconds. `resync` says that events
/// were missed: fetch again what you show. The id of an event is the same on every replica; send the last one as
/// `Last-Event-ID` to resume.
#[utoipa::path(
    operation_id = "streamUpdates", tag = "updates",
    params(Resume, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
#[get("/api/sync/updates")]
pub(crate) async fn stream_updates(
    following: web::Data<Following>,
    request: HttpRequest,
    _viewer: Viewer,
    resume: web::Query<Resume>,
) -> Result<HttpResponse, Problem> {
    if following.hub.followers() >= following.most {
        let detail = "As many clients follow the updates as may.";
        return Err(Problem::unavailable("too_many_followers", detail, RETRY));
    }
    // Listen first, look back then: nothing falls in between, and what is seen twice is passed over by its offset.
    let live = following.hub.follow();
    let header =
        request.headers().get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut waiting = VecDeque::new();
    let mut last = None;
    if let Some(text) = header.or_else(|| resume.last_event_id.clone()) {
        let missed = match text.trim().parse() {
            Ok(id) => {
                last = Some(id);
                following.hub.since(id).await.ok().flatten()
            }
            Err(_no_id_of_ours) => None,
        };
        match missed {
            Some(missed) => waiting.extend(missed.into_iter().map(News::Update)),
            None => {
                last = None;
                waiting.push_back(News::Resync);
            }
        }
    }
    let client = Client {
        waiting,
        live,
        last,
        heartbeat: interval_at(Instant::now() + HEARTBEAT, HEARTBEAT),
        stop: following.stop.clone(),
    };
    let events = stream::unfold(client, |mut client| async move {
        let event = client.next().await?;
        Some((Ok::<_, Infallible>(event), client))
    });
    let mut response = Sse::from_stream(Box::pin(events))
        .with_retry_duration(RETRY)
        .respond_to(&request)
        .map_into_boxed_body();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// One who follows. What waits for a slow one is bounded by the hub's backlog.
struct Client {
    waiting: VecDeque<News>,
    live: Receiver<News>,
    last: Option<u64>,
    heartbeat: Interval,
    stop: CancellationToken,
}

impl Client {
    async fn next(&mut self) -> Option<Event> {
        loop {
            let news = match self.waiting.pop_front() {
                Some(news) => news,
                None => tokio::select! {
                    () = self.stop.cancelled() => return None,
                    _ = self.heartbeat.tick() => return Some(Data::new("{}").event("heartbeat").into()),
                    news = self.live.recv() => match news {
                        Ok(news) => news,
                        Err(RecvError::Lagged(_)) => News::Resync,
                        Err(RecvError::Closed) => return None,
                    }
                },
            };
            match news {
                News::Resync => {
                    self.last = None;
                    return Some(Data::new("{}").event("resync").into());
                }
                News::Update(placed) => {
                    if self.last.is_some_and(|last| placed.offset <= last) {
                        continue;
                    }
                    self.last = Some(placed.offset);
                    if let Some(event) = event(&placed) {
                        return Some(event);
                    }
                }
            }
        }
    }
}

/// As it goes over the wire; none if this version cannot read what it tells.
fn event(placed: &StreamUpdate) -> Option<Event> {
    let data = data(placed)?.to_string();
    Some(Data::new(data).id(placed.offset.to_string()).event(placed.update.name.clone()).into())
}

fn data(placed: &StreamUpdate) -> Option<Value> {
    let occurred_at = placed.update.occurred_at?.try_into().ok()?;
    Some(match placed.update.what.as_ref()? {
        What::Sync(it) => json!(SyncNotice {
            sync_id: it.sync_id.parse().ok()?,
            state: it.state.parse().ok()?,
            cause: it.cause.parse().ok()?,
            mode: it.mode.parse().ok()?,
            phase: i16::try_from(it.phase).ok()?,
            counts: it.counts.iter().filter_map(counts).collect(),
            detail: Some(it.detail.clone()).filter(|detail| !detail.is_empty()),
            occurred_at,
        }),
        What::DeadLetter(it) => json!(DeadLetterNotice {
            dead_letter_id: it.dead_letter_id.parse().ok()?,
            queue: it.queue.clone(),
            state: it.state.parse().ok()?,
            reason: it.reason.clone(),
            occurred_at,
        }),
        What::Webhook(it) => json!(WebhookNotice {
            webhook_event_id: it.webhook_event_id.parse().ok()?,
            event_type: it.event_type.clone(),
            record_type: domain::RecordType::try_from(it.record_type()).ok().map(Into::into),
            source_id: it.source_id.clone(),
            state: it.state.parse().ok()?,
            occurred_at,
        }),
        What::Conflict(it) => json!(ConflictNotice {
            conflict_id: it.conflict_id.parse().ok(),
            sync_id: it.sync_id.parse().ok(),
            open: views::number(it.open),
            occurred_at,
        }),
        What::Settings(it) => json!(SettingsNotice { version: views::number(it.version), occurred_at }),
    })
}

fn counts(it: &contracts::messages::RecordCounts) -> Option<RecordCounts> {
    Some(RecordCounts {
        record_type: domain::RecordType::try_from(it.record_type()).ok()?.into(),
        expected: it.expected.map(views::number),
        read: views::number(it.read),
        created: views::number(it.created),
        updated: views::number(it.updated),
        unchanged: views::number(it.unchanged),
        conflict: views::number(it.conflict),
        rejected: views::number(it.rejected),
        skipped: views::number(it.skipped),
        missing: views::number(it.missing),
        deactivated: views::number(it.deactivated),
        late: views::number(it.late),
    })
}
