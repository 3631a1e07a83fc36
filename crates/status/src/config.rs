//! Config of this process. `defaults.toml` says what each key means.

use std::time::Duration;

use chassis::{
    Daemon,
    auth::MIN_SECRET_BYTES,
    config::{
        Secret, Variable, secret_min_bytes,
        sections::{Broker, Database, Onboarding, Passwords, Server},
    },
};
use garde::Validate;
use serde::Deserialize;

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "status",
    version: env!("CARGO_PKG_VERSION"),
    about: "Answers operators: REST, server-sent events and the dashboard.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        Server::BIND,
        Database::URL,
        Broker::URL,
        Onboarding::URL,
        Onboarding::API_KEY,
        Variable::secret("OPERATOR_JWT_SECRET", "operators.jwt_secret"),
        Passwords::SEAL_KEY,
    ],
    grace: Duration::from_secs(20),
};

/// The whole config of a process.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[garde(dive)]
    pub server: Server,
    #[garde(dive)]
    pub database: Database,
    #[garde(dive)]
    pub broker: Broker,
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

/// Operators' tokens.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    /// HS256 secret.
    #[garde(custom(secret_min_bytes(MIN_SECRET_BYTES)))]
    pub jwt_secret: Secret,
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
