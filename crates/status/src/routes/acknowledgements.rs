//! Acknowledged rejections: what is known and needs no attention for now.

use actix_web::{HttpResponse, delete, put, web};
use chassis::{
    auth::OperatorRole,
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use chrono::TimeDelta;
use contracts::operator::{Acknowledgement, AcknowledgementRequest, RecordType};
use domain::text::is_blank;
use store::ledger::acknowledgements::{
    NewAcknowledgement, RejectionAcknowledged, StandingError, acknowledgement_withdraw, rejection_acknowledge,
};

use super::reason::reason_error;
use crate::{app_state::AppState, problems::OrProblem, views::records::acknowledgement};

/// As long as ended syncs are kept; then somebody looks again.
const LONGEST: TimeDelta = TimeDelta::days(400);

/// Acknowledge the rejection of a record
///
/// Until the time that is given, the overview and the list of vessels count the record apart. It ends before that when the
/// record is accepted, and does not cover other errors than those that stand now; another value is another error. A second
/// acknowledgement replaces the first.
#[utoipa::path(
    operation_id = "acknowledgeRejection", tag = "records", security(("bearer" = ["operator"])),
    params(
        ("recordType" = RecordType, Path, description = "Type of the record"),
        ("sourceId" = String, Path, description = "Id of the record in the onboarding portal"),
    ),
    request_body = AcknowledgementRequest,
    responses(
        (status = 200, body = Acknowledgement),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The record is not rejected (`not_rejected`), or other errors stand than `errors` names \
                           (`other_errors_stand`)"),
    )
)]
#[put("/api/sync/records/{recordType}/{sourceId}/acknowledgement")]
pub(crate) async fn acknowledge_rejection(
    app: web::Data<AppState>,
    operator: OperatorRole,
    path: web::Path<(RecordType, String)>,
    request: JsonBody<AcknowledgementRequest>,
) -> Result<web::Json<Acknowledgement>, Problem> {
    let (record_type, source_id) = path.into_inner();
    let AcknowledgementRequest { reason, until, errors: seen } = request.into_inner();
    let now = app.clock.now();
    let mut errors: Vec<FieldError> = reason_error(Some(&reason)).into_iter().collect();
    if is_blank(&reason) {
        errors.push(FieldError::new("#/reason", "empty", "must say why nothing is to be done for now"));
    }
    if until <= now || until > now + LONGEST {
        let detail = format!("must be a time within the next {} days", LONGEST.num_days());
        errors.push(FieldError::new("#/until", "out_of_range", detail));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("The rejection cannot be acknowledged so.", errors));
    }
    let mut tx = app.begin(&operator).await?;
    let seen: Option<Vec<StandingError>> = seen.map(|seen| {
        seen.into_iter().map(|it| StandingError { code: it.code, pointer: it.pointer }).collect()
    });
    let new = NewAcknowledgement {
        record_type: record_type.into(),
        source_id: &source_id,
        seen: seen.as_deref(),
        reason: &reason,
        until,
    };
    match rejection_acknowledge(&mut tx, new, operator.subject(), now).await.or_problem()? {
        RejectionAcknowledged::Acknowledged(stored) => {
            tx.commit().await.or_problem()?;
            Ok(web::Json(acknowledgement(stored)))
        }
        RejectionAcknowledged::OthersStand(errors) => {
            let errors: Vec<String> = errors.iter().map(|it| format!("{} {}", it.code, it.pointer)).collect();
            let detail =
                format!("Other errors stand by now than those that you have seen: {}.", errors.join(", "));
            Err(Problem::conflict("other_errors_stand", detail))
        }
        RejectionAcknowledged::NotRejected => {
            let detail = format!(
                "No error stands about the {record_type} {source_id}: there is nothing to acknowledge."
            );
            Err(Problem::conflict("not_rejected", detail))
        }
    }
}

/// Take back the acknowledgement of a rejection
#[utoipa::path(
    operation_id = "withdrawAcknowledgement", tag = "records", security(("bearer" = ["operator"])),
    params(
        ("recordType" = RecordType, Path, description = "Type of the record"),
        ("sourceId" = String, Path, description = "Id of the record in the onboarding portal"),
    ),
    responses(
        (status = 204, description = "Nothing is acknowledged any more"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "Nothing is acknowledged (`not_acknowledged`)"),
    )
)]
#[delete("/api/sync/records/{recordType}/{sourceId}/acknowledgement")]
pub(crate) async fn withdraw_acknowledgement(
    app: web::Data<AppState>,
    operator: OperatorRole,
    path: web::Path<(RecordType, String)>,
) -> Result<HttpResponse, Problem> {
    let (record_type, source_id) = path.into_inner();
    let mut tx = app.begin(&operator).await?;
    let record = (record_type.into(), source_id.as_str());
    let withdrawn =
        acknowledgement_withdraw(&mut tx, record, operator.subject(), app.clock.now()).await.or_problem()?;
    if !withdrawn {
        let detail = format!("No rejection of the {record_type} {source_id} is acknowledged.");
        return Err(Problem::not_found("not_acknowledged", detail));
    }
    tx.commit().await.or_problem()?;
    Ok(HttpResponse::NoContent().finish())
}
