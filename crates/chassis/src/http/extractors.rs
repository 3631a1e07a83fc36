//! The framework's extractors, whose errors are answered as problems, and U+0000 refused: no database keeps it in a text.

use std::{future::Future, pin::Pin};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::{JsonPayloadError, PathError, QueryPayloadError},
    middleware::Next,
    web,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};
use serde_path_to_error::Segment;

use super::operations::{self, child};
use crate::problem::{FieldError, Problem};

/// A JSON body, of texts without U+0000.
#[derive(Debug, Clone)]
pub struct JsonBody<T>(pub T);

impl<T> JsonBody<T> {
    /// The value of the body.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> std::ops::Deref for JsonBody<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for JsonBody<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Json::<Box<RawValue>>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move { Ok(Self(read_json(&request, body.await?.get())?)) })
    }
}

/// A JSON body that a request may leave out, or send as `null`: the default value then.
#[derive(Debug, Clone)]
pub struct OptionalJsonBody<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest for OptionalJsonBody<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let body = body.await?;
            if body.is_empty() {
                return Ok(Self(T::default()));
            }
            if !request.content_type().eq_ignore_ascii_case("application/json") {
                let detail = "The body must be JSON with `Content-Type: application/json`, or be absent.";
                return Err(Problem::unsupported_media_type(detail).into());
            }
            let json = std::str::from_utf8(&body)
                .map_err(|_not_utf8| Problem::bad_request("malformed_json", "The body is not UTF-8."))?;
            Ok(Self(read_json::<Option<T>>(&request, json)?.unwrap_or_default()))
        })
    }
}

/// Reads the JSON of a body: texts without U+0000, what the OpenAPI document says of the operation, and then the type.
fn read_json<T: DeserializeOwned>(request: &HttpRequest, json: &str) -> Result<T, Problem> {
    let value: Value = serde_json::from_str(json).map_err(|error| malformed_json(&error))?;
    if let Some(pointer) = nul_pointer(&value) {
        let detail = "The body holds the character U+0000, which cannot be kept.";
        let error = FieldError::new(format!("#{pointer}"), "nul_character", "holds U+0000: remove it");
        return Err(Problem::bad_request("nul_character", detail).with_errors(vec![error]));
    }
    operations::check_body(request, &value)?;
    // From the text, as the value above knows nothing of a field that stands there twice.
    let mut json = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut json).map_err(|error| wrong_value(&error))
}

/// Where the first text with a NUL is, as a JSON pointer.
fn nul_pointer(value: &Value) -> Option<String> {
    let below = |token: &str, value: &Value| nul_pointer(value).map(|rest| format!("/{token}{rest}"));
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(list) => list.iter().enumerate().find_map(|(i, it)| below(&i.to_string(), it)),
        Value::Object(fields) => fields.iter().find_map(|(key, it)| {
            let token = key.replace('~', "~0").replace('/', "~1");
            if key.contains('\0') { Some(format!("/{}", token.escape_default())) } else { below(&token, it) }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Refuses a path or query with U+0000.
pub(super) async fn refuse_nul(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.path().contains("%00") || request.path().contains('\0') {
        return Err(Problem::not_found("not_found", "There is nothing here.").into());
    }
    if let Some(parameter) = request.query_string().split('&').find(|pair| pair.contains("%00")) {
        let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
        let detail = format!("The query's `{name}` holds the character U+0000: remove it.");
        return Err(Problem::bad_request("nul_character", detail).into());
    }
    next.call(request).await
}

/// Extractors that take bodies up to `limit` bytes and answer every error with a [`Problem`].
pub(super) fn with_problems(limit: usize) -> impl Fn(&mut web::ServiceConfig) + Clone {
    move |app| {
        app.app_data(web::JsonConfig::default().limit(limit).error_handler(|error, _| json(error).into()))
            .app_data(web::QueryConfig::default().error_handler(|error, _| query(&error).into()))
            .app_data(web::PathConfig::default().error_handler(|error, request| path(&error, request).into()))
            .app_data(web::PayloadConfig::new(limit));
    }
}

fn json(error: JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::OverflowKnownLength { limit, .. } | JsonPayloadError::Overflow { limit } => {
            Problem::too_large(format!("A body may have up to {limit} bytes."))
        }
        JsonPayloadError::ContentType => {
            Problem::unsupported_media_type("Send JSON, with `Content-Type: application/json`.")
        }
        JsonPayloadError::Deserialize(error) => malformed_json(&error),
        other => Problem::bad_request("unreadable_body", "The body could not be read.")
            .with_source(other.to_string()),
    }
}

fn malformed_json(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    Problem::bad_request(
        "malformed_json",
        format!("The body is not valid JSON: see line {line}, column {column}."),
    )
}

/// The problem of a value that its type refuses, and the schema of the operation did not.
fn wrong_value(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let pointer = error.path().iter().fold("#".to_owned(), |pointer, segment| match segment {
        Segment::Seq { index } => child(&pointer, &index.to_string()),
        Segment::Map { key } => child(&pointer, key),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    });
    let errors =
        vec![FieldError::new(pointer, "wrong_value", describe_data_error(&error.inner().to_string()))];
    Problem::invalid("A value of the body is wrong; `errors` says which.", errors)
}

/// The message of serde_json in words of JSON, without names of Rust types and without the position.
fn describe_data_error(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _position)| message);
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "an integer",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a sequence" => "an array",
        "a map" => "an object",
        expected if expected.starts_with("struct ") => "an object",
        expected => expected,
    };
    let Some(("invalid type" | "invalid value" | "invalid length", found)) = found.split_once(": ") else {
        return format!("{found}, expected {expected}");
    };
    let found = match found.replace('`', "") {
        found if found == "map" => "an object".to_owned(),
        found if found == "sequence" => "an array".to_owned(),
        found => found.trim_start_matches("string ").trim_start_matches("integer ").to_owned(),
    };
    format!("must be {expected}, is {found}")
}

