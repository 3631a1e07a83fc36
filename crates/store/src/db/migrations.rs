//! The schema: embedded migrations, one runner at a time.

use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::db::{
    advisory_locks::AdvisoryLock,
    connection::{Db, Store},
    error::StoreError,
    statement::statement,
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/maintenance");

impl Store {
    /// Brings the schema up to date; returns the migrations that ran. Callers that come together wait for each other.
    /// A migration that fails takes no effect, and those after it do not run.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        self.with_harness(|harness| {
            let ran = harness.run_pending_migrations(MIGRATIONS)?;
            Ok(ran.iter().map(ToString::to_string).collect())
        })
        .await
    }

    /// Takes every migration back, and with them all data; returns the migrations that were reverted.
    pub async fn migrations_revert_all(&self) -> Result<Vec<String>, StoreError> {
        self.with_harness(|harness| {
            let reverted = harness.revert_all_migrations(MIGRATIONS)?;
            Ok(reverted.iter().map(ToString::to_string).collect())
        })
        .await
    }

    /// The migrations that this version knows and the database has not seen.
    pub async fn migrations_pending(&self) -> Result<Vec<String>, StoreError> {
        use diesel::migration::{Migration, MigrationSource};

        let mut db = self.db().await?;
        let exists: bool = statement("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL")
            .returning::<diesel::sql_types::Bool>()
            .get_result(&mut *db)
            .await?;
        let mut seen: Vec<String> = Vec::new();
        if exists {
            seen = statement("SELECT version::text FROM __diesel_schema_migrations")
                .returning::<diesel::sql_types::Text>()
                .load(&mut *db)
                .await?;
        }
        let known: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().map_err(StoreError::Migration)?;
        let names = known.iter().map(|it| it.name().version().to_string());
        Ok(names.filter(|name| !seen.contains(name)).collect())
    }

    async fn with_harness<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AsyncMigrationHarness<Db>) -> Result<R, crate::db::error::BoxError>
        + Send
        + 'static,
    ) -> Result<R, StoreError> {
        let mut db = self.dedicated().await?;
        statement("SELECT pg_advisory_lock($1)")
            .bind::<diesel::sql_types::Int8, _>(AdvisoryLock::Migrations.key())
            .execute(&mut db)
            .await?;
        // The harness blocks. The lock goes with the connection.
        tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(db)))
            .await
            .map_err(|panic| StoreError::Migration(panic.into()))?
            .map_err(StoreError::Migration)
    }
}
