//! What every handler works with.

use std::sync::Arc;

use broker::{Broker, Updates};
use contracts::messages::{SyncUpdate, sync_update::What};
use domain::{clock::Clock, temporary_password::PasswordSeal, update::UpdateName};
use outbox::Outbox;
use portal_client::PortalClient;
use store::Store;

/// The services behind the handlers.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) broker: Broker,
    pub(crate) outbox: Outbox,
    pub(crate) portal: PortalClient,
    pub(crate) updates: Updates,
    pub(crate) seal: PasswordSeal,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Desk {
    /// Tells all who follow. What it tells is committed, so nobody waits for the broker.
    pub(crate) async fn tell(&self, name: UpdateName, what: What) {
        let update = SyncUpdate {
            occurred_at: Some(self.clock.now().into()),
            name: name.to_string(),
            what: Some(what),
        };
        let updates = self.updates.clone();
        tokio::spawn(async move { updates.publish(&update).await });
    }
}
