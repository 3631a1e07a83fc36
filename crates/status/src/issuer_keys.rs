//! Keeps the public keys of the identity provider like what it publishes.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail, ensure};
use chassis::auth::Issuer;
use tokio_util::sync::CancellationToken;

/// How often keys are read.
const REFRESH_INTERVAL: Duration = Duration::from_secs(300);
/// Least time between two readings, whoever sends tokens with keys that nobody knows.
const REFRESH_PAUSE: Duration = Duration::from_secs(5);
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest JWK set.
const SIZE_LIMIT: usize = 1024 * 1024;

/// Where the keys are.
#[derive(Debug)]
pub(crate) enum KeySource {
    Url(reqwest::Client, String),
    File(PathBuf),
}

impl KeySource {
    pub(crate) fn url(url: String) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("sms-sync/", env!("CARGO_PKG_VERSION")))
            .timeout(FETCH_TIMEOUT)
            // Another host could answer with keys of its own.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self::Url(client, url))
    }

    async fn read(&self) -> anyhow::Result<String> {
        match self {
            Self::File(path) => {
                let size = tokio::fs::metadata(path).await.with_context(|| path.display().to_string())?.len();
                ensure!(size <= SIZE_LIMIT as u64, "{} has more than 1 MiB", path.display());
                tokio::fs::read_to_string(path).await.with_context(|| path.display().to_string())
            }
            Self::Url(client, url) => {
                let mut response = client.get(url).send().await?;
                if !response.status().is_success() {
                    bail!("{url} answers {}", response.status());
                }
                let mut body = Vec::new();
                while let Some(chunk) = response.chunk().await? {
                    body.extend_from_slice(&chunk);
                    ensure!(body.len() <= SIZE_LIMIT, "{url} answers more than 1 MiB");
                }
                Ok(String::from_utf8(body)?)
            }
        }
    }
}

/// Reads the keys, again and again. While they cannot be read, the last ones are used, for a day at most.
pub(crate) async fn refresh_until_stopped(issuer: Issuer, source: KeySource, stop: CancellationToken) {
    let mut last = None;
    loop {
        let read = async { Ok(issuer.replace_keys(&source.read().await?)?) };
        let outcome = read.await.map_err(|error: anyhow::Error| format!("{error:#}"));
        if last.as_ref() != Some(&outcome) {
            match &outcome {
                Ok(counts) => tracing::info!(
                    keys.usable = counts.usable,
                    keys.skipped = counts.skipped,
                    "read the public keys of the operators' issuer"
                ),
                Err(error) => tracing::warn!(
                    error,
                    "the public keys of the operators' issuer could not be read, or none can be used; trying again"
                ),
            }
        }
        let wait = if outcome.is_ok() { REFRESH_INTERVAL } else { REFRESH_PAUSE };
        last = Some(outcome);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(REFRESH_PAUSE) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = issuer.unknown_key_seen() => {}
            () = tokio::time::sleep(wait.saturating_sub(REFRESH_PAUSE)) => {}
        }
    }
}
