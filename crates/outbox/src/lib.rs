#![doc = include_str!("../README.md")]

mod message;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker::{BrokerError, OutgoingMessage, Publisher, Queue};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{SyncId, clock::Clock};
use serde_json::json;
use store::{
    Store, StoreError,
    ledger::{
        postponed::{message_postpone, postponed_messages_claim, postponed_messages_forget},
        tasks::NewTask,
        unpublished::{
            Unpublished, UnpublishedId, published_mark, unpublished_claim, unpublished_events_claim,
            unpublished_events_wait,
        },
        webhook_events::NewWebhookEvent,
    },
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Between two looks of the relay, unless it is woken.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Whoever committed a row publishes it at once; the relay leaves it alone for this long.
const GRACE: TimeDelta = TimeDelta::seconds(2);
/// Rows of each kind that the relay takes at a time.
const BATCH: u32 = 500;

/// Publishes rows of the ledger. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbox {
    store: Store,
    publisher: Publisher,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
}

/// What there was of events that were left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftEvents {
    /// Nothing, now.
    None,
    /// Another process is publishing them.
    InOtherHands,
    /// Some; there may be more.
    Some {
        /// The broker confirmed these.
        published: usize,
        /// These it did not.
        refused: usize,
    },
}

/// The row to publish; none for an event that needs nothing.
fn event(event: NewWebhookEvent) -> Option<Unpublished> {
    let (record_type, source_id) = event.entity?;
    Some(Unpublished::Event {
        id: event.id,
        webhook_id: event.webhook_id,
        event_type: event.event_type,
        record_type,
        source_id,
        occurred_at: event.occurred_at,
        record_updated_at: event.record_updated_at,
        trace_context: event.trace_context,
    })
}

impl Outbox {
    /// Over this ledger and this broker.
    pub fn new(store: Store, publisher: Publisher, clock: Arc<dyn Clock>) -> Self {
        Self { store, publisher, clock, wake: Arc::new(Notify::new()) }
    }

    /// Publishes events that were just committed. What fails is left to the relay.
    pub async fn publish_events(&self, events: Vec<NewWebhookEvent>) {
        self.publish_now(events.into_iter().filter_map(event).collect()).await;
    }

    /// As [`Outbox::publish_events`], for whoever notes many at once: says what [`Outbox::note_published`] is to be told.
    pub async fn publish_events_unnoted(&self, events: Vec<NewWebhookEvent>) -> Vec<UnpublishedId> {
        let rows: Vec<_> = events.into_iter().filter_map(event).collect();
        self.publish(&rows).await
    }

    /// Notes what the broker has confirmed.
    ///
    /// # Errors
    /// If the database fails: then it is published again, which is harmless.
    pub async fn note_published(&self, confirmed: &[UnpublishedId]) -> Result<(), StoreError> {
        if confirmed.is_empty() {
            return Ok(());
        }
        published_mark(&mut *self.store.db().await?, confirmed, self.clock.now()).await
    }

