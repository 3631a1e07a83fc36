//! What the onboarding portal can do beyond the least, asked once in a while: a portal may learn, or forget, at any time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::provider::Capabilities;
use portal_client::{PortalClient, PortalError};
use tokio::sync::Mutex;

use crate::{
    failure::WorkError,
    portal_limiter::{PortalLimiter, Traffic},
};

/// How long an answer counts.
const AGE_LIMIT: Duration = Duration::from_secs(60);

/// The last answer, and when it came. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownCapabilities(Arc<Mutex<Option<(Capabilities, Instant)>>>);

impl KnownCapabilities {
    /// What the portal says about itself, asked at most once a minute. A portal that does not know the question can do the least,
    /// and so can one that fails to answer it, unless it has answered before.
    pub(crate) async fn get(&self, portal: &PortalClient, limiter: &PortalLimiter) -> Capabilities {
        // Held while one asks: the others wait for the same answer.
        let mut known = self.0.lock().await;
        if let Some((capabilities, at)) = &*known
            && at.elapsed() < AGE_LIMIT
        {
            return capabilities.clone();
        }
        let capabilities = match limiter.run(Traffic::Pages, portal.fetch_capabilities()).await {
            Ok(capabilities) => capabilities,
            Err(WorkError::Portal(PortalError::Status { status: 404 | 405 | 501, .. })) => {
                Capabilities::default()
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the onboarding portal fails to say what it can do: what it said before counts, or lists are one chain"
                );
                return known.as_ref().map(|(before, _)| before.clone()).unwrap_or_default();
            }
        };
        *known = Some((capabilities.clone(), Instant::now()));
        capabilities
    }
}
