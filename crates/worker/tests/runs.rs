//! Runs from end to end: a real PostgreSQL, a real RabbitMQ, and a provider that plays what a test needs.

mod provider;

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use broker::{Broker, Publisher};
use chassis::{health::Health, shutdown::Shutdown};
use domain::{
    Cause, Mode, RecordType, Scope, SyncId, WebhookEventId,
    clock::{Clock, SystemClock},
};
use outbox::Outbox;
use provider::Provider;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{
    Store,
    dead_letters::{DeadLetterFilter, replay_request},
    sync_runs::{NewRun, RunCreated, run_create},
    webhook_events::{NewWebhookEvent, webhook_events_insert},
};
use testbed::{World, wait_until};

/// Changes with what the migrations do.
fn migrations_digest() -> anyhow::Result<String> {
    let folder = testbed::workspace_root().join("migrations/maintenance");
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(std::fs::read(file.join("up.sql"))?);
    }
    Ok(hex::encode(&digest.finalize()[..6]))
}

const PATIENCE: Duration = Duration::from_secs(60);

/// A worker at work, in a world of its own.
struct Scene {
    world: World,
    provider: Provider,
    store: Store,
    outbox: Outbox,
    shutdown: Shutdown,
}

impl Scene {
    async fn new() -> anyhow::Result<Self> {
        chassis::install_tls();
        let migrations = format!("worker-{}", migrations_digest()?);
        let world = World::from_template(&migrations, async |url| {
            Store::connect(&url, 2).await?.migrate().await?;
            Ok(())
        })
        .await?;
        // Retries within a test's patience.
        world.execute("UPDATE settings SET retry_delays_ms = '{20,20,20}', page_size = 2").await?;
        let provider = Provider::start().await;
        let store = Store::connect(&world.database_url, 4).await?;
        let broker = Broker::connect(world.amqp_url().await?.to_owned().into(), "tests");
        let outbox = Outbox::new(store.clone(), Publisher::new(&broker));
        let scene = Self { provider, store, outbox, shutdown: Shutdown::manual(), world };
        scene.start_worker().await?;
        scene.shutdown.supervise("relay", {
            let relay = scene.outbox.clone().relay(scene.shutdown.soft().clone());
            async move {
                relay.await;
                Ok::<_, std::convert::Infallible>(())
            }
        });
        Ok(scene)
    }

    async fn start_worker(&self) -> anyhow::Result<()> {
        let settings = json!({
            "server": {"bind": "127.0.0.1:0"},
            "database": {"url": self.world.database_url, "pool_size": 8},
            "broker": {"url": self.world.amqp_url().await?},
            "onboarding": {"url": self.provider.url(), "api_key": "key", "timeout_seconds": 5, "concurrency": 4},
            "work": {"tasks": 4, "commands": 2, "events_per_batch": 50, "progress_every_ms": 20},
            "passwords": {"seal_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="}
        });
        let settings: worker::Settings = serde_json::from_value(settings)?;
        worker::start(&settings, &self.shutdown, &Health::new()).await
    }

    async fn full_sync(&self) -> anyhow::Result<SyncId> {
        let run = NewRun {
            id: SyncId::new(),
            cause: Cause::Manual,
            mode: Mode::Full,
            scope: Scope::default(),
            dry_run: false,
            requested_by: "test".to_owned(),
            reason: None,
            trace_context: json!({}),
        };
        let now = SystemClock.now();
        let created = self.store.transaction(async |tx| run_create(tx, &run, now).await).await?;
        anyhow::ensure!(created == RunCreated::Created, "{created:?}");
        self.outbox.publish_command(run.id, BTreeMap::new()).await;
        Ok(run.id)
    }

    /// Waits for the run's end; its row.
    async fn ended(&self, id: SyncId) -> anyhow::Result<Value> {
        wait_until("the run has ended", PATIENCE, async || {
            let rows = self.rows(&format!("SELECT * FROM sync_logs WHERE id = '{id}'")).await;
            let tasks = self
                .rows(&format!(
                    "SELECT record_type, page, state, last_failure FROM sync_queue WHERE sync_id = '{id}'"
                ))
                .await;
            if rows[0]["completed_at"].is_null() { Err((rows, tasks)) } else { Ok(rows[0].clone()) }
        })
        .await
    }

    async fn rows(&self, sql: &str) -> Vec<Value> {
        self.world.query_json(sql).await.expect("the query is sound")
    }

