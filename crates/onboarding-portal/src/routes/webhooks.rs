//! Webhook messages and their endpoint, for the portal's own people.

use actix_web::{HttpResponse, get, http::StatusCode, post, web};
use chassis::{
    config::ExposeSecret,
    http::JsonBody,
    problem::{Problem, ProblemBody},
};
use chrono::{DateTime, Utc};
use contracts::webhook::EventType;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{AppState, OrProblem, access::Admin};
use crate::{
    endpoint,
    outbox::{
        self, NewMessage,
        messages::{self, MessageDetail, MessageFilter, MessagePage, Redelivery},
    },
};

const PAGE_LIMIT: u32 = 200;
const DEFAULT_PAGE: u32 = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageParameters {
    /// `pending`, `delivered` or `failed`.
    state: Option<String>,
    /// Event type, such as `vessel.approved`.
    event_type: Option<String>,
    /// Only messages about this record.
    record_id: Option<String>,
    /// Messages per page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the previous page.
    cursor: Option<i64>,
}

/// List webhooks, newest first
#[utoipa::path(
    operation_id = "listMessages", tag = "webhooks", params(MessageParameters),
    responses((status = 200, body = MessagePage))
)]
#[get("/api/webhooks/messages")]
pub(crate) async fn list_messages(
    app: web::Data<AppState>,
    _admin: Admin,
    query: web::Query<MessageParameters>,
) -> Result<web::Json<MessagePage>, Problem> {
    let MessageParameters { state, event_type, record_id, limit, cursor } = query.into_inner();
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=PAGE_LIMIT).contains(&limit) {
        let detail = format!("`limit` must be from 1 to {PAGE_LIMIT}.");
        return Err(Problem::bad_request("invalid_query", detail).with("parameter", "limit"));
    }
    let filter = MessageFilter { state, event_type, record_id, before: cursor, limit };
    let mut db = app.database.connection().await.or_problem()?;
    Ok(web::Json(messages::list_messages(&mut db, &filter).await.or_problem()?))
}

/// Get a webhook with its body and every attempt
#[utoipa::path(
    operation_id = "getMessage", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = MessageDetail))
)]
#[get("/api/webhooks/messages/{id}")]
pub(crate) async fn get_message(
    app: web::Data<AppState>,
    _admin: Admin,
    id: web::Path<String>,
) -> Result<web::Json<MessageDetail>, Problem> {
    let mut db = app.database.connection().await.or_problem()?;
    let found = messages::find_message(&mut db, &id).await.or_problem()?;
    Ok(web::Json(found.ok_or_else(|| message_not_found(&id))?))
}

fn message_not_found(id: &str) -> Problem {
    Problem::not_found("message_unknown", format!("No webhook has the id {id}."))
}

/// A webhook that was queued.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueuedWebhook {
    /// The webhook-id.
    webhook_id: String,
}

/// Send a webhook again
///
/// Under the same webhook-id, whether it was delivered or given up, and with all retries.
#[utoipa::path(
    operation_id = "redeliverMessage", tag = "webhooks", params(("id" = String, Path)),
    responses(
        (status = 202, body = QueuedWebhook),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "An attempt is under way"),
    )
)]
#[post("/api/webhooks/messages/{id}/redeliver")]
pub(crate) async fn redeliver(
    app: web::Data<AppState>,
    _admin: Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut db = app.database.connection().await.or_problem()?;
    match messages::redeliver(&mut db, &id, app.clock.now()).await.or_problem()? {
        Redelivery::Queued => {
            app.sender.wake();
            Ok(HttpResponse::Accepted().json(QueuedWebhook { webhook_id: id.into_inner() }))
        }
        Redelivery::BeingSent => {
            Err(Problem::conflict("being_sent", "An attempt is under way. Try again when it has ended."))
        }
        Redelivery::NotFound => Err(message_not_found(&id)),
    }
}

/// Time range of the webhooks to recover.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RecoverRequest {
    /// Webhooks queued at this time or later.
    since: DateTime<Utc>,
    /// Webhooks queued before this time.
    until: Option<DateTime<Utc>>,
}

/// Result of a recovery.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recovered {
    /// Number of webhooks that are due now.
    messages: usize,
}

/// Send all undelivered webhooks of a time range again
///
/// Both webhooks that were given up and webhooks that wait for their next attempt.
#[utoipa::path(
    operation_id = "recoverMessages", tag = "webhooks", request_body = RecoverRequest,
    responses((status = 202, body = Recovered))
)]
#[post("/api/webhooks/recover")]
pub(crate) async fn recover(
    app: web::Data<AppState>,
    _admin: Admin,
    range: JsonBody<RecoverRequest>,
) -> Result<HttpResponse, Problem> {
    let RecoverRequest { since, until } = range.into_inner();
    let mut db = app.database.connection().await.or_problem()?;
    let messages = messages::recover(&mut db, since, until, app.clock.now()).await.or_problem()?;
    app.sender.wake();
    Ok(HttpResponse::Accepted().json(Recovered { messages }))
}

/// Send a test event
///
/// `test.ping` proves that the endpoint is reached and that it has the same secret. It changes nothing.
#[utoipa::path(operation_id = "sendTestEvent", tag = "webhooks", responses((status = 202, body = QueuedWebhook)))]
#[post("/api/webhooks/test")]
pub(crate) async fn send_test(app: web::Data<AppState>, _admin: Admin) -> Result<HttpResponse, Problem> {
    let mut db = app.database.connection().await.or_problem()?;
    let message = NewMessage { event_type: EventType::TestPing, about: None, updated_at: None, imo: None };
    let webhook_id = outbox::enqueue(&mut db, message, app.clock.now()).await.or_problem()?;
    app.sender.wake();
    Ok(HttpResponse::Accepted().json(QueuedWebhook { webhook_id }))
}

