//! API keys of services: list, make, replace and revoke them.

use actix_web::{delete, get, post, web};
use chassis::{
    auth::{API_KEY_SUBJECT_PREFIX, Admin, OperatorKeys, new_api_key},
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::operator::{
    ApiKey, ApiKeyRequest, ApiKeyRotation, ApiKeyState, List, NewApiKey, OperatorRole,
};
use secrecy::ExposeSecret;
use store::ledger::api_keys::{
    self, API_KEYS_LIMIT, KeyChange, api_key_add, api_key_find, api_key_list, api_key_revoke, api_key_rotate,
};
use uuid::Uuid;

use super::{paging::Paging, reason::reason_error};
use crate::{app_state::AppState, credentials, problems::OrProblem};

/// Most characters of a name.
const NAME_LENGTH_LIMIT: usize = 100;
/// Most days for which a key may be valid.
const VALID_DAYS_LIMIT: u32 = 366;
/// Most hours for which a replaced key is accepted.
const OVERLAP_HOURS_LIMIT: u32 = 168;

/// List API keys, by name
#[utoipa::path(
    operation_id = "listApiKeys", tag = "operators", security(("bearer" = ["admin"])),
    params(Paging),
    responses((status = 200, body = List<ApiKey>))
)]
#[get("/api/sync/api-keys")]
pub(crate) async fn list_api_keys(
    app: web::Data<AppState>,
    keys: web::Data<OperatorKeys>,
    _admin: Admin,
    paging: web::Query<Paging>,
) -> Result<web::Json<List<ApiKey>>, Problem> {
    let mut db = app.store.db().await.or_problem()?;
    let page = api_key_list(&mut db, paging.window()?).await.or_problem()?;
    let now = app.clock.now();
    Ok(paging.list(page, |key| view(key, &keys, now)))
}

/// Make an API key
///
/// The answer has its secret, which is stored nowhere. The key is accepted by all processes within seconds.
#[utoipa::path(
    operation_id = "createApiKey", tag = "operators", security(("bearer" = ["admin"])),
    request_body = ApiKeyRequest,
    responses(
        (status = 201, body = NewApiKey, description = "The key, with its secret"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "There are as many keys as can be kept"),
    )
)]
#[post("/api/sync/api-keys")]
pub(crate) async fn create_api_key(
    app: web::Data<AppState>,
    keys: web::Data<OperatorKeys>,
    admin: Admin,
    request: JsonBody<ApiKeyRequest>,
) -> Result<(web::Json<NewApiKey>, actix_web::http::StatusCode), Problem> {
    refuse_api_key(&admin)?;
    let ApiKeyRequest { name, role, valid_days, reason } = request.into_inner();
    let mut errors: Vec<_> = reason_error(reason.as_deref()).into_iter().collect();
    errors.extend(name_error(&name));
    errors.extend(out_of_range("#/validDays", valid_days, 1, VALID_DAYS_LIMIT));
    refuse(errors)?;
    let (id, now) = (Uuid::now_v7(), app.clock.now());
    let (secret, secret_hash) = new_api_key(id);
    let expires_at = now + TimeDelta::days(i64::from(valid_days));
    let new = api_keys::NewApiKey { id, name: &name, role: role.as_str(), secret_hash, expires_at };
    let mut tx = app.begin(&admin).await?;
    let change = KeyChange { actor: admin.subject(), reason: reason.as_deref(), now };
    let key = api_key_add(&mut tx, &new, change).await.or_problem()?.ok_or_else(too_many)?;
    tx.commit().await.or_problem()?;
    credentials::refresh_now(&app.store, &keys).await;
    let secret = secret.expose_secret().to_owned();
    Ok((web::Json(NewApiKey { key: view(key, &keys, now), secret }), actix_web::http::StatusCode::CREATED))
}

/// Replace an API key
///
/// Makes a key of the same name and role. The old one is accepted for a while, so that the service can change over.
#[utoipa::path(
    operation_id = "rotateApiKey", tag = "operators", security(("bearer" = ["admin"])),
    params(("id" = Uuid, Path, description = "Id of the old key")),
    request_body = ApiKeyRotation,
    responses(
        (status = 201, body = NewApiKey, description = "The new key, with its secret"),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "There is no such key"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The key has ended or was replaced, or there are as many keys as can be kept"),
    )
)]
#[post("/api/sync/api-keys/{id}/rotate")]
pub(crate) async fn rotate_api_key(
    app: web::Data<AppState>,
    keys: web::Data<OperatorKeys>,
    admin: Admin,
    id: web::Path<Uuid>,
    request: JsonBody<ApiKeyRotation>,
) -> Result<(web::Json<NewApiKey>, actix_web::http::StatusCode), Problem> {
    refuse_api_key(&admin)?;
    let ApiKeyRotation { overlap_hours, valid_days, reason } = request.into_inner();
    let mut errors: Vec<_> = reason_error(reason.as_deref()).into_iter().collect();
    errors.extend(out_of_range("#/validDays", valid_days, 1, VALID_DAYS_LIMIT));
    errors.extend(out_of_range("#/overlapHours", overlap_hours, 0, OVERLAP_HOURS_LIMIT));
    refuse(errors)?;
    let now = app.clock.now();
    let mut tx = app.begin(&admin).await?;
    let old = api_key_find(&mut tx, *id).await.or_problem()?.ok_or_else(not_found)?;
    if state(&old, &keys, now) != ApiKeyState::Active {
        let detail = "This key has ended. Create a new one.";
        return Err(Problem::conflict("api_key_ended", detail));
    }
    if old.replaced_by.is_some() {
        let detail = "This key was replaced before. Replace the new one, or create another.";
        return Err(Problem::conflict("api_key_replaced", detail));
    }
    let new_id = Uuid::now_v7();
    let (secret, secret_hash) = new_api_key(new_id);
    let new = api_keys::NewApiKey {
        id: new_id,
        name: &old.name,
        role: &old.role,
        secret_hash,
        expires_at: now + TimeDelta::days(i64::from(valid_days)),
    };
    let change = KeyChange { actor: admin.subject(), reason: reason.as_deref(), now };
    let ends_at = now + TimeDelta::hours(i64::from(overlap_hours));
    let rotated = api_key_rotate(&mut tx, &old, ends_at, &new, change).await.or_problem()?;
    let key = rotated.ok_or_else(too_many)?;
    tx.commit().await.or_problem()?;
    credentials::refresh_now(&app.store, &keys).await;
    let secret = secret.expose_secret().to_owned();
    Ok((web::Json(NewApiKey { key: view(key, &keys, now), secret }), actix_web::http::StatusCode::CREATED))
}

