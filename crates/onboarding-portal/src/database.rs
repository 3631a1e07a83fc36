//! The portal's own PostgreSQL.

use std::{fmt, sync::Arc, time::Duration};

use chassis::config::{ExposeSecret, Secret};
use diesel::{
    ConnectionError, ConnectionResult, QueryableByName,
    migration::{Migration, MigrationSource},
    pg::Pg,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::{
    AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool},
    },
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use futures_util::FutureExt;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::{NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/onboarding");
/// Held while migrating, so that two who come together wait for each other.
const LOCK: &str = "SELECT pg_advisory_lock(727002)";

/// How long a caller waits for a free connection.
const WAIT: Duration = Duration::from_secs(10);
/// How long a new connection may take.
const CREATE: Duration = Duration::from_secs(5);
/// How long an idle connection may take to say that it lives.
const RECYCLE: Duration = Duration::from_secs(5);

/// A connection.
pub(crate) type Connection = Object<AsyncPgConnection>;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: Pool<AsyncPgConnection>,
    url: Arc<Secret>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// The database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL, or the TLS that it asks for, cannot be used.
    #[error("the URL of the portal's database cannot be used")]
    Configuration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It cannot be reached.
    #[error("the portal's database cannot be reached")]
    Connection(#[from] ConnectionError),
    /// No connection came free.
    #[error("the portal's database gives no connection")]
    Pool(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A statement failed.
    #[error("the portal's database refused a statement")]
    Statement(#[from] diesel::result::Error),
    /// The schema could not be brought up to date.
    #[error("the portal's database could not be migrated")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The schema is not the one that this version works with.
    #[error("the portal's database lacks {0} migrations: run `onboarding-portal migrate`")]
    Outdated(usize),
}

impl Database {
    /// A pool; connects when it is first asked to.
    ///
    /// # Errors
    /// If the URL cannot be used.
    pub fn new(url: &Secret, connections: usize) -> Result<Self, DatabaseError> {
        parse(url.expose_secret())?;
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(|url| {
            let url = url.to_owned();
            async move { establish(&url).await }.boxed()
        });
        // One round trip per checkout, so that a restarted server does not fail the next request.
        config.recycling_method = RecyclingMethod::Verified;
        let pool = Pool::builder(AsyncDieselConnectionManager::new_with_config(url.expose_secret(), config))
            .max_size(connections)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CREATE))
            .recycle_timeout(Some(RECYCLE))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| DatabaseError::Configuration(error.into()))?;
        Ok(Self { pool, url: Arc::new(url.clone()) })
    }

    pub(crate) async fn connection(&self) -> Result<Connection, DatabaseError> {
        self.pool.get().await.map_err(|error| DatabaseError::Pool(error.into()))
    }

    /// Whether it answers, and has the schema of this version.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ready(&self) -> Result<(), DatabaseError> {
        #[derive(QueryableByName)]
        struct There {
            #[diesel(sql_type = Bool)]
            there: bool,
        }
        #[derive(QueryableByName)]
        struct Ran {
            #[diesel(sql_type = Text)]
            version: String,
        }
        let mut db = self.connection().await?;
        let There { there } =
            sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS there")
                .get_result(&mut db)
                .await?;
        let mut ran: Vec<Ran> = Vec::new();
        if there {
            ran = sql_query("SELECT version::text FROM __diesel_schema_migrations").load(&mut db).await?;
        }
        let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(DatabaseError::Migration)?;
        let version = |it: Box<dyn Migration<Pg>>| it.name().version().to_string();
        let names = known.into_iter().map(version);
        let missing = names.filter(|name| ran.iter().all(|ran| ran.version != *name));
        match missing.count() {
            0 => Ok(()),
            missing => Err(DatabaseError::Outdated(missing)),
        }
    }

    /// Brings the schema up to date; returns the migrations that ran.
    ///
    /// # Errors
    /// If one of them fails.
    pub async fn migrate(&self) -> Result<Vec<String>, DatabaseError> {
        let run = |harness: &mut AsyncMigrationHarness<AsyncPgConnection>| {
            let ran = harness.run_pending_migrations(MIGRATIONS)?;
            Ok(ran.iter().map(ToString::to_string).collect())
        };
        self.with_harness(run).await
    }

    /// Takes every migration back, and with them all data; returns the migrations that were reverted.
    ///
    /// # Errors
    /// If one of them fails.
    pub async fn revert(&self) -> Result<Vec<String>, DatabaseError> {
        let revert = |harness: &mut AsyncMigrationHarness<AsyncPgConnection>| {
            let reverted = harness.revert_all_migrations(MIGRATIONS)?;
            Ok(reverted.iter().map(ToString::to_string).collect())
        };
        self.with_harness(revert).await
    }

    async fn with_harness<R: Send + 'static>(
        &self,
        work: impl FnOnce(
            &mut AsyncMigrationHarness<AsyncPgConnection>,
        ) -> Result<R, Box<dyn std::error::Error + Send + Sync>>
        + Send
        + 'static,
    ) -> Result<R, DatabaseError> {
        let mut own = establish(self.url.expose_secret()).await?;
        sql_query(LOCK).execute(&mut own).await?;
        // The harness blocks. The lock goes with the connection, at the end.
        let done = tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(own))).await;
        done.map_err(|panic| DatabaseError::Migration(panic.into()))?.map_err(DatabaseError::Migration)
    }
}

fn parse(url: &str) -> Result<(tokio_postgres::Config, bool), DatabaseError> {
    // tokio-postgres knows no verify-ca and verify-full; with the platform's roots, `require` verifies in full anyway.
    let url =
        url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let mut config: tokio_postgres::Config =
        url.parse().map_err(|error: tokio_postgres::Error| DatabaseError::Configuration(error.into()))?;
    config.connect_timeout(CREATE).keepalives_idle(Duration::from_secs(30));
    if config.get_application_name().is_none() {
        config.application_name("onboarding-portal");
    }
    let tls = config.get_ssl_mode() == SslMode::Require;
    Ok((config, tls))
}

async fn establish(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let unusable = |error: &(dyn std::error::Error + 'static)| ConnectionError::BadConnection(chain(error));
    let (config, tls) = parse(url).map_err(|error| unusable(&error))?;
    if tls {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| unusable(&error))?
            .with_no_client_auth();
        let (client, connection) =
            config.connect(MakeRustlsConnect::new(client)).await.map_err(|error| unusable(&error))?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    } else {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| unusable(&error))?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    }
}

/// diesel keeps only a text of this error, so it must hold the causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
