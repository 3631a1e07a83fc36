//! The `[onboarding]` section of a daemon's config.

use std::time::Duration;

use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{CircuitOptions, PortalOptions};

/// `[onboarding]`: how the client reaches the onboarding portal's API.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct PortalConfig {
    /// Base URL of the API: `http://localhost:3001/api`.
    #[garde(length(min = 8))]
    pub url: String,
    #[garde(custom(api_key_given))]
    pub api_key: SecretString,
    /// A file in PEM with the certificates of a private authority, accepted beside the platform's. Empty: none.
    #[garde(skip)]
    pub ca_file: String,
    /// From sending a request to the end of its answer.
    #[garde(range(min = 1, max = 600))]
    pub timeout_seconds: u64,
    /// Failures in a row that open the circuit.
    #[garde(range(min = 1, max = 1000))]
    pub circuit_failures: u32,
    /// How long the circuit stays open.
    #[garde(range(min = 100, max = 3_600_000))]
    pub circuit_open_ms: u64,
}

fn api_key_given(key: &SecretString, _: &()) -> garde::Result {
    if key.expose_secret().is_empty() { Err(garde::Error::new("is missing")) } else { Ok(()) }
}

impl From<&PortalConfig> for PortalOptions {
    fn from(config: &PortalConfig) -> Self {
        Self {
            url: config.url.clone(),
            api_key: config.api_key.clone(),
            ca_file: (!config.ca_file.is_empty()).then(|| config.ca_file.clone().into()),
            timeout: Duration::from_secs(config.timeout_seconds),
            circuit: CircuitOptions {
                failures: config.circuit_failures,
                open_for: Duration::from_millis(config.circuit_open_ms),
            },
        }
    }
}
