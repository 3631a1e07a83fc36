//! What the portal's own people do: enter, approve, mend and withdraw records.

use actix_web::{HttpResponse, get, patch, post, web};
use chassis::problem::{FieldError, Problem, ProblemBody};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{Desk, OrProblem, access::Admin};
use crate::records::{
    self, Kept, Kind, State, Which,
    changes::{self, Change, ChangeError, Changed},
};

const MOST: u32 = 500;

/// Which records.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Browse {
    /// Only those in this state.
    #[param(inline)]
    state: Option<State>,
    /// Only what belongs to this vessel (equipment, users).
    vessel_id: Option<String>,
    /// Only what belongs to this company (vessels, users).
    company_id: Option<String>,
    /// Records per page.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Records in the order of their ids.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shelf {
    data: Vec<Kept>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// What a change led to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeReceipt {
    /// The record.
    id: String,
    /// Its new version.
    updated_at: DateTime<Utc>,
    /// The webhook that is on its way because of it; none for a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_id: Option<String>,
}

fn kind_of(path: &str) -> Result<Kind, Problem> {
    Kind::of_path(path)
        .ok_or_else(|| Problem::not_found("not_found", format!("There is nothing at /api/{path}.")))
}

fn no_such(kind: Kind, id: &str) -> Problem {
    Problem::not_found("record_unknown", format!("There is no {} with the id {id}.", kind.word()))
}

/// Records in any state
#[utoipa::path(
    operation_id = "browseRecords", tag = "records",
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), Browse),
    responses((status = 200, body = Shelf))
)]
#[get("/api/{kind}")]
pub(crate) async fn browse(
    desk: web::Data<Desk>,
    _admin: Admin,
    kind: web::Path<String>,
    query: web::Query<Browse>,
) -> Result<web::Json<Shelf>, Problem> {
    let kind = kind_of(&kind)?;
    let Browse { state, vessel_id, company_id, limit, cursor } = query.into_inner();
    let limit = limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        let detail = format!("`limit` must be from 1 to {MOST}.");
        return Err(Problem::bad_request("invalid_query", detail).with("parameter", "limit"));
    }
    let which = Which { state, vessel_id, company_id, after: cursor, limit };
    let mut db = desk.database.connection().await.or_problem()?;
    let (data, next_cursor) = records::browse(&mut db, kind, &which).await.or_problem()?;
    Ok(web::Json(Shelf { data, next_cursor }))
}

/// One record in any state
#[utoipa::path(
    operation_id = "getRecord", tag = "records",
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), ("id" = String, Path)),
    responses((status = 200, body = Kept))
)]
#[get("/api/{kind}/{id}")]
pub(crate) async fn get_record(
    desk: web::Data<Desk>,
    _admin: Admin,
    path: web::Path<(String, String)>,
) -> Result<web::Json<Kept>, Problem> {
    let (kind, id) = path.into_inner();
    let kind = kind_of(&kind)?;
    let mut db = desk.database.connection().await.or_problem()?;
    let found = records::find(&mut db, kind, &id).await.or_problem()?;
    Ok(web::Json(found.ok_or_else(|| no_such(kind, &id))?))
}

