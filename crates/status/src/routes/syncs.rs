//! Syncs: list, show and cancel them, and list their findings, tasks and failed attempts. `sync_control.rs` resumes and retries them.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use actix_web_lab::extract::Query;
use chassis::{
    auth::{OperatorRole, ScopedViewer, Viewer},
    problem::{Problem, ProblemBody},
};
use chrono::{DateTime, Utc};
use contracts::operator::{
    Attempt, Cause, Finding, List, Mode, RecordType, Severity, SyncDetail, SyncState, SyncSummary, Task,
    TaskCounts, TaskState,
};
use domain::{SyncId, update::UpdateName};
use serde::Deserialize;
use store::{
    Db,
    engine::lifecycle::{self, SyncCancelled},
    ledger::{
        attempts,
        findings::{self, FindingFilter},
        syncs::{self, SyncFilter},
        tasks::{self, TaskFilter},
    },
    views::{overview, sync_ends::sync_end_report},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    paging::{CursorPaging, Paging},
    records::{known_company, known_vessel},
};
use crate::{
    app_state::AppState,
    fleet_part::load_fleet_part,
    problems::{OrProblem, sync_not_found},
    saturating::to_i64,
    views::{
        syncs::{attempt, finding, load_sync_summaries, task},
        updates::sync_update,
    },
};

/// Most failed attempts that the answer lists, newest first.
const ATTEMPTS_LIMIT: u32 = 50;

/// Get a sync with its tasks and failed attempts
///
/// With a token for a part of the fleet: of syncs whose scope names vessels of it alone.
#[utoipa::path(
    operation_id = "getSync", tag = "syncs", security(("bearer" = ["viewer"])),
    responses((status = 200, body = SyncDetail))
)]
#[get("/api/sync/status/{syncId}")]
pub(crate) async fn get_sync(
    app: web::Data<AppState>,
    viewer: ScopedViewer,
    sync_id: web::Path<Uuid>,
) -> Result<web::Json<SyncDetail>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut db = app.store.db().await.or_problem()?;
    if let Some(part) = load_fleet_part(&mut db, &viewer).await? {
        let sync = syncs::sync_find(&mut db, id).await.or_problem()?;
        if !sync.is_some_and(|sync| part.has_vessels(&sync.scope)) {
            return Err(sync_not_found(id));
        }
    }
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

fn task_counts(counts: &[(domain::TaskState, u64)]) -> TaskCounts {
    let count_of = |wanted: TaskState| {
        counts.iter().filter(|(state, _)| *state == wanted.into()).map(|(_, n)| to_i64(*n)).sum()
    };
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
    /// Only syncs in this state, or in one of these.
    #[serde(default)]
    state: Vec<SyncState>,
    /// Only syncs that were started by this, or by one of these.
    #[serde(default)]
    cause: Vec<Cause>,
    /// Only syncs of this mode, or of one of these.
    #[serde(default)]
    mode: Vec<Mode>,
    /// Only syncs that this operator has asked for, by the subject of the token.
    requested_by: Option<String>,
    /// Only dry runs, or only syncs that write.
    dry_run: Option<bool>,
    /// Only syncs that account for records of this type, or of one of these: none that have not begun.
    #[serde(default)]
    record_type: Vec<RecordType>,
    /// Only syncs that were asked for this vessel, alone or among others, and of its approvals; by IMO number, or id in the
    /// maintenance portal or in the onboarding portal. A full sync is of no single vessel.
    vessel: Option<String>,
    /// Only syncs that were asked for this company, and of its approvals; by id in the maintenance portal or in the onboarding
    /// portal, or IMO company number.
    company: Option<String>,
    /// Only syncs that were asked for at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only syncs that were asked for before this time.
    to: Option<DateTime<Utc>>,
}

impl SyncQuery {
    async fn into_filter(self, db: &mut Db) -> Result<SyncFilter, Problem> {
        let vessel_id = match &self.vessel {
            Some(vessel) => Some(known_vessel(db, None, vessel).await?),
            None => None,
        };
        let company_id = match &self.company {
            Some(company) => Some(known_company(db, None, company).await?.source_id),
            None => None,
        };
        Ok(SyncFilter {
            record_types: self.record_type.into_iter().map(Into::into).collect(),
            vessel_id,
            company_id,
            states: self.state.into_iter().map(Into::into).collect(),
            causes: self.cause.into_iter().map(Into::into).collect(),
            modes: self.mode.into_iter().map(Into::into).collect(),
            requested_by: self.requested_by,
            from: self.from,
            until: self.to,
            dry_run: self.dry_run,
        })
    }
}

