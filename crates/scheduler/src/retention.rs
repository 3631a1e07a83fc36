//! Retention: what ended long ago is forgotten. What is open, dead letters that nobody has handled, and the audit stay.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use domain::clock::Clock;
use store::{
    Store,
    engine::retention::{Purged, retention_purge},
};

use crate::{config, leader::Done};

/// Forgets.
pub(crate) struct Housekeeping {
    clock: Arc<dyn Clock>,
    every: Duration,
    keep: TimeDelta,
}

impl Housekeeping {
    pub(crate) fn new(clock: Arc<dyn Clock>, config: &config::Retention) -> Self {
        Self {
            clock,
            every: Duration::from_secs(config.look_every_seconds),
            keep: TimeDelta::days(config.days),
        }
    }

    pub(crate) const fn every(&self) -> Duration {
        self.every
    }

    pub(crate) async fn look(&self, store: &Store) -> Done {
        let gone = retention_purge(&mut *store.db().await?, self.clock.now() - self.keep).await?;
        if gone != Purged::default() {
            let Purged { syncs, webhook_events, dead_letters } = gone;
            tracing::info!(syncs, webhook_events, dead_letters, "forgot what ended long ago");
        }
        Ok(())
    }
}
