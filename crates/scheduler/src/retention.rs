//! Retention: deletes rows that ended long ago. Open work, open conflicts and dead letters that nobody has handled are kept; the
//! audit log is kept for years. What is left is told by a gauge for each table.
//!
//! Rows are deleted in batches, each in a transaction of its own, and a run deletes a limited number of batches: between two
//! runs the leader makes sure that it still leads.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::clock::Clock;
use store::{
    Db, Store, StoreError,
    engine::retention::{OldRows, retention_purge},
    ledger::audit_chain::audit_purge,
    views::gauges::table_sizes,
};
use tokio::time::sleep;

use crate::{
    config,
    periodic_task::{PeriodicTask, RunResult, TaskRun},
};

/// Rows of a batch at most, with a sync's records. A batch of 500 webhook syncs of one record took 0.12 s on two cores.
const BATCH_LIMIT: u32 = 1000;
/// Batches of one kind of rows in one run at most.
const BATCHES_PER_RUN: u32 = 10;
/// Pause between two batches, which leaves the database to others.
const BATCH_DELAY: Duration = Duration::from_millis(50);

pub(crate) struct RetentionTask {
    clock: Arc<dyn Clock>,
    interval: Duration,
    keep: TimeDelta,
    audit_days: i64,
}

impl RetentionTask {
    pub(crate) fn new(clock: Arc<dyn Clock>, config: &config::Retention) -> Self {
        Self {
            clock,
            interval: Duration::from_secs(config.look_every_seconds),
            keep: TimeDelta::days(config.days),
            audit_days: config.audit_days,
        }
    }

    /// Deletes old rows of every kind. A kind that fails does not keep the others from their turn.
    async fn purge(&self, store: &Store) -> Result<RunResult, StoreError> {
        let before = self.clock.now() - self.keep;
        let (mut result, mut failure) = (RunResult::Finished, None);
        let rows = OldRows::ALL.iter().map(|rows| Kind::Ended(*rows, before));
        for kind in rows.chain([Kind::Audit(self.audit_days)]) {
            match kind.purge(store).await {
                Ok(RunResult::Finished) => {}
                Ok(RunResult::MoreWork) => result = RunResult::MoreWork,
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        for (table, bytes) in table_sizes(&mut *store.db().await?).await? {
            metrics::gauge!("sms_table_bytes", "table" => table).set(bytes as f64);
        }
        failure.map_or(Ok(result), Err)
    }
}

/// Rows that are deleted by the same rule.
#[derive(Clone, Copy)]
enum Kind {
    /// What had ended at that time.
    Ended(OldRows, DateTime<Utc>),
    /// Rows of the audit log, after so many days.
    Audit(i64),
}

impl Kind {
    /// Deletes batch by batch, up to the limit of a run.
    async fn purge(self, store: &Store) -> Result<RunResult, StoreError> {
        let (mut result, mut deleted) = (RunResult::MoreWork, 0);
        for _ in 0..BATCHES_PER_RUN {
            let batch = store.transaction(async |tx| self.purge_batch(tx).await).await?;
            if batch == 0 {
                result = RunResult::Finished;
                break;
            }
            deleted += batch;
            sleep(BATCH_DELAY).await;
        }
        if deleted > 0 {
            tracing::info!(table = self.table(), deleted, "deleted rows that ended long ago");
        }
        Ok(result)
    }

    async fn purge_batch(self, tx: &mut Db) -> Result<u64, StoreError> {
        match self {
            Self::Ended(rows, before) => retention_purge(tx, rows, before, BATCH_LIMIT).await,
            Self::Audit(days) => audit_purge(tx, days, BATCH_LIMIT).await,
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Ended(rows, _) => rows.table(),
            Self::Audit(_) => "audit",
        }
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
