//! Sections of the config that several daemons have, each with its bounds and its environment variables.
//!
//! A daemon's own `defaults.toml` holds the defaults and says what a key means to it.

use garde::Validate;
use serde::Deserialize;

use super::{
    secret::{Secret, secret_given},
    variable::Variable,
};

/// Least length of `server.bind`: `:80`.
pub const BIND_MIN_LENGTH: usize = 3;

/// Least number of pooled connections. Work that holds one in a transaction may need a second one beside it.
pub const POOL_SIZE_MIN: usize = 2;

pub const POOL_SIZE_MAX: usize = 200;

/// `[server]`: where a daemon listens.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `host:port`
    #[garde(length(min = BIND_MIN_LENGTH))]
    pub bind: String,
}

impl Server {
    pub const BIND: Variable = Variable::plain("BIND", "server.bind");
}

/// `[database]`: PostgreSQL of the maintenance portal.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// With credentials.
    #[garde(custom(secret_given))]
    pub url: Secret,
    /// Connections at most.
    #[garde(range(min = POOL_SIZE_MIN, max = POOL_SIZE_MAX))]
    pub pool_size: usize,
}

impl Database {
    pub const URL: Variable = Variable::secret("DATABASE_URL", "database.url");
}

/// `[broker]`: RabbitMQ.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Broker {
    /// With credentials.
    #[garde(custom(secret_given))]
    pub url: Secret,
}

impl Broker {
    pub const URL: Variable = Variable::secret("AMQP_URL", "broker.url");
}

/// `[passwords]`: temporary passwords, sealed by the worker and revealed by status.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Passwords {
    /// 32 bytes in base64, the same for all daemons.
    #[garde(custom(secret_given))]
    pub seal_key: Secret,
}

impl Passwords {
    pub const SEAL_KEY: Variable = Variable::secret("PASSWORD_SEAL_KEY", "passwords.seal_key");
}
