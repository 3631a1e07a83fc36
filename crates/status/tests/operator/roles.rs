//! Every operation of the OpenAPI document, asked with every kind of token.

use std::{collections::BTreeMap, time::Duration};

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    request::{Operation, operations},
    scene::{SECRET, Scene},
};

/// A token by hand: what [`chassis::auth::OperatorKeys`] does not make.
fn token(claims: &Value) -> anyhow::Result<String> {
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    Ok(jsonwebtoken::encode(&jsonwebtoken::Header::default(), claims, &key)?)
}

/// The role that the document says an operation needs.
fn needed_role(operation: &Operation) -> anyhow::Result<Role> {
    let roles = &operation.described["security"][0]["bearer"];
    let [role] = roles.as_array().map_or(&[][..], Vec::as_slice) else {
        anyhow::bail!("{operation:?} names no role: {roles}")
    };
    let role = role.as_str().unwrap_or_default();
    role.parse().map_err(|_unknown| anyhow::anyhow!("{operation:?} needs {role:?}"))
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
    let operations: Vec<_> = operations().collect();
    assert!(operations.len() > 50, "{}", operations.len());
    for operation in operations {
        // Whoever asks whether they are signed in, and whoever signs out, need not be signed in.
        if ["getSession", "endSession"]
            .contains(&operation.described["operationId"].as_str().unwrap_or_default())
        {
            continue;
        }
        let (needed, nobody) = (needed_role(&operation)?, operation.path_of_nothing());
        let Operation { method, path, .. } = operation;
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
