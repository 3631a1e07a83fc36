//! Which key a request needs.

use anyhow::Context;
use chassis::config::Environment;
use reqwest::{Method, StatusCode};

use crate::rig::{ADMIN_KEY, KEY, Rig, answer};

#[tokio::test(flavor = "multi_thread")]
async fn key_is_required_and_accepted_as_header_or_bearer() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for path in [
        "/api/sync/vessels",
        "/api/sync/equipment",
        "/api/sync/users",
        "/api/vessels",
        "/api/webhooks/endpoint",
    ] {
        let refused = answer(rig.anonymous(Method::GET, path)).await?;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (StatusCode::UNAUTHORIZED, &"key_missing".into())
        );
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert_eq!(refused.headers["www-authenticate"], "Bearer");

        for wrong in ["", "a-key-of-this-tesT", "a-key-of-this-test "] {
            let refused = answer(rig.anonymous(Method::GET, path).bearer_auth(format!("{wrong}x"))).await?;
            assert_eq!(
                (refused.status, &refused.body["code"]),
                (StatusCode::UNAUTHORIZED, &"key_unknown".into())
            );
        }
        let key = if path.starts_with("/api/sync/") { KEY } else { ADMIN_KEY };
        let as_header = answer(rig.anonymous(Method::GET, path).header("X-API-Key", key)).await?;
        let as_bearer = answer(rig.anonymous(Method::GET, path).bearer_auth(key)).await?;
        assert_eq!((as_header.status, as_bearer.status), (StatusCode::OK, StatusCode::OK), "{path}");
    }
    Ok(())
}

/// Every route that changes something.
const ADMIN_ROUTES: &[(Method, &str)] = &[
    (Method::POST, "/api/vessels/v-1/approve"),
    (Method::POST, "/api/users/u-1/approve"),
    (Method::POST, "/api/webhooks/test"),
    (Method::POST, "/api/webhooks/endpoint/rotate-secret"),
];

#[tokio::test(flavor = "multi_thread")]
async fn key_of_the_sync_only_reads() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for (method, path) in ADMIN_ROUTES {
        let refused = answer(rig.anonymous(method.clone(), path).header("X-API-Key", KEY)).await?;
        let told = (refused.status, &refused.body["code"]);
        assert_eq!(told, (StatusCode::FORBIDDEN, &"key_may_only_read".into()), "{path}");
    }
    let approve = rig.anonymous(Method::POST, "/api/vessels/v-1/approve").header("X-API-Key", ADMIN_KEY);
    assert_eq!(answer(approve).await?.status, StatusCode::NOT_FOUND);

    let list = |key| answer(rig.anonymous(Method::GET, "/api/sync/vessels").header("X-API-Key", key));
    assert_eq!((list(KEY).await?.status, list(ADMIN_KEY).await?.status), (StatusCode::OK, StatusCode::OK));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_where_there_is_no_admin_key() -> anyhow::Result<()> {
    for environment in [Environment::Production, Environment::Development] {
        let rig = Rig::with(environment, &[("ONBOARDING_ADMIN_KEY", "")]).await?;
        for (method, path) in ADMIN_ROUTES {
            let refused = answer(rig.anonymous(method.clone(), path).header("X-API-Key", KEY)).await?;
            let told = (refused.status, &refused.body["code"]);
            assert_eq!(told, (StatusCode::FORBIDDEN, &"admin_key_missing".into()), "{path}");
            let empty = answer(rig.anonymous(method.clone(), path).header("X-API-Key", "")).await?;
            assert_eq!(empty.status, StatusCode::UNAUTHORIZED, "{path}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_for_the_sync_and_for_admins_is_refused_at_start() -> anyhow::Result<()> {
    let refused = Rig::with(Environment::Production, &[("ONBOARDING_ADMIN_KEY", KEY)]).await.err();
    let refused = format!("{:#}", refused.context("it is refused")?);
    assert!(refused.contains("ONBOARDING_ADMIN_KEY") && !refused.contains(KEY), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_openapi_need_no_key() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for path in ["/livez", "/readyz?verbose", "/openapi.json"] {
        assert_eq!(answer(rig.anonymous(Method::GET, path)).await?.status, StatusCode::OK, "{path}");
    }
    let metrics = rig.anonymous(Method::GET, "/metrics").send().await?;
    assert_eq!(metrics.status(), StatusCode::OK);
    Ok(())
}
