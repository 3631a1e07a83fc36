//! The mapping from rank, department and workplace to a role.

use std::str::FromStr;
use store::{
    engine::role_changes::{self, MappingChanged},
    settings::role_mappings::{self, StoredMapping},
};

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, put, web};
use chassis::{
    auth::{Admin, Viewer},
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{RoleChange, RoleMapping, RoleMappingChange, RoleMappingEffect, RoleRule};
use domain::{
    portal_role::Permission,
    role_mapping::{self, RULES_LIMIT},
    vocabulary::UnknownWord,
};

use super::etag;
use crate::{desk::Desk, failure::OrProblem};

/// Most changes that are shown.
const SHOWN: usize = 1000;

/// The mapping in force
#[utoipa::path(
    operation_id = "getRoleMapping", tag = "users",
    responses((status = 200, body = RoleMapping, headers(("ETag", description = "The version, for `If-Match`"))))
)]
#[get("/api/sync/role-mapping")]
pub(crate) async fn get_mapping(desk: web::Data<Desk>, _viewer: Viewer) -> Result<HttpResponse, Problem> {
    let mut db = desk.store.db().await.or_problem()?;
    let stored = role_mappings::mapping_read(&mut db).await.or_problem()?;
    let tag = etag::of(stored.version.unsigned_abs().into());
    Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).json(shape(&stored)))
}

/// What another mapping would mean
///
/// Who would get another role, and what they gain or lose by it. Nothing is changed.
#[utoipa::path(
    operation_id = "previewRoleMapping", tag = "users",
    request_body = RoleMappingChange,
    responses(
        (status = 200, body = RoleMappingEffect),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says which"),
    )
)]
#[post("/api/sync/role-mapping/preview")]
pub(crate) async fn preview(
    desk: web::Data<Desk>,
    _admin: Admin,
    change: web::Json<RoleMappingChange>,
) -> Result<web::Json<RoleMappingEffect>, Problem> {
    let mapping = checked(change.into_inner())?;
    let mut db = desk.store.db().await.or_problem()?;
    let version = role_mappings::mapping_read(&mut db).await.or_problem()?.version;
    let changes = role_changes::mapping_preview(&mut db, &mapping).await.or_problem()?;
    Ok(web::Json(effect(version, &changes)))
}

/// Put another mapping in force
///
/// Every account gets its role under it, at once. Roles that somebody gave by hand in the maintenance portal stay.
#[utoipa::path(
    operation_id = "changeRoleMapping", tag = "users",
    request_body = RoleMappingChange,
    params(("If-Match" = String, Header, description = "The `ETag` of the mapping that it follows")),
    responses(
        (status = 200, body = RoleMappingEffect, headers(("ETag", description = "The new version"))),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "Changed meanwhile"),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`errors` says which"),
        (status = 428, body = ProblemBody, content_type = "application/problem+json", description = "No `If-Match`"),
    )
)]
#[put("/api/sync/role-mapping")]
pub(crate) async fn change_mapping(
    desk: web::Data<Desk>,
    request: HttpRequest,
    admin: Admin,
    change: web::Json<RoleMappingChange>,
) -> Result<HttpResponse, Problem> {
    let expected = i32::try_from(etag::required(&request)?).unwrap_or_default();
    let mapping = checked(change.into_inner())?;
    let mut tx = desk.store.begin().await.or_problem()?;
    let changed =
        role_changes::mapping_change(&mut tx, &mapping, expected, admin.subject(), desk.clock.now()).await;
    match changed.or_problem()? {
        MappingChanged::Changed(stored, changes) => {
            tx.commit().await.or_problem()?;
            let tag = etag::of(stored.version.unsigned_abs().into());
            Ok(HttpResponse::Ok().insert_header((header::ETAG, tag)).json(effect(stored.version, &changes)))
        }
        MappingChanged::Stale(now) => Err(etag::stale(&now.created_by, now.version.unsigned_abs().into())),
    }
}

/// Every rule that is wrong, at once, with its place.
fn checked(change: RoleMappingChange) -> Result<role_mapping::RoleMapping, Problem> {
    fn read<T: FromStr<Err = UnknownWord>>(
        errors: &mut Vec<FieldError>,
        at: String,
        text: &str,
    ) -> Option<T> {
        let parsed = text.parse();
        if parsed.is_err() {
            errors.push(FieldError::new(at, "unknown_word", format!("{text:?} is not in our vocabulary")));
        }
        parsed.ok()
    }
    let mut errors = Vec::new();
    if change.rules.len() > RULES_LIMIT {
        errors.push(FieldError::new("#/rules", "too_long", format!("has at most {RULES_LIMIT} rules")));
    }
    let mut rules = Vec::with_capacity(change.rules.len());
    for (at, rule) in change.rules.into_iter().enumerate() {
        let workplace = read(&mut errors, format!("#/rules/{at}/workplace"), &rule.workplace);
        let role = read(&mut errors, format!("#/rules/{at}/role"), &rule.role);
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
    Err(Problem::invalid("This is no mapping.", errors))
}

fn shape(it: &StoredMapping) -> RoleMapping {
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
    let number =
        |kept: bool| i64::try_from(changes.iter().filter(|it| it.kept == kept).count()).unwrap_or(i64::MAX);
    RoleMappingEffect {
        version,
        changed: number(false),
        kept: number(true),
        changes: changes.iter().take(SHOWN).map(change).collect(),
    }
}
