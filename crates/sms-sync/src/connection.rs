//! Which system a command speaks to, with whose token, and where both come from.
//!
//! What the command line says wins over the environment, and the environment over the profile in use. The token of a profile
//! goes to the profile's own URL only.

use std::{fmt, path::PathBuf};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chassis::auth::API_KEY_PREFIX;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    arguments::GlobalOptions,
    profiles::{ConfigFault, Profile, Profiles},
    secrets::read_secret_file,
};

/// Where the operator API is if nobody says it.
pub(crate) const DEFAULT_URL: &str = "http://localhost:3005";

/// A system, and the operator's token for it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) token: Option<OperatorToken>,
    /// Name of the profile, if one is used.
    pub(crate) profile: Option<String>,
}

impl Default for Target {
    fn default() -> Self {
        Self { url: DEFAULT_URL.to_owned(), token: None, profile: None }
    }
}

/// A token, and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct OperatorToken {
    pub(crate) secret: SecretString,
    /// In the operator's words: an option, a variable, a profile.
    pub(crate) origin: String,
}

/// What a token says of itself. Only the services can tell whether it is true.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TokenClaims {
    sub: Option<String>,
    role: Option<String>,
    exp: Option<i64>,
}

impl OperatorToken {
    /// None: it is no JSON web token, as an API key.
    pub(crate) fn claims(&self) -> Option<TokenClaims> {
        let payload = self.secret.expose_secret().trim().split('.').nth(1)?;
        let json = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

/// Whose it is and where it comes from: `of anna (operator), from OPERATOR_TOKEN`.
impl fmt::Display for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.claims() {
            Some(TokenClaims { sub: Some(subject), role, exp }) => {
                write!(f, "of {subject}")?;
                if let Some(role) = role {
                    write!(f, " ({role})")?;
                }
                if let Some(at) = exp.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0)) {
                    write!(f, ", valid until {}", at.format("%Y-%m-%d %H:%M:%S UTC"))?;
                }
            }
            _ if self.secret.expose_secret().trim().starts_with(API_KEY_PREFIX) => {
                f.write_str("an API key")?
            }
            _ => f.write_str("that names nobody")?,
        }
        write!(f, ", from {}", self.origin)
    }
}

/// The value of an option, and whether the command line or the environment has it.
struct Given<T> {
    value: T,
    is_explicit: bool,
}

/// Tells an option on the command line from its variable. clap has filled in the variable where the option is absent.
fn given<T: Clone>(option: Option<&T>, text: impl Fn(&T) -> String, variable: &str) -> Option<Given<T>> {
    let value = option.filter(|value| !text(value).is_empty())?;
    let is_explicit = std::env::var(variable).ok().as_deref() != Some(text(value).as_str());
    Some(Given { value: value.clone(), is_explicit })
}

/// `--url`, if the command line has it.
pub(crate) fn explicit_url(options: &GlobalOptions) -> Option<String> {
    let given = given(options.url.as_ref(), String::clone, "API_URL");
    given.filter(|it| it.is_explicit).map(|it| it.value)
}

/// `--token-file`, if the command line has it.
pub(crate) fn explicit_token_file(options: &GlobalOptions) -> Option<PathBuf> {
    let given = given(options.token_file.as_ref(), |path| path.display().to_string(), "OPERATOR_TOKEN_FILE");
    given.filter(|it| it.is_explicit).map(|it| it.value)
}

/// The system that the options, the environment and the profiles name.
pub(crate) fn target(options: &GlobalOptions) -> anyhow::Result<Target> {
    let url = given(options.url.as_ref(), String::clone, "API_URL");
    let profile = given(options.profile.as_ref(), String::clone, "SMS_SYNC_PROFILE");
    let profile = match (&url, profile) {
        (None, Some(profile)) => Some(Profiles::load()?.find(&profile.value)?),
        (None, None) => {
            let profiles = Profiles::load()?;
            profiles.current().map(|name| profiles.find(name)).transpose()?
        }
        (Some(_), None) => None,
        (Some(url), Some(profile)) if url.is_explicit == profile.is_explicit => {
            let names = if url.is_explicit { "--url and --profile" } else { "API_URL and SMS_SYNC_PROFILE" };
            return Err(ConfigFault(format!("{names} name a system each: leave one of the two out")).into());
        }
        (Some(url), Some(profile)) => {
            if url.is_explicit {
                None
            } else {
                Some(Profiles::load()?.find(&profile.value)?)
            }
        }
    };
    let token = token(options, profile.as_ref())?;
    Ok(match profile {
        Some(Profile { name, url, .. }) => Target { url, token, profile: Some(name) },
        None => {
            Target { url: url.map_or_else(|| DEFAULT_URL.to_owned(), |url| url.value), token, profile: None }
        }
    })
}

fn token(options: &GlobalOptions, profile: Option<&Profile>) -> anyhow::Result<Option<OperatorToken>> {
    let exposed = |token: &SecretString| token.expose_secret().to_owned();
    let shown = |path: &PathBuf| path.display().to_string();
    let token = given(options.token.as_ref(), exposed, "OPERATOR_TOKEN");
    let file = given(options.token_file.as_ref(), shown, "OPERATOR_TOKEN_FILE");
    let is_explicit =
        token.as_ref().is_some_and(|it| it.is_explicit) || file.as_ref().is_some_and(|it| it.is_explicit);
    if let (false, Some(Profile { name, token: Some(source), .. })) = (is_explicit, profile) {
        let secret = source.read().with_context(|| format!("the token of the profile {name}"))?;
        return Ok(Some(OperatorToken { secret, origin: format!("the profile {name}: {source}") }));
    }
    let of_token = |it: Given<SecretString>| OperatorToken {
        secret: it.value,
        origin: if it.is_explicit { "--token" } else { "OPERATOR_TOKEN" }.to_owned(),
    };
    let of_file = |it: Given<PathBuf>| {
        let name = if it.is_explicit { "--token-file" } else { "OPERATOR_TOKEN_FILE" };
        let secret = read_secret_file(name, &it.value)?;
        anyhow::Ok(OperatorToken { secret, origin: format!("{}, which {name} names", it.value.display()) })
    };
    match (token, file) {
        (Some(token), Some(file)) if token.is_explicit == file.is_explicit => {
            let names = if token.is_explicit {
                "--token and --token-file"
            } else {
                "OPERATOR_TOKEN and OPERATOR_TOKEN_FILE"
            };
            Err(ConfigFault(format!("{names} are both given: leave one of the two out")).into())
        }
        (Some(token), Some(file)) => {
            if token.is_explicit {
                Ok(Some(of_token(token)))
            } else {
                of_file(file).map(Some)
            }
        }
        (Some(token), None) => Ok(Some(of_token(token))),
        (None, Some(file)) => of_file(file).map(Some),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> OperatorToken {
        let secret = format!("x.{}.y", BASE64_URL_SAFE_NO_PAD.encode(payload));
        OperatorToken { secret: secret.into(), origin: "OPERATOR_TOKEN".to_owned() }
    }

    #[test]
    fn token_says_whose_it_is_and_where_it_comes_from() {
        let anna = token(r#"{"sub":"anna","role":"admin","exp":1764244800}"#);
        assert_eq!(
            anna.to_string(),
            "of anna (admin), valid until 2025-11-27 12:00:00 UTC, from OPERATOR_TOKEN"
        );
        assert_eq!(token("no json").to_string(), "that names nobody, from OPERATOR_TOKEN");
    }
}
