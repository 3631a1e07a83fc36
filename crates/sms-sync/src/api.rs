//! Client of the operator API: requests with the token, and errors that say what to do.

use std::{error::Error, fmt, time::Duration};

use chassis::problem::ProblemBody;
use reqwest::{
    Method, RequestBuilder, Response,
    header::{self, HeaderValue},
};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::connection::{OperatorToken, Target};

/// Limit for a whole request. The event stream has no end, and so no timeout.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Before a request is sent again whose answer was lost.
const PAUSE_BEFORE_REPEAT: Duration = Duration::from_secs(1);

/// A client of the operator API.
#[derive(Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
    token: Option<OperatorToken>,
}

/// Why a request to the API failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The API answered with a problem (RFC 9457).
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The answer is not one of the operator API: another program listens there.
    #[error(
        "{url} is not the operator API (status {status})\n  what to do: check --url, API_URL or the profile"
    )]
    Foreign { url: String, status: u16 },
    /// JSON that this release cannot read.
    #[error(
        "{url} answered what this release cannot read: {cause}\n  what to do: compare `sms-sync --version` with the release of the services"
    )]
    Unreadable { url: String, cause: String },
    #[error(
        "nothing answers at {url}: {cause}\n  what to do: start the services (`make up` or `sms-sync up`), or name another system with --url, API_URL or --profile"
    )]
    Unreachable { url: String, cause: String },
}

impl ApiError {
    /// The code of the problem, if the API answered with one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.problem.code),
            Self::Foreign { .. } | Self::Unreadable { .. } | Self::Unreachable { .. } => None,
        }
    }

    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Refused(refusal) => match refusal.problem.status {
                401 | 403 => FailureKind::NotAllowed,
                502..=504 => FailureKind::Unavailable,
                _ => FailureKind::Other,
            },
            Self::Foreign { .. } | Self::Unreadable { .. } => FailureKind::Other,
            Self::Unreachable { .. } => FailureKind::Unavailable,
        }
    }
}

/// Kinds of failures that scripts tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// Nothing answers, or a service is down.
    Unavailable,
    /// The token is missing, refused, or of too low a role.
    NotAllowed,
    Other,
}

/// A problem that the API answered with, and the token of the request in words.
#[derive(Debug)]
pub(crate) struct Refusal {
    problem: ProblemBody,
    token: Option<String>,
}

/// As text for people: title, detail, fields, whose token, what to do.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, token } = self;
        // The line breaks are ours alone: a text of the API may hold some.
        write!(f, "{} ({})", visible(&problem.title), visible(&problem.code))?;
        if let Some(detail) = &problem.detail {
            write!(f, "\n  {}", visible(detail))?;
        }
        for error in &problem.errors {
            let field = match error.pointer.trim_start_matches("#/") {
                "#" => "request",
                field => field,
            };
            write!(f, "\n  {}: {}", visible(field), visible(&error.detail))?;
        }
        if let (401 | 403, Some(token)) = (problem.status, token) {
            write!(f, "\n  the token: {}", visible(token))?;
        }
        if let Some(hint) = hint(problem) {
            write!(f, "\n  what to do: {}", visible(&hint))?;
        }
        if let (500.., Some(id)) = (problem.status, &problem.request_id) {
            write!(f, "\n  request id: {}", visible(id))?;
        }
        Ok(())
    }
}

/// Foreign text on one line, as `output::visible`: that file prints the errors of this one.
fn visible(text: &str) -> std::borrow::Cow<'_, str> {
    domain::text::printable(text, usize::MAX)
}

fn hint(problem: &ProblemBody) -> Option<String> {
    if let Some(id) = problem.extra.get("runningSyncId").and_then(|id| id.as_str()) {
        return Some(format!(
            "wait for it (`sms-sync status {id} --watch`) or cancel it (`sms-sync syncs cancel {id}`)"
        ));
    }
    let hint = match (problem.code.as_ref(), problem.status) {
        ("token_missing", _) => {
            "set OPERATOR_TOKEN or give the profile a token; `sms-sync token` creates a token"
        }
        ("token_revoked", _) => "ask your admin why; `sms-sync revocations list` shows revoked tokens",
        ("token_expired", _) => "create a new token with `sms-sync token`, or ask your admin for one",
        ("invalid_token", _) => {
            "create the token with the OPERATOR_JWT_SECRET of the services, or have an API key made anew"
        }
        ("outside_scope", _) => "use a token for the whole fleet",
        (_, 403) => "use a token with a higher role",
        (_, 412) => "somebody else was faster: see what changed, and try again",
        (_, 422) => "correct the fields named above and try again",
        (_, 429 | 503) => "try again in a moment; `sms-sync status` shows which service is down",
        _ => return None,
    };
    Some(hint.to_owned())
}

