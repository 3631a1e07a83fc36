use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chassis::{
    auth::{
        ApiKey, Issuer, IssuerOptions, KeyCounts, KeysError, OperatorKeys, RevocationList, Role, TokenError,
        canonical_token_id, new_api_key,
    },
    config::{NamedSecret, Secret, named_secrets},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use secrecy::ExposeSecret;
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
    json!({ "sub": "ann", "role": "operator", "iss": "sms-sync", "aud": "sms-sync", "iat": now, "exp": now + 600 })
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
    for claim in ["sub", "role", "iss", "aud", "iat", "exp"] {
        let mut claims = good();
        claims.as_object_mut().unwrap().remove(claim);
        let refused = keys().verify(&signed(&claims));
        assert!(matches!(refused, Err(TokenError::Invalid(_) | TokenError::Role(_))), "without {claim}");
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
        let refused = keys().verify(&signed(&claims));
        assert!(matches!(refused, Err(TokenError::Invalid(_) | TokenError::Role(_))), "{claim}");
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

const NEXT_SECRET: &str = "fedcba9876543210fedcba9876543210";

fn named(list: &str) -> Vec<NamedSecret> {
    named_secrets(&Secret::from(list)).unwrap()
}

#[test]
fn replaced_secret_verifies_until_it_expires_and_the_first_one_mints() {
    let minted = keys().mint("ann", Role::Viewer, Duration::from_secs(60)).unwrap();
    let next = OperatorKeys::from_secret(&Secret::from(NEXT_SECRET)).unwrap();
    let both = next.clone().with_more_secrets(&named(&format!("old={SECRET}"))).unwrap();
    assert_eq!(both.verify(&minted).unwrap().subject(), "ann");
    assert_eq!(both.verify(&signed(&good())).unwrap().subject(), "ann", "a token without `kid`");

    let of_first = both.mint("bob", Role::Viewer, Duration::from_secs(60)).unwrap();
    assert_eq!(next.verify(&of_first).unwrap().subject(), "bob");
    assert!(keys().verify(&of_first).is_err());
    let key_id = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    assert_ne!(key_id(&of_first), key_id(&minted));

    let expired =
        next.clone().with_more_secrets(&named(&format!("old@2020-01-01T00:00:00Z={SECRET}"))).unwrap();
    assert!(expired.verify(&minted).is_err());
    assert!(matches!(next.with_more_secrets(&named("old=short")), Err(KeysError::WeakSecret(5))));
}

#[test]
fn expired_token_of_a_replaced_secret_is_told_to_have_expired() {
    let next = OperatorKeys::from_secret(&Secret::from(NEXT_SECRET)).unwrap();
    let both = next.with_more_secrets(&named(&format!("old={SECRET},older={SECRET}x"))).unwrap();
    let mut claims = good();
    claims["exp"] = json!(get_current_timestamp() - 60);
    assert!(matches!(both.verify(&signed(&claims)), Err(TokenError::Expired)));
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

fn issuer(role_claim: &str) -> Issuer {
    let name = "https://id.example".to_owned();
    Issuer::new(IssuerOptions { name, audience: "fleet".to_owned(), role_claim: role_claim.to_owned() })
}

fn ec_key() -> Value {
    json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "x": EC_X, "y": EC_Y })
}

fn issuer_claims() -> Value {
    let mut claims = good();
    claims["iss"] = json!("https://id.example");
    claims["aud"] = json!(["account", "fleet"]);
    claims
}

fn ec_header() -> Header {
    Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::ES256) }
}

