//! Resolution of conflicts: one, or many in the same way.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::StatusCode, post, web};
use chassis::{
    auth::OperatorRole,
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::{
    messages::{ConflictNotice, sync_update::What},
    operator::{Conflict, Resolution, ResolutionRefused, ResolveManyRequest, ResolveRequest, ResolvedMany},
};
use domain::{
    ConflictId, SyncId,
    conflict::{ConflictState, ResolutionError, Side},
    update::UpdateName,
};
use serde_json::json;
use store::{
    StoreError,
    engine::conflict_resolution::{Choice, Resolved, conflict_resolve},
    ledger::conflicts::{self, ConflictFilter},
};
use uuid::Uuid;

use super::conflicts::conflict_not_found;
use crate::{
    app_state::AppState,
    idempotency::{Claimed, IdempotencyHeader, IdempotencyKey, respond_again},
    problems::OrProblem,
    views::conflicts::{ConflictNames, PersonalData, conflict},
};

/// Most conflicts that one request resolves.
const RESOLUTION_LIMIT: u32 = 1000;

/// Resolve a conflict
///
/// With the values of one side, field by field, or by keeping the record as it is. The two versions that were in conflict
/// are no conflict in later syncs. With the values of a side that has withdrawn the record, the record is withdrawn, and a
/// user is locked out: `sourceEffect` and `localEffect` of the conflict say so beforehand.
#[utoipa::path(
    operation_id = "resolveConflict", tag = "conflicts", security(("bearer" = ["operator"])),
    params(IdempotencyHeader),
    request_body = ResolveRequest,
    responses(
        (status = 200, body = Conflict),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The conflict is resolved already (`conflict_resolved`), the record has changed since \
                (`record_changed`), or the database refuses the value (`value_refused`)"),
    )
)]
#[post("/api/sync/conflicts/{id}/resolve")]
pub(crate) async fn resolve_conflict(
    app: web::Data<AppState>,
    operator: OperatorRole,
    id: web::Path<Uuid>,
    key: IdempotencyKey,
    request: JsonBody<ResolveRequest>,
) -> Result<web::Json<Conflict>, Problem> {
    let id = ConflictId::from_uuid(id.into_inner());
    let (asked, choice) = (json!(*request), read_choice(request.into_inner())?);
    let now = app.clock.now();
    let mut tx = app.begin(&operator).await?;
    if let Claimed::First(claim) = key.claim(&mut tx, &operator, &asked, now).await? {
        let resolved = conflict_resolve(&mut tx, id, &choice, operator.subject(), now).await;
        if let Some(error) = resolution_error(resolved)? {
            return Err(resolution_problem(error, id));
        }
        claim.keep_without_body(&mut tx).await?;
    }
    let found = conflicts::conflict_find(&mut tx, id).await.or_problem()?;
    let found = found.ok_or_else(|| conflict_not_found(id))?;
    let names = ConflictNames::load(&mut tx, std::slice::from_ref(&found)).await.or_problem()?;
    tx.commit().await.or_problem()?;
    publish_resolved(&app, id, found.sync_id);
    Ok(web::Json(conflict(&found, &names, PersonalData::Plain)))
}

/// Resolve many conflicts in the same way
///
/// Open conflicts by id or by filter, at most 1000 per request. Each conflict is resolved or refused independently.
#[utoipa::path(
    operation_id = "resolveConflicts", tag = "conflicts", security(("bearer" = ["operator"])),
    params(IdempotencyHeader),
    request_body = ResolveManyRequest,
    responses((status = 200, body = ResolvedMany))
)]
#[post("/api/sync/conflicts/resolve")]
pub(crate) async fn resolve_conflicts(
    app: web::Data<AppState>,
    operator: OperatorRole,
    key: IdempotencyKey,
    request: JsonBody<ResolveManyRequest>,
) -> Result<HttpResponse, Problem> {
    let asked = json!(*request);
    let request = request.into_inner();
    let choice = read_choice_for_many(request.resolution)?;
    let ids = select_conflicts(&app, request).await?;
    // The key is claimed in a transaction of its own, as each conflict is resolved in one: a request that is interrupted leaves
    // it without an answer.
    let mut tx = app.begin(&operator).await?;
    let claim = match key.claim(&mut tx, &operator, &asked, app.clock.now()).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            tx.rollback().await;
            return Ok(respond_again(&answer));
        }
    };
    tx.commit().await.or_problem()?;
    let mut answer = ResolvedMany { resolved: 0, refused: Vec::new() };
    for id in ids {
        // One transaction each: a refusal leaves the other resolutions in place.
        let mut tx = app.begin(&operator).await?;
        let resolved = conflict_resolve(&mut tx, id, &choice, operator.subject(), app.clock.now()).await;
        match resolution_error(resolved)? {
            None => {
                tx.commit().await.or_problem()?;
                publish_resolved(&app, id, None);
                answer.resolved += 1;
            }
            Some(error) => {
                tx.rollback().await;
                answer.refused.push(ResolutionRefused { id: id.as_uuid(), code: error.into() });
            }
        }
    }
    let mut db = app.store.db().await.or_problem()?;
    claim.keep(&mut db, StatusCode::OK, None, &answer).await
}

