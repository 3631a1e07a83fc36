#![doc = include_str!("../README.md")]

mod archiver;
mod attempts;
mod batch;
mod capabilities;
mod circuit;
mod commands;
mod config;
mod context;
mod dry_run;
mod events;
mod failure;
mod fault;
mod fetched_page;
mod page_slots;
mod page_turns;
mod password_supply;
mod passwords;
mod peer_outcome;
mod portal_limiter;
mod progress;
mod tasks;
mod transform;
mod write;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use anyhow::Context as _;
use broker::{Broker, Prefetch, Publisher, Queue, Updates, archive_dead_letters, consume, consume_batches};
use chassis::{Process, health::Health, http::Listener, shutdown::Shutdown};
#[expect(clippy::disallowed_types, reason = "the service is wired here")]
use domain::clock::SystemClock;
use domain::{clock::Clock, temporary_password::PasswordSeal};
use outbox::Outbox;
use portal_client::{PortalClient, PortalOptions};
use secrecy::ExposeSecret;
use store::Store;
use tokio::sync::Semaphore;

pub use config::{Config, DAEMON};

use crate::{
    capabilities::KnownCapabilities,
    config::Work,
    context::{Context, EVENT_GROUPS, EVENT_WRITES},
    page_slots::PageSlots,
    page_turns::PageTurns,
    passwords::PasswordMaker,
    portal_limiter::PortalLimiter,
};

/// Connects, and starts taking work: commands, tasks, events and dead letters, each from a queue and with capacity of
/// its own, so that events do not wait behind pages.
///
/// # Errors
/// When a config value cannot be used.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<()> {
    let seal = PasswordSeal::parse(config.passwords.seal_key.expose_secret()).context("PASSWORD_SEAL_KEY")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let portal = PortalClient::new(&PortalOptions::from(&config.onboarding), clock.clone())?;
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name, clock.clone());
    health.register_ping("database", store.clone(), |store| async move { store.ping().await });
    chassis::metrics::on_read({
        let store = store.clone();
        move || store.observe_pool()
    });
    health.register_ping("broker", broker.clone(), |broker| async move { broker.ping().await });

    let every = Duration::from_millis(config.work.progress_every_ms);
    let (progress, publisher) =
        progress::progress(store.clone(), Updates::new(&broker), clock.clone(), every);
    shutdown.supervise_infallible("progress", publisher);
    let reporting = circuit::report(store.clone(), portal.circuit(), clock.clone(), shutdown.soft().clone());
    shutdown.supervise_infallible("circuit", reporting);
    let reporting =
        peer_outcome::report(store.clone(), portal.last_outcome(), progress.clone(), shutdown.soft().clone());
    shutdown.supervise_infallible("peer-outcome", reporting);
    let portal_limiter = PortalLimiter::new(
        store.clone(),
        portal.clone(),
        config.work.portal_requests,
        NonZeroU32::new(config.work.portal_requests_per_second),
        Duration::from_secs(config.onboarding.timeout_seconds),
        Duration::from_millis(config.onboarding.circuit_open_ms),
    );
    let context = Context {
        outbox: Outbox::new(store.clone(), Publisher::new(&broker), clock.clone()),
        store,
        portal,
        portal_limiter,
        capabilities: KnownCapabilities::default(),
        clock,
        progress,
        password_maker: PasswordMaker::new(seal),
        slices: config.work.slices,
        page_turns: PageTurns::of(
            config.work.writes_at_once(),
            Duration::from_millis(config.work.pages_alone_ms),
        ),
        page_slots: Arc::new(PageSlots::new(config.work.writes_at_once(), config.work.tasks)),
        event_groups: Arc::new(Semaphore::new(EVENT_GROUPS)),
        event_writes: Arc::new(Semaphore::new(EVENT_WRITES)),
    };
    let interval = Duration::from_millis(config.work.passwords_every_ms);
    let supply = password_supply::supply_passwords(context.clone(), interval, shutdown.soft().clone());
    shutdown.supervise_infallible("passwords", supply);
    start_consumers(&config.work, &broker, &context, shutdown);
    start_archiver(broker, context, shutdown);
    Ok(())
}

fn start_consumers(work: &Work, broker: &Broker, context: &Context, shutdown: &Shutdown) {
    let stop = shutdown.soft();
    shutdown.supervise_infallible("commands", {
        let (broker, context, stop, concurrency) =
            (broker.clone(), context.clone(), stop.clone(), work.commands);
        let handler = move |delivery| {
            let context = context.clone();
            async move { commands::handle(&context, delivery).await }
        };
        async move { consume(&broker, Queue::Commands, Prefetch::fixed(concurrency), &stop, handler).await }
    });
    shutdown.supervise_infallible("tasks", {
        let prefetch = Prefetch::following(context.page_slots.subscribe());
        let (broker, context, stop) = (broker.clone(), context.clone(), stop.clone());
        let handler = move |delivery| {
            let context = context.clone();
            async move { tasks::handle(&context, delivery).await }
        };
        async move { consume(&broker, Queue::Tasks, prefetch, &stop, handler).await }
    });
    shutdown.supervise_infallible("events", {
        let (broker, context, stop, batch_limit) =
            (broker.clone(), context.clone(), stop.clone(), work.events_per_batch);
        let handler = move |deliveries| {
            let context = context.clone();
            async move { events::handle(&context, deliveries).await }
        };
        async move { consume_batches(&broker, Queue::Events, batch_limit, &stop, handler).await }
    });
}

fn start_archiver(broker: Broker, context: Context, shutdown: &Shutdown) {
    let stop = shutdown.soft().clone();
    let archive = move |dead| {
        let context = context.clone();
        async move { archiver::handle(&context, dead).await }
    };
    shutdown.supervise_infallible("archiver", async move {
        archive_dead_letters(&broker, &stop, archive).await;
    });
}

/// The daemon's own work: start, and serve health and metrics.
///
/// # Errors
/// When it cannot start.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let config: Config = process.config()?;
    let listener = Listener::bind(&config.server)?;
    start(&config, &process.shutdown, &process.health).await?;
    process.serve_ops(listener);
    Ok(())
}
