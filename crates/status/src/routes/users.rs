//! Accounts, and the one reveal of a temporary password.

use actix_web::{get, post, web};
use chassis::{
    auth::{Admin, Role, Viewer},
    problem::{Problem, ProblemBody},
};
use contracts::operator::{List, TemporaryPassword, User};
use domain::values::Email;
use serde::Deserialize;
use store::{
    records::{PasswordClaim, UserId, user_password_claim},
    views::users,
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{desk::Desk, failure::OrProblem};

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// By id in the onboarding portal, or by a part of address or rank.
    search: Option<String>,
}

/// Accounts
///
/// Who may sign in, with what role, and whose temporary password waits for its reveal. E-mail addresses are masked unless
/// an admin asks; passwords are never listed.
#[utoipa::path(
    operation_id = "listUsers", tag = "users",
    params(Paging, Search),
    responses((status = 200, body = List<User>))
)]
#[get("/api/sync/users")]
pub(crate) async fn list(
    desk: web::Data<Desk>,
    viewer: Viewer,
    paging: web::Query<Paging>,
    search: web::Query<Search>,
) -> Result<web::Json<List<User>>, Problem> {
    let window = paging.window()?;
    let search = search.search.as_deref().map(str::trim).filter(|it| !it.is_empty());
    // What only an admin may read must not be found out letter by letter.
    let is_admin = viewer.role() >= Role::Admin;
    let mut db = desk.store.db().await.or_problem()?;
    let page = users::user_list(&mut db, search, is_admin, window, desk.clock.now()).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    let account = |it: users::User| User {
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
    };
    Ok(web::Json(List { data: page.rows.into_iter().map(account).collect(), pagination }))
}

/// Claim a user's temporary password
///
/// It is shown once. Whoever asks again is told so.
#[utoipa::path(
    operation_id = "claimTemporaryPassword", tag = "users",
    params(("userId" = Uuid, Path, description = "The user, by their id in the maintenance portal")),
    responses(
        (status = 200, body = TemporaryPassword),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It was claimed before, has expired, or the account is locked out"),
    )
)]
#[post("/api/sync/users/{userId}/temporary-password")]
pub(crate) async fn claim_temporary_password(
    desk: web::Data<Desk>,
    admin: Admin,
    user_id: web::Path<Uuid>,
) -> Result<web::Json<TemporaryPassword>, Problem> {
    let id = UserId::from_uuid(user_id.into_inner());
    let mut tx = desk.store.begin().await.or_problem()?;
    let claim = user_password_claim(&mut tx, id, admin.subject(), desk.clock.now()).await.or_problem()?;
    let (sealed, source_id, expires_at) = match claim {
        PasswordClaim::Claimed { sealed, source_id, expires_at } => (sealed, source_id, expires_at),
        // The attempt stands in the audit, too.
        refused => {
            tx.commit().await.or_problem()?;
            return Err(why_not(&refused, id));
        }
    };
    // Opened before the commit: what cannot be opened is not gone.
    let password = desk.seal.open(&sealed, &source_id).map_err(Problem::internal)?;
    tx.commit().await.or_problem()?;
    Ok(web::Json(TemporaryPassword { password: password.expose().to_owned(), expires_at }))
}

fn why_not(claim: &PasswordClaim, id: UserId) -> Problem {
    match claim {
        PasswordClaim::AlreadyClaimed => gone("already_claimed", "It was shown before."),
        PasswordClaim::LockedOut => {
            gone("locked_out", "This account is deactivated, withdrawn or signed off.")
        }
        PasswordClaim::Expired => gone("expired", "It was not claimed in time."),
        PasswordClaim::Claimed { .. } | PasswordClaim::None => {
            gone("none", "This user has no temporary password.")
        }
        PasswordClaim::Unknown => Problem::not_found("user_not_found", format!("There is no user {id}.")),
    }
}

fn gone(code: &'static str, detail: &str) -> Problem {
    Problem::conflict(code, detail)
}
