//! Requests to a portal, and their answers as they come.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::finding::FUTURE_TOLERANCE;
use reqwest::{
    Client, Method,
    header::{self, HeaderMap, HeaderName},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

/// An id that no portal has.
pub(super) const UNKNOWN_ID: &str = "sms-sync-check-unknown";

/// Largest answer that is read, as in the services.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// How to reach a portal.
pub(crate) struct PortalAccess {
    /// Base URL of its API: `http://localhost:3001/api`.
    pub(crate) url: String,
    pub(crate) key: Option<SecretString>,
    /// For each request.
    pub(crate) timeout: Duration,
}

/// Sends requests.
pub(super) struct Probe {
    http: Client,
    /// Leaves answers as they are encoded.
    undecoded: Client,
    base: Url,
    key: Option<SecretString>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    /// None: the body is not JSON.
    pub(super) json: Option<Value>,
    pub(super) took: Duration,
}

impl Answer {
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the portal says of an error, to be put behind the status.
    pub(super) fn problem_text(&self) -> String {
        let json = self.json.as_ref();
        let text = json.and_then(|json| json["detail"].as_str().or(json["title"].as_str()));
        text.map(|text| format!(": {}", text.chars().take(200).collect::<String>())).unwrap_or_default()
    }
}

impl Probe {
    pub(super) fn new(access: &PortalAccess) -> anyhow::Result<Self> {
        let base = Url::parse(&format!("{}/", access.url.trim_end_matches('/')))
            .map_err(|error| anyhow::anyhow!("the URL {} cannot be used: {error}", access.url))?;
        let is_plain = base.query().is_none()
            && base.fragment().is_none()
            && base.username().is_empty()
            && base.password().is_none();
        anyhow::ensure!(is_plain, "the URL must be host and path alone, such as https://portal.example/api");
        let client = || {
            Client::builder()
                .user_agent(concat!("sms-sync/", env!("CARGO_PKG_VERSION")))
                .timeout(access.timeout)
                .redirect(redirect::Policy::none())
        };
        let (http, undecoded) = (client().build()?, client().gzip(false).zstd(false).build()?);
        Ok(Self { http, undecoded, base, key: access.key.clone() })
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, String> {
        self.send(Method::GET, path, query).await
    }

    /// How the portal encodes an answer to whoever accepts gzip; none: not at all.
    pub(super) async fn encoding(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<String>, String> {
        let mut url = self.base.join(path).map_err(|error| error.to_string())?;
        url.query_pairs_mut().extend_pairs(query);
        let mut request = self.undecoded.get(url).header(header::ACCEPT_ENCODING, "gzip");
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
        }
        let response = request.send().await.map_err(|error| cause_of(&error))?;
        let encoding = response.headers().get(header::CONTENT_ENCODING);
        Ok(encoding.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()))
    }

    pub(super) async fn get_with_key(
        &self,
        path: &str,
        query: &[(&str, &str)],
        key: Option<&str>,
    ) -> Result<Answer, String> {
        self.request(Method::GET, path, query, key).await
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let key = self.key.as_ref().map(|key| key.expose_secret());
        self.request(method, path, query, key).await
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        key: Option<&str>,
    ) -> Result<Answer, String> {
        let mut url = self.base.join(path).map_err(|error| error.to_string())?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let began = Instant::now();
        let mut request = self.http.request(method, url);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let mut response = request.send().await.map_err(|error| cause_of(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| cause_of(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > BODY_LIMIT {
                return Err(format!("the answer to {path} is larger than {BODY_LIMIT} bytes"));
            }
        }
        Ok(Answer { status, headers, json: serde_json::from_slice(&body).ok(), took: began.elapsed() })
    }
}

/// The innermost error, such as "connection refused": those around it repeat the URL.
fn cause_of(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() }
}

/// A time as the contract has it (RFC 3339).
pub(super) fn time_of(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|time| time.to_utc())
}

/// Whether a time that the portal says lies in the future, by more than clocks may differ.
pub(super) fn is_future(time: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    time > now + FUTURE_TOLERANCE
}
