//! Several secrets in one value: entries separated by commas or line ends, each `name=secret` or, accepted only before a
//! time, `name@2026-12-01T00:00:00Z=secret`.
//!
//! So a secret is rotated without a moment in which something that was made with the old one is refused: the new secret
//! becomes the current one, and the old one stands here until nothing of it is left.

use chrono::{DateTime, Utc};

use super::secret::{ExposeSecret, Secret};

/// Most secrets of one list: each may be tried for each signature.
pub const NAMED_SECRETS_LIMIT: usize = 16;

/// A secret of a list.
#[derive(Debug, Clone)]
pub struct NamedSecret {
    /// For logs.
    pub name: String,
    pub secret: Secret,
    /// Not accepted from this time on.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Why a list of secrets cannot be used. No message contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamedSecretsError {
    #[error("entry {0} is not name=secret or name@time=secret")]
    Entry(usize),
    #[error("entry {0} has a time that is not like 2026-12-01T00:00:00Z")]
    Time(usize),
    #[error("two secrets are called {0:?}")]
    Twice(String),
    #[error("there are more than {NAMED_SECRETS_LIMIT} secrets")]
    TooMany,
}

/// The secrets of a list, in their order.
///
/// # Errors
/// When an entry cannot be read, two have one name, or there are more than [`NAMED_SECRETS_LIMIT`].
pub fn named_secrets(list: &Secret) -> Result<Vec<NamedSecret>, NamedSecretsError> {
    let mut secrets: Vec<NamedSecret> = Vec::new();
    for entry in entries(list.expose_secret()) {
        let Entry { name, secret, expires_at } = entry?;
        if secrets.iter().any(|other| other.name == name) {
            return Err(NamedSecretsError::Twice(name.to_owned()));
        }
        if secrets.len() == NAMED_SECRETS_LIMIT {
            return Err(NamedSecretsError::TooMany);
        }
        secrets.push(NamedSecret { name: name.to_owned(), secret: Secret::from(secret), expires_at });
    }
    Ok(secrets)
}

/// An entry as it is written.
pub(super) struct Entry<'t> {
    pub(super) name: &'t str,
    pub(super) secret: &'t str,
    expires_at: Option<DateTime<Utc>>,
}

pub(super) fn entries(text: &str) -> impl Iterator<Item = Result<Entry<'_>, NamedSecretsError>> {
    let entries = text.split([',', '\n', '\r']).map(str::trim).filter(|entry| !entry.is_empty());
    entries.enumerate().map(|(index, text)| entry(index + 1, text))
}

fn entry(number: usize, text: &str) -> Result<Entry<'_>, NamedSecretsError> {
    let (label, secret) = text.split_once('=').ok_or(NamedSecretsError::Entry(number))?;
    let (name, expires_at) = match label.split_once('@') {
        Some((name, time)) => {
            let time = time.parse::<DateTime<Utc>>().map_err(|_no_time| NamedSecretsError::Time(number))?;
            (name, Some(time))
        }
        None => (label, None),
    };
    // A secret without a name may end in `=` of base64; it must not be read as a name, which is logged.
    let is_name = (1..=32).contains(&name.len())
        && !name.starts_with("whsec_")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_name && !secret.trim_matches('=').is_empty() {
        Ok(Entry { name, secret, expires_at })
    } else {
        Err(NamedSecretsError::Entry(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(list: &str) -> Result<Vec<(String, Option<String>)>, String> {
        let secrets = named_secrets(&Secret::from(list)).map_err(|error| error.to_string())?;
        Ok(secrets.into_iter().map(|it| (it.name, it.expires_at.map(|at| at.to_rfc3339()))).collect())
    }

    #[test]
    fn entries_have_names_and_may_expire() {
        let list = "next=whsec_AAAA, previous@2026-12-01T12:00:00Z=any text=with signs\n old=x";
        let expiry = Some("2026-12-01T12:00:00+00:00".to_owned());
        let expected = [("next", None), ("previous", expiry), ("old", None)];
        assert_eq!(parsed(list).expect("a list"), expected.map(|(name, at)| (name.to_owned(), at)));
        assert_eq!(parsed(" \n"), Ok(Vec::new()));
    }

    #[test]
    fn errors_name_the_entry_and_not_the_secret() {
        let many: Vec<_> = (0..=NAMED_SECRETS_LIMIT).map(|number| format!("n{number}=hunter2")).collect();
        for (list, message) in [
            ("hunter2", "entry 1 is not"),
            ("whsec_aHVudGVyMg==", "entry 1 is not"),
            ("aHVudGVyMg==", "entry 1 is not"),
            ("a=x,=hunter2", "entry 2 is not"),
            ("a@tomorrow=hunter2", "entry 1 has a time"),
            ("a=x,a=hunter2", "two secrets are called \"a\""),
            (&many.join(","), "there are more than 16 secrets"),
        ] {
            let error = parsed(list).expect_err(message);
            assert!(error.contains(message) && !error.contains("hunter2"), "{error}");
        }
    }
}
