//! Errors as RFC 9457 problems: what the caller may know, never the internal cause.
//!
//! A handler returns `Result<_, Problem>`. The server ([`crate::http`]) adds `instance`, `requestId` and `traceId`
//! when the answer leaves, and logs the whole chain of an internal error once.

use std::{borrow::Cow, error::Error, fmt, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{PartialSchema, ToSchema, openapi};

/// The content type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// A problem on its way to the caller. In OpenAPI documents it appears as `Problem`, with the fields of
/// [`ProblemBody`].
#[derive(Clone)]
pub struct Problem(Box<ProblemParts>);

#[derive(Clone)]
struct ProblemParts {
    status: StatusCode,
    body: ProblemBody,
    challenge: Option<&'static str>,
    /// The methods of `Allow`.
    allow: Option<String>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The fields of a problem as they go over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A URI that names the kind of problem; `about:blank` where the status says it all.
    #[schema(example = "about:blank")]
    pub r#type: Cow<'static, str>,
    /// The kind of problem in words, always the same for one kind.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The path that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// A stable name for programs.
    #[schema(example = "invalid_token")]
    pub code: Cow<'static, str>,
    /// The trace to look for in logs and traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The request to look for in logs; also in the header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Single fields that are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds until it is worth trying again; also in the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// What only this kind of problem has.
    #[serde(flatten)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// Where, as a JSON pointer in URI form.
    #[schema(example = "#/scheduleCron")]
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
    /// A stable name for programs.
    pub code: Cow<'static, str>,
}

impl FieldError {
    /// `pointer` as `#/scheduleCron`.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), code: Cow::Borrowed(code) }
    }
}

impl Problem {
    /// Any status of 400 to 599, with a code for programs. The title is the status in words.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str) -> Self {
        Self(Box::new(ProblemParts {
            status,
            body: ProblemBody {
                r#type: Cow::Borrowed("about:blank"),
                title: Cow::Borrowed(status.canonical_reason().unwrap_or("Error")),
                status: status.as_u16(),
                detail: None,
                instance: None,
                code: Cow::Borrowed(code),
                trace_id: None,
                request_id: None,
                errors: Vec::new(),
                retry_after: None,
                extra: serde_json::Map::new(),
            },
            challenge: None,
            allow: None,
            source: None,
        }))
    }

    /// With the single fields that are wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.body.errors = errors;
        self
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code).with_detail(detail)
    }

    /// 401, with `WWW-Authenticate: Bearer`.
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, code).with_detail(detail);
        problem.0.challenge = Some("Bearer");
        problem
    }

    /// 403: the caller is known, but not allowed.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code).with_detail(detail)
    }

    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code).with_detail(detail)
    }

    /// 405, with `Allow`: the path has other methods.
    #[must_use]
    pub fn method_not_allowed(allow: String) -> Self {
        let detail = format!("This path exists, but not with this method: it has {allow}.");
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed").with_detail(detail);
        problem.0.allow = Some(allow);
        problem
    }

    /// 409: the state of the resource does not allow the request.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code).with_detail(detail)
    }

    /// 412: the resource was changed since the caller read it.
    pub fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed").with_detail(detail)
    }

    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large").with_detail(detail)
    }

    pub fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type").with_detail(detail)
    }

    /// 422: the request is understood, but some values are wrong.
    pub fn invalid(detail: impl Into<String>, errors: Vec<FieldError>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed")
            .with_detail(detail)
            .with_errors(errors)
    }

    /// 428: the request lacks an `If-Match` with the version that is to be changed.
    pub fn precondition_required(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required").with_detail(detail)
    }

    /// 429, with `Retry-After`.
    #[must_use]
    pub fn too_many_requests(after: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited").with_retry_after(after)
    }

    /// 503, with `Retry-After`: a system we depend on is away. `detail` may name it, not describe it.
    pub fn unavailable(code: &'static str, detail: impl Into<String>, after: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code).with_detail(detail).with_retry_after(after)
    }

    /// 500. The caller learns the request id; the log gets `error` with its sources.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error")
            .with_detail("Something went wrong on our side. The request id finds it in the logs.")
            .with_source(error)
    }

    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.body.detail = Some(detail.into());
        self
    }

    /// A type of problem of its own, with its title.
    #[must_use]
    pub fn with_type(mut self, uri: &'static str, title: &'static str) -> Self {
        self.0.body.r#type = Cow::Borrowed(uri);
        self.0.body.title = Cow::Borrowed(title);
        self
    }

    /// Adds an extension member (RFC 9457, 3.2): `name` in camelCase, other than the members every problem has.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.body.extra.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn with_error(mut self, error: FieldError) -> Self {
        self.0.body.errors.push(error);
        self
    }

    /// Rounds up to whole seconds, at least one.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.body.retry_after = Some((after.as_secs_f64().ceil() as u64).max(1));
        self
    }

    /// The internal cause: for the log alone.
    #[must_use]
    pub fn with_source(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(error.into()));
        self
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    #[must_use]
    pub fn body(&self) -> &ProblemBody {
        &self.0.body
    }

    /// The answer without `instance`, `requestId` and `traceId`, which the server adds.
    #[must_use]
    pub fn to_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        response.insert_header((header::CONTENT_TYPE, CONTENT_TYPE));
        if let Some(challenge) = self.0.challenge {
            let code = &self.0.body.code;
            let challenge = if ["invalid_token", "token_expired", "token_revoked"].contains(&code.as_ref()) {
                format!("{challenge} error=\"invalid_token\"")
            } else {
                challenge.to_owned()
            };
            response.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if let Some(allow) = &self.0.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if let Some(after) = self.0.body.retry_after {
            response.insert_header((header::RETRY_AFTER, HeaderValue::from(after)));
        }
        let mut response = response.body(serde_json::to_vec(&self.0.body).expect("a problem is plain JSON"));
        response.extensions_mut().insert(self.clone());
        response
    }

    /// Completes the problem with the request it answers.
    pub(crate) fn with_request(
        mut self,
        path: String,
        request_id: Option<String>,
        trace_id: Option<String>,
    ) -> Self {
        self.0.body.instance = Some(path);
        self.0.body.request_id = request_id;
        self.0.body.trace_id = trace_id;
        self
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }
    fn error_response(&self) -> HttpResponse {
        self.to_response()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.body.title, self.0.body.code)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem").field("body", &self.0.body).field("source", &self.0.source).finish()
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl PartialSchema for Problem {
    fn schema() -> openapi::RefOr<openapi::schema::Schema> {
        ProblemBody::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        ProblemBody::name()
    }
    fn schemas(schemas: &mut Vec<(String, openapi::RefOr<openapi::schema::Schema>)>) {
        ProblemBody::schemas(schemas);
    }
}
