//! Revoked tokens of operators.

use actix_web::{get, post, web};
use chassis::{
    auth::{Admin, OperatorKeys, canonical_token_id},
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{List, TokenRevocation, TokenRevocationRequest};
use store::ledger::token_revocations::{
    self, RevokedTokens, TOKEN_REVOCATIONS_LIMIT, token_revocation_add, token_revocation_list,
};

use super::{paging::Paging, reason::reason_error};
use crate::{app_state::AppState, credentials, problems::OrProblem};

/// Most characters of a `jti` or `sub`: those of longer ones are refused anyway.
const NAME_LENGTH_LIMIT: usize = 255;

/// List revoked tokens, newest first
#[utoipa::path(
    operation_id = "listTokenRevocations", tag = "operators", security(("bearer" = ["admin"])),
    params(Paging),
    responses((status = 200, body = List<TokenRevocation>))
)]
#[get("/api/sync/token-revocations")]
pub(crate) async fn list_token_revocations(
    app: web::Data<AppState>,
    _admin: Admin,
    paging: web::Query<Paging>,
) -> Result<web::Json<List<TokenRevocation>>, Problem> {
    let mut db = app.store.db().await.or_problem()?;
    let page = token_revocation_list(&mut db, paging.window()?).await.or_problem()?;
    Ok(paging.list(page, view))
}

/// Revoke tokens
///
/// Revokes one token by its `tokenId`, or all tokens of a `subject` that were issued until now; tokens that it is issued
/// later are valid. Takes effect within seconds in all processes, also on open event streams.
#[utoipa::path(
    operation_id = "revokeTokens", tag = "operators", security(("bearer" = ["admin"])),
    request_body = TokenRevocationRequest,
    responses(
        (status = 200, body = TokenRevocation),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "There are as many revocations as can be kept"),
    )
)]
#[post("/api/sync/token-revocations")]
pub(crate) async fn revoke_tokens(
    app: web::Data<AppState>,
    keys: web::Data<OperatorKeys>,
    admin: Admin,
    request: JsonBody<TokenRevocationRequest>,
) -> Result<web::Json<TokenRevocation>, Problem> {
    let request = request.into_inner();
    let tokens = tokens_of(&request)?;
    let mut tx = app.begin(&admin).await?;
    let now = app.clock.now();
    let added = token_revocation_add(&mut tx, &tokens, request.reason.as_deref(), admin.subject(), now).await;
    let Some(revocation) = added.or_problem()? else {
        let detail = format!(
            "There are {TOKEN_REVOCATIONS_LIMIT} revocations, which is the most. Revoke the tokens of whole subjects, or \
             change OPERATOR_JWT_SECRET, which ends all tokens."
        );
        return Err(Problem::conflict("too_many_revocations", detail));
    };
    tx.commit().await.or_problem()?;
    // The other processes read the table in a moment; this one need not wait.
    credentials::refresh(&app.store, &keys).await.or_problem()?;
    Ok(web::Json(view(revocation)))
}

fn tokens_of(request: &TokenRevocationRequest) -> Result<RevokedTokens, Problem> {
    let mut errors: Vec<_> = reason_error(request.reason.as_deref()).into_iter().collect();
    for (pointer, name) in [("#/tokenId", &request.token_id), ("#/subject", &request.subject)] {
        if name.as_ref().is_some_and(|it| it.trim().is_empty() || it.chars().count() > NAME_LENGTH_LIMIT) {
            let detail = format!("must have from 1 to {NAME_LENGTH_LIMIT} characters");
            errors.push(FieldError::new(pointer, "out_of_range", detail));
        }
    }
    let tokens = match (&request.token_id, &request.subject) {
        (Some(id), None) => Some(RevokedTokens::Token(canonical_token_id(id))),
        (None, Some(subject)) => Some(RevokedTokens::Subject(subject.clone())),
        _ => {
            let detail = "give either `tokenId` or `subject`";
            errors.push(FieldError::new("#/tokenId", "exactly_one", detail));
            None
        }
    };
    match tokens {
        Some(tokens) if errors.is_empty() => Ok(tokens),
        _ => Err(Problem::invalid("It is not clear which tokens to revoke.", errors)),
    }
}

fn view(it: token_revocations::TokenRevocation) -> TokenRevocation {
    let (token_id, subject) = match it.tokens {
        RevokedTokens::Token(id) => (Some(id), None),
        RevokedTokens::Subject(subject) => (None, Some(subject)),
    };
    TokenRevocation {
        id: it.id,
        token_id,
        subject,
        issued_until: it.issued_until,
        reason: it.reason,
        revoked_at: it.revoked_at,
        revoked_by: it.revoked_by,
    }
}
