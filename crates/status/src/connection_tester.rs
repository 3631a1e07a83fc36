//! The connection test, at most one in some seconds: operators and scripts repeat it, and each is a request to the portal.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::clock::Clock;
use portal_client::{ConnectionStep, PortalClient};
use tokio::{sync::Mutex, time::Instant};

/// A test within this time of the last one is answered with the result of the last one.
const TEST_INTERVAL: Duration = Duration::from_secs(5);

/// The last test.
#[derive(Debug, Default)]
pub(crate) struct ConnectionTester(Mutex<Option<TestedConnection>>);

#[derive(Debug, Clone)]
pub(crate) struct TestedConnection {
    ended_at: Instant,
    pub(crate) tested_at: DateTime<Utc>,
    pub(crate) steps: Vec<ConnectionStep>,
}

impl ConnectionTester {
    /// Tests the connection, unless it was tested just now. Who comes during a test waits for its result.
    pub(crate) async fn test(&self, portal: &PortalClient, clock: &dyn Clock) -> TestedConnection {
        let mut last = self.0.lock().await;
        match &*last {
            Some(tested) if tested.ended_at.elapsed() < TEST_INTERVAL => tested.clone(),
            _ => {
                let tested_at = clock.now();
                let steps = portal.test_connection().await;
                let tested = TestedConnection { ended_at: Instant::now(), tested_at, steps };
                *last = Some(tested.clone());
                tested
            }
        }
    }
}