/// The ids in the request, or those of the open conflicts that its filter selects.
async fn select_conflicts(app: &AppState, request: ResolveManyRequest) -> Result<Vec<ConflictId>, Problem> {
    let ResolveManyRequest { ids, record_type, kind, sync_id, .. } = request;
    let has_filter = record_type.is_some() || kind.is_some() || sync_id.is_some();
    if ids.is_empty() != has_filter {
        let detail = "must have either ids, or a filter of recordType, kind and syncId";
        let errors = vec![FieldError::new("#", "exactly_one", detail)];
        return Err(Problem::invalid("The request does not select conflicts in exactly one way.", errors));
    }
    if !has_filter {
        return Ok(ids.into_iter().take(RESOLUTION_LIMIT as usize).map(ConflictId::from_uuid).collect());
    }
    let filter = ConflictFilter {
        state: Some(ConflictState::Open),
        record_type: record_type.map(Into::into),
        kind: kind.map(Into::into),
        sync_id: sync_id.map(SyncId::from_uuid),
        ..ConflictFilter::default()
    };
    let mut db = app.store.db().await.or_problem()?;
    conflicts::conflict_ids(&mut db, &filter, RESOLUTION_LIMIT).await.or_problem()
}

fn read_choice(request: ResolveRequest) -> Result<Choice, Problem> {
    let ResolveRequest { resolution, fields } = request;
    let invalid = |code, detail: &str| {
        let errors = vec![FieldError::new("#/fields", code, detail)];
        Err(Problem::invalid("`fields` does not match `resolution`.", errors))
    };
    match resolution {
        Resolution::Fields if fields.is_empty() => {
            invalid("missing", "must name at least one field with its side, source or local")
        }
        Resolution::Fields => {
            Ok(Choice::Fields(fields.into_iter().map(|(name, side)| (name, side.into())).collect()))
        }
        _ if !fields.is_empty() => invalid("not_supported", "must be absent unless resolution is fields"),
        Resolution::Source => Ok(Choice::Side(Side::Source)),
        Resolution::Local => Ok(Choice::Side(Side::Local)),
        Resolution::Keep => Ok(Choice::Keep),
    }
}

fn read_choice_for_many(resolution: Resolution) -> Result<Choice, Problem> {
    if resolution == Resolution::Fields {
        let detail = "must be source, local or keep for many conflicts";
        let errors = vec![FieldError::new("#/resolution", "not_supported", detail)];
        return Err(Problem::invalid("Many conflicts cannot be resolved field by field.", errors));
    }
    read_choice(ResolveRequest { resolution, fields: BTreeMap::new() })
}

/// Why the conflict was not resolved; None if it was.
fn resolution_error(resolved: Result<Resolved, StoreError>) -> Result<Option<ResolutionError>, Problem> {
    match resolved {
        Ok(Resolved::Resolved) => Ok(None),
        Ok(Resolved::Already) => Ok(Some(ResolutionError::AlreadyResolved)),
        Ok(Resolved::Changed) => Ok(Some(ResolutionError::RecordChanged)),
        Ok(Resolved::UnknownField) => Ok(Some(ResolutionError::UnknownField)),
        Ok(Resolved::Unknown) => Ok(Some(ResolutionError::NotFound)),
        Err(error) if error.is_refusal() => Ok(Some(ResolutionError::ValueRefused)),
        Err(error) => Err(error).or_problem(),
    }
}

fn resolution_problem(error: ResolutionError, id: ConflictId) -> Problem {
    let detail = match error {
        ResolutionError::NotFound => return conflict_not_found(id),
        ResolutionError::UnknownField => {
            let detail = "must name only fields in which the two sides differ";
            let errors = vec![FieldError::new("#/fields", error.as_str(), detail)];
            return Problem::invalid("`fields` names a field in which the two sides do not differ.", errors);
        }
        ResolutionError::AlreadyResolved => "The conflict is already resolved.",
        ResolutionError::RecordChanged => {
            "The record has changed since the conflict was found. Check the record, then resolve the conflict with `keep`."
        }
        ResolutionError::ValueRefused => {
            "The database refuses a value of this side, such as a code that another record has. Choose the other side, or `keep`."
        }
    };
    Problem::conflict(error.as_str(), detail)
}

fn publish_resolved(app: &AppState, id: ConflictId, sync: Option<SyncId>) {
    let notice = ConflictNotice {
        conflict_id: id.to_string(),
        sync_id: sync.map(|sync| sync.to_string()).unwrap_or_default(),
        open: 0,
    };
    app.publish_update(UpdateName::ConflictResolved, What::Conflict(notice));
}
