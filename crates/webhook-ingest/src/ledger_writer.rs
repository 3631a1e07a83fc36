//! Inserts batches of events into the ledger, within a time limit.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::clock::Clock;
use store::{
    Connection, Store, StoreError,
    ledger::webhook_events::{Inserted, NewWebhookEvent, webhook_events_insert},
};
use tokio::time::timeout;

use crate::RecordError;

/// A connection that was used so recently is used again without a check by the pool.
const CONNECTION_REUSE_TIMEOUT: Duration = Duration::from_secs(1);

pub struct LedgerWriter {
    store: Store,
    /// Kept from batch to batch, with the time of its last use: a checkout costs a round trip.
    connection: Option<(Connection, Instant)>,
    /// Of getting a connection, and again of the insert.
    timeout: Duration,
    clock: Arc<dyn Clock>,
}

impl LedgerWriter {
    pub fn new(store: Store, timeout: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { store, connection: None, timeout, clock }
    }

    /// Inserts the events with one statement. Returns one result for each, in order.
    pub async fn insert(&mut self, events: &[NewWebhookEvent]) -> Result<Vec<Inserted>, RecordError> {
        let connecting = Self::connect(&self.store, self.connection.take());
        let mut connection =
            timeout(self.timeout, connecting).await.map_err(|_elapsed| RecordError::TooSlow)??;
        let inserting = webhook_events_insert(&mut connection, events, self.clock.now());
        match timeout(self.timeout, inserting).await {
            Ok(Ok(inserted)) => {
                self.connection = Some((connection, Instant::now()));
                Ok(inserted)
            }
            Ok(Err(error)) => {
                // After a refusal the connection is as good as before. Otherwise it goes back to the pool.
                self.connection = Some((connection, Instant::now())).filter(|_| error.is_refusal());
                Err(error.into())
            }
            Err(_elapsed) => {
                connection.discard();
                Err(RecordError::TooSlow)
            }
        }
    }

    async fn connect(store: &Store, last: Option<(Connection, Instant)>) -> Result<Connection, StoreError> {
        if let Some((connection, used_at)) = last
            && used_at.elapsed() < CONNECTION_REUSE_TIMEOUT
        {
            return Ok(connection);
        }
        // An older connection is back in the pool by now, which checks whether it lives.
        store.db().await
    }
}
