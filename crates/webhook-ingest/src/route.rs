//! `POST /api/sync/webhook`.
//!
//! **What arrives**: a signed approval notice.
//!
//! **What it changes**: one row of `webhook_events`.
//!
//! **Why twice is harmless**: the row is unique on the sender's `webhook-id`.

use std::time::Instant;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{ALLOW, HeaderValue},
    },
    web,
};
use chassis::{problem::Problem, telemetry};
use contracts::webhook::WebhookReceipt;
use domain::{WebhookEventId, WebhookRefusal};
use store::ledger::webhook_events::{Inserted, NewWebhookEvent};

use crate::{VerifiedWebhook, app_state::AppState, rejection::Rejection};

pub(crate) async fn receive(
    webhook: VerifiedWebhook,
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let began = Instant::now();
    let rejected = |rejection: Rejection| {
        let client = state.trusted_proxies.client_address(&request);
        state.rejections.add(&request, client, &rejection, Some(webhook.raw_body()));
        rejection.problem
    };
    let answer = match state.recorder.record(new_event(&webhook)).await {
        Ok(Inserted::New(id)) => {
            counter("accepted").increment(1);
            tracing::debug!(
                webhook.id = webhook.webhook_id(),
                webhook.key = webhook.key_name(),
                webhook.event_type = %webhook.body().event_type,
                "accepted a webhook"
            );
            HttpResponse::Accepted().json(WebhookReceipt { event_id: id.as_uuid(), duplicate: false })
        }
        Ok(Inserted::Duplicate(id)) => {
            counter("duplicate").increment(1);
            HttpResponse::Ok().json(WebhookReceipt { event_id: id.as_uuid(), duplicate: true })
        }
        Ok(Inserted::IdReused(_)) => return Err(rejected(Rejection::id_reused())),
        Err(error) => return Err(rejected(Rejection::from(error))),
    };
    metrics::histogram!("sms_webhook_request_duration_seconds").record(began.elapsed().as_secs_f64());
    Ok(answer)
}

/// Answers every method but POST with 405.
pub(crate) async fn reject_method(request: HttpRequest, state: web::Data<AppState>) -> HttpResponse {
    let problem =
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed").with_detail("a webhook is a POST");
    let detail = format!("{} is no POST", request.method());
    let rejection = Rejection::new(WebhookRefusal::UnsupportedMethod, detail, problem);
    let client = state.trusted_proxies.client_address(&request);
    state.rejections.add(&request, client, &rejection, None);
    let mut answer = rejection.problem.to_response();
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    answer
}

/// The row to insert. An event of an unknown type, or of one that needs no sync, has no entity and is recorded as ignored.
fn new_event(webhook: &VerifiedWebhook) -> NewWebhookEvent {
    let body = webhook.body();
    NewWebhookEvent {
        id: WebhookEventId::new(),
        webhook_id: webhook.webhook_id().to_owned(),
        event_type: body.event_type.to_string(),
        entity: body.entity.as_ref().map(|(record_type, id)| (*record_type, id.to_string())),
        occurred_at: body.occurred_at,
        record_updated_at: body.record_updated_at,
        body: webhook.raw_body().to_vec(),
        key_name: webhook.key_name().to_owned(),
        trace_context: serde_json::json!(telemetry::current_context()),
    }
}

/// Sets the counters to zero, so that a rate can be computed from the first webhook on.
pub(crate) fn register_counters() {
    for result in ["accepted", "duplicate"] {
        counter(result).increment(0);
    }
}

fn counter(result: &'static str) -> metrics::Counter {
    metrics::counter!("sms_webhook_requests_total", "result" => result, "reason" => "")
}
