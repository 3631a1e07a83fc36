//! A worker at work on a real PostgreSQL and a real RabbitMQ, with a provider that plays what a test needs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use broker::{Broker, Publisher};
use chassis::{health::Health, shutdown::Shutdown};
use chrono::{DateTime, Utc};
use domain::{
    Cause, Mode, RecordCounts, RecordType, Scope, SyncId, Tally, WebhookEventId,
    clock::{Clock, SystemClock},
};
use futures_util::StreamExt;
use outbox::Outbox;
use serde_json::{Value, json};
use store::{
    Store,
    ledger::{
        syncs::{NewSync, SyncCreated, sync_create},
        tallies::tallies_read,
        webhook_events::{NewWebhookEvent, webhook_events_insert},
    },
};
use testbed::{
    Provider, World,
    lapin::{
        Channel,
        options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions},
        types::{AMQPValue, FieldTable},
    },
    wait_until,
};

/// Outcomes of no record.
pub(crate) const NONE: RecordCounts =
    RecordCounts { created: 0, updated: 0, unchanged: 0, conflict: 0, rejected: 0, skipped: 0 };

/// What a tally says of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// How many records the provider announced.
    expected: Option<u64>,
    /// The outcomes of those that were read.
    counts: RecordCounts,
}

impl Counted {
    pub(crate) const fn counts(&self) -> RecordCounts {
        self.counts
    }
}

pub(crate) const fn announced(expected: u64, counts: RecordCounts) -> Counted {
    Counted { expected: Some(expected), counts }
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A worker at work, in a world of its own.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) provider: Provider,
    pub(crate) store: Store,
    pub(crate) outbox: Outbox,
    pub(crate) shutdown: Shutdown,
}

