//! `sms-sync webhooks verify`: checks the signature of a received webhook, and recognises frequent mistakes.

use std::{path::PathBuf, process::ExitCode};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use contracts::webhook::{
    WebhookBody,
    signature::{Keyring, NamedSecret, Refusal, Secret, SignedHeaders},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    arguments::{OutputFormat, read_input},
    output::{self, print},
    secrets::webhook_secret,
};

#[derive(Debug, Args)]
pub(crate) struct VerifyOptions {
    /// File with the body, byte for byte as it was received [default: standard input]
    body: Option<PathBuf>,
    /// Value of the header webhook-id
    #[arg(long)]
    id: String,
    /// Value of the header webhook-timestamp
    #[arg(long)]
    timestamp: String,
    /// Value of the header webhook-signature
    #[arg(long)]
    signature: String,
    /// Secret that the sender should sign with; otherwise WEBHOOK_SECRET, or the content of the file that WEBHOOK_SECRET_FILE names
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true)]
    secret: Option<SecretString>,
    /// Largest accepted difference between the timestamp and this machine's clock
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(i64).range(0..), value_name = "SECONDS")]
    tolerance: i64,
    /// Accept a timestamp of any age, for a webhook taken from a log
    #[arg(long, conflicts_with = "tolerance")]
    any_age: bool,
}

pub(super) fn run(
    now: DateTime<Utc>,
    format: OutputFormat,
    options: VerifyOptions,
) -> anyhow::Result<ExitCode> {
    let secret = webhook_secret(options.secret.clone())?;
    let options = &options;
    let body = read_input(options.body.as_deref())?;
    let signature = check_signature(options, &secret, &body, now)?;
    let hint = match signature {
        Err(Refusal::SignatureMismatch) => likely_mistake(options, &secret, &body, now),
        Err(Refusal::OutOfTolerance) => Some("to check the signature alone, pass --any-age"),
        _ => None,
    };
    let event = WebhookBody::read(&body);
    let refusal = match (&signature, &event) {
        (Err(refusal), _) => Some(refusal.to_string()),
        (Ok(()), Err(unreadable)) => Some(unreadable.to_string()),
        (Ok(()), Ok(_)) => None,
    };
    let entity = event.as_ref().ok().and_then(|event| event.entity.as_ref());
    let (record_type, id) = entity.map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
    let report = json!({
        "verified": refusal.is_none(),
        "reason": refusal,
        "hint": hint,
        "event": event.as_ref().ok().map(|event| {
            json!({ "type": event.event_type, "recordType": record_type, "id": id })
        }),
        "bodyBytes": body.len(),
    });
    print(format, &report, |_report| {
        match (&refusal, &event) {
            (None, Ok(event)) => {
                let about = entity.map(|(kind, id)| format!(" for {kind} {id}")).unwrap_or_default();
                output::line(format!("verified: {}{about}", event.event_type));
            }
            (refusal, _) => {
                output::line(format!(
                    "refused: {}",
                    refusal.as_deref().unwrap_or("the body is not readable")
                ));
            }
        }
        if let Some(hint) = hint {
            output::line(format!("  what to do: {hint}"));
        }
    });
    Ok(if refusal.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_signature(
    options: &VerifyOptions,
    secret: &SecretString,
    body: &[u8],
    now: DateTime<Utc>,
) -> anyhow::Result<Result<(), Refusal>> {
    let secret = NamedSecret { name: "given".to_owned(), secret: Secret::parse(secret)?, expires_at: None };
    let seconds = if options.any_age { TimeDelta::MAX.num_seconds() } else { options.tolerance };
    let keyring = Keyring::new(vec![secret], TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX));
    let headers =
        SignedHeaders { id: &options.id, timestamp: &options.timestamp, signature: &options.signature };
    Ok(keyring.verify(headers, body, now).map(drop))
}

/// Tries the most frequent mistakes of senders, and returns what to do about the one that makes the signature match.
fn likely_mistake(
    options: &VerifyOptions,
    secret: &SecretString,
    body: &[u8],
    now: DateTime<Utc>,
) -> Option<&'static str> {
    let matches = |secret: &str, body: &[u8]| {
        check_signature(options, &secret.to_owned().into(), body, now).is_ok_and(|checked| checked.is_ok())
    };
    let secret = secret.expose_secret();
    if matches(secret, body.trim_ascii_end()) {
        return Some("a line end was appended to the body after it was signed; keep the body byte for byte");
    }
    if !secret.starts_with("whsec_") && matches(&format!("whsec_{secret}"), body) {
        return Some("the sender decodes the secret from base64; write whsec_ before it here");
    }
    if let Some(text) = secret.strip_prefix("whsec_")
        && matches(text, body)
    {
        return Some(
            "the sender signs with the secret's base64 text; it must decode the text and sign with its bytes",
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn now() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    fn webhook(signed_with: &str, signed_at: DateTime<Utc>) -> VerifyOptions {
        let timestamp = signed_at.timestamp();
        let signing = Secret::parse(&signed_with.to_owned().into()).unwrap();
        VerifyOptions {
            id: "msg_1".into(),
            timestamp: timestamp.to_string(),
            signature: signing.sign("msg_1", timestamp, b"{}"),
            secret: None,
            body: None,
            tolerance: 300,
            any_age: false,
        }
    }

    fn check(options: &VerifyOptions, secret: &str, received: &[u8]) -> Result<(), Refusal> {
        check_signature(options, &secret.to_owned().into(), received, now()).unwrap()
    }

    #[test]
    fn signature_of_the_given_secret_is_accepted() {
        assert_eq!(check(&webhook(SECRET, now()), SECRET, b"{}"), Ok(()));
    }

    #[test]
    fn usual_mistakes_are_refused_with_a_hint() {
        let bare = &SECRET["whsec_".len()..];
        for (secret, signed_with, received, hint) in [
            (SECRET, SECRET, &b"{}\n"[..], "line end"),
            (bare, SECRET, b"{}", "write whsec_"),
            (SECRET, bare, b"{}", "base64 text"),
        ] {
            let options = webhook(signed_with, now());
            assert_eq!(check(&options, secret, received), Err(Refusal::SignatureMismatch));
            let mistake = likely_mistake(&options, &secret.to_owned().into(), received, now());
            assert!(mistake.is_some_and(|text| text.contains(hint)), "{hint}: {mistake:?}");
        }
    }

    #[test]
    fn signature_of_another_secret_is_refused_without_a_hint() {
        let options = webhook("another", now());
        assert_eq!(check(&options, SECRET, b"{}"), Err(Refusal::SignatureMismatch));
        assert_eq!(likely_mistake(&options, &SECRET.to_owned().into(), b"{}", now()), None);
    }

    #[test]
    fn old_timestamp_is_refused_unless_any_age_is_accepted() {
        let mut options = webhook(SECRET, now() - TimeDelta::days(1));
        assert_eq!(check(&options, SECRET, b"{}"), Err(Refusal::OutOfTolerance));
        options.any_age = true;
        assert_eq!(check(&options, SECRET, b"{}"), Ok(()));
    }
}
