//! Older records: the onboarding portal has gone back in time, and an operator accepts its state.

use actix_web::{HttpResponse, get, post, web};
use chassis::{
    auth::{OperatorRole, Viewer},
    http::JsonBody,
    problem::{Problem, ProblemBody},
    telemetry,
};
use contracts::operator::{AcceptOlderRequest, OlderAccepted, OlderRecords, OlderRecordsOfType};
use domain::{Cause, Mode, Scope, SyncId};
use serde_json::json;
use store::{
    engine::older_states::{OlderStatesAccepted, older_states_accept, older_states_count},
    ledger::syncs::{NewSync, sync_find},
};
use uuid::Uuid;

use super::reason::check_reason;
use crate::{
    app_state::AppState,
    problems::{OrProblem, sync_not_found},
    saturating::to_i64,
};

/// Count the older records of a sync
///
/// Records that stand rejected with `older_than_here`: their state in the onboarding portal is older than the one here,
/// though it was read later. Records whose state was accepted do not count.
#[utoipa::path(
    operation_id = "getOlderRecords", tag = "syncs", security(("bearer" = ["viewer"])),
    responses((status = 200, body = OlderRecords))
)]
#[get("/api/sync/syncs/{syncId}/accept-older")]
pub(crate) async fn get_older_records(
    app: web::Data<AppState>,
    _viewer: Viewer,
    sync_id: web::Path<Uuid>,
) -> Result<web::Json<OlderRecords>, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let mut db = app.store.db().await.or_problem()?;
    if sync_find(&mut db, id).await.or_problem()?.is_none() {
        return Err(sync_not_found(id));
    }
    let counts = older_states_count(&mut db, id).await.or_problem()?;
    let by_type = counts.iter().map(|(record_type, records)| OlderRecordsOfType {
        record_type: (*record_type).into(),
        records: to_i64(*records),
    });
    Ok(web::Json(OlderRecords {
        sync_id: id.as_uuid(),
        records: to_i64(counts.values().sum::<u64>()),
        by_type: by_type.collect(),
    }))
}

/// Accept the older records of a sync
///
/// The state of the onboarding portal goes in though it is older: a new selective sync, whose `retryOf` names this sync,
/// reads exactly these records again. An edit in the maintenance portal stays, and becomes a conflict. At most 5000
/// records per request; `left` says how many remain.
#[utoipa::path(
    operation_id = "acceptOlderRecords", tag = "syncs", security(("bearer" = ["operator"])),
    request_body = AcceptOlderRequest,
    responses(
        (status = 202, body = OlderAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The number of records differs from `expectedRecords`, or there are none \
                (`records_differ`; `records` says how many there are), or the sync has not ended (`sync_active`)"),
    )
)]
#[post("/api/sync/syncs/{syncId}/accept-older")]
pub(crate) async fn accept_older_records(
    app: web::Data<AppState>,
    operator: OperatorRole,
    sync_id: web::Path<Uuid>,
    body: JsonBody<AcceptOlderRequest>,
) -> Result<HttpResponse, Problem> {
    let id = SyncId::from_uuid(sync_id.into_inner());
    let AcceptOlderRequest { expected_records, reason } = body.into_inner();
    check_reason(reason.as_deref())?;
    let new = NewSync {
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
    // A negative number is none that anybody has seen.
    let expected = u64::try_from(expected_records).unwrap_or(u64::MAX);
    let mut tx = app.begin(&operator).await?;
    let accepted = older_states_accept(&mut tx, id, &new, expected, app.clock.now()).await.or_problem()?;
    let (records, left, sync) = match accepted {
        OlderStatesAccepted::Accepted { records, left, sync } => (records, left, sync),
        OlderStatesAccepted::CountDiffers(records) => {
            let detail = match records {
                0 => "No record of the sync stands rejected because its state is older than the one here."
                    .to_owned(),
                n => format!("{n} records stand rejected as older, and not {expected_records}. Look again."),
            };
            return Err(Problem::conflict("records_differ", detail).with("records", to_i64(records)));
        }
        OlderStatesAccepted::Active(state) => {
            let detail =
                format!("Older records cannot be accepted before the sync has ended: its state is {state}.");
            return Err(Problem::conflict("sync_active", detail).with("state", state.as_str()));
        }
        OlderStatesAccepted::Unknown => return Err(sync_not_found(id)),
    };
    tx.commit().await.or_problem()?;
    app.outbox.wake();
    app.outbox.publish_command(sync, telemetry::current_context()).await;
    Ok(HttpResponse::Accepted().json(OlderAccepted {
        sync_id: id.as_uuid(),
        records: to_i64(records),
        left: to_i64(left),
        retry_sync_id: sync.as_uuid(),
    }))
}
