//! Syncs: list, show and cancel them, and list their findings. `sync_control.rs` resumes and retries them.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chassis::{
    auth::{OperatorRole, Viewer},
    problem::{Problem, ProblemBody},
};
use chrono::{DateTime, Utc};
use contracts::operator::{Cause, Finding, List, Mode, SyncDetail, SyncState, SyncSummary, TaskCounts};
use domain::{SyncId, TaskState, update::UpdateName};
use serde::Deserialize;
use store::{
    Db,
    engine::lifecycle::{self, SyncCancelled},
    ledger::{
        attempts, findings,
        syncs::{self, SyncFilter},
    },
    views::{overview, sync_ends::sync_end_report},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::{self, CursorPaging, Paging};
use crate::{
    app_state::AppState,
    problems::{OrProblem, sync_not_found},
    saturating::to_i64,
    views::{
        syncs::{attempt, finding, load_sync_summaries},
        updates::sync_update,
    },
};

/// Most failed attempts that the answer lists, newest first.
const ATTEMPTS_LIMIT: u32 = 50;

/// Get a sync with its tasks and failed attempts
#[utoipa::path(
    operation_id = "getSync", tag = "syncs", security(("bearer" = ["viewer"])),
    responses((status = 200, body = SyncDetail))
)]
#[get("/api/sync/status/{syncId}")]
pub(crate) async fn get_sync(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
) -> Result<web::Json<SyncDetail>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut db = app.store.db().await.or_problem()?;
    let summary = load_sync_summary(&mut db, id).await?;
    let tasks = overview::task_counts(&mut db, id).await.or_problem()?;
    let findings = findings::finding_count(&mut db, id).await.or_problem()?;
    let attempts = attempts::attempt_list(&mut db, id, ATTEMPTS_LIMIT).await.or_problem()?;
    Ok(web::Json(SyncDetail {
        summary,
        tasks: task_counts(&tasks),
        findings: to_i64(findings),
        attempts: attempts.into_iter().map(attempt).collect(),
    }))
}

/// A sync with its tallies; 404 for an unknown id.
pub(super) async fn load_sync_summary(db: &mut Db, id: SyncId) -> Result<SyncSummary, Problem> {
    let sync = syncs::sync_find(db, id).await.or_problem()?.ok_or_else(|| sync_not_found(id))?;
    let mut summaries = load_sync_summaries(db, vec![sync]).await.or_problem()?;
    summaries.pop().ok_or_else(|| sync_not_found(id))
}

fn task_counts(counts: &[(TaskState, u64)]) -> TaskCounts {
    let count_of =
        |wanted| counts.iter().filter(|(state, _)| *state == wanted).map(|(_, n)| to_i64(*n)).sum();
    TaskCounts {
        pending: count_of(TaskState::Pending),
        retrying: count_of(TaskState::Retrying),
        done: count_of(TaskState::Done),
        dead: count_of(TaskState::Dead),
        cancelled: count_of(TaskState::Cancelled),
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct SyncQuery {
    /// Only syncs in this state.
    state: Option<SyncState>,
    /// Only syncs that were started by this.
    cause: Option<Cause>,
    /// Only syncs of this mode.
    mode: Option<Mode>,
    /// Only dry runs, or only syncs that write.
    dry_run: Option<bool>,
    /// Only syncs that were asked for at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only syncs that were asked for before this time.
    to: Option<DateTime<Utc>>,
}

impl SyncQuery {
    fn into_filter(self) -> SyncFilter {
        SyncFilter {
            states: self.state.map(Into::into).into_iter().collect(),
            causes: self.cause.map(Into::into).into_iter().collect(),
            modes: self.mode.map(Into::into).into_iter().collect(),
            from: self.from,
            until: self.to,
            dry_run: self.dry_run,
        }
    }
}

/// List syncs, newest first
#[utoipa::path(
    operation_id = "listSyncs", tag = "syncs", security(("bearer" = ["viewer"])),
    params(CursorPaging, SyncQuery),
    responses((status = 200, body = List<SyncSummary>, headers(("Link", description = "`rel=\"next\"`: the next page, if there is one"))))
)]
#[get("/api/sync/history")]
pub(crate) async fn list_syncs(
    app: web::Data<AppState>,
    _viewer: Viewer,
    request: HttpRequest,
    paging: web::Query<CursorPaging>,
    query: web::Query<SyncQuery>,
) -> Result<HttpResponse, Problem> {
    let window = paging.window("syncs")?;
    let filter = query.into_inner().into_filter();
    let mut db = app.store.db().await.or_problem()?;
    let page = syncs::sync_list(&mut db, &filter, window).await.or_problem()?;
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| paging::encode("syncs", &(row.started_at, row.id)));
    let data = load_sync_summaries(&mut db, page.rows).await.or_problem()?;
    Ok(paging.respond(&request, data, page.total, next_cursor))
}

/// Cancel a sync
///
/// Records that the sync has written stay. A sync that has ended cannot be cancelled.
#[utoipa::path(
    operation_id = "cancelSync", tag = "syncs", security(("bearer" = ["operator"])),
    responses(
        (status = 200, body = SyncSummary),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The sync has ended; `state` says how"),
    )
)]
#[post("/api/sync/syncs/{syncId}/cancel")]
pub(crate) async fn cancel_sync(
    app: web::Data<AppState>,
    operator: OperatorRole,
    sync_id: web::Path<Uuid>,
) -> Result<web::Json<SyncSummary>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut tx = app.begin(&operator).await?;
    let cancelled =
        lifecycle::sync_cancel(&mut tx, id, operator.subject(), app.clock.now()).await.or_problem()?;
    match cancelled {
        SyncCancelled::Unknown => return Err(sync_not_found(id)),
        SyncCancelled::Ended(state) => {
            let detail = format!("The sync cannot be cancelled: it has ended in the state {state}.");
            return Err(Problem::conflict("sync_ended", detail).with("state", state.as_str()));
        }
        SyncCancelled::Cancelled => {}
    }
    let summary = load_sync_summary(&mut tx, id).await?;
    tx.commit().await.or_problem()?;
    sync_end_report(&app.store, id).await;
    app.publish_update(UpdateName::SyncCancelled, sync_update(&summary));
    Ok(web::Json(summary))
}

/// List the findings of a sync
///
/// Errors say why a record was rejected; warnings name doubtful values of records that were written.
#[utoipa::path(
    operation_id = "listFindings", tag = "syncs", security(("bearer" = ["viewer"])),
    params(Paging),
    responses((status = 200, body = List<Finding>))
)]
#[get("/api/sync/syncs/{syncId}/findings")]
pub(crate) async fn list_findings(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
) -> Result<web::Json<List<Finding>>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let window = paging.window::<()>()?;
    let mut db = app.store.db().await.or_problem()?;
    if syncs::sync_find(&mut db, id).await.or_problem()?.is_none() {
        return Err(sync_not_found(id));
    }
    let page = findings::finding_list(&mut db, id, window.limit, window.offset).await.or_problem()?;
    Ok(paging.list(page, finding))
}
