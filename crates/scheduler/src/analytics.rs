//! Keeps the analytics counted.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::clock::Clock;
use store::{
    Store, StoreError,
    engine::analytics::{analytics_count, analytics_purge},
};

use crate::periodic_task::{PeriodicTask, RunResult, TaskRun};

/// How far the figures may be behind.
const COUNT_INTERVAL: Duration = Duration::from_secs(30);

/// Windows that are removed in one transaction.
const PURGE_LIMIT: u32 = 10_000;

pub(crate) struct AnalyticsTask {
    clock: Arc<dyn Clock>,
}

impl AnalyticsTask {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    async fn count(&self, store: &Store) -> Result<RunResult, StoreError> {
        let now = self.clock.now();
        let counted = store.transaction(async |tx| analytics_count(tx, now).await).await?;
        let purged = store.transaction(async |tx| analytics_purge(tx, now, PURGE_LIMIT).await).await?;
        let is_behind = counted.is_some_and(|until| until + TimeDelta::minutes(1) < now);
        Ok(if is_behind || purged > 0 { RunResult::MoreWork } else { RunResult::Finished })
    }
}

impl PeriodicTask for AnalyticsTask {
    fn name(&self) -> &'static str {
        "analytics"
    }

    fn interval(&self) -> Duration {
        COUNT_INTERVAL
    }

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t> {
        Box::pin(self.count(store))
    }
}