/// Enter a draft
///
/// A record of the kind as the provider API shows it, without `updatedAt`, `withdrawnAt` and, for a vessel, with
/// `companyId` in the place of `company`. Only the shape is checked.
#[utoipa::path(
    operation_id = "enterRecord", tag = "records", request_body = Object,
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`")),
    responses(
        (status = 201, body = ChangeReceipt),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The id is taken"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "It is no record of this kind"),
    )
)]
#[post("/api/{kind}")]
pub(crate) async fn enter(
    desk: web::Data<Desk>,
    _admin: Admin,
    kind: web::Path<String>,
    entered: web::Json<Value>,
) -> Result<HttpResponse, Problem> {
    let kind = kind_of(&kind)?;
    let id = entered.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut db = desk.database.connection().await.or_problem()?;
    let changed = changes::enter(&mut db, kind, &entered, desk.clock.now()).await;
    Ok(HttpResponse::Created().json(receipt(kind, id, changed)?))
}

/// Change fields of a record
///
/// A JSON merge patch (RFC 7396): null takes a field away. Whoever has seen the record is told.
#[utoipa::path(
    operation_id = "patchRecord", tag = "records", request_body = Object,
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), ("id" = String, Path)),
    responses(
        (status = 200, body = ChangeReceipt),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "It is withdrawn"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "It would no longer be a record of this kind"),
    )
)]
#[patch("/api/{kind}/{id}")]
pub(crate) async fn patch(
    desk: web::Data<Desk>,
    _admin: Admin,
    path: web::Path<(String, String)>,
    fields: web::Json<Value>,
) -> Result<web::Json<ChangeReceipt>, Problem> {
    change(&desk, path.into_inner(), Change::Patch(fields.into_inner())).await
}

/// Approve a record
///
/// From now on others see it, and are told. A vessel's approval is that of its drafts of equipment, users and company,
/// too. What is approved already gets a new version; what was withdrawn is back.
#[utoipa::path(
    operation_id = "approveRecord", tag = "records",
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), ("id" = String, Path)),
    responses(
        (status = 200, body = ChangeReceipt),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "Its vessel is a draft"),
    )
)]
#[post("/api/{kind}/{id}/approve")]
pub(crate) async fn approve(
    desk: web::Data<Desk>,
    _admin: Admin,
    path: web::Path<(String, String)>,
) -> Result<web::Json<ChangeReceipt>, Problem> {
    change(&desk, path.into_inner(), Change::Approve).await
}

/// Withdraw a record's approval
///
/// Others see a tombstone from now on, and are told.
#[utoipa::path(
    operation_id = "withdrawRecord", tag = "records",
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), ("id" = String, Path)),
    responses(
        (status = 200, body = ChangeReceipt),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "It is not approved, or a company with vessels"),
    )
)]
#[post("/api/{kind}/{id}/withdraw")]
pub(crate) async fn withdraw(
    desk: web::Data<Desk>,
    _admin: Admin,
    path: web::Path<(String, String)>,
) -> Result<web::Json<ChangeReceipt>, Problem> {
    change(&desk, path.into_inner(), Change::Withdraw).await
}

async fn change(
    desk: &Desk,
    (kind, id): (String, String),
    change: Change,
) -> Result<web::Json<ChangeReceipt>, Problem> {
    let kind = kind_of(&kind)?;
    let mut db = desk.database.connection().await.or_problem()?;
    let changed = changes::change(&mut db, kind, &id, &change, desk.clock.now()).await;
    drop(db);
    let receipt = receipt(kind, id, changed)?;
    if receipt.webhook_id.is_some() {
        desk.sender.wake();
    }
    Ok(web::Json(receipt))
}

fn receipt(kind: Kind, id: String, changed: Result<Changed, ChangeError>) -> Result<ChangeReceipt, Problem> {
    match changed {
        Ok(Changed { updated_at, webhook_id }) => Ok(ChangeReceipt { id, updated_at, webhook_id }),
        Err(ChangeError::NotFound) => Err(no_such(kind, &id)),
        Err(ChangeError::Exists) => {
            Err(Problem::conflict("record_exists", format!("There is a {} with the id {id}.", kind.word())))
        }
        Err(ChangeError::NotNow(why)) => Err(Problem::conflict("not_in_this_state", why)),
        Err(ChangeError::Shape(error)) => {
            let errors = vec![FieldError::new("#", "wrong_shape", error.to_string())];
            Err(Problem::invalid(format!("This is no {}.", kind.word()), errors))
        }
        Err(error @ ChangeError::Id) => {
            let errors = vec![FieldError::new("#/id", "wrong_id", error.to_string())];
            Err(Problem::invalid("The id cannot be used.", errors))
        }
        Err(ChangeError::Database(error)) => Err(error).or_problem(),
    }
}
