//! Conflicts: look at them, decide, and say what is done about them at once.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, put, web};
use chassis::{
    auth::{Admin, OperatorRole, Role, Viewer},
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::{
    messages::{ConflictNotice, sync_update::What},
    operator::{
        Conflict, ConflictKind, ConflictPolicies, ConflictPoliciesChange, ConflictState, List, RecordType,
        Resolution, ResolutionRefused, ResolveManyRequest, ResolveRequest, ResolvedMany,
    },
};
use domain::{
    ConflictId, SyncId,
    conflict::{ResolutionError, Side},
    update::UpdateName,
};
use serde::Deserialize;
use store::{
    StoreError,
    engine::conflict_resolution::{Choice, Resolved, conflict_resolve},
    ledger::conflicts::{self, ConflictFilter},
    settings::conflict_policies::{self, PoliciesUpdated},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{etag, paging::Paging};
use crate::{desk::Desk, failure::OrProblem, views};

/// Most conflicts that one request resolves: more come with the next.
const MOST_RESOLVED: u32 = 1000;

/// Which conflicts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ConflictQuery {
    /// Only those in this state.
    state: Option<ConflictState>,
    /// Only those about this kind of record.
    record_type: Option<RecordType>,
    /// Only those of this kind.
    kind: Option<ConflictKind>,
    /// Only those that this sync met.
    sync_id: Option<Uuid>,
    /// Only those about the record with this id in the onboarding portal.
    source_id: Option<String>,
}

/// Conflicts, newest first
#[utoipa::path(
    operation_id = "listConflicts", tag = "conflicts",
    params(Paging, ConflictQuery),
    responses((status = 200, body = List<Conflict>))
)]
#[get("/api/sync/conflicts")]
pub(crate) async fn list(
    desk: web::Data<Desk>,
    viewer: Viewer,
    paging: web::Query<Paging>,
    query: web::Query<ConflictQuery>,
) -> Result<web::Json<List<Conflict>>, Problem> {
    let window = paging.window()?;
    let query = query.into_inner();
    let filter = ConflictFilter {
        ids: Vec::new(),
        state: query.state.map(Into::into),
        record_type: query.record_type.map(Into::into),
        kind: query.kind.map(Into::into),
        sync_id: query.sync_id.map(SyncId::from_uuid),
        source_id: query.source_id,
    };
    let mut db = desk.store.db().await.or_problem()?;
    let page = conflicts::conflict_list(&mut db, &filter, window).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    let whole = viewer.role() >= Role::Operator;
    let data = page.rows.into_iter().map(|it| views::conflict(it, whole)).collect();
    Ok(web::Json(List { data, pagination }))
}

/// What is done when both portals have changed a record
#[utoipa::path(
    operation_id = "getConflictPolicies", tag = "conflicts",
    responses((status = 200, body = ConflictPolicies, headers(("ETag", description = "The version, for `If-Match`"))))
)]
#[get("/api/sync/conflicts/policies")]
pub(crate) async fn get_policies(desk: web::Data<Desk>, _viewer: Viewer) -> Result<HttpResponse, Problem> {
    let mut db = desk.store.db().await.or_problem()?;
    let policies = conflict_policies::policies_read(&mut db).await.or_problem()?;
    Ok(answer(&policies))
}

/// Change what is done when both portals have changed a record
///
/// What is absent stays. Conflicts that are open keep the policy they were met with.
#[utoipa::path(
    operation_id = "changeConflictPolicies", tag = "conflicts",
    request_body = ConflictPoliciesChange,
    params(("If-Match" = String, Header, description = "The `ETag` that the change is meant for")),
    responses(
        (status = 200, body = ConflictPolicies, headers(("ETag", description = "The new version"))),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "Changed meanwhile"),
        (status = 428, body = ProblemBody, content_type = "application/problem+json", description = "No `If-Match`"),
    )
)]
#[put("/api/sync/conflicts/policies")]
pub(crate) async fn change_policies(
    desk: web::Data<Desk>,
    request: HttpRequest,
    admin: Admin,
    change: web::Json<ConflictPoliciesChange>,
) -> Result<HttpResponse, Problem> {
    let expected = etag::required(&request)?;
    let ConflictPoliciesChange { company, vessel, equipment, user } = change.into_inner();
    let change: BTreeMap<_, _> = [
        (domain::RecordType::Company, company),
        (domain::RecordType::Vessel, vessel),
        (domain::RecordType::Equipment, equipment),
        (domain::RecordType::User, user),
    ]
    .into_iter()
    .filter_map(|(kind, policy)| Some((kind, policy?.into())))
    .collect();
    let mut tx = desk.store.begin().await.or_problem()?;
    let updated =
        conflict_policies::policies_update(&mut tx, &change, expected, admin.subject(), desk.clock.now())
            .await;
    match updated.or_problem()? {
        PoliciesUpdated::Updated(policies) => {
            tx.commit().await.or_problem()?;
            Ok(answer(&policies))
        }
        PoliciesUpdated::Stale(now) => Err(etag::stale(&now.updated_by, now.version)),
    }
}

