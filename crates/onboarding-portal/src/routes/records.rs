//! Entering, approving, patching and withdrawing records, for the portal's own people.

use actix_web::{HttpResponse, get, patch, post, web};
use chassis::{
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{AppState, OrProblem, access::Admin};
use crate::records::{
    self, Kind, RecordFilter, State, StoredRecord,
    changes::{self, Change, ChangeError, Changed},
};

const PAGE_LIMIT: u32 = 500;
const DEFAULT_PAGE: u32 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BrowseParameters {
    /// Only records in this state.
    #[param(inline)]
    state: Option<State>,
    /// Only records of this vessel (equipment, users).
    vessel_id: Option<String>,
    /// Only records of this company (vessels, users).
    company_id: Option<String>,
    /// Records per page.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
    /// `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// Records in the order of their ids.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecordPage {
    data: Vec<StoredRecord>,
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Result of a change.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeReceipt {
    /// Id of the record.
    id: String,
    /// The record's new version.
    updated_at: DateTime<Utc>,
    /// The webhook about the change; absent for a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_id: Option<String>,
}

fn kind_of(path: &str) -> Result<Kind, Problem> {
    Kind::of_path(path).ok_or_else(|| Problem::not_found("not_found", format!("/api/{path} does not exist.")))
}

fn record_not_found(kind: Kind, id: &str) -> Problem {
    Problem::not_found("record_unknown", format!("No {} has the id {id}.", kind.word()))
}

/// List records in any state
#[utoipa::path(
    operation_id = "browseRecords", tag = "records",
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), BrowseParameters),
    responses((status = 200, body = RecordPage))
)]
#[get("/api/{kind}")]
pub(crate) async fn browse(
    app: web::Data<AppState>,
    _admin: Admin,
    kind: web::Path<String>,
    query: web::Query<BrowseParameters>,
) -> Result<web::Json<RecordPage>, Problem> {
    let kind = kind_of(&kind)?;
    let BrowseParameters { state, vessel_id, company_id, limit, cursor } = query.into_inner();
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        let detail = format!("`limit` must be from 1 to {PAGE_LIMIT}.");
        return Err(Problem::bad_request("invalid_query", detail).with("parameter", "limit"));
    }
    let filter = RecordFilter { state, vessel_id, company_id, after: cursor, limit };
    let mut db = app.database.connection().await.or_problem()?;
    let (data, next_cursor) = records::browse(&mut db, kind, &filter).await.or_problem()?;
    Ok(web::Json(RecordPage { data, next_cursor }))
}

/// Get a record in any state
#[utoipa::path(
    operation_id = "getRecord", tag = "records",
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), ("id" = String, Path)),
    responses((status = 200, body = StoredRecord))
)]
#[get("/api/{kind}/{id}")]
pub(crate) async fn get_record(
    app: web::Data<AppState>,
    _admin: Admin,
    path: web::Path<(String, String)>,
) -> Result<web::Json<StoredRecord>, Problem> {
    let (kind, id) = path.into_inner();
    let kind = kind_of(&kind)?;
    let mut db = app.database.connection().await.or_problem()?;
    let found = records::find(&mut db, kind, &id).await.or_problem()?;
    Ok(web::Json(found.ok_or_else(|| record_not_found(kind, &id))?))
}

