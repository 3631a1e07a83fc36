#![doc = include_str!("../README.md")]

mod archiver;
mod attempts;
mod batch;
mod circuit;
mod commands;
mod config;
mod context;
mod dry_run;
mod events;
mod failure;
mod fault;
mod page_turns;
mod passwords;
mod progress;
mod raw_page;
mod tasks;
mod transform;
mod write;

use std::{convert::Infallible, net::TcpListener, sync::Arc, time::Duration};

use anyhow::Context as _;
use broker::{Broker, Publisher, Queue, Updates, archive_dead_letters, consume, consume_batches};
use chassis::{Process, health::Health, http, shutdown::Shutdown};
use domain::{clock::SystemClock, temporary_password::PasswordSeal};
use outbox::Outbox;
use portal_client::{CircuitOptions, PortalClient, PortalOptions};
use secrecy::ExposeSecret;
use store::Store;

pub use config::{Config, DAEMON};

use crate::{context::Context, page_turns::PageTurns, passwords::PasswordMaker};

/// Connects, and starts taking work: commands, tasks, events and dead letters, each from a queue and with capacity of
/// its own, so that events do not wait behind pages.
///
/// # Errors
/// When a setting cannot be used.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<()> {
    let seal = PasswordSeal::parse(config.passwords.seal_key.expose_secret()).context("PASSWORD_SEAL_KEY")?;
    let portal = PortalClient::new(&PortalOptions {
        url: config.onboarding.url.clone(),
        api_key: config.onboarding.api_key.clone(),
        timeout: config.onboarding.timeout(),
        concurrency: config.onboarding.concurrency,
        circuit: CircuitOptions {
            failures: config.onboarding.circuit_failures,
            open_for: config.onboarding.circuit_open(),
        },
    })?;
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name);
    health.register("database", {
        let store = store.clone();
        move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|e| e.to_string()) }
        }
    });
    health.register("broker", {
        let broker = broker.clone();
        move || {
            let broker = broker.clone();
            async move { broker.ping().await.map_err(|e| e.to_string()) }
        }
    });

    let clock = Arc::new(SystemClock);
    let every = Duration::from_millis(config.work.progress_every_ms);
    let (progress, telling) = progress::progress(store.clone(), Updates::new(&broker), clock.clone(), every);
    shutdown.supervise("progress", without_error(telling));
    let reporting = circuit::report(store.clone(), portal.circuit(), clock.clone(), shutdown.soft().clone());
    shutdown.supervise("circuit", without_error(reporting));
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker));
    let context = Context {
        store,
        outbox,
        portal,
        clock,
        progress,
        password_maker: PasswordMaker::new(seal),
        page_turns: PageTurns::of(config.work.tasks, Duration::from_millis(config.work.pages_alone_ms)),
    };
    let stop = shutdown.soft().clone();

    shutdown.supervise("commands", {
        let (broker, context, stop, at_once) =
            (broker.clone(), context.clone(), stop.clone(), config.work.commands);
        let handler = move |delivery| {
            let context = context.clone();
            async move { commands::handle(&context, delivery).await }
        };
        without_error(async move { consume(&broker, Queue::Commands, at_once, &stop, handler).await })
    });
    shutdown.supervise("tasks", {
        let (broker, context, stop, at_once) =
            (broker.clone(), context.clone(), stop.clone(), config.work.tasks);
        let handler = move |delivery| {
            let context = context.clone();
            async move { tasks::handle(&context, delivery).await }
        };
        without_error(async move { consume(&broker, Queue::Tasks, at_once, &stop, handler).await })
    });
    shutdown.supervise("events", {
        let (broker, context, stop, largest) =
            (broker.clone(), context.clone(), stop.clone(), config.work.events_per_batch);
        let handler = move |deliveries| {
            let context = context.clone();
            async move { events::handle(&context, deliveries).await }
        };
        without_error(async move { consume_batches(&broker, Queue::Events, largest, &stop, handler).await })
    });
    shutdown.supervise("archiver", {
        let archive = move |dead| {
            let context = context.clone();
            async move { archiver::handle(&context, dead).await }
        };
        without_error(async move { archive_dead_letters(&broker, &stop, archive).await })
    });
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
