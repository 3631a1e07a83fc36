#![doc = include_str!("../README.md")]

mod error;
mod tls;
mod url;

use std::{error::Error, fmt, sync::Arc, time::Duration};

use deadpool::managed::{Hook, HookError, HookResult, Metrics};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{
    AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, PoolError, RecyclingMethod,
        deadpool::{BuildError, Pool},
    },
};
use futures_util::FutureExt;
use tokio_postgres::{Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use self::error::PostgresUrlError;
use self::tls::TlsMode;

/// How long a caller waits for a free connection of the pool.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a new connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection counts as alive for this long after it was handed out.
const ALIVE_FOR: Duration = Duration::from_secs(1);

/// How long an idle connection may take to give a sign of life.
const RECYCLE_TIMEOUT: Duration = Duration::from_secs(5);

const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// A parsed connection URL.
#[derive(Clone)]
pub struct PostgresUrl {
    config: Arc<Config>,
    /// Without TLS there is none.
    tls: Option<MakeRustlsConnect>,
    /// Statement that every new connection runs.
    setup: Option<&'static str>,
}

impl PostgresUrl {
    /// Parses `postgres://…` or `key=value` pairs; the server sees `application_name` unless `url` has another one.
    /// `sslmode` and `sslrootcert` mean what they mean to libpq, with the platform's roots where no file is named.
    ///
    /// # Errors
    /// If `url` cannot be used, or the file of root certificates: waiting does not mend it.
    pub fn parse(url: &str, application_name: &str) -> Result<Self, PostgresUrlError> {
        let url::Parsed { mut config, mode, root } = url::parse(url)?;
        let tls = match mode {
            TlsMode::Disable => None,
            mode => Some(tls::connector(mode, root.as_deref())?),
        };
        config.connect_timeout(CONNECT_TIMEOUT).keepalives_idle(KEEPALIVE_IDLE).ssl_mode(match mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        });
        if config.get_application_name().is_none() {
            config.application_name(application_name);
        }
        Ok(Self { config: Arc::new(config), tls, setup: None })
    }

    /// The same URL, each of whose connections runs this statement first.
    #[must_use]
    pub const fn with_setup(mut self, statement: &'static str) -> Self {
        self.setup = Some(statement);
        self
    }

    /// Opens one connection.
    pub async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        let mut connection = self.open().await?;
        if let Some(statement) = self.setup {
            connection.batch_execute(statement).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
        }
        Ok(connection)
    }

    async fn open(&self) -> ConnectionResult<AsyncPgConnection> {
        if let Some(tls) = self.tls.clone() {
            let (client, connection) =
                self.config.connect(tls).await.map_err(|error| bad_connection(&error))?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        } else {
            let (client, connection) =
                self.config.connect(NoTls).await.map_err(|error| bad_connection(&error))?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await
        }
    }

    /// A pool of at most `max_size` connections; the first one is opened when it is asked for.
    pub fn pool(&self, max_size: usize) -> Result<Pool<AsyncPgConnection>, BuildError> {
        let mut config = ManagerConfig::default();
        let url = self.clone();
        config.custom_setup = Box::new(move |_unused_url| {
            let url = url.clone();
            async move { url.connect().await }.boxed()
        });
        // What the client itself knows to be closed is never handed out; the rest is checked by `is_alive`.
        config.recycling_method = RecyclingMethod::Fast;
        Pool::builder(AsyncDieselConnectionManager::new_with_config("", config))
            .max_size(max_size)
            .wait_timeout(Some(WAIT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(RECYCLE_TIMEOUT))
            .pre_recycle(Hook::async_fn(|connection, metrics| is_alive(connection, metrics).boxed()))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
    }
}

/// Asks a connection that was not used for a while for a sign of life, so that a server that was restarted, or a network that
/// has forgotten it, does not fail the next piece of work. One in steady use is spared the round trip.
async fn is_alive(connection: &mut AsyncPgConnection, metrics: &Metrics) -> HookResult<PoolError> {
    if metrics.last_used() < ALIVE_FOR {
        return Ok(());
    }
    match tokio::time::timeout(RECYCLE_TIMEOUT, connection.batch_execute("")).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(HookError::Backend(PoolError::QueryError(error))),
        Err(_elapsed) => Err(HookError::message("the server does not answer")),
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Holds a password.
        f.debug_struct("PostgresUrl").finish_non_exhaustive()
    }
}

/// diesel keeps only a text of a connection's error, so the text holds the causes.
fn bad_connection(error: &dyn Error) -> ConnectionError {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    ConnectionError::BadConnection(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn application_name_of_the_url_wins() {
        let name = |url| {
            let url = PostgresUrl::parse(url, "ours").unwrap();
            url.config.get_application_name().map(str::to_owned)
        };
        assert_eq!(name("postgres://db/sms").as_deref(), Some("ours"));
        assert_eq!(name("postgres://db/sms?application_name=theirs").as_deref(), Some("theirs"));
    }

    #[test]
    fn debug_output_holds_no_password() {
        let url = PostgresUrl::parse("postgres://sms:hunter2@db/sms", "test").unwrap();
        assert!(!format!("{url:?}").contains("hunter2"));
    }
}