fn query(error: &QueryPayloadError) -> Problem {
    Problem::bad_request("invalid_query", format!("{error}."))
}

/// A path segment that cannot be an id is answered with 404; one that is another path, with the methods of that path.
fn path(error: &PathError, request: &HttpRequest) -> Problem {
    let unknown = || Problem::not_found("not_found", "There is nothing here.").with_source(error.to_string());
    operations::check_method(request).err().unwrap_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(rename = "pageSize")]
        _page_size: i32,
    }

    fn read<T: DeserializeOwned>(json: &str) -> Result<T, Problem> {
        read_json(&TestRequest::default().to_http_request(), json)
    }

    fn error_of(body: &str) -> (String, String) {
        let problem = read::<Vec<Body>>(body).expect_err("the body is wrong");
        let error = &problem.body().errors[0];
        (error.pointer.clone(), error.detail.clone())
    }

    #[test]
    fn nul_in_a_text_is_refused_with_its_place() {
        let refused =
            |json: &str| read::<Value>(json).expect_err("holds NUL").body().errors[0].pointer.clone();
        assert_eq!(refused(r#"{"ids": ["a", "b\u0000"]}"#), "#/ids/1");
        assert_eq!(refused(r#"{"a/b": {"c": "\u0000"}}"#), "#/a~1b/c");
        assert_eq!(refused(r#"{"a\u0000": 7}"#), "#/a\\u{0}");
        assert!(read::<Value>(r#"{"path": "C:\\u0000"}"#).is_ok(), "an escaped backslash and digits");
    }

    #[test]
    fn wrong_value_is_described_in_words_of_json_with_its_place() {
        let error = |pointer: &str, detail: &str| (pointer.to_owned(), detail.to_owned());
        let many = r#"[{"pageSize": 1}, {"pageSize": "many"}]"#;
        assert_eq!(error_of(many), error("#/1/pageSize", "must be an integer, is \"many\""));
        assert_eq!(error_of("7"), error("#", "must be an array, is 7"));
        assert_eq!(error_of("[7]"), error("#/0", "must be an object, is 7"));
        assert_eq!(
            error_of(r#"[{"pageSize": {}}]"#),
            error("#/0/pageSize", "must be an integer, is an object")
        );
    }

    #[test]
    fn unknown_and_repeated_fields_are_named() {
        let unknown = error_of(r#"[{"pagesize": 7}]"#).1;
        assert_eq!(unknown, "unknown field `pagesize`, expected `pageSize`");
        assert_eq!(error_of(r#"[{"pageSize": 1, "pageSize": 2}]"#).1, "duplicate field `pageSize`");
    }
}
