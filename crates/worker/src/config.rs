//! Config of this process. `defaults.toml` says what each key means.

use std::time::Duration;

use chassis::{
    Daemon,
    config::{Secret, Variable, present},
};
use garde::Validate;
use serde::Deserialize;

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "worker",
    version: env!("CARGO_PKG_VERSION"),
    about: "Takes events, commands and tasks; fetches, validates, transforms, writes.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        Variable::plain("BIND", "server.bind"),
        Variable::secret("DATABASE_URL", "database.url"),
        Variable::secret("AMQP_URL", "broker.url"),
        Variable::plain("ONBOARDING_API_URL", "onboarding.url"),
        Variable::secret("ONBOARDING_API_KEY", "onboarding.api_key"),
        Variable::secret("PASSWORD_SEAL_KEY", "passwords.seal_key"),
    ],
    grace: Duration::from_secs(40),
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
    /// How much at a time.
    #[garde(dive)]
    pub work: Work,
    /// Temporary passwords.
    #[garde(dive)]
    pub passwords: Passwords,
}

/// Where health and metrics are served.
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
    #[garde(range(min = 2, max = 200))]
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
    #[garde(range(min = 1, max = 1000))]
    pub concurrency: usize,
    /// Failures in a row that open the circuit.
    #[garde(range(min = 1, max = 1000))]
    pub circuit_failures: u32,
    /// How long it stays open.
    #[garde(range(min = 100, max = 3_600_000))]
    pub circuit_open_ms: u64,
}

/// How much at a time.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Page tasks in hand.
    #[garde(range(min = 1, max = 100))]
    pub tasks: u16,
    /// Commands in hand.
    #[garde(range(min = 1, max = 100))]
    pub commands: u16,
    /// Events of a batch.
    #[garde(range(min = 1, max = 500))]
    pub events_per_batch: u16,
    /// After an event, for pages that come one at a time.
    #[garde(range(max = 60_000))]
    pub pages_alone_ms: u64,
    /// Between two updates of a sync.
    #[garde(range(min = 10, max = 60_000))]
    pub progress_every_ms: u64,
}

/// Temporary passwords.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    /// 32 bytes in base64.
    #[garde(custom(present))]
    pub seal_key: Secret,
}