    /// Whether events were left behind, by this process or another: those that are older than `age` and not published.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn has_left_events(&self, age: TimeDelta) -> Result<bool, StoreError> {
        unpublished_events_wait(&mut *self.store.db().await?, self.clock.now() - age).await
    }

    /// Publishes events that were left behind, some at a time and in the order in which they came, without the relay's
    /// patience.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn publish_left_events(&self) -> Result<LeftEvents, StoreError> {
        let mut tx = self.store.begin().await?;
        let now = self.clock.now();
        let Some(rows) = unpublished_events_claim(&mut tx, BATCH, now).await? else {
            return Ok(LeftEvents::InOtherHands);
        };
        if rows.is_empty() {
            return Ok(LeftEvents::None);
        }
        let confirmed = self.publish(&rows).await;
        published_mark(&mut tx, &confirmed, now).await?;
        tx.commit().await?;
        Ok(LeftEvents::Some { published: confirmed.len(), refused: rows.len() - confirmed.len() })
    }

    /// Publishes tasks that were just committed. What fails is left to the relay.
    pub async fn publish_tasks(&self, tasks: Vec<NewTask>) {
        let row = |task: NewTask| Unpublished::Task {
            id: task.id,
            sync_id: task.sync_id,
            request: task.request,
            trace_context: task.trace_context,
        };
        self.publish_now(tasks.into_iter().map(row).collect()).await;
    }

    /// Publishes the command of a sync that was just committed. If it fails it is left to the relay.
    pub async fn publish_command(&self, sync_id: SyncId, trace_context: BTreeMap<String, String>) {
        self.publish_now(vec![Unpublished::Command { sync_id, trace_context: json!(trace_context) }]).await;
    }

    /// Puts a message off until `due_at`: then a relay publishes it. Of copies of a message one stays.
    ///
    /// # Errors
    /// If the database fails: then the message is not put off.
    pub async fn postpone(&self, message: OutgoingMessage, due_at: DateTime<Utc>) -> Result<(), StoreError> {
        let row = message::postponed_row(message);
        message_postpone(&mut *self.store.db().await?, &row, due_at, self.clock.now()).await
    }

    /// How many messages of a work queue wait to be delivered.
    ///
    /// # Errors
    /// If the broker does not answer.
    pub async fn queue_length(&self, queue: Queue) -> Result<u32, BrokerError> {
        self.publisher.queue_length(queue).await
    }

    /// Has a relay of this process look now, for rows that were committed without a publication.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    async fn publish_now(&self, rows: Vec<Unpublished>) {
        let confirmed = self.publish(&rows).await;
        if let Err(error) = self.note_published(&confirmed).await {
            // The relay publishes them again, which is harmless.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "published messages could not be marked so"
            );
        }
    }

    async fn publish(&self, rows: &[Unpublished]) -> Vec<UnpublishedId> {
        let (ids, messages): (Vec<_>, Vec<_>) =
            rows.iter().filter_map(|row| Some((row.id(), message::message(row)?))).unzip();
        let results = self.publisher.publish_batch(&messages).await;
        let failure = results.iter().find_map(|result| result.as_ref().err());
        if let Some(error) = failure {
            let count = results.iter().filter(|result| result.is_err()).count();
            tracing::warn!(
                error = error as &dyn std::error::Error,
                messages.count = count,
                "not published; the relay will"
            );
        }
        ids.into_iter().zip(results).filter(|(_, result)| result.is_ok()).map(|(id, _)| id).collect()
    }

    /// Publishes, on and on until `stop`, what was committed and not confirmed, in order of arrival. Any number of relays
    /// may run: they lock the rows that they take, and pass over those of others.
    pub async fn relay(self, stop: CancellationToken) {
        loop {
            match self.relay_once().await {
                // There may be more.
                Ok(published) if published >= BATCH as usize => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the relay could not look")
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// One look; says how many were published.
    async fn relay_once(&self) -> Result<usize, StoreError> {
        // By itself: neither may be held up by a row of the other that cannot be read.
        let due = self.publish_due().await;
        let mut tx = self.store.begin().await?;
        let now = self.clock.now();
        let rows = unpublished_claim(&mut tx, BATCH, now - GRACE).await?;
        let confirmed = self.publish(&rows).await;
        published_mark(&mut tx, &confirmed, now).await?;
        tx.commit().await?;
        let gauges = store::views::gauges::gauges(&mut *self.store.db().await?).await?;
        metrics::gauge!("sms_outbox_pending").set(gauges.unpublished as f64);
        let age = gauges.unpublished_since.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0));
        metrics::gauge!("sms_outbox_oldest_age_seconds").set(age);
        if !confirmed.is_empty() {
            tracing::info!(messages.count = confirmed.len(), "the relay published what was left");
        }
        metrics::gauge!("sms_outbox_postponed").set(gauges.postponed as f64);
        Ok(confirmed.len().max(due?))
    }

    /// Publishes messages that were put off until now; says how many.
    async fn publish_due(&self) -> Result<usize, StoreError> {
        let mut tx = self.store.begin().await?;
        let rows = postponed_messages_claim(&mut tx, BATCH, self.clock.now()).await?;
        let (rows, messages): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .filter_map(|row| message::postponed_message(&row).map(|message| (row, message)))
            .unzip();
        let results = self.publisher.publish_batch(&messages).await;
        let confirmed: Vec<_> =
            rows.into_iter().zip(results).filter_map(|(row, result)| result.is_ok().then_some(row)).collect();
        postponed_messages_forget(&mut tx, &confirmed).await?;
        tx.commit().await?;
        Ok(confirmed.len())
    }
}
