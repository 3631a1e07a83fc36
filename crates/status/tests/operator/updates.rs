//! The event stream over HTTP.

use std::time::Duration;

use broker::{Broker, Updates};
use chassis::auth::Role;
use contracts::messages::{
    HealthNotice, Message, SettingsNotice, SyncProgress, SyncUpdate, TaskCounts, WebhookNotice,
    sync_update::What,
};
use domain::clock::{Clock, SystemClock};
use reqwest::{Method, Response};
use serde_json::json;
use testbed::{World, wait_until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;

use crate::scene::Scene;

const UPDATES_STREAM: &str = "sync.updates";
const PATH: &str = "/api/sync/updates";
const PATIENCE: Duration = Duration::from_secs(20);
const HOUR: Duration = Duration::from_secs(3600);

/// An event stream, read event by event.
struct Events {
    response: Response,
    text: String,
}

#[derive(Debug, Default, PartialEq)]
struct Received {
    id: Option<u64>,
    name: String,
    data: String,
}

impl Events {
    async fn open(scene: &Scene, token: &str, last_event_id: Option<&str>) -> anyhow::Result<Self> {
        let mut request = scene.request_with(token, Method::GET, PATH);
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = tokio::time::timeout(PATIENCE, request.send()).await??;
        Ok(Self { response: response.error_for_status()?, text: String::new() })
    }

    /// With parameters of the query.
    async fn open_at(scene: &Scene, token: &str, path: &str) -> anyhow::Result<Self> {
        let request = scene.request_with(token, Method::GET, path);
        let response = tokio::time::timeout(PATIENCE, request.send()).await??;
        Ok(Self { response: response.error_for_status()?, text: String::new() })
    }

    /// The next event but heartbeats; `None` at the end of the stream.
    async fn next(&mut self) -> anyhow::Result<Option<Received>> {
        tokio::time::timeout(PATIENCE, async {
            loop {
                while let Some((message, rest)) = self.text.split_once("\n\n") {
                    let mut event = Received::default();
                    for line in message.lines() {
                        match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                            Some(("id", value)) => event.id = value.parse().ok(),
                            Some(("event", value)) => event.name = value.to_owned(),
                            Some(("data", value)) => event.data = value.to_owned(),
                            _ => {}
                        }
                    }
                    self.text = rest.to_owned();
                    if !["", "heartbeat"].contains(&event.name.as_str()) {
                        return Ok(Some(event));
                    }
                }
                match self.response.chunk().await? {
                    Some(more) => self.text.push_str(std::str::from_utf8(&more)?),
                    None => return Ok(None),
                }
            }
        })
        .await?
    }
}

fn update(version: u64) -> SyncUpdate {
    SyncUpdate {
        occurred_at: Some(SystemClock.now().into()),
        name: "schedule.changed".to_owned(),
        what: Some(What::Settings(SettingsNotice { version })),
    }
}

fn sync_update(id: Uuid, detail: String) -> SyncUpdate {
    let sync = SyncProgress {
        sync_id: id.to_string(),
        state: "running".to_owned(),
        cause: "manual".to_owned(),
        mode: "full".to_owned(),
        tasks: Some(TaskCounts { done: 3, pending: 1, ..TaskCounts::default() }),
        detail,
        ..SyncProgress::default()
    };
    SyncUpdate { name: "sync.progress".to_owned(), what: Some(What::Sync(sync)), ..update(0) }
}

/// Publishes updates, each about a sync of its own with a text so long.
async fn publish_long(world: &World, count: usize, length: usize) -> anyhow::Result<()> {
    let body = |_| sync_update(Uuid::now_v7(), "x".repeat(length)).encode();
    world.publish_to_queue(UPDATES_STREAM, SyncUpdate::KIND, (0..count).map(body)).await
}

/// Publishes updates of these versions.
async fn publish(world: &World, versions: std::ops::Range<u64>) -> anyhow::Result<()> {
    let body = |version| update(version).encode();
    world.publish_to_queue(UPDATES_STREAM, SyncUpdate::KIND, versions.map(body)).await
}

/// Offset of the newest update, as `Last-Event-ID` needs it.
async fn newest_offset(scene: &Scene) -> anyhow::Result<u64> {
    let url = scene.world.amqp_url().await?.to_owned();
    let broker = Broker::connect(url.into(), "test", std::sync::Arc::new(SystemClock));
    wait_until("the stream has an offset", PATIENCE, async || {
        Updates::new(&broker).newest_offset().await.ok().flatten().ok_or("none")
    })
    .await
}

