//! Config of this process. `defaults.toml` says what each key means.

use std::time::Duration;

use chassis::{
    Daemon,
    auth::{IssuerOptions, MIN_SECRET_BYTES},
    config::{
        Secret, Variable, named_secrets, secret_min_bytes,
        sections::{Broker, Database, Passwords, Server},
    },
};
use garde::Validate;
use portal_client::PortalConfig;
use serde::Deserialize;
use url::{Host, Url};

use crate::issuer_keys::KeySource;

/// Name, defaults and environment variables of this daemon.
pub const DAEMON: Daemon = Daemon {
    name: "status",
    version: env!("CARGO_PKG_VERSION"),
    about: "Serves the operator API (REST, server-sent events) and the dashboard.",
    defaults: include_str!("../defaults.toml"),
    variables: &[
        Server::BIND,
        Server::TLS_CERTIFICATE,
        Server::TLS_KEY,
        Database::URL,
        Broker::URL,
        Variable::plain("ONBOARDING_API_URL", "onboarding.url"),
        Variable::secret("ONBOARDING_API_KEY", "onboarding.api_key"),
        Variable::secret("OPERATOR_JWT_SECRET", "operators.jwt_secret"),
        Variable::secrets("OPERATOR_JWT_SECRETS", "operators.jwt_secrets"),
        Variable::plain("OPERATOR_TOKEN_MAX_LIFETIME_HOURS", "operators.token_max_lifetime_hours"),
        Variable::plain("OPERATOR_ISSUER", "operators.issuer"),
        Variable::plain("OPERATOR_JWKS_URL", "operators.jwks_url"),
        Variable::plain("OPERATOR_JWKS_FILE", "operators.jwks_file"),
        Passwords::SEAL_KEY,
        Passwords::SEAL_KEYS,
    ],
    services: &["status"],
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
    pub onboarding: PortalConfig,
    #[garde(dive)]
    pub operators: Operators,
    #[garde(dive)]
    pub passwords: Passwords,
    #[garde(dive)]
    pub updates: Updates,
}

/// `[operators]`: how the tokens of operators are verified.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Operators {
    /// Secret of the HS256 signature.
    #[garde(custom(secret_min_bytes(MIN_SECRET_BYTES)))]
    pub jwt_secret: Secret,
    /// More secrets that tokens may be signed with: `name=secret` or `name@time=secret`.
    #[garde(custom(usable_jwt_secrets))]
    pub jwt_secrets: Secret,
    /// Tokens that are valid for longer are refused.
    #[garde(range(min = 1, max = 8_760))]
    pub token_max_lifetime_hours: u64,
    /// `iss` of the tokens of an identity provider. Empty: only our own tokens are accepted.
    #[garde(custom(|issuer: &str, _: &_| keys_named(issuer, &self.jwks_url, &self.jwks_file)))]
    pub issuer: String,
    /// What must be among the `aud` of the provider's tokens.
    #[garde(length(min = 1))]
    pub audience: String,
    /// The claim with the role in the provider's tokens, or a path to it.
    #[garde(length(min = 1))]
    pub role_claim: String,
    /// Where the provider publishes its public keys.
    #[garde(custom(safe_jwks_url))]
    pub jwks_url: String,
    /// A file with them.
    #[garde(skip)]
    pub jwks_file: String,
    /// Requests of one operator in the long run; 0: any number.
    #[garde(range(max = 1_000_000))]
    pub rate_per_second: u32,
    /// Requests of one operator at once.
    #[garde(range(min = 1, max = 1_000_000))]
    pub rate_burst: u32,
}

impl Operators {
    pub(crate) fn token_max_lifetime(&self) -> Duration {
        Duration::from_secs(self.token_max_lifetime_hours * 3600)
    }

    /// The identity provider whose tokens are accepted, and where its keys are.
    pub(crate) fn issuer(&self) -> Option<(IssuerOptions, anyhow::Result<KeySource>)> {
        let Self { issuer, audience, role_claim, jwks_url, jwks_file, .. } = self;
        let options = IssuerOptions {
            name: issuer.clone(),
            audience: audience.clone(),
            role_claim: role_claim.clone(),
        };
        let source = if jwks_url.is_empty() {
            Ok(KeySource::File(jwks_file.into()))
        } else {
            KeySource::url(jwks_url.clone())
        };
        (!issuer.is_empty()).then_some((options, source))
    }
}

/// Keys alone, and an issuer alone, would be settings that do nothing.
fn keys_named(issuer: &str, url: &str, file: &str) -> garde::Result {
    match (issuer.is_empty(), url.is_empty(), file.is_empty()) {
        (true, true, true) | (false, false, true) | (false, true, false) => Ok(()),
        (true, ..) => Err(garde::Error::new(
            "is missing: it is the `iss` of the tokens whose keys OPERATOR_JWKS_URL or OPERATOR_JWKS_FILE names",
        )),
        (false, ..) => {
            Err(garde::Error::new("needs public keys: either OPERATOR_JWKS_URL or OPERATOR_JWKS_FILE"))
        }
    }
}

/// Whoever can change the keys on their way can sign as anybody.
fn safe_jwks_url(url: &str, _: &()) -> garde::Result {
    if url.is_empty() {
        return Ok(());
    }
    let url = Url::parse(url).map_err(|error| garde::Error::new(format!("is no URL: {error}")))?;
    let is_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_this_machine => Ok(()),
        _ => Err(garde::Error::new("must begin with https://, unless it leads to this machine")),
    }
}

fn usable_jwt_secrets(secrets: &Secret, _: &()) -> garde::Result {
    let secrets = named_secrets(secrets).map_err(garde::Error::new)?;
    secrets.iter().try_for_each(|it| {
        let judged = secret_min_bytes(MIN_SECRET_BYTES)(&it.secret, &());
        judged.map_err(|error| garde::Error::new(format!("holds {:?}, which {error}", it.name)))
    })
}

/// `[updates]`: limits of the event stream.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Updates {
    /// Clients connected at the same time.
    #[garde(range(min = 1, max = 100_000))]
    pub clients: usize,
    /// Clients of one operator connected at the same time.
    #[garde(range(min = 1, max = 100_000))]
    pub clients_per_operator: usize,
    /// Updates that wait for a slow client; beyond this number it is told to fetch its data again.
    #[garde(range(min = 16, max = 100_000))]
    pub backlog: usize,
    /// Missed updates that a client gets when it comes back; with more of them it is told to fetch its data again.
    #[garde(range(max = 1_000_000))]
    pub resume_limit: u64,
}
