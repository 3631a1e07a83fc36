//! Measures how many webhooks a second the service accepts, each figure beside a limit that the same run measures.
//!
//! `make bench` runs it. It needs `SMS_TEST_SERVERS`, the `servers.env` of servers that it may load. The service runs in a
//! process of its own (this program, started again) with the handler of the real service. The limits come from services that
//! leave out the insert, the publication, or both. Requests are signed before the clock starts.
#![expect(clippy::disallowed_types, reason = "a benchmark is wired here")]

mod load;
mod mode;
mod service;
mod sink;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use load::{LoadGenerator, SignedRequests};
use mode::{Mode, requested_mode};
use serde_json::{Value, json};
use service::Service;

#[derive(Parser)]
struct Arguments {
    /// Webhooks per measurement
    #[arg(long, default_value_t = 40_000)]
    webhooks: usize,
    /// Webhooks while memory is measured
    #[arg(long, default_value_t = 200_000)]
    memory_webhooks: usize,
    /// Keep-alive connections
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How often each rate is measured; the best rate counts, and the median latency
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// File for the figures, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A figure beside its limit, if it has one.
fn figure(name: &str, value: f64, unit: &str, limit: Option<f64>) -> Value {
    let round = |number: f64| (number * 1_000.0).round() / 1_000.0;
    let ratio = limit.map(|limit| round(value / limit));
    let figure =
        json!({"name": name, "value": round(value), "unit": unit, "limit": limit.map(round), "ratio": ratio});
    eprintln!("{figure}");
    figure
}

fn main() -> ExitCode {
    // The service under load is this program, too.
    if let Some(mode) = requested_mode() {
        return service::serve(mode);
    }
    chassis::install_tls();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured =
        runtime.map_err(anyhow::Error::from).and_then(|it| it.block_on(measure(&Arguments::parse())));
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("webhook_bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let [mut nothing, mut insert, mut publish, mut both] = [0.0_f64; 4];
    let mut p99s = Vec::with_capacity(arguments.rounds);
    // The modes take turns, so that other load of the machine falls on all of them.
    for _ in 0..arguments.rounds {
        nothing = nothing.max(measure_rate(arguments, Mode::Nothing).await?.0);
        insert = insert.max(measure_rate(arguments, Mode::Insert).await?.0);
        publish = publish.max(measure_rate(arguments, Mode::Publish).await?.0);
        let (accepted, latency) = measure_rate(arguments, Mode::Both).await?;
        both = both.max(accepted);
        p99s.push(latency);
    }
    p99s.sort_by(f64::total_cmp);
    let p99 = p99s[p99s.len() / 2];
    let p50_alone = measure_single_sender().await?;
    let (settled, end) = measure_memory(arguments).await?;

    // A service that inserts and then publishes, one after the other.
    let insert_then_publish = 1.0 / (1.0 / insert + 1.0 / publish);
    let figures = vec![
        figure("webhook.accepted", both, "webhooks/s", Some(insert_then_publish)),
        figure("webhook.of_verified", both, "webhooks/s", Some(nothing)),
        figure("webhook.insert_only", insert, "webhooks/s", None),
        figure("webhook.publish_only", publish, "webhooks/s", None),
        figure("webhook.p99", p99, "ms", Some(25.0)),
        figure("webhook.p50_alone", p50_alone, "ms", Some(3.0)),
        figure("webhook.memory", end, "MB", Some(settled)),
    ];
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    Ok(())
}

/// Webhooks a second until the last one is answered and, if the mode publishes, confirmed; and the 99th percentile of the
/// answer times, in milliseconds.
async fn measure_rate(arguments: &Arguments, mode: Mode) -> anyhow::Result<(f64, f64)> {
    let service = Service::start(mode).await?;
    let mut load = LoadGenerator::connect(service.port, arguments.connections).await?;
    let warm_up = SignedRequests::new(arguments.webhooks / 8);
    let webhooks = SignedRequests::new(arguments.webhooks);
    load.send(&warm_up).await?;
    service.wait_published(mode, warm_up.len()).await?;

    let began = std::time::Instant::now();
    let mut answers = load.send(&webhooks).await?;
    service.wait_published(mode, warm_up.len() + webhooks.len()).await?;
    let rate = webhooks.len() as f64 / began.elapsed().as_secs_f64();
    let p99 = percentile(&mut answers, 0.99);
    eprintln!("  {mode:?}: {rate:.0} a second, p50 {:.2} ms, p99 {p99:.2} ms", percentile(&mut answers, 0.5));
    Ok((rate, p99))
}

/// The median answer time of a single connection, in milliseconds.
async fn measure_single_sender() -> anyhow::Result<f64> {
    let service = Service::start(Mode::Both).await?;
    let mut load = LoadGenerator::connect(service.port, 1).await?;
    load.send(&SignedRequests::new(200)).await?;
    Ok(percentile(&mut load.send(&SignedRequests::new(2_000)).await?, 0.5))
}

/// Memory of the service after a quarter of the webhooks and after all of them, in megabytes.
async fn measure_memory(arguments: &Arguments) -> anyhow::Result<(f64, f64)> {
    let service = Service::start(Mode::Both).await?;
    let mut load = LoadGenerator::connect(service.port, arguments.connections).await?;
    let mut after = Vec::new();
    for quarter in 1..=4 {
        load.send(&SignedRequests::new(arguments.memory_webhooks / 4)).await?;
        service.wait_published(Mode::Both, quarter * (arguments.memory_webhooks / 4)).await?;
        after.push(service.resident_memory()?);
    }
    eprintln!("  memory after each quarter: {after:.1?} MB");
    Ok((after[0], *after.last().context("four quarters")?))
}

fn percentile(answers: &mut [Duration], share: f64) -> f64 {
    answers.sort_unstable();
    let at = ((answers.len() - 1) as f64 * share).round() as usize;
    answers[at].as_secs_f64() * 1_000.0
}
