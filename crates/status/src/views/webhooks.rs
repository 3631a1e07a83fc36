//! Webhook events and refused requests as the API shows them.

use contracts::operator as api;
use domain::SyncId;
use store::ledger::{refused_webhooks::RefusedWebhook, webhook_events::WebhookEvent};

use crate::saturating::{to_i32, to_i64};

pub(crate) fn webhook_event(it: WebhookEvent) -> api::WebhookEvent {
    api::WebhookEvent {
        id: it.id.as_uuid(),
        webhook_id: it.webhook_id,
        event_type: it.event_type,
        record_type: it.record_type.map(Into::into),
        source_id: it.source_id,
        occurred_at: it.occurred_at,
        state: it.state.into(),
        duplicates: to_i32(it.duplicates),
        sync_id: it.sync_id.map(SyncId::as_uuid),
        last_failure: it.last_failure,
        received_at: it.received_at,
        published_at: it.published_at,
        processed_at: it.processed_at,
        key_name: it.key_name,
    }
}

pub(crate) fn refused_webhook(it: RefusedWebhook) -> api::RefusedWebhook {
    api::RefusedWebhook {
        id: it.id.as_uuid(),
        received_at: it.received_at,
        reason: it.reason.into(),
        status: i32::from(it.status),
        detail: it.detail,
        source: it.source,
        webhook_id: it.webhook_id,
        content_type: it.content_type,
        user_agent: it.user_agent,
        body_bytes: it.body_bytes.map(to_i64),
        body_sha256: it.body_sha256.map(hex::encode),
        alike: to_i64(it.alike),
    }
}
