#![doc = include_str!("../README.md")]

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
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::{Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

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
}

impl PostgresUrl {
    /// Parses `postgres://…` or `key=value` pairs; the server sees `application_name` unless `url` has another one.
    ///
    /// # Errors
    /// If `url` cannot be used: waiting does not mend it.
    pub fn parse(url: &str, application_name: &str) -> Result<Self, tokio_postgres::Error> {
        // tokio-postgres knows no verify-ca and verify-full; with the platform's roots, `require` verifies in full.
        let url = url
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = url.parse()?;
        config.connect_timeout(CONNECT_TIMEOUT).keepalives_idle(KEEPALIVE_IDLE);
        if config.get_application_name().is_none() {
            config.application_name(application_name);
        }
        Ok(Self { config: Arc::new(config) })
    }

    /// Opens one connection.
    pub async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        if self.config.get_ssl_mode() == SslMode::Require {
            let tls = tls_connector().map_err(|error| bad_connection(&error))?;
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

/// rustls with the roots of the platform.
fn tls_connector() -> Result<MakeRustlsConnect, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)?
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(client))
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
    fn sslmode_verify_full_and_verify_ca_mean_tls() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = PostgresUrl::parse(&format!("postgres://db/sms?sslmode={mode}"), "test").unwrap();
            assert_eq!(url.config.get_ssl_mode(), SslMode::Require, "{mode}");
        }
        assert_ne!(
            PostgresUrl::parse("postgres://db/sms", "test").unwrap().config.get_ssl_mode(),
            SslMode::Require
        );
    }

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
