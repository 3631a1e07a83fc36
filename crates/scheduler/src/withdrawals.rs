//! Withdrawals that were announced for a time: carried out when they are due.

use std::{sync::Arc, time::Duration};

use domain::clock::Clock;
use store::{Store, StoreError, engine::due_withdrawals::due_withdrawals_apply};

use crate::{
    config,
    periodic_task::{PeriodicTask, RunResult, TaskRun},
};

pub(crate) struct WithdrawalTask {
    clock: Arc<dyn Clock>,
    interval: Duration,
}

impl WithdrawalTask {
    pub(crate) fn new(clock: Arc<dyn Clock>, config: &config::Withdrawals) -> Self {
        Self { clock, interval: Duration::from_secs(config.look_every_seconds) }
    }

    async fn withdraw(&self, store: &Store) -> Result<(), StoreError> {
        let now = self.clock.now();
        let records = store.transaction(async |tx| due_withdrawals_apply(tx, now).await).await?;
        if records > 0 {
            tracing::info!(records, "withdrew records whose announced withdrawal was due");
        }
        Ok(())
    }
}

impl PeriodicTask for WithdrawalTask {
    fn name(&self) -> &'static str {
        "withdrawals"
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t> {
        Box::pin(async { self.withdraw(store).await.map(|()| RunResult::Finished) })
    }
}
