//! Stuck work: what was published and shows no sign of life is published again, a run that does not move for long is
//! ended as stalled, and what is left of ended runs is ended.
//!
//! A broker that lost its disk, a worker that vanished with the last message of a run, a task that was locked when its
//! run was cancelled: all of them leave a row behind that says what should have happened. What comes twice is harmless.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::clock::Clock;
use outbox::Outbox;
use store::{
    Store,
    run_control::{run_detail_note, runs_stalled},
    sync_runs::{Run, run_fail, tasks_of_ended_runs_cancel},
    unpublished::{Republished, stalled_republish},
};

use crate::{leader::Done, settings};

/// Looks for stuck work.
pub(crate) struct Reaper {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    every: Duration,
    lease: Duration,
    stalled_after: i64,
}

impl Reaper {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>, settings: &settings::Reaper) -> Self {
        Self {
            outbox,
            clock,
            every: Duration::from_millis(settings.look_every_ms),
            lease: Duration::from_secs(settings.lease_seconds),
            stalled_after: settings.stalled_after_leases.into(),
        }
    }

    pub(crate) const fn every(&self) -> Duration {
        self.every
    }

    pub(crate) async fn look(&self, store: &Store) -> Done {
        let now = self.clock.now();
        let before = now - self.lease;
        let mut db = store.db().await?;
        for run in runs_stalled(&mut db, before, now).await? {
            self.stalled(store, &run, now).await?;
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

    /// A run without a sign of life: says so, and ends it when its lease is over for the last time.
    async fn stalled(&self, store: &Store, run: &Run, now: DateTime<Utc>) -> Done {
        let age = now - run.heartbeat_at;
        let leases = age.num_seconds() / i64::try_from(self.lease.as_secs()).unwrap_or(i64::MAX).max(1);
        tracing::warn!(
            sync.id = %run.id,
            sync.state = %run.state,
            heartbeat_age_s = age.num_seconds(),
            leases,
            "a run does not move"
        );
        let since = run.heartbeat_at.format("%Y-%m-%d %H:%M:%S UTC");
        if leases < self.stalled_after {
            let left = self.stalled_after - leases;
            let detail = format!(
                "no sign of life since {since}; its messages are published again, and it fails as stalled after {left} \
                 more lease(s) of {} s",
                self.lease.as_secs()
            );
            return run_detail_note(&mut *store.db().await?, run.id, &detail, now).await;
        }
        let failure = format!("stalled: no sign of life since {since}; resume it when workers run again");
        let failed = store.transaction(async |tx| run_fail(tx, run.id, &failure, now).await).await?;
        if failed {
            tracing::error!(sync.id = %run.id, "a run was ended as stalled");
            metrics::counter!("sms_reaper_stalled_runs_total").increment(1);
        }
        Ok(())
    }
}
