//! The portal's own PostgreSQL.

use diesel_async::{
    AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl,
    pooled_connection::{AsyncDieselConnectionManager, deadpool::Object, deadpool::Pool},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/onboarding");
/// Held while migrating, so that two who come together wait for each other.
const LOCK: &str = "SELECT pg_advisory_lock(727002)";

/// A connection.
pub(crate) type Connection = Object<AsyncPgConnection>;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: Pool<AsyncPgConnection>,
    url: String,
}

/// The database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It cannot be reached.
    #[error("the portal's database cannot be reached")]
    Connection(#[from] diesel::ConnectionError),
    /// No connection came free.
    #[error("the portal's database gives no connection")]
    Pool(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A statement failed.
    #[error("the portal's database refused a statement")]
    Statement(#[from] diesel::result::Error),
    /// The schema could not be brought up to date.
    #[error("the portal's database could not be migrated")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Database {
    /// A pool; connects when it is first asked to.
    ///
    /// # Errors
    /// If the pool cannot be made.
    pub fn new(url: &str, connections: usize) -> Result<Self, DatabaseError> {
        let pool = Pool::builder(AsyncDieselConnectionManager::new(url))
            .max_size(connections)
            .build()
            .map_err(|e| DatabaseError::Pool(e.into()))?;
        Ok(Self { pool, url: url.to_owned() })
    }

    pub(crate) async fn connection(&self) -> Result<Connection, DatabaseError> {
        self.pool.get().await.map_err(|e| DatabaseError::Pool(e.into()))
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        diesel::sql_query("SELECT 1").execute(&mut self.connection().await?).await?;
        Ok(())
    }

    /// Brings the schema up to date; returns how many migrations ran.
    ///
    /// # Errors
    /// If one of them fails.
    pub async fn migrate(&self) -> Result<usize, DatabaseError> {
        self.with_harness(|harness| Ok(harness.run_pending_migrations(MIGRATIONS)?.len())).await
    }

    /// Takes every migration back, and with them all data.
    ///
    /// # Errors
    /// If one of them fails.
    pub async fn revert(&self) -> Result<usize, DatabaseError> {
        self.with_harness(|harness| Ok(harness.revert_all_migrations(MIGRATIONS)?.len())).await
    }

    async fn with_harness<R: Send + 'static>(
        &self,
        work: impl FnOnce(
            &mut AsyncMigrationHarness<AsyncPgConnection>,
        ) -> Result<R, Box<dyn std::error::Error + Send + Sync>>
        + Send
        + 'static,
    ) -> Result<R, DatabaseError> {
        let mut own = AsyncPgConnection::establish(&self.url).await?;
        diesel::sql_query(LOCK).execute(&mut own).await?;
        // The harness blocks. The lock goes with the connection, at the end.
        let done = tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(own))).await;
        done.map_err(|e| DatabaseError::Migration(e.into()))?.map_err(DatabaseError::Migration)
    }
}
