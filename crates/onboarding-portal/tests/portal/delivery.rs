//! Delivery of webhooks to a receiver.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context;
use chassis::config::Environment;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::webhook::{
    EventType, WebhookBody,
    signature::{DEFAULT_TOLERANCE, Keyring, NamedSecret, Secret, SignedHeaders},
};
use serde_json::json;
use testbed::wait_until;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::rig::{ADMIN_KEY, PATIENCE, Rig, SECRET, answer, equipment, noon, serve, vessel, world};

/// A receiver that gives the answers of a list, then 202.
pub(crate) struct Receiver {
    server: MockServer,
    pub url: String,
}

impl Receiver {
    pub(crate) async fn with(answers: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        // Not from the pool: the portal of an earlier test might still send to a pooled server.
        let server = MockServer::builder().start().await;
        let respond = move |_: &Request| {
            answers.lock().unwrap().pop_front().unwrap_or_else(|| ResponseTemplate::new(202))
        };
        Mock::given(any()).respond_with(respond).mount(&server).await;
        let url = format!("{}/hook", server.uri());
        Self { server, url }
    }

    pub(crate) async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap_or_default()
    }

    pub(crate) async fn after(&self, requests: usize) -> anyhow::Result<Vec<Request>> {
        wait_until(format!("{requests} requests came"), PATIENCE, async || {
            let came = self.requests().await;
            if came.len() >= requests { Ok(came) } else { Err(came.len()) }
        })
        .await
    }
}

pub(crate) fn status(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
}

/// A portal in development, with a draft vessel, that sends to a receiver.
pub(crate) async fn sending_to(receiver: &Receiver, config: &[(&str, &str)]) -> anyhow::Result<Rig> {
    let mut all = vec![("WEBHOOK_URL", receiver.url.as_str())];
    all.extend(config);
    let rig = Rig::with(Environment::Development, &all).await?;
    rig.enter_a_vessel().await?;
    Ok(rig)
}

pub(crate) fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a webhook's signature matches a secret at a time.
pub(crate) fn verifies(request: &Request, secret: &str, now: DateTime<Utc>) -> bool {
    let secret = Secret::parse(&secret.to_owned().into()).unwrap();
    let named = NamedSecret { name: "test".to_owned(), secret, expires_at: None };
    let headers = SignedHeaders {
        id: header(request, "webhook-id"),
        timestamp: header(request, "webhook-timestamp"),
        signature: header(request, "webhook-signature"),
    };
    Keyring::new(vec![named], DEFAULT_TOLERANCE).verify(headers, &request.body, now).is_ok()
}

