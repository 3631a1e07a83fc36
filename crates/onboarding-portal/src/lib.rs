#![doc = include_str!("../README.md")]

pub mod clock;
pub mod commands;
mod config;
pub mod database;
mod endpoint;
mod faults;
pub mod fleet;
mod merge_patch;
pub mod openapi;
mod outbox;
mod records;
mod routes;
pub mod seeding;
mod sender;
pub mod shapes;
mod target_policy;

use actix_web::{HttpResponse, web};
use anyhow::Context;
use backoff::ExponentialBackoffBuilder;
use chassis::{
    Process,
    config::{Environment, ExposeSecret},
    health::Health,
    http,
    shutdown::Shutdown,
};
use chrono::TimeDelta;
use contracts::webhook::signature;
use utoipa_actix_web::service_config::ServiceConfig;

pub use config::{Allowed, Config, DAEMON, Prepare};
pub use records::{Kind, State};
pub use sender::{InvalidTarget, Sender};

use crate::{
    clock::Clock,
    database::{Database, DatabaseError},
    faults::Faults,
    routes::{ApiKeys, AppState},
};

/// The service, ready to be served.
#[derive(Clone)]
pub struct Portal {
    state: web::Data<AppState>,
    keys: web::Data<ApiKeys>,
    document: web::Data<String>,
}

/// Connects to the database and starts to send webhooks. Waits for the database; fails if a config value cannot be
/// used, or if the schema is not up to date.
pub async fn start(
    config: &Config,
    environment: Environment,
    clock: Clock,
    shutdown: &Shutdown,
    health: &Health,
) -> anyhow::Result<Portal> {
    let database = Database::new(&config.database.url, config.database.pool_size)?;
    wait_for_database(&database).await?;
    if config.database.prepare != Prepare::Nothing {
        database.migrate().await?;
    }
    if config.database.prepare == Prepare::Demo {
        seeding::seed_if_empty(&database, &fleet::Fleet::demo(), &clock).await?;
    }
    database.ready().await?;
    health.register_ping("database", database.clone(), |database| async move { database.ready().await });

    let overlap = TimeDelta::hours(config.webhook.rotation_overlap_hours.into());
    if !config.webhook.secret.expose_secret().is_empty() {
        adopt_secret(&database, config, overlap, &clock).await?;
    }
    let sender = Sender::new(database.clone(), clock.clone(), &config.webhook, environment);
    let sender = sender.context("WEBHOOK_URL")?;
    shutdown.supervise_infallible("webhooks", sender.clone().run(shutdown.clone()));

    let faults = (environment == Environment::Development).then(Faults::default);
    if faults.is_some() {
        tracing::info!("development: PUT /api/faults adds a fault");
    }
    let state = AppState {
        database,
        clock,
        sender,
        faults,
        webhook_url: config.webhook.url.clone(),
        rotation_overlap: overlap,
        compress: config.server.compress,
    };
    Ok(Portal {
        state: web::Data::new(state),
        keys: web::Data::new(ApiKeys::new(&config.api.key, &config.api.admin_key)),
        document: web::Data::new(openapi::json()),
    })
}

/// Waits without limit, with growing intervals.
async fn wait_for_database(database: &Database) -> Result<(), DatabaseError> {
    let policy = ExponentialBackoffBuilder::new().with_max_elapsed_time(None).build();
    let check = || async {
        match database.ready().await {
            Ok(()) | Err(DatabaseError::Outdated(_)) => Ok(()),
            Err(error) => Err(backoff::Error::transient(error)),
        }
    };
    backoff::future::retry_notify(policy, check, |error: DatabaseError, _pause| {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the database cannot be reached; trying again"
        );
    })
    .await
}

async fn adopt_secret(
    database: &Database,
    config: &Config,
    overlap: TimeDelta,
    clock: &Clock,
) -> anyhow::Result<()> {
    let secret = &config.webhook.secret;
    if signature::Secret::parse(secret).context("WEBHOOK_SECRET")?.is_short() {
        let wise = signature::SHORTEST_WISE_SECRET;
        tracing::warn!("the webhook secret is shorter than {wise} bytes and can be guessed; rotate it");
    }
    let mut db = database.connection().await?;
    if endpoint::adopt_configured_secret(&mut db, secret, overlap, clock.now()).await? {
        tracing::info!("the webhook secret of the config is the current one");
    }
    Ok(())
}

impl Portal {
    pub fn routes(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
        let Self { state, keys, document } = self.clone();
        move |app: &mut web::ServiceConfig| {
            app.app_data(state.clone()).app_data(keys.clone()).app_data(document.clone());
            routes::configure(&mut ServiceConfig::new(app));
            app.route("/openapi.json", web::get().to(document_json));
        }
    }

    #[must_use]
    pub fn sender(&self) -> &Sender {
        &self.state.sender
    }

    #[must_use]
    pub fn database(&self) -> &Database {
        &self.state.database
    }
}

async fn document_json(document: web::Data<String>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(String::clone(&document))
}

/// Runs the daemon.
pub async fn run(process: Process) -> anyhow::Result<()> {
    let config: Config = process.config()?;
    let listener = http::listen(&config.server.bind)?;
    let (environment, clock) = (Environment::current(), Clock::system());
    let portal = start(&config, environment, clock, &process.shutdown, &process.health).await?;
    process.serve(listener, portal.routes());
    Ok(())
}
