//! A soak: the whole system under all kinds of load for some minutes, and what its processes hold at the start, at their
//! peak, and a minute after the end.
//!
//! `make bench` runs it with the name `soak`. It needs `SMS_TEST_SERVERS`, the `servers.env` of servers that it may load, and
//! the programs built in its own profile. Linux: it reads /proc.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Parser;
use e2e::{Fleet, Kind, Setup, System, Webhook};
use serde_json::{Value, json};

#[derive(Parser)]
struct Arguments {
    /// How long the load lasts, in minutes
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// How long the system rests before the last look, in seconds
    #[arg(long, default_value_t = 60)]
    rest_seconds: u64,
    /// Pieces of equipment
    #[arg(long, default_value_t = 20_000)]
    equipment: u32,
    /// Clients that follow the updates
    #[arg(long, default_value_t = 50)]
    clients: usize,
    /// Milliseconds between two forged webhooks
    #[arg(long, default_value_t = 5)]
    forged_every_ms: u64,
    /// All services in one process
    #[arg(long)]
    one_process: bool,
    /// Where the figures go, as JSON
    #[arg(long)]
    json: PathBuf,
}

/// What a process holds.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// Anonymous memory: heaps and stacks.
    megabytes: u64,
    threads: u64,
    /// File handles, connections among them.
    files: u64,
    connections: u64,
}

impl Held {
    fn of(process: u32) -> anyhow::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let number = |name: &str| -> anyhow::Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a line of status")?;
            Ok(line.split_whitespace().next().context("a number")?.parse()?)
        };
        let mut held =
            Self { megabytes: number("RssAnon:")? / 1024, threads: number("Threads:")?, ..Self::default() };
        for file in fs::read_dir(format!("/proc/{process}/fd"))? {
            held.files += 1;
            let target = fs::read_link(file?.path()).unwrap_or_default();
            held.connections += u64::from(target.to_string_lossy().starts_with("socket:"));
        }
        Ok(held)
    }

    fn max(self, other: Self) -> Self {
        Self {
            megabytes: self.megabytes.max(other.megabytes),
            threads: self.threads.max(other.threads),
            files: self.files.max(other.files),
            connections: self.connections.max(other.connections),
        }
    }
}

/// The processes by their names, numbered where there are several.
fn processes(system: &System) -> BTreeMap<String, u32> {
    let mut processes = BTreeMap::new();
    if let [all] = system.front.as_slice() {
        processes.insert("sms-sync up".to_owned(), all.id());
    }
    if let [ingest, status] = system.front.as_slice() {
        processes.insert("webhook-ingest".to_owned(), ingest.id());
        processes.insert("status".to_owned(), status.id());
    }
    let more = [("scheduler", &system.schedulers), ("worker", &system.workers)];
    for (name, daemons) in more {
        for (number, daemon) in daemons.iter().enumerate() {
            processes.insert(format!("{name} {}", number + 1), daemon.id());
        }
    }
    processes
}

/// What came of the load.
#[derive(Debug, Default)]
struct Done {
    syncs: AtomicU64,
    approvals: AtomicU64,
    forged: AtomicU64,
    failed: AtomicU64,
}

