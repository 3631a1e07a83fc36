//! The span of a request, with the attribute names of the OpenTelemetry conventions.

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderMap,
};
use opentelemetry::propagation::Extractor;
use tracing::{Span, field::Empty};
use tracing_actix_web::RootSpanBuilder;

use super::middleware::{RequestFacts, RequestId};
use crate::telemetry;

pub(super) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let id = RequestId::from_headers(request.headers());
        let facts = RequestFacts::of(request);
        let (method, route) = (request.method().as_str(), facts.route.as_str());
        let name = format!("{method} {route}");
        // The query is left out: it may hold a ticket or a cursor.
        macro_rules! span {
            ($level:expr) => {
                tracing::span!(
                    $level,
                    "request",
                    otel.name = name,
                    otel.kind = "server",
                    otel.status_code = Empty,
                    http.request.method = method,
                    http.route = route,
                    url.path = request.path(),
                    http.response.status_code = Empty,
                    request.id = id.as_str(),
                )
            };
        }
        let span = if facts.is_probe { span!(tracing::Level::DEBUG) } else { span!(tracing::Level::INFO) };
        telemetry::set_remote_parent(&span, &Headers(request.headers()));
        let mut extensions = request.extensions_mut();
        extensions.insert(id);
        extensions.insert(facts);
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        let status = match outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
