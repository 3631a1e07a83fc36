//! Config of this process. `defaults.toml` says what each key means.

use std::time::Duration;

use chassis::{
    Daemon,
    config::{Environment, ExposeSecret, Secret, Variable, secret_given, sections},
};
use garde::Validate;
use serde::Deserialize;

use crate::target_policy::TargetPolicy;

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "onboarding-portal",
    version: env!("CARGO_PKG_VERSION"),
    about: "The reference onboarding portal: the provider of the sync API, and the sender of its webhooks.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        sections::Server::BIND,
        Variable::secret("ONBOARDING_DATABASE_URL", "database.url"),
        Variable::secret("ONBOARDING_API_KEY", "api.key"),
        Variable::secret("ONBOARDING_ADMIN_KEY", "api.admin_key"),
        Variable::plain("WEBHOOK_URL", "webhook.url"),
        Variable::secret("WEBHOOK_SECRET", "webhook.secret"),
    ],
    services: &["onboarding-portal"],
    grace: Duration::from_secs(10),
};

/// The whole config of a process.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The port.
    #[garde(dive)]
    pub server: Server,
    /// The portal's own database.
    #[garde(dive)]
    pub database: Database,
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
    #[garde(length(min = sections::BIND_MIN_LENGTH))]
    pub bind: String,
    /// Whether pages are compressed for callers that accept it.
    #[garde(skip)]
    pub compress: bool,
}

/// The portal's own database.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// With credentials.
    #[garde(custom(secret_given))]
    pub url: Secret,
    /// Connections at most.
    #[garde(range(min = sections::POOL_SIZE_MIN, max = sections::POOL_SIZE_MAX))]
    pub pool_size: usize,
    /// What `serve` does to it first.
    #[garde(skip)]
    pub prepare: Prepare,
}

/// What `serve` does to the database before it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prepare {
    /// It must be ready.
    Nothing,
    /// Brings the schema up to date.
    Migrate,
    /// And seeds the demo fleet, if there is nothing.
    Demo,
}

/// The config of commands that need only the database.
#[derive(Debug, Clone, Deserialize, Validate)]
pub(crate) struct DatabaseOnly {
    /// The portal's own database.
    #[garde(dive)]
    pub database: Database,
}

/// The provider API.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// What callers must show. It only reads.
    #[garde(custom(secret_given))]
    pub key: Secret,
    /// What the portal's own people must show; empty: nobody may approve.
    #[garde(custom(other_than(&self.key)))]
    pub admin_key: Secret,
}

/// Whoever syncs must not be able to approve.
fn other_than(key: &Secret) -> impl FnOnce(&Secret, &()) -> garde::Result + '_ {
    move |admin_key, ()| {
        let admin_key = admin_key.expose_secret();
        if !admin_key.is_empty() && admin_key == key.expose_secret() {
            return Err(garde::Error::new("is the key of the sync, which must not be able to approve"));
        }
        Ok(())
    }
}

/// Where something is allowed that is dangerous in production.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Nowhere.
    Never,
    /// Where `SMS_ENV` says development.
    InDevelopment,
    /// Here too.
    Always,
}

impl Allowed {
    fn within(self, environment: Environment) -> bool {
        match self {
            Self::Never => false,
            Self::InDevelopment => environment == Environment::Development,
            Self::Always => true,
        }
    }
}

/// The webhook sender.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where webhooks go; empty: nowhere, they wait.
    #[garde(skip)]
    pub url: String,
    /// What they are signed with, until it is rotated.
    #[garde(custom(signable(&self.url)))]
    pub secret: Secret,
    /// Waits before each further attempt, in seconds.
    #[garde(length(min = 1, max = 30), inner(range(min = 0.0, max = 604_800.0)))]
    pub retry_after_seconds: Vec<f64>,
    /// For one attempt.
    #[garde(range(min = 100, max = 60_000))]
    pub timeout_ms: u64,
    /// Attempts at a time.
    #[garde(range(min = 1, max = 256))]
    pub concurrency: usize,
    /// Whether it may be sent to private addresses.
    #[garde(skip)]
    pub private_addresses: Allowed,
    /// Whether it may be sent over http.
    #[garde(skip)]
    pub plain_http: Allowed,
    /// Hours of nothing but failures until the endpoint is disabled.
    #[garde(range(min = 1, max = 8760))]
    pub disable_after_hours: u32,
    /// Hours for which the secret before the current one signs, too.
    #[garde(range(min = 0, max = 8760))]
    pub rotation_overlap_hours: u32,
    /// Days for which an ended message is kept.
    #[garde(range(min = 1, max = 3650))]
    pub keep_days: u32,
}

impl Webhook {
    pub(crate) fn policy(&self, environment: Environment) -> TargetPolicy {
        TargetPolicy {
            private_addresses: self.private_addresses.within(environment),
            plain_http: self.plain_http.within(environment),
        }
    }
}

/// A webhook that is not signed proves nothing.
fn signable(url: &str) -> impl FnOnce(&Secret, &()) -> garde::Result + '_ {
    use contracts::webhook::signature::{InvalidSecret, Secret as Signing};

    move |secret, ()| match Signing::parse(secret) {
        Ok(_) => Ok(()),
        Err(InvalidSecret::Empty) if url.is_empty() && secret.expose_secret().is_empty() => Ok(()),
        Err(error) => Err(garde::Error::new(error.to_string())),
    }
}
