//! Which webhooks are accepted, and what the others are answered.

use contracts::webhook::signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use domain::clock::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::scene::{SECRET, Scene, Webhook, client, new_id};

fn now() -> i64 {
    SystemClock.now().timestamp()
}

fn body() -> Vec<u8> {
    json!({"type": "vessel.approved", "timestamp": "2026-11-24T08:30:00Z", "data": {"id": "v-1"}})
        .to_string()
        .into_bytes()
}

/// The rows of the rejection log, oldest first, once there are so many.
async fn logged_rejections(scene: &Scene, number: usize) -> anyhow::Result<Vec<Value>> {
    testbed::wait_until("the rejections are logged", crate::scene::WAIT_TIMEOUT, async || {
        let rows = scene
            .rows("SELECT * FROM refused_webhooks ORDER BY id")
            .await
            .map_err(|e| vec![json!(e.to_string())])?;
        if rows.len() == number { Ok(rows) } else { Err(rows) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_webhook_is_recorded_and_its_repetition_is_a_duplicate() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    let webhook = Webhook::about("vessel.approved", "v-1");
    let first = scene.send(&webhook).await?;
    assert_eq!(first.status, 202, "{first:?}");
    assert_eq!(first.body["duplicate"], false);
    let again = scene.send(&webhook).await?;
    assert_eq!((again.status.as_u16(), &again.body["duplicate"]), (200, &json!(true)), "{again:?}");
    assert_eq!(first.body["eventId"], again.body["eventId"]);

    let row = scene.rows("SELECT *, convert_from(body, 'UTF8') AS text FROM webhook_events").await?.remove(0);
    assert_eq!(row["webhook_id"], webhook.id());
    assert_eq!((&row["record_type"], &row["source_id"]), (&json!("vessel"), &json!("v-1")));
    assert_eq!((&row["key_name"], &row["duplicates"]), (&json!("current"), &json!(1)));
    assert_eq!(row["text"].as_str().map(str::as_bytes), Some(&*webhook.body), "the signed bytes");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn id_of_an_earlier_webhook_with_another_body_is_refused_and_logged() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    let id = new_id();
    let other =
        json!({"type": "vessel.approved", "timestamp": "2026-11-24T08:30:00Z", "data": {"id": "v-2"}});
    let (first, second) = (
        Webhook::signed(SECRET, &id, now(), &body()),
        Webhook::signed(SECRET, &id, now(), other.to_string().as_bytes()),
    );
    assert_eq!(scene.send(&first).await?.status, 202);
    let refused = scene.send(&second).await?;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (409, &json!("webhook_id_reused")),
        "{refused:?}"
    );
    assert_eq!(scene.send(&first).await?.status, 200, "its own repetition is a duplicate as before");
    let logged = logged_rejections(&scene, 1).await?;
    assert_eq!(logged[0]["reason"], "id_reused");
    assert_eq!(scene.count("webhook_events WHERE source_id = 'v-1' AND duplicates = 1").await?, 1);
    assert_eq!(scene.count("webhook_events").await?, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_on_several_lines_are_accepted_in_any_order() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    for good_first in [true, false] {
        let webhook = Webhook::signed(SECRET, &new_id(), now(), &body());
        let good = webhook.header(SIGNATURE_HEADER).to_owned();
        let lines = if good_first { [good.as_str(), "v1,AAAA"] } else { ["v1,AAAA", good.as_str()] };
        let mut request = client().post(scene.url()).body(webhook.body.clone());
        request = request.header("content-type", "application/json").header(ID_HEADER, webhook.id());
        request = request.header(TIMESTAMP_HEADER, webhook.header(TIMESTAMP_HEADER));
        for line in lines {
            request = request.header(SIGNATURE_HEADER, line);
        }
        assert_eq!(request.send().await?.status(), 202, "{lines:?}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_deliveries_of_one_webhook_create_one_event() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    let webhook = Webhook::about("vessel.approved", "v-1");
    let answers = futures_util::future::try_join_all((0..16).map(|_| scene.send(&webhook))).await?;
    let of = |status: u16| answers.iter().filter(|it| it.status == status).count();
    assert_eq!((of(202), of(200)), (1, 15), "{answers:?}");
    assert_eq!(scene.count("webhook_events WHERE duplicates = 15").await?, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_and_events_of_unknown_types_are_recorded_as_ignored() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    for body in [
        json!({"type": "test.ping", "timestamp": "2026-11-24T08:30:00Z", "data": {}}),
        json!({"type": "certificate.approved", "timestamp": "2026-11-24T08:30:00Z", "data": {"id": "c-1"}}),
        json!({"type": "certificate.approved", "data": [1, 2, 3]}),
    ] {
        let webhook = Webhook::signed(SECRET, &new_id(), now(), body.to_string().as_bytes());
        let answer = scene.send(&webhook).await?;
        assert_eq!(answer.status, 202, "a rejected sender would retry for days: {answer:?}");
    }
    assert_eq!(scene.count("webhook_events WHERE state = 'ignored' AND published_at IS NULL").await?, 3);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_webhooks_are_logged_with_a_reason_the_sender_does_not_see() -> anyhow::Result<()> {
    let scene = Scene::new(&[("SMS_WEBHOOK__LARGEST_BODY_BYTES", "2048")]).await?;
    let good = || Webhook::about("vessel.approved", "v-1");
    let signed = |text: &[u8]| Webhook::signed(SECRET, &new_id(), now(), text);
    let old = Webhook::signed(SECRET, &new_id(), now() - 301, &body());
    let future = Webhook::signed(SECRET, &new_id(), now() + 330, &body());
    let mut changed = good();
    changed.body[10] ^= 1;
    let person = br#"{"type":"vessel.approved","timestamp":"Ola Nordmann","data":{}}"#;
    let cases = [
        (good().with("content-type", Some("text/plain")), 415, "unsupported_content_type"),
        (good().with("content-type", None), 415, "unsupported_content_type"),
        (signed(&vec![b' '; 2049]), 413, "payload_too_large"),
        (good().with("webhook-id", None), 401, "missing_signature"),
        (good().with(TIMESTAMP_HEADER, None), 401, "missing_signature"),
        (good().with(SIGNATURE_HEADER, None), 401, "missing_signature"),
        (Webhook::signed(SECRET, "msg.1", now(), &body()), 401, "malformed_id"),
        (good().with(TIMESTAMP_HEADER, Some("1764000000.5")), 401, "malformed_timestamp"),
        (old, 401, "timestamp_out_of_tolerance"),
        (future, 401, "timestamp_out_of_tolerance"),
        (good().with(SIGNATURE_HEADER, Some("v2,AAAA v1a,AAAA")), 401, "no_usable_signature"),
        (Webhook::signed("another secret", &new_id(), now(), &body()), 401, "verification_failed"),
        (Webhook::signed("another secret", &new_id(), now() - 301, &body()), 401, "verification_failed"),
        (changed, 401, "verification_failed"),
        (signed(b"{"), 400, "unparsable_json"),
        (signed(person), 400, "schema_invalid"),
    ];
    for (webhook, status, reason) in &cases {
        let answer = scene.send(webhook).await?;
        assert_eq!(answer.status, *status, "{reason}: {answer:?}");
        if *status == 401 {
            assert_eq!(answer.retry_after, None, "{reason}: a retry would not help");
            assert_eq!(
                answer.body["code"], "webhook_not_verified",
                "{reason}: every failed check has the same code"
            );
        }
    }
    let wrong_method = client().get(scene.url()).send().await?;
    assert_eq!(wrong_method.status(), 405);
    assert_eq!(wrong_method.headers()["allow"], "POST");

    assert_eq!(scene.count("webhook_events").await?, 0);
    let rows = logged_rejections(&scene, cases.len() + 1).await?;
    let logged: Vec<_> = rows.iter().map(|row| row["reason"].as_str().unwrap_or("?")).collect();
    let mut expected: Vec<_> = cases.iter().map(|(_, _, reason)| *reason).collect();
    expected.push("unsupported_method");
    assert_eq!(logged, expected);
    let all = json!(rows).to_string();
    for secret in ["Ola", "whsec", "v1,", SECRET] {
        assert!(!all.contains(secret), "{secret} must not be logged: {all}");
    }
    let log = &rows[cases.len() - 1];
    assert_eq!((&log["body_bytes"], &log["source"]), (&json!(person.len()), &json!("127.0.0.1")));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn any_active_secret_is_accepted_and_its_name_recorded() -> anyhow::Result<()> {
    let more = "next=whsec_bmV4dG5leHRuZXh0bmV4dG5leHRuZXh0, raw@2999-01-01T00:00:00Z=any text, \
                old@2020-01-01T00:00:00Z=long gone";
    let scene = Scene::new(&[("WEBHOOK_SECRETS", more)]).await?;
    for (secret, status) in [
        (SECRET, 202),
        ("whsec_bmV4dG5leHRuZXh0bmV4dG5leHRuZXh0", 202),
        ("any text", 202),
        ("long gone", 401),
        ("never heard", 401),
    ] {
        let answer = scene.send(&Webhook::signed(secret, &new_id(), now(), &body())).await?;
        assert_eq!(answer.status, status, "{secret}: {answer:?}");
    }
    // A sender that rotates its secret signs with both, in one header; `v1a` is a version that we do not know.
    let mut both = Webhook::signed("long gone", &new_id(), now(), &body());
    let ours = Secret::parse(&SECRET.to_owned().into())?.sign(both.id(), now(), &both.body);
    let signatures = format!("v1a,AAAA {} {ours}", both.header(SIGNATURE_HEADER));
    both = both.with(SIGNATURE_HEADER, Some(&signatures)).with(TIMESTAMP_HEADER, Some(&now().to_string()));
    assert_eq!(scene.send(&both).await?.status, 202);
    let names = scene.rows("SELECT key_name FROM webhook_events ORDER BY id").await?;
    let names: Vec<_> = names.iter().map(|row| row["key_name"].as_str().unwrap_or("?")).collect();
    assert_eq!(names, ["current", "next", "raw", "current"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configured_tolerance_applies_to_past_and_future_timestamps() -> anyhow::Result<()> {
    let scene = Scene::new(&[("SMS_WEBHOOK__TOLERANCE_SECONDS", "1800")]).await?;
    for (shift, status) in [(-1700, 202), (1700, 202), (-1900, 401), (1900, 401)] {
        let answer = scene.send(&Webhook::signed(SECRET, &new_id(), now() + shift, &body())).await?;
        assert_eq!(answer.status, status, "{shift} s: {answer:?}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hub_signatures_are_accepted_only_if_configured_and_no_second_try() -> anyhow::Result<()> {
    let signature = Secret::parse(&SECRET.to_owned().into())?.sign_hub(&body());
    let hub = |id: Option<&str>| {
        Webhook { body: body(), headers: Vec::new() }
            .with("content-type", Some("application/json"))
            .with("x-hub-signature-256", Some(&signature))
            .with("x-github-delivery", id)
    };

    let scene = Scene::new(&[]).await?;
    assert_eq!(scene.send(&hub(Some("d-1"))).await?.status, 401);
    scene.end().await;

    let scene = Scene::new(&[("SMS_WEBHOOK__HUB_SIGNATURE", "true")]).await?;
    assert_eq!(scene.send(&hub(Some("d-1"))).await?.status, 202);
    assert_eq!(scene.send(&hub(Some("d-1"))).await?.status, 200, "x-github-delivery is the webhook's id");
    assert_eq!(scene.send(&hub(None)).await?.status, 401, "without an id there is no way to find duplicates");
    let forged = Webhook::signed("another secret", "d-2", now(), &body())
        .with("x-hub-signature-256", Some(&signature));
    assert_eq!(scene.send(&forged).await?.status, 401, "a Standard Webhooks signature decides alone");
    assert_eq!(
        scene.send(&Webhook::about("vessel.approved", "v-1")).await?.status,
        202,
        "Standard Webhooks are still accepted"
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn header_names_of_any_case_and_chunked_bodies_are_accepted() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    for upper in [true, false] {
        let webhook = Webhook::about("vessel.approved", "v-1");
        let mut request =
            String::from("POST /api/sync/webhook HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in &webhook.headers {
            let name = if upper { name.to_uppercase() } else { name.clone() };
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("Transfer-Encoding: chunked\r\n\r\n");
        for piece in webhook.body.chunks(20) {
            request.push_str(&format!("{:x}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece)?));
        }
        request.push_str("0\r\n\r\n");
        let mut stream = TcpStream::connect(scene.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    }
    scene.end().await;
    Ok(())
}
