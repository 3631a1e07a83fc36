//! JSON bodies that a request may leave out.

use actix_web::{HttpRequest, http::header::CONTENT_TYPE};
use chassis::problem::{FieldError, Problem};
use serde::de::DeserializeOwned;

/// The body, or the default value for an empty body.
pub(crate) fn read_optional_json<T: DeserializeOwned + Default>(
    request: &HttpRequest,
    body: &[u8],
) -> Result<T, Problem> {
    if body.is_empty() {
        return Ok(T::default());
    }
    let content_type =
        request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.trim_start().to_ascii_lowercase().starts_with("application/json") {
        return Err(Problem::unsupported_media_type(
            "The body must be JSON with `Content-Type: application/json`, or be absent.",
        ));
    }
    let parsed: Option<T> = serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            let errors = vec![FieldError::new("#", "wrong_shape", error.to_string())];
            Problem::invalid("The body is JSON, but not what is expected here.", errors)
        } else {
            Problem::bad_request("malformed_json", format!("The body is not JSON: {error}."))
        }
    })?;
    Ok(parsed.unwrap_or_default())
}
