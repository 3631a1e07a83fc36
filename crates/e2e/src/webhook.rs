//! Webhooks as the onboarding portal signs and sends them.

use std::time::{SystemTime, UNIX_EPOCH};

use contracts::webhook::signature::{ID_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::System;
use crate::environment::{WEBHOOK_SECRET, http};

/// A signed notice, which may be sent as often as one likes.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The sender's id.
    pub id: String,
    /// What is sent, byte by byte.
    pub body: Vec<u8>,
    timestamp: u64,
    signature: String,
}

impl Webhook {
    /// About a record, signed with the secret that the system knows.
    pub fn about(event_type: &str, record_id: &str, occurred_at: &str) -> anyhow::Result<Self> {
        let body = json!({
            "type": event_type, "timestamp": occurred_at, "schemaVersion": 1, "data": {"id": record_id}
        });
        let body = serde_json::to_vec(&body)?;
        let id = format!("msg_{}", Uuid::now_v7().simple());
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let signature = Secret::parse(&WEBHOOK_SECRET.into())?.sign(&id, timestamp.try_into()?, &body);
        Ok(Self { id, body, timestamp, signature })
    }

    /// The same, signed with a secret that the system does not know.
    #[must_use]
    pub fn forged(&self) -> Self {
        let secret = Secret::parse(&"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).expect("a secret");
        let timestamp = i64::try_from(self.timestamp).expect("a time of this age");
        Self { signature: secret.sign(&self.id, timestamp, &self.body), ..self.clone() }
    }

    /// Sends it; status and answer.
    pub async fn send(&self, system: &System) -> anyhow::Result<(StatusCode, Value)> {
        self.send_to(&system.webhook_url).await
    }

    /// Sends it to an address; status and answer.
    pub async fn send_to(&self, url: &str) -> anyhow::Result<(StatusCode, Value)> {
        let request = http()?
            .post(url)
            .header("content-type", "application/json")
            .header(ID_HEADER, &self.id)
            .header(TIMESTAMP_HEADER, self.timestamp)
            .header(SIGNATURE_HEADER, &self.signature)
            .body(self.body.clone());
        let answer = request.send().await?;
        let status = answer.status();
        Ok((status, serde_json::from_slice(&answer.bytes().await?)?))
    }
}
