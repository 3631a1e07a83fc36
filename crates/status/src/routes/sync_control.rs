//! Control of syncs that have ended: resume, retry, and decide about missing records.

use actix_web::{HttpResponse, http::StatusCode, post, web};
use chassis::{
    auth::OperatorRole,
    http::{JsonBody, OptionalJsonBody},
    problem::{Problem, ProblemBody},
    telemetry,
};
use contracts::operator::{
    ConfirmAccepted, ConfirmRequest, ResumeAccepted, RetryAccepted, RetryRequest, SyncState,
};
use domain::{Cause, Mode, Scope, SyncId, update::UpdateName};
use serde_json::json;
use store::{
    engine::{
        control::{SyncResumed, SyncRetried, sync_resume, sync_retry},
        reconcile::{MissingRecordsDecided, missing_records_decide},
    },
    ledger::syncs::NewSync,
};
use uuid::Uuid;

use super::{reason::check_reason, syncs::load_sync_summary};
use crate::{
    app_state::AppState,
    idempotency::{Claimed, IdempotencyHeader, IdempotencyKey, respond_again},
    problems::{OrProblem, full_sync_running, sync_not_found, sync_undone},
    saturating::to_i64,
    views::updates::sync_update,
};

/// Resume a sync
///
/// A sync that failed, was cancelled or has dead tasks continues where it stopped. Finished tasks are not repeated.
#[utoipa::path(
    operation_id = "resumeSync", tag = "syncs", security(("bearer" = ["operator"])),
    responses(
        (status = 202, body = ResumeAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The sync is running or completed (`not_resumable`), it was undone (`sync_undone`), or another \
                full sync is running (`full_sync_running`)"),
    )
)]
#[post("/api/sync/syncs/{syncId}/resume")]
pub(crate) async fn resume_sync(
    app: web::Data<AppState>,
    operator: OperatorRole,
    sync_id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut tx = app.begin(&operator).await?;
    let resumed = sync_resume(&mut tx, id, operator.subject(), app.clock.now()).await.or_problem()?;
    let (state, tasks) = match resumed {
        SyncResumed::Resumed { tasks } => (SyncState::Running, tasks),
        SyncResumed::Queued => (SyncState::Queued, 0),
        SyncResumed::NotStopped(state) => {
            let detail = format!("The sync cannot be resumed: its state is {state}.");
            return Err(Problem::conflict("not_resumable", detail).with("state", state.as_str()));
        }
        SyncResumed::FullSyncRunning(running) => return Err(full_sync_running(running)),
        SyncResumed::Undone => return Err(sync_undone("resumed")),
        SyncResumed::Unknown => return Err(sync_not_found(id)),
    };
    let summary = load_sync_summary(&mut tx, id).await?;
    tx.commit().await.or_problem()?;
    // The relay of the outbox publishes the reopened tasks.
    app.outbox.wake();
    app.publish_update(UpdateName::SyncProgress, sync_update(&summary));
    Ok(HttpResponse::Accepted().json(ResumeAccepted { sync_id: id.as_uuid(), state, tasks: to_i64(tasks) }))
}

