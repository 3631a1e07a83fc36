//! Requests that are sent twice with one `Idempotency-Key`.

use chassis::auth::Role;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::scene::Scene;

const TRIGGER: &str = "/api/sync/trigger";

impl Scene {
    async fn trigger_with(&self, key: &str, body: &Value) -> Response {
        let request = self.request(Role::Operator, Method::POST, TRIGGER).header("idempotency-key", key);
        request.json(body).send().await.expect("the service answers")
    }
}

fn selective(company: &str) -> Value {
    json!({"mode": "selective", "companyId": company})
}

#[tokio::test(flavor = "multi_thread")]
async fn request_that_is_sent_twice_has_one_effect_and_one_answer() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let syncs = async || scene.rows("SELECT id FROM sync_logs WHERE requested_by = 'anna'").await.len();
    let first = scene.trigger_with("\"k-1\"", &selective("c-1")).await;
    assert_eq!((first.status(), first.headers().get("idempotency-replayed")), (202.try_into()?, None));
    let location = first.headers()["location"].clone();
    let first: Value = first.json().await?;
    let again = scene.trigger_with("k-1", &selective("c-1")).await;
    assert_eq!((again.status(), &again.headers()["location"]), (202.try_into()?, &location));
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.json::<Value>().await?, first);
    assert_eq!(syncs().await, 1);

    let other = scene.trigger_with("k-1", &selective("c-2")).await;
    assert_eq!(other.status(), 422);
    assert_eq!(other.json::<Value>().await?["errors"][0]["code"], "key_reused");
    assert_eq!(scene.trigger_with("k-2", &selective("c-1")).await.status(), 202);
    assert_eq!(scene.trigger_with("", &selective("c-1")).await.status(), 422);
    assert_eq!(syncs().await, 2);

    // A day later the key is a new one.
    scene.world.execute("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'").await?;
    assert_eq!(scene.trigger_with("k-1", &selective("c-2")).await.status(), 202);
    assert_eq!(scene.rows("SELECT key FROM idempotency_keys").await, [json!({"key": "k-1"})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_at_once_with_one_key_have_one_effect() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let body = selective("c-1");
    let requests = (0..4).map(|_| scene.trigger_with("k-1", &body));
    let answers = futures_util::future::join_all(requests).await;
    assert!(answers.iter().all(|answer| answer.status() == 202), "{answers:?}");
    assert_eq!(scene.rows("SELECT id FROM sync_logs WHERE requested_by = 'anna'").await.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_request_may_be_sent_again_with_its_key() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    assert_eq!(scene.trigger_with("k-1", &json!({})).await.status(), 202);
    assert_eq!(scene.trigger_with("k-2", &json!({})).await.status(), 409, "a full sync has not ended");
    scene.world.execute("DELETE FROM sync_logs WHERE requested_by = 'anna'").await?;
    assert_eq!(scene.trigger_with("k-2", &json!({})).await.status(), 202);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn request_that_was_interrupted_is_not_done_again_by_itself() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let resolve = || {
        let request = scene.request(Role::Operator, Method::POST, "/api/sync/conflicts/resolve");
        request
            .header("idempotency-key", "k-1")
            .json(&json!({"recordType": "vessel", "resolution": "source"}))
    };
    assert_eq!(scene.json(resolve(), 200).await, json!({"resolved": 0, "refused": []}));
    assert_eq!(scene.json(resolve(), 200).await, json!({"resolved": 0, "refused": []}));
    scene.world.execute("UPDATE idempotency_keys SET status = NULL, body = NULL").await?;
    assert_eq!(scene.json(resolve(), 409).await["code"], "request_unfinished");
    scene.end().await;
    Ok(())
}
