//! Versions as ETags (RFC 9110, section 8.8.3): a change that was meant for an outdated version is refused.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header};
use chassis::problem::Problem;
use serde::Serialize;

/// An answer whose `ETag` is the version.
pub(crate) fn respond_with_version(version: u64, body: impl Serialize) -> HttpResponse {
    respond_with_version_as(HttpResponse::Ok(), version, body)
}

/// The same with another status.
pub(crate) fn respond_with_version_as(
    mut response: HttpResponseBuilder,
    version: u64,
    body: impl Serialize,
) -> HttpResponse {
    response.insert_header((header::ETAG, format!("\"{version}\""))).json(body)
}

/// 304 if the request has this version already (`If-None-Match`; RFC 9110, section 13.1.2). Only for a resource whose answer
/// changes with its version alone: what tells of next times is older by then.
pub(crate) fn not_modified(request: &HttpRequest, version: u64) -> Option<HttpResponse> {
    let known = request.headers().get(header::IF_NONE_MATCH)?.to_str().ok()?;
    let tag = format!("\"{version}\"");
    let is_known =
        known.split(',').map(|it| it.trim().trim_start_matches("W/")).any(|it| it == tag || it == "*");
    is_known.then(|| HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish())
}

/// The version in `If-Match`; 428 without the header.
pub(crate) fn required_version(request: &HttpRequest) -> Result<u64, Problem> {
    let tag = if_match(request).ok_or_else(|| {
        Problem::precondition_required(
            "The header If-Match is missing. Read the resource, and send its ETag as If-Match.",
        )
    })?;
    parse_version(tag)
}

/// The version in `If-Match`; 428 without the header. None if the header is `*`: the change applies to any version.
pub(crate) fn required_match(request: &HttpRequest) -> Result<Option<u64>, Problem> {
    match if_match(request) {
        Some("*") => Ok(None),
        _ => required_version(request).map(Some),
    }
}

/// What `If-Match` asks for, where it may be absent (RFC 9110, section 13.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing: the resource is new.
    None,
    /// That there is the resource, in whatever version.
    AnyVersion,
    Version(u64),
}

pub(crate) fn precondition(request: &HttpRequest) -> Result<Precondition, Problem> {
    match if_match(request) {
        None => Ok(Precondition::None),
        Some("*") => Ok(Precondition::AnyVersion),
        Some(tag) => parse_version(tag).map(Precondition::Version),
    }
}

/// 412: the resource is no longer in the version that `If-Match` names.
pub(crate) fn stale_version(updated_by: &str, current: u64) -> Problem {
    let detail = format!(
        "{updated_by} changed the resource to version {current} after you read it. Read it again, then repeat your change."
    );
    Problem::precondition_failed(detail).with("currentVersion", current)
}

fn if_match(request: &HttpRequest) -> Option<&str> {
    let tag = request.headers().get(header::IF_MATCH)?;
    Some(tag.to_str().unwrap_or_default().trim())
}

fn parse_version(tag: &str) -> Result<u64, Problem> {
    let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).ok_or_else(|| {
        Problem::precondition_failed(
            "If-Match is no ETag of this resource. Read the resource, and send its ETag as If-Match.",
        )
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(tag: &'static str) -> HttpRequest {
        TestRequest::default().insert_header((header::IF_MATCH, tag)).to_http_request()
    }

    fn status(problem: &Problem) -> u16 {
        problem.status().as_u16()
    }

    #[test]
    fn etag_of_a_version_names_that_version() {
        assert_eq!(required_version(&request("\"7\"")).ok(), Some(7));
        assert_eq!(precondition(&request("\"7\"")).ok(), Some(Precondition::Version(7)));
    }

    #[test]
    fn request_without_if_match_is_refused_where_a_version_is_required() {
        let without = TestRequest::default().to_http_request();
        assert_eq!(required_version(&without).map_err(|problem| status(&problem)), Err(428));
        assert_eq!(required_match(&without).map_err(|problem| status(&problem)), Err(428));
        assert_eq!(required_match(&request("*")).ok(), Some(None));
        assert_eq!(precondition(&without).ok(), Some(Precondition::None));
    }

    #[test]
    fn version_that_is_known_is_not_sent_again() {
        let known = |tags: &'static str| {
            let request =
                TestRequest::default().insert_header((header::IF_NONE_MATCH, tags)).to_http_request();
            not_modified(&request, 7).map(|answer| answer.status().as_u16())
        };
        assert_eq!([known("\"7\""), known("W/\"7\""), known("\"6\", \"7\""), known("*")], [Some(304); 4]);
        assert_eq!([known("\"6\""), known("7"), known("\"77\"")], [None; 3]);
        assert!(not_modified(&TestRequest::default().to_http_request(), 7).is_none());
    }

    #[test]
    fn text_that_is_no_etag_matches_no_version() {
        assert_eq!(required_version(&request("seven")).map_err(|problem| status(&problem)), Err(412));
        assert_eq!(precondition(&request("7")).map_err(|problem| status(&problem)), Err(412));
        assert_eq!(precondition(&request("*")).ok(), Some(Precondition::AnyVersion));
    }
}
