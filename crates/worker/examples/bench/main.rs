//! Measures syncs by real worker processes, each figure beside a limit that is measured in the same run.
//!
//! `make bench` runs it. It needs `SMS_TEST_SERVERS`, the `servers.env` of servers that it may load, psql, and the program
//! `worker` built in its own profile.
#![expect(clippy::disallowed_types, reason = "a benchmark is wired here")]

mod provider;
mod raw_limit;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use broker::{Broker, Publisher};
use clap::Parser;
use domain::{
    Cause, Mode, RecordType, Scope, SyncId, WebhookEventId,
    clock::{Clock, SystemClock},
};
use outbox::Outbox;
use provider::{Provider, equipment_id};
use raw_limit::RawRows;
use serde_json::{Value, json};
use store::{
    Store,
    ledger::{
        syncs::{NewSync, SyncCreated, sync_create},
        webhook_events::{NewWebhookEvent, webhook_events_insert},
    },
};
use testbed::{Process, World, wait_until};

/// Records per page: the largest that a provider serves.
const PAGE: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(1_800);

#[derive(Parser)]
struct Arguments {
    /// Equipment of the full syncs
    #[arg(long, default_value_t = 200_000)]
    records: usize,
    /// Equipment of the large sync during which memory is measured
    #[arg(long, default_value_t = 1_000_000)]
    memory_records: usize,
    /// Approval events that are drained
    #[arg(long, default_value_t = 10_000)]
    events: usize,
    /// Worker processes
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Equipment of the full syncs with a slow provider
    #[arg(long, default_value_t = 60_000)]
    slow_records: usize,
    /// Only what is measured with a slow provider
    #[arg(long)]
    scale: bool,
    /// Where the figures go, as JSON
    #[arg(long)]
    json: PathBuf,
}

/// A figure beside its limit.
fn figure(name: &str, value: f64, unit: &str, limit: f64, ratio: f64) -> Value {
    let round = |number: f64| (number * 1_000.0).round() / 1_000.0;
    let figure = json!({"name": name, "value": round(value), "unit": unit, "limit": round(limit), "ratio": round(ratio)});
    eprintln!("{figure}");
    figure
}

/// A database and a vhost with workers on them.
struct Scene {
    world: World,
    store: Store,
    outbox: Outbox,
    workers: Vec<Process>,
}

impl Scene {
    async fn new(provider: &Provider, workers: usize) -> anyhow::Result<Self> {
        Self::with(provider, workers, PAGE, &[]).await
    }

