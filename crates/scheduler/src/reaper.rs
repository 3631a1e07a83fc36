//! The reaper finds stuck work. It publishes messages again whose work shows no sign of life, fails syncs that stay without
//! progress as stalled, and cancels tasks that are left of ended syncs.
//!
//! A broker that lost its disk, a worker that vanished with the last message of a sync, a task that was locked when its sync
//! was cancelled: each leaves a row that says what should have happened. A message that arrives twice is harmless.

use std::{sync::Arc, time::Duration};

use broker::Queue;
use chrono::{DateTime, Utc};
use domain::clock::Clock;
use outbox::Outbox;
use store::{
    Db, Store, StoreError,
    engine::lifecycle::sync_fail,
    ledger::{
        syncs::{StoredSync, sync_detail_note, syncs_stalled},
        tasks::tasks_of_ended_syncs_cancel,
        unpublished::{Republished, stalled_republish},
    },
    views::sync_ends::sync_end_report,
};

use crate::{
    config,
    periodic_task::{PeriodicTask, RunResult, TaskRun},
};

pub(crate) struct ReaperTask {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
    interval: Duration,
    /// Work without a sign of life for this long is stuck.
    lease: Duration,
    stalled_after_leases: u32,
}

impl ReaperTask {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>, config: &config::Reaper) -> Self {
        Self {
            outbox,
            clock,
            interval: Duration::from_millis(config.look_every_ms),
            lease: Duration::from_secs(config.lease_seconds),
            stalled_after_leases: config.stalled_after_leases,
        }
    }

    async fn reap(&self, store: &Store) -> Result<(), StoreError> {
        let now = self.clock.now();
        let lease_began = now - self.lease;
        // One connection at a time: tasks that held one each and waited for a second would use up a small pool.
        let stalled = syncs_stalled(&mut *store.db().await?, lease_began, now).await?;
        for sync in stalled {
            self.handle_stalled(store, &sync, now).await?;
        }
        let mut db = store.db().await?;
        self.republish(&mut db, lease_began).await?;
        let cancelled = tasks_of_ended_syncs_cancel(&mut db, now).await?;
        if cancelled > 0 {
            tracing::info!(tasks = cancelled, "cancelled tasks of ended syncs");
        }
        Ok(())
    }

    /// Marks stuck work as unpublished, and wakes the outbox relay to publish it.
    async fn republish(&self, db: &mut Db, lease_began: DateTime<Utc>) -> Result<(), StoreError> {
        // Without an answer of the broker nothing could be published either.
        let events_are_queued = self.outbox.queue_length(Queue::Events).await.is_ok_and(|length| length > 0);
        let republished = stalled_republish(db, lease_began, events_are_queued).await?;
        if republished != Republished::default() {
            let Republished { commands, tasks, events } = republished;
            tracing::warn!(commands, tasks, events, "messages seem to be lost; publishing them again");
            metrics::counter!("sms_reaper_republished_total").increment((commands + tasks + events) as u64);
            self.outbox.wake();
        }
        Ok(())
    }

    /// A sync without a sign of life for one lease gets a note. If it stays so for the remaining leases, in which its
    /// messages are published again, it fails as stalled. The leases count from the note: after a night in which no scheduler
    /// ran, a sync still has all of them.
    async fn handle_stalled(
        &self,
        store: &Store,
        sync: &StoredSync,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let silent_since = sync.heartbeat_at.format("%Y-%m-%d %H:%M:%S UTC");
        let grace = self.lease * self.stalled_after_leases.saturating_sub(1);
        match sync.stalled_since {
            None => {
                tracing::warn!(sync.id = %sync.id, sync.state = %sync.state, since = %silent_since, "a sync does not move");
                let fails_at = (now + grace).format("%H:%M:%S UTC");
                let detail = format!(
                    "no sign of life since {silent_since}; its messages are published again, and it fails as stalled at {fails_at}"
                );
                sync_detail_note(&mut *store.db().await?, sync.id, &detail, now).await
            }
            Some(noted_at) if (now - noted_at).to_std().is_ok_and(|waited| waited < grace) => Ok(()),
            Some(_) => {
                let failure = format!(
                    "stalled: no sign of life since {silent_since}; resume it when workers run again"
                );
                let failed =
                    store.transaction(async |tx| sync_fail(tx, sync.id, &failure, now).await).await?;
                if failed {
                    sync_end_report(store, sync.id).await;
                    metrics::counter!("sms_reaper_stalled_syncs_total").increment(1);
                }
                Ok(())
            }
        }
    }
}

impl PeriodicTask for ReaperTask {
    fn name(&self) -> &'static str {
        "reaper"
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t> {
        Box::pin(async { self.reap(store).await.map(|()| RunResult::Finished) })
    }
}
