//! A simulation of the whole product at sizes that no test has: a virtual provider whose records follow from a seed, the real
//! services, and a comparison of every row at the end.
//!
//! `make simulate` runs it. It needs `SMS_TEST_SERVERS`, the `servers.env` of servers that it owns, and the programs built in its
//! own profile. Start at `day.rs` for what happens, at `fleet.rs` for what a record is.

mod broker;
mod catalogue;
mod compare;
mod day;
mod figures;
mod fleet;
mod product;
mod provider;
mod slopes;
mod wave;

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use figures::Figures;
use uuid::Uuid;

/// Simulates a fleet by a virtual provider, whose records follow from a seed, in front of the real services.
///
/// `slopes` measures a first and an unchanged full sync at each size, and by how much time, memory and the database grow from
/// one size to the next.
///
/// `day` is a day of a fleet: approvals in the morning, a worker killed in a full sync, changes at noon while RabbitMQ is killed
/// and started, the portal restored from its backup of 11:00, most of the lost changes entered again. 3 % of the ships send no
/// webhooks. It ends with a comparison of every row with what the provider says, and exits with 1 on any difference.
///
/// Everything random follows from the seed; a failure is replayed with `--seed` and the same options. When exactly webhooks,
/// syncs and faults meet is not in the seed.
#[derive(Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// What to simulate; both if nothing is named
    #[arg(value_enum)]
    parts: Vec<Part>,
    /// Seed of everything random; random by default, and printed first
    #[arg(long)]
    seed: Option<u64>,
    /// Worker processes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=64))]
    workers: u64,
    /// Milliseconds that the provider takes for a page
    #[arg(long, default_value_t = 20)]
    latency_ms: u64,
    /// Millions of pieces of equipment of `slopes`, separated by commas. 16 needs some 25 GB of disk
    #[arg(long, value_delimiter = ',', default_value = "1,4")]
    millions: Vec<f64>,
    /// Ships of `day`
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(20..=500_000))]
    ships: u64,
    /// Pieces of equipment of each ship of `day`
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    equipment_per_ship: u64,
    /// How long `day` takes from 06:00 to midnight, in minutes; a step that is late moves the others
    #[arg(long, default_value_t = 15.0)]
    minutes: f64,
    /// The servers of SMS_TEST_SERVERS belong to this simulation: it may kill their RabbitMQ. `day` needs it
    #[arg(long)]
    own_servers: bool,
    /// A file for the figures, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Syncs of ever larger lists
    Slopes,
    /// A day of a fleet
    Day,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(random_seed);
    eprintln!("seed {seed}; replay with --seed {seed}");
    let mut figures = Figures::default();
    let simulated = simulate(&arguments, seed, &mut figures).await;
    // Also of a simulation that broke off: what was measured until then is true.
    if let Some(file) = &arguments.json {
        let text = serde_json::to_vec_pretty(&figures.0)?;
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let replay = format!("replay with --seed {seed} and the same options");
    match simulated {
        Ok(faults) if faults.is_empty() => Ok(ExitCode::SUCCESS),
        Ok(faults) => {
            eprintln!("\n{} faults; {replay}", faults.len());
            faults.iter().for_each(|fault| eprintln!("  {fault}"));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => {
            // Without the backtrace that returning it would print.
            eprintln!("\nbroken off: {error:#}; {replay}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What was not as it must be.
async fn simulate(arguments: &Arguments, seed: u64, figures: &mut Figures) -> anyhow::Result<Vec<String>> {
    let latency = Duration::from_millis(arguments.latency_ms);
    let workers = usize::try_from(arguments.workers)?;
    let is_wanted = |part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    anyhow::ensure!(
        (0.5..=1_440.0).contains(&arguments.minutes),
        "--minutes must be from 0.5 to 1440, a day of real time"
    );
    anyhow::ensure!(
        arguments.millions.iter().all(|millions| (0.001..=100.0).contains(millions)),
        "--millions must be from 0.001 to 100"
    );
    let servers = if is_wanted(Part::Day) { Some(own_servers(arguments)?) } else { None };
    if is_wanted(Part::Slopes) {
        let sizes = arguments.millions.iter().map(|millions| (millions * 1e6).round() as u64).collect();
        let options = slopes::Options { seed, sizes, workers, latency };
        slopes::slopes(options, figures).await?;
    }
    let Some(servers) = servers else { return Ok(Vec::new()) };
    let Arguments { ships, equipment_per_ship, minutes, .. } = *arguments;
    eprintln!(
        "\na day of {ships} ships with {equipment_per_ship} pieces of equipment each, in {minutes} minutes"
    );
    let options = day::Options { seed, ships, equipment_per_ship, workers, minutes, latency, servers };
    day::day(options, figures).await
}

/// The directory of the servers, which must belong to the simulation.
fn own_servers(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    let file = std::env::var_os("SMS_TEST_SERVERS").map(PathBuf::from);
    let directory = file.as_deref().and_then(|file| file.parent());
    match directory {
        Some(directory) if arguments.own_servers => Ok(directory.to_owned()),
        _ => anyhow::bail!(
            "`day` kills RabbitMQ: start servers for it alone (deploy/local/servers.sh), name their servers.env in \
             SMS_TEST_SERVERS, and say --own-servers; deploy/local/simulate.sh does all of it"
        ),
    }
}

/// Of 32 bits, which are typed more easily than 64. The low bits of such an id are random.
fn random_seed() -> u64 {
    (Uuid::now_v7().as_u128() & u128::from(u32::MAX)) as u64
}
