//! The way to the onboarding portal, tried step by step.

use actix_web::{get, web};
use chassis::{auth::Viewer, problem::Problem};
use contracts::operator::{ConnectionStep, ConnectionTest};

use crate::desk::Desk;

/// Test the connection to the onboarding portal
#[utoipa::path(operation_id = "testConnection", tag = "settings", responses((status = 200, body = ConnectionTest)))]
#[get("/api/sync/test-connection")]
pub(crate) async fn test(
    desk: web::Data<Desk>,
    _viewer: Viewer,
) -> Result<web::Json<ConnectionTest>, Problem> {
    let steps = desk.portal.test_connection().await.into_iter().map(step).collect::<Vec<_>>();
    Ok(web::Json(ConnectionTest {
        ok: steps.iter().all(|step| step.ok),
        url: desk.portal.base_url().as_str().trim_end_matches('/').to_owned(),
        steps,
    }))
}

fn step(step: portal_client::ConnectionStep) -> ConnectionStep {
    ConnectionStep {
        name: step.name.to_owned(),
        ok: step.result.is_ok(),
        detail: step.result.unwrap_or_else(|failure| failure),
        hint: step.hint.map(str::to_owned),
        latency_ms: i64::try_from(step.duration.as_millis()).unwrap_or(i64::MAX),
    }
}