/// A conflict, with both sides
#[utoipa::path(
    operation_id = "getConflict", tag = "conflicts",
    responses(
        (status = 200, body = Conflict),
        (status = 404, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sync/conflicts/{id}")]
pub(crate) async fn find(
    desk: web::Data<Desk>,
    viewer: Viewer,
    id: web::Path<Uuid>,
) -> Result<web::Json<Conflict>, Problem> {
    let id = ConflictId::from_uuid(id.into_inner());
    let mut db = desk.store.db().await.or_problem()?;
    let conflict = conflicts::conflict_find(&mut db, id).await.or_problem()?;
    let conflict = conflict.ok_or_else(|| no_such_conflict(id))?;
    Ok(web::Json(views::conflict(conflict, viewer.role() >= Role::Operator)))
}

/// Resolve a conflict
///
/// By one side, field by field, or by keeping the record as it stands. The same two versions are no conflict any more
/// from then on.
#[utoipa::path(
    operation_id = "resolveConflict", tag = "conflicts",
    request_body = ResolveRequest,
    responses(
        (status = 200, body = Conflict),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It is resolved, or the record has changed since, or its value is another record's by now"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says which"),
    )
)]
#[post("/api/sync/conflicts/{id}/resolve")]
pub(crate) async fn resolve(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    id: web::Path<Uuid>,
    how: web::Json<ResolveRequest>,
) -> Result<web::Json<Conflict>, Problem> {
    let id = ConflictId::from_uuid(id.into_inner());
    let choice = choice(how.into_inner())?;
    let mut tx = desk.store.begin().await.or_problem()?;
    let resolved = conflict_resolve(&mut tx, id, &choice, operator.subject(), desk.clock.now()).await;
    if let Some(error) = refused(resolved)? {
        return Err(problem(error, id));
    }
    let conflict = conflicts::conflict_find(&mut tx, id).await.or_problem()?;
    let conflict = conflict.ok_or_else(|| no_such_conflict(id))?;
    tx.commit().await.or_problem()?;
    tell(&desk, id, conflict.sync_id).await;
    Ok(web::Json(views::conflict(conflict, true)))
}

