//! `POST /api/sync/webhook`.
//!
//! What arrives: a signed approval notice. What it changes: one row of `webhook_events`. Why twice is harmless: the row is
//! unique on the sender's `webhook-id`.

use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use chassis::{problem::Problem, telemetry};
use contracts::webhook::WebhookReceipt;
use domain::{SourceId, WebhookEventId};
use store::webhook_events::{Inserted, NewWebhookEvent};

use crate::{
    recorder::{NotRecorded, Recorder},
    verified::VerifiedWebhook,
};

/// Its path, under the operator API's base.
pub const WEBHOOK_PATH: &str = "/api/sync/webhook";

/// When to come back if the database is gone or too many wait for it.
const COME_BACK: Duration = Duration::from_secs(5);

pub(crate) async fn receive(
    webhook: VerifiedWebhook,
    recorder: web::Data<Recorder>,
) -> Result<HttpResponse, Problem> {
    let began = Instant::now();
    let answer = match recorder.record(event(webhook)?).await {
        Ok(Inserted::New(id)) => {
            count("accepted");
            HttpResponse::Accepted().json(WebhookReceipt { event_id: id.as_uuid(), duplicate: false })
        }
        Ok(Inserted::Duplicate(id)) => {
            count("duplicate");
            HttpResponse::Ok().json(WebhookReceipt { event_id: id.as_uuid(), duplicate: true })
        }
        Err(not_recorded) => {
            count("unavailable");
            return Err(problem(not_recorded));
        }
    };
    metrics::histogram!("sms_webhook_request_duration_seconds").record(began.elapsed().as_secs_f64());
    Ok(answer)
}

/// The row to be. An event of a type that is not known, or that needs no sync, is recorded as ignored.
fn event(webhook: VerifiedWebhook) -> Result<NewWebhookEvent, Problem> {
    let VerifiedWebhook { webhook_id, key_name, raw, body } = webhook;
    let entity = match (body.event_type.record_type(), body.data.id) {
        (Some(_), None) => {
            let what = format!("an event of type {} names its record in data.id", body.event_type);
            return Err(Problem::bad_request("webhook_names_no_record", what));
        }
        (Some(record_type), Some(id)) => {
            let malformed = |e| Problem::bad_request("webhook_names_no_record", format!("data.id: {e}"));
            let id: SourceId = id.parse().map_err(malformed)?;
            Some((record_type, id.to_string()))
        }
        (None, _) => None,
    };
    Ok(NewWebhookEvent {
        id: WebhookEventId::new(),
        webhook_id,
        event_type: body.event_type.to_string(),
        entity,
        occurred_at: Some(body.timestamp),
        body: raw.to_vec(),
        key_name,
        trace_context: serde_json::json!(telemetry::current_context()),
    })
}

fn problem(not_recorded: NotRecorded) -> Problem {
    match not_recorded {
        NotRecorded::Overloaded => Problem::unavailable(
            "webhook_overload",
            "too many webhooks wait to be recorded; send it again",
            COME_BACK,
        ),
        NotRecorded::Store(error) => Problem::unavailable(
            "webhook_not_recorded",
            "the event could not be recorded; send it again",
            COME_BACK,
        )
        .with_source(error),
    }
}

fn count(result: &'static str) {
    metrics::counter!("sms_webhook_requests_total", "result" => result, "reason" => "").increment(1);
}
