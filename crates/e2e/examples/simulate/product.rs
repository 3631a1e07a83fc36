//! The product under simulation: started on the virtual provider, asked by the operator API, watched from outside.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::Context;
use contracts::operator::{Mode, RecordCounts, SyncAccepted, SyncDetail, SyncState, TriggerRequest};
use e2e::{Daemon, Fleet, Setup, System, Tally};
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use crate::{catalogue::now, provider::Provider};

/// Starts every service on this provider, in the place of the onboarding portal that a [`System`] comes with, which stays idle.
pub(crate) async fn start(
    provider: &Provider,
    workers: usize,
    page_size: u32,
    retry_delays_ms: [u32; 3],
) -> anyhow::Result<System> {
    let environment = vec![("ONBOARDING_API_URL", provider.url.clone()), ("RUST_LOG", "warn".to_owned())];
    let setup =
        Setup { fleet: Fleet::Empty, workers, page_size, retry_delays_ms, environment, ..Setup::default() };
    System::start(setup).await
}

/// How long a sync of so many records may take: a tenth of the slowest rate that was ever measured on two cores.
fn sync_patience(records: u64) -> Duration {
    Duration::from_secs(300 + records / 200)
}

const LOOK_INTERVAL: Duration = Duration::from_millis(250);
const PROGRESS_INTERVAL: Duration = Duration::from_secs(15);

/// A sync that has ended.
#[derive(Debug)]
pub(crate) struct EndedSync {
    pub(crate) state: SyncState,
    pub(crate) failure: Option<String>,
    /// From the request to the end, by the ledger.
    pub(crate) seconds: f64,
    /// From the request until the end was seen, which may be looked for late. The ledger's time is taken before the last
    /// transaction, which looks for missing records.
    pub(crate) seen_after_seconds: f64,
    pub(crate) tally: Tally,
}

impl EndedSync {
    /// The tally of a record type.
    pub(crate) fn counts(&self, word: &str) -> anyhow::Result<&RecordCounts> {
        self.tally.get(word).with_context(|| format!("the sync has no tally of {word}"))
    }
}

/// Has an operator start a sync.
pub(crate) async fn start_sync(system: &System, mode: Mode) -> anyhow::Result<Uuid> {
    let request = serde_json::to_value(TriggerRequest { mode: Some(mode), ..TriggerRequest::default() })?;
    let (status, answer) = system.operator.ask(Method::POST, "/api/sync/trigger", Some(&request)).await?;
    anyhow::ensure!(status.is_success(), "a sync was asked for, and the API answered {status}: {answer}");
    Ok(serde_json::from_value::<SyncAccepted>(answer)?.sync_id)
}

/// Waits until a sync of so many records has ended.
pub(crate) async fn sync_ended(system: &System, id: Uuid, records: u64) -> anyhow::Result<EndedSync> {
    let (began, patience) = (Instant::now(), sync_patience(records));
    let mut said = Instant::now();
    loop {
        let detail = system.operator.sync(id).await;
        if let Ok(SyncDetail { summary, .. }) = &detail
            && let Some(completed_at) = summary.completed_at
        {
            let took = (completed_at - summary.started_at).to_std().unwrap_or_default();
            let seen_after = (now() - summary.started_at).to_std().unwrap_or_default();
            return Ok(EndedSync {
                state: summary.state,
                failure: summary.failure.clone(),
                seconds: took.as_secs_f64(),
                seen_after_seconds: seen_after.as_secs_f64(),
                tally: system.tally(id).await?,
            });
        }
        anyhow::ensure!(
            began.elapsed() < patience,
            "the sync {id} of {records} records has not ended within {patience:?}: {detail:#?}"
        );
        if said.elapsed() > PROGRESS_INTERVAL {
            said = Instant::now();
            let read = detail.map(|it| it.summary.counts.iter().map(|counts| counts.read).sum::<i64>());
            eprintln!(
                "         … {} s, {} of some {records} records",
                began.elapsed().as_secs(),
                read.unwrap_or(0)
            );
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// Starts a sync and waits until it has ended.
pub(crate) async fn sync(system: &System, mode: Mode, records: u64) -> anyhow::Result<EndedSync> {
    let id = start_sync(system, mode).await?;
    sync_ended(system, id, records).await
}

/// The most memory that any of these processes has had since [`forget_peaks`], or its start, in megabytes.
pub(crate) fn peak_megabytes(processes: &[Daemon]) -> anyhow::Result<f64> {
    let mut peak: f64 = 0.0;
    for process in processes {
        let status = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        peak = peak.max(kilobytes / 1_000.0);
    }
    Ok(peak)
}

/// Has the kernel measure peaks of memory anew.
pub(crate) fn forget_peaks(processes: &[Daemon]) -> anyhow::Result<()> {
    for process in processes {
        fs::write(format!("/proc/{}/clear_refs", process.id()), "5").context("clear_refs")?;
    }
    Ok(())
}

/// One value of the maintenance portal's database.
pub(crate) async fn value(system: &System, expression: &str) -> anyhow::Result<Value> {
    let mut rows = system.rows(&format!("SELECT {expression} AS value")).await?;
    anyhow::ensure!(rows.len() == 1, "{expression} is one value");
    Ok(rows.remove(0)["value"].take())
}

pub(crate) async fn number(system: &System, expression: &str) -> anyhow::Result<f64> {
    let value = value(system, &format!("({expression})::float8")).await?;
    value.as_f64().with_context(|| format!("{expression} is {value}"))
}