/// List syncs
#[utoipa::path(
    operation_id = "listSyncs", tag = "syncs", security(("bearer" = ["viewer"])),
    params(CursorPaging, SyncQuery),
    responses(
        (status = 200, body = List<SyncSummary>, headers(("Link", description = "`rel=\"next\"`: the next page, if there is one"))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "There is no such vessel (`vessel_not_found`) or company (`company_not_found`)"),
    )
)]
#[get("/api/sync/history")]
pub(crate) async fn list_syncs(
    app: web::Data<AppState>,
    _viewer: Viewer,
    request: HttpRequest,
    paging: Query<CursorPaging>,
    query: Query<SyncQuery>,
) -> Result<HttpResponse, Problem> {
    let window = paging.window("syncs")?;
    let mut db = app.store.db().await.or_problem()?;
    let filter = query.into_inner().into_filter(&mut db).await?;
    let page = syncs::sync_list(&mut db, &filter, window).await.or_problem()?;
    let last = page.rows.last().filter(|_| page.has_more);
    let next_cursor = last.map(|row| paging.encode("syncs", &(row.started_at, row.id)));
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
    params(Paging, FindingQuery),
    responses((status = 200, body = List<Finding>))
)]
#[get("/api/sync/syncs/{syncId}/findings")]
pub(crate) async fn list_findings(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: Query<Paging>,
    query: Query<FindingQuery>,
) -> Result<web::Json<List<Finding>>, Problem> {
    let window = paging.window()?;
    let FindingQuery { severity, record_type, code, source_id } = query.into_inner();
    let filter = FindingFilter {
        severity: severity.map(Into::into),
        record_types: record_type.into_iter().map(Into::into).collect(),
        codes: code,
        source_id,
    };
    let mut db = app.store.db().await.or_problem()?;
    let id = known_sync(&mut db, *sync_id).await?;
    let page = findings::finding_list(&mut db, id, &filter, window).await.or_problem()?;
    Ok(paging.list(page, finding))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct FindingQuery {
    /// Only findings of this severity.
    severity: Option<Severity>,
    /// Only findings about records of this type, or of one of these.
    #[serde(default)]
    record_type: Vec<RecordType>,
    /// Only findings with this code, or with one of these.
    #[serde(default)]
    code: Vec<String>,
    /// Only findings about the record with this id in the onboarding portal.
    source_id: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct TaskQuery {
    /// Only tasks in this state, or in one of these.
    #[serde(default)]
    state: Vec<TaskState>,
    /// Only tasks of the list of this record type, or of one of these.
    #[serde(default)]
    record_type: Vec<RecordType>,
}

/// List the tasks of a sync, in the order of the pages
///
/// Each is a page of one of the onboarding portal's lists.
#[utoipa::path(
    operation_id = "listTasks", tag = "syncs", security(("bearer" = ["viewer"])),
    params(Paging, TaskQuery),
    responses((status = 200, body = List<Task>))
)]
#[get("/api/sync/syncs/{syncId}/tasks")]
pub(crate) async fn list_tasks(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: Query<Paging>,
    query: Query<TaskQuery>,
) -> Result<web::Json<List<Task>>, Problem> {
    let window = paging.window()?;
    let TaskQuery { state, record_type } = query.into_inner();
    let filter = TaskFilter {
        states: state.into_iter().map(Into::into).collect(),
        record_types: record_type.into_iter().map(Into::into).collect(),
    };
    let mut db = app.store.db().await.or_problem()?;
    let id = known_sync(&mut db, *sync_id).await?;
    let page = tasks::task_page(&mut db, id, &filter, window).await.or_problem()?;
    Ok(paging.list(page, task))
}

/// List the failed attempts of a sync, newest first
#[utoipa::path(
    operation_id = "listAttempts", tag = "syncs", security(("bearer" = ["viewer"])),
    params(Paging),
    responses((status = 200, body = List<Attempt>))
)]
#[get("/api/sync/syncs/{syncId}/attempts")]
pub(crate) async fn list_attempts(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
) -> Result<web::Json<List<Attempt>>, Problem> {
    let window = paging.window()?;
    let mut db = app.store.db().await.or_problem()?;
    let id = known_sync(&mut db, *sync_id).await?;
    let page = attempts::attempt_page(&mut db, id, window).await.or_problem()?;
    Ok(paging.list(page, attempt))
}

/// The id of a sync that exists; 404 for another one.
async fn known_sync(db: &mut Db, id: Uuid) -> Result<SyncId, Problem> {
    let id = SyncId::from_uuid(id);
    match syncs::sync_find(db, id).await.or_problem()? {
        Some(_) => Ok(id),
        None => Err(sync_not_found(id)),
    }
}
