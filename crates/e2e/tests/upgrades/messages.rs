//! Messages of an older and of a newer version, on queues that workers of both versions share.
//!
//! There is one version of our programs here. The older worker is a consumer that knows the fields of before; messages of the
//! older version lack a field, and those of the newer one have fields that nobody knows yet.

use std::time::Duration;

use anyhow::Context;
use e2e::{Fleet, Kind, Message, PATIENCE, Setup, System, Webhook};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use testbed::lapin::{
    Channel,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions},
};
use testbed::wait_until;
use uuid::Uuid;

const EVENTS: &str = "sync.events";
const EVENT_KIND: &str = "sms.sync.v1.ApprovalEvent";
const BUNDLE_KIND: &str = "sms.sync.v1.MessageBundle";

/// `ApprovalEvent` as the first version had it: without `recordUpdatedAt`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FirstApprovalEvent {
    webhook_event_id: Uuid,
    webhook_id: String,
    event_type: String,
    record_type: String,
    source_id: String,
}

/// A system whose only worker has ended, after it has made the queues.
async fn without_worker(fleet: Fleet) -> anyhow::Result<System> {
    let mut system = System::start(Setup { fleet, ..Setup::default() }).await?;
    system.workers.remove(0).terminate(Duration::from_secs(60)).await?;
    Ok(system)
}

async fn channel_of(system: &System) -> anyhow::Result<Channel> {
    Ok(system.world.amqp_connection().await?.create_channel().await?)
}

/// The next message of a queue. It is delivered to others if the channel closes before it is acknowledged.
async fn next_message(channel: &Channel, queue: &str) -> anyhow::Result<BasicGetMessage> {
    wait_until(format!("a message is in {queue}"), PATIENCE, async || {
        let got = channel.basic_get(queue.into(), BasicGetOptions::default()).await;
        got.map_err(|error| error.to_string())?.ok_or_else(|| "it is empty".to_owned())
    })
    .await
}

