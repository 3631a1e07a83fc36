//! Failures of database, broker and process: an accepted webhook is always a row, and others are rejected without a long wait.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use serde_json::{Value, json};
use testbed::{
    Process, Servers, World, free_port,
    lapin::options::{BasicGetOptions, ConfirmSelectOptions, QueueDeleteOptions},
    wait_until,
};

use crate::scene::{SECRET, Scene, WAIT_TIMEOUT, Webhook, count, migrate, template, world};

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_accepted_without_a_broker() -> anyhow::Result<()> {
    let unused = format!("amqp://127.0.0.1:{}", free_port());
    let scene = Scene::new(&[("AMQP_URL", &unused)]).await?;
    for n in 0..5 {
        let answer = scene.send(&Webhook::about("vessel.updated", &format!("v-{n}"))).await?;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    assert_eq!(scene.count("webhook_events WHERE state = 'received' AND published_at IS NULL").await?, 5);
    scene.end().await;
    Ok(())
}

/// The webhook-ids in the queue by record, in the order of their first appearance.
async fn published(world: &World) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let channel = world.amqp_connection().await?.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut of_records: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(message) = channel.basic_get("sync.events".into(), BasicGetOptions::default()).await? {
        let message: Value = serde_json::from_slice(&message.delivery.data)?;
        // A bundle, or a single event.
        let events = match message["messages"].as_array() {
            Some(bundled) => {
                let body = |it: &Value| serde_json::from_str(it["body"].as_str().unwrap_or_default());
                bundled.iter().map(body).collect::<Result<Vec<Value>, _>>()?
            }
            None => vec![message],
        };
        for event in events {
            let text = |name: &str| event[name].as_str().unwrap_or("?").to_owned();
            let of_record = of_records.entry(text("sourceId")).or_default();
            if !of_record.contains(&text("webhookId")) {
                of_record.push(text("webhookId"));
            }
        }
    }
    Ok(of_records)
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_record_keep_their_order_across_a_broker_restart() -> anyhow::Result<()> {
    const RECORDS: usize = 6;
    const EACH: usize = 40;
    chassis::install_tls();
    let servers = Arc::new(Servers::private().await?);
    let world = World::from_template_on(&servers, &template()?, migrate).await?;
    let scene = Arc::new(Scene::in_world(world, &[]).await?);
    assert_eq!(scene.send(&Webhook::about("vessel.updated", "v-first")).await?.status, 202);
    scene.wait_published(1).await?;
    servers.settle_broker().await?;
    // Each sender sends the events of one record, one after the other.
    let accepted = Arc::new(Mutex::new(0_usize));
    let senders = (0..RECORDS).map(|record| {
        let (scene, accepted) = (scene.clone(), accepted.clone());
        tokio::spawn(async move {
            let mut sent = Vec::new();
            for _ in 0..EACH {
                let webhook = Webhook::about("vessel.updated", &format!("v-{record}"));
                let answer = scene.send(&webhook).await?;
                anyhow::ensure!(answer.status == 202, "{answer:?}");
                sent.push(webhook.id().to_owned());
                *accepted.lock().expect("no holder panics") += 1;
            }
            anyhow::Ok((format!("v-{record}"), sent))
        })
    });
    let senders: Vec<_> = senders.collect();
    let wait_accepted = async |number: usize| {
        wait_until(format!("{number} webhooks are accepted"), WAIT_TIMEOUT, async || {
            let accepted = *accepted.lock().expect("no holder panics");
            if accepted >= number { Ok(()) } else { Err(accepted) }
        })
        .await
    };
    wait_accepted(RECORDS * EACH / 4).await?;
    servers.kill_broker().await?;
    wait_accepted(RECORDS * EACH / 2).await?;
    servers.start_broker().await?;
    let mut expected = BTreeMap::new();
    for sender in join_all(senders).await {
        let (record, ids) = sender??;
        expected.insert(record, ids);
    }
    scene.wait_published((1 + RECORDS * EACH) as i64).await?;
    let mut published = published(&scene.world).await?;
    published.remove("v-first");
    assert_eq!(published, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_is_declared_again() -> anyhow::Result<()> {
    let scene = Scene::new(&[]).await?;
    assert_eq!(scene.send(&Webhook::about("vessel.updated", "v-1")).await?.status, 202);
    scene.wait_published(1).await?;
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    channel.queue_delete("sync.events".into(), QueueDeleteOptions::default()).await?;
    assert_eq!(scene.send(&Webhook::about("vessel.updated", "v-2")).await?.status, 202);
    scene.wait_published(2).await?;
    scene.end().await;
    Ok(())
}

/// Locks the table until a row of `release_lock` ends it: the database hangs, and its connections stay open.
async fn lock_table(world: &World) -> anyhow::Result<()> {
    world.execute("CREATE TABLE IF NOT EXISTS release_lock (); TRUNCATE release_lock").await?;
    let url = world.database_url.clone();
    tokio::spawn(async move {
        World::execute_at(
            &url,
            "BEGIN; LOCK TABLE webhook_events;
             DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM release_lock) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;
             COMMIT",
        )
        .await
    });
    wait_until("the table is locked", WAIT_TIMEOUT, async || {
        // Copies of one template share the table's number: the lock must be of this database.
        let locks = "pg_locks JOIN pg_database ON pg_database.oid = database AND datname = current_database()
             WHERE relation = 'webhook_events'::regclass AND mode = 'AccessExclusiveLock' AND granted";
        match count(world, locks).await {
            Ok(1) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_get_503_while_the_database_hangs_and_succeed_later() -> anyhow::Result<()> {
    let scene = Scene::new(&[("SMS_WEBHOOK__DATABASE_PATIENCE_MS", "300")]).await?;
    lock_table(&scene.world).await?;
    let webhooks: Vec<_> = (0..20).map(|n| Webhook::about("vessel.updated", &format!("v-{n}"))).collect();
    let answers = try_join_all(webhooks.iter().map(|it| scene.send(it))).await?;
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), answer.retry_after.as_deref()), (503, Some("5")), "{answer:?}");
    }
    // During an outage, which lasts half a second, webhooks are rejected at once. One of twenty attempts falls into it.
    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(scene.send(&webhooks[0]).await?.status, 503);
        fastest = fastest.min(began.elapsed());
    }
    assert!(fastest < Duration::from_millis(250), "{fastest:?}");

    scene.world.execute("INSERT INTO release_lock DEFAULT VALUES").await?;
    for webhook in &webhooks {
        wait_until("the webhook is accepted when it is sent again", WAIT_TIMEOUT, async || {
            match scene.send(webhook).await {
                // 200: the database committed the first attempt after its timeout.
                Ok(answer) if answer.status == 202 || answer.status == 200 => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await?;
    }
    assert_eq!(scene.count("webhook_events").await?, 20);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_over_the_waiting_limit_are_rejected_at_once() -> anyhow::Result<()> {
    let config = [("SMS_WEBHOOK__WAITING_LIMIT", "4"), ("SMS_WEBHOOK__DATABASE_PATIENCE_MS", "2000")];
    let scene = Scene::new(&config).await?;
    lock_table(&scene.world).await?;
    let began = Instant::now();
    let sending = (0..40).map(|n| {
        let webhook = Webhook::about("vessel.updated", &format!("v-{n}"));
        let scene = &scene;
        async move {
            let answer = scene.send(&webhook).await?;
            anyhow::Ok((answer, began.elapsed()))
        }
    });
    let answers = try_join_all(sending).await?;
    let overloaded: Vec<_> = answers.iter().filter(|(it, _)| it.body["code"] == "webhook_overload").collect();
    assert!(overloaded.len() >= 20, "{answers:?}");
    assert!(overloaded.iter().all(|(it, _)| it.status == 503 && it.retry_after.is_some()), "{overloaded:?}");
    scene.world.execute("INSERT INTO release_lock DEFAULT VALUES").await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_database_refuses_fails_without_its_batch() -> anyhow::Result<()> {
    let scene = Scene::new(&[("SMS_WEBHOOK__DATABASE_PATIENCE_MS", "5000")]).await?;
    scene
        .world
        .execute("ALTER TABLE webhook_events ADD CONSTRAINT refused CHECK (source_id <> 'refused')")
        .await?;
    // While the table is locked the events gather into one batch.
    lock_table(&scene.world).await?;
    let records = (0..12).map(|n| if n == 7 { "refused".to_owned() } else { format!("v-{n}") });
    let webhooks: Vec<_> = records.map(|record| Webhook::about("vessel.updated", &record)).collect();
    let sending = try_join_all(webhooks.iter().map(|it| scene.send(it)));
    let (answers, released) = tokio::join!(sending, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        scene.world.execute("INSERT INTO release_lock DEFAULT VALUES").await
    });
    released?;
    for (answer, webhook) in answers?.iter().zip(&webhooks) {
        let refused = String::from_utf8_lossy(&webhook.body).contains("refused");
        assert_eq!(answer.status, if refused { 503 } else { 202 }, "{answer:?}");
    }
    assert_eq!(scene.count("webhook_events").await?, 11);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_under_load_publishes_every_accepted_webhook() -> anyhow::Result<()> {
    let world = world().await?;
    let address = format!("127.0.0.1:{}", free_port());
    let environment = [
        ("SMS_ENV", "development"),
        ("BIND", &address),
        ("DATABASE_URL", &world.database_url),
        ("AMQP_URL", world.amqp_url().await?),
        ("WEBHOOK_SECRET", SECRET),
    ];
    let mut service = Process::spawn(testbed::binary("webhook-ingest")?, &[], environment)?;
    service.wait_ready(&format!("http://{address}"), WAIT_TIMEOUT).await?;
    let url = format!("http://{address}{}", webhook_ingest::WEBHOOK_PATH);
    let (accepted, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            let (url, accepted, stop) = (url.clone(), accepted.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let webhook = Webhook::about("vessel.updated", &format!("v-{sender}"));
                    // Without an answer the webhook is not accepted.
                    if let Ok(answer) = webhook.send_to(&url).await
                        && answer.status == 202
                    {
                        accepted.lock().expect("no holder panics").push(webhook.id().to_owned());
                    }
                }
            })
        })
        .collect();
    let accepted_count = || accepted.lock().expect("no holder panics").len();
    wait_until("webhooks are accepted and published", WAIT_TIMEOUT, async || {
        match (accepted_count(), count(&world, "webhook_events WHERE state = 'published'").await) {
            (100.., Ok(1..)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;
    let status = service.terminate(WAIT_TIMEOUT).await?;
    stop.store(true, Ordering::Relaxed);
    join_all(senders).await;
    assert_eq!(status.code(), Some(0), "{}", service.output());

    let accepted = std::mem::take(&mut *accepted.lock().expect("no holder panics"));
    let rows = world.query_json("SELECT webhook_id, state FROM webhook_events").await?;
    let rows: BTreeMap<_, _> = rows.iter().map(|row| (row["webhook_id"].as_str(), &row["state"])).collect();
    for id in &accepted {
        let state =
            rows.get(&Some(id.as_str())).with_context(|| format!("{id} was accepted and is no row"))?;
        assert_eq!(**state, json!("published"), "{id}");
    }
    Ok(())
}
