//! Endpoints for orchestrators and monitoring: `/livez`, `/readyz`, `/healthz`, `/metrics`, `/version`.
//!
//! Everybody who can reach the port may ask, so the answers are small and hold no secrets. Probes ask every few
//! seconds, so these requests are not logged at info.

use actix_web::{HttpResponse, http::header, web};
use serde_json::json;

use crate::{health::Health, metrics};

/// The paths of this module: the server does not log them.
pub(crate) const PATHS: &[&str] = &["/livez", "/readyz", "/healthz", "/metrics", "/version"];

/// The answer of `/version`.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    pub service: &'static str,
    pub version: &'static str,
}

/// The routes. `/readyz` and its alias `/healthz` run the checks of `health`; `?verbose` shows each check.
pub fn routes(health: Health, version: Version) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |app| {
        let ready = |health: Health| {
            move |query: web::Query<Vec<(String, String)>>| {
                let health = health.clone();
                async move { readiness(&health, query.iter().any(|(name, _)| name == "verbose")).await }
            }
        };
        app.route(
            "/livez",
            web::get().to(|| async { HttpResponse::Ok().json(json!({ "status": "alive" })) }),
        )
        .route("/readyz", web::get().to(ready(health.clone())))
        .route("/healthz", web::get().to(ready(health.clone())))
        .route("/metrics", web::get().to(prometheus))
        .route(
            "/version",
            web::get().to(move || async move {
                let Version { service, version } = version;
                HttpResponse::Ok().json(json!({ "service": service, "version": version }))
            }),
        );
    }
}

async fn readiness(health: &Health, verbose: bool) -> HttpResponse {
    let readiness = health.readiness().await;
    let mut answer =
        if readiness.is_ready() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    // Not `problem+json`: probes want the same tiny shape either way.
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    if verbose { answer.json(readiness) } else { answer.json(json!({ "status": readiness.status })) }
}

async fn prometheus() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics::render())
}
