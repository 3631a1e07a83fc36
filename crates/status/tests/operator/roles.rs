//! Every operation of the OpenAPI document, asked with every kind of token.

use std::{collections::BTreeMap, time::Duration};

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{SECRET, Scene};

/// A token by hand: what [`chassis::auth::OperatorKeys`] does not make.
fn token(claims: &Value) -> anyhow::Result<String> {
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    Ok(jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key)?)
}

/// The operations, with the role that the document says they need.
fn operations() -> anyhow::Result<Vec<(Method, String, Role)>> {
    let document = serde_json::to_value(status::openapi::document())?;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let roles = &operation["security"][0]["bearer"];
            let [role] = roles.as_array().map_or(&[][..], Vec::as_slice) else {
                anyhow::bail!("{method} {path} names no role: {roles}")
            };
            let role = role.as_str().unwrap_or_default();
            let Ok(role) = role.parse::<Role>() else { anyhow::bail!("{method} {path} needs {role:?}") };
            operations.push((method, path.clone(), role));
        }
    }
    Ok(operations)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_open_to_the_roles_that_its_document_names_and_to_nobody_else()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
    let claims = |change: Value| {
        let mut claims = json!({"sub": "anna", "role": "admin", "iss": "sms-sync", "aud": "sms-sync",
                                "iat": now, "exp": now + 600, "jti": uuid::Uuid::now_v7()});
        claims.as_object_mut().expect("an object").extend(change.as_object().cloned().unwrap_or_default());
        claims
    };
    let revoked = scene.token(Role::Admin, Duration::from_secs(600));
    let revocation = json!({"tokenId": scene.token_id(&revoked)});
    scene
        .json(scene.request(Role::Admin, Method::POST, "/api/sync/token-revocations").json(&revocation), 200)
        .await;
    let sound = token(&claims(json!({})))?;
    scene.json(scene.request_with(&sound, Method::GET, "/api/sync/me"), 200).await;
    let refused = BTreeMap::from([
        ("none", String::new()),
        ("expired", token(&claims(json!({"iat": now - 1200, "exp": now - 600})))?),
        ("of another audience", token(&claims(json!({"aud": "another-portal"})))?),
        ("of no role that is known", token(&claims(json!({"role": "owner"})))?),
        ("revoked", revoked),
    ]);
    let roles = [Role::Viewer, Role::Operator, Role::Admin];
    let operations = operations()?;
    assert!(operations.len() > 50, "{}", operations.len());
    for (method, path, needed) in operations {
        let nobody = path_of_nothing(&path);
        let ask = |token: &str| {
            let request = scene.request_with(token, method.clone(), &nobody);
            let request = if method == Method::GET { request } else { request.json(&json!({})) };
            async move { anyhow::Ok(request.send().await?.status().as_u16()) }
        };
        for (kind, token) in &refused {
            assert_eq!(ask(token).await?, 401, "{method} {path}, token {kind}");
        }
        for role in roles {
            let status = ask(&scene.token(role, Duration::from_secs(600))).await?;
            if role < needed {
                assert_eq!(status, 403, "{method} {path} as {role:?}");
            } else {
                assert!(status != 401 && status != 403, "{method} {path} as {role:?}: {status}");
            }
        }
    }
    scene.end().await;
    Ok(())
}

/// A path whose parameters name nothing that is there.
fn path_of_nothing(path: &str) -> String {
    let mut named = String::new();
    for part in path.split_inclusive('}') {
        match part.split_once('{') {
            Some((before, _name)) => {
                named.push_str(before);
                named.push_str("00000000-0000-7000-8000-000000000000");
            }
            None => named.push_str(part),
        }
    }
    named
}
