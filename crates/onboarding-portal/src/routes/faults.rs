//! Orders of faults. In production these paths are not there.

use actix_web::{HttpResponse, delete, get, put, web};
use chassis::problem::Problem;

use super::{Desk, access::Admin};
use crate::faults::{Fault, Faults};

fn ordered(desk: &Desk) -> Result<&Faults, Problem> {
    let not_there = || Problem::not_found("not_found", "Faults can be ordered where SMS_ENV is development.");
    desk.faults.as_ref().ok_or_else(not_there)
}

/// Faults that are ordered
///
/// In development alone.
#[utoipa::path(operation_id = "getFaults", tag = "faults", responses((status = 200, body = Vec<Fault>)))]
#[get("/api/faults")]
pub(crate) async fn get_faults(
    desk: web::Data<Desk>,
    _admin: Admin,
) -> Result<web::Json<Vec<Fault>>, Problem> {
    Ok(web::Json(ordered(&desk)?.current()))
}

/// Order one more fault of the provider API
///
/// In development alone. Faults strike in the order of their orders, one at a time.
#[utoipa::path(
    operation_id = "orderFault", tag = "faults", request_body = Fault,
    responses((status = 200, body = Vec<Fault>))
)]
#[put("/api/faults")]
pub(crate) async fn order_fault(
    desk: web::Data<Desk>,
    _admin: Admin,
    fault: web::Json<Fault>,
) -> Result<web::Json<Vec<Fault>>, Problem> {
    let faults = ordered(&desk)?;
    if let Some(objection) = fault.objection() {
        return Err(Problem::invalid(objection, Vec::new()));
    }
    faults.order(fault.into_inner());
    Ok(web::Json(faults.current()))
}

/// Take all faults back
///
/// In development alone.
#[utoipa::path(operation_id = "endFaults", tag = "faults", responses((status = 204)))]
#[delete("/api/faults")]
pub(crate) async fn end_faults(desk: web::Data<Desk>, _admin: Admin) -> Result<HttpResponse, Problem> {
    ordered(&desk)?.end();
    Ok(HttpResponse::NoContent().finish())
}
