//! Stuck work: what was published and shows no sign of life is published again, a sync that does not move for long is
//! ended as stalled, and what is left of ended syncs is ended.
//!
//! A broker that lost its disk, a worker that vanished with the last message of a sync, a task that was locked when its
//! sync was cancelled: all of them leave a row behind that says what should have happened. What comes twice is harmless.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::clock::Clock;
use outbox::Outbox;
use store::{
    Store,
    engine::lifecycle::sync_fail,
    ledger::{
        syncs::{StoredSync, sync_detail_note, syncs_stalled},
        tasks::tasks_of_ended_syncs_cancel,
        unpublished::{Republished, stalled_republish},
    },
};

use crate::{config, leader::Done};

/// Looks for stuck work.
pub(crate) struct Reaper {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    every: Duration,
    lease: Duration,
    stalled_after: u32,
}

impl Reaper {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>, config: &config::Reaper) -> Self {
        Self {
            outbox,
            clock,
            every: Duration::from_millis(config.look_every_ms),
            lease: Duration::from_secs(config.lease_seconds),
            stalled_after: config.stalled_after_leases,
        }
    }

    pub(crate) const fn every(&self) -> Duration {
        self.every
    }

    pub(crate) async fn look(&self, store: &Store) -> Done {
        let now = self.clock.now();
        let before = now - self.lease;
        let mut db = store.db().await?;
        for sync in syncs_stalled(&mut db, before, now).await? {
            self.stalled(store, &sync, now).await?;
        }
        let again = stalled_republish(&mut db, before).await?;
        if again != Republished::default() {
            let Republished { commands, tasks, events } = again;
            tracing::warn!(commands, tasks, events, "messages seem to be lost; publishing them again");
            metrics::counter!("sms_reaper_republished_total").increment((commands + tasks + events) as u64);
            self.outbox.wake();
        }
        let ended = tasks_of_ended_syncs_cancel(&mut db, now).await?;
        if ended > 0 {
            tracing::info!(tasks = ended, "ended what was left of ended syncs");
        }
        Ok(())
    }

    /// A sync without a sign of life: says so when its lease is over, and ends it when it has been published again for as
    /// many leases and still does not move. The time counts from when it was noticed: after a night in which nobody looked,
    /// a sync gets its chance.
    async fn stalled(&self, store: &Store, sync: &StoredSync, now: DateTime<Utc>) -> Done {
        let since = sync.heartbeat_at.format("%Y-%m-%d %H:%M:%S UTC");
        let patience = self.lease * self.stalled_after.saturating_sub(1);
        match sync.stalled_since {
            None => {
                tracing::warn!(sync.id = %sync.id, sync.state = %sync.state, %since, "a sync does not move");
                let until = (now + patience).format("%H:%M:%S UTC");
                let detail = format!(
                    "no sign of life since {since}; its messages are published again, and it fails as stalled at {until}"
                );
                sync_detail_note(&mut *store.db().await?, sync.id, &detail, now).await
            }
            Some(noticed) if (now - noticed).to_std().is_ok_and(|waited| waited < patience) => Ok(()),
            Some(_) => {
                let failure =
                    format!("stalled: no sign of life since {since}; resume it when workers run again");
                let failed =
                    store.transaction(async |tx| sync_fail(tx, sync.id, &failure, now).await).await?;
                if failed {
                    tracing::error!(sync.id = %sync.id, %since, "a sync was ended as stalled");
                    metrics::counter!("sms_reaper_stalled_runs_total").increment(1);
                }
                Ok(())
            }
        }
    }
}
