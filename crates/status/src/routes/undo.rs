//! Undo of a sync.

use std::time::Duration;

use actix_web::{HttpResponse, get, http::StatusCode, post, web};
use chassis::{
    auth::{Admin, Viewer},
    problem::{Problem, ProblemBody},
};
use contracts::operator::{Undo, UndoneRecord};
use domain::SyncId;
use store::{
    Db,
    engine::undo::{self, SyncUndone},
};
use uuid::Uuid;

use super::paging::Paging;
use crate::{
    app_state::AppState,
    idempotency::{Claimed, IdempotencyHeader, IdempotencyKey, respond_again},
    problems::{OrProblem, sync_not_found},
    saturating::to_i64,
};

/// `Retry-After` of a plan that holds up others.
const PLAN_RETRY_DELAY: Duration = Duration::from_secs(10);

/// Undo a sync
///
/// Records that the sync updated get their earlier values back; records that it created are withdrawn. A record that was
/// changed after the sync is skipped. Later syncs do not write the undone version again; they write a newer version, and
/// open a conflict for it.
#[utoipa::path(
    operation_id = "undoSync", tag = "syncs", security(("bearer" = ["admin"])),
    params(("syncId" = Uuid, Path, description = "Id of the sync"), Paging, IdempotencyHeader),
    responses(
        (status = 200, body = Undo),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The sync has not ended (`sync_not_ended`), or is already undone (`undone_already`)"),
    )
)]
#[post("/api/sync/status/{syncId}/undo")]
pub(crate) async fn undo_sync(
    app: web::Data<AppState>,
    admin: Admin,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    paging.window::<()>()?;
    let now = app.clock.now();
    let mut tx = app.begin(&admin).await?;
    let claim = match key.claim(&mut tx, &admin, &(), now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            tx.rollback().await;
            return Ok(respond_again(&answer));
        }
    };
    let undone = undo::sync_undo(&mut tx, id, admin.subject(), now).await.or_problem()?;
    let undone = undo_of(id, undone)?;
    let undone = load_answer(&mut tx, id, undone, &paging).await?;
    let answer = claim.keep(&mut tx, StatusCode::OK, None, &undone).await?;
    tx.commit().await.or_problem()?;
    Ok(answer)
}

/// Plan the undo of a sync
///
/// What the undo would do now, found by doing it and taking it back: nothing is changed. `undoneAt` and `undoneBy` are those of
/// the plan.
#[utoipa::path(
    operation_id = "planUndo", tag = "syncs", security(("bearer" = ["admin"])),
    params(("syncId" = Uuid, Path, description = "Id of the sync"), Paging),
    responses(
        (status = 200, body = Undo),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The sync has not ended (`sync_not_ended`), or is already undone (`undone_already`)"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json",
            description = "The sync wrote so much that a plan takes too long (`plan_too_long`), its records are being written \
                           (`records_in_use`), or another undo is being planned (`plan_running`)"),
    )
)]
#[post("/api/sync/status/{syncId}/undo/plan")]
pub(crate) async fn plan_undo(
    app: web::Data<AppState>,
    admin: Admin,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
) -> Result<web::Json<Undo>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    paging.window::<()>()?;
    let mut tx = app.begin(&admin).await?;
    let undone = match undo::undo_plan(&mut tx, id, admin.subject(), app.clock.now()).await {
        Err(error) if error.is_statement_timeout() => {
            let detail = "The sync wrote so many records that a plan takes too long: it would hold up those who write them.";
            return Err(Problem::unavailable("plan_too_long", detail, PLAN_RETRY_DELAY).with_source(error));
        }
        Err(error) if error.is_lock_timeout() => {
            let detail = "Records of the sync are being written just now. Try again in a few seconds.";
            return Err(Problem::unavailable("records_in_use", detail, PLAN_RETRY_DELAY).with_source(error));
        }
        result => {
            let planned = result.or_problem()?.ok_or_else(|| {
                let detail = "Another undo is being planned. Try again when that has ended.";
                Problem::unavailable("plan_running", detail, PLAN_RETRY_DELAY)
            })?;
            undo_of(id, planned)?
        }
    };
    let planned = load_answer(&mut tx, id, undone, &paging).await?;
    tx.rollback().await;
    Ok(web::Json(planned))
}

/// What was undone; 404 and 409 where that cannot be.
fn undo_of(id: SyncId, undone: SyncUndone) -> Result<undo::Undo, Problem> {
    match undone {
        SyncUndone::Undone(undone) => Ok(undone),
        SyncUndone::Already(undone) => {
            let detail = format!("The sync is already undone, by {}.", undone.undone_by);
            Err(Problem::conflict("undone_already", detail))
        }
        SyncUndone::Running(state) => {
            let detail =
                format!("The sync has not ended: its state is {state}. Wait for its end, or cancel it.");
            Err(Problem::conflict("sync_not_ended", detail).with("state", state.as_str()))
        }
        SyncUndone::Unknown => Err(sync_not_found(id)),
    }
}

/// Get the undo of a sync
#[utoipa::path(
    operation_id = "getUndo", tag = "syncs", security(("bearer" = ["viewer"])),
    params(("syncId" = Uuid, Path, description = "Id of the sync"), Paging),
    responses(
        (status = 200, body = Undo),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "The sync is not undone"),
    )
)]
#[get("/api/sync/status/{syncId}/undo")]
pub(crate) async fn get_undo(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
) -> Result<web::Json<Undo>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut db = app.store.db().await.or_problem()?;
    let undone = undo::undo_find(&mut db, id).await.or_problem()?;
    let undone =
        undone.ok_or_else(|| Problem::not_found("not_undone", format!("The sync {id} is not undone.")))?;
    Ok(web::Json(load_answer(&mut db, id, undone, &paging).await?))
}

async fn load_answer(db: &mut Db, id: SyncId, undone: undo::Undo, paging: &Paging) -> Result<Undo, Problem> {
    let page = undo::undo_items(db, id, paging.window()?).await.or_problem()?;
    let record = |it: undo::UndoItem| UndoneRecord {
        record_type: it.record_type.into(),
        source_id: it.source_id,
        result: it.result.into(),
        reason: it.reason.map(Into::into),
    };
    Ok(Undo {
        sync_id: id.as_uuid(),
        undone_at: undone.undone_at,
        undone_by: undone.undone_by,
        restored: to_i64(undone.restored),
        withdrawn: to_i64(undone.withdrawn),
        skipped: to_i64(undone.skipped),
        pagination: paging.pagination(page.total),
        records: page.rows.into_iter().map(record).collect(),
    })
}
