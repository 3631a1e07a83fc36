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

/// How long nobody asks again, whatever came of it.
const ASKED_AGE_LIMIT: Duration = Duration::from_secs(60);
/// How long the last answer counts while the portal fails to give another: it may be an older portal meanwhile.
const ANSWER_AGE_LIMIT: Duration = Duration::from_secs(5 * 60);

/// What the portal said last. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownCapabilities(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    asked_at: Option<Instant>,
    answer: Option<(Capabilities, Instant)>,
}

impl KnownCapabilities {
    /// What the portal says about itself, asked at most once a minute. A portal that does not know the question can do the least,
    /// and so can one that fails to answer it, unless it has answered before.
    pub(crate) async fn get(&self, portal: &PortalClient, limiter: &PortalLimiter) -> Capabilities {
        // Held while one asks: the others wait for the same answer.
        let mut known = self.0.lock().await;
        if known.asked_at.is_none_or(|at| at.elapsed() >= ASKED_AGE_LIMIT) {
            let answer = self.ask(portal, limiter).await;
            known.asked_at = Some(Instant::now());
            if let Some(answer) = answer {
                known.answer = Some((answer, Instant::now()));
            }
        }
        let answer = known.answer.as_ref().filter(|(_, at)| at.elapsed() < ANSWER_AGE_LIMIT);
        answer.map(|(capabilities, _)| capabilities.clone()).unwrap_or_default()
    }

    /// None if the portal fails to answer.
    async fn ask(&self, portal: &PortalClient, limiter: &PortalLimiter) -> Option<Capabilities> {
        match limiter.run(Traffic::Pages, portal.fetch_capabilities()).await {
            Ok(capabilities) => Some(capabilities),
            Err(WorkError::Portal(PortalError::Status { status: 404 | 405 | 501, .. })) => {
                Some(Capabilities::default())
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the onboarding portal fails to say what it can do: what it said some minutes ago counts, or lists are one chain"
                );
                None
            }
        }
    }
}
