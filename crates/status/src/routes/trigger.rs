//! Start of a sync. `trigger_request.rs` checks the request.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, http::StatusCode, post, web};
use chassis::{
    auth::ScopedOperator,
    http::OptionalJsonBody,
    problem::{FieldError, Problem, ProblemBody},
    telemetry,
};
use contracts::operator::{SyncAccepted, SyncState, TriggerRequest};
use domain::{Cause, Scope, SyncId, audit::AuditAction, values::ImoNumber};
use serde_json::json;
use store::{
    Db,
    ledger::{
        audit,
        syncs::{self, NewSync, SyncCreated},
    },
    records::vessel_ids_by_imo,
    views::scope::FleetPart,
};

use super::trigger_request::{CheckedTrigger, check_trigger};
use crate::{
    app_state::AppState,
    fleet_part::{check_whole_fleet, load_fleet_part},
    idempotency::{Claimed, IdempotencyHeader, IdempotencyKey, respond_again},
    problems::{OrProblem, full_sync_running},
};

/// Start a sync
///
/// Without a body, a full sync of all approved records. `incremental` reads the records changed since the last complete
/// sync, `selective` the records that the request names. The answer comes when the sync is recorded, not when it ends:
/// poll `Location`, or follow the updates.
#[utoipa::path(
    operation_id = "triggerSync", tag = "syncs", security(("bearer" = ["operator"])),
    params(IdempotencyHeader),
    request_body(content = Option<TriggerRequest>, description = "No body starts a full sync"),
    responses(
        (status = 202, body = SyncAccepted, headers(("Location", description = "Path of the sync"))),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "A full sync is running; `runningSyncId` is its id"),
    )
)]
#[post("/api/sync/trigger")]
pub(crate) async fn trigger_sync(
    app: web::Data<AppState>,
    operator: ScopedOperator,
    key: IdempotencyKey,
    body: OptionalJsonBody<TriggerRequest>,
) -> Result<HttpResponse, Problem> {
    let asked = json!(body.0);
    let CheckedTrigger { mode, mut scope, imo_numbers, dry_run, reason } = check_trigger(body.0)?;
    let now = app.clock.now();
    let mut tx = app.begin(&operator).await?;
    let claim = match key.claim(&mut tx, &operator, &asked, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            tx.rollback().await;
            return Ok(respond_again(&answer));
        }
    };
    let part = load_fleet_part(&mut tx, &operator).await?;
    scope.vessel_ids = load_vessel_ids(&mut tx, &imo_numbers, part.as_ref()).await?;
    if let Some(part) = part {
        check_scope(&part, &scope)?;
    }
    let sync = NewSync {
        id: SyncId::new(),
        cause: Cause::Manual,
        mode,
        scope,
        dry_run,
        requested_by: operator.subject().to_owned(),
        reason,
        retry_of: None,
        trace_context: json!(telemetry::current_context()),
    };
    if let SyncCreated::FullSyncRunning(running) =
        syncs::sync_create(&mut tx, &sync, now).await.or_problem()?
    {
        return Err(full_sync_running(running));
    }
    let detail =
        json!({ "mode": sync.mode, "scope": sync.scope, "dryRun": sync.dry_run, "reason": sync.reason });
    let (actor, subject) = (operator.subject(), sync.id.to_string());
    audit::audit_append(&mut tx, actor, AuditAction::SyncTrigger, &subject, &detail, now)
        .await
        .or_problem()?;
    let location = format!("/api/sync/status/{}", sync.id);
    let accepted = SyncAccepted { sync_id: sync.id.as_uuid(), state: SyncState::Queued };
    let answer = claim.keep(&mut tx, StatusCode::ACCEPTED, Some(location), &accepted).await?;
    tx.commit().await.or_problem()?;
    // The commit accepts the sync. If the broker does not take its command now, the relay of the outbox publishes it.
    app.outbox.publish_command(sync.id, telemetry::current_context()).await;
    Ok(answer)
}

/// 403 for a sync of more than vessels of the part of the fleet that the token is for.
fn check_scope(part: &FleetPart, scope: &Scope) -> Result<(), Problem> {
    if part.has_vessels(scope) {
        Ok(())
    } else {
        check_whole_fleet(Some(part), "vessels of it in `vesselImos`")
    }
}

/// The ids of the vessels in the onboarding portal; 422 for a vessel that no sync has brought yet, and for one outside.
async fn load_vessel_ids(
    db: &mut Db,
    imo_numbers: &[ImoNumber],
    part: Option<&FleetPart>,
) -> Result<Vec<String>, Problem> {
    if imo_numbers.is_empty() {
        return Ok(Vec::new());
    }
    let mut known = vessel_ids_by_imo(db, imo_numbers).await.or_problem()?;
    known.retain(|_, id| part.is_none_or(|part| part.has_vessel(id)));
    let unknown = |(at, number): (usize, &ImoNumber)| {
        (!known.contains_key(number.as_str())).then(|| {
            let detail = format!(
                "must be the IMO number of a vessel that was synced before, is {number}; a full sync brings new vessels"
            );
            FieldError::new(format!("#/vesselImos/{at}"), "unknown_vessel", detail)
        })
    };
    let errors: Vec<_> = imo_numbers.iter().enumerate().filter_map(unknown).collect();
    if !errors.is_empty() {
        return Err(Problem::invalid("Some vessels are unknown.", errors));
    }
    let ids: BTreeSet<String> = known.into_values().collect();
    Ok(ids.into_iter().collect())
}
