//! Runs: look at all or one, stop one.

use actix_web::{get, post, web};
use chassis::{
    auth::{OperatorRole, Viewer},
    problem::{Problem, ProblemBody},
};
use chrono::TimeDelta;
use contracts::operator::{
    Finding, FleetCount, List, Overview, PartHealth, SyncDetail, SyncState, SyncSummary, TaskCounts,
};
use domain::{SyncId, TaskState, update::UpdateName};
use serde::Deserialize;
use store::{
    Db, StoreError, Window,
    engine::lifecycle::{self, SyncCancelled},
    ledger::{
        attempts,
        circuits::{OpenCircuit, circuits_open},
        findings,
        syncs::{self, SyncFilter},
    },
    settings::sync_settings,
    views::{gauges, overview},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{
    desk::Desk,
    failure::{OrProblem, no_such_sync},
    schedule::ZonedSchedule,
    views,
};

/// A worker says twice a minute that its circuit is not closed; what is older is of a worker that vanished.
const CIRCUIT_REPORTS: TimeDelta = TimeDelta::minutes(2);

/// Most failed attempts that are shown with a sync.
const ATTEMPTS_SHOWN: u32 = 50;

/// The state of the whole
#[utoipa::path(operation_id = "getOverview", tag = "syncs", responses((status = 200, body = Overview)))]
#[get("/api/sync/status")]
pub(crate) async fn get_overview(
    desk: web::Data<Desk>,
    _viewer: Viewer,
) -> Result<web::Json<Overview>, Problem> {
    let now = desk.clock.now();
    let mut db = desk.store.db().await.or_problem()?;
    let active = syncs::syncs_active(&mut db).await.or_problem()?;
    let running = views::summaries(&mut db, active).await.or_problem()?;
    let last_full_sync = last_full_sync(&mut db).await.or_problem()?;
    let gauges = gauges::gauges(&mut db).await.or_problem()?;
    let fleet = overview::fleet_counts(&mut db).await.or_problem()?;
    let last_webhook_at = overview::webhook_last_at(&mut db).await.or_problem()?;
    let schedule = sync_settings::settings_read(&mut db).await.or_problem()?.schedule;
    let sick = circuits_open(&mut db, now - CIRCUIT_REPORTS).await.or_problem()?;
    drop(db);

    let zoned =
        schedule.enabled.then(|| ZonedSchedule::parse(&schedule.cron, &schedule.time_zone).ok()).flatten();
    let broker = desk.broker.ping().await;
    let health = vec![
        PartHealth { name: "database".to_owned(), ok: true, detail: None },
        PartHealth {
            name: "broker".to_owned(),
            ok: broker.is_ok(),
            detail: broker.err().map(|e| e.to_string()),
        },
        onboarding_portal(&sick),
    ];
    let fleet =
        fleet.map(|(kind, active)| FleetCount { record_type: kind.into(), active: views::number(active) });
    Ok(web::Json(Overview {
        running,
        last_full_sync,
        next_scheduled_at: zoned.and_then(|schedule| schedule.next(now)),
        fleet: fleet.into(),
        dead_letters: gauges.dead_letters,
        unpublished: gauges.unpublished,
        last_webhook_at,
        health,
    }))
}

/// As workers see it: nobody asks it for this.
fn onboarding_portal(sick: &[OpenCircuit]) -> PartHealth {
    let detail = sick.first().map(|it| {
        let since = it.since.format("%Y-%m-%d %H:%M:%S UTC");
        let workers = if sick.len() == 1 { "1 worker" } else { &format!("{} workers", sick.len()) };
        format!("left alone by {workers} since {since}: {}", it.failure)
    });
    PartHealth { name: "onboarding-portal".to_owned(), ok: sick.is_empty(), detail }
}

async fn last_full_sync(db: &mut Db) -> Result<Option<SyncSummary>, StoreError> {
    let filter = SyncFilter {
        modes: vec![domain::Mode::Full],
        dry_run: Some(false),
        states: domain::SyncState::ALL.iter().copied().filter(|state| state.is_terminal()).collect(),
        ..SyncFilter::default()
    };
    let window = Window { limit: 1, offset: 0, after: None };
    let page = syncs::sync_list(db, &filter, window).await?;
    Ok(views::summaries(db, page.rows).await?.into_iter().next())
}

/// One sync, whole
#[utoipa::path(operation_id = "getSync", tag = "syncs", responses((status = 200, body = SyncDetail)))]
#[get("/api/sync/status/{syncId}")]
pub(crate) async fn find(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
) -> Result<web::Json<SyncDetail>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut db = desk.store.db().await.or_problem()?;
    let summary = summary_of(&mut db, id).await?;
    let tasks = overview::task_counts(&mut db, id).await.or_problem()?;
    let findings = findings::finding_count(&mut db, id).await.or_problem()?;
    let attempts = attempts::attempt_list(&mut db, id, ATTEMPTS_SHOWN).await.or_problem()?;
    Ok(web::Json(SyncDetail {
        summary,
        tasks: task_counts(&tasks),
        findings: views::number(findings),
        attempts: attempts.into_iter().map(views::attempt).collect(),
    }))
}

