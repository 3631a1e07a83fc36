//! Users of the maintenance portal, and their temporary passwords.

use actix_web::{HttpResponse, get, post, web};
use chassis::{
    auth::{Admin, Role, Viewer},
    problem::{Problem, ProblemBody},
};
use contracts::operator::{List, TemporaryPassword, TemporaryPasswordReissue, User};
use domain::{audit::AuditAction, values::Email};
use serde::Deserialize;
use serde_json::json;
use store::{
    records::{PasswordClaim, PasswordReissue, UserId, user_password_claim, user_password_reissue},
    views::users,
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{app_state::AppState, problems::OrProblem};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// Only users with this id in the onboarding portal, or with this text in rank or, for admins, e-mail address.
    search: Option<String>,
}

/// List users
///
/// With their roles, whether they may sign in, and the state of their temporary passwords. E-mail addresses are masked
/// except for admins; passwords are never listed.
#[utoipa::path(
    operation_id = "listUsers", tag = "users", security(("bearer" = ["viewer"])),
    params(Paging, UserQuery),
    responses((status = 200, body = List<User>))
)]
#[get("/api/sync/users")]
pub(crate) async fn list_users(
    app: web::Data<AppState>,
    viewer: Viewer,
    paging: web::Query<Paging>,
    query: web::Query<UserQuery>,
) -> Result<web::Json<List<User>>, Problem> {
    let window = paging.window()?;
    let search = query.search.as_deref().map(str::trim).filter(|it| !it.is_empty());
    // Only an admin searches in e-mail addresses: a search would reveal masked ones letter by letter.
    let is_admin = viewer.role() >= Role::Admin;
    let mut db = app.store.db().await.or_problem()?;
    let page = users::user_list(&mut db, search, is_admin, window, app.clock.now()).await.or_problem()?;
    drop(db);
    if is_admin && !page.rows.is_empty() {
        let users: Vec<_> = page.rows.iter().map(|it| &it.source_id).collect();
        let detail = json!({ "search": search, "users": users });
        app.record_reading(&viewer, AuditAction::UserRead, "users", &detail).await?;
    }
    Ok(paging.list(page, |it| User {
        id: it.id,
        source_id: it.source_id,
        email: if is_admin { it.email } else { Email::mask(&it.email) },
        rank: it.rank,
        department: it.department,
        workplace: it.workplace.into(),
        role: it.role.into(),
        role_mapping_version: it.role_mapping_version,
        company_id: it.company_id,
        vessel_ids: it.vessel_ids,
        sign_on: it.sign_on,
        sign_off: it.sign_off,
        may_sign_in: it.locked_because.is_none(),
        locked_because: it.locked_because.map(Into::into),
        password: it.password.into(),
        password_expires_at: it.password_expires_at,
    }))
}

/// Claim a user's temporary password
///
/// Shows the password once. A second claim is refused.
#[utoipa::path(
    operation_id = "claimTemporaryPassword", tag = "users", security(("bearer" = ["admin"])),
    params(("userId" = Uuid, Path, description = "Id of the user in the maintenance portal")),
    responses(
        (status = 200, body = TemporaryPassword),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The password was claimed before (`already_claimed`), has expired (`expired`) or does not exist (`none`), \
                or the user may not sign in (`locked_out`)"),
    )
)]
#[post("/api/sync/users/{userId}/temporary-password")]
pub(crate) async fn claim_temporary_password(
    app: web::Data<AppState>,
    admin: Admin,
    user_id: web::Path<Uuid>,
) -> Result<web::Json<TemporaryPassword>, Problem> {
    let id = UserId::from_uuid(user_id.into_inner());
    let mut tx = app.begin(&admin).await?;
    let claim = user_password_claim(&mut tx, id, admin.subject(), app.clock.now()).await.or_problem()?;
    let (sealed, source_id, expires_at) = match claim {
        PasswordClaim::Claimed { sealed, source_id, expires_at } => (sealed, source_id, expires_at),
        // The audit log records refused claims, too.
        refused => {
            tx.commit().await.or_problem()?;
            return Err(claim_problem(&refused, id));
        }
    };
    // Decrypted before the commit: a password that cannot be decrypted stays unclaimed.
    let password = app.seal.open(&sealed, &source_id, app.clock.now()).map_err(Problem::internal)?;
    tx.commit().await.or_problem()?;
    Ok(web::Json(TemporaryPassword { password: password.expose().to_owned(), expires_at }))
}

/// Have a new temporary password made for a user
///
/// For a password that was not used in time, was lost, or is known to others. The user's password is removed at once, and a
/// worker makes a temporary one within seconds: then `password` of the user is `to_claim`.
#[utoipa::path(
    operation_id = "reissueTemporaryPassword", tag = "users", security(("bearer" = ["admin"])),
    params(("userId" = Uuid, Path, description = "Id of the user in the maintenance portal")),
    responses(
        (status = 202, body = TemporaryPasswordReissue),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The user may not sign in (`locked_out`)"),
    )
)]
#[post("/api/sync/users/{userId}/temporary-password/reissue")]
pub(crate) async fn reissue_temporary_password(
    app: web::Data<AppState>,
    admin: Admin,
    user_id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let user_id = user_id.into_inner();
    let (id, now) = (UserId::from_uuid(user_id), app.clock.now());
    let mut tx = app.begin(&admin).await?;
    let reissue = user_password_reissue(&mut tx, id, admin.subject(), now).await.or_problem()?;
    // The audit log records refused requests, too.
    tx.commit().await.or_problem()?;
    match reissue {
        PasswordReissue::Requested => {
            Ok(HttpResponse::Accepted().json(TemporaryPasswordReissue { user_id, requested_at: now }))
        }
        PasswordReissue::LockedOut => Err(claim_problem(&PasswordClaim::LockedOut, id)),
        PasswordReissue::Unknown => Err(claim_problem(&PasswordClaim::Unknown, id)),
    }
}

fn claim_problem(claim: &PasswordClaim, id: UserId) -> Problem {
    match claim {
        PasswordClaim::AlreadyClaimed => Problem::conflict(
            "already_claimed",
            "The temporary password was claimed before. It is shown only once.",
        ),
        PasswordClaim::LockedOut => {
            Problem::conflict("locked_out", "The user may not sign in: deactivated, withdrawn or signed off.")
        }
        PasswordClaim::Expired => {
            Problem::conflict("expired", "The temporary password has expired. Have a new one made.")
        }
        PasswordClaim::Claimed { .. } | PasswordClaim::None => {
            Problem::conflict("none", "The user has no temporary password.")
        }
        PasswordClaim::Unknown => Problem::not_found("user_not_found", format!("There is no user {id}.")),
    }
}
