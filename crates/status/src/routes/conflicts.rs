//! Conflicts: list and show them. `conflict_resolution.rs` resolves them.

use actix_web::{get, web};
use chassis::{
    auth::{Role, Viewer},
    problem::Problem,
};
use contracts::operator::{Conflict, ConflictKind, ConflictState, List, RecordType};
use domain::{ConflictId, SyncId, audit::AuditAction};
use serde::Deserialize;
use serde_json::json;
use store::ledger::conflicts::{self, ConflictFilter};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{
    app_state::AppState,
    problems::OrProblem,
    views::conflicts::{ConflictNames, PersonalData, conflict},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ConflictQuery {
    /// Only conflicts in this state.
    state: Option<ConflictState>,
    /// Only conflicts about records of this type.
    record_type: Option<RecordType>,
    /// Only conflicts of this kind.
    kind: Option<ConflictKind>,
    /// Only conflicts that this sync found.
    sync_id: Option<Uuid>,
    /// Only conflicts about the record with this id in the onboarding portal.
    source_id: Option<String>,
}

/// List conflicts, newest first
///
/// Personal data is masked for viewers.
#[utoipa::path(
    operation_id = "listConflicts", tag = "conflicts", security(("bearer" = ["viewer"])),
    params(Paging, ConflictQuery),
    responses((status = 200, body = List<Conflict>))
)]
#[get("/api/sync/conflicts")]
pub(crate) async fn list_conflicts(
    app: web::Data<AppState>,
    viewer: Viewer,
    paging: web::Query<Paging>,
    query: web::Query<ConflictQuery>,
) -> Result<web::Json<List<Conflict>>, Problem> {
    let window = paging.window()?;
    let query = query.into_inner();
    let filter = ConflictFilter {
        ids: Vec::new(),
        state: query.state.map(Into::into),
        record_type: query.record_type.map(Into::into),
        kind: query.kind.map(Into::into),
        sync_id: query.sync_id.map(SyncId::from_uuid),
        source_id: query.source_id,
    };
    let mut db = app.store.db().await.or_problem()?;
    let page = conflicts::conflict_list(&mut db, &filter, window).await.or_problem()?;
    let personal_data = personal_data_for(&viewer);
    let names = ConflictNames::load(&mut db, &page.rows).await.or_problem()?;
    drop(db);
    let of_users: Vec<_> = page.rows.iter().filter(|it| it.record_type == domain::RecordType::User).collect();
    if !of_users.is_empty() && personal_data == PersonalData::Plain {
        let users: Vec<_> = of_users.iter().map(|it| &it.source_id).collect();
        let detail = json!({ "users": users });
        app.record_reading(&viewer, AuditAction::ConflictRead, "conflicts", &detail).await?;
    }
    Ok(paging.list(page, |it| conflict(&it, &names, personal_data)))
}

/// Get a conflict with both sides
///
/// Personal data is masked for viewers.
#[utoipa::path(
    operation_id = "getConflict", tag = "conflicts", security(("bearer" = ["viewer"])),
    responses((status = 200, body = Conflict))
)]
#[get("/api/sync/conflicts/{id}")]
pub(crate) async fn get_conflict(
    app: web::Data<AppState>,
    viewer: Viewer,
    id: web::Path<Uuid>,
) -> Result<web::Json<Conflict>, Problem> {
    let id = ConflictId::from_uuid(id.into_inner());
    let mut db = app.store.db().await.or_problem()?;
    let found = conflicts::conflict_find(&mut db, id).await.or_problem()?;
    let found = found.ok_or_else(|| conflict_not_found(id))?;
    let names = ConflictNames::load(&mut db, std::slice::from_ref(&found)).await.or_problem()?;
    drop(db);
    let personal_data = personal_data_for(&viewer);
    if found.record_type == domain::RecordType::User && personal_data == PersonalData::Plain {
        let detail = json!({ "users": [found.source_id] });
        app.record_reading(&viewer, AuditAction::ConflictRead, &id.to_string(), &detail).await?;
    }
    Ok(web::Json(conflict(&found, &names, personal_data)))
}

fn personal_data_for(viewer: &Viewer) -> PersonalData {
    if viewer.role() >= Role::Operator { PersonalData::Plain } else { PersonalData::Masked }
}

pub(super) fn conflict_not_found(id: ConflictId) -> Problem {
    Problem::not_found("conflict_not_found", format!("There is no conflict {id}."))
}
