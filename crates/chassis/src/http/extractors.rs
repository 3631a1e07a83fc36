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
        JsonPayloadError::Deserialize(error) if error.is_data() => {
            let detail = error.to_string();
            Problem::invalid(
                "The body is JSON, but not what is expected here.",
                vec![FieldError::new("#", "wrong_shape", detail)],
            )
        }
        JsonPayloadError::Deserialize(error) => {
            Problem::bad_request("malformed_json", format!("The body is not JSON: {error}."))
        }
        other => Problem::bad_request("unreadable_body", "The body could not be read.")
            .with_source(other.to_string()),
    }
}

fn query(error: &QueryPayloadError) -> Problem {
    Problem::bad_request("invalid_query", format!("{error}."))
}

/// A path segment that cannot be an id is answered with 404.
fn path(error: &PathError) -> Problem {
    Problem::not_found("not_found", "There is nothing here.").with_source(error.to_string())
}
