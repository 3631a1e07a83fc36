//! The data-quality report.

use actix_web::{get, web};
use chassis::{
    auth::Viewer,
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{CodeCount, RecordQuality, RecordType, Severity, ValidationReport, VesselIdentity};
use domain::SyncId;
use serde::Deserialize;
use store::{
    ledger::syncs,
    views::data_quality::{self, QualityFilter, Subject},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{
    desk::Desk,
    failure::{OrProblem, no_such_sync},
    views,
};

/// Whose data, and which findings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// A vessel, by its IMO number, or by its id here or in the onboarding portal: what stands about it and all that
    /// belongs to it.
    vessel: Option<String>,
    /// A run: what it found.
    sync_id: Option<Uuid>,
    /// Only these.
    severity: Option<Severity>,
    /// Only of this rule.
    code: Option<String>,
    /// Only about this kind of record.
    record_type: Option<RecordType>,
}

/// How good the data is
///
/// Of one vessel, of one sync, or of the fleet. What stands about a record is what its last state was rejected for, or let
/// in with; it stands until the record is mended and synced again, however old the sync is.
#[utoipa::path(
    operation_id = "getValidationReport", tag = "validation",
    params(Asked, Paging),
    responses(
        (status = 200, body = ValidationReport),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json",
            description = "A vessel and a sync at once"),
    )
)]
#[get("/api/sync/validation/reports")]
pub(crate) async fn report(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    asked: web::Query<Asked>,
    paging: web::Query<Paging>,
) -> Result<web::Json<ValidationReport>, Problem> {
    let window = paging.window()?;
    let Asked { vessel, sync_id, severity, code, record_type } = asked.into_inner();
    let mut db = desk.store.db().await.or_problem()?;
    let mut identity = None;
    let subject = match (vessel, sync_id) {
        (Some(_), Some(_)) => {
            let error = FieldError::new("#/syncId", "at_most_one", "goes without vessel");
            return Err(Problem::invalid("A report is about a vessel or about a sync.", vec![error]));
        }
        (Some(vessel), None) => {
            let found =
                data_quality::vessel_identity(&mut db, &vessel).await.or_problem()?.ok_or_else(|| {
                    Problem::not_found("vessel_not_found", format!("There is no vessel {vessel}."))
                })?;
            let subject = Subject::Vessel(found.source_id.clone());
            identity = Some(found);
            subject
        }
        (None, Some(sync)) => {
            let id = SyncId::from_uuid(sync);
            if syncs::sync_find(&mut db, id).await.or_problem()?.is_none() {
                return Err(no_such_sync(id));
            }
            Subject::Sync(id)
        }
        (None, None) => Subject::Fleet,
    };
    let below_minimum = match subject {
        Subject::Sync(_) => None,
        _ => {
            let vessel = identity.as_ref().map(|it| it.id);
            Some(views::number(data_quality::spares_below_minimum(&mut db, vessel).await.or_problem()?))
        }
    };
    let records = data_quality::quality_records(&mut db, &subject).await.or_problem()?;
    let filter = QualityFilter {
        subject,
        severity: severity.map(Into::into),
        code,
        record_type: record_type.map(Into::into),
    };
    let codes = data_quality::quality_codes(&mut db, &filter).await.or_problem()?;
    let page = data_quality::quality_findings(&mut db, &filter, window).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    Ok(web::Json(ValidationReport {
        vessel: identity.map(|it| VesselIdentity {
            id: it.id,
            source_id: it.source_id,
            imo_number: it.imo_number,
            name: it.name,
        }),
        sync_id,
        records: records
            .into_iter()
            .map(|it| RecordQuality {
                record_type: it.record_type.into(),
                records: views::number(it.records),
                with_errors: views::number(it.with_errors),
                with_warnings: views::number(it.with_warnings),
            })
            .collect(),
        critical_spares_below_minimum: below_minimum,
        codes: codes
            .into_iter()
            .map(|it| CodeCount {
                severity: it.severity.into(),
                code: it.code,
                record_type: it.record_type.into(),
                findings: views::number(it.findings),
                records: views::number(it.records),
            })
            .collect(),
        findings: page.rows.into_iter().map(views::finding).collect(),
        pagination,
    }))
}