/// Revoke an API key
///
/// It ends at once in this process, and within seconds in all others, also on open event streams.
#[utoipa::path(
    operation_id = "revokeApiKey", tag = "operators", security(("bearer" = ["admin"])),
    params(("id" = Uuid, Path, description = "Id of the key")),
    responses(
        (status = 200, body = ApiKey),
        (status = 404, body = ProblemBody, content_type = "application/problem+json",
            description = "There is no such key"),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "It was revoked before"),
    )
)]
#[delete("/api/sync/api-keys/{id}")]
pub(crate) async fn revoke_api_key(
    app: web::Data<AppState>,
    keys: web::Data<OperatorKeys>,
    admin: Admin,
    id: web::Path<Uuid>,
) -> Result<web::Json<ApiKey>, Problem> {
    let now = app.clock.now();
    let mut tx = app.begin(&admin).await?;
    if api_key_find(&mut tx, *id).await.or_problem()?.is_none() {
        return Err(not_found());
    }
    let change = KeyChange { actor: admin.subject(), reason: None, now };
    let revoked = api_key_revoke(&mut tx, *id, change).await.or_problem()?;
    let key = revoked.ok_or_else(|| Problem::conflict("api_key_ended", "This key was revoked before."))?;
    tx.commit().await.or_problem()?;
    credentials::refresh_now(&app.store, &keys).await;
    Ok(web::Json(view(key, &keys, now)))
}

/// A key that made keys would outlive its own end.
fn refuse_api_key(admin: &Admin) -> Result<(), Problem> {
    if admin.is_api_key() {
        return Err(Problem::forbidden(
            "api_key_refused",
            "API keys are made by people: no API key can make one.",
        ));
    }
    Ok(())
}

fn refuse(errors: Vec<FieldError>) -> Result<(), Problem> {
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid("The API key cannot be made so.", errors)) }
}

fn name_error(name: &str) -> Option<FieldError> {
    let is_fine = !name.is_empty()
        && name.trim() == name
        && name.chars().count() <= NAME_LENGTH_LIMIT
        && !name.chars().any(char::is_control);
    (!is_fine).then(|| {
        let detail = format!(
            "must have from 1 to {NAME_LENGTH_LIMIT} characters that can be read, and no blank at its ends"
        );
        FieldError::new("#/name", "out_of_range", detail)
    })
}

fn out_of_range(pointer: &str, value: u32, least: u32, most: u32) -> Option<FieldError> {
    (!(least..=most).contains(&value)).then(|| {
        FieldError::new(pointer, "out_of_range", format!("must be from {least} to {most}, is {value}"))
    })
}

fn too_many() -> Problem {
    let detail = format!(
        "There are {API_KEYS_LIMIT} keys that have not ended, which is the most. Revoke one that nobody needs."
    );
    Problem::conflict("too_many_api_keys", detail)
}

fn not_found() -> Problem {
    Problem::not_found("api_key_not_found", "There is no API key with this id.")
}

fn state(key: &api_keys::ApiKey, keys: &OperatorKeys, now: DateTime<Utc>) -> ApiKeyState {
    let subject = format!("{API_KEY_SUBJECT_PREFIX}{}", key.name);
    let created_at = u64::try_from(key.created_at.timestamp()).unwrap_or_default();
    let is_listed = || keys.revocations().includes(Some(&key.id.to_string()), &subject, created_at);
    if key.revoked_at.is_some() {
        ApiKeyState::Revoked
    } else if key.expires_at <= now {
        // Before the list of revocations, which has expired keys, too: their event streams end by it.
        ApiKeyState::Expired
    } else if is_listed() {
        // Whoever revoked all tokens of the subject meant this key, too.
        ApiKeyState::Revoked
    } else {
        ApiKeyState::Active
    }
}

fn view(key: api_keys::ApiKey, keys: &OperatorKeys, now: DateTime<Utc>) -> ApiKey {
    ApiKey {
        state: state(&key, keys, now),
        id: key.id,
        name: key.name,
        // The table's CHECK knows the same words.
        role: key.role.parse().unwrap_or(OperatorRole::Viewer),
        created_at: key.created_at,
        created_by: key.created_by,
        expires_at: key.expires_at,
        revoked_at: key.revoked_at,
        last_used_at: key.last_used_at,
    }
}
