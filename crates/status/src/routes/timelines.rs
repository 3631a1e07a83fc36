//! The timeline of a record.

use actix_web::{get, web};
use chassis::{
    auth::{Role, ScopedViewer},
    problem::Problem,
};
use contracts::operator::{RecordType, Timeline};
use store::{
    Total,
    views::timeline::{kept_since, timeline},
};

use super::{
    paging::Paging,
    records::{check_record, record_not_found, record_user_reading},
};
use crate::{
    app_state::AppState,
    problems::OrProblem,
    views::records::{kept_since as kept_since_view, timeline_entry},
};

/// Get the timeline of a record, newest first
///
/// Webhooks about it, what syncs created, changed, withdrew, rejected or missed, with the values before and after, dry runs,
/// conflicts and their resolution, undos, and changes in the maintenance portal. A sync that found the record unchanged has no
/// entry. What retention has removed is missing: `keptSince` says from when on history is kept. Personal data of users is masked
/// except for admins, who also see what became of the temporary password.
#[utoipa::path(
    operation_id = "getTimeline", tag = "records", security(("bearer" = ["viewer"])),
    params(
        ("recordType" = RecordType, Path, description = "Type of the record"),
        ("sourceId" = String, Path, description = "Id of the record in the onboarding portal"),
        Paging,
    ),
    responses((status = 200, body = Timeline))
)]
#[get("/api/sync/records/{recordType}/{sourceId}/timeline")]
pub(crate) async fn get_timeline(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    path: web::Path<(RecordType, String)>,
    paging: web::Query<Paging>,
) -> Result<web::Json<Timeline>, Problem> {
    let window = paging.window()?;
    let (record_type, source_id) = path.into_inner();
    let of_type: domain::RecordType = record_type.into();
    let is_admin = viewer.role() >= Role::Admin;
    let mut tx = app.store.begin().await.or_problem()?;
    check_record(&mut tx, &viewer, of_type, &source_id).await?;
    let page = timeline(&mut tx, of_type, &source_id, is_admin, window).await.or_problem()?;
    let kept = kept_since(&mut tx).await.or_problem()?;
    tx.rollback().await;
    if page.total == Total::Exactly(0) {
        return Err(record_not_found(of_type, &source_id));
    }
    record_user_reading(&app, &viewer, of_type, &source_id).await?;
    let pagination = paging.pagination(page.total);
    Ok(web::Json(Timeline {
        record_type,
        source_id,
        entries: page.rows.into_iter().map(|it| timeline_entry(of_type, it, !is_admin)).collect(),
        pagination,
        kept_since: kept_since_view(kept),
    }))
}
