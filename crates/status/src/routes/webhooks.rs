//! Webhooks: the events that were taken, which can be processed again, and the requests that were refused.

use actix_web::{HttpResponse, get, http::header, post, web};
use chassis::{
    auth::{OperatorRole, Viewer},
    problem::{FieldError, Problem, ProblemBody},
};
use chrono::{DateTime, Utc};
use contracts::operator::{
    List, RecordType, RefusedWebhook, ReprocessAccepted, ReprocessPlan, ReprocessRequest, WebhookEvent,
    WebhookEventDetail, WebhookRefusal, WebhookState,
};
use domain::WebhookEventId;
use serde::Deserialize;
use store::ledger::{
    refused_webhooks::{self, RefusedFilter},
    webhook_events::{self, ReprocessOrder, WebhookFilter},
};
use utoipa::IntoParams;
use uuid::Uuid;

use super::paging::Paging;
use crate::{desk::Desk, failure::OrProblem, views};

/// Most events that one request sets back: more come with the next.
const MOST_REPROCESSED: u32 = 10_000;
/// Most attempts that are shown with an event.
const ATTEMPTS_SHOWN: u32 = 50;
/// Longest reason that is kept, in characters.
const LONGEST_REASON: usize = 500;

/// Which webhook events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct EventQuery {
    /// Only events in this state.
    state: Option<WebhookState>,
    /// Only events of this type, like `vessel.approved`.
    event_type: Option<String>,
    /// Only events about this kind of record.
    record_type: Option<RecordType>,
    /// Only events about the record with this id in the onboarding portal.
    source_id: Option<String>,
    /// Only the event under this `webhook-id`.
    webhook_id: Option<String>,
    /// Only events received at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only events received before this time.
    to: Option<DateTime<Utc>>,
}

/// Webhook events, newest first
#[utoipa::path(
    operation_id = "listWebhooks", tag = "webhooks",
    params(Paging, EventQuery),
    responses((status = 200, body = List<WebhookEvent>))
)]
#[get("/api/sync/webhooks")]
pub(crate) async fn list(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
    query: web::Query<EventQuery>,
) -> Result<web::Json<List<WebhookEvent>>, Problem> {
    let window = paging.window()?;
    let query = query.into_inner();
    let filter = WebhookFilter {
        ids: Vec::new(),
        states: query.state.map(Into::into).into_iter().collect(),
        event_type: query.event_type,
        record_type: query.record_type.map(Into::into),
        source_id: query.source_id,
        webhook_id: query.webhook_id,
        from: query.from,
        until: query.to,
    };
    let mut db = desk.store.db().await.or_problem()?;
    let page = webhook_events::webhook_event_list(&mut db, &filter, window).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    Ok(web::Json(List { data: page.rows.into_iter().map(views::webhook_event).collect(), pagination }))
}

/// Which refused requests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct RefusedQuery {
    /// Only requests refused for this reason.
    reason: Option<WebhookRefusal>,
    /// Only requests that claimed this `webhook-id`.
    webhook_id: Option<String>,
    /// Only requests received at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only requests received before this time.
    to: Option<DateTime<Utc>>,
}

/// Refused requests to the webhook endpoint, newest first
///
/// A sample of bounded size: `alike` counts what has no entry of its own. Neither bodies nor signatures are kept.
#[utoipa::path(
    operation_id = "listRefusedWebhooks", tag = "webhooks",
    params(Paging, RefusedQuery),
    responses((status = 200, body = List<RefusedWebhook>))
)]
#[get("/api/sync/webhooks/refused")]
pub(crate) async fn list_refused(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    paging: web::Query<Paging>,
    query: web::Query<RefusedQuery>,
) -> Result<web::Json<List<RefusedWebhook>>, Problem> {
    let window = paging.window()?;
    let query = query.into_inner();
    let filter = RefusedFilter {
        reasons: query.reason.map(Into::into).into_iter().collect(),
        webhook_id: query.webhook_id,
        from: query.from,
        until: query.to,
    };
    let mut db = desk.store.db().await.or_problem()?;
    let page = refused_webhooks::refused_webhook_list(&mut db, &filter, window).await.or_problem()?;
    let pagination = paging.with_total(page.total);
    Ok(web::Json(List { data: page.rows.into_iter().map(views::refused_webhook).collect(), pagination }))
}

/// A webhook event, whole
#[utoipa::path(operation_id = "getWebhook", tag = "webhooks", responses((status = 200, body = WebhookEventDetail)))]
#[get("/api/sync/webhooks/{id}")]
pub(crate) async fn find(
    desk: web::Data<Desk>,
    _viewer: Viewer,
    id: web::Path<Uuid>,
) -> Result<web::Json<WebhookEventDetail>, Problem> {
    let id = WebhookEventId::from_uuid(id.into_inner());
    let mut db = desk.store.db().await.or_problem()?;
    let event = webhook_events::webhook_event_find(&mut db, id).await.or_problem()?;
    let event = event.ok_or_else(|| no_such_event(id))?;
    let body = webhook_events::webhook_event_body(&mut db, id).await.or_problem()?;
    let attempts =
        store::ledger::attempts::attempts_of(&mut db, &id.to_string(), ATTEMPTS_SHOWN).await.or_problem()?;
    Ok(web::Json(WebhookEventDetail {
        summary: views::webhook_event(event),
        body_bytes: i64::try_from(body.map_or(0, |body| body.len())).unwrap_or(i64::MAX),
        attempts_made: attempts.into_iter().map(views::attempt).collect(),
    }))
}

