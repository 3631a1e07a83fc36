//! Undoing a sync.

use actix_web::{get, post, web};
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
    desk::Desk,
    failure::{OrProblem, no_such_sync},
    views,
};

/// Undo a sync
///
/// What it wrote over comes back where nothing newer stands; what it created is withdrawn. Syncs that bring the same
/// state again leave it so; a newer state wins, with both sides kept as a conflict.
#[utoipa::path(
    operation_id = "undoSync", tag = "syncs",
    params(("syncId" = Uuid, Path, description = "The sync"), Paging),
    responses(
        (status = 200, body = Undo),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It has not ended, or was undone before"),
    )
)]
#[post("/api/sync/status/{syncId}/undo")]
pub(crate) async fn undo_sync(
    desk: web::Data<Desk>,
    admin: Admin,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
) -> Result<web::Json<Undo>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    paging.window::<()>()?;
    let mut tx = desk.store.begin().await.or_problem()?;
    let undone = undo::sync_undo(&mut tx, id, admin.subject(), desk.clock.now()).await.or_problem()?;
    let undone = match undone {
        SyncUndone::Undone(undone) => undone,
        SyncUndone::Already(undone) => {
            let detail = format!("It was undone by {} before.", undone.undone_by);
            return Err(Problem::conflict("undone_already", detail));
        }
        SyncUndone::Running(state) => {
            let detail = format!("It is {state}: wait for its end, or cancel it.");
            return Err(Problem::conflict("sync_not_ended", detail).with("state", state.as_str()));
        }
        SyncUndone::Unknown => return Err(no_such_sync(id)),
    };
    let answer = answer(&mut tx, id, undone, &paging).await?;
    tx.commit().await.or_problem()?;
    Ok(web::Json(answer))
}

/// How a sync was undone
#[utoipa::path(
    operation_id = "getUndo", tag = "syncs",
    params(("syncId" = Uuid, Path, description = "The sync"), Paging),
    responses(
        (status = 200, body = Undo),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "It was not undone"),
    )
)]
#[get("/api/sync/status/{syncId}/undo")]
pub(crate) async fn find(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
) -> Result<web::Json<Undo>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut db = desk.store.db().await.or_problem()?;
    let undone = undo::undo_find(&mut db, id).await.or_problem()?;
    let undone =
        undone.ok_or_else(|| Problem::not_found("not_undone", format!("The sync {id} was not undone.")))?;
    Ok(web::Json(answer(&mut db, id, undone, &paging).await?))
}

async fn answer(db: &mut Db, id: SyncId, undone: undo::Undo, paging: &Paging) -> Result<Undo, Problem> {
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
        restored: views::number(undone.restored),
        withdrawn: views::number(undone.withdrawn),
        skipped: views::number(undone.skipped),
        pagination: paging.with_total(page.total),
        records: page.rows.into_iter().map(record).collect(),
    })
}
