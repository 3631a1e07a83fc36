//! Errors of the framework's extractors, answered as problems.

use actix_web::{
    error::{JsonPayloadError, PathError, QueryPayloadError},
    web,
};

use crate::problem::{FieldError, Problem};

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
