//! What can be set. `defaults.toml` says what each setting means.

use std::time::Duration;

use chassis::{
    Daemon,
    configuration::{Secret, Variable, present},
};
use garde::Validate;
use serde::Deserialize;

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "onboarding-portal",
    version: env!("CARGO_PKG_VERSION"),
    about: "The reference onboarding portal: the provider of the sync API, and the sender of its webhooks.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        Variable::plain("BIND", "server.bind"),
        Variable::secret("ONBOARDING_DATABASE_URL", "database.url"),
        Variable::secret("ONBOARDING_API_KEY", "api.key"),
        Variable::plain("WEBHOOK_URL", "webhook.url"),
        Variable::secret("WEBHOOK_SECRET", "webhook.secret"),
    ],
    grace: Duration::from_secs(10),
};

/// All settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The port.
    #[garde(dive)]
    pub server: Server,
    /// The portal's own database.
    #[garde(dive)]
    pub database: DatabaseSettings,
    /// The provider API.
    #[garde(dive)]
    pub api: Api,
    /// The webhook sender.
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

/// The portal's own database.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// With credentials.
    #[garde(custom(present))]
    pub url: Secret,
    /// Connections at most.
    #[garde(range(min = 1, max = 200))]
    pub pool_size: usize,
}

/// The provider API.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// What callers must show.
    #[garde(custom(present))]
    pub key: Secret,
}

/// The webhook sender.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where webhooks go; empty: nowhere, they wait.
    #[garde(skip)]
    pub url: String,
    /// What they are signed with.
    #[garde(skip)]
    pub secret: Secret,
    /// Waits before each further attempt, in seconds.
    #[garde(length(min = 1, max = 30))]
    pub retry_after_seconds: Vec<f64>,
    /// For one attempt.
    #[garde(range(min = 100, max = 60_000))]
    pub timeout_ms: u64,
    /// Attempts at a time.
    #[garde(range(min = 1, max = 256))]
    pub concurrency: usize,
}
