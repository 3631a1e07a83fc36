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
        let success = |at: Option<DateTime<Utc>>| at.map_or(0.0, |at| at.timestamp() as f64);
        let mut queues = [0.0; QUEUES.len()];
        for (length, queue) in queues.iter_mut().zip(QUEUES) {
            // Without an answer of the broker the length is not known, and that is no zero.
            *length = self.outbox.queue_length(queue).await.map_or(f64::NAN, f64::from);
        }
        show(&Shown {
            active_syncs: open.active_syncs as f64,
            dead_letters: open.dead_letters as f64,
            open_conflicts: open.open_conflicts as f64,
            oldest_conflict: age(standing.conflicts_since, now),
            events_waiting: standing.events_waiting as f64,
            oldest_event: age(standing.events_since, now),
            missed_ticks: missed as f64,
            last_success: [success(standing.full_success_at), success(standing.incremental_success_at)],
            queues,
        });
        Ok(())
    }
}

const QUEUES: [Queue; 3] = [Queue::Events, Queue::Commands, Queue::Tasks];

/// The values of the gauges.
#[derive(Default)]
struct Shown {
    active_syncs: f64,
    dead_letters: f64,
    open_conflicts: f64,
    oldest_conflict: f64,
    events_waiting: f64,
    oldest_event: f64,
    missed_ticks: f64,
    /// Of full and of incremental syncs.
    last_success: [f64; 2],
    /// In the order of [`QUEUES`].
    queues: [f64; QUEUES.len()],
}

fn show(it: &Shown) {
    metrics::gauge!("sms_syncs_active").set(it.active_syncs);
    metrics::gauge!("sms_dead_letters").set(it.dead_letters);
    metrics::gauge!("sms_conflicts_open").set(it.open_conflicts);
    metrics::gauge!("sms_conflicts_oldest_age_seconds").set(it.oldest_conflict);
    metrics::gauge!("sms_events_waiting").set(it.events_waiting);
    metrics::gauge!("sms_events_oldest_age_seconds").set(it.oldest_event);
    metrics::gauge!("sms_schedule_missed_ticks").set(it.missed_ticks);
    for (mode, at) in ["full", "incremental"].into_iter().zip(it.last_success) {
        metrics::gauge!("sms_sync_last_success_timestamp_seconds", "mode" => mode).set(at);
    }
    for (queue, length) in QUEUES.into_iter().zip(it.queues) {
        metrics::gauge!("sms_queue_messages", "queue" => queue.name()).set(length);
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

    fn leadership_ended(&self) {
        show(&Shown::default());
    }
}