impl Scene {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::new_with(json!({})).await
    }

    /// With a worker that has these keys of its configuration's sections, beside those of all tests.
    pub(crate) async fn new_with(sections: Value) -> anyhow::Result<Self> {
        let scene = Self::without_worker().await?;
        scene.start_worker_with(sections).await?;
        Ok(scene)
    }

    pub(crate) async fn without_worker() -> anyhow::Result<Self> {
        chassis::install_tls();
        let template = testbed::template_name("worker", "maintenance")?;
        let world = World::from_template(&template, async |url| {
            Store::connect(&url, 2).await?.migrate().await?;
            Ok(())
        })
        .await?;
        // Retries within a test's patience.
        world.execute("UPDATE settings SET retry_delays_ms = '{20,20,20}', page_size = 2").await?;
        let provider = Provider::start().await?;
        let store = Store::connect(&world.database_url, 4).await?;
        let broker =
            Broker::connect(world.amqp_url().await?.to_owned().into(), "tests", Arc::new(SystemClock));
        let outbox = Outbox::new(store.clone(), Publisher::new(&broker), Arc::new(SystemClock));
        let scene = Self { provider, store, outbox, shutdown: Shutdown::manual(), world };
        let relay = scene.outbox.clone().relay(scene.shutdown.soft().clone());
        scene.shutdown.supervise_infallible("relay", relay);
        Ok(scene)
    }

    /// With these keys of the configuration's sections, beside those of all tests.
    pub(crate) async fn start_worker_with(&self, sections: Value) -> anyhow::Result<()> {
        let mut config = json!({
            "server": {"bind": "127.0.0.1:0"},
            "database": {"url": self.world.database_url_of("sms_worker").await?, "pool_size": 8},
            "broker": {"url": self.world.amqp_url().await?},
            "onboarding": {"url": self.provider.url(), "api_key": "key", "ca_file": "", "timeout_seconds": 5, "circuit_failures": 5, "circuit_open_ms": 500},
            "work": {"tasks": 4, "writes": 4, "slices": 64, "portal_requests": 8, "portal_requests_per_second": 0, "commands": 2, "events_per_batch": 50, "pages_alone_ms": 60_000,
                     "progress_every_ms": 20, "passwords_every_ms": 50},
            "passwords": {"seal_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "seal_keys": ""}
        });
        for (section, keys) in sections.as_object().into_iter().flatten() {
            for (key, value) in keys.as_object().into_iter().flatten() {
                config[section][key] = value.clone();
            }
        }
        let config: worker::Config = serde_json::from_value(config)?;
        worker::start(&config, &self.shutdown, &Health::new()).await
    }

    pub(crate) async fn full_sync(&self) -> anyhow::Result<SyncId> {
        self.sync(Mode::Full, Scope::default()).await
    }

    /// Asks for a sync, as the operator API does.
    pub(crate) async fn sync(&self, mode: Mode, scope: Scope) -> anyhow::Result<SyncId> {
        self.ask(mode, scope, false).await
    }

    /// Asks what a sync would do.
    pub(crate) async fn dry_run(&self, mode: Mode, scope: Scope) -> anyhow::Result<SyncId> {
        self.ask(mode, scope, true).await
    }

    async fn ask(&self, mode: Mode, scope: Scope, dry_run: bool) -> anyhow::Result<SyncId> {
        let sync = NewSync {
            id: SyncId::new(),
            cause: Cause::Manual,
            mode,
            scope,
            dry_run,
            requested_by: "test".to_owned(),
            reason: None,
            retry_of: None,
            trace_context: json!({}),
        };
        let now = SystemClock.now();
        let created = self.store.transaction(async |tx| sync_create(tx, &sync, now).await).await?;
        anyhow::ensure!(created == SyncCreated::Created, "{created:?}");
        self.outbox.publish_command(sync.id, BTreeMap::new()).await;
        Ok(sync.id)
    }

    /// Waits for the sync's end; its row.
    pub(crate) async fn ended(&self, id: SyncId) -> anyhow::Result<Value> {
        wait_until("the sync has ended", PATIENCE, async || {
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

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Value> {
        self.world.query_json(sql).await.expect("the query is sound")
    }

    pub(crate) async fn number(&self, sql: &str) -> i64 {
        self.rows(&format!("SELECT count(*) AS n FROM {sql}")).await[0]["n"].as_i64().expect("a count")
    }

    /// The tally of a list.
    pub(crate) async fn tally(&self, id: SyncId, record_type: RecordType) -> Counted {
        let mut db = self.store.db().await.expect("the database answers");
        let tallies = tallies_read(&mut db, &[id]).await.expect("tallies can be read").remove(&id);
        let tally = tallies.into_iter().flatten().find(|it| it.record_type == record_type);
        let tally = tally.unwrap_or_else(|| Tally::empty(record_type));
        Counted { expected: tally.expected, counts: tally.counts }
    }

    pub(crate) async fn webhook(
        &self,
        event_type: &str,
        record_type: RecordType,
        id: &str,
    ) -> anyhow::Result<NewWebhookEvent> {
        Ok(self.webhooks(event_type, record_type, &[id]).await?.remove(0))
    }

    /// Webhooks that arrive together.
    pub(crate) async fn webhooks(
        &self,
        event_type: &str,
        record_type: RecordType,
        ids: &[&str],
    ) -> anyhow::Result<Vec<NewWebhookEvent>> {
        let event = |id: &&str| new_event(event_type, record_type, id, None);
        self.webhook_events(ids.iter().map(event).collect()).await
    }

    /// A webhook that says which version of the record it is about.
    pub(crate) async fn webhook_of_version(
        &self,
        event_type: &str,
        record_type: RecordType,
        id: &str,
        updated_at: &str,
    ) -> anyhow::Result<NewWebhookEvent> {
        let event = new_event(event_type, record_type, id, Some(updated_at.parse()?));
        Ok(self.webhook_events(vec![event]).await?.remove(0))
    }

    async fn webhook_events(&self, events: Vec<NewWebhookEvent>) -> anyhow::Result<Vec<NewWebhookEvent>> {
        let inserted =
            webhook_events_insert(&mut *self.store.db().await?, &events, SystemClock.now()).await?;
        anyhow::ensure!(inserted.len() == events.len(), "all of them");
        self.outbox.publish_events(events.clone()).await;
        Ok(events)
    }

    pub(crate) async fn event_state(&self, id: WebhookEventId, state: &str) -> anyhow::Result<Value> {
        wait_until(format!("the event is {state}"), PATIENCE, async || {
            let row = self.rows(&format!("SELECT * FROM webhook_events WHERE id = '{id}'")).await.remove(0);
            if row["state"] == state { Ok(row) } else { Err(row) }
        })
        .await
    }

    pub(crate) async fn end(self) {
        self.shutdown.request("the test is over");
        self.shutdown.finished().await;
    }
}

fn new_event(
    event_type: &str,
    record_type: RecordType,
    id: &str,
    record_updated_at: Option<DateTime<Utc>>,
) -> NewWebhookEvent {
    NewWebhookEvent {
        id: WebhookEventId::new(),
        webhook_id: format!("msg_{}", SyncId::new()),
        event_type: event_type.to_owned(),
        entity: Some((record_type, id.to_owned())),
        occurred_at: Some(SystemClock.now()),
        record_updated_at,
        body: b"{}".to_vec(),
        key_name: "current".to_owned(),
        trace_context: json!({}),
    }
}

/// All updates of the stream, as JSON, up to the first that is the last one.
pub(crate) async fn updates_until(
    channel: &Channel,
    is_last: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<String>> {
    channel.basic_qos(200, BasicQosOptions::default()).await?;
    let mut from = FieldTable::default();
    from.insert("x-stream-offset".into(), AMQPValue::LongString("first".into()));
    let options = BasicConsumeOptions::default();
    let mut updates = channel.basic_consume("sync.updates".into(), "".into(), options, from).await?;
    let mut all = Vec::new();
    loop {
        let next = tokio::time::timeout(PATIENCE, updates.next()).await.context("the last update comes")?;
        let update = next.context("the stream goes on")??;
        update.acker.ack(BasicAckOptions::default()).await?;
        all.push(String::from_utf8_lossy(&update.data).into_owned());
        if all.last().is_some_and(|it| is_last(it)) {
            return Ok(all);
        }
    }
}