/// Resolve many conflicts
///
/// Open ones, by id or by filter, all the same way, at most 1000 at a time. Each is resolved or refused on its own.
#[utoipa::path(
    operation_id = "resolveConflicts", tag = "conflicts",
    request_body = ResolveManyRequest,
    responses(
        (status = 200, body = ResolvedMany),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says which"),
    )
)]
#[post("/api/sync/conflicts/resolve")]
pub(crate) async fn resolve_many(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    which: web::Json<ResolveManyRequest>,
) -> Result<web::Json<ResolvedMany>, Problem> {
    let ResolveManyRequest { resolution, ids, record_type, kind, sync_id } = which.into_inner();
    let by_filter = record_type.is_some() || kind.is_some() || sync_id.is_some();
    if ids.is_empty() != by_filter {
        let error = FieldError::new("#", "exactly_one", "name ids, or some of recordType, kind and syncId");
        return Err(Problem::invalid("It is not clear which conflicts are meant.", vec![error]));
    }
    if resolution == Resolution::Fields {
        let error = FieldError::new("#/resolution", "not_supported", "is source, local or keep for many");
        return Err(Problem::invalid("Fields are decided one conflict at a time.", vec![error]));
    }
    let choice = choice(ResolveRequest { resolution, fields: BTreeMap::new() })?;
    let ids: Vec<ConflictId> = if by_filter {
        let filter = ConflictFilter {
            state: Some(domain::conflict::ConflictState::Open),
            record_type: record_type.map(Into::into),
            kind: kind.map(Into::into),
            sync_id: sync_id.map(SyncId::from_uuid),
            ..ConflictFilter::default()
        };
        let mut db = desk.store.db().await.or_problem()?;
        conflicts::conflict_ids(&mut db, &filter, MOST_RESOLVED).await.or_problem()?
    } else {
        ids.into_iter().take(MOST_RESOLVED as usize).map(ConflictId::from_uuid).collect()
    };
    let mut answer = ResolvedMany { resolved: 0, refused: Vec::new() };
    for id in ids {
        // One by one: what is refused does not take the others along.
        let mut tx = desk.store.begin().await.or_problem()?;
        let resolved = conflict_resolve(&mut tx, id, &choice, operator.subject(), desk.clock.now()).await;
        match refused(resolved)? {
            None => {
                tx.commit().await.or_problem()?;
                tell(&desk, id, None).await;
                answer.resolved += 1;
            }
            Some(error) => {
                tx.rollback().await;
                answer.refused.push(ResolutionRefused { id: id.as_uuid(), code: error.into() });
            }
        }
    }
    Ok(web::Json(answer))
}

fn choice(how: ResolveRequest) -> Result<Choice, Problem> {
    let wrong = |code, detail: &str| {
        Problem::invalid("This is no decision.", vec![FieldError::new("#/fields", code, detail)])
    };
    match how.resolution {
        Resolution::Fields if how.fields.is_empty() => {
            Err(wrong("missing", "says which side each field is of"))
        }
        Resolution::Fields => {
            Ok(Choice::Fields(how.fields.into_iter().map(|(name, side)| (name, side.into())).collect()))
        }
        _ if !how.fields.is_empty() => Err(wrong("not_supported", "goes with the resolution fields")),
        Resolution::Source => Ok(Choice::Side(Side::Source)),
        Resolution::Local => Ok(Choice::Side(Side::Local)),
        Resolution::Keep => Ok(Choice::Keep),
    }
}

/// The decision, or why it was not carried out.
fn refused(resolved: Result<Resolved, StoreError>) -> Result<Option<ResolutionError>, Problem> {
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

fn problem(error: ResolutionError, id: ConflictId) -> Problem {
    let detail = match error {
        ResolutionError::NotFound => return no_such_conflict(id),
        ResolutionError::UnknownField => {
            let error = FieldError::new("#/fields", error.as_str(), "names what the sides agree about");
            return Problem::invalid("The two sides differ in other fields.", vec![error]);
        }
        ResolutionError::AlreadyResolved => "Somebody has resolved it before.",
        ResolutionError::RecordChanged => {
            "The record has changed since: look again, or keep it as it stands."
        }
        ResolutionError::ValueRefused => "The database refuses the value: it may be another record's by now.",
    };
    Problem::conflict(error.as_str(), detail)
}

async fn tell(desk: &Desk, id: ConflictId, sync: Option<SyncId>) {
    let notice = ConflictNotice {
        conflict_id: id.to_string(),
        sync_id: sync.map(|sync| sync.to_string()).unwrap_or_default(),
        open: 0,
    };
    desk.tell(UpdateName::ConflictResolved, What::Conflict(notice)).await;
}

fn answer(it: &conflict_policies::ConflictPolicies) -> HttpResponse {
    let of = |kind| {
        let policy = it.policies.get(&kind).copied();
        policy.unwrap_or(domain::conflict::ConflictPolicy::LastWriteWins).into()
    };
    let shape = ConflictPolicies {
        version: views::number(it.version),
        company: of(domain::RecordType::Company),
        vessel: of(domain::RecordType::Vessel),
        equipment: of(domain::RecordType::Equipment),
        user: of(domain::RecordType::User),
        updated_at: it.updated_at,
        updated_by: it.updated_by.clone(),
    };
    HttpResponse::Ok().insert_header((header::ETAG, etag::of(it.version))).json(shape)
}

fn no_such_conflict(id: ConflictId) -> Problem {
    Problem::not_found("conflict_not_found", format!("There is no conflict {id}."))
}