    /// With pages of this size, and more in the environment of the workers.
    async fn with(
        provider: &Provider,
        workers: usize,
        page: usize,
        more: &[(&'static str, &str)],
    ) -> anyhow::Result<Self> {
        let template = testbed::template_name("bench", "maintenance")?;
        let world = World::from_template(&template, async |url| {
            Store::connect(&url, 2).await?.migrate().await?;
            Ok(())
        })
        .await?;
        world.execute(&format!("UPDATE settings SET page_size = {page}")).await?;
        let amqp_url = world.amqp_url().await?.to_owned();
        let store = Store::connect(&world.database_url, 8).await?;
        let broker = Broker::connect(amqp_url.clone().into(), "bench", Arc::new(SystemClock));
        let outbox = Outbox::new(store.clone(), Publisher::new(&broker), Arc::new(SystemClock));
        let program = testbed::binary("worker")?;
        let environment = |port: u16| {
            [
                ("SMS_ENV", "development".to_owned()),
                ("RUST_LOG", "warn".to_owned()),
                ("BIND", format!("127.0.0.1:{port}")),
                ("DATABASE_URL", world.database_url.clone()),
                ("AMQP_URL", amqp_url.clone()),
                ("ONBOARDING_API_URL", provider.url.clone()),
                ("ONBOARDING_API_KEY", "bench".to_owned()),
                ("PASSWORD_SEAL_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".to_owned()),
            ]
        };
        let mut processes = Vec::with_capacity(workers);
        for _ in 0..workers {
            let port = testbed::free_port();
            let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
            let mut process = Process::spawn(&program, &[], environment(port).into_iter().chain(more))?;
            process.wait_ready(&format!("http://127.0.0.1:{port}"), Duration::from_secs(60)).await?;
            processes.push(process);
        }
        Ok(Self { world, store, outbox, workers: processes })
    }

    /// Runs a full sync to its end; how long it took, by the ledger, and its tally of equipment.
    async fn full_sync(&self) -> anyhow::Result<(Duration, Value)> {
        let id = self.start_full_sync().await?;
        self.ended(id).await
    }

    async fn start_full_sync(&self) -> anyhow::Result<SyncId> {
        let sync = NewSync {
            id: SyncId::new(),
            cause: Cause::Manual,
            mode: Mode::Full,
            scope: Scope::default(),
            dry_run: false,
            requested_by: "bench".to_owned(),
            reason: None,
            retry_of: None,
            trace_context: json!({}),
        };
        let created =
            self.store.transaction(async |tx| sync_create(tx, &sync, SystemClock.now()).await).await?;
        anyhow::ensure!(created == SyncCreated::Created, "{created:?}");
        self.outbox.publish_command(sync.id, BTreeMap::new()).await;
        Ok(sync.id)
    }

    async fn ended(&self, id: SyncId) -> anyhow::Result<(Duration, Value)> {
        let sync = wait_until("the sync has ended", PATIENCE, async || {
            let sql = format!(
                "SELECT state, failure, completed_at, extract(epoch FROM completed_at - started_at)::float8 AS took
                 FROM sync_logs WHERE id = '{id}'"
            );
            let sync = self.world.query_json(&sql).await.map_err(|error| json!(error.to_string()))?.remove(0);
            if sync["completed_at"].is_null() { Err(sync) } else { Ok(sync) }
        })
        .await?;
        anyhow::ensure!(sync["state"] == "completed", "{sync}");
        // A retry waits for its tier: then the figure says nothing of the speed.
        let failed = format!("SELECT number, class, failure FROM attempts WHERE sync_id = '{id}'");
        for attempt in self.world.query_json(&failed).await? {
            eprintln!("an attempt failed, and the figure is worth nothing: {attempt}");
        }
        let took = Duration::from_secs_f64(sync["took"].as_f64().context("a duration")?);
        let tally = format!("SELECT * FROM sync_counts WHERE sync_id = '{id}' AND record_type = 'equipment'");
        Ok((took, self.world.query_json(&tally).await?.remove(0)))
    }

    /// Approval events for these records: recorded and published, as webhook-ingest does it.
    async fn approve(&self, numbers: &[usize]) -> anyhow::Result<Vec<WebhookEventId>> {
        let now = SystemClock.now();
        let events: Vec<NewWebhookEvent> = numbers
            .iter()
            .map(|number| NewWebhookEvent {
                id: WebhookEventId::new(),
                webhook_id: format!("msg_{}", SyncId::new()),
                event_type: "equipment.updated".to_owned(),
                entity: Some((RecordType::Equipment, equipment_id(*number))),
                occurred_at: Some(now),
                record_updated_at: None,
                body: b"{}".to_vec(),
                key_name: "current".to_owned(),
                trace_context: json!({}),
            })
            .collect();
        let _ = webhook_events_insert(&mut *self.store.db().await?, &events, now).await?;
        let ids = events.iter().map(|event| event.id).collect();
        self.outbox.publish_events(events).await;
        Ok(ids)
    }

    /// Waits until no event is open.
    async fn drained(&self) -> anyhow::Result<()> {
        wait_until("all events are processed", PATIENCE, async || {
            let sql = "SELECT count(*) AS open FROM webhook_events WHERE state <> 'processed'";
            let open = self.world.query_json(sql).await.map_err(|error| json!(error.to_string()))?.remove(0);
            if open["open"] == 0 { Ok(()) } else { Err(open) }
        })
        .await
    }

    /// Approves one record after the other, 20 a second: milliseconds from the approval's row to the record's, p50 and
    /// p99.
    async fn approval_latency(&self, provider: &Provider, numbers: &[usize]) -> anyhow::Result<(f64, f64)> {
        self.world.execute("TRUNCATE webhook_events").await?;
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        for number in numbers {
            ticks.tick().await;
            provider.revise(std::iter::once(*number));
            self.approve(&[*number]).await?;
        }
        self.drained().await?;
        let sql = "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50,
                          percentile_cont(0.99) WITHIN GROUP (ORDER BY ms) AS p99
                   FROM (SELECT extract(epoch FROM processed_at - received_at)::float8 * 1000 AS ms FROM webhook_events) t";
        let row = self.world.query_json(sql).await?.remove(0);
        Ok((row["p50"].as_f64().context("p50")?, row["p99"].as_f64().context("p99")?))
    }

    /// The most memory that any worker ever had, in megabytes.
    fn peak_memory(&self) -> anyhow::Result<f64> {
        let mut peak: f64 = 0.0;
        for worker in &self.workers {
            let status = std::fs::read_to_string(format!("/proc/{}/status", worker.id()))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
            let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
            peak = peak.max(kilobytes / 1_000.0);
        }
        Ok(peak)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    chassis::install_tls();
    let asked = Arguments::parse();
    let provider = Provider::start()?;
    let figures = if asked.scale {
        scale(&asked, &provider).await?
    } else {
        let mut figures = syncs_and_events(&asked, &provider).await?;
        figures.extend(memory(&asked, &provider).await?);
        figures
    };
    std::fs::write(&asked.json, serde_json::to_vec_pretty(&figures)?)?;
    Ok(())
}

async fn syncs_and_events(asked: &Arguments, provider: &Provider) -> anyhow::Result<Vec<Value>> {
    let records = asked.records as f64;
    let scene = Scene::new(provider, asked.workers).await?;
    let per_second = |took: Duration| records / took.as_secs_f64();
    let rate = |name: &str, took: Duration, limit: f64| {
        figure(name, per_second(took), "records/s", limit, per_second(took) / limit)
    };
    provider.have(asked.records);
    provider.prepare(PAGE);
    let (first, tally) = scene.full_sync().await?;
    anyhow::ensure!(tally["created"] == asked.records, "{tally}");
    let (unchanged, tally) = scene.full_sync().await?;
    anyhow::ensure!(tally["unchanged"] == asked.records, "{tally}");
    provider.revise((0..asked.records).step_by(10));
    provider.prepare(PAGE);
    let (delta, tally) = scene.full_sync().await?;
    anyhow::ensure!(tally["updated"] == asked.records.div_ceil(10), "{tally}");

    let directory = asked.json.parent().context("a directory")?;
    let raw = RawRows::of_equipment(&scene.world, directory).await?;
    let mut best = raw.load_and_merge()?;
    for _ in 0..2 {
        best = best.min(raw.load_and_merge()?);
    }
    let limit = per_second(best);
    let mut figures = vec![
        rate("sync.first", first, limit),
        rate("sync.unchanged", unchanged, limit),
        rate("sync.delta", delta, limit),
    ];

    // Events: the same kind of change as a full sync brings it, so the rate of the delta is what to measure against.
    let changed: Vec<usize> = (0..asked.events).collect();
    provider.revise(changed.iter().copied());
    let began = std::time::Instant::now();
    for some in changed.chunks(500) {
        scene.approve(some).await?;
    }
    scene.drained().await?;
    let drained = asked.events as f64 / began.elapsed().as_secs_f64();
    let changes = records.div_euclid(10.0) / delta.as_secs_f64();
    figures.push(figure("events.drained", drained, "events/s", changes, drained / changes));

    // As on a server that has run for a while, which writes over its old WAL. One that is new lengthens it by 16 MB at a
    // time, and all commits wait meanwhile.
    scene.world.execute("CHECKPOINT").await?;
    let numbers: Vec<usize> = (0..200).map(|number| number * 7 % asked.records).collect();
    let (idle_p50, idle_p99) = scene.approval_latency(provider, &numbers).await?;
    // A second full load while approvals come in: everything has changed.
    provider.revise(0..asked.records);
    provider.prepare(PAGE);
    let sync = scene.start_full_sync().await?;
    let (busy_p50, busy_p99) = scene.approval_latency(provider, &numbers).await?;
    scene.ended(sync).await?;
    figures.push(figure("approval.idle.p50", idle_p50, "ms", idle_p50, 1.0));
    figures.push(figure("approval.idle.p99", idle_p99, "ms", idle_p99, 1.0));
    figures.push(figure("approval.busy.p50", busy_p50, "ms", 3.0 * idle_p50, busy_p50 / (3.0 * idle_p50)));
    figures.push(figure("approval.busy.p99", busy_p99, "ms", 3.0 * idle_p99, busy_p99 / (3.0 * idle_p99)));
    Ok(figures)
}

async fn memory(asked: &Arguments, provider: &Provider) -> anyhow::Result<Vec<Value>> {
    let mut figures = Vec::new();
    for (name, records) in [("worker.memory.small", 20_000), ("worker.memory.large", asked.memory_records)] {
        let scene = Scene::new(provider, 1).await?;
        provider.have(records);
        scene.full_sync().await?;
        let peak = scene.peak_memory()?;
        figures.push(figure(name, peak, "MB", 150.0, peak / 150.0));
    }
    Ok(figures)
}

/// Milliseconds that the slow provider takes for a page.
const SLOW_MS: u64 = 200;
/// Those of the slowest.
const SLOWEST_MS: u64 = 1_000;
/// Records of its pages.
const SLOW_PAGE: usize = 500;

/// A provider that answers as slowly as real ones: one chain of pages beside slices, and one worker beside four.
async fn scale(asked: &Arguments, provider: &Provider) -> anyhow::Result<Vec<Value>> {
    provider.have(asked.slow_records);
    provider.latency(SLOW_MS);
    let measure = async |workers: usize, more: &[(&'static str, &str)]| {
        let scene = Scene::with(provider, workers, SLOW_PAGE, more).await?;
        let cores = Cores::now()?;
        let (took, tally) = scene.full_sync().await?;
        anyhow::ensure!(tally["created"] == asked.slow_records, "{tally}");
        anyhow::Ok((asked.slow_records as f64 / took.as_secs_f64(), cores.used()?))
    };
    let (chain, chain_cores) = measure(1, &[("SMS_WORK__SLICES", "1")]).await?;
    let (slices, slices_cores) = measure(1, &[]).await?;
    let (one, one_cores) = measure(1, &[("SMS_WORK__TASKS", "2")]).await?;
    let (four, four_cores) = measure(4, &[("SMS_WORK__TASKS", "2")]).await?;
    provider.latency(SLOWEST_MS);
    let (slowest, slowest_cores) = measure(1, &[]).await?;
    let (few, few_cores) = measure(1, &[("SMS_WORK__TASKS", "16")]).await?;
    provider.latency(0);
    let cores = |name, used: f64| figure(name, used, "% of cores", 100.0, used / 100.0);
    Ok(vec![
        figure("scale.slices", slices, "records/s", chain, slices / chain),
        cores("scale.slices.cores", slices_cores),
        cores("scale.chain.cores", chain_cores),
        figure("scale.workers", four, "records/s", one, four / one),
        cores("scale.workers.cores", four_cores),
        cores("scale.worker.cores", one_cores),
        figure("scale.slowest", slowest, "records/s", slices, slowest / slices),
        cores("scale.slowest.cores", slowest_cores),
        figure("scale.slowest.tasks16", few, "records/s", slices, few / slices),
        cores("scale.slowest.tasks16.cores", few_cores),
    ])
}

/// What the machine's cores have done until a moment, in ticks.
struct Cores {
    busy: u64,
    all: u64,
}

impl Cores {
    fn now() -> anyhow::Result<Self> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().context("the line of all cores")?;
        let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|it| it.parse().ok()).collect();
        let all = ticks.iter().take(8).sum();
        // idle and iowait
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Ok(Self { busy: all - idle, all })
    }

    /// How much of all cores was in use since then, in per cent.
    fn used(&self) -> anyhow::Result<f64> {
        let now = Self::now()?;
        Ok(100.0 * (now.busy - self.busy) as f64 / (now.all - self.all).max(1) as f64)
    }
}
