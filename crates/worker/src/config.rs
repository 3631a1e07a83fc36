//! Config of this process. `defaults.toml` says what each key means.

use std::time::Duration;

use chassis::{
    Daemon,
    config::{
        Variable,
        sections::{Broker, Database, Passwords, Server},
    },
};
use domain::HashSlice;
use garde::Validate;
use portal_client::PortalConfig;
use serde::Deserialize;

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "worker",
    version: env!("CARGO_PKG_VERSION"),
    about: "Takes events, commands and tasks; fetches, validates, transforms, writes.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        Server::BIND,
        Server::TLS_CERTIFICATE,
        Server::TLS_KEY,
        Database::URL,
        Broker::URL,
        Variable::plain("ONBOARDING_API_URL", "onboarding.url"),
        Variable::secret("ONBOARDING_API_KEY", "onboarding.api_key"),
        Passwords::SEAL_KEY,
        Passwords::SEAL_KEYS,
    ],
    services: &["worker"],
    grace: Duration::from_secs(40),
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
    pub onboarding: PortalConfig,
    /// How much at a time.
    #[garde(dive)]
    pub work: Work,
    /// Temporary passwords.
    #[garde(dive)]
    pub passwords: Passwords,
}

/// How much at a time.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Page tasks in hand: being fetched, waiting for their turn, or being written.
    #[garde(range(min = 1, max = 100))]
    pub tasks: u16,
    /// Of these, pages that are read and written; 0: see [`Work::writes_at_once`].
    #[garde(range(max = 100))]
    pub writes: u16,
    /// Requests to the onboarding portal under way, of all workers together.
    #[garde(range(min = 2, max = 1_000))]
    pub portal_requests: u16,
    /// Requests to the onboarding portal a second, of all workers together; 0: no limit.
    #[garde(range(max = 100_000))]
    pub portal_requests_per_second: u32,
    /// Slices of a list that are fetched side by side, rounded down to a power of two.
    #[garde(range(min = 1, max = HashSlice::COUNT_LIMIT))]
    pub slices: u8,
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
    /// Between two looks for active users without a password.
    #[garde(range(min = 10, max = 3_600_000))]
    pub passwords_every_ms: u64,
}

impl Work {
    /// Pages that are read and written at a time: as many as was said, or one for each processor and two at least. More of them
    /// would only wait for each other.
    pub(crate) fn writes_at_once(&self) -> u16 {
        let processors = || std::thread::available_parallelism().map_or(1, |it| it.get());
        match self.writes {
            0 => u16::try_from(processors()).unwrap_or(u16::MAX).clamp(2, 100),
            writes => writes,
        }
    }
}
