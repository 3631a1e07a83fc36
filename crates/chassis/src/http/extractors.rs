//! The framework's extractors, whose errors are answered as problems, and U+0000 refused: no database keeps it in a text.

use std::{future::Future, pin::Pin};

use actix_web::{
    Error, FromRequest, HttpRequest,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::{JsonPayloadError, PathError, QueryPayloadError},
    middleware::Next,
    web,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, value::RawValue};

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
        Box::pin(async move { Ok(Self(json_body(body.await?.get())?)) })
    }
}

/// The value of a JSON text that has come from outside.
pub fn json_body<T: DeserializeOwned>(json: &str) -> Result<T, Problem> {
    // Most bodies hold no such escape, and then nobody looks for its place. A backslash that is escaped itself may come
    // before the digits.
    if json.contains("\\u0000") {
        let value: Value = serde_json::from_str(json).map_err(|error| json_problem(&error))?;
        if let Some(pointer) = nul_pointer(&value) {
            let detail = "The body holds the character U+0000, which cannot be kept.";
            let error = FieldError::new(format!("#{pointer}"), "nul_character", "holds U+0000: remove it");
            return Err(Problem::bad_request("nul_character", detail).with_errors(vec![error]));
        }
    }
    serde_json::from_str(json).map_err(|error| json_problem(&error))
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
            .app_data(web::PathConfig::default().error_handler(|error, _| path(&error).into()))
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
        JsonPayloadError::Deserialize(error) => json_problem(&error),
        other => Problem::bad_request("unreadable_body", "The body could not be read.")
            .with_source(other.to_string()),
    }
}

/// The problem of a body that serde_json cannot read: 400 if it is not JSON, 422 if a value is not the expected one.
pub fn json_problem(error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        let detail =
            format!("The body is not valid JSON: see line {}, column {}.", error.line(), error.column());
        return Problem::bad_request("malformed_json", detail);
    }
    let errors = vec![FieldError::new("#", "wrong_shape", describe_data_error(&error.to_string()))];
    Problem::invalid("The body is JSON, but one of its fields is wrong.", errors)
}

/// The message of serde_json in words of JSON, without names of Rust types and without the position.
fn describe_data_error(message: &str) -> String {
    let message = message.rsplit_once(" at line ").map_or(message, |(message, _position)| message);
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "an integer",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        expected if expected.starts_with("struct ") => "an object",
        expected => expected,
    };
    format!("{found}, expected {expected}")
}

fn query(error: &QueryPayloadError) -> Problem {
    Problem::bad_request("invalid_query", format!("{error}."))
}

/// A path segment that cannot be an id is answered with 404.
fn path(error: &PathError) -> Problem {
    Problem::not_found("not_found", "There is nothing here.").with_source(error.to_string())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[serde(rename = "pageSize")]
        _page_size: i32,
    }

    fn detail_of(body: &str) -> String {
        let problem = json_problem(&serde_json::from_str::<Body>(body).expect_err("the body is wrong"));
        problem.body().errors[0].detail.clone()
    }

    #[test]
    fn nul_in_a_text_is_refused_with_its_place() {
        let refused =
            |json: &str| json_body::<Value>(json).expect_err("holds NUL").body().errors[0].pointer.clone();
        assert_eq!(refused(r#"{"ids": ["a", "b\u0000"]}"#), "#/ids/1");
        assert_eq!(refused(r#"{"a/b": {"c": "\u0000"}}"#), "#/a~1b/c");
        assert_eq!(refused(r#"{"a\u0000": 7}"#), "#/a\\u{0}");
        assert!(json_body::<Value>(r#"{"path": "C:\\u0000"}"#).is_ok(), "an escaped backslash and digits");
    }

    #[test]
    fn wrong_type_is_described_in_words_of_json() {
        assert_eq!(
            detail_of(r#"{"pageSize": "many"}"#),
            "invalid type: string \"many\", expected an integer"
        );
        assert_eq!(detail_of("7"), "invalid type: integer `7`, expected an object");
    }

    #[test]
    fn unknown_field_is_named_with_the_known_ones() {
        assert_eq!(detail_of(r#"{"pagesize": 7}"#), "unknown field `pagesize`, expected `pageSize`");
    }
}