/// The endpoint that webhooks go to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Endpoint {
    /// Absent if none is configured: then webhooks stay pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// `enabled` or `disabled`.
    state: String,
    /// A problem that a person should look at now.
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<String>,
    /// When the endpoint was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<DateTime<Utc>>,
    /// Until when the endpoint asked for a pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<DateTime<Utc>>,
    /// The first failure after the last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<DateTime<Utc>>,
    /// Failures since the last success.
    consecutive_failures: i32,
    /// The last success, to within ten seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success_at: Option<DateTime<Utc>>,
    /// Number of pending webhooks.
    pending: i64,
    /// The secrets in use, the current one first.
    secrets: Vec<SecretInUse>,
}

/// A signing secret by its name. The secret itself is not shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretInUse {
    /// Name of the secret.
    id: String,
    created_at: DateTime<Utc>,
    /// Absent for the current secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

/// Get the endpoint's health
#[utoipa::path(operation_id = "getEndpoint", tag = "webhooks", responses((status = 200, body = Endpoint)))]
#[get("/api/webhooks/endpoint")]
pub(crate) async fn get_endpoint(
    app: web::Data<AppState>,
    _admin: Admin,
) -> Result<web::Json<Endpoint>, Problem> {
    Ok(web::Json(load_endpoint(&app).await?))
}

async fn load_endpoint(app: &AppState) -> Result<Endpoint, Problem> {
    let now = app.clock.now();
    let mut db = app.database.connection().await.or_problem()?;
    let health = endpoint::health(&mut db).await.or_problem()?;
    let secrets = endpoint::secret_names(&mut db, now).await.or_problem()?;
    let backlog = outbox::backlog(&mut db).await.or_problem()?;
    let failing = health.failing_since.map(|since| {
        let (failures, last) =
            (health.consecutive_failures, health.last_failure.as_deref().unwrap_or("unknown"));
        format!("The endpoint has accepted no webhook since {since}: {failures} failures, the last: {last}.")
    });
    Ok(Endpoint {
        url: Some(app.webhook_url.clone()).filter(|url| !url.is_empty()),
        alert: health.reason.or(failing),
        state: health.state,
        disabled_at: health.disabled_at,
        paused_until: health.paused_until.filter(|until| *until > now),
        failing_since: health.failing_since,
        consecutive_failures: health.consecutive_failures,
        last_success_at: health.last_success_at,
        pending: backlog.pending,
        secrets: secrets
            .into_iter()
            .map(|it| SecretInUse { id: it.id, created_at: it.created_at, expires_at: it.expires_at })
            .collect(),
    })
}

/// Enable the endpoint
///
/// Pending webhooks are sent at once.
#[utoipa::path(operation_id = "enableEndpoint", tag = "webhooks", responses((status = 200, body = Endpoint)))]
#[post("/api/webhooks/endpoint/enable")]
pub(crate) async fn enable_endpoint(
    app: web::Data<AppState>,
    _admin: Admin,
) -> Result<web::Json<Endpoint>, Problem> {
    let mut db = app.database.connection().await.or_problem()?;
    endpoint::enable(&mut db).await.or_problem()?;
    drop(db);
    app.sender.wake();
    Ok(web::Json(load_endpoint(&app).await?))
}

/// Disable the endpoint
///
/// Webhooks stay pending until somebody enables it.
#[utoipa::path(operation_id = "disableEndpoint", tag = "webhooks", responses((status = 200, body = Endpoint)))]
#[post("/api/webhooks/endpoint/disable")]
pub(crate) async fn disable_endpoint(
    app: web::Data<AppState>,
    _admin: Admin,
) -> Result<web::Json<Endpoint>, Problem> {
    let mut db = app.database.connection().await.or_problem()?;
    endpoint::disable(&mut db, "Somebody disabled the endpoint by hand.", app.clock.now())
        .await
        .or_problem()?;
    drop(db);
    Ok(web::Json(load_endpoint(&app).await?))
}

/// A new secret. No other answer shows it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewSecret {
    /// Name of the secret.
    id: String,
    /// Enter this at the receiver.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    /// Until then webhooks are signed with the previous secret, too.
    previous_expires_at: DateTime<Utc>,
}

/// Rotate the secret
///
/// Webhooks carry two signatures until the previous secret expires. Only this answer shows the new secret.
#[utoipa::path(operation_id = "rotateSecret", tag = "webhooks", responses((status = 201, body = NewSecret)))]
#[post("/api/webhooks/endpoint/rotate-secret")]
pub(crate) async fn rotate_secret(app: web::Data<AppState>, _admin: Admin) -> Result<HttpResponse, Problem> {
    let mut db = app.database.connection().await.or_problem()?;
    let rotated =
        endpoint::rotate_secret(&mut db, app.rotation_overlap, app.clock.now()).await.or_problem()?;
    tracing::info!(webhook.key = rotated.id, "the webhook secret was rotated");
    let secret = rotated.secret.expose_secret().to_owned();
    let body = NewSecret { id: rotated.id, secret, previous_expires_at: rotated.previous_expires_at };
    Ok(HttpResponse::build(StatusCode::CREATED).json(body))
}
