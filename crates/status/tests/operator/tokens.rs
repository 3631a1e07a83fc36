//! Tokens that are revoked, or valid for too long.

use std::time::Duration;

use chassis::auth::{OperatorKeys, Role};
use reqwest::Method;
use serde_json::json;
use testbed::wait_until;

use crate::scene::{SECRET, Scene};

const ME: &str = "/api/sync/me";
const REVOCATIONS: &str = "/api/sync/token-revocations";

#[tokio::test(flavor = "multi_thread")]
async fn revoked_token_is_refused_at_once_and_recorded() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let stolen = scene.token(Role::Viewer, Duration::from_secs(600));
    scene.json(scene.request_with(&stolen, Method::GET, ME), 200).await;
    let request = json!({"tokenId": scene.token_id(&stolen), "reason": "left on a train"});
    let revoke = |role| scene.request(role, Method::POST, REVOCATIONS).json(&request);
    scene.json(revoke(Role::Operator), 403).await;
    let revocation = scene.json(revoke(Role::Admin), 200).await;
    assert_eq!((&revocation["tokenId"], &revocation["subject"]), (&request["tokenId"], &json!(null)));

    let refused = scene.request_with(&stolen, Method::GET, ME).send().await?;
    assert_eq!(refused.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
    let refused = scene.json(scene.request_with(&stolen, Method::GET, ME), 401).await;
    assert_eq!(refused["code"], "token_revoked");
    scene.json(scene.get(ME), 200).await;
    let list = scene.json(scene.request(Role::Admin, Method::GET, REVOCATIONS), 200).await;
    assert_eq!((&list["data"][0], &list["pagination"]["total"]), (&revocation, &json!(1)));
    let audit =
        scene.rows("SELECT actor, action, subject, detail FROM audit WHERE action = 'token.revoke'").await;
    assert_eq!(
        audit,
        [json!({"actor": "anna", "action": "token.revoke", "subject": request["tokenId"],
                "detail": {"revoked": "token", "reason": "left on a train"}})]
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn subject_revoked_by_another_process_is_refused_within_seconds() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (anna, ben) = (
        scene.token(Role::Viewer, Duration::from_secs(600)),
        scene.token_of("ben", Role::Viewer, Duration::from_secs(600)),
    );
    // As another process writes it.
    scene
        .world
        .execute(
            "INSERT INTO token_revocations (id, subject, issued_until, revoked_at, revoked_by)
             VALUES (gen_random_uuid(), 'anna', now(), now(), 'carl')",
        )
        .await?;
    wait_until("the token is refused", Duration::from_secs(10), async || {
        let status = scene.request_with(&anna, Method::GET, ME).send().await.map(|it| it.status());
        status.as_ref().is_ok_and(|it| *it == 401).then_some(()).ok_or(status)
    })
    .await?;
    scene.json(scene.request_with(&ben, Method::GET, ME), 200).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn second_revocation_of_a_subject_covers_tokens_issued_since() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .world
        .execute(
            "INSERT INTO token_revocations (id, subject, issued_until, revoked_at, revoked_by)
             VALUES (gen_random_uuid(), 'ben', now() - interval '1 hour', now() - interval '1 hour', 'carl')",
        )
        .await?;
    let ben = scene.token_of("ben", Role::Viewer, Duration::from_secs(600));
    scene.json(scene.request_with(&ben, Method::GET, ME), 200).await;
    let revoke = scene.request(Role::Admin, Method::POST, REVOCATIONS).json(&json!({"subject": "ben"}));
    scene.json(revoke, 200).await;
    scene.json(scene.request_with(&ben, Method::GET, ME), 401).await;
    assert_eq!(scene.rows("SELECT revoked_by FROM token_revocations").await, [json!({"revoked_by": "anna"})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_of_no_token_or_of_both_kinds_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    for request in [
        json!({}),
        json!({"tokenId": "a", "subject": "b"}),
        json!({"subject": " "}),
        json!({"tokenId": "x".repeat(256)}),
        json!({"subject": "a", "reason": "x".repeat(501)}),
    ] {
        let revoke = scene.request(Role::Admin, Method::POST, REVOCATIONS).json(&request);
        assert_eq!(scene.json(revoke, 422).await["code"], "validation_failed", "{request}");
    }
    assert!(scene.rows("SELECT id FROM token_revocations").await.is_empty());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn token_beyond_the_configured_lifetime_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let keys = OperatorKeys::from_secret(&SECRET.to_owned().into())?;
    let token = keys.mint("anna", Role::Viewer, Duration::from_secs(3_601))?;
    let refused = scene.json(scene.request_with(&token, Method::GET, ME), 401).await;
    assert_eq!(refused["code"], "invalid_token");
    assert_eq!(refused["detail"], "the token is valid for too long: 1 hours are the most.");
    scene.end().await;
    Ok(())
}
