//! The role mapping: which role a user gets by rank, department and workplace.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use chassis::{
    auth::{Admin, Viewer},
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{RoleChange, RoleMapping, RoleMappingChange, RoleMappingEffect, RoleRule};
use domain::{
    portal_role::{Permission, PortalRole},
    role_mapping::{self, RULES_LIMIT},
    user::Workplace,
    vocabulary::UnknownWord,
};
use store::{
    engine::role_changes::{self, MappingChanged},
    settings::role_mappings::{self, StoredMapping},
};

use super::etag;
use crate::{app_state::AppState, problems::OrProblem, saturating::to_i64};

/// Most role changes that an answer lists.
const CHANGES_LIMIT: usize = 1000;

/// Get the role mapping
#[utoipa::path(
    operation_id = "getRoleMapping", tag = "users", security(("bearer" = ["viewer"])),
    params(("If-None-Match" = Option<String>, Header, description = "`ETag` of the mapping that the client has")),
    responses(
        (status = 200, body = RoleMapping, headers(("ETag", description = "Version, for `If-Match`"))),
        (status = 304, description = "The mapping has not changed since"),
    )
)]
#[get("/api/sync/role-mapping")]
pub(crate) async fn get_role_mapping(
    app: web::Data<AppState>,
    request: HttpRequest,
    _viewer: Viewer,
) -> Result<HttpResponse, Problem> {
    let mut db = app.store.db().await.or_problem()?;
    let stored = role_mappings::mapping_read(&mut db).await.or_problem()?;
    let version = stored.version.unsigned_abs().into();
    let unchanged = etag::not_modified(&request, version);
    Ok(unchanged.unwrap_or_else(|| etag::respond_with_version(version, role_mapping(&stored))))
}

/// Preview another role mapping
///
/// Lists the users who would get another role, with the permissions that they would gain or lose. Changes nothing.
#[utoipa::path(
    operation_id = "previewRoleMapping", tag = "users", security(("bearer" = ["admin"])),
    request_body = RoleMappingChange,
    responses(
        (status = 200, body = RoleMappingEffect),
        (status = 422, body = ProblemBody, content_type = "application/problem+json",
            description = "The mapping is invalid; `errors` names each field"),
    )
)]
#[post("/api/sync/role-mapping/preview")]
pub(crate) async fn preview_role_mapping(
    app: web::Data<AppState>,
    _admin: Admin,
    change: JsonBody<RoleMappingChange>,
) -> Result<web::Json<RoleMappingEffect>, Problem> {
    let mapping = read_mapping(change.into_inner())?;
    let mut db = app.store.db().await.or_problem()?;
    let version = role_mappings::mapping_read(&mut db).await.or_problem()?.version;
    let changes = role_changes::mapping_preview(&mut db, &mapping).await.or_problem()?;
    Ok(web::Json(effect(version, &changes)))
}

/// Change the role mapping
///
/// Replaces all rules, and gives every user the new role at once. Roles that were set by hand in the maintenance portal
/// stay. The rules that are in force already make no new version.
#[utoipa::path(
    operation_id = "changeRoleMapping", tag = "users", security(("bearer" = ["admin"])),
    request_body = RoleMappingChange,
    params(("If-Match" = String, Header, description = "`ETag` of the mapping that the change is based on")),
    responses(
        (status = 200, body = RoleMappingEffect, headers(("ETag", description = "New version"))),
        (status = 412, body = ProblemBody, content_type = "application/problem+json",
            description = "The mapping has changed since it was read"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json",
            description = "The mapping is invalid; `errors` names each field"),
        (status = 428, body = ProblemBody, content_type = "application/problem+json",
            description = "The header `If-Match` is missing"),
    )
)]
#[put("/api/sync/role-mapping")]
pub(crate) async fn change_role_mapping(
    app: web::Data<AppState>,
    request: HttpRequest,
    admin: Admin,
    change: JsonBody<RoleMappingChange>,
) -> Result<HttpResponse, Problem> {
    let expected = i32::try_from(etag::required_version(&request)?).unwrap_or_default();
    let mapping = read_mapping(change.into_inner())?;
    let mut tx = app.begin(&admin).await?;
    let before = role_mappings::mapping_read(&mut tx).await.or_problem()?;
    if before.mapping == mapping && before.version == expected {
        let version = before.version.unsigned_abs().into();
        return Ok(etag::respond_with_version(version, effect(before.version, &[])));
    }
    let changed =
        role_changes::mapping_change(&mut tx, &mapping, expected, admin.subject(), app.clock.now()).await;
    match changed.or_problem()? {
        MappingChanged::Changed(stored, changes) => {
            tx.commit().await.or_problem()?;
            let version = stored.version.unsigned_abs().into();
            Ok(etag::respond_with_version(version, effect(stored.version, &changes)))
        }
        MappingChanged::Stale(now) => {
            Err(etag::stale_version(&now.created_by, now.version.unsigned_abs().into()))
        }
    }
}

