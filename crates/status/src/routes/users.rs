//! The one reveal of a temporary password.

use actix_web::{post, web};
use chassis::{
    auth::Admin,
    problem::{Problem, ProblemBody},
};
use contracts::operator::TemporaryPassword;
use store::records::{PasswordClaim, UserId, user_password_claim};
use uuid::Uuid;

use crate::{desk::Desk, failure::OrProblem};

/// Claim a user's temporary password
///
/// It is shown once. Whoever asks again is told so.
#[utoipa::path(
    operation_id = "claimTemporaryPassword", tag = "operators",
    params(("userId" = Uuid, Path, description = "The user, by their id in the maintenance portal")),
    responses(
        (status = 200, body = TemporaryPassword),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It was claimed before, or has expired"),
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
        PasswordClaim::AlreadyClaimed => return Err(gone("already_claimed", "It was shown before.")),
        PasswordClaim::Expired => return Err(gone("expired", "It was not claimed in time.")),
        PasswordClaim::None => return Err(gone("none", "This user has no temporary password.")),
        PasswordClaim::Unknown => {
            return Err(Problem::not_found("user_not_found", format!("There is no user {id}.")));
        }
    };
    // Opened before the commit: what cannot be opened is not gone.
    let password = desk.seal.open(&sealed, &source_id).map_err(Problem::internal)?;
    tx.commit().await.or_problem()?;
    Ok(web::Json(TemporaryPassword { password: password.expose().to_owned(), expires_at }))
}

fn gone(code: &'static str, detail: &str) -> Problem {
    Problem::conflict(code, detail)
}
