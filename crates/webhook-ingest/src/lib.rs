#![doc = include_str!("../README.md")]

mod recorder;
mod route;
mod settings;
mod verified;

use std::sync::Arc;

use actix_web::web;
use anyhow::Context;
use broker::{Broker, Publisher};
use chassis::{Process, health::Health, http, shutdown::Shutdown};
use domain::clock::SystemClock;
use outbox::Outbox;
use secrecy::ExposeSecret;
use store::Store;

pub use route::WEBHOOK_PATH;
pub use settings::{DAEMON, Settings};
pub use verified::VerifiedWebhook;

use crate::{recorder::Recorder, verified::Gate};

/// The service, ready to be served.
#[derive(Clone)]
pub struct WebhookIngest {
    gate: Arc<Gate>,
    recorder: Recorder,
}

/// Connects, and starts recording. What it can do without the broker it does without the broker.
///
/// # Errors
/// When a secret cannot be used, or the database does not answer for a long time.
pub async fn start(
    settings: &Settings,
    shutdown: &Shutdown,
    health: &Health,
) -> anyhow::Result<WebhookIngest> {
    let keyring = settings.webhook.keyring().context("the webhook secret cannot be used")?;
    let store = Store::connect(settings.database.url.expose_secret(), settings.database.pool_size).await?;
    let broker = Broker::connect(settings.broker.url.clone(), DAEMON.name);
    health.register("database", {
        let store = store.clone();
        move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|e| e.to_string()) }
        }
    });
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker));
    let recorder = Recorder::start(store, outbox, settings.webhook.waiting_limit, shutdown);
    let gate = Gate::new(keyring, settings.webhook.largest_body_bytes, Arc::new(SystemClock));
    Ok(WebhookIngest { gate: Arc::new(gate), recorder })
}

impl WebhookIngest {
    /// Its routes, for a server of its own or a shared one.
    pub fn routes(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
        let (gate, recorder) = (web::Data::from(self.gate.clone()), web::Data::new(self.recorder.clone()));
        move |config: &mut web::ServiceConfig| {
            config
                .app_data(gate.clone())
                .app_data(recorder.clone())
                .service(web::resource(WEBHOOK_PATH).route(web::post().to(route::receive)));
        }
    }
}

/// The daemon's own work: start, and serve on a port of its own.
///
/// # Errors
/// When it cannot start.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let settings: Settings = process.settings()?;
    let listener = http::listen(&settings.server.bind)?;
    let service = start(&settings, &process.shutdown, &process.health).await?;
    let options = http::Options { version: process.version(), ..http::Options::default() };
    let serving =
        http::serve_with(options, listener, process.shutdown.clone(), process.health, service.routes());
    process.shutdown.supervise("http", serving);
    Ok(())
}
