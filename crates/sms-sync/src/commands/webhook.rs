//! Plays the onboarding portal: signs an event as it would, and sends it.

use std::{process::ExitCode, time::Instant};

use anyhow::Context;
use contracts::webhook::{
    EventType, WebhookBody, WebhookData,
    signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER},
};
use domain::clock::{Clock, SystemClock};
use reqwest::{Method, header::CONTENT_TYPE};
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{Output, Webhook},
    output,
};

const PATH: &str = "/api/sync/webhook";

pub(crate) async fn run(api: &Api, output: Output, command: Webhook) -> anyhow::Result<ExitCode> {
    let Webhook::Send { event_type, id, webhook_id, secret } = command;
    send(api, output, event_type, id, webhook_id, &secret).await
}

async fn send(
    api: &Api,
    output: Output,
    event_type: String,
    id: Option<String>,
    webhook_id: Option<String>,
    secret: &SecretString,
) -> anyhow::Result<ExitCode> {
    let event_type = EventType::from(event_type);
    anyhow::ensure!(
        id.is_some() || event_type.record_type().is_none(),
        "{} is about a record: name it with --id",
        event_type.as_str()
    );
    let now = SystemClock.now();
    let data = WebhookData { id, updated_at: None, imo: None };
    let body = WebhookBody { event_type, timestamp: now, schema_version: 1, data };
    let body = serde_json::to_vec(&body)?;
    let webhook_id = webhook_id.unwrap_or_else(|| format!("msg_{}", Uuid::now_v7().simple()));
    let signature = Secret::parse(secret)?.sign(&webhook_id, now.timestamp(), &body);

    let request = api
        .request(Method::POST, PATH)
        .header(CONTENT_TYPE, "application/json")
        .header(ID_HEADER, &webhook_id)
        .header(TIMESTAMP_HEADER, now.timestamp())
        .header(SIGNATURE_HEADER, signature)
        .body(body);
    let began = Instant::now();
    let response = api.send(request, PATH).await?;
    let status = response.status().as_u16();
    let answer: Value = serde_json::from_slice(&response.bytes().await?).context("the answer is no JSON")?;
    let took_ms = began.elapsed().as_millis() as u64;

    let all = json!({ "status": status, "answer": answer, "webhookId": webhook_id, "tookMs": took_ms });
    output::either(output, &all, |_all| {
        let what = if answer["duplicate"] == true { "a duplicate" } else { "accepted" };
        output::line(format!(
            "{status} {what} in {took_ms} ms: event {}",
            answer["eventId"].as_str().unwrap_or("?")
        ));
        output::line(format!("webhook-id {webhook_id}"));
    });
    Ok(ExitCode::SUCCESS)
}