#[test]
fn public_key_of_an_issuer_verifies_tokens_and_mints_none() {
    let issuer = issuer("role");
    let keys = OperatorKeys::from_issuer(issuer.clone());
    let (mut header, mut claims) = (ec_header(), issuer_claims());
    let early = keys.verify(&issuer_token(&header, &claims));
    assert!(matches!(early, Err(TokenError::NoIssuerKeys)), "before its keys were read: {early:?}");
    issuer.replace_keys(&json!({ "keys": [ec_key()] }).to_string()).unwrap();
    assert_eq!(keys.verify(&issuer_token(&header, &claims)).unwrap().subject(), "ann");
    for (claim, wrong) in [("iss", "sms-sync"), ("aud", "sms-sync")] {
        let mut claims = issuer_claims();
        claims[claim] = json!(wrong);
        assert!(keys.verify(&issuer_token(&header, &claims)).is_err(), "our own {claim} under their key");
    }
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
fn keys_that_cannot_be_used_are_skipped_and_a_set_without_others_is_rejected() {
    let symmetric = json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(SECRET) });
    let mut encrypting = ec_key();
    encrypting["use"] = json!("enc");
    let mut signing = ec_key();
    signing["key_ops"] = json!(["sign"]);
    let unknown = [
        signing,
        json!({ "kty": "ML-DSA", "pub": "x" }),
        json!({ "kty": "EC", "crv": "secp256k1" }),
        json!(7),
    ];
    let useless: Vec<_> = [symmetric, encrypting].into_iter().chain(unknown).collect();
    let issuer = issuer("role");
    for set in [json!({ "keys": useless }), json!({ "keys": [] }), json!({}), json!("keys")] {
        assert!(matches!(issuer.replace_keys(&set.to_string()), Err(KeysError::Jwks(_))), "{set}");
    }
    let all: Vec<_> = useless.into_iter().chain([ec_key()]).collect();
    let counts = issuer.replace_keys(&json!({ "keys": all }).to_string()).unwrap();
    assert_eq!(counts, KeyCounts { usable: 1, skipped: 6 });
    // What cannot be read leaves the keys as they are; a set without a key withdraws them.
    issuer.replace_keys("no JSON").unwrap_err();
    let keys = OperatorKeys::from_issuer(issuer.clone());
    keys.verify(&issuer_token(&ec_header(), &issuer_claims())).unwrap();
    issuer.replace_keys(&json!({ "keys": [] }).to_string()).unwrap_err();
    assert!(keys.verify(&issuer_token(&ec_header(), &issuer_claims())).is_err());
}

#[test]
fn token_without_a_key_id_is_tried_with_each_key_of_its_family() {
    // A point of P-384, with which a signature of P-256 cannot even be compared.
    let p384 = json!({
        "kty": "EC", "crv": "P-384",
        "x": "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
        "y": "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
    });
    let issuer = issuer("role");
    issuer.replace_keys(&json!({ "keys": [p384, ec_key()] }).to_string()).unwrap();
    let header = Header::new(Algorithm::ES256);
    OperatorKeys::from_issuer(issuer).verify(&issuer_token(&header, &issuer_claims())).unwrap();
}

#[test]
fn role_is_found_where_the_config_says() {
    let mut claims = issuer_claims();
    claims.as_object_mut().unwrap().remove("role");
    claims["https://sms.example/role"] = json!("operator");
    claims["realm_access"] = json!({ "roles": ["offline_access", "viewer", "admin"], "none": ["ops"] });
    let verified = |claim: &str| {
        let issuer = issuer(claim);
        issuer.replace_keys(&json!({ "keys": [ec_key()] }).to_string()).unwrap();
        OperatorKeys::from_issuer(issuer).verify(&issuer_token(&ec_header(), &claims))
    };
    assert_eq!(verified("https://sms.example/role").unwrap().role(), Role::Operator);
    assert_eq!(verified("realm_access.roles").unwrap().role(), Role::Admin);
    for nowhere in ["role", "realm_access", "realm_access.none", "realm_access.roles.x", "sub"] {
        assert!(matches!(verified(nowhere), Err(TokenError::Role(_))), "{nowhere}");
    }
}

#[test]
fn api_key_is_verified_by_its_hash_and_no_token_passes_for_one() {
    let keys = keys();
    let id = uuid::Uuid::now_v7();
    let (secret, secret_hash) = new_api_key(id);
    let now = get_current_timestamp();
    let key = ApiKey {
        name: "report".to_owned(),
        role: Role::Viewer,
        secret_hash,
        created_at: now,
        expires_at: now + 60,
    };
    assert!(matches!(keys.verify(secret.expose_secret()), Err(TokenError::UnknownApiKey)));
    keys.api_keys().replace([(id, key.clone())].into());
    let operator = keys.verify(secret.expose_secret()).unwrap();
    assert_eq!((operator.subject(), operator.role()), ("api-key:report", Role::Viewer));
    assert_eq!(keys.api_keys().take_uses().keys().collect::<Vec<_>>(), [&id]);
    assert!(keys.api_keys().take_uses().is_empty());
    keys.api_keys().replace([(id, ApiKey { expires_at: now, ..key })].into());
    assert!(matches!(keys.verify(secret.expose_secret()), Err(TokenError::Expired)));
    let passing = keys.mint("api-key:report", Role::Viewer, Duration::from_secs(60));
    assert!(matches!(passing, Err(KeysError::Subject(_))));
    let mut claims = good();
    claims["sub"] = json!("api-key:report");
    assert!(matches!(keys.verify(&signed(&claims)), Err(TokenError::Subject(_))));
}

