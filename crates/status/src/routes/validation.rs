//! The data-quality report of a vessel, of a sync or of the fleet.

use actix_web::{get, web};
use chassis::{
    auth::ScopedViewer,
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{CodeCount, RecordQuality, RecordType, Severity, ValidationReport, VesselIdentity};
use domain::SyncId;
use serde::Deserialize;
use store::{
    Db,
    ledger::syncs,
    views::data_quality::{self, QualityFilter, Subject},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{
    app_state::AppState,
    fleet_part::{check_vessel, check_whole_fleet, load_fleet_part},
    problems::{OrProblem, sync_not_found, vessel_not_found},
    saturating::to_i64,
    views::syncs::finding,
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// Report on the vessel with this IMO number, or with this id in the maintenance portal or in the onboarding portal,
    /// with its equipment and users.
    vessel: Option<String>,
    /// Report on the findings of this sync.
    sync_id: Option<Uuid>,
    /// Only findings of this severity.
    severity: Option<Severity>,
    /// Only findings with this code.
    code: Option<String>,
    /// Only findings about records of this type.
    record_type: Option<RecordType>,
}

/// Get a data-quality report
///
/// Of one vessel, of one sync, or of the fleet. A report on a vessel or the fleet shows the findings of each record's last
/// version. A finding stays, however old its sync is, until the record is corrected and synced again.
#[utoipa::path(
    operation_id = "getValidationReport", tag = "validation", security(("bearer" = ["viewer"])),
    params(ReportQuery, Paging),
    responses(
        (status = 200, body = ValidationReport),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "There is no such vessel (`vessel_not_found`) or sync (`sync_not_found`)"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json",
            description = "The request has both `vessel` and `syncId`"),
    )
)]
#[get("/api/sync/validation/reports")]
pub(crate) async fn get_validation_report(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    query: web::Query<ReportQuery>,
    paging: web::Query<Paging>,
) -> Result<web::Json<ValidationReport>, Problem> {
    let window = paging.window()?;
    let ReportQuery { vessel, sync_id, severity, code, record_type } = query.into_inner();
    let mut db = app.store.db().await.or_problem()?;
    let part = load_fleet_part(&mut db, &viewer).await?;
    let asked = vessel.clone().unwrap_or_default();
    if vessel.is_none() {
        check_whole_fleet(part.as_ref(), "a `vessel` of it")?;
    }
    let (subject, vessel) = load_subject(&mut db, vessel, sync_id).await?;
    if let Subject::Vessel(id) = &subject {
        check_vessel(part.as_ref(), id, &asked)?;
    }
    let below_minimum = match subject {
        Subject::Sync(_) => None,
        Subject::Vessel(_) | Subject::Fleet => {
            let vessel_id = vessel.as_ref().map(|it| it.id);
            Some(data_quality::spares_below_minimum(&mut db, vessel_id).await.or_problem()?)
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
    Ok(web::Json(ValidationReport {
        vessel,
        sync_id,
        records: records.into_iter().map(record_quality).collect(),
        critical_spares_below_minimum: below_minimum.map(to_i64),
        codes: codes.into_iter().map(code_count).collect(),
        pagination: paging.pagination(page.total),
        findings: page.rows.into_iter().map(finding).collect(),
    }))
}

/// The subject of the report, with the vessel if the subject is one; 404 for an unknown vessel or sync.
async fn load_subject(
    db: &mut Db,
    vessel: Option<String>,
    sync_id: Option<Uuid>,
) -> Result<(Subject, Option<VesselIdentity>), Problem> {
    match (vessel, sync_id) {
        (Some(_), Some(_)) => {
            let errors =
                vec![FieldError::new("#/syncId", "at_most_one", "must be absent if vessel is given")];
            Err(Problem::invalid("A report is about a vessel or about a sync, not both.", errors))
        }
        (Some(vessel), None) => {
            let found = data_quality::vessel_identity(db, &vessel).await.or_problem()?;
            let found = found.ok_or_else(|| vessel_not_found(&vessel))?;
            let identity = VesselIdentity {
                id: found.id,
                source_id: found.source_id.clone(),
                imo_number: found.imo_number,
                name: found.name,
            };
            Ok((Subject::Vessel(found.source_id), Some(identity)))
        }
        (None, Some(sync_id)) => {
            let id = SyncId::from_uuid(sync_id);
            match syncs::sync_find(db, id).await.or_problem()? {
                Some(_) => Ok((Subject::Sync(id), None)),
                None => Err(sync_not_found(id)),
            }
        }
        (None, None) => Ok((Subject::Fleet, None)),
    }
}

fn record_quality(it: data_quality::RecordQuality) -> RecordQuality {
    RecordQuality {
        record_type: it.record_type.into(),
        records: to_i64(it.records),
        with_errors: to_i64(it.with_errors),
        with_warnings: to_i64(it.with_warnings),
    }
}

fn code_count(it: data_quality::CodeCount) -> CodeCount {
    CodeCount {
        severity: it.severity.into(),
        code: it.code,
        record_type: it.record_type.into(),
        findings: to_i64(it.findings),
        records: to_i64(it.records),
    }
}
