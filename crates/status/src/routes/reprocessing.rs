//! Reprocessing of webhook events: one, or many by id or filter.

use actix_web::{HttpResponse, http::StatusCode, post, web};
use chassis::{
    auth::OperatorRole,
    http::JsonBody,
    problem::{FieldError, Problem, ProblemBody},
};
use contracts::operator::{ReprocessAccepted, ReprocessPlan, ReprocessRequest};
use domain::WebhookEventId;
use serde_json::{Value, json};
use store::ledger::webhook_events::{self, ReprocessOrder, WebhookFilter};
use uuid::Uuid;

use super::{reason::reason_error, webhooks::webhook_not_found};
use crate::{
    app_state::AppState,
    idempotency::{Claimed, IdempotencyHeader, IdempotencyKey, respond_again},
    problems::OrProblem,
    saturating::to_i64,
};

/// Most events that one request reprocesses.
const REPROCESS_LIMIT: u32 = 10_000;

/// Reprocess a webhook event
///
/// Publishes the event again; a new sync fetches the current state of the record. An event that is ignored, or not yet
/// processed, is refused.
#[utoipa::path(
    operation_id = "reprocessWebhook", tag = "webhooks", security(("bearer" = ["operator"])),
    params(IdempotencyHeader),
    responses(
        (status = 202, body = ReprocessAccepted),
        (status = 409, body = ProblemBody, content_type = "application/problem+json",
            description = "The event is ignored or not yet processed; `state` says which"),
    )
)]
#[post("/api/sync/webhooks/{id}/reprocess")]
pub(crate) async fn reprocess_webhook(
    app: web::Data<AppState>,
    operator: OperatorRole,
    id: web::Path<Uuid>,
    key: IdempotencyKey,
) -> Result<HttpResponse, Problem> {
    let id = WebhookEventId::from_uuid(id.into_inner());
    let event = webhook_events::webhook_event_find(&mut *app.store.db().await.or_problem()?, id)
        .await
        .or_problem()?;
    let event = event.ok_or_else(|| webhook_not_found(id))?;
    let filter = WebhookFilter { ids: vec![id], ..WebhookFilter::default() };
    let order = order_of(&operator, None);
    match reprocess_events(&app, &operator, key, &json!(null), &filter, order, Nothing::IsRefused).await? {
        Reprocessed::Accepted(answer) => Ok(answer),
        Reprocessed::Nothing => {
            let state = event.state;
            let detail = format!("The webhook event cannot be reprocessed: its state is {state}.");
            Err(Problem::conflict("not_reprocessable", detail).with("state", state.as_str()))
        }
    }
}

/// Count the webhook events that a request would reprocess
///
/// Reprocesses nothing.
#[utoipa::path(
    operation_id = "planReprocess", tag = "webhooks", security(("bearer" = ["operator"])),
    request_body = ReprocessRequest,
    responses((status = 200, body = ReprocessPlan))
)]
#[post("/api/sync/bulk/reprocess/plan")]
pub(crate) async fn plan_reprocess(
    app: web::Data<AppState>,
    _operator: OperatorRole,
    request: JsonBody<ReprocessRequest>,
) -> Result<web::Json<ReprocessPlan>, Problem> {
    let (filter, _reason) = read_filter(request.into_inner())?;
    let mut db = app.store.db().await.or_problem()?;
    let matching = webhook_events::webhook_events_count_reprocessable(&mut db, &filter).await.or_problem()?;
    Ok(web::Json(ReprocessPlan { matching: to_i64(matching), at_most: i64::from(REPROCESS_LIMIT) }))
}

/// Reprocess many webhook events
///
/// By id or by filter, the oldest first, at most 10,000 per request.
#[utoipa::path(
    operation_id = "reprocessWebhooks", tag = "webhooks", security(("bearer" = ["operator"])),
    params(IdempotencyHeader),
    request_body = ReprocessRequest,
    responses((status = 202, body = ReprocessAccepted))
)]
#[post("/api/sync/bulk/reprocess")]
pub(crate) async fn reprocess_webhooks(
    app: web::Data<AppState>,
    operator: OperatorRole,
    key: IdempotencyKey,
    request: JsonBody<ReprocessRequest>,
) -> Result<HttpResponse, Problem> {
    let asked = json!(*request);
    let (filter, reason) = read_filter(request.into_inner())?;
    let order = order_of(&operator, reason.as_deref());
    Ok(match reprocess_events(&app, &operator, key, &asked, &filter, order, Nothing::IsAccepted).await? {
        Reprocessed::Accepted(answer) => answer,
        Reprocessed::Nothing => HttpResponse::Accepted().json(ReprocessAccepted { reprocessing: 0 }),
    })
}

/// The events that the request selects, and its reason. The problem names all wrong fields at once.
fn read_filter(request: ReprocessRequest) -> Result<(WebhookFilter, Option<String>), Problem> {
    let ReprocessRequest { ids, filter, reason } = request;
    let mut errors = Vec::from_iter(reason_error(reason.as_deref()));
    if ids.is_empty() == filter.is_none() {
        errors.push(FieldError::new("#", "exactly_one", "must have exactly one of ids and filter"));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid("The request to reprocess is invalid.", errors));
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

fn order_of<'o>(operator: &'o OperatorRole, reason: Option<&'o str>) -> ReprocessOrder<'o> {
    ReprocessOrder { actor: operator.subject(), reason, limit: REPROCESS_LIMIT }
}

/// What a request is answered that reprocesses nothing.
#[derive(PartialEq, Eq)]
enum Nothing {
    /// The one event that it names cannot be reprocessed.
    IsRefused,
    /// Its filter selects no event. The answer is kept: sent again, the request selects none that came since.
    IsAccepted,
}

enum Reprocessed {
    /// With the answer.
    Accepted(HttpResponse),
    Nothing,
}

async fn reprocess_events(
    app: &AppState,
    operator: &OperatorRole,
    key: IdempotencyKey,
    asked: &Value,
    filter: &WebhookFilter,
    order: ReprocessOrder<'_>,
    nothing: Nothing,
) -> Result<Reprocessed, Problem> {
    let now = app.clock.now();
    let mut tx = app.begin(operator).await?;
    let claim = match key.claim(&mut tx, operator, asked, now).await? {
        Claimed::First(claim) => claim,
        Claimed::Again(answer) => {
            tx.rollback().await;
            return Ok(Reprocessed::Accepted(respond_again(&answer)));
        }
    };
    let reopened =
        webhook_events::webhook_events_reprocess(&mut tx, filter, order, now).await.or_problem()?;
    if reopened.is_empty() && nothing == Nothing::IsRefused {
        tx.rollback().await;
        return Ok(Reprocessed::Nothing);
    }
    let accepted = ReprocessAccepted { reprocessing: to_i64(reopened.len()) };
    let answer = claim.keep(&mut tx, StatusCode::ACCEPTED, None, &accepted).await?;
    tx.commit().await.or_problem()?;
    // The relay of the outbox publishes the events in the order in which they arrived.
    app.outbox.wake();
    Ok(Reprocessed::Accepted(answer))
}
