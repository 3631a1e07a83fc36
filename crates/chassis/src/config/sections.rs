//! Sections of the config that several daemons have, each with its bounds and its environment variables.
//!
//! A daemon's own `defaults.toml` holds the defaults and says what a key means to it.

use base64::{Engine, prelude::BASE64_STANDARD};
use garde::Validate;
use serde::Deserialize;

use super::{
    named_secrets::named_secrets,
    secret::{ExposeSecret, Secret, secret_given},
    variable::Variable,
};
use crate::http::CertificateFiles;

/// Least length of `server.bind`: `:80`.
pub const BIND_MIN_LENGTH: usize = 3;

/// Longest `server.drain_ms`.
const DRAIN_MS_MAX: u64 = 60_000;

/// Least number of pooled connections. Work that holds one in a transaction may need a second one beside it.
pub const POOL_SIZE_MIN: usize = 2;

pub const POOL_SIZE_MAX: usize = 200;

/// Length of a key that seals passwords.
const SEAL_KEY_BYTES: usize = 32;

/// `[server]`: where a daemon listens.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `host:port`
    #[garde(length(min = BIND_MIN_LENGTH))]
    pub bind: String,
    /// Path of the certificate chain in PEM; empty: plain HTTP.
    #[serde(default)]
    #[garde(custom(with_key(&self.tls_key)))]
    pub tls_certificate: String,
    /// Path of the key in PEM.
    #[serde(default)]
    #[garde(skip)]
    pub tls_key: String,
    /// How long the service still answers when it is asked to end, while `/readyz` says 503, so that a gateway notices.
    #[serde(default = "default_drain_ms")]
    #[garde(range(max = DRAIN_MS_MAX))]
    pub drain_ms: u64,
}

const fn default_drain_ms() -> u64 {
    300
}

/// One without the other would serve plain HTTP in silence.
fn with_key(key: &str) -> impl FnOnce(&String, &()) -> garde::Result + '_ {
    move |certificate, ()| {
        if certificate.is_empty() == key.is_empty() {
            return Ok(());
        }
        let missing = if certificate.is_empty() { "TLS_CERTIFICATE" } else { "TLS_KEY" };
        Err(garde::Error::new(format!("and server.tls_key must be set together: {missing} is empty")))
    }
}

impl Server {
    pub const BIND: Variable = Variable::plain("BIND", "server.bind");
    pub const TLS_CERTIFICATE: Variable = Variable::plain("TLS_CERTIFICATE", "server.tls_certificate");
    pub const TLS_KEY: Variable = Variable::plain("TLS_KEY", "server.tls_key");

    /// The files to serve TLS with, if any.
    #[must_use]
    pub fn certificate_files(&self) -> Option<CertificateFiles> {
        (!self.tls_certificate.is_empty()).then(|| CertificateFiles {
            chain: self.tls_certificate.clone().into(),
            key: self.tls_key.clone().into(),
        })
    }
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
    /// 32 bytes in base64, the same for all daemons. Seals new passwords.
    #[garde(custom(usable_seal_key))]
    pub seal_key: Secret,
    /// More keys, which open passwords that were sealed with them: [`named_secrets`].
    #[garde(custom(usable_seal_keys))]
    pub seal_keys: Secret,
}

fn usable_seal_key(key: &Secret, _: &()) -> garde::Result {
    secret_given(key, &())?;
    let bytes = BASE64_STANDARD.decode(key.expose_secret().trim());
    let fits = bytes.is_ok_and(|bytes| bytes.len() == SEAL_KEY_BYTES);
    if fits { Ok(()) } else { Err(garde::Error::new("must be 32 bytes in base64")) }
}

fn usable_seal_keys(keys: &Secret, _: &()) -> garde::Result {
    let keys = named_secrets(keys).map_err(garde::Error::new)?;
    keys.iter().try_for_each(|key| {
        usable_seal_key(&key.secret, &())
            .map_err(|error| garde::Error::new(format!("holds {:?}: it {error}", key.name)))
    })
}

impl Passwords {
    pub const SEAL_KEY: Variable = Variable::secret("PASSWORD_SEAL_KEY", "passwords.seal_key");
    pub const SEAL_KEYS: Variable = Variable::secrets("PASSWORD_SEAL_KEYS", "passwords.seal_keys");
}
