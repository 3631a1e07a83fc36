//! What a token must say.

use std::collections::BTreeMap;

use jsonwebtoken::{DecodingKey, Validation, errors::ErrorKind, get_current_timestamp};
use serde::{Deserialize, Deserializer, de::IntoDeserializer};
use serde_json::Value;

use super::{Operator, Role, TokenError, TokenScope, names::check_name};

/// How many seconds the clocks of issuer and verifier may differ.
const CLOCK_LEEWAY_SECONDS: u64 = 30;

/// The claims of a token that we verify. The library checks `iss` and `aud`.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(deserialize_with = "numeric_date")]
    exp: u64,
    #[serde(default, deserialize_with = "optional_numeric_date")]
    nbf: Option<u64>,
    #[serde(deserialize_with = "numeric_date")]
    iat: u64,
    jti: Option<String>,
}

/// A NumericDate (RFC 7519, section 2), which may have a fraction, in whole seconds.
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let seconds = number.as_u64().or_else(|| {
        let seconds = number.as_f64()?;
        // Larger than that, a float has no whole seconds.
        (0.0..=9_007_199_254_740_992.0).contains(&seconds).then_some(seconds as u64)
    });
    seconds.ok_or_else(|| serde::de::Error::custom("a time is not a number of seconds since 1970"))
}

fn optional_numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    numeric_date(deserializer).map(Some)
}

pub(super) fn unknown_key() -> TokenError {
    TokenError::Invalid(ErrorKind::InvalidAlgorithm.into())
}

/// Verifies a token with one key. `validation` has the issuer and the audience.
pub(super) fn verify_with_key(
    token: &str,
    key: &DecodingKey,
    mut validation: Validation,
    role_claim: &str,
) -> Result<Operator, TokenError> {
    // The times are checked below: the library reads no times with a fraction while serde_json keeps the digits of numbers
    // (its feature arbitrary_precision), and knows no `iat`.
    validation.validate_exp = false;
    // Without this, a token that lacks the claim passes.
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    let claims = jsonwebtoken::decode::<BTreeMap<String, Value>>(token, key, &validation);
    let claims = claims.map_err(TokenError::Invalid)?.claims;
    let read = Claims::deserialize(claims.clone().into_deserializer());
    let Claims { sub, exp, nbf, iat, jti } =
        read.map_err(|error: serde_json::Error| TokenError::Invalid(error.into()))?;
    let now = get_current_timestamp();
    if exp.saturating_add(CLOCK_LEEWAY_SECONDS) <= now {
        return Err(TokenError::Expired);
    }
    if nbf.unwrap_or(iat).max(iat) > now.saturating_add(CLOCK_LEEWAY_SECONDS) {
        return Err(TokenError::Invalid(ErrorKind::ImmatureSignature.into()));
    }
    check_name(&sub).map_err(TokenError::Subject)?;
    if jti.as_deref().is_some_and(|id| check_name(id).is_err()) {
        return Err(TokenError::Invalid(ErrorKind::InvalidClaimFormat("jti".to_owned()).into()));
    }
    let role = role_at(&claims, role_claim).ok_or_else(|| TokenError::Role(role_claim.to_owned()))?;
    let scope = TokenScope::of_claims(&claims).map_err(TokenError::Scope)?;
    Ok(Operator { subject: sub, role, token_id: jti, issued_at: iat, expires_at: exp, scope })
}

/// The highest role at `path` of the claims: a text, or a list of texts of which others may name no role of ours.
fn role_at(claims: &BTreeMap<String, Value>, path: &str) -> Option<Role> {
    // A claim may have dots in its name: `https://sms.example/role`.
    let found = claims.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        claims.get(first)?.pointer(&format!("/{}", rest.replace('.', "/")))
    });
    match found? {
        Value::String(role) => role.parse().ok(),
        Value::Array(roles) => roles.iter().filter_map(|role| role.as_str()?.parse().ok()).max(),
        _ => None,
    }
}
