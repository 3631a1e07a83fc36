//! The doctor: what is wrong, why, and what to do.

use actix_web::{get, web};
use chassis::{
    auth::Viewer,
    problem::{FieldError, Problem},
};
use contracts::operator::{DoctorReport, RecordType};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app_state::AppState,
    doctor::{diagnose_connection, diagnose_fleet, diagnose_record, diagnose_stuck},
    problems::OrProblem,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct DoctorQuery {
    /// Type of a record that is missing; with `sourceId`.
    record_type: Option<RecordType>,
    /// Id in the onboarding portal of a record that is missing; with `recordType`.
    source_id: Option<String>,
}

/// Find out what is wrong
///
/// Answers three questions, each with cause and remedy: do the services reach what they need, is a sync or an approval stuck,
/// and why is a record missing. Sends the onboarding portal at most one test in 5 seconds.
#[utoipa::path(
    operation_id = "diagnose", tag = "syncs", security(("bearer" = ["viewer"])),
    params(DoctorQuery),
    responses((status = 200, body = DoctorReport))
)]
#[get("/api/doctor")]
pub(crate) async fn diagnose(
    app: web::Data<AppState>,
    _viewer: Viewer,
    query: web::Query<DoctorQuery>,
) -> Result<web::Json<DoctorReport>, Problem> {
    let DoctorQuery { record_type, source_id } = query.into_inner();
    let now = app.clock.now();
    if record_type.is_some() != source_id.is_some() {
        let pointer = if record_type.is_some() { "#/sourceId" } else { "#/recordType" };
        let errors = vec![FieldError::new(pointer, "missing", "must be given, too: both name a record")];
        return Err(Problem::invalid("A record is named by its type and its id.", errors));
    }
    let mut diagnoses = vec![diagnose_connection(&app).await];
    diagnoses.extend(diagnose_stuck(&app, now).await.or_problem()?);
    let mut tx = app.store.begin().await.or_problem()?;
    let missing = match record_type.zip(source_id) {
        Some((record_type, source_id)) => diagnose_record(&mut tx, record_type.into(), &source_id).await,
        None => diagnose_fleet(&mut tx).await,
    };
    diagnoses.push(missing.or_problem()?);
    tx.rollback().await;
    let ok = diagnoses.iter().all(|it| it.ok);
    Ok(web::Json(DoctorReport { ok, checked_at: now, diagnoses }))
}
