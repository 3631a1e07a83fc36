//! Config of this process. `defaults.toml` says what each key means.

use std::time::Duration;

use chassis::{
    Daemon,
    config::{Secret, Variable, at_least, present},
};
use garde::Validate;
use portal_client::{CircuitOptions, PortalOptions};
use serde::Deserialize;

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "status",
    version: env!("CARGO_PKG_VERSION"),
    about: "Answers operators: REST, server-sent events and the dashboard.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        Variable::plain("BIND", "server.bind"),
        Variable::secret("DATABASE_URL", "database.url"),
        Variable::secret("AMQP_URL", "broker.url"),
        Variable::plain("ONBOARDING_API_URL", "onboarding.url"),
        Variable::secret("ONBOARDING_API_KEY", "onboarding.api_key"),
        Variable::secret("OPERATOR_JWT_SECRET", "operators.jwt_secret"),
        Variable::secret("PASSWORD_SEAL_KEY", "passwords.seal_key"),
    ],
    grace: Duration::from_secs(20),
};

/// The whole config of a process.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The port.
    #[garde(dive)]
    pub server: Server,
    /// PostgreSQL.
    #[garde(dive)]
    pub database: Database,
    /// RabbitMQ.
    #[garde(dive)]
    pub broker: Broker,
    /// The onboarding portal.
    #[garde(dive)]
    pub onboarding: Onboarding,
    /// Operators' tokens.
    #[garde(dive)]
    pub operators: Operators,
    /// Temporary passwords.
    #[garde(dive)]
    pub passwords: Passwords,
    /// Server-sent events.
    #[garde(dive)]
    pub updates: Updates,
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
pub struct Broker {
    /// With credentials.
    #[garde(custom(present))]
    pub url: Secret,
}

/// The onboarding portal.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Onboarding {
    /// Base of its API.
    #[garde(length(min = 8))]
    pub url: String,
    /// Its key for us.
    #[garde(custom(present))]
    pub api_key: Secret,
    /// For a whole answer.
    #[garde(range(min = 1, max = 600))]
    pub timeout_seconds: u64,
    /// Requests at a time.
    #[garde(range(min = 1, max = 100))]
    pub concurrency: usize,
}

impl Onboarding {
    pub(crate) fn options(&self) -> PortalOptions {
        PortalOptions {
            url: self.url.clone(),
            api_key: self.api_key.clone(),
            timeout: Duration::from_secs(self.timeout_seconds),
            concurrency: self.concurrency,
            circuit: CircuitOptions::default(),
        }
    }
}

/// Operators' tokens.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    /// HS256 secret.
    #[garde(custom(at_least(chassis::auth::LEAST_SECRET_BYTES)))]
    pub jwt_secret: Secret,
}

/// Temporary passwords.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    /// Base64 of 32 bytes.
    #[garde(custom(present))]
    pub seal_key: Secret,
}

/// Server-sent events.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Updates {
    /// Clients at a time.
    #[garde(range(min = 1, max = 100_000))]
    pub clients: usize,
    /// Updates kept for a slow client.
    #[garde(range(min = 16, max = 100_000))]
    pub backlog: usize,
}
