//! A provider that lags, repeats itself, never comes to an end, or asks to be left alone: what it holds up is its own.

use std::time::Duration;

use domain::{RecordCounts, RecordType};
use serde_json::{Value, json};
use testbed::{Answer, Cursors, List, wait_until};

use crate::scene::{NONE, PATIENCE, Scene, announced, updates_until};

async fn dead_letter_reason(scene: &Scene, message_id: &str) -> anyhow::Result<String> {
    wait_until("the message is a dead letter", PATIENCE, async || {
        let rows =
            scene.rows(&format!("SELECT reason FROM dead_letters WHERE message_id = '{message_id}'")).await;
        rows.first().and_then(|row| row["reason"].as_str().map(str::to_owned)).ok_or(rows)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_that_overtakes_its_own_commit_is_tried_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.answer_next(List::Export, Answer::status(404));
    let event = scene.webhook("vessel.approved", RecordType::Vessel, "v-1").await?;
    scene.event_state(event.id, "processed").await?;
    let failure = scene.rows("SELECT class, failure FROM attempts").await.remove(0);
    assert_eq!(failure["class"], "transient");
    assert_eq!(failure["failure"], "the onboarding portal announced vessel v-1 and does not list it");
    assert_eq!(scene.number("vessels").await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn event_of_a_later_version_than_the_list_has_is_tried_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    scene.world.execute("UPDATE settings SET retry_delays_ms = '{500,500,500}'").await?;
    let [soon, far] = ["2026-05-02T00:00:00.9Z", "2999-01-01T00:00:00Z"];
    let updated = "vessel.updated";
    let lagging = scene.webhook_of_version(updated, RecordType::Vessel, "v-1", soon).await?;
    // A time that cannot be is none, and costs no event beside it.
    let impossible = scene.webhook_of_version(updated, RecordType::Vessel, "v-2", far).await?;
    scene.event_state(impossible.id, "processed").await?;
    wait_until("the first attempt has failed", PATIENCE, async || {
        let rows = scene.rows("SELECT failure FROM attempts").await;
        let is_said =
            |row: &Value| row["failure"].as_str().is_some_and(|it| it.contains("its list lags behind"));
        if rows.iter().any(is_said) { Ok(()) } else { Err(rows) }
    })
    .await?;
    // The replica has come up, with a clock of whole seconds.
    scene.provider.put_vessel("v-1", json!({"name": "Newer", "updatedAt": "2026-05-02T00:00:00Z"}));
    scene.event_state(lagging.id, "processed").await?;
    assert_eq!(scene.number("vessels WHERE name = 'Newer'").await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_in_a_circle_ends_its_event_and_no_other() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.page_size(List::Vessels, 1);
    scene.provider.cursors(List::Vessels, Cursors::Circle);
    let sick = scene.webhook("company.approved", RecordType::Company, "c-1").await?;
    let sound = scene.webhook("user.approved", RecordType::User, "u-1").await?;
    let reason = dead_letter_reason(&scene, &sick.id.to_string()).await?;
    assert!(
        reason.ends_with("the next cursor is that of earlier pages, so paging would never end"),
        "{reason}"
    );
    scene.event_state(sound.id, "processed").await?;
    assert!(scene.provider.requests_for(List::Vessels).len() < 10, "pages are not fetched again and again");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_without_an_end_ends_its_task_and_frees_the_sync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.cursors(List::Equipment, Cursors::Endless);
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors");
    let dead = scene.rows("SELECT record_type, last_failure FROM sync_queue WHERE state = 'dead'").await;
    assert_eq!(
        dead,
        [json!({
            "record_type": "equipment",
            "last_failure": "the onboarding portal's list shows no end: 20 pages in a row hold no record, and each leads to another",
        })]
    );
    let counted = scene.tally(id, RecordType::Equipment).await;
    assert_eq!(counted, announced(5, RecordCounts { created: 5, ..NONE }), "what the list holds is in");
    let event = scene.webhook("equipment.approved", RecordType::Equipment, "e-1a").await?;
    let reason = dead_letter_reason(&scene, &event.id.to_string()).await?;
    assert!(reason.contains("20 pages in a row hold no record"), "{reason}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn blank_cursor_is_the_end_of_a_list() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.put_vessel("v-1", json!({}));
    let page = |list| {
        let record = scene.provider.listed(list, "v-1").and_then(|it| serde_json::from_slice(&it).ok());
        let data: Vec<Value> = record.into_iter().collect();
        json!({"data": data, "page": {"limit": 2, "nextCursor": "", "total": data.len()}}).to_string()
    };
    for list in [List::Vessels, List::Equipment, List::Users] {
        scene.provider.answer_page(list, 0, Answer::ok(page(list)));
    }
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    assert_eq!(scene.number("vessels").await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_fetch_delays_its_own_events_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    // Longer than everything else here takes; within the client's patience.
    scene.provider.answer_list_after(List::Export, Duration::from_secs(4));
    let slow = scene.webhook("vessel.approved", RecordType::Vessel, "v-1").await?;
    wait_until("the export is asked for", PATIENCE, async || {
        if scene.provider.requests_for(List::Export).is_empty() { Err(()) } else { Ok(()) }
    })
    .await?;
    let quick = scene.webhook("vessel.updated", RecordType::Vessel, "v-2").await?;
    scene.event_state(quick.id, "processed").await?;
    let state = scene.rows(&format!("SELECT state FROM webhook_events WHERE id = '{}'", slow.id)).await;
    assert_eq!(state, [json!({"state": "published"})], "the slow one is still on its way");
    scene.event_state(slow.id, "processed").await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_of_an_hour_waits_in_the_ledger_and_holds_up_nobody() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.answer_next(List::Export, Answer::status(503).header("retry-after", 3600));
    let asked_to_wait = scene.webhook("vessel.approved", RecordType::Vessel, "v-1").await?;
    let postponed = wait_until("the event is put off", PATIENCE, async || {
        let rows = scene
            .rows(
                "SELECT queue, message_id, attempt, extract(epoch FROM due_at - postponed_at) AS wait
                   FROM postponed_messages",
            )
            .await;
        if rows.is_empty() { Err(rows) } else { Ok(rows) }
    })
    .await?;
    assert_eq!(
        (postponed.len(), &postponed[0]["queue"], &postponed[0]["attempt"]),
        (1, &json!("sync.events"), &json!(2))
    );
    assert_eq!(postponed[0]["message_id"], asked_to_wait.id.to_string());
    let wait = postponed[0]["wait"].as_f64().unwrap_or_default();
    assert!((3_600.0..4_400.0).contains(&wait), "{wait}");

    // What fails after it comes back before it.
    scene.provider.answer_next(List::Export, Answer::status(503));
    let behind = scene.webhook("vessel.approved", RecordType::Vessel, "v-2").await?;
    scene.event_state(behind.id, "processed").await?;

    scene.world.execute("UPDATE postponed_messages SET due_at = now()").await?;
    scene.event_state(asked_to_wait.id, "processed").await?;
    assert_eq!(scene.number("postponed_messages").await, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_of_zero_does_not_burn_the_attempts() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.world.execute("UPDATE settings SET retry_delays_ms = '{500,500,500}'").await?;
    scene.provider.small_fleet();
    for _ in 0..2 {
        scene.provider.answer_next(List::Export, Answer::status(503).header("retry-after", 0));
    }
    let event = scene.webhook("vessel.approved", RecordType::Vessel, "v-1").await?;
    scene.event_state(event.id, "processed").await?;
    let waits = scene
        .rows("SELECT extract(epoch FROM next_attempt_at - began_at) * 1000 AS wait FROM attempts ORDER BY number")
        .await;
    let waits: Vec<f64> = waits.iter().filter_map(|row| row["wait"].as_f64()).collect();
    assert!(
        waits.len() == 2 && waits.iter().all(|wait| *wait >= 400.0),
        "a tier's delay less its jitter: {waits:?}"
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_sick_provider_wait_once_each() -> anyhow::Result<()> {
    // The first failure opens the circuit: requests that are under way together fail as one, and with more failures
    // asked for, all attempts could be used up in a few of those. Open for longer than it takes to see it.
    let scene =
        Scene::new_with(json!({"onboarding": {"circuit_failures": 1, "circuit_open_ms": 4_000}})).await?;
    scene.provider.small_fleet();
    scene.provider.fail_with(Some(503));
    let mut events = Vec::new();
    for vessel in ["v-1", "v-2", "v-3"] {
        events.push(scene.webhook("vessel.approved", RecordType::Vessel, vessel).await?.id);
    }
    // The circuit opens, and what comes again meanwhile is put off.
    wait_until("all events are put off", PATIENCE, async || match scene.number("postponed_messages").await {
        3 => Ok(()),
        other => Err(other),
    })
    .await?;
    let republished = scene
        .store
        .transaction(async |tx| {
            use domain::clock::{Clock, SystemClock};
            store::ledger::unpublished::stalled_republish(tx, SystemClock.now(), false).await
        })
        .await?;
    assert_eq!(republished.events, 0, "they are known to wait");
    scene.provider.fail_with(None);
    for event in events {
        scene.event_state(event, "processed").await?;
    }
    // Clients of the event stream were told of both.
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    let is_health = |it: &str| it.contains("health.changed");
    let told = updates_until(&channel, |it| is_health(it) && it.contains("\"ok\"")).await?;
    let sick = told.iter().find(|it| is_health(it)).expect("the first one");
    assert!(
        sick.contains("transient") && sick.contains("503") && sick.contains("onboarding-portal"),
        "{sick}"
    );
    scene.end().await;
    Ok(())
}
