#![doc = include_str!("../README.md")]

mod analytics;
mod config;
mod gauges;
mod leader;
mod password_expiry;
mod periodic_task;
mod reaper;
mod retention;
mod schedule;
mod withdrawals;

use std::sync::Arc;

use broker::{Broker, Publisher};
use chassis::{Process, health::Health, http::Listener, shutdown::Shutdown};
use domain::clock::Clock;
#[expect(clippy::disallowed_types, reason = "the service is wired here")]
use domain::clock::SystemClock;
use outbox::Outbox;
use secrecy::ExposeSecret;
use store::Store;

pub use config::{Config, DAEMON};

use crate::{
    analytics::AnalyticsTask, gauges::GaugesTask, leader::lead, password_expiry::PasswordExpiryTask,
    periodic_task::PeriodicTask, reaper::ReaperTask, retention::RetentionTask, schedule::ScheduleTask,
    withdrawals::WithdrawalTask,
};

/// Connects, and starts the outbox relay and the leader's periodic tasks.
///
/// # Errors
/// When the database does not answer for a long time.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<()> {
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name, clock.clone());
    health.register_ping("database", store.clone(), |store| async move { store.ping().await });
    chassis::metrics::on_read({
        let store = store.clone();
        move || store.observe_pool()
    });
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker), clock.clone());

    shutdown.supervise_infallible("relay", outbox.clone().relay(shutdown.soft().clone()));
    let tasks: Vec<Box<dyn PeriodicTask>> = vec![
        Box::new(ScheduleTask::new(outbox.clone(), clock.clone(), &config.schedule)),
        Box::new(GaugesTask::new(outbox.clone(), clock.clone())),
        Box::new(ReaperTask::new(outbox, clock.clone(), &config.reaper)),
        Box::new(WithdrawalTask::new(clock.clone(), &config.withdrawals)),
        Box::new(PasswordExpiryTask::new(clock.clone())),
        Box::new(AnalyticsTask::new(clock.clone())),
        Box::new(RetentionTask::new(clock, &config.retention)),
    ];
    shutdown.supervise_infallible("leader", lead(store, shutdown.soft().clone(), tasks));
    Ok(())
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
