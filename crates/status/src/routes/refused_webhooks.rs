//! Requests to the webhook endpoint that were refused.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chassis::{auth::Viewer, problem::Problem};
use chrono::{DateTime, Utc};
use contracts::operator::{List, RefusedWebhook, WebhookRefusal};
use serde::Deserialize;
use store::ledger::refused_webhooks::{self, RefusedFilter};
use utoipa::IntoParams;

use super::paging::CursorPaging;
use crate::{app_state::AppState, problems::OrProblem, views::webhooks::refused_webhook};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct RefusedWebhookQuery {
    /// Only requests refused for this reason.
    reason: Option<WebhookRefusal>,
    /// Only requests with this `webhook-id`.
    webhook_id: Option<String>,
    /// Only requests received at this time or later.
    from: Option<DateTime<Utc>>,
    /// Only requests received before this time.
    to: Option<DateTime<Utc>>,
}

/// List refused requests to the webhook endpoint, newest first
///
/// The log is a sample of limited size: `alike` counts the requests without an entry of their own. Bodies and signatures
/// are not kept.
#[utoipa::path(
    operation_id = "listRefusedWebhooks", tag = "webhooks", security(("bearer" = ["viewer"])),
    params(CursorPaging, RefusedWebhookQuery),
    responses((status = 200, body = List<RefusedWebhook>, headers(("Link", description = "`rel=\"next\"`: the next page, if there is one"))))
)]
#[get("/api/sync/webhooks/refused")]
pub(crate) async fn list_refused_webhooks(
    app: web::Data<AppState>,
    _viewer: Viewer,
    request: HttpRequest,
    paging: web::Query<CursorPaging>,
    query: web::Query<RefusedWebhookQuery>,
) -> Result<HttpResponse, Problem> {
    let window = paging.window("refused-webhooks")?;
    let query = query.into_inner();
    let filter = RefusedFilter {
        reasons: query.reason.map(Into::into).into_iter().collect(),
        webhook_id: query.webhook_id,
        from: query.from,
        until: query.to,
    };
    let mut db = app.store.db().await.or_problem()?;
    let page = refused_webhooks::refused_webhook_list(&mut db, &filter, window).await.or_problem()?;
    Ok(paging.list(&request, "refused-webhooks", page, |row| row.id, refused_webhook))
}
