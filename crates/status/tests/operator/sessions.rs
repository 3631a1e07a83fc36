//! Browsers that are signed in by a cookie.

use std::time::Duration;

use chassis::auth::Role;
use reqwest::{Method, Response};
use serde_json::json;

use crate::scene::Scene;

const SESSION: &str = "/api/session";
const HOUR: Duration = Duration::from_secs(3600);

/// The cookie that an answer sets: what a browser would send from then on, and its attributes.
fn cookie(response: &Response) -> (String, String) {
    let header = response.headers()["set-cookie"].to_str().expect("a text");
    let (value, attributes) = header.split_once("; ").expect("attributes");
    (value.to_owned(), attributes.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn session_signs_a_browser_in_and_out() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let nobody = scene.stranger(SESSION).send().await?;
    assert_eq!(nobody.status(), 204);
    let begun = scene.request(Role::Operator, Method::POST, SESSION).send().await?;
    let (session, attributes) = cookie(&begun);
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/api", "Max-Age=6"] {
        assert!(attributes.contains(attribute), "{attribute} is missing in {attributes}");
    }
    assert!(!attributes.contains("Secure"), "this connection has no TLS: {attributes}");
    let identity = scene.json(scene.stranger(SESSION).header("cookie", &session), 200).await;
    assert_eq!((&identity["subject"], &identity["role"]), (&json!("anna"), &json!("operator")));
    assert!(identity["expiresAt"].is_string(), "{identity}");
    scene.json(scene.stranger("/api/sync/history").header("cookie", &session), 200).await;

    let ended = scene.stranger_with(Method::DELETE, SESSION).header("cookie", &session).send().await?;
    let (_, attributes) = cookie(&ended);
    assert!(attributes.contains("Max-Age=0"), "{attributes}");
    let behind_two =
        scene.request(Role::Viewer, Method::POST, SESSION).header("origin", "https://sms.example");
    assert!(cookie(&behind_two.send().await?).1.contains("Secure"));
    let behind_tls = scene.request(Role::Viewer, Method::POST, SESSION).header("x-forwarded-proto", "https");
    assert!(cookie(&behind_tls.send().await?).1.contains("Secure"));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn request_by_cookie_changes_nothing_without_the_guard_header() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (session, _) = cookie(&scene.request(Role::Operator, Method::POST, SESSION).send().await?);
    let trigger = || {
        let request = scene.stranger_with(Method::POST, "/api/sync/trigger").header("cookie", &session);
        request.json(&json!({"mode": "full"}))
    };
    let refused = scene.json(trigger(), 403).await;
    assert_eq!(refused["code"], "guard_header_missing");
    // A form of another site can send this.
    let forged = trigger().header("origin", "https://evil.example").header("sec-fetch-site", "cross-site");
    scene.json(forged, 403).await;
    scene.json(trigger().header("x-requested-with", "dashboard"), 202).await;
    assert_eq!(scene.rows("SELECT count(*) FROM sync_logs").await, [json!({"count": 1})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ends_with_its_token_and_says_why() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let token = scene.token(Role::Viewer, HOUR);
    let (session, _) = cookie(&scene.request_with(&token, Method::POST, SESSION).send().await?);
    let revocation = json!({"tokenId": scene.token_id(&token)});
    let revoke = scene.request(Role::Admin, Method::POST, "/api/sync/token-revocations");
    scene.json(revoke.json(&revocation), 200).await;
    let ended = scene.json(scene.stranger(SESSION).header("cookie", &session), 401).await;
    assert_eq!(ended["code"], "token_revoked");
    // A token in the header counts, whatever the cookie says.
    scene.json(scene.get(SESSION).header("cookie", &session), 200).await;
    let forged = scene.stranger(SESSION).header("cookie", "sms_sync_session=no.such.token");
    assert_eq!(scene.json(forged, 401).await["code"], "invalid_token");
    scene.end().await;
    Ok(())
}
