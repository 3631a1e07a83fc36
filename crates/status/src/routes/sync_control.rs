//! Syncs that have ended: go on where one stopped, try again what failed, answer what one asks.

use actix_web::{HttpRequest, HttpResponse, post, web};
use chassis::{
    auth::OperatorRole,
    problem::{FieldError, Problem, ProblemBody},
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

use super::{
    body::optional_json,
    syncs::summary_of,
    trigger::{LONGEST_REASON, running_already},
};
use crate::{
    desk::Desk,
    failure::{OrProblem, no_such_sync},
    views,
};

/// Go on with a sync that stopped
///
/// A sync that failed, was cancelled or lost a part goes on where it stopped: what is done stays done.
#[utoipa::path(
    operation_id = "resumeSync", tag = "syncs",
    responses(
        (status = 202, body = ResumeAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It is at work, or complete, or another full sync is at work"),
    )
)]
#[post("/api/sync/syncs/{syncId}/resume")]
pub(crate) async fn resume(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    sync_id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut tx = desk.store.begin().await.or_problem()?;
    let resumed = sync_resume(&mut tx, id, operator.subject(), desk.clock.now()).await.or_problem()?;
    let (state, tasks) = match resumed {
        SyncResumed::Resumed { tasks } => (SyncState::Running, tasks),
        SyncResumed::Queued => (SyncState::Queued, 0),
        SyncResumed::NotStopped(state) => {
            let detail = format!("There is nothing to go on with: the sync is {state}.");
            return Err(Problem::conflict("not_resumable", detail).with("state", state.as_str()));
        }
        SyncResumed::FullSyncRunning(running) => return Err(running_already(running)),
        SyncResumed::Unknown => return Err(no_such_sync(id)),
    };
    let summary = summary_of(&mut tx, id).await?;
    tx.commit().await.or_problem()?;
    // What is unpublished the relay publishes.
    desk.outbox.wake();
    desk.tell(UpdateName::SyncProgress, views::progress(&summary)).await;
    Ok(HttpResponse::Accepted().json(ResumeAccepted {
        sync_id: id.as_uuid(),
        state,
        tasks: views::number(tasks),
    }))
}

/// Try again what failed in a sync
///
/// Tasks that were given up are open again in the sync itself. Records that were rejected are looked at by a new sync,
/// which names this one. What went well is left alone.
#[utoipa::path(
    operation_id = "retrySync", tag = "syncs",
    request_body(content = Option<RetryRequest>),
    responses(
        (status = 202, body = RetryAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It is at work, nothing of it failed, or another full sync is at work"),
    )
)]
#[post("/api/sync/syncs/{syncId}/retry")]
pub(crate) async fn retry(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    request: HttpRequest,
    sync_id: web::Path<Uuid>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let RetryRequest { reason } = optional_json(&request, &body)?;
    reason_checked(reason.as_deref())?;
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
    let mut tx = desk.store.begin().await.or_problem()?;
    let retried = sync_retry(&mut tx, id, &retry, desk.clock.now()).await.or_problem()?;
    let (tasks, records, sync) = match retried {
        SyncRetried::Retried { tasks, records, sync } => (tasks, records, sync),
        SyncRetried::NothingFailed => {
            return Err(Problem::conflict("nothing_failed", "Nothing of this sync failed."));
        }
        SyncRetried::Active(state) => {
            let detail = format!("The sync has not ended: it is {state}.");
            return Err(Problem::conflict("sync_active", detail).with("state", state.as_str()));
        }
        SyncRetried::FullSyncRunning(running) => return Err(running_already(running)),
        SyncRetried::Unknown => return Err(no_such_sync(id)),
    };
    tx.commit().await.or_problem()?;
    desk.outbox.wake();
    if let Some(sync) = sync {
        desk.outbox.publish_command(sync, telemetry::current_context()).await;
    }
    Ok(HttpResponse::Accepted().json(RetryAccepted {
        sync_id: id.as_uuid(),
        tasks: views::number(tasks),
        records: views::number(records),
        retry_sync_id: sync.map(SyncId::as_uuid),
    }))
}

/// Decide about records that a full sync did not find any more
///
/// A sync that found more than the limit missing, or anything critical, has deactivated nothing and asks. What was
/// written since it began is left alone.
#[utoipa::path(
    operation_id = "confirmSync", tag = "syncs",
    request_body = ConfirmRequest,
    responses(
        (status = 200, body = ConfirmAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It asks nothing, or a later full sync knows better"),
    )
)]
#[post("/api/sync/syncs/{syncId}/confirm")]
pub(crate) async fn confirm(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    sync_id: web::Path<Uuid>,
    body: web::Json<ConfirmRequest>,
) -> Result<web::Json<ConfirmAccepted>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let ConfirmRequest { decision, reason } = body.into_inner();
    reason_checked(reason.as_deref())?;
    let policy = decision.into();
    let mut tx = desk.store.begin().await.or_problem()?;
    let decided =
        missing_records_decide(&mut tx, id, policy, operator.subject(), reason.as_deref(), desk.clock.now())
            .await
            .or_problem()?;
    let deactivated = match decided {
        MissingRecordsDecided::Decided { deactivated } => deactivated,
        MissingRecordsDecided::NotAsked => {
            return Err(Problem::conflict("nothing_asked", "This sync asks nothing of anybody."));
        }
        MissingRecordsDecided::Overtaken(later) => {
            let detail = format!("The full sync {later} is later, and knows better what is missing.");
            return Err(Problem::conflict("overtaken", detail).with("laterSyncId", later.to_string()));
        }
        MissingRecordsDecided::Unknown => return Err(no_such_sync(id)),
    };
    let summary = summary_of(&mut tx, id).await?;
    tx.commit().await.or_problem()?;
    desk.tell(UpdateName::SyncProgress, views::progress(&summary)).await;
    Ok(web::Json(ConfirmAccepted { sync_id: id.as_uuid(), deactivated: views::number(deactivated) }))
}

/// A reason is kept for ever, and so has a limit.
pub(crate) fn reason_checked(reason: Option<&str>) -> Result<(), Problem> {
    if reason.is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        let detail = format!("has at most {LONGEST_REASON} characters");
        return Err(Problem::invalid(
            "The reason is too long.",
            vec![FieldError::new("#/reason", "too_long", detail)],
        ));
    }
    Ok(())
}
