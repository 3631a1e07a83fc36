//! Measures how many webhooks a second are taken, each figure beside a limit that is measured in the same run.
//!
//! `make bench` runs it. It needs `SMS_TEST_SERVERS`, the `servers.env` of servers that it may load. The service runs as a
//! process of its own (this program, told to serve) with the very handler that runs elsewhere, or with halves of its work
//! left out: that is what says how much there is to be had. Requests are signed before the clock starts.

mod load;
mod service;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use load::{Load, Prepared};
use serde_json::{Value, json};
use service::{Mode, Service};

#[derive(Parser)]
struct Arguments {
    /// Webhooks per measurement
    #[arg(long, default_value_t = 40_000)]
    webhooks: usize,
    /// Webhooks while memory is watched
    #[arg(long, default_value_t = 200_000)]
    memory_webhooks: usize,
    /// Keep-alive connections
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How often each rate is measured; of rates the best one counts, of latencies the median
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the figures go, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

/// A figure beside its limit; without one it is told for its own sake.
fn figure(name: &str, value: f64, unit: &str, limit: Option<f64>) -> Value {
    let round = |number: f64| (number * 1_000.0).round() / 1_000.0;
    let ratio = limit.map(|limit| round(value / limit));
    let figure =
        json!({"name": name, "value": round(value), "unit": unit, "limit": limit.map(round), "ratio": ratio});
    eprintln!("{figure}");
    figure
}

fn main() -> ExitCode {
    // The process under load is this program, too.
    if let Some(mode) = service::asked_to_serve() {
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

async fn measure(asked: &Arguments) -> anyhow::Result<()> {
    let [mut nothing, mut insert, mut publish, mut both] = [0.0_f64; 4];
    let mut p99s = Vec::with_capacity(asked.rounds);
    // In turns, so that what else the machine does falls on all alike.
    for _ in 0..asked.rounds {
        nothing = nothing.max(rate(asked, Mode::Nothing).await?.0);
        insert = insert.max(rate(asked, Mode::Insert).await?.0);
        publish = publish.max(rate(asked, Mode::Publish).await?.0);
        let (accepted, latency) = rate(asked, Mode::Both).await?;
        both = both.max(accepted);
        p99s.push(latency);
    }
    p99s.sort_by(f64::total_cmp);
    let p99 = p99s[p99s.len() / 2];
    let p50_alone = alone().await?;
    let (settled, end) = memory(asked).await?;

    let halves = 1.0 / (1.0 / insert + 1.0 / publish);
    let figures = vec![
        figure("webhook.accepted", both, "webhooks/s", Some(halves)),
        figure("webhook.of_verified", both, "webhooks/s", Some(nothing)),
        figure("webhook.insert_only", insert, "webhooks/s", None),
        figure("webhook.publish_only", publish, "webhooks/s", None),
        figure("webhook.p99", p99, "ms", Some(25.0)),
        figure("webhook.p50_alone", p50_alone, "ms", Some(3.0)),
        figure("webhook.memory", end, "MB", Some(settled)),
    ];
    if let Some(path) = &asked.json {
        std::fs::write(path, serde_json::to_vec_pretty(&figures)?)?;
    }
    Ok(())
}

/// Webhooks a second until the last one is answered and, where it is published, confirmed; and the 99th percentile of the
/// answers, in milliseconds.
async fn rate(asked: &Arguments, mode: Mode) -> anyhow::Result<(f64, f64)> {
    let service = Service::start(mode).await?;
    let mut load = Load::connect(service.port, asked.connections).await?;
    let warm_up = Prepared::webhooks(asked.webhooks / 8);
    let webhooks = Prepared::webhooks(asked.webhooks);
    load.send(&warm_up).await?;
    service.published(mode, warm_up.len()).await?;

    let began = std::time::Instant::now();
    let mut answers = load.send(&webhooks).await?;
    service.published(mode, warm_up.len() + webhooks.len()).await?;
    let rate = webhooks.len() as f64 / began.elapsed().as_secs_f64();
    let p99 = percentile(&mut answers, 0.99);
    eprintln!("  {mode:?}: {rate:.0} a second, p50 {:.2} ms, p99 {p99:.2} ms", percentile(&mut answers, 0.5));
    Ok((rate, p99))
}

/// The median of the answers to a sender that waits for each before it sends the next, in milliseconds.
async fn alone() -> anyhow::Result<f64> {
    let service = Service::start(Mode::Both).await?;
    let mut load = Load::connect(service.port, 1).await?;
    load.send(&Prepared::webhooks(200)).await?;
    Ok(percentile(&mut load.send(&Prepared::webhooks(2_000)).await?, 0.5))
}

/// Memory of the service after a quarter of many webhooks, and after all of them, in megabytes.
async fn memory(asked: &Arguments) -> anyhow::Result<(f64, f64)> {
    let service = Service::start(Mode::Both).await?;
    let mut load = Load::connect(service.port, asked.connections).await?;
    let mut after = Vec::new();
    for quarter in 1..=4 {
        load.send(&Prepared::webhooks(asked.memory_webhooks / 4)).await?;
        service.published(Mode::Both, quarter * (asked.memory_webhooks / 4)).await?;
        after.push(service.memory()?);
    }
    eprintln!("  memory after each quarter: {after:.1?} MB");
    Ok((after[0], *after.last().context("four quarters")?))
}

fn percentile(answers: &mut [Duration], share: f64) -> f64 {
    answers.sort_unstable();
    let at = ((answers.len() - 1) as f64 * share).round() as usize;
    answers[at].as_secs_f64() * 1_000.0
}
