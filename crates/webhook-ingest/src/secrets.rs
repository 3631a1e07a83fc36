//! The secrets that webhooks may be signed with, as operators write them.
//!
//! `WEBHOOK_SECRET` holds the current one. `WEBHOOK_SECRETS` holds more of them, as [`named_secrets`] reads them.

use chassis::config::{NamedSecretsError, Secret as ConfigSecret, named_secrets};
use chrono::{DateTime, Utc};
use contracts::webhook::signature::{InvalidSecret, NamedSecret, Secret};
use secrecy::ExposeSecret;

/// Name of the secret in `WEBHOOK_SECRET`, in logs and rows.
const CURRENT_SECRET_NAME: &str = "current";

/// Why secrets cannot be used. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretsError {
    #[error(transparent)]
    List(#[from] NamedSecretsError),
    #[error("the secret {name:?} cannot be used: {source}")]
    Secret { name: String, source: InvalidSecret },
    #[error("there is no secret: set WEBHOOK_SECRET or WEBHOOK_SECRETS")]
    None,
}

/// All secrets, the current one first.
pub(crate) fn parse(current: &ConfigSecret, more: &ConfigSecret) -> Result<Vec<NamedSecret>, SecretsError> {
    let mut secrets: Vec<NamedSecret> = Vec::new();
    if !current.expose_secret().is_empty() {
        secrets.push(named_secret(CURRENT_SECRET_NAME, current, None)?);
    }
    for more in named_secrets(more)? {
        if secrets.iter().any(|other| other.name == more.name) {
            return Err(NamedSecretsError::Twice(more.name).into());
        }
        secrets.push(named_secret(&more.name, &more.secret, more.expires_at)?);
    }
    if secrets.is_empty() { Err(SecretsError::None) } else { Ok(secrets) }
}

fn named_secret(
    name: &str,
    text: &ConfigSecret,
    expires_at: Option<DateTime<Utc>>,
) -> Result<NamedSecret, SecretsError> {
    let secret =
        Secret::parse(text).map_err(|source| SecretsError::Secret { name: name.to_owned(), source })?;
    Ok(NamedSecret { name: name.to_owned(), secret, expires_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(current: &str, more: &str) -> Result<Vec<NamedSecret>, String> {
        parse(&current.to_owned().into(), &more.to_owned().into()).map_err(|error| error.to_string())
    }

    #[test]
    fn secrets_are_parsed_with_names_and_expiry() {
        let entries = "next=whsec_AAAA, previous@2026-12-01T12:00:00Z=any text=with signs\n old=x";
        let all = parsed("your-webhook-secret", entries).unwrap();
        let names: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["current", "next", "previous", "old"]);
        let expiring: Vec<_> = all.iter().filter(|it| it.expires_at.is_some()).collect();
        assert!(matches!(expiring[..], [previous] if previous.name == "previous"));
        assert!(parsed("", "only=whsec_AAAA").is_ok());
    }

    #[test]
    fn parse_errors_do_not_contain_the_secret() {
        for (current, more, message) in [
            ("", "", "there is no secret"),
            ("whsec_not base64", "", "\"current\" cannot be used"),
            ("", "hunter2", "entry 1 is not"),
            ("", "whsec_aHVudGVyMg==", "entry 1 is not"),
            ("", "a=x,=hunter2", "entry 2 is not"),
            ("", "a@tomorrow=hunter2", "entry 1 has a time"),
            ("x", "current=hunter2", "two secrets are called \"current\""),
        ] {
            let error = parsed(current, more).expect_err(message);
            assert!(error.contains(message) && !error.contains("hunter2"), "{error}");
        }
    }
}
