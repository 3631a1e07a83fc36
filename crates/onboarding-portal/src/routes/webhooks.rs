//! How webhooks went, and what can be done about it.

use actix_web::{HttpResponse, get, http::StatusCode, post, web};
use chassis::{
    config::ExposeSecret,
    problem::{Problem, ProblemBody},
};
use chrono::{DateTime, Utc};
use contracts::webhook::EventType;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Desk, OrProblem, access::Admin};
use crate::{
    endpoint,
    outbox::{
        self, Owed,
        messages::{self, Again, MessageDetail, MessageFilter, MessagePage},
    },
};

const MOST: u32 = 200;

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Messages {
    /// `pending`, `delivered` or `failed`.
    state: Option<String>,
    /// As `vessel.approved`.
    event_type: Option<String>,
    /// Only those about this record.
    record_id: Option<String>,
    /// Messages per page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// `nextCursor` of the page before.
    cursor: Option<i64>,
}

/// Webhooks, newest first
#[utoipa::path(
    operation_id = "listMessages", tag = "webhooks", params(Messages),
    responses((status = 200, body = MessagePage))
)]
#[get("/api/webhooks/messages")]
pub(crate) async fn list_messages(
    desk: web::Data<Desk>,
    _admin: Admin,
    query: web::Query<Messages>,
) -> Result<web::Json<MessagePage>, Problem> {
    let Messages { state, event_type, record_id, limit, cursor } = query.into_inner();
    let limit = limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        let detail = format!("`limit` must be from 1 to {MOST}.");
        return Err(Problem::bad_request("invalid_query", detail).with("parameter", "limit"));
    }
    let filter = MessageFilter { state, event_type, record_id, before: cursor, limit };
    let mut db = desk.database.connection().await.or_problem()?;
    Ok(web::Json(messages::messages(&mut db, &filter).await.or_problem()?))
}

/// A webhook, with its body and every attempt
#[utoipa::path(
    operation_id = "getMessage", tag = "webhooks", params(("id" = String, Path)),
    responses((status = 200, body = MessageDetail))
)]
#[get("/api/webhooks/messages/{id}")]
pub(crate) async fn get_message(
    desk: web::Data<Desk>,
    _admin: Admin,
    id: web::Path<String>,
) -> Result<web::Json<MessageDetail>, Problem> {
    let mut db = desk.database.connection().await.or_problem()?;
    let found = messages::message(&mut db, &id).await.or_problem()?;
    Ok(web::Json(found.ok_or_else(|| no_such_message(&id))?))
}

fn no_such_message(id: &str) -> Problem {
    Problem::not_found("message_unknown", format!("There is no webhook with the id {id}."))
}

/// A webhook that is on its way.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnItsWay {
    /// The webhook-id.
    webhook_id: String,
}

/// Send a webhook again
///
/// Under the same webhook-id, whether it arrived or was given up, and with the whole schedule of retries before it.
#[utoipa::path(
    operation_id = "redeliverMessage", tag = "webhooks", params(("id" = String, Path)),
    responses(
        (status = 202, body = OnItsWay),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "It is being sent just now"),
    )
)]
#[post("/api/webhooks/messages/{id}/redeliver")]
pub(crate) async fn redeliver(
    desk: web::Data<Desk>,
    _admin: Admin,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let mut db = desk.database.connection().await.or_problem()?;
    match messages::redeliver(&mut db, &id, desk.clock.now()).await.or_problem()? {
        Again::Due => {
            desk.sender.wake();
            Ok(HttpResponse::Accepted().json(OnItsWay { webhook_id: id.into_inner() }))
        }
        Again::BeingSent => Err(Problem::conflict("being_sent", "It is being sent just now.")),
        Again::Unknown => Err(no_such_message(&id)),
    }
}

/// From when on to recover.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Recover {
    /// Webhooks owed at this time or later.
    since: DateTime<Utc>,
    /// And before this time, if given.
    until: Option<DateTime<Utc>>,
}

/// What was recovered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recovered {
    /// Webhooks that are due now.
    messages: usize,
}

/// Send again what has not arrived since a time
///
/// Those that were given up, and those that wait for their next attempt.
#[utoipa::path(
    operation_id = "recoverMessages", tag = "webhooks", request_body = Recover,
    responses((status = 202, body = Recovered))
)]
#[post("/api/webhooks/recover")]
pub(crate) async fn recover(
    desk: web::Data<Desk>,
    _admin: Admin,
    which: web::Json<Recover>,
) -> Result<HttpResponse, Problem> {
    let Recover { since, until } = which.into_inner();
    let mut db = desk.database.connection().await.or_problem()?;
    let messages = messages::recover(&mut db, since, until, desk.clock.now()).await.or_problem()?;
    desk.sender.wake();
    Ok(HttpResponse::Accepted().json(Recovered { messages }))
}

