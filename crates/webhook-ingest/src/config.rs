//! Config of this process. `defaults.toml` says what each key means.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use chassis::{
    Daemon,
    config::{
        Secret, Variable,
        sections::{Broker, Database, Server},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::webhook::signature::{self, Keyring};
use garde::Validate;
use ipnet::IpNet;
use serde::Deserialize;

use crate::{
    rejection_log::RejectionLogLimits,
    secrets::{self, SecretsError},
};

/// What is particular about this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "webhook-ingest",
    version: env!("CARGO_PKG_VERSION"),
    about: "Verifies signed approval webhooks, records them, publishes them, answers.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        Server::BIND,
        Server::TLS_CERTIFICATE,
        Server::TLS_KEY,
        Database::URL,
        Broker::URL,
        Variable::secret("WEBHOOK_SECRET", "webhook.secret"),
        Variable::secrets("WEBHOOK_SECRETS", "webhook.secrets"),
    ],
    services: &["webhook-ingest"],
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
    /// Verification and recording.
    #[garde(dive)]
    pub webhook: Webhook,
}

/// Verification and recording.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The current secret.
    #[garde(custom(usable(&self.secrets)))]
    pub secret: Secret,
    /// More secrets: `name=secret` or `name@time=secret`, separated by commas or line ends.
    #[garde(skip)]
    pub secrets: Secret,
    /// Accept `X-Hub-Signature-256`, too.
    #[garde(skip)]
    pub hub_signature: bool,
    /// Either way.
    #[garde(range(min = 1, max = 3600))]
    pub tolerance_seconds: i64,
    /// Larger bodies are answered with 413.
    #[garde(range(min = 1024, max = 16 * 1024 * 1024))]
    pub largest_body_bytes: usize,
    /// Webhooks of one source in the long sync; 0: any number.
    #[garde(skip)]
    pub rate_per_second: u32,
    /// Webhooks of one source at once.
    #[garde(skip)]
    pub rate_burst: u32,
    /// Gateways whose `X-Forwarded-For` is believed.
    #[garde(custom(networks))]
    pub trusted_proxies: Vec<String>,
    /// Requests that may wait for the database.
    #[garde(range(min = 1, max = 1_000_000))]
    pub waiting_limit: usize,
    /// Bytes of bodies in hand.
    #[garde(range(min = 16 * 1024 * 1024))]
    pub waiting_bytes: usize,
    /// How long the database may take for a batch.
    #[garde(range(min = 100, max = 60_000))]
    pub database_patience_ms: u64,
    /// Rows a minute in the log of refused requests, per reason.
    #[garde(range(min = 1, max = 6000))]
    pub refused_per_minute: u32,
    /// Rows in the log of refused requests.
    #[garde(range(min = 1, max = 1_000_000))]
    pub refused_kept: u32,
    /// How long they are kept.
    #[garde(range(min = 1, max = 3650))]
    pub refused_kept_days: i64,
}

impl Webhook {
    /// The secrets in use, by name.
    pub(crate) fn keyring(&self, now: DateTime<Utc>) -> Result<Keyring, SecretsError> {
        let secrets = secrets::parse(&self.secret, &self.secrets)?;
        for named in &secrets {
            if named.secret.is_short() {
                tracing::warn!(
                    webhook.key = %named.name,
                    "a webhook secret is shorter than {} bytes and can be guessed; rotate it",
                    signature::SHORTEST_WISE_SECRET
                );
            }
            match named.expires_at {
                Some(expiry) if expiry <= now => {
                    tracing::warn!(webhook.key = %named.name, %expiry, "a webhook secret has expired");
                }
                Some(expiry) => {
                    tracing::info!(webhook.key = %named.name, %expiry, "a webhook secret is in use")
                }
                None => tracing::info!(webhook.key = %named.name, "a webhook secret is in use"),
            }
        }
        if self.hub_signature {
            tracing::warn!("X-Hub-Signature-256 is accepted, too; it does not protect against replays");
        }
        Ok(Keyring::new(secrets, TimeDelta::seconds(self.tolerance_seconds)))
    }

    /// The networks of the gateways.
    pub(crate) fn proxies(&self) -> Vec<IpNet> {
        self.trusted_proxies.iter().filter_map(|text| network(text)).collect()
    }

    pub(crate) fn bounds(&self) -> RejectionLogLimits {
        RejectionLogLimits {
            per_minute: NonZeroU32::new(self.refused_per_minute).unwrap_or(NonZeroU32::MIN),
            rows: self.refused_kept,
            age: TimeDelta::days(self.refused_kept_days),
        }
    }
}

/// Whether the secrets can be used; both fields are judged in one.
fn usable(more: &Secret) -> impl FnOnce(&Secret, &()) -> garde::Result + '_ {
    move |current, ()| {
        secrets::parse(current, more).map(drop).map_err(|error| garde::Error::new(error.to_string()))
    }
}

fn networks(texts: &[String], _: &()) -> garde::Result {
    match texts.iter().find(|text| network(text).is_none()) {
        Some(text) => Err(garde::Error::new(format!("has {text:?}, which is no address and no network"))),
        None => Ok(()),
    }
}

/// `10.0.0.0/8`, or a single address.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