/// Enter a draft
///
/// The body is a record as the provider API serves it, without `updatedAt` and `withdrawnAt`; a vessel has `companyId`
/// in place of `company`. Only the shape is checked.
#[utoipa::path(
    operation_id = "enterRecord", tag = "records", request_body = Object,
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`")),
    responses(
        (status = 201, body = ChangeReceipt),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "A record with this id exists already"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "The body does not have the shape of this kind of record"),
    )
)]
#[post("/api/{kind}")]
pub(crate) async fn enter_draft(
    app: web::Data<AppState>,
    _admin: Admin,
    kind: web::Path<String>,
    entered: JsonBody<Value>,
) -> Result<HttpResponse, Problem> {
    let kind = kind_of(&kind)?;
    let id = entered.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut db = app.database.connection().await.or_problem()?;
    let changed = changes::enter_draft(&mut db, kind, &entered, app.clock.now()).await;
    Ok(HttpResponse::Created().json(receipt(kind, id, changed)?))
}

/// Change fields of a record
///
/// A JSON merge patch (RFC 7396): null removes a field. A webhook tells of the change, unless the record is a draft.
#[utoipa::path(
    operation_id = "patchRecord", tag = "records", request_body = Object,
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), ("id" = String, Path)),
    responses(
        (status = 200, body = ChangeReceipt),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The record is withdrawn"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "The result does not have the shape of this kind of record"),
    )
)]
#[patch("/api/{kind}/{id}")]
pub(crate) async fn patch(
    app: web::Data<AppState>,
    _admin: Admin,
    path: web::Path<(String, String)>,
    fields: JsonBody<Value>,
) -> Result<web::Json<ChangeReceipt>, Problem> {
    change(&app, path.into_inner(), Change::Patch(fields.into_inner())).await
}

/// Approve a record
///
/// The provider API serves the record from now on, and a webhook tells of it. The approval of a vessel also approves
/// the drafts of its equipment, users and company. An approved record gets a new version; a withdrawn one is approved
/// again.
#[utoipa::path(
    operation_id = "approveRecord", tag = "records",
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), ("id" = String, Path)),
    responses(
        (status = 200, body = ChangeReceipt),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The vessel of the equipment is a draft"),
    )
)]
#[post("/api/{kind}/{id}/approve")]
pub(crate) async fn approve(
    app: web::Data<AppState>,
    _admin: Admin,
    path: web::Path<(String, String)>,
) -> Result<web::Json<ChangeReceipt>, Problem> {
    change(&app, path.into_inner(), Change::Approve).await
}

/// Withdraw a record's approval
///
/// The provider API serves a tombstone from now on, and a webhook tells of it.
#[utoipa::path(
    operation_id = "withdrawRecord", tag = "records",
    params(("kind" = String, Path, description = "`companies`, `vessels`, `equipment` or `users`"), ("id" = String, Path)),
    responses(
        (status = 200, body = ChangeReceipt),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The record is not approved, or is a company with approved vessels"),
    )
)]
#[post("/api/{kind}/{id}/withdraw")]
pub(crate) async fn withdraw(
    app: web::Data<AppState>,
    _admin: Admin,
    path: web::Path<(String, String)>,
) -> Result<web::Json<ChangeReceipt>, Problem> {
    change(&app, path.into_inner(), Change::Withdraw).await
}

async fn change(
    app: &AppState,
    (kind, id): (String, String),
    change: Change,
) -> Result<web::Json<ChangeReceipt>, Problem> {
    let kind = kind_of(&kind)?;
    let mut db = app.database.connection().await.or_problem()?;
    let changed = changes::change(&mut db, kind, &id, &change, app.clock.now()).await;
    drop(db);
    let receipt = receipt(kind, id, changed)?;
    if receipt.webhook_id.is_some() {
        app.sender.wake();
    }
    Ok(web::Json(receipt))
}

fn receipt(kind: Kind, id: String, changed: Result<Changed, ChangeError>) -> Result<ChangeReceipt, Problem> {
    match changed {
        Ok(Changed { updated_at, webhook_id }) => Ok(ChangeReceipt { id, updated_at, webhook_id }),
        Err(ChangeError::NotFound) => Err(record_not_found(kind, &id)),
        Err(ChangeError::Exists) => Err(Problem::conflict(
            "record_exists",
            format!("A {} with the id {id} exists already.", kind.word()),
        )),
        Err(ChangeError::WrongState(why)) => Err(Problem::conflict("not_in_this_state", why)),
        Err(ChangeError::Shape(error)) => {
            let errors = vec![FieldError::new("#", "wrong_shape", error.to_string())];
            Err(Problem::invalid(format!("The body is not a valid {}.", kind.word()), errors))
        }
        Err(error @ ChangeError::Id) => {
            let errors = vec![FieldError::new("#/id", "wrong_id", error.to_string())];
            Err(Problem::invalid("The id is not valid.", errors))
        }
        Err(ChangeError::Database(error)) => Err(error).or_problem(),
    }
}
