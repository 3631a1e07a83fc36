//! How long an update takes to reach all clients, beside a bare broadcast loop; and the memory of the service for each client.
//!
//! Five processes: this one, which gives the orders; `status`; the bare loop; and the clients of either, sockets without any
//! library, so that both services have the same load beside them. Updates of the two take turns.

mod bare;
mod clients;
mod helper;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

pub(crate) use bare::serve as serve_bare_loop;
pub(crate) use clients::run as run_clients;
pub(crate) use helper::run_on_one_thread;

use crate::{
    figures::{self, figure},
    service::Service,
};
use clients::{Arrived, Server, Setup};
use helper::Helper;

/// Open files of a process beside those of the clients.
const OTHER_FILES: usize = 200;
/// What a client may cost in memory, in kilobytes.
const MEMORY_LIMIT: f64 = 16.0;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Clients of each of the two services
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
    /// Updates that are measured
    #[arg(long, default_value_t = 30)]
    updates: usize,
    /// Updates before, which are not
    #[arg(long, default_value_t = 5)]
    warm_up: usize,
    /// File for the figures, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

pub(crate) async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let clients = arguments.clients;
    check_open_files(clients)?;
    let service = Service::start(clients).await?;
    let before = service.anonymous_memory()?;
    let status =
        Server::Status { port: service.port, token: service.token()?, amqp_url: service.amqp_url().await? };
    let mut of_status = Helper::start("clients")?;
    let _: Value = of_status.ask(&Setup { server: status, clients }).await?;
    // The bytes of an update as `status` sends them: the bare loop sends the same.
    let event = of_status.ask::<Arrived>(&json!({})).await?.event;

    let mut bare = Helper::start("bare")?;
    let port = bare.answer::<u16>().await?;
    let mut of_bare = Helper::start("clients")?;
    let _: Value = of_bare.ask(&Setup { server: Server::Bare { port, event }, clients }).await?;

    let (mut product, mut limit) = (Vec::new(), Vec::new());
    for number in 0..arguments.warm_up + arguments.updates {
        let by_status: Arrived = of_status.ask(&json!({})).await?;
        let by_bare: Arrived = of_bare.ask(&json!({})).await?;
        eprintln!("  status {by_status}; bare {by_bare}");
        if number >= arguments.warm_up {
            product.push(by_status);
            limit.push(by_bare);
        }
    }
    let after = service.anonymous_memory()?;
    eprintln!("  memory of status: {before:.0} kB without clients, {after:.0} kB with {clients}");

    // The median update of each: other load of the machine makes some of them slow.
    let p50 = |all: &[Arrived]| median(all.iter().map(|it| it.p50));
    let p99 = |all: &[Arrived]| median(all.iter().map(|it| it.p99));
    let figures = vec![
        figure("sse.fanout.p50", p50(&product), "ms", Some(p50(&limit))),
        figure("sse.fanout.p99", p99(&product), "ms", Some(p99(&limit))),
        figure("sse.client.memory", (after - before) / clients as f64, "kB", Some(MEMORY_LIMIT)),
    ];
    figures::write(arguments.json.as_deref(), &figures)
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Fails if a process may not open a file for each client. Child processes have the same limit.
fn check_open_files(clients: usize) -> anyhow::Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")).context("Max open files")?;
    let soft = line.split_whitespace().next().context("a limit")?;
    let wanted = clients + OTHER_FILES;
    // `unlimited` is no number, and enough.
    let has_enough = soft.parse::<usize>().map_or(true, |limit| limit >= wanted);
    anyhow::ensure!(
        has_enough,
        "{clients} clients need {wanted} open files in each process, and the limit is {soft}: raise it \
         (`ulimit -n {wanted}`; its hard limit is root's to raise), or measure fewer with --clients"
    );
    Ok(())
}
