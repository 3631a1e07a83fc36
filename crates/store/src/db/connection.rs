//! The pool of connections, and transactions on them.

use std::{fmt, time::Duration};

use backoff::ExponentialBackoffBuilder;
use diesel_async::{
    AsyncConnection, AsyncPgConnection, TransactionManager,
    pooled_connection::deadpool::{Object, Pool},
};
use postgres_connection::PostgresUrl;

use crate::db::{error::StoreError, statement::statement};

/// How long [`Store::reach`] waits. The timeout of the URL covers the TCP connection alone, not the server's greeting.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection, in a transaction or not. Every function of this crate works on one.
pub type Db = AsyncPgConnection;

/// The database of the maintenance portal. Clones share one pool.
#[derive(Clone)]
pub struct Store {
    pool: Pool<Db>,
    url: PostgresUrl,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// A connection of the pool, returned when dropped.
pub struct Connection(Object<Db>);

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl std::ops::Deref for Connection {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.0
    }
}

impl std::ops::DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Db {
        &mut self.0
    }
}

impl Connection {
    /// Closes the connection instead of returning it to the pool: for one that hangs.
    pub fn discard(self) {
        drop(Object::take(self.0));
    }
}

impl Store {
    /// A pool of at most `pool_size` connections, with the first one opened: waits for the server with growing
    /// intervals, without an end.
    ///
    /// # Errors
    ///
    /// Only if the URL cannot be used: waiting does not mend it.
    pub async fn connect(database_url: &str, pool_size: usize) -> Result<Self, StoreError> {
        Self::lazy(database_url, pool_size)?.wait_for_server().await
    }

    /// Like [`Store::connect`], for a service that lists: conditions of lists may be absent (`$1 IS NULL OR …`), and a plan made for
    /// all values, which PostgreSQL may change to after five runs of a statement, cannot use the index of such a condition.
    pub async fn connect_for_lists(database_url: &str, pool_size: usize) -> Result<Self, StoreError> {
        let url = Self::url(database_url)?.with_setup("SET plan_cache_mode = force_custom_plan");
        Self::of(url, pool_size)?.wait_for_server().await
    }

    async fn wait_for_server(self) -> Result<Self, StoreError> {
        let policy = ExponentialBackoffBuilder::new()
            .with_initial_interval(Duration::from_millis(200))
            .with_max_interval(Duration::from_secs(10))
            .with_max_elapsed_time(None)
            .build();
        let reached = || async { self.ping().await.map_err(backoff::Error::transient) };
        let notify = |error: StoreError, pause: Duration| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                retry.after_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "the database cannot be reached; trying again"
            );
        };
        backoff::future::retry_notify(policy, reached, notify).await?;
        Ok(self)
    }

    /// A pool that opens its first connection when it is asked for one: for commands and probes, which must not wait.
    pub fn lazy(database_url: &str, pool_size: usize) -> Result<Self, StoreError> {
        Self::of(Self::url(database_url)?, pool_size)
    }

    fn url(database_url: &str) -> Result<PostgresUrl, StoreError> {
        PostgresUrl::parse(database_url, "sms-sync")
            .map_err(|source| StoreError::Configuration(source.into()))
    }

    fn of(url: PostgresUrl, pool_size: usize) -> Result<Self, StoreError> {
        let pool = url.pool(pool_size).map_err(|source| StoreError::Configuration(source.into()))?;
        Ok(Self { pool, url })
    }

    /// Sets the gauges of the pool, by OpenTelemetry's names for database clients.
    pub fn observe_pool(&self) {
        let status = self.pool.status();
        let used = status.size.saturating_sub(status.available);
        metrics::gauge!("db_client_connection_count", "state" => "idle").set(status.available as f64);
        metrics::gauge!("db_client_connection_count", "state" => "used").set(used as f64);
        metrics::gauge!("db_client_connection_max").set(status.max_size as f64);
        metrics::gauge!("db_client_connection_pending_requests").set(status.waiting as f64);
    }

    /// A connection of the pool, for statements that need no transaction.
    pub async fn db(&self) -> Result<Connection, StoreError> {
        Ok(Connection(self.pool.get().await?))
    }

    /// Begins a transaction. It is rolled back if it is dropped before [`Tx::commit`].
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let mut connection = self.pool.get().await?;
        Manager::begin_transaction(&mut *connection).await?;
        Ok(Tx(Some(connection)))
    }

    /// Runs `work` in one transaction: commits if it succeeds, rolls back if it fails or is dropped.
    pub async fn transaction<R, E, F>(&self, work: F) -> Result<R, E>
    where
        F: AsyncFnOnce(&mut Db) -> Result<R, E>,
        E: From<StoreError>,
    {
        let mut tx = self.begin().await?;
        match work(&mut tx).await {
            Ok(result) => {
                tx.commit().await?;
                Ok(result)
            }
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    /// Asks the server for an answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        use diesel_async::RunQueryDsl;
        statement("SELECT 1").execute(&mut *self.db().await?).await?;
        Ok(())
    }

    /// Opens a connection, and closes it again: whether the server is there and lets us in. Fails within seconds.
    pub async fn reach(&self) -> Result<(), StoreError> {
        match tokio::time::timeout(REACH_TIMEOUT, self.dedicated()).await {
            Ok(connected) => connected.map(drop),
            Err(_elapsed) => Err(StoreError::Connect("the server does not answer".into())),
        }
    }

    /// A connection outside the pool, for work that holds one for long: locks, migrations.
    pub(crate) async fn dedicated(&self) -> Result<Db, StoreError> {
        self.url.connect().await.map_err(|source| StoreError::Connect(source.into()))
    }
}

type Manager = <Db as AsyncConnection>::TransactionManager;

/// An open transaction.
pub struct Tx(Option<Object<Db>>);

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx {
    /// # Errors
    ///
    /// If the database does not confirm the commit. It may have happened, so the caller's retry must be harmless.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        Manager::commit_transaction(&mut *self).await?;
        self.release();
        Ok(())
    }

    /// Waits for the rollback, so that the pool gets a connection without an open transaction.
    pub async fn rollback(mut self) {
        if Manager::rollback_transaction(&mut *self).await.is_ok() {
            self.release();
        }
    }

    /// Returns the connection to the pool.
    fn release(&mut self) {
        drop(self.0.take());
    }
}

impl std::ops::Deref for Tx {
    type Target = Db;
    fn deref(&self) -> &Db {
        self.0.as_ref().expect("the connection leaves only when the transaction ends")
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Db {
        self.0.as_mut().expect("the connection leaves only when the transaction ends")
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        // A connection in an open transaction would keep its locks in the pool: close it instead.
        if let Some(connection) = self.0.take() {
            drop(Object::take(connection));
        }
    }
}