fn id_of(receipt: &serde_json::Value) -> anyhow::Result<&str> {
    receipt["webhookId"].as_str().context("a webhook is queued")
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_is_delivered_signed_and_names_the_record() -> anyhow::Result<()> {
    let receiver = Receiver::with([]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let receipt = rig.post("/api/vessels/v-1/approve").await?;
    let came = receiver.after(1).await?;

    let request = &came[0];
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/hook"));
    assert_eq!(header(request, "content-type"), "application/json");
    assert!(header(request, "user-agent").starts_with("onboarding-portal/"));
    assert_eq!(header(request, "webhook-id"), id_of(&receipt)?);
    assert_eq!(header(request, "webhook-timestamp"), noon().timestamp().to_string());
    assert!(verifies(request, SECRET, noon()));
    assert!(!verifies(request, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", noon()));

    let body: WebhookBody = serde_json::from_slice(&request.body)?;
    assert_eq!((body.event_type, body.schema_version), (EventType::VesselApproved, 1));
    assert_eq!((body.data.id.as_deref(), body.data.imo.as_deref()), (Some("v-1"), Some("9074729")));

    let message = rig.message_in_state(id_of(&receipt)?, "delivered").await?;
    assert_eq!(message["body"], String::from_utf8(request.body.clone())?);
    assert_eq!((&message["attempts"], &message["attemptsMade"][0]["status"]), (&1.into(), &202.into()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_webhook_is_retried_by_schedule_with_a_new_timestamp() -> anyhow::Result<()> {
    let receiver = Receiver::with([status(500).set_body_string("out of order"), status(301)]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let receipt = rig.post("/api/vessels/v-1/approve").await?;
    let id = id_of(&receipt)?;

    let message = rig.message_after(id, 1).await?;
    let next: DateTime<Utc> = message["nextAttemptAt"].as_str().context("it is tried again")?.parse()?;
    let wait = (next - noon()).to_std()?;
    let scattered = Duration::from_millis(4500)..=Duration::from_millis(5500);
    assert!(scattered.contains(&wait), "5 s, scattered by a tenth: {wait:?}");
    assert_eq!(
        (&message["state"], &message["attemptsMade"][0]["response"]),
        (&"pending".into(), &"out of order".into())
    );

    rig.advance(wait);
    let message = rig.message_after(id, 2).await?;
    assert_eq!(message["attemptsMade"][1]["status"], 301, "a redirect is a failure, and not followed");
    rig.advance(Duration::from_secs(331));
    let message = rig.message_in_state(id, "delivered").await?;
    assert_eq!(message["attempts"], 3);

    let came = receiver.requests().await;
    assert_eq!(came.len(), 3);
    let ids: BTreeSet<_> = came.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!(ids, BTreeSet::from([id]));
    let times: Vec<i64> = came.iter().map(|it| header(it, "webhook-timestamp").parse().unwrap()).collect();
    assert!(times[1] - times[0] >= 4 && times[2] - times[1] == 331, "{times:?}");
    assert!(came.iter().zip(&times).all(|(it, time)| verifies(
        it,
        SECRET,
        DateTime::from_timestamp(*time, 0).unwrap()
    )));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_is_not_followed() -> anyhow::Result<()> {
    let elsewhere = Receiver::with([]).await;
    let receiver = Receiver::with([status(307).insert_header("location", elsewhere.url.as_str())]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let receipt = rig.post("/api/vessels/v-1/approve").await?;
    let message = rig.message_after(id_of(&receipt)?, 1).await?;
    assert_eq!((&message["attemptsMade"][0]["status"], &message["state"]), (&307.into(), &"pending".into()));
    assert!(elsewhere.requests().await.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_without_retries_left_is_given_up_and_can_be_sent_again() -> anyhow::Result<()> {
    let receiver = Receiver::with((0..4).map(|_| status(503))).await;
    let rig = sending_to(&receiver, &[("SMS_WEBHOOK__RETRY_AFTER_SECONDS", "1")]).await?;
    let first = rig.post("/api/vessels/v-1/approve").await?;
    let second = rig.patch("/api/users/u-1", json!({"department": "engine"})).await?;
    for id in [id_of(&first)?, id_of(&second)?] {
        rig.message_after(id, 1).await?;
    }
    rig.advance(Duration::from_secs(2));
    for id in [id_of(&first)?, id_of(&second)?] {
        let given_up = rig.message_in_state(id, "failed").await?;
        assert_eq!((&given_up["attempts"], given_up["endedAt"].is_string()), (&2.into(), true));
    }

    rig.post(&format!("/api/webhooks/messages/{}/redeliver", id_of(&first)?)).await?;
    rig.message_in_state(id_of(&first)?, "delivered").await?;
    assert_eq!(rig.get("/api/webhooks/messages?state=failed").await?["data"][0]["id"], second["webhookId"]);

    let later = noon() + TimeDelta::days(1);
    let recover = async |since: DateTime<Utc>| {
        rig.ask(reqwest::Method::POST, "/api/webhooks/recover", Some(&json!({"since": since})))
            .await?
            .success()
    };
    assert_eq!(recover(later).await?["messages"], 0);
    assert_eq!(recover(noon()).await?["messages"], 1);
    rig.message_in_state(id_of(&second)?, "delivered").await?;

    // A delivered webhook can be sent again, too.
    rig.post(&format!("/api/webhooks/messages/{}/redeliver", id_of(&first)?)).await?;
    assert_eq!(receiver.after(7).await?.len(), 7);
    let missing = rig.ask(reqwest::Method::POST, "/api/webhooks/messages/msg_9/redeliver", None).await?;
    assert_eq!(missing.status, reqwest::StatusCode::NOT_FOUND);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_pauses_all_webhooks_of_the_endpoint() -> anyhow::Result<()> {
    let receiver = Receiver::with([status(429).insert_header("retry-after", "600")]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let first = rig.post("/api/vessels/v-1/approve").await?;
    let message = rig.message_after(id_of(&first)?, 1).await?;
    let next: DateTime<Utc> = message["nextAttemptAt"].as_str().context("it is tried again")?.parse()?;
    assert_eq!(next, noon() + TimeDelta::seconds(600));

    let second = rig.patch("/api/users/u-1", json!({"department": "engine"})).await?;
    rig.advance(Duration::from_secs(599));
    let endpoint = rig.get("/api/webhooks/endpoint").await?;
    assert_eq!(endpoint["pausedUntil"].as_str().context("a pause")?.parse::<DateTime<Utc>>()?, next);
    assert_eq!((&endpoint["pending"], receiver.requests().await.len()), (&2.into(), 1));

    rig.advance(Duration::from_secs(1));
    rig.message_in_state(id_of(&first)?, "delivered").await?;
    rig.message_in_state(id_of(&second)?, "delivered").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn aborted_message_is_not_sent_again() -> anyhow::Result<()> {
    let receiver = Receiver::with([status(422).insert_header("webhook-delivery", "abort-message")]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let receipt = rig.post("/api/vessels/v-1/approve").await?;
    let message = rig.message_in_state(id_of(&receipt)?, "failed").await?;
    assert_eq!(message["attempts"], 1);
    assert_eq!(rig.get("/api/webhooks/endpoint").await?["state"], "enabled");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_on_this_machine_is_refused_in_production() -> anyhow::Result<()> {
    let receiver = Receiver::with([]).await;
    let config = [("WEBHOOK_URL", receiver.url.as_str())];
    let refused = Rig::with(Environment::Production, &config).await.err().context("http is refused")?;
    assert!(format!("{refused:#}").contains("is not https"), "{refused:#}");
    let plain = [config[0], ("SMS_WEBHOOK__PLAIN_HTTP", "always")];
    let refused = Rig::with(Environment::Production, &plain).await.err().context("127.0.0.1 is refused")?;
    assert!(format!("{refused:#}").contains("127.0.0.1 is not a public address"), "{refused:#}");

    // A name is checked only when it is resolved.
    let by_name = receiver.url.replace("127.0.0.1", "localhost");
    let named = [("WEBHOOK_URL", by_name.as_str()), plain[1]];
    let rig = Rig::with(Environment::Production, &named).await?;
    let ping = rig.post("/api/webhooks/test").await?;
    let message = rig.message_after(id_of(&ping)?, 1).await?;
    let why = message["attemptsMade"][0]["response"].as_str().context("a reason")?;
    assert!(why.contains("is not a public address"), "{why}");
    assert!(receiver.requests().await.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_one_record_are_sent_in_order() -> anyhow::Result<()> {
    let slowly =
        (0..10).map(|at| status(202).set_delay(Duration::from_millis(if at % 2 == 0 { 80 } else { 1 })));
    let receiver = Receiver::with(slowly).await;
    let rig = sending_to(&receiver, &[]).await?;
    rig.post("/api/vessels/v-1/approve").await?;
    let mut queued = Vec::new();
    for at in 0..12 {
        let receipt = rig.patch("/api/users/u-1", json!({"department": format!("{at}")})).await?;
        queued.push(id_of(&receipt)?.to_owned());
    }
    let came = receiver.after(13).await?;
    let ids: Vec<_> = came
        .iter()
        .map(|request| header(request, "webhook-id"))
        .filter(|id| queued.iter().any(|it| it == id))
        .collect();
    assert_eq!(ids, queued);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_that_waits_for_a_retry_does_not_delay_later_ones() -> anyhow::Result<()> {
    let receiver = Receiver::with([status(500)]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let first = rig.post("/api/vessels/v-1/approve").await?;
    rig.message_after(id_of(&first)?, 1).await?;
    let second = rig.patch("/api/vessels/v-1", json!({"name": "Boreas"})).await?;
    rig.message_in_state(id_of(&second)?, "delivered").await?;
    assert_eq!(rig.get(&format!("/api/webhooks/messages/{}", id_of(&first)?)).await?["state"], "pending");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_instances_send_each_webhook_once() -> anyhow::Result<()> {
    let receiver = Receiver::with([]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let config = [("WEBHOOK_URL", receiver.url.as_str())];
    let (_other, url, shutdown) =
        serve(&rig.world.database_url, &rig.clock, Environment::Development, &config).await?;
    let client = reqwest::Client::builder().build()?;
    rig.post("/api/vessels/v-1/approve").await?;
    for at in 0..60 {
        let request = match at % 2 {
            0 => rig.request(reqwest::Method::POST, "/api/webhooks/test"),
            _ => client.post(format!("{url}/api/webhooks/test")).header("x-api-key", ADMIN_KEY),
        };
        answer(request).await?.success()?;
    }
    let came = receiver.after(61).await?;
    wait_until("nothing is pending", PATIENCE, async || {
        let endpoint = rig.get("/api/webhooks/endpoint").await.map_err(|error| error.to_string())?;
        if endpoint["pending"] == 0 { Ok(()) } else { Err(endpoint.to_string()) }
    })
    .await?;
    let ids: BTreeSet<_> = came.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!((ids.len(), receiver.requests().await.len()), (61, 61));
    shutdown.abort("the test is over");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_of_a_dead_sender_is_sent_when_its_claim_expires() -> anyhow::Result<()> {
    let receiver = Receiver::with([]).await;
    let rig = Rig::start().await?;
    let ping = rig.post("/api/webhooks/test").await?;
    // As if a sender had claimed the message and died.
    rig.world
        .execute("UPDATE webhook_messages SET attempts = 1, claimed_until = '2026-11-24T12:00:45Z'")
        .await?;
    let config = [("WEBHOOK_URL", receiver.url.as_str())];
    let (portal, _, shutdown) =
        serve(&rig.world.database_url, &rig.clock, Environment::Development, &config).await?;

    let second = rig.post("/api/webhooks/test").await?;
    portal.sender().wake();
    rig.message_in_state(id_of(&second)?, "delivered").await?;
    assert_eq!(receiver.requests().await.len(), 1, "a valid claim is respected");

    rig.clock.advance(Duration::from_secs(45));
    portal.sender().wake();
    let message = rig.message_in_state(id_of(&ping)?, "delivered").await?;
    assert_eq!(message["attempts"], 2);
    assert_eq!(message["attemptsMade"].as_array().map(Vec::len), Some(1), "the first attempt did not end");
    shutdown.abort("the test is over");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn test_event_is_delivered_without_a_record() -> anyhow::Result<()> {
    let receiver = Receiver::with([]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let ping = rig.post("/api/webhooks/test").await?;
    rig.message_in_state(id_of(&ping)?, "delivered").await?;
    let came = receiver.after(1).await?;
    let body: WebhookBody = serde_json::from_slice(&came[0].body)?;
    assert_eq!((body.event_type, body.data.id), (EventType::TestPing, None));
    assert!(verifies(&came[0], SECRET, noon()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_is_kept_up_to_its_limit_or_the_reason_why_there_was_none() -> anyhow::Result<()> {
    let long = "x".repeat(100_000);
    let receiver = Receiver::with([
        status(500).set_body_string(long),
        status(500).set_body_bytes([b'a', 0, 0xff]),
        status(200).set_delay(Duration::from_secs(30)),
    ])
    .await;
    let rig = sending_to(
        &receiver,
        &[("SMS_WEBHOOK__TIMEOUT_MS", "300"), ("SMS_WEBHOOK__RETRY_AFTER_SECONDS", "0,0")],
    )
    .await?;
    let ping = rig.post("/api/webhooks/test").await?;
    let message = rig.message_in_state(id_of(&ping)?, "failed").await?;
    let response = |at: usize| message["attemptsMade"][at]["response"].as_str().unwrap_or_default();
    assert_eq!((response(0).len(), response(1)), (4096, "a\u{fffd}\u{fffd}"));
    assert!(response(2).starts_with("no answer in time"), "{}", response(2));
    assert_eq!(message["attemptsMade"][2].get("status"), None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_listed_newest_first_and_filtered() -> anyhow::Result<()> {
    let world = world().await?;
    let clock = onboarding_portal::clock::Clock::manual(noon());
    // Without an address, webhooks stay pending.
    let rig = Rig::on(world, clock, Environment::Production, &[]).await?;
    rig.enter_a_vessel().await?;
    rig.enter([("vessels", vessel("v-2", "c-1", "9619907")), ("equipment", equipment("e-2", "v-2", 1))])
        .await?;
    for vessel in ["v-1", "v-2"] {
        rig.post(&format!("/api/vessels/{vessel}/approve")).await?;
    }
    rig.patch("/api/equipment/e-1", json!({"location": "Engine room"})).await?;

    let about = async |query: &str| {
        let page = rig.get(&format!("/api/webhooks/messages?{query}")).await?;
        let data = page["data"].as_array().context("a list")?;
        anyhow::Ok(data.iter().map(|message| message["recordId"].clone()).collect::<Vec<_>>())
    };
    assert_eq!(about("").await?, ["e-1", "v-2", "v-1"]);
    assert_eq!(about("eventType=vessel.approved").await?, ["v-2", "v-1"]);
    assert_eq!(about("recordId=v-1&state=pending").await?, ["v-1"]);
    assert_eq!(about("state=delivered").await?, [""; 0]);
    let first = rig.get("/api/webhooks/messages?limit=2").await?;
    assert_eq!(about(&format!("limit=2&cursor={}", first["nextCursor"])).await?, ["v-1"]);
    assert_eq!(rig.get("/api/webhooks/endpoint").await?.get("url"), None);
    Ok(())
}
