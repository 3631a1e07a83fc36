//! Which key a request needs.

use chassis::config::Environment;
use reqwest::{Method, StatusCode};

use crate::rig::{KEY, Rig, answer};

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
        let as_header = answer(rig.anonymous(Method::GET, path).header("X-API-Key", KEY)).await?;
        let as_bearer = answer(rig.anonymous(Method::GET, path).bearer_auth(KEY)).await?;
        assert_eq!((as_header.status, as_bearer.status), (StatusCode::OK, StatusCode::OK), "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reader_key_cannot_approve_when_there_is_an_admin_key() -> anyhow::Result<()> {
    let rig = Rig::with(Environment::Production, &[("ONBOARDING_ADMIN_KEY", "the-admin-key")]).await?;
    let approve = |key: &'static str| {
        answer(rig.anonymous(Method::POST, "/api/vessels/v-1/approve").header("X-API-Key", key))
    };
    let refused = approve(KEY).await?;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::FORBIDDEN, &"key_may_only_read".into()));
    assert_eq!(approve("the-admin-key").await?.status, StatusCode::NOT_FOUND);

    let list = |key| answer(rig.anonymous(Method::GET, "/api/sync/vessels").header("X-API-Key", key));
    assert_eq!(
        (list(KEY).await?.status, list("the-admin-key").await?.status),
        (StatusCode::OK, StatusCode::OK)
    );
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
