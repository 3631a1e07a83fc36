//! What the handlers share: one value per process, behind `web::Data`.

use std::sync::Arc;

use broker::{Broker, Updates};
use chassis::{auth::Authorized, problem::Problem, telemetry::current_trace_id};
use contracts::messages::{SyncUpdate, sync_update::What};
use domain::{audit::AuditAction, clock::Clock, temporary_password::PasswordSeal, update::UpdateName};
use outbox::Outbox;
use portal_client::PortalClient;
use serde_json::Value;
use store::{
    Store, Tx,
    ledger::audit::{audit_append, audit_origin_set},
};
use tokio::sync::Mutex;

use crate::{connection_tester::ConnectionTester, problems::OrProblem, reading_sample::ReadingSample};

/// The adapters that the handlers call.
pub(crate) struct AppState {
    pub(crate) store: Store,
    pub(crate) broker: Broker,
    pub(crate) outbox: Outbox,
    pub(crate) portal: PortalClient,
    pub(crate) connection_tester: ConnectionTester,
    pub(crate) updates: Updates,
    pub(crate) seal: PasswordSeal,
    pub(crate) readings: ReadingSample,
    /// Held by the request that verifies the audit log: each reads all of it.
    pub(crate) audit_verification: Mutex<()>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl AppState {
    /// Begins a transaction whose entries in the audit log name the operator's request.
    pub(crate) async fn begin<R>(&self, by: &Authorized<R>) -> Result<Tx, Problem> {
        let mut tx = self.store.begin().await.or_problem()?;
        audit_origin_set(&mut tx, current_trace_id().as_deref(), by.request_id()).await.or_problem()?;
        Ok(tx)
    }

    /// Records that an operator reads personal data, before it is answered. The same reading is recorded once a minute.
    pub(crate) async fn record_reading<R>(
        &self,
        by: &Authorized<R>,
        action: AuditAction,
        subject: &str,
        detail: &Value,
    ) -> Result<(), Problem> {
        if !self.readings.is_new(by.subject(), action, subject, detail) {
            return Ok(());
        }
        let mut tx = self.begin(by).await?;
        audit_append(&mut tx, by.subject(), action, subject, detail, self.clock.now()).await.or_problem()?;
        tx.commit().await.or_problem()
    }

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
