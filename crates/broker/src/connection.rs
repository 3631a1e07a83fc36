//! The connection to RabbitMQ: one per [`Broker`], opened again whenever it is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use backoff::{ExponentialBackoff, backoff::Backoff};
use domain::clock::Clock;
use lapin::{Channel, Connection, ConnectionBuilder, ConnectionProperties, tcp::OwnedTLSConfig};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{BrokerError, topology};

/// How long the broker may take to open a channel or to confirm a message.
pub(crate) const BROKER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long declaring the stream of updates may take before work goes on without it.
const DECLARE_UPDATES_TIMEOUT: Duration = Duration::from_secs(2);
const NO_UPDATES: &str =
    "RabbitMQ does not run the stream of updates: work goes on, without progress notices";

/// Shortest time between two declarations of everything. A message without a queue asks for one; a queue that RabbitMQ
/// cannot run would otherwise be declared with every message.
const REDECLARE_INTERVAL: Duration = Duration::from_secs(2);

const FIRST_RECONNECT_DELAY: Duration = Duration::from_millis(100);
const LONGEST_RECONNECT_DELAY: Duration = Duration::from_secs(5);

/// RabbitMQ. Cheap to clone.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    url: SecretString,
    name: String,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// When exchanges and queues were declared on the connection.
    declared_at: Option<Instant>,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl Broker {
    /// The broker at `url`. `name` is the connection's name in the broker's management pages. Connects at the first use and
    /// after each loss, so a service starts without a broker, too.
    pub fn connect(url: SecretString, name: &str, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { url, name: name.to_owned(), clock, state: Mutex::default() }))
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// Opens a channel and closes it: for health checks.
    pub async fn ping(&self) -> Result<(), BrokerError> {
        if self.is_blocked() {
            return Err(BrokerError::Blocked);
        }
        let channel = self.open_channel().await?;
        // An idle channel would stay open as long as the connection.
        let _ = channel.close(200, "pinged".into()).await;
        Ok(())
    }

    /// Whether the broker takes no messages on the connection for now. Does not wait for whoever is opening another one.
    pub(crate) fn is_blocked(&self) -> bool {
        let Ok(state) = self.0.state.try_lock() else { return false };
        let is_blocked = state.connection.as_ref().is_some_and(|it| it.status().blocked());
        metrics::gauge!("sms_broker_blocked").set(if is_blocked { 1.0 } else { 0.0 });
        is_blocked
    }

    /// Makes the next channel come from a new connection, on which everything is declared again, unless that was done less
    /// than [`REDECLARE_INTERVAL`] ago. Channels in use keep the old connection.
    pub(crate) async fn request_redeclaration(&self) {
        let State { connection, declared_at } = &mut *self.0.state.lock().await;
        if declared_at.is_none_or(|at| at.elapsed() >= REDECLARE_INTERVAL) {
            *connection = None;
        }
    }

    /// One attempt, within [`BROKER_TIMEOUT`].
    pub(crate) async fn open_channel(&self) -> Result<Channel, BrokerError> {
        timeout(BROKER_TIMEOUT, self.open_channel_untimed()).await.map_err(|_elapsed| BrokerError::Timeout)?
    }

    async fn open_channel_untimed(&self) -> Result<Channel, BrokerError> {
        let State { connection: current, declared_at } = &mut *self.0.state.lock().await;
        // The connection is put back only once it has answered: a connection to a broker that was killed while it started,
        // or that hangs, looks alive for good, and the caller's timeout drops this future at the await.
        if let Some(connection) = current.take().filter(|c| c.status().connected()) {
            // It would answer when the alarm is over. Another connection would be blocked as well.
            if connection.status().blocked() {
                *current = Some(connection);
                return Err(BrokerError::Blocked);
            }
            match connection.create_channel().await {
                Ok(channel) => {
                    *current = Some(connection);
                    return Ok(channel);
                }
                Err(error) => tracing::debug!(%error, "the connection to the broker was lost"),
            }
        }
        let properties = ConnectionProperties::default().with_connection_name(self.0.name.as_str().into());
        let url = self.0.url.expose_secret();
        let connection = ConnectionBuilder::new()?
            .with_uri_str(url.to_owned())
            .with_properties(properties)
            .with_tls_config(OwnedTLSConfig { identity: None, cert_chain: root_certificates(url)? })
            .connect()
            .await?;
        topology::declare(&connection).await?;
        let channel = connection.create_channel().await?;
        match timeout(DECLARE_UPDATES_TIMEOUT, topology::declare_updates(&connection)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "{NO_UPDATES}"),
            Err(_elapsed) => tracing::warn!("{NO_UPDATES}"),
        }
        *declared_at = Some(Instant::now());
        *current = Some(connection);
        tracing::info!(broker.connection = %self.0.name, "connected to the broker");
        Ok(channel)
    }

    /// Retries until the broker answers; `None` if `stop` comes first.
    pub(crate) async fn open_channel_with_retries(&self, stop: &CancellationToken) -> Option<Channel> {
        let mut delays = ExponentialBackoff {
            initial_interval: FIRST_RECONNECT_DELAY,
            max_interval: LONGEST_RECONNECT_DELAY,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        loop {
            let attempt = tokio::select! {
                () = stop.cancelled() => return None,
                attempt = self.open_channel() => attempt,
            };
            let error = match attempt {
                Ok(channel) => return Some(channel),
                Err(error) => error,
            };
            let delay = delays.next_backoff().unwrap_or(delays.max_interval);
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                retry_in_ms = delay.as_millis(),
                "the broker does not answer; trying again"
            );
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }
}

/// The root certificates, in PEM, of the file that `cacertfile` in the URL names, as in
/// <https://www.rabbitmq.com/docs/uri-query-parameters>. They are accepted beside the platform's.
fn root_certificates(url: &str) -> Result<Option<String>, BrokerError> {
    // lapin says what is wrong with a URL that is none.
    let Ok(url) = Url::parse(url) else { return Ok(None) };
    let path = url.query_pairs().find_map(|(name, path)| (name == "cacertfile").then(|| path.into_owned()));
    let Some(path) = path else { return Ok(None) };
    if url.scheme() != "amqps" {
        return Err(BrokerError::Roots(format!("{path}, but {} is not encrypted: say amqps", url.scheme())));
    }
    match std::fs::read_to_string(&path) {
        Ok(pem) if pem.contains("BEGIN CERTIFICATE") => Ok(Some(pem)),
        Ok(_) => Err(BrokerError::Roots(format!("{path} holds no certificate"))),
        Err(error) => Err(BrokerError::Roots(format!("{path}: {error}"))),
    }
}
