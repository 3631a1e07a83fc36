//! API keys of services.

use std::time::Duration;

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testbed::wait_until;

use crate::scene::Scene;

const ME: &str = "/api/sync/me";
const KEYS: &str = "/api/sync/api-keys";

async fn made(scene: &Scene, request: &Value) -> (String, String) {
    let made = scene.json(scene.request(Role::Admin, Method::POST, KEYS).json(request), 201).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&made["key"]["id"]), text(&made["secret"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn api_key_has_its_role_until_it_is_revoked() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let request = json!({"name": "fleet-report", "role": "operator", "reason": "weekly report"});
    scene.json(scene.request(Role::Operator, Method::POST, KEYS).json(&request), 403).await;
    let (id, secret) = made(&scene, &request).await;
    let identity = scene.json(scene.request_with(&secret, Method::GET, ME), 200).await;
    assert_eq!(
        (&identity["subject"], &identity["role"]),
        (&json!("api-key:fleet-report"), &json!("operator"))
    );
    scene.json(scene.request_with(&secret, Method::POST, "/api/sync/trigger").json(&json!({})), 202).await;
    scene.json(scene.request_with(&secret, Method::GET, KEYS), 403).await;

    let stored = scene.rows("SELECT * FROM api_keys").await;
    let random = secret.rsplit('_').next().expect("a secret");
    assert!(!serde_json::to_string(&stored)?.contains(random), "the secret is stored: {stored:?}");
    wait_until("the use is noted", Duration::from_secs(10), async || {
        let list = scene.json(scene.request(Role::Admin, Method::GET, KEYS), 200).await;
        let key = &list["data"][0];
        assert_eq!((&key["id"], &key["state"]), (&json!(id), &json!("active")));
        key["lastUsedAt"].as_str().map(drop).ok_or("not yet")
    })
    .await?;

    let path = format!("{KEYS}/{id}");
    let revoked = scene.json(scene.request(Role::Admin, Method::DELETE, &path), 200).await;
    assert_eq!(revoked["state"], "revoked");
    scene.json(scene.request_with(&secret, Method::GET, ME), 401).await;
    scene.json(scene.request(Role::Admin, Method::DELETE, &path), 409).await;
    let rotate = scene.request(Role::Admin, Method::POST, &format!("{path}/rotate"));
    scene.json(rotate.json(&json!({})), 409).await;
    let unknown = format!("{KEYS}/00000000-0000-7000-8000-000000000000");
    scene.json(scene.request(Role::Admin, Method::DELETE, &unknown), 404).await;
    let audit = scene.rows("SELECT actor, action FROM audit WHERE action LIKE 'api_key.%' ORDER BY id").await;
    let entry = |action: &str| json!({"actor": "anna", "action": action});
    assert_eq!(audit, [entry("api_key.create"), entry("api_key.revoke")]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_api_key_is_accepted_for_the_overlap_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, first) = made(&scene, &json!({"name": "report"})).await;
    let rotate = |id: &str, hours: u32| {
        let request = scene.request(Role::Admin, Method::POST, &format!("{KEYS}/{id}/rotate"));
        request.json(&json!({"overlapHours": hours}))
    };
    let second = scene.json(rotate(&id, 1), 201).await;
    let secret = second["secret"].as_str().expect("a secret");
    assert_eq!(second["key"]["name"], "report");
    for key in [&first, secret] {
        scene.json(scene.request_with(key, Method::GET, ME), 200).await;
    }
    assert_eq!(scene.json(rotate(&id, 1), 409).await["code"], "api_key_replaced");
    let id = second["key"]["id"].as_str().expect("an id");
    let mut stream = scene.request_with(secret, Method::GET, "/api/sync/updates").send().await?;
    scene.json(rotate(id, 0), 201).await;
    let ended = scene.json(scene.request_with(secret, Method::GET, ME), 401).await;
    assert_eq!(ended["code"], "token_expired");
    // The stream was opened when the key had 90 days left.
    let rest = async {
        let mut said = String::new();
        while let Some(chunk) = stream.chunk().await? {
            said.push_str(&String::from_utf8_lossy(&chunk));
        }
        anyhow::Ok(said)
    };
    let said = tokio::time::timeout(Duration::from_secs(20), rest).await??;
    assert!(said.contains("event: end"), "{said}");
    let list = scene.json(scene.request(Role::Admin, Method::GET, KEYS), 200).await;
    let states: Vec<_> = list["data"].as_array().expect("keys").iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["active", "expired", "active"], "newest first");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn api_key_makes_neither_keys_nor_sessions_and_is_revoked_in_whatever_way_its_id_is_written()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, admin) = made(&scene, &json!({"name": "robot", "role": "admin"})).await;
    let create = scene.request_with(&admin, Method::POST, KEYS).json(&json!({"name": "child"}));
    assert_eq!(scene.json(create, 403).await["code"], "api_key_refused");
    let session = scene.request_with(&admin, Method::POST, "/api/session");
    assert_eq!(scene.json(session, 403).await["code"], "api_key_refused");
    let revoke = scene.request(Role::Admin, Method::POST, "/api/sync/token-revocations");
    // As whoever has found it somewhere pastes it.
    let revocation = scene.json(revoke.json(&json!({"tokenId": admin})), 200).await;
    assert_eq!(revocation["tokenId"], json!(id), "the secret is not kept");
    scene.json(scene.request_with(&admin, Method::GET, ME), 401).await;
    let list = scene.json(scene.request(Role::Admin, Method::GET, KEYS), 200).await;
    assert_eq!(list["data"][0]["state"], "revoked");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_no_key_of_ours_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (_, secret) = made(&scene, &json!({"name": "report"})).await;
    let (head, random) = secret.rsplit_once('_').expect("a secret");
    let other = random.chars().rev().collect::<String>();
    for wrong in
        ["sms_", "sms__", head, &format!("{head}_"), &format!("{head}_{other}"), &format!("{secret}A")]
    {
        let refused = scene.json(scene.request_with(wrong, Method::GET, ME), 401).await;
        assert_eq!(refused["code"], "invalid_token", "{wrong}");
    }
    for (request, pointer) in [
        (json!({"name": ""}), "#/name"),
        (json!({"name": "x", "validDays": 0}), "#/validDays"),
        (json!({"name": "x", "validDays": 367}), "#/validDays"),
        (json!({"name": "x", "role": "root"}), "#/role"),
    ] {
        let refused = scene.json(scene.request(Role::Admin, Method::POST, KEYS).json(&request), 422).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_have_ended_make_room_for_new_ones() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let fill = |ends_at: &str, number: usize| {
        format!(
            "INSERT INTO api_keys (id, name, role, secret_hash, created_at, created_by, expires_at)
             SELECT gen_random_uuid(), 'old-' || n, 'viewer', sha256(('{ends_at}' || n)::bytea), now() - interval '3 days', 'anna',
                 now() + interval '{ends_at}' FROM generate_series(1, {number}) n"
        )
    };
    scene.world.execute(&fill("-1 day", 2)).await?;
    scene.world.execute(&fill("1 day", 998)).await?;
    let request = json!({"name": "new", "role": "viewer", "reason": "r"});
    made(&scene, &request).await;
    made(&scene, &request).await;
    let problem = scene.json(scene.request(Role::Admin, Method::POST, KEYS).json(&request), 409).await;
    assert_eq!(problem["code"], "too_many_api_keys");
    let left = scene.rows("SELECT count(*) AS n FROM api_keys WHERE expires_at < now()").await;
    assert_eq!(left[0]["n"], 0);
    scene.end().await;
    Ok(())
}
