//! Middlewares around every route: problems completed, headers added, requests counted and logged.

use std::{fmt, time::Instant};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};
use uuid::Uuid;

use super::{
    log_sample::{FAILED_REQUESTS, LogKey},
    operations::check_method,
};
use crate::{
    auth::RateLimitState, error_chain::ErrorChain, health::Health, ops, problem::Problem, telemetry,
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Smallest body that is compressed, in bytes.
const COMPRESSION_MIN_BYTES: u64 = 512;

/// The id of a request: the caller's `X-Request-Id` where it is harmless, else a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let harmless = |text: &&str| {
            (1..=128).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
        };
        let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok()).filter(harmless);
        Self(given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request's line and route, kept for the log and the metrics: the inner service consumes the request itself.
#[derive(Debug, Clone)]
pub(super) struct RequestFacts {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) route: String,
    /// Whether it is a probe or a scrape: those come every few seconds and are not logged at info.
    pub(super) is_probe: bool,
    received_at: Instant,
}

impl RequestFacts {
    pub(super) fn of(request: &ServiceRequest) -> Self {
        let path = request.path().to_owned();
        let is_probe = ops::PATHS.contains(&path.as_str());
        Self {
            method: request.method().to_string(),
            // All requests without a route share one label value: callers must not be able to make up new ones.
            route: request.match_pattern().unwrap_or_else(|| "unmatched".to_owned()),
            path,
            is_probe,
            received_at: Instant::now(),
        }
    }
}

/// The answer where no route is.
pub(super) async fn no_route(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let detail = || format!("There is nothing at {}.", request.path());
    Err(check_method(&request).err().unwrap_or_else(|| Problem::not_found("not_found", detail())))
}

/// Marks event streams and small bodies as `identity`, which the compression around it leaves alone.
pub(super) async fn mark_uncompressed<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    // Compression holds events back until a block is full.
    let is_stream = has_content_type(response.headers(), "text/event-stream");
    let is_small =
        matches!(response.response().body().size(), BodySize::Sized(size) if size < COMPRESSION_MIN_BYTES);
    if (is_stream || is_small) && !response.headers().contains_key(header::CONTENT_ENCODING) {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(response)
}

/// Tells clients that keep their connection to open a new one for the next request, which then goes to another process.
pub(super) async fn close_while_draining<B>(
    health: Health,
    answer: impl Future<Output = Result<ServiceResponse<B>, Error>>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = answer.await?;
    if health.is_draining() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// Outermost but for the span: completes problems, adds headers, counts and logs the request.
pub(super) async fn complete_response<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let facts = request.extensions().get::<RequestFacts>().cloned();
    let facts = facts.unwrap_or_else(|| RequestFacts::of(&request));
    let id = request.extensions().get::<RequestId>().cloned();

    let outcome = match next.call(request).await {
        Ok(response) => {
            let problem = problem_in(response.response());
            let response = response.map_into_boxed_body();
            match problem {
                Some(problem) => {
                    let allow = response.headers().get(header::ALLOW).cloned();
                    let mut answer = with_request(problem, &facts, id.as_ref()).to_response();
                    if let Some(allow) = allow {
                        answer.headers_mut().insert(header::ALLOW, allow);
                    }
                    Ok(response.into_response(answer))
                }
                None => Ok(response),
            }
        }
        // A middleware refused it and consumed the request: only the answer is left.
        Err(error) => {
            let problem = error.as_error::<Problem>().cloned();
            let problem = problem.or_else(|| problem_in(&error.error_response()));
            match problem {
                Some(problem) => Err(with_request(problem, &facts, id.as_ref())),
                None => return Err(error),
            }
        }
    };
    let (status, problem) = match &outcome {
        Ok(response) => (response.status(), response.response().extensions().get::<Problem>().cloned()),
        Err(problem) => (problem.status(), Some(problem.clone())),
    };
    count_and_log(&facts, status, problem.as_ref());
    match outcome {
        Ok(mut response) => {
            add_headers(response.headers_mut(), id.as_ref());
            let rate_limit = response.request().extensions().get::<RateLimitState>().copied();
            if let Some(rate_limit) = rate_limit {
                rate_limit.add_headers(response.headers_mut());
            }
            Ok(response)
        }
        Err(problem) => {
            let mut answer = problem.to_response();
            add_headers(answer.headers_mut(), id.as_ref());
            Err(actix_web::error::InternalError::from_response(problem, answer).into())
        }
    }
}