impl Done {
    fn count(&self, kind: &AtomicU64, result: &anyhow::Result<()>) {
        match result {
            Ok(()) => kind.fetch_add(1, Ordering::Relaxed),
            Err(error) => {
                eprintln!("{error:#}");
                self.failed.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tokio::task::LocalSet::new().run_until(soak(Arguments::parse())).await
}

async fn soak(arguments: Arguments) -> anyhow::Result<()> {
    let fleet = Fleet::Of(arguments.equipment / 100 + 1, arguments.equipment, arguments.equipment / 20);
    let setup = Setup {
        fleet,
        workers: 2,
        page_size: 500,
        one_process: arguments.one_process,
        webhooks: true,
        ..Setup::default()
    };
    let system = Arc::new(System::start(setup).await?);
    let processes = processes(&system);
    let look = || -> anyhow::Result<BTreeMap<String, Held>> {
        let held =
            |(name, id): (&String, &u32)| Ok((name.clone(), Held::of(*id).context("a process has ended")?));
        processes.iter().map(held).collect()
    };
    let start = look()?;
    let mut peak = start.clone();

    let over = Arc::new(AtomicBool::new(false));
    let done = load(&system, &arguments, &over).await?;
    let end_of_load = Instant::now() + Duration::from_secs_f64(arguments.minutes * 60.0);
    let rest = Duration::from_secs(arguments.rest_seconds);
    while Instant::now() < end_of_load + rest {
        if Instant::now() >= end_of_load {
            over.store(true, Ordering::Relaxed);
        }
        for (name, held) in look()? {
            peak.entry(name).and_modify(|most| *most = most.max(held)).or_insert(held);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let end = look()?;
    report(&arguments, &done, [&start, &peak, &end])
}

/// Starts the load, which lasts until it is over.
async fn load(
    system: &Arc<System>,
    arguments: &Arguments,
    over: &Arc<AtomicBool>,
) -> anyhow::Result<Arc<Done>> {
    let done = Arc::new(Done::default());
    let vessels = system.portal.ids(Kind::Vessels, "approved").await?;
    let goes_on = |over: &Arc<AtomicBool>| !over.load(Ordering::Relaxed);

    let (of, counted, ended) = (system.clone(), done.clone(), over.clone());
    tokio::task::spawn_local(async move {
        while goes_on(&ended) {
            let synced = of.operator.full_sync().await;
            counted.count(&counted.syncs, &synced.map(drop));
        }
    });
    let (of, counted, ended, names) = (system.clone(), done.clone(), over.clone(), vessels.clone());
    tokio::task::spawn_local(async move {
        for (number, id) in names.iter().cycle().enumerate() {
            if !goes_on(&ended) {
                return;
            }
            let named = json!({"name": format!("Soaked {number}")});
            let changed = of.portal.change(Kind::Vessels, id, named).await;
            counted.count(&counted.approvals, &changed.map(drop));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let (of, counted, ended, every) =
        (system.clone(), done.clone(), over.clone(), Duration::from_millis(arguments.forged_every_ms));
    let forged = Webhook::about("vessel.updated", &vessels[0], "2026-05-01T00:00:00Z")?.forged();
    tokio::task::spawn_local(async move {
        while goes_on(&ended) {
            let refused = forged.send(&of).await.and_then(|(status, answer)| {
                anyhow::ensure!(matches!(status.as_u16(), 401 | 429), "{status}: {answer}");
                Ok(())
            });
            counted.count(&counted.forged, &refused);
            tokio::time::sleep(every).await;
        }
    });
    for _ in 0..arguments.clients {
        let (mut updates, ended) = (system.operator.updates().await?, over.clone());
        tokio::task::spawn_local(async move {
            while goes_on(&ended) {
                // Nobody sends this: every update is read, for as long as this waits.
                let _ = tokio::time::timeout(Duration::from_secs(1), updates.wait_for("soak")).await;
            }
        });
    }
    Ok(done)
}

fn report(
    arguments: &Arguments,
    done: &Done,
    [start, peak, end]: [&BTreeMap<String, Held>; 3],
) -> anyhow::Result<()> {
    let counted = |count: &AtomicU64| count.load(Ordering::Relaxed);
    eprintln!(
        "{} minutes: {} full syncs of {} pieces of equipment, {} approvals, {} forged webhooks, {} clients; {} failed",
        arguments.minutes,
        counted(&done.syncs),
        arguments.equipment,
        counted(&done.approvals),
        counted(&done.forged),
        arguments.clients,
        counted(&done.failed)
    );
    eprintln!(
        "  {:<16} {:>20} {:>20} {:>20} {:>20}",
        "start/peak/end", "MB", "threads", "files", "connections"
    );
    let mut figures: Vec<Value> = Vec::new();
    for (name, last) in end {
        let (first, most) = (start[name], peak[name]);
        let three = |of: fn(Held) -> u64| format!("{} / {} / {}", of(first), of(most), of(*last));
        eprintln!(
            "  {name:<16} {:>20} {:>20} {:>20} {:>20}",
            three(|it| it.megabytes),
            three(|it| it.threads),
            three(|it| it.files),
            three(|it| it.connections)
        );
        for (what, of) in [
            ("memory", (|it| it.megabytes) as fn(Held) -> u64),
            ("threads", |it| it.threads),
            ("files", |it| it.files),
            ("connections", |it| it.connections),
        ] {
            figures.push(json!({
                "name": format!("soak: {name}, {what}"), "unit": if what == "memory" { "MB" } else { "" },
                "value": of(*last), "start": of(first), "peak": of(most),
            }));
        }
    }
    fs::write(&arguments.json, serde_json::to_string_pretty(&figures)?)?;
    Ok(())
}
