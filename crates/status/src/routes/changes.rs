//! Changes that a dry run would make, record by record.

use actix_web::{get, web};
use chassis::{auth::Viewer, problem::Problem};
use contracts::operator::{Change, ChangeOutcome, List, RecordType};
use domain::SyncId;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{
    engine::dry_run::{self, ChangeFilter},
    ledger::syncs,
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{
    app_state::AppState,
    problems::{OrProblem, sync_not_found},
};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeQuery {
    /// Only changes of this record type.
    record_type: Option<RecordType>,
    /// Only changes with this outcome.
    outcome: Option<ChangeOutcome>,
}

/// List the changes that a dry run would make
///
/// In the order in which the dry run found them. The list of any other sync is empty.
#[utoipa::path(
    operation_id = "listChanges", tag = "syncs", security(("bearer" = ["viewer"])),
    params(Paging, ChangeQuery),
    responses((status = 200, body = List<Change>))
)]
#[get("/api/sync/status/{syncId}/changes")]
pub(crate) async fn list_changes(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
    query: web::Query<ChangeQuery>,
) -> Result<web::Json<List<Change>>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let window = paging.window::<()>()?;
    let filter = ChangeFilter {
        record_type: query.record_type.map(Into::into),
        outcome: query.outcome.map(Into::into),
    };
    let mut db = app.store.db().await.or_problem()?;
    if syncs::sync_find(&mut db, id).await.or_problem()?.is_none() {
        return Err(sync_not_found(id));
    }
    let page = dry_run::change_list(&mut db, id, filter, window.limit, window.offset).await.or_problem()?;
    let pagination = paging.pagination(page.total);
    let data: Result<Vec<Change>, Problem> = page.rows.into_iter().map(change).collect();
    Ok(web::Json(List { data: data?, pagination }))
}

fn change(it: dry_run::Change) -> Result<Change, Problem> {
    // The JSON columns `fields` and `conflict` hold what the API shows.
    let value: Value = json!({
        "recordType": it.record_type,
        "sourceId": it.source_id,
        "label": it.label,
        "outcome": it.outcome,
        "fields": it.fields,
        "conflict": it.conflict,
    });
    serde_json::from_value(value).map_err(Problem::internal)
}
