//! Plays the onboarding portal: signs an event as it would, and sends it; or tells what is wrong with a signature.

use std::{io::Read, path::Path, process::ExitCode, time::Instant};

use anyhow::Context;
use chrono::TimeDelta;
use contracts::webhook::{
    EventType, WebhookBody, WebhookData,
    signature::{
        ID_HEADER, Keyring, NamedSecret, Refusal, SIGNATURE_HEADER, Secret, SignedHeaders, TIMESTAMP_HEADER,
    },
};
use domain::clock::Clock;
#[expect(clippy::disallowed_types, reason = "the command is wired here")]
use domain::clock::SystemClock;
use reqwest::{Method, header::CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::Api,
    arguments::{Output, Webhook, WebhookSend, WebhookVerify},
    output,
};

const PATH: &str = "/api/sync/webhook";

pub(crate) async fn run(api: &Api, output: Output, command: Webhook) -> anyhow::Result<ExitCode> {
    match command {
        Webhook::Send(asked) => send(api, output, asked).await,
        Webhook::Verify(asked) => verify(output, &asked),
    }
}

async fn send(api: &Api, output: Output, asked: WebhookSend) -> anyhow::Result<ExitCode> {
    let WebhookSend { event_type, id, webhook_id, secret } = asked;
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
    let signature = Secret::parse(&secret)?.sign(&webhook_id, now.timestamp(), &body);

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

fn verify(output: Output, asked: &WebhookVerify) -> anyhow::Result<ExitCode> {
    let body = body(asked.body.as_deref())?;
    let verdict = check(asked, &asked.secret, &body)?;
    let hint = match verdict {
        Err(Refusal::SignatureMismatch) => likely_mistake(asked, &body),
        Err(Refusal::OutOfTolerance) => Some("--any-age looks at the signature alone"),
        _ => None,
    };
    let read = WebhookBody::read(&body);
    let event = read.as_ref().ok().map(|read| {
        let (record_type, id) = read.entity.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
        json!({ "type": read.event_type, "recordType": record_type, "id": id })
    });
    let verified = verdict.is_ok() && read.is_ok();
    let unreadable = read.as_ref().err().map(ToString::to_string);
    let reason = verdict.as_ref().err().map(ToString::to_string).or(unreadable);
    let all = json!({ "verified": verified, "reason": reason, "hint": hint, "event": event, "bodyBytes": body.len() });
    output::either(output, &all, |_all| {
        match (&reason, &read) {
            (None, Ok(read)) => {
                let about = read.entity.as_ref().map(|(kind, id)| format!(" about {kind} {id}"));
                output::line(format!("verified: {}{}", read.event_type, about.unwrap_or_default()));
            }
            (reason, _) => {
                output::line(format!("refused: {}", reason.as_deref().unwrap_or("it cannot be read")));
            }
        }
        if let Some(hint) = hint {
            output::line(format!("  what to do: {hint}"));
        }
    });
    Ok(if verified { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Byte for byte, from a file or from standard input.
fn body(path: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    match path {
        Some(path) if path != Path::new("-") => {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        }
        _ => {
            let mut body = Vec::new();
            std::io::stdin().read_to_end(&mut body).context("cannot read standard input")?;
            Ok(body)
        }
    }
}

fn check(asked: &WebhookVerify, secret: &SecretString, body: &[u8]) -> anyhow::Result<Result<(), Refusal>> {
    let named = NamedSecret { name: "given".to_owned(), secret: Secret::parse(secret)?, expires_at: None };
    let seconds = if asked.any_age { TimeDelta::MAX.num_seconds() } else { asked.tolerance };
    let keyring = Keyring::new(vec![named], TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX));
    let headers = SignedHeaders { id: &asked.id, timestamp: &asked.timestamp, signature: &asked.signature };
    Ok(keyring.verify(headers, body, SystemClock.now()).map(drop))
}

/// What would make the signature right: the mistakes that are made most often.
fn likely_mistake(asked: &WebhookVerify, body: &[u8]) -> Option<&'static str> {
    let matches = |secret: &str, body: &[u8]| {
        check(asked, &secret.to_owned().into(), body).is_ok_and(|verdict| verdict.is_ok())
    };
    let secret = asked.secret.expose_secret();
    if matches(secret, body.trim_ascii_end()) {
        return Some("the body has gained a line end since it was signed: keep it byte for byte");
    }
    if !secret.starts_with("whsec_") && matches(&format!("whsec_{secret}"), body) {
        return Some("the sender decodes the secret from base64: write whsec_ before it here");
    }
    if let Some(text) = secret.strip_prefix("whsec_")
        && matches(text, body)
    {
        return Some(
            "the sender signs with the text of the secret instead of the bytes that it is base64 of",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn asked(secret: &str, signed_with: &str, body: &[u8]) -> WebhookVerify {
        let now = SystemClock.now().timestamp();
        WebhookVerify {
            id: "msg_1".into(),
            timestamp: now.to_string(),
            signature: Secret::parse(&signed_with.to_owned().into()).unwrap().sign("msg_1", now, body),
            secret: secret.to_owned().into(),
            body: None,
            tolerance: 300,
            any_age: false,
        }
    }

    #[test]
    fn the_usual_mistakes_are_recognised() {
        let bare = &SECRET["whsec_".len()..];
        for (given, signed_with, received, said) in [
            (SECRET, SECRET, &b"{}\n"[..], "line end"),
            (bare, SECRET, b"{}", "write whsec_"),
            (SECRET, bare, b"{}", "instead of the bytes"),
        ] {
            let asked = asked(given, signed_with, b"{}");
            let verdict = check(&asked, &asked.secret, received).unwrap();
            assert_eq!(verdict, Err(Refusal::SignatureMismatch));
            assert!(likely_mistake(&asked, received).is_some_and(|hint| hint.contains(said)), "{said}");
        }
        let right = asked(SECRET, SECRET, b"{}");
        assert_eq!(check(&right, &right.secret, b"{}").unwrap(), Ok(()));
        let wrong = asked(SECRET, "another", b"{}");
        assert_eq!(likely_mistake(&wrong, b"{}"), None);
    }

    #[test]
    fn age_counts_unless_it_is_told_not_to() {
        let mut old = asked(SECRET, SECRET, b"{}");
        old.timestamp = "1614265330".into();
        old.signature = Secret::parse(&old.secret).unwrap().sign("msg_1", 1_614_265_330, b"{}");
        assert_eq!(check(&old, &old.secret, b"{}").unwrap(), Err(Refusal::OutOfTolerance));
        old.any_age = true;
        assert_eq!(check(&old, &old.secret, b"{}").unwrap(), Ok(()));
    }
}
