//! The portal's own PostgreSQL.

use std::fmt;

use chassis::config::{ExposeSecret, Secret};
use diesel::{
    ConnectionError, QueryableByName,
    migration::{Migration, MigrationSource},
    pg::Pg,
    sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::{
    AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl,
    pooled_connection::deadpool::{Object, Pool},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use postgres_connection::PostgresUrl;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/onboarding");
/// Held while migrating, so that two processes that migrate at once wait for each other.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_lock(727002)";

pub(crate) type Connection = Object<AsyncPgConnection>;

/// The portal's database. Clones share one pool.
#[derive(Clone)]
pub struct Database {
    pool: Pool<AsyncPgConnection>,
    url: PostgresUrl,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// Why the database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The URL, or the TLS that it asks for, cannot be used.
    #[error("the URL of the portal's database cannot be used")]
    Configuration(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the portal's database cannot be reached")]
    Connection(#[from] ConnectionError),
    #[error("the portal's database gives no connection")]
    Pool(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the portal's database refused a statement")]
    Statement(#[from] diesel::result::Error),
    #[error("the portal's database could not be migrated")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The schema lacks migrations that this version needs.
    #[error("the portal's database lacks {0} migrations: run `onboarding-portal migrate`")]
    Outdated(usize),
}

impl Database {
    /// A pool of at most `connections`, the first of which is opened when it is asked for.
    pub fn new(url: &Secret, connections: usize) -> Result<Self, DatabaseError> {
        let url = PostgresUrl::parse(url.expose_secret(), "onboarding-portal")
            .map_err(|error| DatabaseError::Configuration(error.into()))?;
        let pool = url.pool(connections).map_err(|error| DatabaseError::Configuration(error.into()))?;
        Ok(Self { pool, url })
    }

    pub(crate) async fn connection(&self) -> Result<Connection, DatabaseError> {
        self.pool.get().await.map_err(|error| DatabaseError::Pool(error.into()))
    }

    /// Succeeds if the server answers and has the schema of this version.
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
    pub async fn migrate(&self) -> Result<Vec<String>, DatabaseError> {
        let run = |harness: &mut AsyncMigrationHarness<AsyncPgConnection>| {
            let ran = harness.run_pending_migrations(MIGRATIONS)?;
            Ok(ran.iter().map(ToString::to_string).collect())
        };
        self.with_harness(run).await
    }

    /// Reverts every migration, and deletes with them all data; returns the reverted migrations.
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
        let mut own = self.url.connect().await?;
        sql_query(MIGRATION_LOCK).execute(&mut own).await?;
        // The harness blocks. The lock ends with the connection.
        let done = tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(own))).await;
        done.map_err(|panic| DatabaseError::Migration(panic.into()))?.map_err(DatabaseError::Migration)
    }
}
