//! One connection per process and role, made anew whenever it is lost.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use backoff::{ExponentialBackoff, backoff::Backoff};
use lapin::{Channel, Connection, ConnectionProperties};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{BrokerError, topology};

/// A broker that takes longer than this to answer is as good as gone.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A stream that takes longer than this to declare is not waited for.
const UPDATES_PATIENCE: Duration = Duration::from_secs(2);
const NO_UPDATES: &str = "RabbitMQ does not run the stream of updates: work goes on, and nobody sees it move";

/// Where a message finds no queue, everything is declared again, and not again for this long: what RabbitMQ cannot run would
/// be declared with every message.
const DECLARE_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// RabbitMQ. Cheap to clone.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    url: SecretString,
    name: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// When everything was declared for it.
    declared: Option<Instant>,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl Broker {
    /// The broker at `url`. `name` is what it shows of us to its operators. Connects when it is first needed, and
    /// whenever the connection was lost: a service starts without a broker, too.
    pub fn connect(url: SecretString, name: &str) -> Self {
        Self(Arc::new(Inner { url, name: name.to_owned(), state: Mutex::default() }))
    }

    /// Whether the broker answers now. For health.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> Result<(), BrokerError> {
        let channel = self.channel().await?;
        // An idle channel would stay open for good.
        let _ = channel.close(200, "pinged".into()).await;
        Ok(())
    }

    /// Has the next channel come from a new connection, for which everything is declared again, unless that was done a
    /// moment ago. Channels that are in use keep the old one.
    pub(crate) async fn declare_again(&self) {
        let State { connection, declared } = &mut *self.0.state.lock().await;
        if declared.is_none_or(|at| at.elapsed() >= DECLARE_AGAIN_AFTER) {
            *connection = None;
        }
    }

    /// A new channel; one attempt.
    pub(crate) async fn channel(&self) -> Result<Channel, BrokerError> {
        timeout(PATIENCE, self.channel_without_limit()).await.map_err(|_elapsed| BrokerError::Timeout)?
    }

    async fn channel_without_limit(&self) -> Result<Channel, BrokerError> {
        let State { connection: current, declared } = &mut *self.0.state.lock().await;
        // Taken out while it is asked, and put back once it has answered: a connection to a broker that was killed while
        // it started, or that hangs, looks alive for good, and the caller's patience ends this function half way.
        if let Some(connection) = current.take().filter(|c| c.status().connected()) {
            match connection.create_channel().await {
                Ok(channel) => {
                    *current = Some(connection);
                    return Ok(channel);
                }
                Err(error) => tracing::debug!(%error, "the connection to the broker was lost"),
            }
        }
        let properties = ConnectionProperties::default().with_connection_name(self.0.name.as_str().into());
        let connection = Connection::connect(self.0.url.expose_secret(), properties).await?;
        let channel = connection.create_channel().await?;
        topology::declare(&channel).await?;
        // On a channel of its own, for an error closes it.
        let apart = connection.create_channel().await?;
        match timeout(UPDATES_PATIENCE, topology::declare_updates(&apart)).await {
            Ok(Ok(())) => drop(apart.close(200, "declared".into()).await),
            Ok(Err(error)) => tracing::warn!(%error, "{NO_UPDATES}"),
            Err(_elapsed) => tracing::warn!("{NO_UPDATES}"),
        }
        *declared = Some(Instant::now());
        *current = Some(connection);
        tracing::info!(broker.connection = %self.0.name, "connected to the broker");
        Ok(channel)
    }

    /// A new channel, however long it takes; none if `stop` comes first.
    pub(crate) async fn channel_eventually(&self, stop: &CancellationToken) -> Option<Channel> {
        let mut waits = ExponentialBackoff {
            initial_interval: Duration::from_millis(100),
            max_interval: Duration::from_secs(5),
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        loop {
            let attempt = tokio::select! {
                () = stop.cancelled() => return None,
                attempt = self.channel() => attempt,
            };
            let error = match attempt {
                Ok(channel) => return Some(channel),
                Err(error) => error,
            };
            let wait = waits.next_backoff().unwrap_or(waits.max_interval);
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                retry_in_ms = wait.as_millis(),
                "the broker does not answer; trying again"
            );
            tokio::select! {
                () = stop.cancelled() => return None,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