fn kind_of(message: &BasicGetMessage) -> String {
    message.properties.kind().as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Takes the events that webhook-ingest has published: the body of each, whether it came alone or in a bundle.
async fn take_events(channel: &Channel, count: usize) -> anyhow::Result<Vec<Value>> {
    let mut events = Vec::new();
    while events.len() < count {
        let message = next_message(channel, EVENTS).await?;
        let body: Value = serde_json::from_slice(&message.data)?;
        if kind_of(&message) == BUNDLE_KIND {
            for bundled in body["messages"].as_array().context("a bundle has messages")? {
                events.push(serde_json::from_str(bundled["body"].as_str().context("a body")?)?);
            }
        } else {
            assert_eq!(kind_of(&message), EVENT_KIND);
            events.push(body);
        }
        message.acker.ack(BasicAckOptions::default()).await?;
    }
    Ok(events)
}

/// With fields that a version to come may add.
fn newer(mut message: Value) -> Value {
    message["priority"] = json!(7);
    message["requestedBy"] = json!({"portal": "north", "roles": ["approver"]});
    message
}

/// Without the field that was added since.
fn older(mut message: Value) -> Value {
    message.as_object_mut().expect("a message is an object").remove("recordUpdatedAt");
    message
}

async fn send(system: &System, queue: &str, kind: &str, id: &str, body: &Value) -> anyhow::Result<()> {
    Message { kind, id, body: &serde_json::to_vec(body)? }.send_to(&system.world, queue).await
}

/// The older worker does its work: it reads the fields that it knows, and commits that the event is processed.
async fn process_as_older_worker(system: &System, message: BasicGetMessage) -> anyhow::Result<()> {
    let event: FirstApprovalEvent = serde_json::from_slice(&message.data)?;
    assert_eq!(
        (event.event_type.as_str(), event.record_type.as_str()),
        ("vessel.updated", "RECORD_TYPE_VESSEL")
    );
    assert!(!event.webhook_id.is_empty() && !event.source_id.is_empty(), "{event:?}");
    let id = event.webhook_event_id;
    system
        .world
        .execute(&format!(
            "UPDATE webhook_events SET state = 'processed', processed_at = now() WHERE id = '{id}'"
        ))
        .await?;
    message.acker.ack(BasicAckOptions::default()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_of_two_versions_share_a_queue_of_events_and_lose_none() -> anyhow::Result<()> {
    const EVENT_COUNT: usize = 12;
    const OF_OLDER_WORKER: usize = 4;
    let mut system = without_worker(Fleet::Of(3, 0, 0)).await?;
    let vessels = system.portal.ids(Kind::Vessels, "approved").await?;
    for vessel in vessels.iter().cycle().take(EVENT_COUNT) {
        let webhook = Webhook::about("vessel.updated", vessel, "2026-05-01T00:00:00Z")?;
        assert_eq!(webhook.send(&system).await?.0, StatusCode::ACCEPTED);
    }
    let older_worker = channel_of(&system).await?;
    let events = take_events(&older_worker, EVENT_COUNT).await?;
    assert_eq!(system.world.messages_ready(EVENTS).await?, 0);

    // Older and newer ones in turn, and the last four in a bundle of the newer version.
    let (alone, bundled) = events.split_at(EVENT_COUNT - 4);
    for (place, event) in alone.iter().enumerate() {
        let id = event["webhookEventId"].as_str().context("an id")?;
        let event = if place % 2 == 0 { older(event.clone()) } else { newer(event.clone()) };
        send(&system, EVENTS, EVENT_KIND, id, &event).await?;
    }
    let messages = bundled.iter().map(|event| {
        let body = newer(event.clone()).to_string();
        newer(json!({"messageId": event["webhookEventId"], "kind": EVENT_KIND, "body": body}))
    });
    let bundle = newer(json!({"messages": messages.collect::<Vec<_>>()}));
    send(&system, EVENTS, BUNDLE_KIND, "bundle", &bundle).await?;

    // The older worker has some in hand while the present one takes the others.
    let mut in_hand = Vec::new();
    for _ in 0..OF_OLDER_WORKER {
        in_hand.push(next_message(&older_worker, EVENTS).await?);
    }
    system.start_worker(&[]).await?;
    let by_present = "webhook_events WHERE state = 'processed' AND sync_id IS NOT NULL";
    let others = i64::try_from(EVENT_COUNT - OF_OLDER_WORKER)?;
    system.wait_for_rows("the present worker has processed its events", by_present, others).await?;
    // It ends in the middle of its last one, which the present worker gets.
    in_hand.truncate(OF_OLDER_WORKER - 1);
    for message in in_hand {
        process_as_older_worker(&system, message).await?;
    }
    older_worker.close(200, "the older worker ends".into()).await?;
    system.wait_for_rows("it gets the last one of the other", by_present, others + 1).await?;

    let all = i64::try_from(EVENT_COUNT)?;
    assert_eq!(system.count("webhook_events WHERE state = 'processed'").await?, all);
    assert_eq!(system.count("vessels").await?, 3, "vessels that were fetched");
    assert_eq!(system.count("dead_letters").await?, 0);
    assert_eq!(system.count("attempts").await?, 0, "failed attempts");
    assert_eq!(system.world.messages_ready(EVENTS).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_updates_of_a_newer_version_are_understood() -> anyhow::Result<()> {
    let mut system = without_worker(Fleet::Of(2, 4, 0)).await?;
    let sync = system.operator.trigger().await?;
    let channel = channel_of(&system).await?;
    let command = next_message(&channel, "sync.commands").await?;
    let body = newer(serde_json::from_slice(&command.data)?);
    send(&system, "sync.commands", &kind_of(&command), &sync.to_string(), &body).await?;
    command.acker.ack(BasicAckOptions::default()).await?;
    // Between updates that clients are told of: one of a kind that nobody knows yet.
    let unknown = json!({"occurredAt": "2026-05-01T00:00:00Z", "name": "vessel.inspected", "inspection": {"id": "i-1"}});
    let known = newer(json!({
        "occurredAt": "2026-05-01T00:00:00Z", "name": "webhook.processed",
        "webhook": newer(json!({
            "webhookEventId": Uuid::now_v7().to_string(), "eventType": "vessel.updated",
            "recordType": "RECORD_TYPE_VESSEL", "sourceId": "v-of-a-newer-version", "state": "processed"
        }))
    }));
    // Again until it comes: the service reads the stream from its end, and begins when a worker has made it.
    let mut updates = system.operator.updates().await?;
    let told = wait_until("clients are told of the known one", PATIENCE, async || {
        let bodies = [&unknown, &known].map(|it| it.to_string().into_bytes());
        let published = system.world.publish_to_queue("sync.updates", "sms.sync.v1.SyncUpdate", bodies).await;
        published.map_err(|error| format!("{error:#}"))?;
        let next = updates.wait_for("webhook.processed");
        let next = tokio::time::timeout(Duration::from_secs(1), next).await;
        next.map_err(|_elapsed| "nothing came".to_owned())?.map_err(|error| format!("{error:#}"))
    })
    .await?;
    assert_eq!(told["sourceId"], "v-of-a-newer-version");

    system.start_worker(&[]).await?;
    let ended = system.operator.ended(sync).await?;
    assert_eq!(json!(ended.summary.state), "completed", "{ended:#?}");
    system.assert_created_once(sync).await?;
    assert_eq!(system.count("dead_letters").await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn message_of_an_unknown_kind_is_kept_until_a_newer_worker_replays_it() -> anyhow::Result<()> {
    let mut system = System::start(Setup { fleet: Fleet::Empty, ..Setup::default() }).await?;
    let ids = [Uuid::now_v7().to_string(), Uuid::now_v7().to_string()];
    let inspected = json!({"inspectionId": ids[0], "vessel": "v-1", "result": "passed"});
    // A kind that is known, about a type of record that is not.
    let certificate = json!({
        "webhookEventId": ids[1], "webhookId": "msg_1", "eventType": "certificate.updated",
        "recordType": "RECORD_TYPE_CERTIFICATE", "sourceId": "cert-1"
    });
    let sent = [("sms.sync.v1.VesselInspected", &inspected), (EVENT_KIND, &certificate)];
    for (id, (kind, body)) in ids.iter().zip(sent) {
        send(&system, EVENTS, kind, id, body).await?;
    }
    let letters = wait_until("both are dead letters", PATIENCE, async || {
        let letters = system.operator.dead_letters().await.map_err(|error| format!("{error:#}"))?;
        if letters.len() == 2 { Ok(letters) } else { Err(format!("{letters:#?}")) }
    })
    .await?;

    // The present worker is replaced by one that knows both; in its place, this test takes what comes.
    system.workers[0].terminate(Duration::from_secs(60)).await?;
    for letter in &letters {
        assert_eq!((letter.class.as_str(), letter.queue.as_str()), ("permanent", EVENTS), "{letter:#?}");
        let path = format!("/api/sync/dead-letters/{}/replay", letter.id);
        let (status, answer) = system.operator.ask(Method::POST, &path, None).await?;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    }
    let newer_worker = channel_of(&system).await?;
    let mut replayed = Vec::new();
    for _ in 0..2 {
        let message = next_message(&newer_worker, EVENTS).await?;
        let id = message.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default();
        replayed.push((id, kind_of(&message), serde_json::from_slice::<Value>(&message.data)?));
        message.acker.ack(BasicAckOptions::default()).await?;
    }
    replayed.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = ids.iter().zip(sent).map(|(id, (kind, body))| (id.clone(), kind.to_owned(), body.clone()));
    assert_eq!(replayed, expected.collect::<Vec<_>>(), "as they were sent");
    system.wait_for_rows("both are replayed", "dead_letters WHERE state = 'replayed'", 2).await?;
    Ok(())
}