/// The body of a webhook event, byte for byte as it was signed
///
/// For operators: what a sender puts into a body beside the ids is not ours to show to everybody.
#[utoipa::path(
    operation_id = "getWebhookRawBody", tag = "webhooks",
    responses((status = 200, body = String, content_type = "application/octet-stream"))
)]
#[get("/api/sync/webhooks/{id}/raw-body")]
pub(crate) async fn raw_body(
    desk: web::Data<Desk>,
    _operator: OperatorRole,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let id = WebhookEventId::from_uuid(id.into_inner());
    let mut db = desk.store.db().await.or_problem()?;
    let body = webhook_events::webhook_event_body(&mut db, id).await.or_problem()?;
    let body = body.ok_or_else(|| no_such_event(id))?;
    // Somebody else's bytes: to be saved, never to be shown as a page of ours.
    let name = format!("attachment; filename=\"{id}.json\"");
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(body))
}

/// Process a webhook event again
///
/// It is published again, and the record's present state is fetched in a new sync. An event that is ignored, or on its
/// way already, is not.
#[utoipa::path(
    operation_id = "reprocessWebhook", tag = "webhooks",
    responses(
        (status = 202, body = ReprocessAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "There is nothing to do again"),
    )
)]
#[post("/api/sync/webhooks/{id}/reprocess")]
pub(crate) async fn reprocess_one(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let id = WebhookEventId::from_uuid(id.into_inner());
    let event = webhook_events::webhook_event_find(&mut *desk.store.db().await.or_problem()?, id)
        .await
        .or_problem()?;
    let event = event.ok_or_else(|| no_such_event(id))?;
    let filter = WebhookFilter { ids: vec![id], ..WebhookFilter::default() };
    let accepted = reprocess(&desk, &operator, &filter, None).await?;
    if accepted.reprocessing == 0 {
        let state = event.state;
        let detail = format!("It is {state}, so there is nothing to do again.");
        return Err(Problem::conflict("not_reprocessable", detail).with("state", state.as_str()));
    }
    Ok(HttpResponse::Accepted().json(accepted))
}

/// How many webhook events a request to reprocess would take
#[utoipa::path(
    operation_id = "planReprocess", tag = "webhooks",
    request_body = ReprocessRequest,
    responses(
        (status = 200, body = ReprocessPlan),
        (status = 422, body = ProblemBody, content_type = "application/problem+json",
            description = "Not exactly one of `ids` and `filter`"),
    )
)]
#[post("/api/sync/bulk/reprocess/plan")]
pub(crate) async fn plan_reprocess(
    desk: web::Data<Desk>,
    _operator: OperatorRole,
    which: web::Json<ReprocessRequest>,
) -> Result<web::Json<ReprocessPlan>, Problem> {
    let (filter, _reason) = chosen(which.into_inner())?;
    let mut db = desk.store.db().await.or_problem()?;
    let matching = webhook_events::webhook_events_count_reprocessable(&mut db, &filter).await.or_problem()?;
    Ok(web::Json(ReprocessPlan { matching: views::number(matching), at_most: i64::from(MOST_REPROCESSED) }))
}

/// Process many webhook events again
///
/// By id or by filter, at most 10,000 at a time, the oldest first.
#[utoipa::path(
    operation_id = "reprocessWebhooks", tag = "webhooks",
    request_body = ReprocessRequest,
    responses(
        (status = 202, body = ReprocessAccepted),
        (status = 422, body = ProblemBody, content_type = "application/problem+json",
            description = "Not exactly one of `ids` and `filter`"),
    )
)]
#[post("/api/sync/bulk/reprocess")]
pub(crate) async fn reprocess_many(
    desk: web::Data<Desk>,
    operator: OperatorRole,
    which: web::Json<ReprocessRequest>,
) -> Result<HttpResponse, Problem> {
    let (filter, reason) = chosen(which.into_inner())?;
    let accepted = reprocess(&desk, &operator, &filter, reason.as_deref()).await?;
    Ok(HttpResponse::Accepted().json(accepted))
}

/// What is asked for, which must be said in exactly one way.
fn chosen(which: ReprocessRequest) -> Result<(WebhookFilter, Option<String>), Problem> {
    let ReprocessRequest { ids, filter, reason } = which;
    let mut errors = Vec::new();
    if ids.is_empty() == filter.is_none() {
        errors.push(FieldError::new("#", "exactly_one", "name exactly one of ids and filter"));
    }
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        let detail = format!("has at most {LONGEST_REASON} characters");
        errors.push(FieldError::new("#/reason", "too_long", detail));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("It is not clear what to process again.", errors));
    }
    let filter = filter.unwrap_or_default();
    let filter = WebhookFilter {
        ids: ids.into_iter().map(WebhookEventId::from_uuid).collect(),
        states: filter.states.into_iter().map(Into::into).collect(),
        event_type: filter.event_type,
        record_type: filter.record_type.map(Into::into),
        source_id: filter.source_id,
        webhook_id: None,
        from: filter.from,
        until: filter.to,
    };
    Ok((filter, reason))
}

async fn reprocess(
    desk: &Desk,
    operator: &OperatorRole,
    filter: &WebhookFilter,
    reason: Option<&str>,
) -> Result<ReprocessAccepted, Problem> {
    let order = ReprocessOrder { actor: operator.subject(), reason, limit: MOST_REPROCESSED };
    // The relay publishes them, in the order in which they once arrived.
    let mut db = desk.store.db().await.or_problem()?;
    let back = webhook_events::webhook_events_reprocess(&mut db, filter, order, desk.clock.now())
        .await
        .or_problem()?;
    desk.outbox.wake();
    Ok(ReprocessAccepted { reprocessing: i64::try_from(back.len()).unwrap_or(i64::MAX) })
}

fn no_such_event(id: WebhookEventId) -> Problem {
    Problem::not_found("webhook_not_found", format!("There is no webhook event {id}."))
}
