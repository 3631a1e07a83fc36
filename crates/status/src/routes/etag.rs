//! Versions as ETags: nobody undoes what they have not seen.

use actix_web::{HttpRequest, http::header};
use chassis::problem::Problem;

/// The ETag of a version.
pub(crate) fn of(version: u64) -> String {
    format!("\"{version}\"")
}

/// The version that the caller has seen; without one nothing is changed.
pub(crate) fn required(request: &HttpRequest) -> Result<u64, Problem> {
    let Some(tag) = request.headers().get(header::IF_MATCH) else {
        return Err(Problem::precondition_required("Send the ETag of what you change as If-Match."));
    };
    let tag = tag.to_str().unwrap_or_default().trim();
    let version =
        tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    // What was never an ETag of ours matches nothing.
    version.ok_or_else(|| Problem::precondition_failed("If-Match is not an ETag of this."))
}

/// It was changed meanwhile.
pub(crate) fn stale(by: &str, version: u64) -> Problem {
    let detail = format!("It was changed by {by} meanwhile; read it again.");
    Problem::precondition_failed(detail).with("currentVersion", version)
}
