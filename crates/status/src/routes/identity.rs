//! The operator that the token names, and the session of a browser.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::StatusCode, post, web};
use chassis::{
    auth::{Operator, Role, ScopedViewer, bearer_token, ended_session_cookie, session_cookie},
    http::check_query,
    problem::{Problem, ProblemBody},
};
use chrono::DateTime;
use contracts::operator::{Identity, IdentityScope, OperatorRole};

/// Bytes of a token that fit into a cookie: browsers keep 4,096 with its name and attributes (RFC 6265, section 6.1).
const COOKIE_LIMIT: usize = 3_800;

/// Get the operator of the token
#[utoipa::path(
    operation_id = "getIdentity", tag = "operators", security(("bearer" = ["viewer"])),
    responses((status = 200, body = Identity))
)]
#[get("/api/sync/me")]
pub(crate) async fn get_identity(viewer: ScopedViewer) -> web::Json<Identity> {
    web::Json(identity(&viewer))
}

/// Get the session of the browser
///
/// 204 without one. A session whose token has ended or was revoked is 401.
#[utoipa::path(
    operation_id = "getSession", tag = "operators", security(("bearer" = []), ("session" = []), ()),
    responses(
        (status = 200, body = Identity, description = "The operator who is signed in"),
        (status = 204, description = "Nobody is signed in"),
        (status = 401, body = ProblemBody, content_type = "application/problem+json",
            description = "The token of the session has ended (`token_expired`, `token_revoked`) or is not valid"),
    )
)]
#[get("/api/session")]
pub(crate) async fn get_session(
    request: HttpRequest,
    viewer: Result<ScopedViewer, Problem>,
) -> Result<HttpResponse, Problem> {
    check_query(&request)?;
    match viewer {
        Ok(viewer) => Ok(HttpResponse::Ok().json(identity(&viewer))),
        Err(problem) if problem.body().code == "token_missing" => Ok(HttpResponse::NoContent().finish()),
        Err(problem) => Err(problem),
    }
}

/// Begin a session
///
/// Signs a browser in: puts the token of the request into a cookie that no script can read, until the token ends. All pages and
/// links of this host are signed in from then on. Requests by the cookie that may change something need the header
/// `X-Requested-With`, with any value.
#[utoipa::path(
    operation_id = "beginSession", tag = "operators", security(("bearer" = ["viewer"])),
    responses(
        (status = 200, body = Identity, description = "The operator who is signed in",
        headers(("Set-Cookie", description = "`sms_sync_session`, `HttpOnly` and `SameSite=Strict`"))),
        (status = 403, body = ProblemBody, content_type = "application/problem+json",
            description = "The request has an API key, or no token but the cookie of a session without `X-Requested-With`"))
)]
#[post("/api/session")]
pub(crate) async fn begin_session(
    request: HttpRequest,
    viewer: ScopedViewer,
) -> Result<HttpResponse, Problem> {
    let token = bearer_token(&request).ok_or_else(|| {
        let detail = "Send the token that the session shall have: `Authorization: Bearer <token>`.";
        Problem::unauthorized("token_missing", detail)
    })?;
    if viewer.is_api_key() {
        return Err(Problem::forbidden(
            "api_key_refused",
            "An API key is for programs: no browser can be signed in with it.",
        ));
    }
    if token.len() > COOKIE_LIMIT {
        let detail = format!(
            "The token has {} bytes, and a browser keeps at most {COOKIE_LIMIT} of it in a cookie. Ask for a token with fewer claims.",
            token.len()
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "token_too_long").with_detail(detail));
    }
    let cookie = session_cookie(&request, token, viewer.valid_for());
    Ok(HttpResponse::Ok().cookie(cookie).json(identity(&viewer)))
}

/// End the session of the browser
///
/// The token itself stays valid: revoke it where it may have been seen by others.
#[utoipa::path(
    operation_id = "endSession", tag = "operators", security(()),
    responses((status = 204, description = "Nobody is signed in any more"))
)]
#[delete("/api/session")]
pub(crate) async fn end_session(request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_query(&request)?;
    Ok(HttpResponse::NoContent().cookie(ended_session_cookie(&request)).finish())
}

fn identity(operator: &Operator) -> Identity {
    let expires_at = i64::try_from(operator.expires_at()).ok().and_then(|at| DateTime::from_timestamp(at, 0));
    Identity {
        subject: operator.subject().to_owned(),
        role: role_word(operator.role()),
        // No token ends that late: it would be valid for too long.
        expires_at: expires_at.unwrap_or(DateTime::UNIX_EPOCH),
        scope: operator.scope().map(|scope| IdentityScope {
            vessels: scope.vessels.iter().cloned().collect(),
            companies: scope.companies.iter().cloned().collect(),
        }),
    }
}

/// The role's word in the API.
pub(super) const fn role_word(role: Role) -> OperatorRole {
    match role {
        Role::Viewer => OperatorRole::Viewer,
        Role::Operator => OperatorRole::Operator,
        Role::Admin => OperatorRole::Admin,
    }
}
