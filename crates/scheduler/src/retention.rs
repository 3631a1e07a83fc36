//! Retention: deletes rows that ended long ago. Open work, dead letters that nobody has handled, and the audit log are kept.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::clock::Clock;
use store::{
    Store, StoreError,
    engine::retention::{Purged, retention_purge},
};

use crate::{
    config,
    periodic_task::{PeriodicTask, TaskRun},
};

pub(crate) struct RetentionTask {
    clock: Arc<dyn Clock>,
    interval: Duration,
    keep: TimeDelta,
}

impl RetentionTask {
    pub(crate) fn new(clock: Arc<dyn Clock>, config: &config::Retention) -> Self {
        Self {
            clock,
            interval: Duration::from_secs(config.look_every_seconds),
            keep: TimeDelta::days(config.days),
        }
    }

    async fn purge(&self, store: &Store) -> Result<(), StoreError> {
        let purged = retention_purge(&mut *store.db().await?, self.clock.now() - self.keep).await?;
        if purged != Purged::default() {
            let Purged { syncs, webhook_events, dead_letters } = purged;
            tracing::info!(syncs, webhook_events, dead_letters, "deleted rows that ended long ago");
        }
        Ok(())
    }
}

impl PeriodicTask for RetentionTask {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t> {
        Box::pin(self.purge(store))
    }
}
