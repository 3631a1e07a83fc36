//! Faults on demand.

use std::time::{Duration, Instant};

use chassis::config::Environment;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rig::{Rig, equipment};

async fn in_development() -> anyhow::Result<Rig> {
    let rig = Rig::with(Environment::Development, &[]).await?;
    rig.enter_a_vessel().await?;
    let more = (2..=5).map(|unit| ("equipment", equipment(&format!("e-{unit}"), "v-1", unit)));
    rig.enter(more).await?;
    rig.post("/api/vessels/v-1/approve").await?;
    Ok(rig)
}

async fn add(rig: &Rig, fault: Value) -> anyhow::Result<Value> {
    rig.ask(Method::PUT, "/api/faults", Some(&fault)).await?.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_do_not_exist_in_production() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let missing = rig.ask(method, "/api/faults", Some(&json!({"kind": "serverError"}))).await?;
        assert_eq!(missing.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(rig.listed("/api/sync/vessels").await?, [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn error_faults_affect_their_path_as_often_as_requested() -> anyhow::Result<()> {
    let rig = in_development().await?;
    add(&rig, json!({"kind": "serverError", "path": "users", "requests": 1})).await?;
    add(&rig, json!({"kind": "tooManyRequests", "path": "users", "requests": 1, "retryAfterSeconds": 7}))
        .await?;
    add(&rig, json!({"kind": "unavailable", "path": "export"})).await?;
    assert_eq!(rig.listed("/api/sync/vessels").await?, ["v-1"]);

    let first = rig.ask(Method::GET, "/api/sync/users", None).await?;
    assert_eq!(first.status, StatusCode::INTERNAL_SERVER_ERROR);
    let second = rig.ask(Method::GET, "/api/sync/users", None).await?;
    assert_eq!(
        (second.status, second.headers["retry-after"].to_str()?),
        (StatusCode::TOO_MANY_REQUESTS, "7")
    );
    assert_eq!(rig.listed("/api/sync/users").await?, ["u-1"]);
    let third = rig.ask(Method::POST, "/api/sync/export/v-1", None).await?;
    assert_eq!(third.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(rig.get("/api/faults").await?.as_array().map(Vec::len), Some(1));

    let ended = rig.ask(Method::DELETE, "/api/faults", None).await?;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    rig.post("/api/sync/export/v-1").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_fault_delays_the_answer() -> anyhow::Result<()> {
    let rig = in_development().await?;
    add(&rig, json!({"kind": "slow", "requests": 1, "delayMs": 200})).await?;
    let began = Instant::now();
    assert_eq!(rig.listed("/api/sync/vessels").await?, ["v-1"]);
    assert!(began.elapsed() >= Duration::from_millis(200));

    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_json_fault_ends_the_answer_early() -> anyhow::Result<()> {
    let rig = in_development().await?;
    add(&rig, json!({"kind": "truncatedJson", "requests": 1})).await?;
    let truncated = rig.request(Method::GET, "/api/sync/vessels").send().await?;
    assert_eq!(truncated.status(), StatusCode::OK);
    let error = serde_json::from_str::<Value>(&truncated.text().await?).unwrap_err();
    assert!(error.is_eof(), "{error}");

    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_types_fault_gives_names_a_number() -> anyhow::Result<()> {
    let rig = in_development().await?;
    add(&rig, json!({"kind": "wrongTypes", "requests": 2})).await?;
    assert_eq!(rig.get("/api/sync/vessels").await?["data"][0]["name"], 42);
    assert_eq!(rig.post("/api/sync/export/v-1").await?["vessel"]["name"], 42);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn looping_cursor_and_repeated_page_faults_change_the_paging() -> anyhow::Result<()> {
    let rig = in_development().await?;
    let first = rig.get("/api/sync/equipment?limit=2").await?;
    let cursor = first["page"]["nextCursor"].as_str().unwrap_or_default();
    let next = format!("/api/sync/equipment?limit=2&cursor={cursor}");

    add(&rig, json!({"kind": "loopingCursor", "path": "equipment", "requests": 1})).await?;
    let looping = rig.get(&next).await?;
    assert_eq!((&looping["page"]["nextCursor"], &looping["data"][0]["id"]), (&cursor.into(), &"e-3".into()));

    add(&rig, json!({"kind": "repeatedPage", "path": "equipment", "requests": 1})).await?;
    let repeated = rig.get(&next).await?;
    assert_eq!(repeated["data"], first["data"]);
    assert_eq!(rig.listed(&next).await?, ["e-3", "e-4"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_fault_is_refused() -> anyhow::Result<()> {
    let rig = in_development().await?;
    for fault in [
        json!({"kind": "meteor"}),
        json!({"kind": "slow", "path": "ships"}),
        json!({"kind": "repeatedPage", "path": "export"}),
        json!({"kind": "slow", "delay": 3}),
    ] {
        let refused = rig.ask(Method::PUT, "/api/faults", Some(&fault)).await?;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fault}");
    }
    Ok(())
}
