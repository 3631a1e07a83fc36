//! Stuck work: what was published and shows no sign of life is published again, and what is left of ended runs is ended.
//!
//! A broker that lost its disk, a worker that vanished with the last message of a run, a task that was locked when its
//! run was cancelled: all of them leave a row behind that says what should have happened. What comes twice is harmless.

use std::{sync::Arc, time::Duration};

use domain::clock::Clock;
use outbox::Outbox;
use store::{
    Store,
    sync_runs::{runs_stalled, tasks_of_ended_runs_cancel},
    unpublished::{Republished, stalled_republish},
};

use crate::{leader::Done, settings};

/// Looks for stuck work.
pub(crate) struct Reaper {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    every: Duration,
    lease: Duration,
}

impl Reaper {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>, settings: &settings::Reaper) -> Self {
        Self {
            outbox,
            clock,
            every: Duration::from_millis(settings.look_every_ms),
            lease: Duration::from_secs(settings.lease_seconds),
        }
    }

    pub(crate) const fn every(&self) -> Duration {
        self.every
    }

    pub(crate) async fn look(&self, store: &Store) -> Done {
        let now = self.clock.now();
        let before = now - self.lease;
        let mut db = store.db().await?;
        for run in runs_stalled(&mut db, before).await? {
            let age = (now - run.heartbeat_at).num_seconds();
            tracing::warn!(sync.id = %run.id, sync.state = %run.state, heartbeat_age_s = age, "a run does not move");
        }
        let again = stalled_republish(&mut db, before).await?;
        if again != Republished::default() {
            let Republished { commands, tasks, events } = again;
            tracing::warn!(commands, tasks, events, "messages seem to be lost; publishing them again");
            metrics::counter!("sms_reaper_republished_total").increment((commands + tasks + events) as u64);
            self.outbox.wake();
        }
        let ended = tasks_of_ended_runs_cancel(&mut db, now).await?;
        if ended > 0 {
            tracing::info!(tasks = ended, "ended what was left of ended runs");
        }
        Ok(())
    }
}
