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
    engine::lifecycle::run_fail,
    ledger::{
        syncs::{Run, run_detail_note, runs_stalled},
        tasks::tasks_of_ended_runs_cancel,
        unpublished::{Republished, stalled_republish},
    },
};

use crate::{leader::Done, settings};

/// Looks for stuck work.
pub(crate) struct Reaper {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    every: Duration,
    lease: Duration,
    stalled_after: u32,
}

impl Reaper {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>, settings: &settings::Reaper) -> Self {
        Self {
            outbox,
            clock,
            every: Duration::from_millis(settings.look_every_ms),
            lease: Duration::from_secs(settings.lease_seconds),
            stalled_after: settings.stalled_after_leases,
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

    /// A run without a sign of life: says so when its lease is over, and ends it when it has been published again for as
    /// many leases and still does not move. The time counts from when it was noticed: after a night in which nobody looked,
    /// a run gets its chance.
    async fn stalled(&self, store: &Store, run: &Run, now: DateTime<Utc>) -> Done {
        let since = run.heartbeat_at.format("%Y-%m-%d %H:%M:%S UTC");
        let patience = self.lease * self.stalled_after.saturating_sub(1);
        match run.stalled_since {
            None => {
                tracing::warn!(sync.id = %run.id, sync.state = %run.state, %since, "a run does not move");
                let until = (now + patience).format("%H:%M:%S UTC");
                let detail = format!(
                    "no sign of life since {since}; its messages are published again, and it fails as stalled at {until}"
                );
                run_detail_note(&mut *store.db().await?, run.id, &detail, now).await
            }
            Some(noticed) if (now - noticed).to_std().is_ok_and(|waited| waited < patience) => Ok(()),
            Some(_) => {
                let failure =
                    format!("stalled: no sign of life since {since}; resume it when workers run again");
                let failed = store.transaction(async |tx| run_fail(tx, run.id, &failure, now).await).await?;
                if failed {
                    tracing::error!(sync.id = %run.id, %since, "a run was ended as stalled");
                    metrics::counter!("sms_reaper_stalled_runs_total").increment(1);
                }
                Ok(())
            }
        }
    }
}