impl Api {
    pub(crate) fn new(target: Target) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("sms-sync/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        let Target { url, token, .. } = target;
        let base = url.trim_end_matches('/');
        // ONBOARDING_API_URL ends in /api, so people write this URL the same way.
        let base = base.strip_suffix("/api").unwrap_or(base).to_owned();
        Ok(Self { http, base, token })
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.request_json(self.request(Method::GET, path).timeout(REQUEST_TIMEOUT), path).await
    }

    /// The answer with its version, for [`Self::request_if_match`].
    pub(crate) async fn get_with_version<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<(T, HeaderValue), ApiError> {
        let response = self.send(self.request(Method::GET, path).timeout(REQUEST_TIMEOUT), path).await?;
        let foreign = || ApiError::Foreign { url: self.url_of(path), status: 200 };
        let version = response.headers().get(header::ETAG).cloned().ok_or_else(foreign)?;
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        Ok((serde_json::from_slice(&body).map_err(|_unexpected| foreign())?, version))
    }

    /// A request that is refused if what it changes is in another version.
    pub(crate) fn request_if_match(
        &self,
        method: Method,
        path: &str,
        version: &HeaderValue,
    ) -> RequestBuilder {
        self.request(method, path).timeout(REQUEST_TIMEOUT).header(header::IF_MATCH, version)
    }

    pub(crate) async fn post_if_match<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        version: &HeaderValue,
    ) -> Result<T, ApiError> {
        self.request_json(self.request_if_match(Method::POST, path, version).json(body), path).await
    }

    /// Without a version it adds what is not there.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        version: Option<&HeaderValue>,
    ) -> Result<T, ApiError> {
        let request = match version {
            Some(version) => self.request_if_match(Method::PUT, path, version),
            None => self.request(Method::PUT, path).timeout(REQUEST_TIMEOUT),
        };
        self.request_json(request.json(body), path).await
    }

    /// An answer that is not JSON.
    pub(crate) async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, ApiError> {
        let response = self.send(self.request(Method::GET, path).timeout(REQUEST_TIMEOUT), path).await?;
        Ok(response.bytes().await.map_err(|error| self.unreachable(&error))?.to_vec())
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        self.request_json(self.request(Method::POST, path).timeout(REQUEST_TIMEOUT).json(body), path).await
    }

    pub(crate) async fn post_without_body<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.request_json(self.request(Method::POST, path).timeout(REQUEST_TIMEOUT), path).await
    }

    /// A request that takes effect once: if its answer is lost, it is sent again with the same `Idempotency-Key`, and answered as
    /// before. For operations that know the header.
    pub(crate) async fn post_once<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ApiError> {
        let request = self.request(Method::POST, path).timeout(REQUEST_TIMEOUT);
        let request = request.header("Idempotency-Key", Uuid::now_v7().to_string());
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let again = request.try_clone();
        match (self.request_json(request, path).await, again) {
            (Err(ApiError::Unreachable { .. }), Some(again)) => {
                tokio::time::sleep(PAUSE_BEFORE_REPEAT).await;
                self.request_json(again, path).await
            }
            (answer, _) => answer,
        }
    }

    /// A request without the token, for receivers that are not the operator API.
    pub(crate) fn request_without_token(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url_of(path))
    }

    /// A request with the token, if there is one.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.request_without_token(method, path);
        match &self.token {
            Some(token) => request.bearer_auth(token.secret.expose_secret().trim()),
            None => request,
        }
    }

    /// Sends a request; any status other than 2xx is an error.
    pub(crate) async fn send(&self, request: RequestBuilder, path: &str) -> Result<Response, ApiError> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        match serde_json::from_slice::<ProblemBody>(&body) {
            Ok(problem) => {
                let token = self.token.as_ref().map(ToString::to_string);
                Err(ApiError::Refused(Box::new(Refusal { problem, token })))
            }
            Err(_not_a_problem) => Err(ApiError::Foreign { url: self.url_of(path), status: status.as_u16() }),
        }
    }

    async fn request_json<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        path: &str,
    ) -> Result<T, ApiError> {
        let response = self.send(request, path).await?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&body).map_err(|error| {
            let url = self.url_of(path);
            // Another program that listens there answers no JSON, or not this JSON at its beginning.
            match serde_json::from_slice::<serde_json::Value>(&body) {
                Ok(serde_json::Value::Object(fields)) if !fields.is_empty() => {
                    ApiError::Unreadable { url, cause: error.to_string() }
                }
                _ => ApiError::Foreign { url, status },
            }
        })
    }

    fn url_of(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn unreachable(&self, error: &reqwest::Error) -> ApiError {
        ApiError::Unreachable { url: self.base.clone(), cause: root_cause(error).to_string() }
    }
}

/// The innermost error, such as "connection refused": the errors around it repeat the URL.
fn root_cause(error: &reqwest::Error) -> &dyn Error {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause
}
