use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chassis::{
    auth::{KeysError, OperatorKeys, Role, TokenError},
    config::Secret,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn keys() -> OperatorKeys {
    OperatorKeys::from_secret(&Secret::from(SECRET)).unwrap()
}

fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

fn good() -> Value {
    let now = get_current_timestamp();
    json!({ "sub": "ann", "role": "operator", "iss": "sms-sync", "aud": "sms-sync", "exp": now + 600 })
}

#[test]
fn minted_token_is_valid_for_its_role() {
    let token = keys().mint("ann", Role::Operator, Duration::from_secs(60)).unwrap();
    let operator = keys().verify(&token).unwrap();
    assert_eq!((operator.subject(), operator.role()), ("ann", Role::Operator));
    assert!(operator.require(Role::Viewer).is_ok());
    let refused = operator.require(Role::Admin).unwrap_err();
    assert_eq!(refused.body().detail.as_deref(), Some("You are operator; this can be done by an admin."));
}

#[test]
fn short_secret_is_rejected() {
    assert!(matches!(OperatorKeys::from_secret(&Secret::from("short")), Err(KeysError::WeakSecret(5))));
}

#[test]
fn token_without_a_required_claim_is_rejected() {
    keys().verify(&signed(&good())).unwrap();
    for claim in ["sub", "role", "iss", "aud", "exp"] {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(claim);
        assert!(matches!(keys().verify(&signed(&claims)), Err(TokenError::Invalid(_))), "without {claim}");
    }
}

#[test]
fn token_with_a_wrong_claim_is_rejected() {
    let now = get_current_timestamp();
    for (claim, value) in
        [("iss", json!("other")), ("aud", json!("other")), ("role", json!("root")), ("nbf", json!(now + 300))]
    {
        let mut claims = good();
        claims[claim] = value;
        assert!(matches!(keys().verify(&signed(&claims)), Err(TokenError::Invalid(_))), "{claim}");
    }
    let mut claims = good();
    claims["exp"] = json!(now - 60);
    assert!(matches!(keys().verify(&signed(&claims)), Err(TokenError::Expired)));
}

#[test]
fn token_of_another_key_or_of_no_key_is_rejected() {
    let other = OperatorKeys::from_secret(&Secret::from("another secret of thirty-two bytes")).unwrap();
    let token = other.mint("eve", Role::Admin, Duration::from_secs(60)).unwrap();
    assert!(keys().verify(&token).is_err());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&good()));
    assert!(keys().verify(&unsigned).is_err());
    assert!(keys().verify("").is_err());
}

/// A key pair made for this test alone: EC P-256, PKCS#8 and its public point.
const EC_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRXB7XpjT+CfyKAaL
mTbEkifl0WbjerCcN1hQpRMj29GhRANCAASLoAjwq3OZ9dF1SQ49hUf43p5G03Ca
7YtvWTl19CCyxr/6dbgfYFYXdSgZcUnOladK2Tc0Or4L9tkFMYmyVsFh
-----END PRIVATE KEY-----
";
const EC_X: &str = "i6AI8KtzmfXRdUkOPYVH-N6eRtNwmu2Lb1k5dfQgssY";
const EC_Y: &str = "v_p1uB9gVhd1KBlxSc6Vp0rZNzQ6vgv22QUxibJWwWE";

fn issuer_token(header: &Header, claims: &Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_ec_pem(EC_PRIVATE.as_bytes()).unwrap()).unwrap()
}

#[test]
fn public_key_of_an_issuer_verifies_tokens_and_mints_none() {
    let jwks =
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "k1", "x": EC_X, "y": EC_Y }] }).to_string();
    let keys = OperatorKeys::from_jwks(&jwks, "https://id.example").unwrap();
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("k1".to_owned());
    let mut claims = good();
    assert!(keys.verify(&issuer_token(&header, &claims)).is_err(), "our own issuer's name under their key");
    claims["iss"] = json!("https://id.example");
    assert_eq!(keys.verify(&issuer_token(&header, &claims)).unwrap().subject(), "ann");
    header.kid = Some("k2".to_owned());
    assert!(keys.verify(&issuer_token(&header, &claims)).is_err(), "a key we do not hold");
    assert!(matches!(keys.mint("ann", Role::Admin, Duration::from_secs(1)), Err(KeysError::PublicKeysOnly)));

    // The public key used as an HMAC secret: the classic confusion.
    claims["role"] = json!("admin");
    let confused = EncodingKey::from_secret(&URL_SAFE_NO_PAD.decode(EC_X).unwrap());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &confused).unwrap();
    assert!(keys.verify(&token).is_err());
}

#[test]
fn symmetric_key_in_a_jwk_set_is_rejected() {
    let jwks = json!({ "keys": [{ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET) }] }).to_string();
    assert!(matches!(OperatorKeys::from_jwks(&jwks, "x"), Err(KeysError::Jwks(_))));
    assert!(matches!(OperatorKeys::from_jwks("{\"keys\":[]}", "x"), Err(KeysError::Jwks(_))));
}
