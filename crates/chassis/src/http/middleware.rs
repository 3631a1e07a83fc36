//! The edge of the server: what is done to every request and every answer.

use std::{fmt, time::Instant};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
};
use uuid::Uuid;

use crate::{ops, problem::Problem, shutdown::Chain, telemetry};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bodies smaller than this are not worth compressing, in bytes.
const WORTH_COMPRESSING: u64 = 512;

/// The id of a request: the caller's own (`X-Request-Id`) where it is harmless, else a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
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

/// What was known when the request came in. The request itself cannot be kept across the inner service.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) route: String,
    /// Probes and scrapes, asked every few seconds: not logged at info.
    pub(super) quiet: bool,
    at: Instant,
}

impl Arrival {
    pub(super) fn of(request: &ServiceRequest) -> Self {
        let path = request.path().to_owned();
        let quiet = ops::PATHS.contains(&path.as_str());
        Self {
            method: request.method().to_string(),
            // What matches no route is one route to metrics: callers must not be able to make up label values.
            route: request.match_pattern().unwrap_or_else(|| "unmatched".to_owned()),
            path,
            quiet,
            at: Instant::now(),
        }
    }
}

/// Where no route is.
pub(super) async fn not_found(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("not_found", format!("There is nothing at {}.", request.path())))
}

/// Inside compression: what must not be compressed says so itself.
pub(super) async fn plain_streams<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    // Compression would hold events back until it has a block together.
    let stream = is_of(response.headers(), "text/event-stream");
    let small =
        matches!(response.response().body().size(), BodySize::Sized(size) if size < WORTH_COMPRESSING);
    if (stream || small) && !response.headers().contains_key(header::CONTENT_ENCODING) {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    }
    Ok(response)
}

/// Outside everything but the span: problems completed, headers added, the request counted and logged.
pub(super) async fn finish<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let arrival = request.extensions().get::<Arrival>().cloned().unwrap_or_else(|| Arrival::of(&request));
    let id = request.extensions().get::<RequestId>().cloned();

    let outcome = match next.call(request).await {
        Ok(response) => {
            let problem = problem_in(response.response());
            let response = response.map_into_boxed_body();
            match problem {
                Some(problem) => {
                    let allow = response.headers().get(header::ALLOW).cloned();
                    let mut answer = located(problem, &arrival, id.as_ref()).respond();
                    if let Some(allow) = allow {
                        answer.headers_mut().insert(header::ALLOW, allow);
                    }
                    Ok(response.into_response(answer))
                }
                None => Ok(response),
            }
        }
        // Refused by a middleware: there is no request to answer to any more, only the answer.
        Err(error) => {
            let problem = error.as_error::<Problem>().cloned();
            let problem = problem.or_else(|| problem_in(&error.error_response()));
            match problem {
                Some(problem) => Err(located(problem, &arrival, id.as_ref())),
                None => return Err(error),
            }
        }
    };
    let (status, problem) = match &outcome {
        Ok(response) => (response.status(), response.response().extensions().get::<Problem>().cloned()),
        Err(problem) => (problem.status(), Some(problem.clone())),
    };
    record(&arrival, status, problem.as_ref());
    match outcome {
        Ok(mut response) => {
            add_headers(response.headers_mut(), id.as_ref());
            Ok(response)
        }
        Err(problem) => {
            let mut answer = problem.respond();
            add_headers(answer.headers_mut(), id.as_ref());
            Err(actix_web::error::InternalError::from_response(problem, answer).into())
        }
    }
}

/// The problem an answer is or should have been: ours, or made from an error without a body worth reading.
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
    let says_nothing = !headers.contains_key(header::CONTENT_TYPE) || is_of(headers, "text/plain");
    says_nothing.then(|| framework_problem(status, response.error()))
}

/// The framework's own refusals. What it says about a 5xx stays in the log.
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

fn located(problem: Problem, arrival: &Arrival, id: Option<&RequestId>) -> Problem {
    problem.located(arrival.path.clone(), id.map(ToString::to_string), telemetry::current_trace_id())
}

fn record(arrival: &Arrival, status: StatusCode, problem: Option<&Problem>) {
    let Arrival { method, path, route, quiet, at } = arrival;
    let took = at.elapsed();
    metrics::histogram!(
        "http_server_request_duration_seconds",
        "method" => known_method(method),
        "route" => route.clone(),
        "status" => status.as_u16().to_string(),
    )
    .record(took.as_secs_f64());

    let (status, duration_ms) = (status.as_u16(), took.as_micros() as f64 / 1000.0);
    let code = problem.map(|problem| problem.body().code.as_ref());
    let source = problem.and_then(std::error::Error::source);
    if status >= 500 && !quiet {
        let error = source.map(|source| Chain(source).to_string());
        tracing::error!(
            http.method = method,
            url.path = path,
            http.status = status,
            duration_ms,
            problem.code = code,
            error,
            "request failed"
        );
    } else if *quiet {
        tracing::debug!(
            http.method = method,
            url.path = path,
            http.status = status,
            duration_ms,
            "request served"
        );
    } else {
        let reason = source.map(|source| Chain(source).to_string());
        tracing::info!(
            http.method = method,
            url.path = path,
            http.status = status,
            duration_ms,
            problem.code = code,
            reason,
            "request served"
        );
    }
}

/// A method is chosen by the caller too.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("_OTHER")
}

/// What a handler has set stays.
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

fn is_of(headers: &HeaderMap, content_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.trim_start().starts_with(content_type))
}
