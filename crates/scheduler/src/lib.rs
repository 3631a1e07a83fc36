#![doc = include_str!("../README.md")]

mod config;
mod housekeeping;
mod leader;
mod reaper;
mod schedule;

use std::{convert::Infallible, net::TcpListener, sync::Arc};

use anyhow::Context;
use broker::{Broker, Publisher};
use chassis::{Process, health::Health, http, shutdown::Shutdown};
use domain::clock::{Clock, SystemClock};
use outbox::Outbox;
use secrecy::ExposeSecret;
use store::Store;

pub use config::{Config, DAEMON};

use crate::{
    housekeeping::Housekeeping,
    leader::{Duties, lead},
    reaper::Reaper,
    schedule::Ticker,
};

/// Connects, and starts the clock: relay, schedule, reaper and housekeeping, supervised.
///
/// # Errors
/// When the database does not answer for a long time.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<()> {
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name);
    health.register("database", {
        let store = store.clone();
        move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|e| e.to_string()) }
        }
    });
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);

    let relay = outbox.clone().relay(shutdown.soft().clone());
    shutdown.supervise("relay", without_error(relay));
    let duties = Duties {
        ticker: Ticker::new(outbox.clone(), clock.clone(), &config.schedule),
        reaper: Reaper::new(outbox, clock.clone(), &config.reaper),
        housekeeping: Housekeeping::new(clock, &config.retention),
    };
    shutdown.supervise("leader", without_error(lead(store, shutdown.soft().clone(), duties)));
    Ok(())
}

/// For tasks that end only when they are told to.
async fn without_error(task: impl Future<Output = ()>) -> Result<(), Infallible> {
    task.await;
    Ok(())
}

/// The daemon's own work: start, and serve health and metrics.
///
/// # Errors
/// When it cannot start.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let config: Config = process.config()?;
    let listener = TcpListener::bind(&config.server.bind)
        .with_context(|| format!("cannot listen on {}", config.server.bind))?;
    start(&config, &process.shutdown, &process.health).await?;
    let options = http::Options { version: process.version(), workers: 1, ..http::Options::default() };
    let serving =
        http::serve_with(options, listener, process.shutdown.clone(), process.health, |_no_routes| {});
    process.shutdown.supervise("http", serving);
    Ok(())
}
