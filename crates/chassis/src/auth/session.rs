//! The session of a browser: the operator's token in a cookie that no script can read.
//!
//! A browser sends the cookie with each request to this host, also with those that another site makes it send. `SameSite`
//! keeps it from requests of other sites; and whatever changes something must have the header [`GUARD_HEADER`], which a
//! page of another origin cannot set without our leave (OWASP Cross-Site Request Forgery Prevention, "custom request headers").

use std::time::Duration;

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time},
    http::header::{HeaderName, ORIGIN},
};

use crate::problem::Problem;

/// Name of the cookie.
pub const SESSION_COOKIE: &str = "sms_sync_session";

/// A header with any value, which every request that changes something has beside the cookie.
pub const GUARD_HEADER: HeaderName = HeaderName::from_static("x-requested-with");

/// The cookie with which a browser is signed in by a token that is valid for so long.
#[must_use]
pub fn session_cookie(request: &HttpRequest, token: &str, valid_for: Duration) -> Cookie<'static> {
    let seconds = i64::try_from(valid_for.as_secs()).unwrap_or(i64::MAX);
    cookie(request, token.to_owned(), time::Duration::seconds(seconds))
}

/// The cookie with which a browser is signed out.
#[must_use]
pub fn ended_session_cookie(request: &HttpRequest) -> Cookie<'static> {
    cookie(request, String::new(), time::Duration::ZERO)
}

fn cookie(request: &HttpRequest, value: String, max_age: time::Duration) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, value)
        .path("/api")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_of_tls(request))
        .max_age(max_age)
        .finish()
}

/// Whether the browser speaks TLS: by what a gateway says of the request, or by the browser's own word, which a second proxy
/// behind the gateway does not change.
fn is_of_tls(request: &HttpRequest) -> bool {
    let origin = request.headers().get(ORIGIN).is_some_and(|it| it.as_bytes().starts_with(b"https://"));
    origin || request.connection_info().scheme() == "https"
}

/// The token in the cookie. None without a cookie.
pub(super) fn session_token(request: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(cookie) = request.cookie(SESSION_COOKIE).filter(|cookie| !cookie.value().is_empty()) else {
        return Ok(None);
    };
    if !request.method().is_safe() && !request.headers().contains_key(GUARD_HEADER) {
        let detail = "A request by the session's cookie that may change something needs the header X-Requested-With, with any \
                      value: it shows that no other site made the browser send it.";
        return Err(Problem::forbidden("guard_header_missing", detail));
    }
    Ok(Some(cookie.value().to_owned()))
}