/// One consumer of the updates stream is the service's own.
async fn wait_for_consumers(world: &World, wanted: usize) -> anyhow::Result<()> {
    wait_until(format!("the stream has {wanted} consumers"), PATIENCE, async || {
        let count = world.consumers(UPDATES_STREAM).await.map_err(|error| format!("{error:#}"))?;
        if count == wanted { Ok(()) } else { Err(count.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn resumed_stream_has_each_missed_and_each_new_update_once_in_order() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    wait_for_consumers(&scene.world, 1).await?;
    publish(&scene.world, 0..251).await?;
    let first = newest_offset(&scene).await? - 250;
    let token = scene.token(Role::Viewer, HOUR);
    let mut events = Events::open(&scene, &token, Some(&first.to_string())).await?;
    publish(&scene.world, 251..260).await?;
    for version in 1..260 {
        let event = events.next().await?.expect("the stream goes on");
        assert_eq!(event.id, Some(first + version), "{event:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&event.data)?["version"], version);
    }
    wait_for_consumers(&scene.world, 1).await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resume_beyond_the_limit_or_from_an_unknown_id_is_one_resync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    wait_for_consumers(&scene.world, 1).await?;
    publish(&scene.world, 0..302).await?;
    let newest = newest_offset(&scene).await?;
    let token = scene.token(Role::Viewer, HOUR);
    for id in [(newest - 301).to_string(), (newest + 5).to_string(), "nonsense".to_owned()] {
        let mut events = Events::open(&scene, &token, Some(&id)).await?;
        assert_eq!(events.next().await?.expect("an event").name, "resync", "after {id}");
        publish(&scene.world, 999..1000).await?;
        let event = events.next().await?.expect("an event");
        assert_eq!((event.name.as_str(), event.data.contains("999")), ("schedule.changed", true));
    }
    scene.end().await;
    Ok(())
}

/// Each reader of missed updates once read all of them: a gigabyte, ten minutes of a processor, and 47 s until the first byte
/// of a client that had missed nothing.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_viewers_who_missed_60_000_updates_cost_no_more_than_their_resync() -> anyhow::Result<()> {
    let scene = Scene::with_config(|config| config["updates"]["clients"] = json!(30)).await?;
    wait_for_consumers(&scene.world, 1).await?;
    publish(&scene.world, 0..60_000).await?;
    let newest = newest_offset(&scene).await? + 1;
    let mut first = Events::open(&scene, &scene.token(Role::Viewer, HOUR), None).await?;
    publish(&scene.world, 60_000..60_001).await?;
    while first.next().await?.expect("an event").id != Some(newest) {}
    let viewers = (0..20).map(|viewer| {
        let token = scene.token_of(&format!("viewer-{viewer}"), Role::Viewer, HOUR);
        let scene = &scene;
        async move {
            let mut events = Events::open(scene, &token, Some("0")).await?;
            let first = events.next().await?.expect("an event");
            anyhow::Ok((events, first))
        }
    });
    let mut of_viewers = futures_util::future::try_join_all(viewers).await?;
    for (_events, first) in &of_viewers {
        assert_eq!(first.name, "resync");
    }
    // A client that missed nothing is served beside them, and nobody reads the stream for them any more.
    let quiet = scene.token_of("quiet", Role::Viewer, HOUR);
    let mut events = Events::open(&scene, &quiet, Some(&newest.to_string())).await?;
    wait_for_consumers(&scene.world, 1).await?;
    publish(&scene.world, 60_001..60_002).await?;
    let live = events.next().await?.expect("an event");
    assert_eq!(live.id, Some(newest + 1), "{live:?}");
    for (events, _first) in &mut of_viewers {
        let next = events.next().await?.expect("an event");
        assert_eq!(next.id, Some(newest + 1), "nothing but the resync came before");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resumed_stream_begins_at_once_though_the_broker_is_away() -> anyhow::Result<()> {
    let scene =
        Scene::with_config(|config| config["broker"]["url"] = json!("amqp://sms:sms@127.0.0.1:9/%2f"))
            .await?;
    let token = scene.token(Role::Viewer, HOUR);
    let request = scene.request_with(&token, Method::GET, PATH).header("last-event-id", "0");
    let mut response = tokio::time::timeout(Duration::from_secs(5), request.send()).await??;
    let first = tokio::time::timeout(Duration::from_secs(5), response.chunk()).await??;
    assert_eq!(first.as_deref(), Some(&b"retry: 3000\n\n"[..]));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_of_missed_updates_ends_with_its_client() -> anyhow::Result<()> {
    let scene = Scene::with_config(|config| config["updates"]["resume_limit"] = json!(5_000)).await?;
    wait_for_consumers(&scene.world, 1).await?;
    // More than the buffers of both sockets hold, so that the reader has to wait for its client.
    publish_long(&scene.world, 3_000, 8_192).await?;
    let first = newest_offset(&scene).await? - 2_999;
    let mut client = TcpStream::connect(scene.address).await?;
    let token = scene.token(Role::Viewer, HOUR);
    let request = format!(
        "GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nLast-Event-ID: {first}\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await?;
    let mut status = [0; 12];
    client.read_exact(&mut status).await?;
    assert_eq!(&status, b"HTTP/1.1 200");
    wait_for_consumers(&scene.world, 2).await?;
    drop(client);
    wait_for_consumers(&scene.world, 1).await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn client_receives_the_updates_that_it_asked_for_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    wait_for_consumers(&scene.world, 1).await?;
    let token = scene.token(Role::Viewer, HOUR);
    let (wanted, other) = (Uuid::now_v7(), Uuid::now_v7());
    let mut of_sync = Events::open_at(&scene, &token, &format!("{PATH}?syncId={wanted}")).await?;
    let mut by_name =
        Events::open_at(&scene, &token, &format!("{PATH}?name=schedule.changed&name=sync.failed")).await?;
    let mut of_health = Events::open_at(&scene, &token, &format!("{PATH}?name=health.changed")).await?;
    let refused = HealthNotice {
        part: "onboarding-portal".to_owned(),
        outcome: "permanent".to_owned(),
        failure: "the onboarding portal answered 401".to_owned(),
    };
    let health =
        SyncUpdate { name: "health.changed".to_owned(), what: Some(What::Health(refused)), ..update(0) };
    let updates = [sync_update(other, String::new()), sync_update(wanted, String::new()), update(7), health];
    // A worker of an earlier release.
    let old =
        SyncUpdate { name: "webhook.received".to_owned(), what: Some(What::Webhook(notice())), ..update(0) };
    let mut by_old_name = Events::open_at(&scene, &token, &format!("{PATH}?name=webhook.processed")).await?;
    let bodies = updates.iter().chain([&old]).map(Message::encode);
    scene.world.publish_to_queue(UPDATES_STREAM, SyncUpdate::KIND, bodies).await?;
    let first = of_sync.next().await?.expect("an event");
    assert_eq!(first.name, "sync.progress");
    let notice: serde_json::Value = serde_json::from_str(&first.data)?;
    assert_eq!((&notice["syncId"], &notice["tasks"]["done"]), (&json!(wanted), &json!(3)));
    assert_eq!(by_name.next().await?.expect("an event").name, "schedule.changed");
    let health: serde_json::Value = serde_json::from_str(&of_health.next().await?.expect("an event").data)?;
    assert_eq!((&health["part"], &health["outcome"]), (&json!("onboarding-portal"), &json!("permanent")));
    assert_eq!(by_old_name.next().await?.expect("an event").name, "webhook.processed");
    for wrong in ["?name=sync.gone", "?syncId=7", "?kind=x"] {
        scene.json(scene.get(&format!("{PATH}{wrong}")), 422).await;
    }
    scene.end().await;
    Ok(())
}

fn notice() -> WebhookNotice {
    WebhookNotice {
        webhook_event_id: Uuid::now_v7().to_string(),
        state: "processed".to_owned(),
        ..WebhookNotice::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_operator_has_so_many_streams_and_leaves_room_for_others() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let token = scene.token(Role::Viewer, HOUR);
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(Events::open(&scene, &token, None).await?);
    }
    let refused = scene.request_with(&token, Method::GET, PATH).send().await?;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"3".parse()?));
    assert_eq!(refused.json::<serde_json::Value>().await?["code"], "too_many_streams");
    let other = scene.token_of("ben", Role::Viewer, HOUR);
    let _other = Events::open(&scene, &other, None).await?;
    drop(open.pop());
    // Well before the next heartbeat, whose failure would end the stream in any case.
    let freed = wait_until("the slot is free again", Duration::from_secs(10), async || {
        Events::open(&scene, &token, None).await.map_err(|error| error.to_string())
    });
    freed.await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_ends_with_its_token_and_says_why() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // While the service still connects to the broker, a resync may come first.
    wait_for_consumers(&scene.world, 1).await?;
    let mut events = Events::open(&scene, &scene.token(Role::Viewer, Duration::from_secs(2)), None).await?;
    let event = events.next().await?.expect("an event");
    assert_eq!((event.name.as_str(), event.data.as_str()), ("end", r#"{"code":"token_expired"}"#));
    assert_eq!(events.next().await?, None, "the stream ends");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_of_a_revoked_token_ends_and_others_go_on() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    wait_for_consumers(&scene.world, 1).await?;
    let (stolen, sound) = (scene.token(Role::Viewer, HOUR), scene.token(Role::Viewer, HOUR));
    let mut of_thief = Events::open(&scene, &stolen, None).await?;
    let mut of_anna = Events::open(&scene, &sound, None).await?;
    let request = json!({"tokenId": scene.token_id(&stolen)});
    let revoke = scene.request(Role::Admin, Method::POST, "/api/sync/token-revocations").json(&request);
    scene.json(revoke, 200).await;
    let event = of_thief.next().await?.expect("an event");
    assert_eq!((event.name.as_str(), event.data.as_str()), ("end", r#"{"code":"token_revoked"}"#));
    assert_eq!(of_thief.next().await?, None, "the stream ends");
    publish(&scene.world, 0..1).await?;
    assert_eq!(of_anna.next().await?.expect("an event").name, "schedule.changed");
    scene.end().await;
    Ok(())
}
