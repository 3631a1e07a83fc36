//! Temporary passwords that were not used in time: removed with their hashes.

use std::{sync::Arc, time::Duration};

use domain::clock::Clock;
use store::{Store, StoreError, records::expired_passwords_purge};

use crate::periodic_task::{PeriodicTask, RunResult, TaskRun};

/// An expired password is refused before; this is how much longer its seal may stay.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// Users whose passwords are removed in one transaction.
const BATCH_LIMIT: u32 = 1000;

pub(crate) struct PasswordExpiryTask {
    clock: Arc<dyn Clock>,
}

impl PasswordExpiryTask {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    async fn purge(&self, store: &Store) -> Result<RunResult, StoreError> {
        let now = self.clock.now();
        let users = store.transaction(async |tx| expired_passwords_purge(tx, now, BATCH_LIMIT).await).await?;
        if users == 0 {
            return Ok(RunResult::Finished);
        }
        tracing::info!(users, "removed temporary passwords that were not used in time");
        Ok(RunResult::MoreWork)
    }
}

impl PeriodicTask for PasswordExpiryTask {
    fn name(&self) -> &'static str {
        "password expiry"
    }

    fn interval(&self) -> Duration {
        LOOK_INTERVAL
    }

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t> {
        Box::pin(self.purge(store))
    }
}
