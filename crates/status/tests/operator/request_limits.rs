//! The rate limit of each operator, and that of the connection test.

use std::time::Duration;

use chassis::auth::Role;
use reqwest::Method;
use serde_json::json;
use testbed::{Provider, wait_until};

use crate::scene::Scene;

const ME: &str = "/api/sync/me";

#[tokio::test(flavor = "multi_thread")]
async fn operator_over_the_limit_gets_429_with_headers_and_others_do_not() -> anyhow::Result<()> {
    let scene = Scene::with_config(|config| {
        config["operators"]["rate_per_second"] = json!(1);
        config["operators"]["rate_burst"] = json!(3);
    })
    .await?;
    let token = scene.token(Role::Viewer, Duration::from_secs(600));
    for left in [2, 1, 0] {
        let answer = scene.request_with(&token, Method::GET, ME).send().await?.error_for_status()?;
        assert_eq!(answer.headers()["ratelimit-policy"], "\"operator\";q=3;w=3");
        let limit = answer.headers()["ratelimit"].to_str()?.to_owned();
        assert!(limit.starts_with(&format!("\"operator\";r={left};t=")), "{limit}");
    }
    // A new token of the same operator changes nothing.
    let refused = scene.get(ME).send().await?;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.headers()["ratelimit"], "\"operator\";r=0;t=1");
    let problem: serde_json::Value = refused.json().await?;
    assert_eq!((&problem["code"], &problem["retryAfter"]), (&json!("rate_limited"), &json!(1)));

    let other = scene.token_of("ben", Role::Viewer, Duration::from_secs(600));
    scene.request_with(&other, Method::GET, ME).send().await?.error_for_status()?;
    // Whoever has no token is told so, and uses up nothing.
    assert_eq!(scene.stranger(ME).send().await?.status(), 401);
    wait_until("the limit allows another request", Duration::from_secs(10), async || {
        let status = scene.request_with(&token, Method::GET, ME).send().await.map(|it| it.status());
        status.as_ref().is_ok_and(|it| it.is_success()).then_some(()).ok_or(status)
    })
    .await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_tests_in_quick_succession_are_one_request() -> anyhow::Result<()> {
    let provider = Provider::start().await?;
    let scene = Scene::with_config(|config| config["onboarding"]["url"] = json!(provider.url())).await?;
    let test = || async { scene.json(scene.get("/api/sync/test-connection"), 200).await };
    let (first, second) = tokio::join!(test(), test());
    assert_eq!(first["testedAt"], second["testedAt"]);
    assert_eq!(test().await, first);
    assert_eq!(provider.requests().len(), 1);
    scene.end().await;
    Ok(())
}
