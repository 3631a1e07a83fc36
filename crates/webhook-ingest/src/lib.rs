#![doc = include_str!("../README.md")]

mod app_state;
mod body_budget;
mod client_address;
mod config;
mod dispatcher;
mod extractor;
mod ledger_writer;
mod publication_marker;
mod rate_limiter;
mod recorder;
mod rejection;
mod rejection_log;
mod route;
mod secrets;
mod service;
mod verifier;

use std::{sync::Arc, time::Duration};

use broker::{Broker, Publisher};
use chassis::{Process, health::Health, http::Listener, shutdown::Shutdown};
use domain::clock::Clock;
#[expect(clippy::disallowed_types, reason = "the service is wired here")]
use domain::clock::SystemClock;
use outbox::Outbox;
use secrecy::ExposeSecret;
use store::Store;

pub use config::{Config, DAEMON};
pub use contracts::webhook::WEBHOOK_PATH;
pub use ledger_writer::LedgerWriter;
pub use recorder::{EventSink, RecordError};
pub use service::WebhookIngest;
pub use verifier::VerifiedWebhook;

use crate::{dispatcher::Dispatcher, service::LedgerSink};

/// Connects, and starts recording. Without a broker the service records webhooks all the same.
///
/// # Errors
///
/// If a secret cannot be used, or the database does not answer for a long time.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<WebhookIngest> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name, clock.clone());
    health.register_ping("database", store.clone(), |store| async move { store.ping().await });
    chassis::metrics::on_read({
        let store = store.clone();
        move || store.observe_pool()
    });
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker), clock.clone());
    let timeout = Duration::from_millis(config.webhook.database_patience_ms);
    let sink = LedgerSink {
        ledger: LedgerWriter::new(store.clone(), timeout, clock.clone()),
        dispatcher: Dispatcher::start(outbox, shutdown),
    };
    WebhookIngest::new(config, store, sink, clock, shutdown)
}

/// Runs the daemon: [`start`], and an HTTP server on a port of its own.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let config: Config = process.config()?;
    let listener = Listener::bind(&config.server)?;
    let service = start(&config, &process.shutdown, &process.health).await?;
    process.serve(listener, service.routes());
    Ok(())
}