pub(super) async fn summary_of(db: &mut Db, id: SyncId) -> Result<SyncSummary, Problem> {
    let sync = syncs::sync_find(db, id).await.or_problem()?.ok_or_else(|| no_such_sync(id))?;
    let mut summaries = views::summaries(db, vec![sync]).await.or_problem()?;
    summaries.pop().ok_or_else(|| no_such_sync(id))
}

fn task_counts(counts: &[(TaskState, u64)]) -> TaskCounts {
    let of =
        |wanted| counts.iter().filter(|(state, _)| *state == wanted).map(|(_, n)| views::number(*n)).sum();
    TaskCounts {
        pending: of(TaskState::Pending),
        retrying: of(TaskState::Retrying),
        done: of(TaskState::Done),
        dead: of(TaskState::Dead),
        cancelled: of(TaskState::Cancelled),
    }
}

/// Which syncs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryFilter {
    /// Only syncs in this state.
    state: Option<SyncState>,
}

/// Syncs, newest first
#[utoipa::path(
    operation_id = "listSyncs", tag = "syncs",
    params(Paging, HistoryFilter),
    responses((status = 200, body = List<SyncSummary>))
)]
#[get("/api/sync/history")]
pub(crate) async fn list(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
    filter: web::Query<HistoryFilter>,
) -> Result<web::Json<List<SyncSummary>>, Problem> {
    let window = paging.window()?;
    let states = filter.state.map(Into::into).into_iter().collect();
    let filter = SyncFilter { states, ..SyncFilter::default() };
    let mut db = desk.store.db().await.or_problem()?;
    let page = syncs::sync_list(&mut db, &filter, window).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    let data = views::summaries(&mut db, page.rows).await.or_problem()?;
    Ok(web::Json(List { data, pagination }))
}

/// Stop a sync
///
/// What it has written stays. A sync that has ended cannot be stopped.
#[utoipa::path(
    operation_id = "cancelSync", tag = "syncs",
    responses(
        (status = 200, body = SyncSummary),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "It has ended"),
    )
)]
#[post("/api/sync/syncs/{syncId}/cancel")]
pub(crate) async fn cancel(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    sync_id: web::Path<Uuid>,
) -> Result<web::Json<SyncSummary>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut tx = desk.store.begin().await.or_problem()?;
    let cancelled =
        lifecycle::sync_cancel(&mut tx, id, operator.subject(), desk.clock.now()).await.or_problem()?;
    match cancelled {
        SyncCancelled::Unknown => return Err(no_such_sync(id)),
        SyncCancelled::Ended(state) => {
            let detail = format!("The sync has ended: it is {state}.");
            return Err(Problem::conflict("sync_ended", detail).with("state", state.as_str()));
        }
        SyncCancelled::Cancelled => {}
    }
    let summary = summary_of(&mut tx, id).await?;
    tx.commit().await.or_problem()?;
    desk.tell(UpdateName::SyncCancelled, views::progress(&summary)).await;
    Ok(web::Json(summary))
}

/// Why records of a sync were rejected, or what is odd about some that were let in
#[utoipa::path(
    operation_id = "listFindings", tag = "syncs",
    params(Paging),
    responses((status = 200, body = List<Finding>))
)]
#[get("/api/sync/syncs/{syncId}/findings")]
pub(crate) async fn list_findings(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
    paging: web::Query<Paging>,
) -> Result<web::Json<List<Finding>>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let window = paging.window::<()>()?;
    let mut db = desk.store.db().await.or_problem()?;
    if syncs::sync_find(&mut db, id).await.or_problem()?.is_none() {
        return Err(no_such_sync(id));
    }
    let page = findings::finding_list(&mut db, id, window.limit, window.offset).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    Ok(web::Json(List { data: page.rows.into_iter().map(views::finding).collect(), pagination }))
}
