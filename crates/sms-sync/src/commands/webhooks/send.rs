//! `sms-sync webhooks send`: signs an event as the onboarding portal does, and sends it.

use std::{process::ExitCode, time::Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::Args;
use contracts::webhook::{
    EventType, WebhookBody, WebhookData,
    signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER},
};
use reqwest::{Method, header::CONTENT_TYPE};
use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::OutputFormat,
    output::{self, print},
    secrets::webhook_secret,
};

const PATH: &str = "/api/sync/webhook";

#[derive(Debug, Args)]
pub(crate) struct SendOptions {
    /// Event type
    #[arg(long = "type", default_value = "test.ping")]
    event_type: String,
    /// Id of the record in the onboarding portal; `test.ping` needs none
    #[arg(long)]
    id: Option<String>,
    /// Value of the header webhook-id; reuse one to send a duplicate [default: a new id]
    #[arg(long)]
    webhook_id: Option<String>,
    /// Secret to sign with; otherwise WEBHOOK_SECRET, or the content of the file that WEBHOOK_SECRET_FILE names
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true)]
    secret: Option<SecretString>,
}

pub(super) async fn run(
    api: &Api,
    now: DateTime<Utc>,
    format: OutputFormat,
    options: SendOptions,
) -> anyhow::Result<ExitCode> {
    let SendOptions { event_type, id, webhook_id, secret } = options;
    let secret = webhook_secret(secret)?;
    let event_type = EventType::from(event_type);
    anyhow::ensure!(
        id.is_some() || event_type.record_type().is_none(),
        "{} is about a record: name the record with --id",
        event_type.as_str()
    );
    let data = WebhookData { id, updated_at: None, imo: None };
    let body = WebhookBody { event_type, timestamp: now, schema_version: 1, data };
    let body = serde_json::to_vec(&body)?;
    let webhook_id = webhook_id.unwrap_or_else(|| format!("msg_{}", Uuid::now_v7().simple()));
    let signature = Secret::parse(&secret)?.sign(&webhook_id, now.timestamp(), &body);

    // The signature is all that a receiver needs. It may be another company's, which must not get the operator's token.
    let request = api
        .request_without_token(Method::POST, PATH)
        .header(CONTENT_TYPE, "application/json")
        .header(ID_HEADER, &webhook_id)
        .header(TIMESTAMP_HEADER, now.timestamp())
        .header(SIGNATURE_HEADER, signature)
        .body(body);
    let sent_at = Instant::now();
    let response = api.send(request, PATH).await?;
    let status = response.status().as_u16();
    let answer: Value = serde_json::from_slice(&response.bytes().await?).context("the answer is not JSON")?;
    let took_ms = sent_at.elapsed().as_millis() as u64;

    let report = json!({ "status": status, "answer": answer, "webhookId": webhook_id, "tookMs": took_ms });
    print(format, &report, |_report| {
        let result = if answer["duplicate"] == true { "duplicate" } else { "accepted" };
        output::line(format!(
            "{status} {result} in {took_ms} ms: event {}",
            answer["eventId"].as_str().unwrap_or("?")
        ));
        output::line(format!("webhook-id {webhook_id}"));
    });
    Ok(ExitCode::SUCCESS)
}