#[test]
fn token_times_with_a_fraction_are_valid() {
    let now = get_current_timestamp() as f64;
    let mut claims = good();
    for (claim, value) in [("iat", now - 0.5), ("nbf", now - 0.25), ("exp", now + 600.75)] {
        claims[claim] = json!(value);
    }
    let operator = keys().verify(&signed(&claims)).unwrap();
    assert_eq!(operator.expires_at(), now as u64 + 600);
    claims["exp"] = json!(now - 60.5);
    assert!(matches!(keys().verify(&signed(&claims)), Err(TokenError::Expired)));
    for malformed in [json!(-1), json!(1e300), json!("1"), json!(null), json!({})] {
        claims["exp"] = malformed;
        assert!(matches!(keys().verify(&signed(&claims)), Err(TokenError::Invalid(_))), "{claims}");
    }
}

#[test]
fn subject_that_nobody_can_read_is_rejected() {
    for subject in ["", "  ", "a\u{1b}[31m", &"x".repeat(256)] {
        let mut claims = good();
        claims["sub"] = json!(subject);
        assert!(matches!(keys().verify(&signed(&claims)), Err(TokenError::Subject(_))), "{subject:?}");
        let minted = keys().mint(subject, Role::Viewer, Duration::from_secs(60));
        assert!(matches!(minted, Err(KeysError::Subject(_))), "{subject:?}");
    }
}

#[test]
fn token_that_is_valid_for_too_long_is_rejected() {
    let keys = keys().with_max_lifetime(Duration::from_secs(3600));
    keys.verify(&keys.mint("ann", Role::Viewer, Duration::from_secs(3600)).unwrap()).unwrap();
    assert!(matches!(keys.mint("ann", Role::Viewer, Duration::from_secs(3601)), Err(KeysError::TooLong(_))));
    let now = get_current_timestamp();
    let mut claims = good();
    claims["exp"] = json!(now + 3601);
    assert!(matches!(keys.verify(&signed(&claims)), Err(TokenError::TooLong(_))));
    // A time of issue in the future would make the lifetime short.
    claims["iat"] = json!(now + 3600);
    assert!(matches!(keys.verify(&signed(&claims)), Err(TokenError::Invalid(_))));
}

#[test]
fn revoked_token_and_earlier_tokens_of_a_revoked_subject_are_rejected() {
    let keys = keys();
    let mut claims = good();
    claims["jti"] = json!("one");
    let (one, now) = (signed(&claims), get_current_timestamp());
    claims["jti"] = json!("two");
    let two = signed(&claims);
    claims["iat"] = json!(now + 10);
    let later = signed(&claims);
    let list = RevocationList { token_ids: ["one".to_owned()].into(), ..RevocationList::default() };
    keys.revocations().replace(list);
    assert!(matches!(keys.verify(&one), Err(TokenError::Revoked)));
    keys.verify(&two).unwrap();
    let list = RevocationList { subjects: [("ann".to_owned(), now)].into(), ..RevocationList::default() };
    keys.revocations().replace(list);
    assert!(matches!(keys.verify(&two), Err(TokenError::Revoked)));
    keys.verify(&later).unwrap();
}

#[test]
fn id_of_a_token_is_compared_however_it_is_written() {
    let keys = keys();
    let mut claims = good();
    for written in ["49D6A62150B94A74A81B29057B721F3C", "49d6a621-50b9-4a74-a81b-29057b721f3c", "AT-7"] {
        claims["jti"] = json!(written);
        let token = signed(&claims);
        keys.revocations().replace(RevocationList::default());
        keys.verify(&token).unwrap();
        let token_ids = [canonical_token_id(written)].into();
        keys.revocations().replace(RevocationList { token_ids, ..RevocationList::default() });
        assert!(matches!(keys.verify(&token), Err(TokenError::Revoked)), "{written}");
    }
}

#[test]
fn minted_tokens_have_ids_of_their_own() {
    let id = || {
        let token = keys().mint("ann", Role::Viewer, Duration::from_secs(60)).unwrap();
        keys().verify(&token).unwrap().token_id().map(str::to_owned).unwrap()
    };
    assert_ne!(id(), id());
}

#[test]
fn token_with_extensions_that_must_be_understood_is_rejected() {
    let header = Header { crit: Some(vec!["exp".to_owned()]), ..Header::new(Algorithm::HS256) };
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&header, &good(), &key).unwrap();
    assert!(matches!(keys().verify(&token), Err(TokenError::Invalid(_))));
    assert!(keys().verify(&signed(&good())).is_ok());
}
