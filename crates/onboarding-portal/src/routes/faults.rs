//! Faults on demand. These paths answer 404 in production.

use actix_web::{HttpResponse, delete, get, put, web};
use chassis::{http::JsonBody, problem::Problem};

use super::{AppState, access::Admin};
use crate::faults::{Fault, Faults};

fn faults_of(app: &AppState) -> Result<&Faults, Problem> {
    app.faults
        .as_ref()
        .ok_or_else(|| Problem::not_found("not_found", "Faults exist only where SMS_ENV is development."))
}

/// List active faults
///
/// In development only.
#[utoipa::path(
    operation_id = "getFaults", tag = "faults",
    responses((status = 200, body = Vec<Fault>, description = "The active faults"))
)]
#[get("/api/faults")]
pub(crate) async fn get_faults(
    app: web::Data<AppState>,
    _admin: Admin,
) -> Result<web::Json<Vec<Fault>>, Problem> {
    Ok(web::Json(faults_of(&app)?.active()))
}

/// Add a fault of the provider API
///
/// In development only. Each request is affected by at most one fault, the first one that applies to it.
#[utoipa::path(
    operation_id = "addFault", tag = "faults", request_body = Fault,
    responses((status = 200, body = Vec<Fault>, description = "The active faults"))
)]
#[put("/api/faults")]
pub(crate) async fn add_fault(
    app: web::Data<AppState>,
    _admin: Admin,
    fault: JsonBody<Fault>,
) -> Result<web::Json<Vec<Fault>>, Problem> {
    let faults = faults_of(&app)?;
    if let Some(reason) = fault.invalid_because() {
        return Err(Problem::invalid(reason, Vec::new()));
    }
    faults.add(fault.into_inner());
    Ok(web::Json(faults.active()))
}

/// Remove all faults
///
/// In development only.
#[utoipa::path(
    operation_id = "removeFaults", tag = "faults",
    responses((status = 204, description = "No fault is active"))
)]
#[delete("/api/faults")]
pub(crate) async fn remove_faults(app: web::Data<AppState>, _admin: Admin) -> Result<HttpResponse, Problem> {
    faults_of(&app)?.clear();
    Ok(HttpResponse::NoContent().finish())
}