/// Send a test event
///
/// `test.ping` proves that the endpoint is reached and the secret agreed; it changes nothing.
#[utoipa::path(operation_id = "sendTestEvent", tag = "webhooks", responses((status = 202, body = OnItsWay)))]
#[post("/api/webhooks/test")]
pub(crate) async fn send_test(desk: web::Data<Desk>, _admin: Admin) -> Result<HttpResponse, Problem> {
    let mut db = desk.database.connection().await.or_problem()?;
    let owed = Owed { event_type: EventType::TestPing, about: None, updated_at: None, imo: None };
    let webhook_id = outbox::owe(&mut db, owed, desk.clock.now()).await.or_problem()?;
    desk.sender.wake();
    Ok(HttpResponse::Accepted().json(OnItsWay { webhook_id }))
}

/// The endpoint that webhooks go to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Endpoint {
    /// Its address; absent: there is none, and webhooks wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// `enabled` or `disabled`.
    state: String,
    /// What a person should look at now.
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<String>,
    /// Since when it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<DateTime<Utc>>,
    /// Until when it asked to be left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<DateTime<Utc>>,
    /// Its first failure after its last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<DateTime<Utc>>,
    /// Failures since then.
    consecutive_failures: i32,
    /// When it last took a webhook; to within ten seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success_at: Option<DateTime<Utc>>,
    /// Webhooks that have not arrived yet.
    pending: i64,
    /// The secrets that sign, the current one first.
    secrets: Vec<SecretInUse>,
}

/// A secret that signs, by the name that may be shown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretInUse {
    /// Its name.
    id: String,
    /// Since when it is in use.
    created_at: DateTime<Utc>,
    /// Until when; absent: it is the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
}

/// How the endpoint is doing
#[utoipa::path(operation_id = "getEndpoint", tag = "webhooks", responses((status = 200, body = Endpoint)))]
#[get("/api/webhooks/endpoint")]
pub(crate) async fn get_endpoint(
    desk: web::Data<Desk>,
    _admin: Admin,
) -> Result<web::Json<Endpoint>, Problem> {
    Ok(web::Json(endpoint_now(&desk).await?))
}

async fn endpoint_now(desk: &Desk) -> Result<Endpoint, Problem> {
    let now = desk.clock.now();
    let mut db = desk.database.connection().await.or_problem()?;
    let health = endpoint::health(&mut db).await.or_problem()?;
    let secrets = endpoint::secret_names(&mut db, now).await.or_problem()?;
    let backlog = outbox::backlog(&mut db).await.or_problem()?;
    let failing = health.failing_since.map(|since| {
        let (failures, last) =
            (health.consecutive_failures, health.last_failure.as_deref().unwrap_or("unknown"));
        format!("It has taken nothing since {since}: {failures} failures, the last: {last}.")
    });
    Ok(Endpoint {
        url: Some(desk.url.clone()).filter(|url| !url.is_empty()),
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

/// Send to the endpoint again
///
/// What was owed meanwhile leaves at once.
#[utoipa::path(operation_id = "enableEndpoint", tag = "webhooks", responses((status = 200, body = Endpoint)))]
#[post("/api/webhooks/endpoint/enable")]
pub(crate) async fn enable_endpoint(
    desk: web::Data<Desk>,
    _admin: Admin,
) -> Result<web::Json<Endpoint>, Problem> {
    let mut db = desk.database.connection().await.or_problem()?;
    endpoint::enable(&mut db).await.or_problem()?;
    drop(db);
    desk.sender.wake();
    Ok(web::Json(endpoint_now(&desk).await?))
}

/// Send nothing to the endpoint
///
/// What is owed waits until it is enabled.
#[utoipa::path(operation_id = "disableEndpoint", tag = "webhooks", responses((status = 200, body = Endpoint)))]
#[post("/api/webhooks/endpoint/disable")]
pub(crate) async fn disable_endpoint(
    desk: web::Data<Desk>,
    _admin: Admin,
) -> Result<web::Json<Endpoint>, Problem> {
    let mut db = desk.database.connection().await.or_problem()?;
    endpoint::disable(&mut db, "Somebody disabled it by hand.", desk.clock.now()).await.or_problem()?;
    drop(db);
    Ok(web::Json(endpoint_now(&desk).await?))
}

/// A new secret, shown this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewSecret {
    /// The name that may be shown.
    id: String,
    /// To be told to the receiver.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    /// Until when the secret before it signs, too.
    previous_expires_at: DateTime<Utc>,
}

/// Rotate the secret
///
/// From now on webhooks carry two signatures, until the secret before this one expires. This answer is the only one that
/// shows the new secret.
#[utoipa::path(operation_id = "rotateSecret", tag = "webhooks", responses((status = 201, body = NewSecret)))]
#[post("/api/webhooks/endpoint/rotate-secret")]
pub(crate) async fn rotate_secret(desk: web::Data<Desk>, _admin: Admin) -> Result<HttpResponse, Problem> {
    let mut db = desk.database.connection().await.or_problem()?;
    let rotated = endpoint::rotate(&mut db, desk.overlap, desk.clock.now()).await.or_problem()?;
    tracing::info!(webhook.key = rotated.id, "the webhook secret was rotated");
    let secret = rotated.secret.expose_secret().to_owned();
    let body = NewSecret { id: rotated.id, secret, previous_expires_at: rotated.previous_expires_at };
    Ok(HttpResponse::build(StatusCode::CREATED).json(body))
}