    async fn number(&self, sql: &str) -> i64 {
        self.rows(&format!("SELECT count(*) AS n FROM {sql}")).await[0]["n"].as_i64().expect("a count")
    }

    /// expected, read, created, updated, unchanged, conflict, rejected, skipped
    async fn account(&self, id: SyncId, record_type: RecordType) -> [i64; 8] {
        let row = &self
            .rows(&format!(
                "SELECT * FROM sync_counts WHERE sync_id = '{id}' AND record_type = '{record_type}'"
            ))
            .await[0];
        ["expected", "read", "created", "updated", "unchanged", "conflict", "rejected", "skipped"]
            .map(|name| row[name].as_i64().unwrap_or(-1))
    }

    async fn webhook(
        &self,
        event_type: &str,
        record_type: RecordType,
        id: &str,
    ) -> anyhow::Result<NewWebhookEvent> {
        let event = NewWebhookEvent {
            id: WebhookEventId::new(),
            webhook_id: format!("msg_{}", SyncId::new()),
            event_type: event_type.to_owned(),
            entity: Some((record_type, id.to_owned())),
            occurred_at: Some(SystemClock.now()),
            body: b"{}".to_vec(),
            key_name: "current".to_owned(),
            trace_context: json!({}),
        };
        let inserted = webhook_events_insert(
            &mut *self.store.db().await?,
            std::slice::from_ref(&event),
            SystemClock.now(),
        )
        .await?;
        anyhow::ensure!(inserted.len() == 1, "one event");
        self.outbox.publish_events(vec![event.clone()]).await;
        Ok(event)
    }

    async fn event_state(&self, id: WebhookEventId, state: &str) -> anyhow::Result<Value> {
        wait_until(format!("the event is {state}"), PATIENCE, async || {
            let row = self.rows(&format!("SELECT * FROM webhook_events WHERE id = '{id}'")).await.remove(0);
            if row["state"] == state { Ok(row) } else { Err(row) }
        })
        .await
    }

    async fn end(self) {
        self.shutdown.trip("the test is over");
        self.shutdown.finished().await;
    }
}

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
    let run = scene.ended(id).await?;
    assert_eq!(run["state"], "completed_with_errors", "{run}");

    assert_eq!(scene.account(id, RecordType::Company).await, [1, 1, 1, 0, 0, 0, 0, 0]);
    assert_eq!(scene.account(id, RecordType::Vessel).await, [4, 4, 3, 0, 0, 0, 1, 0]);
    assert_eq!(scene.account(id, RecordType::Equipment).await, [9, 9, 6, 0, 0, 0, 3, 0]);
    assert_eq!(scene.account(id, RecordType::User).await, [4, 4, 4, 0, 0, 0, 0, 0]);
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
    assert_eq!(scene.account(again, RecordType::Vessel).await, [4, 4, 0, 0, 3, 0, 1, 0]);
    assert_eq!(scene.account(again, RecordType::Equipment).await, [9, 9, 0, 0, 6, 0, 3, 0]);
    assert_eq!(
        scene.rows("SELECT role, password_hash, sealed_password FROM users ORDER BY source_id").await,
        users
    );

    // Once it is mended, nothing stands about it any more.
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "7625811", "updatedAt": "2026-05-02T00:00:00Z"}));
    let mended = scene.full_sync().await?;
    scene.ended(mended).await?;
    assert_eq!(scene.number("record_findings WHERE source_id = 'v-bad'").await, 0);
    assert_eq!(scene.number("findings WHERE source_id = 'v-bad'").await, 2, "each run keeps its own");
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
    let run = row["sync_id"].as_str().context("a run")?.parse()?;
    assert_eq!(scene.ended(run).await?["state"], "completed");
    assert_eq!(scene.account(run, RecordType::Vessel).await, [1, 1, 1, 0, 0, 0, 0, 0]);

    // The broker may deliver an event again: it stands before the next one, and makes no run.
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
    let run = scene.ended(id).await?;
    assert_eq!(run["state"], "failed", "{run}");
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
    wait_until("the replayed run is complete", PATIENCE, async || {
        let state = scene.rows(&format!("SELECT state, failure FROM sync_logs WHERE id = '{id}'")).await;
        if state[0]["state"] == "completed" { Ok(()) } else { Err(state) }
    })
    .await?;
    assert_eq!(scene.number("dead_letters WHERE state = 'succeeded'").await, 1);
    assert_eq!(scene.account(id, RecordType::Equipment).await, [5, 5, 5, 0, 0, 0, 0, 0]);
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