/// The problem in an answer: ours, or one made from an error of the framework without a body of its own.
fn problem_in<B: MessageBody>(response: &HttpResponse<B>) -> Option<Problem> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    if let Some(problem) = response.error().and_then(|error| error.as_error::<Problem>()) {
        return Some(problem.clone());
    }
    let status = response.status();
    if status.as_u16() < 400 {
        return None;
    }
    let headers = response.headers();
    let has_no_body = !headers.contains_key(header::CONTENT_TYPE) || has_content_type(headers, "text/plain");
    has_no_body.then(|| framework_problem(status, response.error()))
}

/// A problem for an error of the framework. Its text about a 5xx stays in the log.
fn framework_problem(status: StatusCode, error: Option<&Error>) -> Problem {
    let text = error.map(ToString::to_string).filter(|text| !text.is_empty());
    if status.is_server_error() {
        let source = text.unwrap_or_else(|| format!("a handler answered {status}"));
        return match status {
            StatusCode::INTERNAL_SERVER_ERROR => Problem::internal(source),
            _ => Problem::new(status, "server_error").with_source(source),
        };
    }
    let (code, detail) = match status {
        StatusCode::NOT_FOUND => ("not_found", "There is nothing here."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("method_not_allowed", "This path exists, but not with this method.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => ("payload_too_large", "The body is too large."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("unsupported_media_type", "The body has the wrong content type.")
        }
        StatusCode::NOT_ACCEPTABLE => ("not_acceptable", "None of the encodings you accept is served."),
        StatusCode::REQUEST_TIMEOUT => ("request_timeout", "The request took too long to arrive."),
        _ => ("bad_request", "The request cannot be served."),
    };
    Problem::new(status, code).with_detail(text.unwrap_or_else(|| detail.to_owned()))
}

fn with_request(problem: Problem, facts: &RequestFacts, id: Option<&RequestId>) -> Problem {
    problem.with_request(facts.path.clone(), id.map(ToString::to_string), telemetry::current_trace_id())
}

fn count_and_log(facts: &RequestFacts, status: StatusCode, problem: Option<&Problem>) {
    let RequestFacts { method, path, route, is_probe, received_at } = facts;
    let took = received_at.elapsed();
    metrics::histogram!(
        "http_server_request_duration_seconds",
        "http_request_method" => known_method(method),
        "http_route" => route.clone(),
        "http_response_status_code" => status.as_u16().to_string(),
    )
    .record(took.as_secs_f64());

    let (status, duration_ms) = (status.as_u16(), took.as_micros() as f64 / 1000.0);
    let code = problem.map(|problem| problem.body().code.as_ref());
    let source = problem.and_then(std::error::Error::source);
    let key = || LogKey { route: route.clone(), status, code: code.map(str::to_owned) };
    let unlogged = if status >= 400 && !is_probe { FAILED_REQUESTS.admit(key()) } else { Some(0) };
    let Some(unlogged) = unlogged else { return };
    // How many requests alike had no line.
    let alike = (unlogged > 0).then_some(unlogged);
    if status >= 500 && !is_probe {
        let error = source.map(|source| ErrorChain(source).to_string());
        tracing::error!(
            http.method = method,
            url.path = path,
            http.status = status,
            duration_ms,
            problem.code = code,
            error,
            alike,
            "request failed"
        );
    } else if *is_probe {
        tracing::debug!(
            http.method = method,
            url.path = path,
            http.status = status,
            duration_ms,
            "request served"
        );
    } else {
        let reason = source.map(|source| ErrorChain(source).to_string());
        tracing::info!(
            http.method = method,
            url.path = path,
            http.status = status,
            duration_ms,
            problem.code = code,
            reason,
            alike,
            "request served"
        );
    }
}

/// The method as a label value. The caller chooses it, so unknown ones share one value.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("_OTHER")
}

/// Adds the headers that every answer has; those that a handler has set stay.
fn add_headers(headers: &mut HeaderMap, id: Option<&RequestId>) {
    if let Some(value) = id.and_then(|id| HeaderValue::from_str(id.as_str()).ok()) {
        headers.insert(X_REQUEST_ID, value);
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|value| value == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

fn has_content_type(headers: &HeaderMap, content_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.trim_start().starts_with(content_type))
}
