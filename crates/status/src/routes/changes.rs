//! What a dry run would do, record by record.

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
    desk::Desk,
    failure::{OrProblem, no_such_sync},
};

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only of this kind of record.
    record_type: Option<RecordType>,
    /// Only with this outcome.
    outcome: Option<ChangeOutcome>,
}

/// What a dry run would create, update, reject or leave in conflict
///
/// In the order in which it found them. A sync that is no dry run has none: it has done what it did.
#[utoipa::path(
    operation_id = "listChanges", tag = "syncs",
    params(Paging, Which),
    responses((status = 200, body = List<Change>))
)]
#[get("/api/sync/status/{syncId}/changes")]
pub(crate) async fn list(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
    which: web::Query<Which>,
) -> Result<web::Json<List<Change>>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let window = paging.window::<()>()?;
    let filter = ChangeFilter {
        record_type: which.record_type.map(Into::into),
        outcome: which.outcome.map(Into::into),
    };
    let mut db = desk.store.db().await.or_problem()?;
    if syncs::sync_find(&mut db, id).await.or_problem()?.is_none() {
        return Err(no_such_sync(id));
    }
    let page = dry_run::change_list(&mut db, id, filter, window.limit, window.offset).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    let data: Result<Vec<Change>, Problem> = page.rows.into_iter().map(change).collect();
    Ok(web::Json(List { data: data?, pagination }))
}

fn change(it: dry_run::Change) -> Result<Change, Problem> {
    // The row holds the shape of the answer, but for the words of its columns.
    let shape: Value = json!({
        "recordType": it.record_type,
        "sourceId": it.source_id,
        "label": it.label,
        "outcome": it.outcome,
        "fields": it.fields,
        "conflict": it.conflict,
    });
    serde_json::from_value(shape).map_err(Problem::internal)
}
