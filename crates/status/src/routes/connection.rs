//! The connection test: each step from this service to the onboarding portal.

use actix_web::{get, web};
use chassis::{auth::Viewer, problem::Problem};
use contracts::operator::{ConnectionStep, ConnectionTest};

use crate::{app_state::AppState, saturating::to_i64};

/// Test the connection to the onboarding portal
///
/// Tests the steps in their order and stops at the first that fails. Answers 200 also when a step fails: see `ok`. Sends
/// nothing while the circuit to the portal is open, and at most one test in 5 seconds: `testedAt` says when it was.
#[utoipa::path(
    operation_id = "testConnection", tag = "settings", security(("bearer" = ["viewer"])),
    responses((status = 200, body = ConnectionTest))
)]
#[get("/api/sync/test-connection")]
pub(crate) async fn test_connection(
    app: web::Data<AppState>,
    _viewer: Viewer,
) -> Result<web::Json<ConnectionTest>, Problem> {
    let tested = app.connection_tester.test(&app.portal, &*app.clock).await;
    let steps = tested.steps.into_iter().map(step).collect::<Vec<_>>();
    Ok(web::Json(ConnectionTest {
        ok: steps.iter().all(|step| step.ok),
        tested_at: tested.tested_at,
        url: app.portal.base_url().as_str().trim_end_matches('/').to_owned(),
        steps,
    }))
}

fn step(step: portal_client::ConnectionStep) -> ConnectionStep {
    ConnectionStep {
        name: step.name.to_owned(),
        ok: step.result.is_ok(),
        detail: step.result.unwrap_or_else(|failure| failure),
        hint: step.hint.map(str::to_owned),
        latency_ms: to_i64(step.duration.as_millis()),
    }
}
