//! Config of this process. `defaults.toml` says what each key means.

use std::time::Duration;

use chassis::{
    Daemon,
    config::sections::{Broker, Database, Server},
};
use garde::Validate;
use serde::Deserialize;
use store::ledger::audit_chain::AUDIT_DAYS_MIN;

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "scheduler",
    version: env!("CARGO_PKG_VERSION"),
    about: "The system's clock: cron schedules, the outbox relay, the reaper of stuck work.",
    defaults: include_str!("../defaults.toml"),
    variables: &[Server::BIND, Server::TLS_CERTIFICATE, Server::TLS_KEY, Database::URL, Broker::URL],
    services: &["scheduler"],
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
    /// The cron schedule.
    #[garde(dive)]
    pub schedule: Schedule,
    /// Stuck work.
    #[garde(dive)]
    pub reaper: Reaper,
    /// Withdrawals that were announced for a time.
    #[garde(dive)]
    pub withdrawals: Withdrawals,
    /// What is forgotten.
    #[garde(dive)]
    pub retention: Retention,
}

/// The cron schedule.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Between two looks.
    #[garde(range(min = 50, max = 60_000))]
    pub look_every_ms: u64,
    /// How late a tick may fire.
    #[garde(range(min = 1, max = 10_080))]
    pub catch_up_minutes: i64,
}

/// Stuck work.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Reaper {
    /// Between two looks.
    #[garde(range(min = 50, max = 3_600_000))]
    pub look_every_ms: u64,
    /// Without a sign of life.
    #[garde(range(min = 1, max = 86_400))]
    pub lease_seconds: u64,
    /// Leases without a sign of life that end a sync.
    #[garde(range(min = 1, max = 1000))]
    pub stalled_after_leases: u32,
}

/// Withdrawals that were announced for a time.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Withdrawals {
    /// Between two looks.
    #[garde(range(min = 1, max = 3_600))]
    pub look_every_seconds: u64,
}

/// What is forgotten.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Between two looks.
    #[garde(range(min = 1, max = 86_400))]
    pub look_every_seconds: u64,
    /// How long what has ended is kept.
    #[garde(range(min = 7, max = 3_650))]
    pub days: i64,
    /// How long the audit log is kept.
    #[garde(range(min = AUDIT_DAYS_MIN, max = 36_500))]
    pub audit_days: i64,
}
