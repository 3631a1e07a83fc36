//! Webhooks as operators see them: what arrived, what was refused, and once more.

use e2e::{Fleet, Kind, PATIENCE, Setup, System, Webhook};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testbed::wait_until;

/// Waits until the API shows an event in a state; the event.
async fn in_state(system: &System, id: &str, state: &str) -> anyhow::Result<Value> {
    wait_until(format!("the event is {state}"), PATIENCE, async || {
        let path = format!("/api/sync/webhooks/{id}");
        let event: Value = system.operator.get(&path).await.map_err(|error| json!(format!("{error:#}")))?;
        if event["state"] == state { Ok(event) } else { Err(event) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_can_be_found_looked_at_and_processed_again() -> anyhow::Result<()> {
    let system = System::start(Setup { fleet: Fleet::Of(2, 0, 0), ..Setup::default() }).await?;
    let operator = &system.operator;
    let vessels = system.portal.ids(Kind::Vessels, "approved").await?;
    let mut ids = Vec::new();
    for vessel in &vessels {
        let webhook = Webhook::about("vessel.updated", vessel, "2026-05-01T00:00:00Z")?;
        let (status, answer) = webhook.send(&system).await?;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        ids.push((answer["eventId"].as_str().expect("an id").to_owned(), webhook));
    }
    let (id, webhook) = &ids[0];
    let first = in_state(&system, id, "processed").await?;
    assert_eq!((&first["webhookId"], &first["keyName"]), (&json!(webhook.id), &json!("current")));
    assert_eq!((&first["recordType"], &first["bodyBytes"]), (&json!("vessel"), &json!(webhook.body.len())));
    in_state(&system, &ids[1].0, "processed").await?;

    let found: Value = operator
        .get(&format!("/api/sync/webhooks?state=processed&sourceId={}&recordType=vessel", vessels[0]))
        .await?;
    assert_eq!((&found["pagination"]["total"], &found["data"][0]["id"]), (&json!(1), &json!(id)));
    let none: Value = operator.get("/api/sync/webhooks?to=2020-01-01T00:00:00Z").await?;
    assert_eq!(none["pagination"]["total"], 0);
    let raw: Value = operator.get(&format!("/api/sync/webhooks/{id}/raw-body")).await?;
    assert_eq!(raw, serde_json::from_slice::<Value>(&webhook.body)?);

    // Once more: the record as it is now, in a sync of its own.
    system.portal.change(Kind::Vessels, &vessels[0], json!({"name": "Renamed since"})).await?;
    let path = format!("/api/sync/webhooks/{id}/reprocess");
    let (status, answer) = operator.ask(Method::POST, &path, None).await?;
    assert_eq!((status, &answer["reprocessing"]), (StatusCode::ACCEPTED, &json!(1)), "{answer}");
    let again = wait_until("it was processed again", PATIENCE, async || {
        let event = in_state(&system, id, "processed").await.map_err(|error| format!("{error:#}"))?;
        if event["syncId"] == first["syncId"] { Err(event.to_string()) } else { Ok(event) }
    })
    .await?;
    assert!(again["syncId"].is_string(), "{again}");
    assert_eq!(system.count("vessels WHERE name = 'Renamed since'").await?, 1);
    let audit =
        system.rows("SELECT subject, actor, detail FROM audit WHERE action = 'webhook.reprocess'").await?;
    assert_eq!((&audit[0]["subject"], &audit[0]["actor"]), (&json!(id), &json!("e2e")));
    assert_eq!(audit[0]["detail"], json!({"state": "processed", "syncId": first["syncId"]}));

    // Many, with a count first.
    let which =
        json!({"filter": {"states": ["processed"], "recordType": "vessel"}, "reason": "after the outage"});
    let (_, plan) = operator.ask(Method::POST, "/api/sync/bulk/reprocess/plan", Some(&which)).await?;
    assert_eq!(plan["matching"], 2, "{plan}");
    let (status, answer) = operator.ask(Method::POST, "/api/sync/bulk/reprocess", Some(&which)).await?;
    assert_eq!((status, &answer["reprocessing"]), (StatusCode::ACCEPTED, &json!(2)), "{answer}");
    for (id, _) in &ids {
        in_state(&system, id, "processed").await?;
    }
    assert_eq!(system.count("audit WHERE action = 'webhook.reprocess'").await?, 3, "a row for each");
    for unclear in [json!({}), json!({"ids": [ids[0].0], "filter": {}})] {
        let (status, answer) = operator.ask(Method::POST, "/api/sync/bulk/reprocess", Some(&unclear)).await?;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_nothing_is_not_processed_again_and_what_was_refused_is_listed() -> anyhow::Result<()> {
    let system = System::start(Setup { fleet: Fleet::Empty, ..Setup::default() }).await?;
    let operator = &system.operator;
    let ping = Webhook::about("test.ping", "anything", "2026-05-01T00:00:00Z")?;
    let (_, answer) = ping.send(&system).await?;
    let path = format!("/api/sync/webhooks/{}/reprocess", answer["eventId"].as_str().expect("an id"));
    let (status, answer) = operator.ask(Method::POST, &path, None).await?;
    assert_eq!((status, &answer["state"]), (StatusCode::CONFLICT, &json!("ignored")), "{answer}");

    let mut forged = ping.clone();
    forged.body[5] ^= 1;
    assert_eq!(forged.send(&system).await?.0, StatusCode::UNAUTHORIZED);
    let refused = wait_until("the refusal is listed", PATIENCE, async || {
        let path = format!("/api/sync/webhooks/refused?reason=verification_failed&webhookId={}", forged.id);
        let list: Value = operator.get(&path).await.map_err(|error| json!(format!("{error:#}")))?;
        // A row may come between the statements that read the page and its total.
        if list["data"][0].is_object() { Ok(list) } else { Err(list) }
    })
    .await?;
    assert_eq!(refused["data"].as_array().map(Vec::len), Some(1), "{refused}");
    let refused = &refused["data"][0];
    assert_eq!((&refused["status"], &refused["bodyBytes"]), (&json!(401), &json!(forged.body.len())));
    assert_eq!(refused["bodySha256"].as_str().map(str::len), Some(64), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_webhooks_fill_neither_the_log_nor_the_table() -> anyhow::Result<()> {
    const SENT: usize = 600;
    let system = System::start(Setup { fleet: Fleet::Empty, workers: 0, ..Setup::default() }).await?;
    let before = system.front[0].output().len();
    let forged = Webhook::about("vessel.updated", "v-1", "2026-05-01T00:00:00Z")?.forged();
    for _ in 0..SENT / 20 {
        let sending = (0..20).map(|_| forged.send(&system));
        for answer in futures_util::future::try_join_all(sending).await? {
            assert_eq!(answer.0, StatusCode::UNAUTHORIZED);
        }
    }
    let output = system.front[0].output();
    let lines = output[before..].lines().filter(|line| line.contains("/api/sync/webhook")).count();
    // Of two kinds of lines 30 each, and one more every two seconds.
    assert!((1..200).contains(&lines), "{lines} lines");
    // The metrics count every one.
    let metrics = reqwest::get(format!("{}/metrics", system.front[0].url)).await?.text().await?;
    let counted = metrics.lines().any(|line| {
        line.starts_with("sms_webhook_requests_total{")
            && line.contains("refused")
            && line.ends_with(&format!(" {SENT}"))
    });
    assert!(counted, "{metrics}");
    Ok(())
}
