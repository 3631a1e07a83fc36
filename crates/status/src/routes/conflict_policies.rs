//! Conflict policies: which side wins when both portals changed a record, by record type.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use chassis::{
    auth::{Admin, Viewer},
    http::JsonBody,
    problem::{Problem, ProblemBody},
};
use contracts::operator::{ConflictPolicies, ConflictPoliciesChange};
use domain::{RecordType, conflict::ConflictPolicy};
use store::settings::conflict_policies::{self, PoliciesUpdated};

use super::etag;
use crate::{app_state::AppState, problems::OrProblem, saturating::to_i64};

/// Get the conflict policies
#[utoipa::path(
    operation_id = "getConflictPolicies", tag = "conflicts", security(("bearer" = ["viewer"])),
    params(("If-None-Match" = Option<String>, Header, description = "`ETag` of the policies that the client has")),
    responses(
        (status = 200, body = ConflictPolicies, headers(("ETag", description = "Version, for `If-Match`"))),
        (status = 304, description = "The policies have not changed since"),
    )
)]
#[get("/api/sync/conflicts/policies")]
pub(crate) async fn get_conflict_policies(
    app: web::Data<AppState>,
    request: HttpRequest,
    _viewer: Viewer,
) -> Result<HttpResponse, Problem> {
    let mut db = app.store.db().await.or_problem()?;
    let policies = conflict_policies::policies_read(&mut db).await.or_problem()?;
    Ok(etag::not_modified(&request, policies.version).unwrap_or_else(|| answer(&policies)))
}

/// Change the conflict policies
///
/// A record type that is absent keeps its policy. Open conflicts keep the policy under which they were found. A change that
/// changes nothing makes no new version.
#[utoipa::path(
    operation_id = "changeConflictPolicies", tag = "conflicts", security(("bearer" = ["admin"])),
    request_body = ConflictPoliciesChange,
    params(("If-Match" = String, Header, description = "`ETag` of the policies that the change is based on")),
    responses(
        (status = 200, body = ConflictPolicies, headers(("ETag", description = "New version"))),
        (status = 412, body = ProblemBody, content_type = "application/problem+json",
            description = "The policies have changed since they were read"),
        (status = 428, body = ProblemBody, content_type = "application/problem+json",
            description = "The header `If-Match` is missing"),
    )
)]
#[put("/api/sync/conflicts/policies")]
pub(crate) async fn change_conflict_policies(
    app: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    change: JsonBody<ConflictPoliciesChange>,
) -> Result<HttpResponse, Problem> {
    let expected = etag::required_version(&request)?;
    let ConflictPoliciesChange { company, vessel, equipment, user } = change.into_inner();
    let change: BTreeMap<_, _> = [
        (RecordType::Company, company),
        (RecordType::Vessel, vessel),
        (RecordType::Equipment, equipment),
        (RecordType::User, user),
    ]
    .into_iter()
    .filter_map(|(record_type, policy)| Some((record_type, policy?.into())))
    .collect();
    let mut tx = app.begin(&admin).await?;
    let before = conflict_policies::policies_read(&mut tx).await.or_problem()?;
    let is_unchanged =
        change.iter().all(|(record_type, policy)| before.policies.get(record_type) == Some(policy));
    if is_unchanged && before.version == expected {
        return Ok(answer(&before));
    }
    let updated =
        conflict_policies::policies_update(&mut tx, &change, expected, admin.subject(), app.clock.now())
            .await;
    match updated.or_problem()? {
        PoliciesUpdated::Updated(policies) => {
            tx.commit().await.or_problem()?;
            Ok(answer(&policies))
        }
        PoliciesUpdated::Stale(now) => Err(etag::stale_version(&now.updated_by, now.version)),
    }
}

fn answer(it: &conflict_policies::ConflictPolicies) -> HttpResponse {
    let policy_of = |record_type| {
        let policy = it.policies.get(&record_type).copied();
        policy.unwrap_or(ConflictPolicy::LastWriteWins).into()
    };
    let policies = ConflictPolicies {
        version: to_i64(it.version),
        company: policy_of(RecordType::Company),
        vessel: policy_of(RecordType::Vessel),
        equipment: policy_of(RecordType::Equipment),
        user: policy_of(RecordType::User),
        updated_at: it.updated_at,
        updated_by: it.updated_by.clone(),
    };
    etag::respond_with_version(it.version, policies)
}
