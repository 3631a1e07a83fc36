//! Connections: the pool, its limits, TLS, transactions.

use std::{fmt, sync::Arc, time::Duration};

use backoff::ExponentialBackoffBuilder;
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, TransactionManager,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool},
    },
};
use futures_util::FutureExt;
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::{NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::db::{
    error::{BoxError, StoreError},
    statement::statement,
};

/// A connection, in a transaction or not. Every function of this crate works on one.
pub type Db = AsyncPgConnection;

/// How long a caller waits for a free connection.
const WAIT: Duration = Duration::from_secs(10);

/// How long a new connection may take.
const CREATE: Duration = Duration::from_secs(5);

/// How long an idle connection may take to say that it lives.
const RECYCLE: Duration = Duration::from_secs(5);

/// The database of the maintenance portal. Clones share one pool.
#[derive(Clone)]
pub struct Store {
    pool: Pool<Db>,
    url: Arc<SecretString>,
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
    /// Closes it instead of giving it back: for a connection that hangs.
    pub fn discard(self) {
        drop(Object::take(self.0));
    }
}

impl Store {
    /// A pool of at most `pool_size` connections, with the first one made: waits for the server with growing
    /// intervals, for ever.
    ///
    /// # Errors
    ///
    /// Only if the URL cannot be used: no waiting will mend it.
    pub async fn connect(database_url: &str, pool_size: usize) -> Result<Self, StoreError> {
        let store = Self::lazy(database_url, pool_size)?;
        let policy = ExponentialBackoffBuilder::new()
            .with_initial_interval(Duration::from_millis(200))
            .with_max_interval(Duration::from_secs(10))
            .with_max_elapsed_time(None)
            .build();
        let reached = || async { store.ping().await.map_err(backoff::Error::transient) };
        let notify = |error: StoreError, pause: Duration| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                retry.after_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "the database cannot be reached; trying again"
            );
        };
        backoff::future::retry_notify(policy, reached, notify).await?;
        Ok(store)
    }

    /// A pool that connects when it is first asked to. For what must not wait: a single command, a probe.
    ///
    /// # Errors
    ///
    /// If the URL cannot be used.
    pub fn lazy(database_url: &str, pool_size: usize) -> Result<Self, StoreError> {
        parse(database_url)?;
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(|url| {
            let url = url.to_owned();
            async move { establish(&url).await }.boxed()
        });
        // One round trip per checkout, so that a restarted server does not fail the next piece of work.
        config.recycling_method = RecyclingMethod::Verified;
        let manager = AsyncDieselConnectionManager::new_with_config(database_url, config);
        let pool = Pool::builder(manager)
            .max_size(pool_size)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CREATE))
            .recycle_timeout(Some(RECYCLE))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|source| StoreError::Configuration(source.into()))?;
        Ok(Self { pool, url: Arc::new(SecretString::from(database_url)) })
    }

    /// A connection of the pool, for statements that need no transaction.
    ///
    /// # Errors
    ///
    /// If none is free in time, or the server is gone.
    pub async fn db(&self) -> Result<Connection, StoreError> {
        Ok(Connection(self.pool.get().await?))
    }

    /// Begins a transaction. Dropped before [`Tx::commit`], it never happened.
    ///
    /// # Errors
    ///
    /// If none is free in time, or the server is gone.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let mut connection = self.pool.get().await?;
        Manager::begin_transaction(&mut *connection).await?;
        Ok(Tx(Some(connection)))
    }

    /// Syncs `work` in one transaction: commits if it succeeds, rolls back if it fails or is dropped.
    ///
    /// # Errors
    ///
    /// What `work` returns, or that the transaction could not begin or commit.
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

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        use diesel_async::RunQueryDsl;
        statement("SELECT 1").execute(&mut *self.db().await?).await?;
        Ok(())
    }

    /// A connection outside of the pool, for what holds one for long: locks, migrations.
    pub(crate) async fn dedicated(&self) -> Result<Db, StoreError> {
        establish(self.url.expose_secret()).await.map_err(|source| StoreError::Connect(source.into()))
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
    /// Makes it happen.
    ///
    /// # Errors
    ///
    /// If the database cannot say that it did: it may have, so what follows must bear a second time.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        Manager::commit_transaction(&mut *self).await?;
        self.release();
        Ok(())
    }

    /// Makes sure that it did not happen before the connection serves again.
    pub async fn rollback(mut self) {
        if Manager::rollback_transaction(&mut *self).await.is_ok() {
            self.release();
        }
    }

    /// Back to the pool.
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

fn parse(url: &str) -> Result<(tokio_postgres::Config, bool), StoreError> {
    // tokio-postgres knows no verify-ca and verify-full; with the platform's roots, `require` verifies in full anyway.
    let url =
        url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let mut config: tokio_postgres::Config =
        url.parse().map_err(|e: tokio_postgres::Error| StoreError::Configuration(e.into()))?;
    config.connect_timeout(CREATE).keepalives_idle(Duration::from_secs(30));
    if config.get_application_name().is_none() {
        config.application_name("sms-sync");
    }
    let tls = config.get_ssl_mode() == SslMode::Require;
    Ok((config, tls))
}

async fn establish(url: &str) -> ConnectionResult<Db> {
    let (config, tls) = parse(url).map_err(|e| ConnectionError::BadConnection(chain(&e)))?;
    let unreachable = |e: BoxError| ConnectionError::BadConnection(chain(&*e));
    if tls {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|e| unreachable(e.into()))?
            .with_no_client_auth();
        let (client, connection) =
            config.connect(MakeRustlsConnect::new(client)).await.map_err(|e| unreachable(e.into()))?;
        Db::try_from_client_and_connection(client, connection).await
    } else {
        let (client, connection) = config.connect(NoTls).await.map_err(|e| unreachable(e.into()))?;
        Db::try_from_client_and_connection(client, connection).await
    }
}

/// diesel keeps only a text of this error, so it must hold the causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
