#![doc = include_str!("../README.md")]

mod config;
mod dispatcher;
mod rate_limiter;
mod recorder;
mod rejection_log;
mod route;
mod secrets;
mod verifier;

use std::{sync::Arc, time::Duration};

use actix_web::web;
use broker::{Broker, Publisher};
use chassis::{Process, health::Health, http, shutdown::Shutdown};
use domain::clock::{Clock, SystemClock};
use outbox::Outbox;
use secrecy::ExposeSecret;
use store::Store;

pub use config::{Config, DAEMON};
pub use route::WEBHOOK_PATH;
pub use verifier::VerifiedWebhook;

use crate::{
    dispatcher::Dispatcher,
    rate_limiter::{Room, Sources},
    recorder::{Recorder, Work},
    rejection_log::Refusals,
    verifier::Gate,
};

/// The service, ready to be served.
#[derive(Clone)]
pub struct WebhookIngest {
    gate: web::Data<Gate>,
}

/// What the handler does with a webhook that was verified. A running service does both; the benchmark leaves halves out,
/// to say what each costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halves {
    /// Insert the event durably before the answer.
    pub insert: bool,
    /// Publish it with a confirm.
    pub publish: bool,
}

impl Halves {
    /// What a running service does.
    pub const BOTH: Self = Self { insert: true, publish: true };
}

/// Connects, and starts recording. What it can do without the broker it does without the broker.
///
/// # Errors
/// When a secret cannot be used, or the database does not answer for a long time.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<WebhookIngest> {
    start_halves(config, Halves::BOTH, shutdown, health).await
}

/// As [`start`], with halves left out: for the benchmark.
///
/// # Errors
/// As [`start`].
pub async fn start_halves(
    config: &Config,
    halves: Halves,
    shutdown: &Shutdown,
    health: &Health,
) -> anyhow::Result<WebhookIngest> {
    let clock = Arc::new(SystemClock);
    let webhook = &config.webhook;
    let keyring = webhook.keyring(clock.now())?;
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name);
    health.register_ping("database", store.clone(), |store| async move { store.ping().await });
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker));
    let work = match halves {
        Halves { insert: true, publish: true } => {
            Work::Both(store.clone(), Dispatcher::start(outbox, shutdown))
        }
        Halves { insert: true, publish: false } => Work::Insert(store.clone()),
        Halves { insert: false, publish: true } => Work::Publish(outbox),
        Halves { insert: false, publish: false } => Work::Nothing,
    };
    let patience = Duration::from_millis(webhook.database_patience_ms);
    let sources = Sources::new(webhook.rate_per_second, webhook.rate_burst, webhook.proxies());
    let sources = Arc::new(sources);
    ["accepted", "duplicate"].into_iter().for_each(route::begin_to_count);
    let gate = Gate {
        keyring,
        hub: webhook.hub_signature,
        largest_body: webhook.largest_body_bytes,
        clock,
        room: Room::new(webhook.waiting_bytes),
        refusals: Refusals::start(store, webhook.bounds(), sources.clone(), shutdown),
        sources,
        recorder: Recorder::start(work, webhook.waiting_limit, patience, shutdown),
    };
    Ok(WebhookIngest { gate: web::Data::new(gate) })
}

impl WebhookIngest {
    /// Its routes, for a server of its own or a shared one.
    pub fn routes(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
        let gate = self.gate.clone();
        move |app: &mut web::ServiceConfig| {
            let resource = web::resource(WEBHOOK_PATH)
                .route(web::post().to(route::receive))
                .default_service(web::to(route::other_method));
            app.app_data(gate.clone()).service(resource);
        }
    }
}

/// The daemon's own work: start, and serve on a port of its own.
///
/// # Errors
/// When it cannot start.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let config: Config = process.config()?;
    let listener = http::listen(&config.server.bind)?;
    let service = start(&config, &process.shutdown, &process.health).await?;
    process.serve(listener, service.routes());
    Ok(())
}