/// The mapping of the request. The problem names all wrong rules at once.
fn read_mapping(change: RoleMappingChange) -> Result<role_mapping::RoleMapping, Problem> {
    fn read_word<T: FromStr<Err = UnknownWord>>(
        errors: &mut Vec<FieldError>,
        pointer: String,
        words: &[&str],
        text: &str,
    ) -> Option<T> {
        let parsed = text.parse();
        if parsed.is_err() {
            let detail = format!("must be one of {}, is {text:?}", words.join(", "));
            errors.push(FieldError::new(pointer, "unknown_word", detail));
        }
        parsed.ok()
    }
    let mut errors = Vec::new();
    if change.rules.len() > RULES_LIMIT {
        errors.push(FieldError::new("#/rules", "too_long", format!("must have at most {RULES_LIMIT} rules")));
    }
    let workplaces = Vec::from_iter(Workplace::ALL.iter().map(|it| it.as_str()));
    let roles = Vec::from_iter(PortalRole::ALL.iter().map(|it| it.as_str()));
    let mut rules = Vec::with_capacity(change.rules.len());
    for (at, rule) in change.rules.into_iter().enumerate() {
        let workplace =
            read_word(&mut errors, format!("#/rules/{at}/workplace"), &workplaces, &rule.workplace);
        let role = read_word(&mut errors, format!("#/rules/{at}/role"), &roles, &rule.role);
        if let (Some(workplace), Some(role)) = (workplace, role) {
            let RoleRule { rank, department, .. } = rule;
            rules.push(role_mapping::RoleRule { rank, workplace, department, role });
        }
    }
    if errors.is_empty() {
        match role_mapping::RoleMapping::new(rules) {
            Ok(mapping) => return Ok(mapping),
            Err(faults) => errors.extend(faults.into_iter().map(|(at, fault)| {
                FieldError::new(format!("#/rules/{at}"), "impossible_rule", fault.to_string())
            })),
        }
    }
    Err(Problem::invalid("The role mapping is invalid.", errors))
}

fn role_mapping(it: &StoredMapping) -> RoleMapping {
    let rule = |it: &role_mapping::RoleRule| RoleRule {
        rank: it.rank.clone(),
        workplace: it.workplace.to_string(),
        department: it.department.clone(),
        role: it.role.to_string(),
    };
    RoleMapping {
        version: it.version,
        rules: it.mapping.rules().iter().map(rule).collect(),
        created_at: it.created_at,
        created_by: it.created_by.clone(),
    }
}

fn effect(version: i32, changes: &[role_changes::RoleChange]) -> RoleMappingEffect {
    let words = |all: Vec<Permission>| all.into_iter().map(Into::into).collect();
    let change = |it: &role_changes::RoleChange| RoleChange {
        user_id: it.user.as_uuid(),
        source_id: it.source_id.clone(),
        email: it.email.clone(),
        rank: it.rank.clone(),
        department: it.department.clone(),
        workplace: it.workplace.into(),
        from: it.from.into(),
        to: it.to.into(),
        gains: words(it.to.permissions_beyond(it.from)),
        loses: words(it.from.permissions_beyond(it.to)),
        kept: it.kept,
    };
    let count = |kept: bool| to_i64(changes.iter().filter(|it| it.kept == kept).count());
    RoleMappingEffect {
        version,
        changed: count(false),
        kept: count(true),
        changes: changes.iter().take(CHANGES_LIMIT).map(change).collect(),
    }
}
