//! What the portal can do beyond the least, asked once in a while: a portal may learn, or forget, at any time.

use std::time::{Duration, Instant};

use contracts::provider::Capabilities;
use reqwest::Method;

use crate::{PortalClient, PortalError, body::decode_body};

const PATH: &str = "sync/capabilities";
/// How long an answer counts.
const AGE_LIMIT: Duration = Duration::from_secs(60);

/// An answer, and when it came.
#[derive(Debug, Clone)]
pub(crate) struct KnownCapabilities {
    capabilities: Capabilities,
    at: Instant,
}

impl PortalClient {
    /// What the portal says about itself, asked at most once a minute. A portal that does not answer to it, or not in these
    /// terms, can do the least.
    pub async fn capabilities(&self) -> Capabilities {
        // Held while one asks: the others wait for the same answer.
        let mut known = self.known_capabilities.lock().await;
        if let Some(known) = &*known
            && known.at.elapsed() < AGE_LIMIT
        {
            return known.capabilities.clone();
        }
        let asked: Result<Capabilities, PortalError> =
            self.request_guarded(Method::GET, PATH, None, |body| decode_body(body, PATH)).await;
        let capabilities = asked.unwrap_or_else(|error| {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the portal does not say what it can do"
            );
            Capabilities::default()
        });
        *known = Some(KnownCapabilities { capabilities: capabilities.clone(), at: Instant::now() });
        capabilities
    }
}
