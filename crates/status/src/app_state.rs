//! What the handlers share: one value per process, behind `web::Data`.

use std::sync::Arc;

use broker::{Broker, Updates};
use contracts::messages::{SyncUpdate, sync_update::What};
use domain::{clock::Clock, temporary_password::PasswordSeal, update::UpdateName};
use outbox::Outbox;
use portal_client::PortalClient;
use store::Store;

use crate::connection_tester::ConnectionTester;

/// The adapters that the handlers call.
pub(crate) struct AppState {
    pub(crate) store: Store,
    pub(crate) broker: Broker,
    pub(crate) outbox: Outbox,
    pub(crate) portal: PortalClient,
    pub(crate) connection_tester: ConnectionTester,
    pub(crate) updates: Updates,
    pub(crate) seal: PasswordSeal,
    pub(crate) clock: Arc<dyn Clock>,
}

impl AppState {
    /// Publishes an update to all clients of the event stream. The change is committed before, so the request does not
    /// wait for the broker.
    pub(crate) fn publish_update(&self, name: UpdateName, what: What) {
        let update = SyncUpdate {
            occurred_at: Some(self.clock.now().into()),
            name: name.to_string(),
            what: Some(what),
        };
        let updates = self.updates.clone();
        tokio::spawn(async move { updates.publish(&update).await });
    }
}
