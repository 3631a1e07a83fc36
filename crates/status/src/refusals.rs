//! Records refused attempts in the audit log. The answer does not wait for it.

use std::sync::Arc;

use chassis::auth::Refusal;
use domain::{audit::AuditAction, clock::Clock};
use serde_json::json;
use store::{
    Store, StoreError,
    ledger::audit::{audit_append, audit_origin_set},
};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

/// Records until `stop`, and then what waits.
pub(crate) async fn record_until_stopped(
    store: Store,
    clock: Arc<dyn Clock>,
    mut refusals: Receiver<Refusal>,
    stop: CancellationToken,
) {
    loop {
        let refusal = tokio::select! {
            biased;
            Some(refusal) = refusals.recv() => refusal,
            () = stop.cancelled() => return,
        };
        if let Err(error) = record(&store, &*clock, &refusal).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                operator = refusal.subject,
                "a refused attempt could not be recorded"
            );
        }
    }
}

async fn record(store: &Store, clock: &dyn Clock, it: &Refusal) -> Result<(), StoreError> {
    let mut detail =
        json!({ "path": it.path, "role": it.role, "required": it.required, "others": it.others });
    if it.outside_scope {
        detail["outsideScope"] = true.into();
    }
    let (subject, now) = (format!("{} {}", it.method, it.route), clock.now());
    store
        .transaction(async |tx| {
            audit_origin_set(tx, it.trace_id.as_deref(), it.request_id.as_deref()).await?;
            audit_append(tx, &it.subject, AuditAction::AccessRefuse, &subject, &detail, now).await
        })
        .await
}
