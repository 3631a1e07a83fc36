#![doc = include_str!("../README.md")]

mod leader;
mod reaper;
mod schedule;
mod settings;

use std::{net::TcpListener, sync::Arc};

use anyhow::Context;
use broker::{Broker, Publisher};
use chassis::{Process, health::Health, http, shutdown::Shutdown};
use domain::clock::SystemClock;
use outbox::Outbox;
use store::Store;

pub use settings::{DAEMON, Settings};

/// Connects, and starts the clock: schedule, relay and reaper, each supervised.
///
/// # Errors
/// When the database does not answer for a long time.
pub async fn start(settings: &Settings, shutdown: &Shutdown, health: &Health) -> anyhow::Result<()> {
    let store = Store::connect(settings.database.url.clone(), settings.database.pool_size).await?;
    let broker = Broker::connect(settings.broker.url.clone(), DAEMON.name).await?;
    health.register("database", {
        let store = store.clone();
        move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|e| e.to_string()) }
        }
    });
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker));
    let clock = Arc::new(SystemClock);

    let relay = outbox.clone().relay(shutdown.soft().clone());
    shutdown.supervise("relay", async move {
        relay.await;
        Ok::<(), std::convert::Infallible>(())
    });
    let leading = leader::lead(
        store,
        shutdown.soft().clone(),
        schedule::Ticker::new(outbox.clone(), clock.clone(), &settings.schedule),
        reaper::Reaper::new(clock, &settings.reaper),
    );
    shutdown.supervise("leader", async move {
        leading.await;
        Ok::<(), std::convert::Infallible>(())
    });
    Ok(())
}

/// The daemon's own work: start, and serve health and metrics.
///
/// # Errors
/// When it cannot start.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let settings: Settings = process.settings()?;
    let listener = TcpListener::bind(&settings.server.bind)
        .with_context(|| format!("cannot listen on {}", settings.server.bind))?;
    start(&settings, &process.shutdown, &process.health).await?;
    let options = http::Options { version: process.version(), workers: 1, ..http::Options::default() };
    let serving = http::serve_with(options, listener, process.shutdown.clone(), process.health, |_no_routes| {});
    process.shutdown.supervise("http", serving);
    Ok(())
}
