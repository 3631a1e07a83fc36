//! The schema: embedded migrations, one runner at a time.

use std::time::Duration;

use backoff::ExponentialBackoffBuilder;
use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::db::{
    advisory_locks::AdvisoryLock,
    connection::{Db, Store},
    error::{BoxError, StoreError},
    statement::statement,
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/maintenance");

/// How long a migration waits for a lock. Whoever needs the table waits behind it, so it is short of what a webhook waits for the
/// database; and it is shorter than PostgreSQL's `deadlock_timeout` of a second, so that of two who wait for each other the
/// migration gives way, and not the work.
const LOCK_TIMEOUT_MS: u32 = 900;
/// Pauses before a migration that gave way is tried again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long one migration is tried. A dump of the whole database, which holds a lock of every table, may take longer.
const PATIENCE: Duration = Duration::from_secs(300);

impl Store {
    /// Brings the schema up to date; returns the migrations that ran. Callers that come together wait for each other.
    /// A migration that fails takes no effect, and those after it do not run.
    ///
    /// A migration waits only briefly for the locks of tables at work, gives way, and is tried again for five minutes.
    pub async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        self.migrate_and_tell(|_| {}).await
    }

    /// Like [`Store::migrate`]; tells each time that a migration gives way: what it met.
    pub async fn migrate_and_tell(
        &self,
        tell: impl Fn(&str) + Send + 'static,
    ) -> Result<Vec<String>, StoreError> {
        self.with_harness(move |harness| {
            let mut ran = Vec::new();
            while harness.has_pending_migration(MIGRATIONS)? {
                ran.push(run_next(harness, &tell)?);
            }
            Ok(ran)
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
        work: impl FnOnce(&mut AsyncMigrationHarness<Db>) -> Result<R, BoxError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let mut db = self.dedicated().await?;
        statement("SELECT pg_advisory_lock($1)")
            .bind::<diesel::sql_types::Int8, _>(AdvisoryLock::Migrations.key())
            .execute(&mut db)
            .await?;
        // After the lock above, which is waited for as long as the other caller works.
        statement("SELECT set_config('lock_timeout', $1, false)")
            .bind::<diesel::sql_types::Text, _>(LOCK_TIMEOUT_MS.to_string())
            .execute(&mut db)
            .await?;
        // The harness blocks. The lock goes with the connection.
        tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(db)))
            .await
            .map_err(|panic| StoreError::Migration(panic.into()))?
            .map_err(StoreError::Migration)
    }
}

/// Runs the next migration, again while it gives way to others; returns its version.
fn run_next(harness: &mut AsyncMigrationHarness<Db>, tell: &impl Fn(&str)) -> Result<String, BoxError> {
    let policy = ExponentialBackoffBuilder::new()
        .with_initial_interval(SHORTEST_PAUSE)
        .with_max_interval(LONGEST_PAUSE)
        .with_max_elapsed_time(Some(PATIENCE))
        .build();
    let run = || match harness.run_next_migration(MIGRATIONS) {
        Ok(version) => Ok(version.to_string()),
        Err(error) if has_given_way(&*error) => Err(backoff::Error::transient(error)),
        Err(error) => Err(backoff::Error::permanent(error)),
    };
    let ran = backoff::retry_notify(policy, run, |error: BoxError, _pause| tell(&error.to_string()));
    ran.map_err(|error| match error {
        backoff::Error::Permanent(error) | backoff::Error::Transient { err: error, .. } => error,
    })
}

/// Whether a migration failed for a lock that another holds. It has taken no effect: each is a transaction.
fn has_given_way(error: &(dyn std::error::Error + Send + Sync)) -> bool {
    // diesel does not pass SQLSTATE 55P03 and 40P01 on, and names its own error around them. With other lc_messages the migration
    // fails at once, and may be run again.
    let said = error.to_string();
    said.contains("lock timeout") || said.contains("deadlock detected")
}
