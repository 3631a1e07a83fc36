#![doc = include_str!("../README.md")]

mod config;
mod dashboard;
mod desk;
mod failure;
mod hub;
mod labels;
pub mod openapi;
mod routes;
mod schedule;
mod views;

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use anyhow::Context;
use broker::{Broker, Publisher, Updates};
use chassis::{Process, auth::OperatorKeys, health::Health, http, shutdown::Shutdown};
#[expect(clippy::disallowed_types, reason = "the service is wired here")]
use domain::clock::SystemClock;
use domain::{clock::Clock, temporary_password::PasswordSeal};
use outbox::Outbox;
use portal_client::{CircuitOptions, PortalClient, PortalOptions};
use secrecy::ExposeSecret;
use store::Store;
use utoipa_actix_web::service_config::ServiceConfig;

pub use config::{Config, DAEMON};

use crate::{desk::Desk, hub::Hub, routes::updates::Following};

/// The service, ready to be served.
#[derive(Clone)]
pub struct Service {
    desk: web::Data<Desk>,
    following: web::Data<Following>,
    keys: web::Data<OperatorKeys>,
    document: web::Data<String>,
}

/// Connects, and starts to read the updates.
///
/// # Errors
/// When a setting cannot be used.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<Service> {
    let keys = OperatorKeys::from_secret(&config.operators.jwt_secret).context("OPERATOR_JWT_SECRET")?;
    let seal = PasswordSeal::parse(config.passwords.seal_key.expose_secret()).context("PASSWORD_SEAL_KEY")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let portal_options = PortalOptions {
        url: config.onboarding.url.clone(),
        api_key: config.onboarding.api_key.clone(),
        timeout: config.onboarding.timeout(),
        concurrency: config.onboarding.concurrency,
        circuit: CircuitOptions {
            failures: config.onboarding.circuit_failures,
            open_for: config.onboarding.circuit_open(),
        },
    };
    let portal = PortalClient::new(&portal_options, clock.clone())?;
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name, clock.clone());
    health.register_ping("database", store.clone(), |store| async move { store.ping().await });
    let updates = Updates::new(&broker);
    let hub = Hub::new(updates.clone(), config.updates.backlog);
    shutdown.supervise_infallible("updates", hub.clone().run(shutdown.soft().clone()));
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker), clock.clone());
    let desk = Desk { store, broker, outbox, portal, updates, seal, clock };
    let following = Following { hub, most: config.updates.clients, stop: shutdown.soft().clone() };
    Ok(Service {
        desk: web::Data::new(desk),
        following: web::Data::new(following),
        keys: web::Data::new(keys),
        document: web::Data::new(openapi::json()),
    })
}

impl Service {
    /// Its routes, the dashboard last: what is to stand beside them on one port comes before.
    pub fn routes(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
        let Self { desk, following, keys, document } = self.clone();
        move |app: &mut web::ServiceConfig| {
            app.app_data(desk.clone())
                .app_data(following.clone())
                .app_data(keys.clone())
                .app_data(document.clone());
            routes::configure(&mut ServiceConfig::new(app));
            app.route("/openapi.json", web::get().to(document_json));
            dashboard::configure(app);
        }
    }
}

async fn document_json(document: web::Data<String>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.as_str().to_owned())
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
