//! Tokens of an identity provider.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpServer, web};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use testbed::wait_until;

use crate::scene::Scene;

const ME: &str = "/api/sync/me";
const ISSUER: &str = "https://id.example";

/// A key pair made for this test alone: Ed25519, PKCS#8, and its public half.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";
const PUBLIC: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e,
    0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

fn public_key(id: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": id, "x": BASE64_URL_SAFE_NO_PAD.encode(PUBLIC)})
}

fn token(key_id: &str, role: &str) -> String {
    let now = get_current_timestamp();
    let claims = json!({
        "sub": "ola", "iss": ISSUER, "aud": "sms-sync", "iat": now, "exp": now + 600, "groups": ["crew", role],
    });
    let header = Header { kid: Some(key_id.to_owned()), ..Header::new(Algorithm::EdDSA) };
    let key = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).expect("a key");
    jsonwebtoken::encode(&header, &claims, &key).expect("a token")
}

#[tokio::test(flavor = "multi_thread")]
async fn issuers_new_key_is_read_when_a_token_is_signed_with_it() -> anyhow::Result<()> {
    let published = Arc::new(Mutex::new(json!({"keys": [public_key("k1")]})));
    let keys = published.clone();
    let server = HttpServer::new(move || {
        let keys = keys.clone();
        let answer = move || {
            let set = keys.lock().expect("no panic").clone();
            async move { web::Json(set) }
        };
        App::new().route("/keys", web::get().to(answer))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")?;
    let url = format!("http://{}/keys", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    let scene = Scene::with_config(|config| {
        config["operators"]["issuer"] = json!(ISSUER);
        config["operators"]["role_claim"] = json!("groups");
        config["operators"]["jwks_url"] = json!(url);
    })
    .await?;
    let accepted = async |key_id: &str| {
        wait_until(format!("a token of {key_id} is accepted"), Duration::from_secs(30), async || {
            let answer = scene.request_with(&token(key_id, "operator"), Method::GET, ME).send().await;
            let status = answer.map_err(|error| error.to_string())?.status();
            if status == 200 { Ok(()) } else { Err(status.to_string()) }
        })
        .await
    };
    accepted("k1").await?;
    let identity = scene.json(scene.request_with(&token("k1", "admin"), Method::GET, ME), 200).await;
    assert_eq!((&identity["subject"], &identity["role"]), (&json!("ola"), &json!("admin")));
    let no_role = scene.json(scene.request_with(&token("k1", "captain"), Method::GET, ME), 401).await;
    assert!(no_role["detail"].as_str().is_some_and(|it| it.contains("`groups`")), "{no_role}");

    // The issuer changes its key: the old one is published no longer.
    *published.lock().expect("no panic") = json!({"keys": [public_key("k2")]});
    accepted("k2").await?;
    scene.json(scene.request_with(&token("k1", "admin"), Method::GET, ME), 401).await;
    // Our own tokens are accepted beside them.
    scene.json(scene.get(ME), 200).await;
    scene.end().await;
    handle.stop(true).await;
    Ok(())
}
