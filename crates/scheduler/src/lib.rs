#![doc = include_str!("../README.md")]

mod config;
mod leader;
mod reaper;
mod retention;
mod schedule;

use std::sync::Arc;

use broker::{Broker, Publisher};
use chassis::{Process, health::Health, http, shutdown::Shutdown};
use domain::clock::{Clock, SystemClock};
use outbox::Outbox;
use secrecy::ExposeSecret;
use store::Store;

pub use config::{Config, DAEMON};

use crate::{
    leader::{Duties, lead},
    reaper::Reaper,
    retention::Housekeeping,
    schedule::Ticker,
};

/// Connects, and starts the clock: relay, schedule, reaper and housekeeping, supervised.
///
/// # Errors
/// When the database does not answer for a long time.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<()> {
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name);
    health.register_ping("database", store.clone(), |store| async move { store.ping().await });
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);

    shutdown.supervise_infallible("relay", outbox.clone().relay(shutdown.soft().clone()));
    let duties = Duties {
        ticker: Ticker::new(outbox.clone(), clock.clone(), &config.schedule),
        reaper: Reaper::new(outbox, clock.clone(), &config.reaper),
        housekeeping: Housekeeping::new(clock, &config.retention),
    };
    shutdown.supervise_infallible("leader", lead(store, shutdown.soft().clone(), duties));
    Ok(())
}

/// The daemon's own work: start, and serve health and metrics.
///
/// # Errors
/// When it cannot start.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let config: Config = process.config()?;
    let listener = http::listen(&config.server.bind)?;
    start(&config, &process.shutdown, &process.health).await?;
    process.serve_ops(listener);
    Ok(())
}
