//! Records: list them, and look one up with where it stands. `timelines.rs` says what happened to one.

use actix_web::{get, web};
use chassis::{
    auth::{Role, ScopedViewer},
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{List, Record, RecordDetail, RecordStatusFilter, RecordType};
use domain::{
    audit::AuditAction,
    record_standing::RecordStanding,
    row_status::RowStatus,
    search::{SearchText, SearchTextError},
};
use serde::Deserialize;
use serde_json::json;
use store::{
    Db, Total, Window,
    views::{
        data_quality::vessel_identity,
        records::{self, CompanyIdentity, RecordFilter, StatusFilter},
        scope::FleetPart,
        timeline::timeline,
    },
};
use utoipa::IntoParams;

use super::paging::Paging;
use crate::{
    app_state::AppState,
    fleet_part::{check_vessel, load_fleet_part},
    problems::{OrProblem, vessel_not_found},
    views::records::{record, record_detail},
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecordQuery {
    /// Only records with this status.
    status: Option<RecordStatusFilter>,
    /// With `status=rejected`: only records whose rejection is acknowledged, or only those for which that does not hold.
    acknowledged: Option<bool>,
    /// Only this vessel, or what belongs to it; by IMO number, or id in the maintenance portal or in the onboarding portal.
    vessel: Option<String>,
    /// Only this company, or what belongs to it; by id in the maintenance portal or in the onboarding portal, or IMO company
    /// number. Records without a row are of no known company.
    company: Option<String>,
    /// Only records that a search for this text would find.
    #[param(min_length = 2, max_length = 200)]
    q: Option<String>,
}

/// List records of a type
///
/// By their ids in the onboarding portal. Records that were rejected and never written are listed, too. E-mail addresses of
/// users are masked except for admins, who alone search in names and addresses of users.
#[utoipa::path(
    operation_id = "listRecords", tag = "records", security(("bearer" = ["viewer"])),
    params(("recordType" = RecordType, Path, description = "Type of the records"), Paging, RecordQuery),
    responses(
        (status = 200, body = List<Record>),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "There is no such record type, vessel (`vessel_not_found`) or company (`company_not_found`)"),
    )
)]
#[get("/api/sync/records/{recordType}")]
pub(crate) async fn list_records(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    record_type: web::Path<RecordType>,
    paging: web::Query<Paging>,
    query: web::Query<RecordQuery>,
) -> Result<web::Json<List<Record>>, Problem> {
    let window = paging.window()?;
    let record_type: domain::RecordType = record_type.into_inner().into();
    let is_admin = viewer.role() >= Role::Admin;
    let mut tx = app.store.begin().await.or_problem()?;
    let part = load_fleet_part(&mut tx, &viewer).await?;
    let filter = load_filter(&mut tx, query.into_inner(), is_admin, part).await?;
    let page = records::record_list(&mut tx, record_type, &filter, window).await.or_problem()?;
    tx.rollback().await;
    let page = page.ok_or_else(|| {
        let detail = "holds no letter from A to Z and no digit: the database has no index for other letters";
        let errors = vec![FieldError::new("#/q", "not_searchable", detail)];
        Problem::invalid("The text cannot be searched for.", errors)
    })?;
    if record_type == domain::RecordType::User && is_admin && !page.rows.is_empty() {
        let users: Vec<_> = page.rows.iter().map(|it| &it.source_id).collect();
        let detail = json!({ "search": filter.text.as_ref().map(SearchText::as_str), "users": users });
        app.record_reading(&viewer, AuditAction::UserRead, "users", &detail).await?;
    }
    Ok(paging.list(page, |it| record(record_type, it, !is_admin)))
}

async fn load_filter(
    db: &mut Db,
    query: RecordQuery,
    is_admin: bool,
    part: Option<FleetPart>,
) -> Result<RecordFilter, Problem> {
    let vessel_id = match &query.vessel {
        None => None,
        Some(vessel) => Some(known_vessel(db, part.as_ref(), vessel).await?),
    };
    let company = match &query.company {
        None => None,
        Some(company) => Some(known_company(db, part.as_ref(), company).await?.id),
    };
    if query.acknowledged.is_some() && query.status != Some(RecordStatusFilter::Rejected) {
        let errors = vec![FieldError::new("#/acknowledged", "not_possible", "only with status=rejected")];
        return Err(Problem::invalid("Only rejections are acknowledged.", errors));
    }
    Ok(RecordFilter {
        acknowledged: query.acknowledged,
        status: query.status.map(|status| match status {
            RecordStatusFilter::Active => StatusFilter::Row(RowStatus::Active),
            RecordStatusFilter::Withdrawn => StatusFilter::Row(RowStatus::Withdrawn),
            RecordStatusFilter::Rejected => StatusFilter::Rejected,
        }),
        vessel_id,
        company,
        text: query.q.as_deref().map(parse_text).transpose()?,
        in_personal_data: is_admin,
        part,
    })
}

