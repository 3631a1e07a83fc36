//! What every process of a test is started with: variables, secrets, patience.

use std::{collections::BTreeMap, time::Duration};

/// How long a test waits for what must happen; on a busy machine it may take long.
pub const PATIENCE: Duration = Duration::from_secs(150);

pub(crate) const WEBHOOK_SECRET: &str = "whsec_ZTJlLWUyZS1lMmUtZTJlLWUyZS1lMmUtZTJlLWUyZQ==";
pub(crate) const ONBOARDING_API_KEY: &str = "e2e-key-of-the-onboarding-portal";
/// Of the portal's own people.
pub const ONBOARDING_ADMIN_KEY: &str = "e2e-key-of-the-portals-own-people";
pub(crate) const OPERATOR_JWT_SECRET: &str = "e2e-secret-that-operators-tokens-are-signed-with";
pub(crate) const PASSWORD_SEAL_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub(crate) type Environment = BTreeMap<String, String>;

/// A client for each question: connections that outlive the runtime of one test fail in the next.
pub(crate) fn http() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?)
}
