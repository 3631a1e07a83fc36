//! JSON bodies that a request may leave out.

use actix_web::{HttpRequest, http::header::CONTENT_TYPE};
use chassis::{http::json_body, problem::Problem};
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
    let text = std::str::from_utf8(body)
        .map_err(|_not_utf8| Problem::bad_request("malformed_json", "The body is not UTF-8."))?;
    Ok(json_body::<Option<T>>(text)?.unwrap_or_default())
}
