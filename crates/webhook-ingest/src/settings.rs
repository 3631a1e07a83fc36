//! What can be set. `defaults.toml` says what each setting means.

use std::time::Duration;

use chassis::{
    Daemon,
    configuration::{Secret, Variable, present},
};
use chrono::TimeDelta;
use contracts::webhook::signature::{self, InvalidSecret, Keyring, NamedSecret};
use garde::Validate;
use secrecy::ExposeSecret;
use serde::Deserialize;

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "webhook-ingest",
    version: env!("CARGO_PKG_VERSION"),
    about: "Verifies signed approval webhooks, records them, publishes them, answers.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        Variable::plain("BIND", "server.bind"),
        Variable::secret("DATABASE_URL", "database.url"),
        Variable::secret("AMQP_URL", "broker.url"),
        Variable::secret("WEBHOOK_SECRET", "webhook.secret"),
        Variable::secret("WEBHOOK_PREVIOUS_SECRET", "webhook.previous_secret"),
    ],
    grace: Duration::from_secs(20),
};

/// All settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The port.
    #[garde(dive)]
    pub server: Server,
    /// PostgreSQL.
    #[garde(dive)]
    pub database: Database,
    /// RabbitMQ.
    #[garde(dive)]
    pub broker: BrokerSettings,
    /// Verification and recording.
    #[garde(dive)]
    pub webhook: Webhook,
}

/// Where it listens.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// host:port
    #[garde(length(min = 3))]
    pub bind: String,
}

/// PostgreSQL of the maintenance portal.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// With credentials.
    #[garde(custom(present))]
    pub url: Secret,
    /// Connections at most.
    #[garde(range(min = 1, max = 200))]
    pub pool_size: usize,
}

/// RabbitMQ.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct BrokerSettings {
    /// With credentials.
    #[garde(custom(present))]
    pub url: Secret,
}

/// Verification and recording.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The current secret.
    #[garde(custom(present))]
    pub secret: Secret,
    /// The one before; empty: none.
    #[garde(skip)]
    pub previous_secret: Secret,
    /// Either way.
    #[garde(range(min = 1, max = 3600))]
    pub tolerance_seconds: i64,
    /// Larger bodies are answered with 413.
    #[garde(range(min = 1024, max = 16 * 1024 * 1024))]
    pub largest_body_bytes: usize,
    /// Requests that may wait for the database.
    #[garde(range(min = 1, max = 1_000_000))]
    pub waiting_limit: usize,
}

impl Webhook {
    /// The secrets in use, by name.
    pub(crate) fn keyring(&self) -> Result<Keyring, InvalidSecret> {
        let mut secrets = vec![named("current", &self.secret)?];
        if !self.previous_secret.expose_secret().is_empty() {
            secrets.push(named("previous", &self.previous_secret)?);
        }
        for short in secrets.iter().filter(|named| named.secret.is_short()) {
            tracing::warn!(
                webhook.key = %short.name,
                "a webhook secret is shorter than {} bytes and can be guessed; rotate it",
                signature::SHORTEST_WISE_SECRET
            );
        }
        Ok(Keyring::new(secrets, TimeDelta::seconds(self.tolerance_seconds)))
    }
}

fn named(name: &str, text: &Secret) -> Result<NamedSecret, InvalidSecret> {
    Ok(NamedSecret { name: name.to_owned(), secret: signature::Secret::parse(text)?, expires_at: None })
}