/// Retry what failed in a sync
///
/// Dead tasks are reopened in the sync itself. Rejected records are retried by a new selective sync, whose `retryOf` names
/// this sync.
#[utoipa::path(
    operation_id = "retrySync", tag = "syncs", security(("bearer" = ["operator"])),
    params(IdempotencyHeader),
    request_body(content = Option<RetryRequest>),
    responses(
        (status = 202, body = RetryAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The sync is running (`sync_active`), nothing of it failed (`nothing_failed`), it was undone \
                (`sync_undone`), or another full sync is running (`full_sync_running`)"),
    )
)]
#[post("/api/sync/syncs/{syncId}/retry")]
pub(crate) async fn retry_sync(
    app: web::Data<AppState>,
    operator: OperatorRole,
    sync_id: web::Path<Uuid>,
    key: IdempotencyKey,
    body: OptionalJsonBody<RetryRequest>,
) -> Result<HttpResponse, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let OptionalJsonBody(RetryRequest { reason }) = body;
    check_reason(reason.as_deref())?;
    let retry = NewSync {
        id: SyncId::new(),
        cause: Cause::Manual,
        mode: Mode::Selective,
        scope: Scope::default(),
        dry_run: false,
        requested_by: operator.subject().to_owned(),
        reason,
        retry_of: Some(id),
        trace_context: json!(telemetry::current_context()),
    };
    let now = app.clock.now();
    let mut tx = app.begin(&operator).await?;
    let claim = match key.claim(&mut tx, &operator, &retry.reason, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            tx.rollback().await;
            return Ok(respond_again(&answer));
        }
    };
    let retried = sync_retry(&mut tx, id, &retry, now).await.or_problem()?;
    let (tasks, records, sync) = match retried {
        SyncRetried::Retried { tasks, records, sync } => (tasks, records, sync),
        SyncRetried::NothingFailed => {
            return Err(Problem::conflict(
                "nothing_failed",
                "The sync has no dead tasks and no rejected records, so there is nothing to retry.",
            ));
        }
        SyncRetried::Active(state) => {
            let detail = format!("The sync cannot be retried before it has ended: its state is {state}.");
            return Err(Problem::conflict("sync_active", detail).with("state", state.as_str()));
        }
        SyncRetried::FullSyncRunning(running) => return Err(full_sync_running(running)),
        SyncRetried::Undone => return Err(sync_undone("retried")),
        SyncRetried::Unknown => return Err(sync_not_found(id)),
    };
    let accepted = RetryAccepted {
        sync_id: id.as_uuid(),
        tasks: to_i64(tasks),
        records: to_i64(records),
        retry_sync_id: sync.map(SyncId::as_uuid),
    };
    let answer = claim.keep(&mut tx, StatusCode::ACCEPTED, None, &accepted).await?;
    tx.commit().await.or_problem()?;
    app.outbox.wake();
    if let Some(sync) = sync {
        app.outbox.publish_command(sync, telemetry::current_context()).await;
    }
    Ok(answer)
}

/// Decide about the missing records of a full sync
///
/// A full sync asks for this decision, and has deactivated nothing, if more records than the limit are missing from the
/// onboarding portal, or a critical one. Records written after the sync started stay active.
#[utoipa::path(
    operation_id = "confirmSync", tag = "syncs", security(("bearer" = ["operator"])),
    request_body = ConfirmRequest,
    responses(
        (status = 200, body = ConfirmAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The sync does not ask for a decision (`nothing_asked`), it was undone (`sync_undone`), or a later \
                full sync has newer data (`overtaken`)"),
    )
)]
#[post("/api/sync/syncs/{syncId}/confirm")]
pub(crate) async fn confirm_sync(
    app: web::Data<AppState>,
    operator: OperatorRole,
    sync_id: web::Path<Uuid>,
    body: JsonBody<ConfirmRequest>,
) -> Result<web::Json<ConfirmAccepted>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let ConfirmRequest { decision, reason } = body.into_inner();
    check_reason(reason.as_deref())?;
    let policy = decision.into();
    let mut tx = app.begin(&operator).await?;
    let decided =
        missing_records_decide(&mut tx, id, policy, operator.subject(), reason.as_deref(), app.clock.now())
            .await
            .or_problem()?;
    let deactivated = match decided {
        MissingRecordsDecided::Decided { deactivated } => deactivated,
        MissingRecordsDecided::NotAsked => {
            return Err(Problem::conflict(
                "nothing_asked",
                "The sync does not ask for a decision about missing records.",
            ));
        }
        MissingRecordsDecided::Overtaken(later) => {
            let detail = format!(
                "The later full sync {later} has newer data about missing records. Decide there, if it asks."
            );
            return Err(Problem::conflict("overtaken", detail).with("laterSyncId", later.to_string()));
        }
        MissingRecordsDecided::Undone => return Err(sync_undone("confirmed")),
        MissingRecordsDecided::Unknown => return Err(sync_not_found(id)),
    };
    let summary = load_sync_summary(&mut tx, id).await?;
    tx.commit().await.or_problem()?;
    app.publish_update(UpdateName::SyncProgress, sync_update(&summary));
    Ok(web::Json(ConfirmAccepted { sync_id: id.as_uuid(), deactivated: to_i64(deactivated) }))
}
