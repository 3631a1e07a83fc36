//! Gauges for alerts: what waits for somebody, and when syncs last succeeded. The leader alone counts, so that the database is
//! asked once however many schedulers run.

use std::{sync::Arc, time::Duration};

use broker::Queue;
use chrono::{DateTime, Utc};
use domain::clock::Clock;
use outbox::Outbox;
use store::{
    Store, StoreError,
    views::{
        gauges::{gauges, standing},
        ticks::missed_ticks_standing,
    },
};

use crate::periodic_task::{PeriodicTask, RunResult, TaskRun};

/// As often as Prometheus asks by default.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);

pub(crate) struct GaugesTask {
    outbox: Outbox,
    clock: Arc<dyn Clock>,
}

impl GaugesTask {
    pub(crate) fn new(outbox: Outbox, clock: Arc<dyn Clock>) -> Self {
        Self { outbox, clock }
    }

    async fn set(&self, store: &Store) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut db = store.db().await?;
        let (open, standing) = (gauges(&mut db).await?, standing(&mut db).await?);
        let missed = missed_ticks_standing(&mut db).await?;
        drop(db);
        metrics::gauge!("sms_syncs_active").set(open.active_syncs as f64);
        metrics::gauge!("sms_dead_letters").set(open.dead_letters as f64);
        metrics::gauge!("sms_conflicts_open").set(open.open_conflicts as f64);
        metrics::gauge!("sms_conflicts_oldest_age_seconds").set(age(standing.conflicts_since, now));
        metrics::gauge!("sms_events_waiting").set(standing.events_waiting as f64);
        metrics::gauge!("sms_events_oldest_age_seconds").set(age(standing.events_since, now));
        metrics::gauge!("sms_schedule_missed_ticks").set(missed as f64);
        for (mode, at) in
            [("full", standing.full_success_at), ("incremental", standing.incremental_success_at)]
        {
            metrics::gauge!("sms_sync_last_success_timestamp_seconds", "mode" => mode)
                .set(at.map_or(0.0, |at| at.timestamp() as f64));
        }
        for queue in [Queue::Events, Queue::Commands, Queue::Tasks] {
            // Without an answer of the broker the length is not known, and that is no zero.
            let length = self.outbox.queue_length(queue).await.map_or(f64::NAN, f64::from);
            metrics::gauge!("sms_queue_messages", "queue" => queue.name()).set(length);
        }
        Ok(())
    }
}

fn age(since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> f64 {
    since.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0))
}

impl PeriodicTask for GaugesTask {
    fn name(&self) -> &'static str {
        "gauges"
    }

    fn interval(&self) -> Duration {
        LOOK_INTERVAL
    }

    fn run<'t>(&'t self, store: &'t Store) -> TaskRun<'t> {
        Box::pin(async { self.set(store).await.map(|()| RunResult::Finished) })
    }
}
