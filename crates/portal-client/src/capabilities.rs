//! What the portal can do beyond the least, asked once in a while: a portal may learn, or forget, at any time.

use std::time::{Duration, Instant};

use contracts::provider::Capabilities;
use tokio::sync::Mutex;

use crate::PortalError;

/// How long an answer counts.
const AGE_LIMIT: Duration = Duration::from_secs(60);

/// The last answer, and when it came.
#[derive(Debug, Default)]
pub(crate) struct KnownCapabilities(Mutex<Option<(Capabilities, Instant)>>);

impl KnownCapabilities {
    /// What is known, or what `ask` brings. A portal that does not answer to the question, or not in its terms, can do the
    /// least.
    pub(crate) async fn get_or(
        &self,
        ask: impl Future<Output = Result<Capabilities, PortalError>>,
    ) -> Capabilities {
        // Held while one asks: the others wait for the same answer.
        let mut known = self.0.lock().await;
        if let Some((capabilities, at)) = &*known
            && at.elapsed() < AGE_LIMIT
        {
            return capabilities.clone();
        }
        let capabilities = ask.await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "the portal does not say what it can do");
            Capabilities::default()
        });
        *known = Some((capabilities.clone(), Instant::now()));
        capabilities
    }
}
