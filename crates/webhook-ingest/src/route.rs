//! `POST /api/sync/webhook`.
//!
//! What arrives: a signed approval notice. What it changes: one row of `webhook_events`. Why twice is harmless: the row is
//! unique on the sender's `webhook-id`.

use std::time::{Duration, Instant};

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

use crate::{
    recorder::NotRecorded,
    rejection_log::Refused,
    verifier::{Gate, VerifiedWebhook},
};

/// Its path, under the operator API's base.
pub const WEBHOOK_PATH: &str = "/api/sync/webhook";

/// When to come back if the database is gone or too many wait for it.
const COME_BACK: Duration = Duration::from_secs(5);

pub(crate) async fn receive(
    webhook: VerifiedWebhook,
    request: HttpRequest,
    gate: web::Data<Gate>,
) -> Result<HttpResponse, Problem> {
    let began = Instant::now();
    let answer = match gate.recorder.record(event(&webhook)).await {
        Ok(Inserted::New(id)) => {
            count("accepted");
            tracing::debug!(
                webhook.id = webhook.webhook_id(),
                webhook.key = webhook.key_name(),
                webhook.event_type = %webhook.read().event_type,
                "took a webhook"
            );
            HttpResponse::Accepted().json(WebhookReceipt { event_id: id.as_uuid(), duplicate: false })
        }
        Ok(Inserted::Duplicate(id)) => {
            count("duplicate");
            HttpResponse::Ok().json(WebhookReceipt { event_id: id.as_uuid(), duplicate: true })
        }
        Err(error) => {
            let detail = error.to_string();
            let (reason, problem) = not_recorded(error);
            gate.refusals.note(&Refused {
                request: &request,
                source: webhook.source(),
                reason,
                status: problem.status().as_u16(),
                detail,
                body: Some(webhook.raw()),
            });
            return Err(problem);
        }
    };
    metrics::histogram!("sms_webhook_request_duration_seconds").record(began.elapsed().as_secs_f64());
    Ok(answer)
}

/// Everything but a POST.
pub(crate) async fn other_method(request: HttpRequest, gate: web::Data<Gate>) -> HttpResponse {
    let problem =
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed").with_detail("a webhook is a POST");
    gate.refusals.note(&Refused {
        request: &request,
        source: gate.sources.of(&request),
        reason: WebhookRefusal::UnsupportedMethod,
        status: problem.status().as_u16(),
        detail: format!("{} is no POST", request.method()),
        body: None,
    });
    let mut answer = problem.respond();
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    answer
}

/// The row to be. An event of a type that is not known, or that needs no sync, is recorded as ignored.
fn event(webhook: &VerifiedWebhook) -> NewWebhookEvent {
    let read = webhook.read();
    NewWebhookEvent {
        id: WebhookEventId::new(),
        webhook_id: webhook.webhook_id().to_owned(),
        event_type: read.event_type.to_string(),
        entity: read.entity.as_ref().map(|(record_type, id)| (*record_type, id.to_string())),
        occurred_at: read.occurred_at,
        body: webhook.raw().to_vec(),
        key_name: webhook.key_name().to_owned(),
        trace_context: serde_json::json!(telemetry::current_context()),
    }
}

/// What a webhook that could be trusted and not be recorded is answered.
pub(crate) fn not_recorded(error: NotRecorded) -> (WebhookRefusal, Problem) {
    match error {
        NotRecorded::Overloaded => {
            let detail = "too many webhooks wait to be recorded; send it again";
            let problem = Problem::unavailable("webhook_overload", detail, COME_BACK);
            (WebhookRefusal::Overloaded, problem)
        }
        NotRecorded::Outage | NotRecorded::TooSlow | NotRecorded::Store(_) => {
            let detail = "the event could not be recorded; send it again";
            let problem = Problem::unavailable("webhook_not_recorded", detail, COME_BACK).with_source(error);
            (WebhookRefusal::NotRecorded, problem)
        }
    }
}

fn count(result: &'static str) {
    counter(result).increment(1);
}

/// From zero on, so that a rate can be told from the first one.
pub(crate) fn begin_to_count(result: &'static str) {
    counter(result).increment(0);
}

fn counter(result: &'static str) -> metrics::Counter {
    metrics::counter!("sms_webhook_requests_total", "result" => result, "reason" => "")
}
