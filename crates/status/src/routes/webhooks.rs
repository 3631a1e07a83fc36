//! Webhook events: list and show them. `reprocessing.rs` reprocesses them; `refused_webhooks.rs` lists requests that became
//! no event.

use actix_web::{HttpRequest, HttpResponse, get, http::header, web};
use actix_web_lab::extract::Query;
use chassis::{
    auth::{OperatorRole, Viewer},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use contracts::operator::{List, RecordType, WebhookEvent, WebhookEventDetail, WebhookState};
use domain::{WebhookEventId, audit::AuditAction};
use serde::Deserialize;
use serde_json::json;
use store::ledger::{
    attempts,
    webhook_events::{self, WebhookFilter},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::CursorPaging;
use crate::{
    app_state::AppState,
    problems::OrProblem,
    saturating::to_i64,
    views::{syncs::attempt, webhooks::webhook_event},
};

/// Most attempts that the answer lists, newest first.
const ATTEMPTS_LIMIT: u32 = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct WebhookQuery {
    /// Only events in this state, or in one of these.
    #[serde(default)]
    state: Vec<WebhookState>,
    /// Only events of this type, like `vessel.approved`.
    event_type: Option<String>,
    /// Only events about records of this type.
    record_type: Option<RecordType>,
    /// Only events about the record with this id in the onboarding portal.
    source_id: Option<String>,
    /// Only the event with this `webhook-id`.
    webhook_id: Option<String>,
    /// Only events received at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only events received before this time.
    to: Option<DateTime<Utc>>,
}

/// List webhook events, newest first
#[utoipa::path(
    operation_id = "listWebhooks", tag = "webhooks", security(("bearer" = ["viewer"])),
    params(CursorPaging, WebhookQuery),
    responses((status = 200, body = List<WebhookEvent>, headers(("Link", description = "`rel=\"next\"`: the next page, if there is one"))))
)]
#[get("/api/sync/webhooks")]
pub(crate) async fn list_webhooks(
    app: web::Data<AppState>,
    _viewer: Viewer,
    request: HttpRequest,
    paging: Query<CursorPaging>,
    query: Query<WebhookQuery>,
) -> Result<HttpResponse, Problem> {
    let window = paging.window("webhooks")?;
    let query = query.into_inner();
    let filter = WebhookFilter {
        ids: Vec::new(),
        states: query.state.into_iter().map(Into::into).collect(),
        event_type: query.event_type,
        record_type: query.record_type.map(Into::into),
        source_id: query.source_id,
        webhook_id: query.webhook_id,
        from: query.from,
        until: query.to,
    };
    let mut db = app.store.db().await.or_problem()?;
    let page = webhook_events::webhook_event_list(&mut db, &filter, window).await.or_problem()?;
    Ok(paging.list(&request, "webhooks", page, |row| (row.received_at, row.id), webhook_event))
}

/// Get a webhook event with its attempts
#[utoipa::path(
    operation_id = "getWebhook", tag = "webhooks", security(("bearer" = ["viewer"])),
    responses((status = 200, body = WebhookEventDetail))
)]
#[get("/api/sync/webhooks/{id}")]
pub(crate) async fn get_webhook(
    app: web::Data<AppState>,
    _viewer: Viewer,
    id: web::Path<Uuid>,
) -> Result<web::Json<WebhookEventDetail>, Problem> {
    let id = WebhookEventId::from_uuid(id.into_inner());
    let mut db = app.store.db().await.or_problem()?;
    let event = webhook_events::webhook_event_find(&mut db, id).await.or_problem()?;
    let event = event.ok_or_else(|| webhook_not_found(id))?;
    let body = webhook_events::webhook_event_body(&mut db, id).await.or_problem()?;
    let attempts = attempts::attempts_of(&mut db, &id.to_string(), ATTEMPTS_LIMIT).await.or_problem()?;
    Ok(web::Json(WebhookEventDetail {
        summary: webhook_event(event),
        body_bytes: to_i64(body.map_or(0, |body| body.len())),
        attempts_made: attempts.into_iter().map(attempt).collect(),
    }))
}

/// Get the body of a webhook event, byte for byte as it was signed
///
/// Needs the role operator: a sender may put more into a body than ids. Who reads it is in the audit log.
#[utoipa::path(
    operation_id = "getWebhookRawBody", tag = "webhooks", security(("bearer" = ["operator"])),
    responses((status = 200, content_type = "application/octet-stream", description = "The body"))
)]
#[get("/api/sync/webhooks/{id}/raw-body")]
pub(crate) async fn get_webhook_raw_body(
    app: web::Data<AppState>,
    operator: OperatorRole,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let id = WebhookEventId::from_uuid(id.into_inner());
    let mut db = app.store.db().await.or_problem()?;
    let body = webhook_events::webhook_event_body(&mut db, id).await.or_problem()?;
    let body = body.ok_or_else(|| webhook_not_found(id))?;
    drop(db);
    let (action, detail) = (AuditAction::WebhookReadBody, json!({ "bytes": body.len() }));
    app.record_reading(&operator, action, &id.to_string(), &detail).await?;
    // A browser must save the bytes of another system, not show them as a page of this origin.
    let name = format!("attachment; filename=\"{id}.json\"");
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(body))
}

pub(super) fn webhook_not_found(id: WebhookEventId) -> Problem {
    Problem::not_found("webhook_not_found", format!("There is no webhook event {id}."))
}
