//! Syncs from end to end: a real PostgreSQL, a real RabbitMQ, and a provider that plays what a test needs.

use std::time::Duration;

use anyhow::Context;
use domain::{
    PayloadHash, RecordCounts, RecordType, Version,
    clock::{Clock, SystemClock},
};
use serde_json::json;
use store::{engine::replays::replay_request, ledger::dead_letters::DeadLetterFilter};
use testbed::{Cursors, List, wait_until};

use crate::{
    passwords::{Written, logs},
    scene::{NONE, PATIENCE, Scene, announced},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_brings_the_good_records_and_keeps_the_reasons_of_the_bad() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    // A wrong check digit, a duplicate label, an orphan, a wrong type, an unknown rank.
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "9074728"}));
    scene.provider.put_equipment("e-twin", "v-1", json!({"qrCode": "ACME-000001"}));
    scene.provider.put_equipment("e-twin-2", "v-1", json!({"qrCode": "ACME-000001"}));
    scene.provider.put_equipment("e-orphan", "v-nowhere", json!({}));
    scene.provider.put_equipment("e-type", "v-1", json!({"unitNumber": "one"}));
    scene.provider.put_user("u-odd", json!({"rank": "Grand Admiral", "email": "odd@example.com"}));

    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed_with_errors", "{sync}");

    assert_eq!(scene.tally(id, RecordType::Company).await, announced(1, RecordCounts { created: 1, ..NONE }));
    assert_eq!(
        scene.tally(id, RecordType::Vessel).await,
        announced(4, RecordCounts { created: 3, rejected: 1, ..NONE })
    );
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(9, RecordCounts { created: 6, conflict: 1, rejected: 2, ..NONE })
    );
    assert_eq!(scene.tally(id, RecordType::User).await, announced(4, RecordCounts { created: 4, ..NONE }));
    let findings = scene.rows("SELECT code, pointer, severity, source_id FROM findings ORDER BY code").await;
    let codes: Vec<_> = findings.iter().map(|f| f["code"].as_str().unwrap_or_default()).collect();
    assert_eq!(
        codes,
        ["duplicate_qr_code", "imo_number_check_digit", "orphan", "unknown_rank", "wrong_type"]
    );
    assert_eq!(findings[4]["pointer"], "/unitNumber");

    let users = scene.rows("SELECT role, password_hash, sealed_password FROM users ORDER BY source_id").await;
    assert_eq!(users[3]["role"], "crew_readonly");
    assert!(
        users.iter().all(|user| user["password_hash"].as_str().is_some_and(|h| h.starts_with("$argon2id$")))
    );

    // What stands about records is known by vessel, the rejected ones too.
    let standing =
        |code: &str| format!("record_findings WHERE code = '{code}' AND vessel_ids = ARRAY['v-bad']");
    assert_eq!(scene.number(&standing("imo_number_check_digit")).await, 1);

    // Once more: nothing has changed, no password was made anew.
    let again = scene.full_sync().await?;
    scene.ended(again).await?;
    assert_eq!(
        scene.tally(again, RecordType::Vessel).await,
        announced(4, RecordCounts { unchanged: 3, rejected: 1, ..NONE })
    );
    assert_eq!(
        scene.tally(again, RecordType::Equipment).await,
        announced(9, RecordCounts { unchanged: 7, rejected: 2, ..NONE })
    );
    assert_eq!(
        scene.rows("SELECT role, password_hash, sealed_password FROM users ORDER BY source_id").await,
        users
    );

    // Once it is mended, nothing stands about it any more.
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "7625811", "updatedAt": "2026-05-02T00:00:00Z"}));
    let mended = scene.full_sync().await?;
    scene.ended(mended).await?;
    assert_eq!(scene.number("record_findings WHERE source_id = 'v-bad'").await, 0);
    assert_eq!(scene.number("findings WHERE source_id = 'v-bad'").await, 2, "each sync keeps its own");

    // Nor when it is spoilt again and mended to what is here already, so that nothing is written.
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "7625812", "updatedAt": "2026-05-03T00:00:00Z"}));
    let spoilt = scene.full_sync().await?;
    scene.ended(spoilt).await?;
    assert_eq!(scene.number("record_findings WHERE source_id = 'v-bad'").await, 1);
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "7625811", "updatedAt": "2026-05-04T00:00:00Z"}));
    let mended = scene.full_sync().await?;
    scene.ended(mended).await?;
    assert_eq!(
        scene.tally(mended, RecordType::Vessel).await,
        announced(4, RecordCounts { unchanged: 4, ..NONE })
    );
    assert_eq!(scene.number("record_findings WHERE source_id = 'v-bad'").await, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_vessel_arrives_with_all_that_belongs_to_it_and_twice_is_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let event = scene.webhook("vessel.approved", RecordType::Vessel, "v-1").await?;
    let row = scene.event_state(event.id, "processed").await?;
    assert_eq!(scene.number("vessels").await, 1);
    assert_eq!(scene.number("equipment").await, 2);
    let sync = row["sync_id"].as_str().context("a sync")?.parse()?;
    assert_eq!(scene.ended(sync).await?["state"], "completed");
    assert_eq!(
        scene.tally(sync, RecordType::Vessel).await,
        announced(1, RecordCounts { created: 1, ..NONE })
    );

    // The broker may deliver an event again: it stands before the next one, and makes no sync.
    scene.outbox.publish_events(vec![event]).await;
    scene.provider.put_vessel("v-1", json!({"name": "Renamed", "updatedAt": "2026-05-02T00:00:00Z"}));
    let renamed = scene.webhook("vessel.updated", RecordType::Vessel, "v-1").await?;
    scene.event_state(renamed.id, "processed").await?;
    assert_eq!(scene.rows("SELECT name FROM vessels").await[0]["name"], "Renamed");

    assert_eq!(scene.number("sync_logs").await, 2);

    // Equipment of a vessel that has not arrived yet brings its vessel along.
    let early = scene.webhook("equipment.approved", RecordType::Equipment, "e-2a").await?;
    scene.event_state(early.id, "processed").await?;
    assert_eq!(scene.number("vessels").await, 2);
    assert_eq!(scene.number("equipment").await, 3);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_in_trouble_costs_retries_then_a_dead_letter_that_a_replay_brings_to_success()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.fail_with(Some(500));
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "failed", "{sync}");
    let attempts = scene.rows("SELECT number, class, next_attempt_at FROM attempts ORDER BY number").await;
    assert_eq!(attempts.len(), 4, "{attempts:?}");
    assert!(attempts[3]["next_attempt_at"].is_null() && attempts[3]["class"] == "transient");
    assert_eq!(scene.number("dead_letters WHERE state = 'dead'").await, 1);

    scene.provider.fail_with(None);
    let now = SystemClock.now();
    let replayed = scene
        .store
        .transaction(async |tx| replay_request(tx, &DeadLetterFilter::default(), 10, "test", now).await)
        .await?;
    assert_eq!(replayed.len(), 1);
    scene.outbox.wake();
    wait_until("the replayed sync is complete", PATIENCE, async || {
        let state = scene.rows(&format!("SELECT state, failure FROM sync_logs WHERE id = '{id}'")).await;
        if state[0]["state"] == "completed" { Ok(()) } else { Err(state) }
    })
    .await?;
    assert_eq!(scene.number("dead_letters WHERE state = 'succeeded'").await, 1);
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(5, RecordCounts { created: 5, ..NONE })
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_is_a_dead_letter_at_once_and_garbage_does_not_stop_the_queue() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.fail_with(Some(401));
    let id = scene.full_sync().await?;
    scene.ended(id).await?;
    assert_eq!(
        scene.rows("SELECT number, class FROM attempts").await,
        [json!({"number": 1, "class": "permanent"})]
    );

    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    let publish = channel.basic_publish(
        "sms.sync".into(),
        "sync.tasks".into(),
        testbed::lapin::options::BasicPublishOptions::default(),
        b"\xff\x00",
        testbed::lapin::BasicProperties::default(),
    );
    publish.await?.await?;
    wait_until("the garbage is a dead letter", PATIENCE, async || {
        match scene.number("dead_letters WHERE kind = 'unknown' AND class = 'permanent'").await {
            1 => Ok(()),
            n => Err(n),
        }
    })
    .await?;
    scene.provider.fail_with(None);
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_says_when_to_come_again_is_asked_then() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.retry_after(Some(2));
    scene.provider.fail_with(Some(429));
    let id = scene.full_sync().await?;
    wait_until("an attempt has failed", PATIENCE, async || match scene.number("attempts").await {
        0 => Err(()),
        _ => Ok(()),
    })
    .await?;
    scene.provider.fail_with(None);
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    let attempts = scene
        .rows("SELECT failure, extract(epoch FROM next_attempt_at - began_at)::float8 AS wait FROM attempts")
        .await;
    // As asked, and up to a fifth more; on a busy machine the provider may be sick for more than one attempt.
    for attempt in &attempts {
        let wait = Duration::from_secs_f64(attempt["wait"].as_f64().unwrap_or_default());
        assert!(wait >= Duration::from_secs(2) && wait < Duration::from_secs(10), "{attempts:?}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_go_in_a_circle_end_in_a_dead_letter() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.world.execute("UPDATE settings SET page_size = 2").await?;
    scene.provider.cursors(List::Equipment, Cursors::Circle);
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed_with_errors", "{sync}");
    let dead = scene.rows("SELECT last_failure FROM sync_queue WHERE state = 'dead'").await;
    assert!(
        dead.len() == 1 && dead[0]["last_failure"].as_str().is_some_and(|it| it.contains("never end")),
        "{dead:?}"
    );
    // All of the list is in, once.
    assert_eq!(scene.number("equipment").await, 5);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn equipment_that_arrives_as_it_came_before_is_not_read_again_and_other_equipment_is()
-> anyhow::Result<()> {
    const KNOWN: &str = "equipment WHERE arrived_as IS NOT NULL";
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let synced = async || {
        let id = scene.full_sync().await?;
        scene.ended(id).await?;
        anyhow::Ok(scene.tally(id, RecordType::Equipment).await)
    };
    assert_eq!(synced().await?, announced(5, RecordCounts { created: 5, ..NONE }));
    assert_eq!(scene.number(KNOWN).await, 5);

    // To know that it was not read, it comes with what would be rejected, and the row says that it came so before.
    scene.provider.put_equipment("e-1a", "v-1", json!({"name": " "}));
    let row = scene.rows(
        "SELECT version_at, encode(content_hash, 'hex') AS hash FROM equipment WHERE source_id = 'e-1a'",
    );
    let row = row.await.remove(0);
    let text = |name: &str| row[name].as_str().expect("a text").to_owned();
    let version = Version { updated_at: text("version_at").parse()?, hash: text("hash").parse()? };
    let listed = scene.provider.listed(List::Equipment, "e-1a").context("it is listed")?;
    let arrival = hex(PayloadHash::of(version, &listed).as_bytes());
    let claim = format!(r"UPDATE equipment SET arrived_as = '\x{arrival}' WHERE source_id = 'e-1a'");
    scene.world.execute(&claim).await?;
    assert_eq!(synced().await?, announced(5, RecordCounts { unchanged: 5, ..NONE }));

    // A row that somebody has written since is read again: the ship's edit stands, and the quarrel is told.
    scene.world.execute("UPDATE equipment SET name = 'Of the ship' WHERE source_id = 'e-1a'").await?;
    assert_eq!(synced().await?, announced(5, RecordCounts { unchanged: 4, rejected: 1, ..NONE }));

    // Whatever is not known is read, and known then; nobody has edited it for that.
    scene.provider.put_equipment("e-1a", "v-1", json!({"name": "Main engine"}));
    scene.world.execute("UPDATE equipment SET arrived_as = NULL").await?;
    let before =
        scene.rows("SELECT source_id, version_at, last_writer, synced_at FROM equipment ORDER BY 1").await;
    synced().await?;
    assert_eq!(scene.number(KNOWN).await, 5);
    let after =
        scene.rows("SELECT source_id, version_at, last_writer, synced_at FROM equipment ORDER BY 1").await;
    assert_eq!(before, after);

    // An event writes it; the next full sync reads it once more.
    scene.provider.put_equipment(
        "e-2a",
        "v-2",
        json!({"name": "Renamed", "updatedAt": "2026-05-02T00:00:00Z"}),
    );
    let event = scene.webhook("equipment.updated", RecordType::Equipment, "e-2a").await?;
    scene.event_state(event.id, "processed").await?;
    assert_eq!(scene.number(KNOWN).await, 4);
    synced().await?;
    assert_eq!(scene.number(KNOWN).await, 5);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_states_of_one_record_on_a_page_the_one_that_came_before_is_skipped() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let id = scene.full_sync().await?;
    scene.ended(id).await?;
    let before = scene.provider.listed(List::Equipment, "e-1a").context("it is listed")?;
    scene.provider.put_equipment("e-1a", "v-1", json!({"name": "New", "updatedAt": "2026-05-02T00:00:00Z"}));
    scene.provider.put_raw(List::Equipment, "e-1a once more", before);
    let id = scene.full_sync().await?;
    scene.ended(id).await?;
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(6, RecordCounts { updated: 1, unchanged: 4, skipped: 1, ..NONE })
    );
    scene.end().await;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The closing lines of a sync in the log.
fn closing_lines(written: &Written, id: &str) -> Vec<String> {
    let written = String::from_utf8_lossy(&written.lock().expect("nobody panics with the lock")).into_owned();
    let closes = |line: &&str| line.contains("a sync has ended") && line.contains(&format!("sync.id={id}"));
    written.lines().filter(closes).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_of_a_sync_is_one_line_of_the_log_with_the_same_fields() -> anyhow::Result<()> {
    let written = logs();
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let completed = scene.full_sync().await?;
    scene.ended(completed).await?;
    scene.provider.fail_list(List::Vessels, Some(404));
    let failed = scene.full_sync().await?;
    scene.ended(failed).await?;
    scene.provider.fail_list(List::Vessels, None);
    scene.provider.answer_after(Duration::from_millis(300));
    let event = scene.webhook("user.updated", RecordType::User, "u-1").await?;
    let row = scene.event_state(event.id, "processed").await?;
    let by_webhook = row["sync_id"].as_str().context("a sync")?.to_owned();

    for (id, said) in [
        (completed.to_string(), r#"sync.state="completed""#),
        (failed.to_string(), r#"failure.reason="1 task was given up"#),
        (by_webhook.clone(), r#"sync.cause="webhook""#),
    ] {
        let [line] = wait_until("the line is written", PATIENCE, async || {
            <[String; 1]>::try_from(closing_lines(&written, &id))
        })
        .await?;
        assert!(line.contains(said), "{line}");
        for field in ["sync.mode=", "sync.duration_ms=", "records.read=", "records.rejected=", "tasks.dead="]
        {
            assert!(line.contains(field), "{field} in {line}");
        }
    }
    let sql = format!(
        "SELECT completed_at - started_at > interval '300 ms' AS is_true FROM sync_logs WHERE id = '{by_webhook}'"
    );
    assert_eq!(scene.rows(&sql).await[0]["is_true"], true, "from the request to the commit");
    scene.end().await;
    Ok(())
}
