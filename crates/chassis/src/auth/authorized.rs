//! Arguments of handlers that prove what the caller may do.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web};

use super::{Operator, OperatorKeys, RefusalLog, RequestLimits, Role, session::session_token};
use crate::{
    http::{RequestId, check_query},
    problem::Problem,
};

/// The least role a handler requires, as a type.
pub trait RequiredRole: 'static {
    const ROLE: Role;
    /// Whether the handler looks at [`Operator::scope`]. All others are closed to tokens for a part of the fleet.
    const KEEPS_TO_SCOPE: bool = false;
}

#[derive(Debug, Clone, Copy)]
pub enum ViewerOrAbove {}
#[derive(Debug, Clone, Copy)]
pub enum OperatorOrAbove {}
#[derive(Debug, Clone, Copy)]
pub enum AdminOnly {}

#[derive(Debug, Clone, Copy)]
pub enum ViewerInScope {}
#[derive(Debug, Clone, Copy)]
pub enum OperatorInScope {}

impl RequiredRole for ViewerInScope {
    const ROLE: Role = Role::Viewer;
    const KEEPS_TO_SCOPE: bool = true;
}
impl RequiredRole for OperatorInScope {
    const ROLE: Role = Role::Operator;
    const KEEPS_TO_SCOPE: bool = true;
}
impl RequiredRole for ViewerOrAbove {
    const ROLE: Role = Role::Viewer;
}
impl RequiredRole for OperatorOrAbove {
    const ROLE: Role = Role::Operator;
}
impl RequiredRole for AdminOnly {
    const ROLE: Role = Role::Admin;
}

/// Proof that the caller's role suffices. Dereferences to the [`Operator`]. Needs `web::Data<OperatorKeys>` in the app.
#[derive(Debug, Clone)]
pub struct Authorized<R> {
    operator: Operator,
    request_id: Option<String>,
    role: PhantomData<R>,
}

impl<R> Authorized<R> {
    /// Id of the request that the operator sent.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// An operator of any role, perhaps for a part of the fleet only: the handler must keep to it.
pub type ScopedViewer = Authorized<ViewerInScope>;
/// As [`OperatorRole`], perhaps for a part of the fleet only: the handler must keep to it.
pub type ScopedOperator = Authorized<OperatorInScope>;
/// An operator of any role.
pub type Viewer = Authorized<ViewerOrAbove>;
/// An operator who may start, cancel and replay.
pub type OperatorRole = Authorized<OperatorOrAbove>;
/// An operator who may change settings and see secrets once.
pub type Admin = Authorized<AdminOnly>;

impl<R> std::ops::Deref for Authorized<R> {
    type Target = Operator;
    fn deref(&self) -> &Operator {
        &self.operator
    }
}

impl<R: RequiredRole> FromRequest for Authorized<R> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate(request).and_then(|operator| {
            if let Some(limits) = request.app_data::<web::Data<RequestLimits>>() {
                limits.check(request, operator.subject())?;
            }
            if let Err(refused) = operator.require(R::ROLE) {
                if let Some(log) = request.app_data::<web::Data<RefusalLog>>() {
                    log.note(request, &operator, R::ROLE);
                }
                return Err(refused);
            }
            if operator.scope().is_some() && !R::KEEPS_TO_SCOPE {
                if let Some(log) = request.app_data::<web::Data<RefusalLog>>() {
                    log.note(request, &operator, R::ROLE);
                }
                let detail = "Your token is for a part of the fleet, and this is about the whole fleet.";
                return Err(Problem::forbidden("outside_scope", detail));
            }
            // Here and not in a middleware: whoever may not ask is told that first, and not what a query may hold.
            check_query(request)?;
            let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
            Ok(Self { operator, request_id, role: PhantomData })
        }))
    }
}

/// The operator who sent a request, by its `Authorization` header or the cookie of a session; else a 401 problem.
pub fn authenticate(request: &HttpRequest) -> Result<Operator, Problem> {
    if let Some(operator) = request.extensions().get::<Operator>() {
        return Ok(operator.clone());
    }
    let keys = request.app_data::<web::Data<OperatorKeys>>();
    let keys = keys.ok_or_else(|| Problem::internal("the app has no OperatorKeys"))?;
    // Whoever sends a token means it, whatever the browser adds.
    let token = match bearer_token(request) {
        Some(token) => Some(token.to_owned()),
        None => session_token(request)?,
    };
    let token = token.ok_or_else(|| {
        Problem::unauthorized("token_missing", "Send a token: `Authorization: Bearer <token>`.")
    })?;
    let operator = keys.verify(&token)?;
    request.extensions_mut().insert(operator.clone());
    Ok(operator)
}

/// The token in `Authorization: Bearer <token>`; the scheme in any case.
#[must_use]
pub fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
