//! The operator API as seen from the command line: paths, token, and errors that say what to do.

use std::{fmt, time::Duration};

use chassis::problem::ProblemBody;
use reqwest::{Method, RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};

use crate::arguments::Connection;

/// The API at one address.
#[derive(Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    base: String,
    token: Option<SecretString>,
}

/// Why the API did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// It answered with a problem.
    #[error("{}", Told(.0))]
    Refused(Box<ProblemBody>),
    /// Something that is not our API answered.
    #[error(
        "{url} answered {status}, and not as the operator API does\n  what to do: check --url or API_URL"
    )]
    Foreign { url: String, status: u16 },
    /// Nobody answered.
    #[error(
        "nothing answers at {url}\n  what to do: start it (`make up`, or `sms-sync up`), or set --url or API_URL"
    )]
    Unreachable {
        url: String,
        #[source]
        source: reqwest::Error,
    },
}

/// A problem for people: title, detail, fields, what to do.
struct Told<'a>(&'a ProblemBody);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = self.0;
        write!(f, "{} ({})", problem.title, problem.code)?;
        if let Some(detail) = &problem.detail {
            write!(f, "\n  {detail}")?;
        }
        for error in &problem.errors {
            write!(f, "\n  {}: {}", error.pointer.trim_start_matches("#/"), error.detail)?;
        }
        if let Some(hint) = hint(problem) {
            write!(f, "\n  what to do: {hint}")?;
        }
        if let (500.., Some(id)) = (problem.status, &problem.request_id) {
            write!(f, "\n  request id: {id}")?;
        }
        Ok(())
    }
}

fn hint(problem: &ProblemBody) -> Option<String> {
    if let Some(id) = problem.extra.get("runningSyncId").and_then(|id| id.as_str()) {
        return Some(format!(
            "wait for it (`sms-sync status {id} --watch`) or stop it (`sms-sync cancel {id}`)"
        ));
    }
    let hint = match (problem.code.as_ref(), problem.status) {
        ("token_missing", _) => "pass --token or set OPERATOR_TOKEN; `sms-sync token` mints one",
        ("token_expired", _) => "mint a new one with `sms-sync token`, or ask your admin",
        (_, 401) => "the services verify with another OPERATOR_JWT_SECRET than the one it was signed with",
        (_, 403) => "ask for a token with a higher role",
        (_, 412) => "look at what changed (`sms-sync settings get`) and try again",
        (_, 422) => "mend what is named above and try again",
        (_, 429 | 503) => "try again in a moment; `sms-sync status` shows what is away",
        _ => return None,
    };
    Some(hint.to_owned())
}

impl Api {
    pub(crate) fn new(connection: &Connection) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("sms-sync/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(5))
            .build()?;
        let base = connection.url.trim_end_matches('/');
        let base = base.strip_suffix("/api").unwrap_or(base).to_owned();
        Ok(Self { http, base, token: connection.token.clone() })
    }

    /// The address of a path.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.read(self.request(Method::GET, path).timeout(Duration::from_secs(60)), path).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, ApiError> {
        let request = self.request(Method::POST, path).timeout(Duration::from_secs(60));
        self.read(if let Some(body) = body { request.json(body) } else { request }, path).await
    }

    /// A request with the token, if there is one.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, self.address(path));
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret().trim()),
            None => request,
        }
    }

    /// Sends, and takes nothing but a success.
    pub(crate) async fn send(&self, request: RequestBuilder, path: &str) -> Result<Response, ApiError> {
        let url = self.address(path);
        let unreachable = |source| ApiError::Unreachable { url: self.base.clone(), source };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(unreachable)?;
        match serde_json::from_slice::<ProblemBody>(&body) {
            Ok(problem) => Err(ApiError::Refused(Box::new(problem))),
            Err(_not_ours) => Err(ApiError::Foreign { url, status: status.as_u16() }),
        }
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder, path: &str) -> Result<T, ApiError> {
        let response = self.send(request, path).await?;
        let status = response.status().as_u16();
        let unreachable = |source| ApiError::Unreachable { url: self.base.clone(), source };
        let body = response.bytes().await.map_err(unreachable)?;
        serde_json::from_slice(&body)
            .map_err(|_not_ours| ApiError::Foreign { url: self.address(path), status })
    }
}