/// A vessel by its IMO number or one of its ids, as its id in the onboarding portal; 404 for one that has no row or is outside.
pub(super) async fn known_vessel(
    db: &mut Db,
    part: Option<&FleetPart>,
    vessel: &str,
) -> Result<String, Problem> {
    let found = vessel_identity(db, vessel).await.or_problem()?.ok_or_else(|| vessel_not_found(vessel))?;
    check_vessel(part, &found.source_id, vessel)?;
    Ok(found.source_id)
}

/// A company by one of its ids or its IMO number; 404 for one that has no row, and for one outside that has no vessel inside.
pub(super) async fn known_company(
    db: &mut Db,
    part: Option<&FleetPart>,
    company: &str,
) -> Result<CompanyIdentity, Problem> {
    let not_found = || {
        let detail = format!("There is no company with the id or IMO company number {company}.");
        Problem::not_found("company_not_found", detail)
    };
    let found = records::company_identity(db, company).await.or_problem()?.ok_or_else(not_found)?;
    match part {
        Some(part) if !part.knows_company(db, found.id).await.or_problem()? => Err(not_found()),
        _ => Ok(found),
    }
}

/// The text of a search; 422 if it is too short or too long.
pub(super) fn parse_text(text: &str) -> Result<SearchText, Problem> {
    SearchText::parse(text).map_err(|error: SearchTextError| {
        let errors = vec![FieldError::new("#/q", "out_of_range", error.to_string())];
        Problem::invalid("The text cannot be searched for.", errors)
    })
}

/// Get a record
///
/// With its values, where it stands, its open conflicts and the findings that stand. A record of which only webhooks, findings
/// or missing lists are known has the standing `never_came` or `rejected`, and no row. Personal data of users is masked except
/// for admins.
#[utoipa::path(
    operation_id = "getRecord", tag = "records", security(("bearer" = ["viewer"])),
    params(
        ("recordType" = RecordType, Path, description = "Type of the record"),
        ("sourceId" = String, Path, description = "Id of the record in the onboarding portal"),
    ),
    responses((status = 200, body = RecordDetail))
)]
#[get("/api/sync/records/{recordType}/{sourceId}")]
pub(crate) async fn get_record(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    path: web::Path<(RecordType, String)>,
) -> Result<web::Json<RecordDetail>, Problem> {
    let (record_type, source_id) = path.into_inner();
    let record_type: domain::RecordType = record_type.into();
    let is_admin = viewer.role() >= Role::Admin;
    let mut tx = app.store.begin().await.or_problem()?;
    check_record(&mut tx, &viewer, record_type, &source_id).await?;
    let found = records::record_find(&mut tx, record_type, &source_id).await.or_problem()?;
    if found.record.standing == RecordStanding::NeverCame {
        let window = Window { limit: 1, ..Window::default() };
        let known = timeline(&mut tx, record_type, &source_id, false, window).await.or_problem()?;
        if known.total == Total::Exactly(0) && found.findings_total == 0 {
            return Err(record_not_found(record_type, &source_id));
        }
    }
    tx.rollback().await;
    record_user_reading(&app, &viewer, record_type, &source_id).await?;
    Ok(web::Json(record_detail(record_type, found, !is_admin)))
}

/// 404 for a record outside the part of the fleet that the token is for.
pub(super) async fn check_record(
    db: &mut Db,
    viewer: &ScopedViewer,
    record_type: domain::RecordType,
    source_id: &str,
) -> Result<(), Problem> {
    match load_fleet_part(db, viewer).await? {
        Some(part) if !part.has_record(db, record_type, source_id).await.or_problem()? => {
            Err(record_not_found(record_type, source_id))
        }
        _ => Ok(()),
    }
}

/// Records that an admin reads personal data of a user.
pub(super) async fn record_user_reading(
    app: &AppState,
    viewer: &ScopedViewer,
    record_type: domain::RecordType,
    source_id: &str,
) -> Result<(), Problem> {
    if record_type != domain::RecordType::User || viewer.role() < Role::Admin {
        return Ok(());
    }
    app.record_reading(viewer, AuditAction::UserRead, "users", &json!({ "users": [source_id] })).await
}

/// 404.
pub(super) fn record_not_found(record_type: domain::RecordType, source_id: &str) -> Problem {
    let detail = format!("Nothing is known of a record of the type {record_type} with the id {source_id}.");
    Problem::not_found("record_not_found", detail)
}
