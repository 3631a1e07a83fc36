#![doc = include_str!("../README.md")]

mod app_state;
mod config;
mod connection_tester;
mod credentials;
mod dashboard;
mod doctor;
mod event_hub;
mod event_slots;
mod fleet_part;
mod idempotency;
mod issuer_keys;
mod labels;
pub mod openapi;
mod problems;
mod reading_sample;
mod refusals;
mod routes;
mod saturating;
mod schedule;
mod views;

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use anyhow::Context;
use broker::{Broker, Publisher, Updates};
use chassis::{
    Process,
    auth::{Issuer, OperatorKeys, RefusalLog, RequestLimits},
    config::named_secrets,
    health::Health,
    http::{Listener, Operations},
    shutdown::Shutdown,
};
#[expect(clippy::disallowed_types, reason = "the service is wired here")]
use domain::clock::SystemClock;
use domain::{clock::Clock, temporary_password::PasswordSeal};
use outbox::Outbox;
use portal_client::{PortalClient, PortalOptions};
use secrecy::ExposeSecret;
use store::Store;
use utoipa_actix_web::service_config::ServiceConfig;

pub use config::{Config, DAEMON};

use crate::{
    app_state::AppState, connection_tester::ConnectionTester, event_hub::EventHub, event_slots::EventSlots,
    reading_sample::ReadingSample, routes::updates::EventStreams,
};

/// The service, connected and ready to serve its routes.
#[derive(Clone)]
pub struct Service {
    state: web::Data<AppState>,
    streams: web::Data<EventStreams>,
    keys: web::Data<OperatorKeys>,
    limits: Option<web::Data<RequestLimits>>,
    refusals: web::Data<RefusalLog>,
    document: web::Data<String>,
    operations: web::Data<Operations>,
}

/// Connects to database and broker, and starts to read the updates stream.
///
/// # Errors
/// When a config value cannot be used.
pub async fn start(config: &Config, shutdown: &Shutdown, health: &Health) -> anyhow::Result<Service> {
    let keys = OperatorKeys::from_secret(&config.operators.jwt_secret).context("OPERATOR_JWT_SECRET")?;
    let more_secrets = named_secrets(&config.operators.jwt_secrets).context("OPERATOR_JWT_SECRETS")?;
    let keys = keys.with_more_secrets(&more_secrets).context("OPERATOR_JWT_SECRETS")?;
    let keys = keys.with_max_lifetime(config.operators.token_max_lifetime());
    let keys = match config.operators.issuer() {
        None => keys,
        Some((options, source)) => {
            let issuer = Issuer::new(options);
            let reading =
                issuer_keys::refresh_until_stopped(issuer.clone(), source?, shutdown.soft().clone());
            shutdown.supervise_infallible("issuer's keys", reading);
            keys.with_issuer(issuer)
        }
    };
    let seal = PasswordSeal::parse(config.passwords.seal_key.expose_secret()).context("PASSWORD_SEAL_KEY")?;
    let seal = named_secrets(&config.passwords.seal_keys)?
        .iter()
        .try_fold(seal, |seal, key| seal.and_open_with(key.secret.expose_secret(), key.expires_at))
        .context("PASSWORD_SEAL_KEYS")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let portal = PortalClient::new(&PortalOptions::from(&config.onboarding), clock.clone())?;
    let database = &config.database;
    let store = Store::connect_for_lists(database.url.expose_secret(), database.pool_size).await?;
    let broker = Broker::connect(config.broker.url.clone(), DAEMON.name, clock.clone());
    health.register_ping("database", store.clone(), |store| async move { store.ping().await });
    chassis::metrics::on_read({
        let store = store.clone();
        move || store.observe_pool()
    });
    let updates = Updates::new(&broker);
    let hub = EventHub::new(updates.clone(), config.updates.backlog, config.updates.resume_limit);
    let broadcasting = hub.clone().broadcast_until_stopped(shutdown.soft().clone());
    shutdown.supervise_infallible("updates", broadcasting);
    let outbox = Outbox::new(store.clone(), Publisher::new(&broker), clock.clone());
    let refreshing = credentials::refresh_until_stopped(store.clone(), keys.clone(), shutdown.soft().clone());
    shutdown.supervise_infallible("credentials", refreshing);
    let (refusals, refused) = RefusalLog::new();
    let recording =
        refusals::record_until_stopped(store.clone(), clock.clone(), refused, shutdown.soft().clone());
    shutdown.supervise_infallible("refused attempts", recording);
    let limits = RequestLimits::new(config.operators.rate_per_second, config.operators.rate_burst);
    let slots = EventSlots::new(config.updates.clients, config.updates.clients_per_operator);
    let (connection_tester, readings) = (ConnectionTester::default(), ReadingSample::default());
    let state = AppState {
        store,
        broker,
        outbox,
        portal,
        connection_tester,
        updates,
        seal,
        readings,
        audit_verification: tokio::sync::Mutex::new(()),
        clock,
    };
    let revocations = keys.revocations().clone();
    let streams = EventStreams { hub, slots, revocations, stop: shutdown.soft().clone() };
    Ok(Service {
        state: web::Data::new(state),
        streams: web::Data::new(streams),
        keys: web::Data::new(keys),
        limits: limits.map(web::Data::new),
        refusals: web::Data::new(refusals),
        document: web::Data::new(openapi::json()),
        operations: web::Data::new(Operations::new(&openapi::document())),
    })
}

impl Service {
    /// The routes of API and dashboard. The dashboard answers every other path, so routes of other services on the same
    /// port must be registered before.
    pub fn routes(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
        let Self { state, streams, keys, limits, refusals, document, operations } = self.clone();
        move |app: &mut web::ServiceConfig| {
            app.app_data(state.clone())
                .app_data(streams.clone())
                .app_data(keys.clone())
                .app_data(refusals.clone())
                .app_data(document.clone())
                .app_data(operations.clone());
            if let Some(limits) = &limits {
                app.app_data(limits.clone());
            }
            routes::configure(&mut ServiceConfig::new(app));
            app.route("/openapi.json", web::get().to(get_openapi_json));
            dashboard::configure(app);
        }
    }
}

async fn get_openapi_json(document: web::Data<String>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.as_str().to_owned())
}

/// Runs the daemon: starts the service, and serves it on a port of its own.
///
/// # Errors
/// When it cannot start.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let config: Config = process.config()?;
    let listener = Listener::bind(&config.server)?;
    let service = start(&config, &process.shutdown, &process.health).await?;
    process.serve(listener, service.routes());
    Ok(())
}
