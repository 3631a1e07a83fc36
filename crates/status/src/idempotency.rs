//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a request that is sent twice takes effect once, and the
//! second one is answered as the first.
//!
//! A handler claims the key in the transaction of its effect, and keeps its answer there before the commit. A request that
//! is refused keeps nothing: it may be sent again with the same key.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{StatusCode, header},
};
use chassis::{
    auth::Authorized,
    problem::{FieldError, Problem},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    Db,
    ledger::idempotency::{self, KeptAnswer, KeyClaimed, idempotency_key_answer, idempotency_key_claim},
};
use utoipa::IntoParams;

use crate::problems::OrProblem;

/// Longest key.
const KEY_LENGTH_LIMIT: usize = 255;
/// Says that an answer is one that was given before.
const REPLAYED: &str = "Idempotency-Replayed";

/// For the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description")]
pub(crate) struct IdempotencyHeader {
    /// 1 to 255 visible ASCII characters, such as a UUID. A request that is sent again with the same key within 24 hours has no
    /// second effect, and is answered as the first one was, with `Idempotency-Replayed: true`. A request that was refused may be
    /// sent again with its key.
    #[param(rename = "Idempotency-Key", example = "8e03978e-40d5-43e8-bc93-6894a57f9324")]
    key: Option<String>,
}

/// The `Idempotency-Key` of a request, if it has one.
#[derive(Debug, Clone)]
pub(crate) struct IdempotencyKey {
    key: Option<String>,
    /// Method, and path with query.
    operation: String,
}

/// What became of a claim.
pub(crate) enum Claimed {
    /// The request is to be carried out, and its answer given to [`Claim::keep`].
    First(Claim),
    /// The request was carried out before.
    Again(KeptAnswer),
}

/// A claim on the key of a request that is carried out; empty if it has none.
pub(crate) struct Claim(Option<(String, String, [u8; 32])>);

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let key =
            request.headers().get("idempotency-key").map(|value| read_key(value.as_bytes())).transpose();
        ready(key.map(|key| Self { key, operation: format!("{} {}", request.method(), request.uri()) }))
    }
}

/// A structured-field string, in quotes (RFC 9651); many clients leave them out.
fn read_key(value: &[u8]) -> Result<String, Problem> {
    let text = std::str::from_utf8(value).unwrap_or_default().trim();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    if !is_visible || !(1..=KEY_LENGTH_LIMIT).contains(&key.len()) {
        let detail = format!("must be 1 to {KEY_LENGTH_LIMIT} visible ASCII characters, such as a UUID");
        let errors = vec![FieldError::new("Idempotency-Key", "invalid_key", detail)];
        return Err(Problem::invalid("The header Idempotency-Key is invalid.", errors));
    }
    Ok(key.to_owned())
}

impl IdempotencyKey {
    /// Claims the key for a request with this body. In the transaction of the request's effect.
    pub(crate) async fn claim<R>(
        self,
        tx: &mut Db,
        by: &Authorized<R>,
        body: &impl Serialize,
        now: DateTime<Utc>,
    ) -> Result<Claimed, Problem> {
        let Some(key) = self.key else { return Ok(Claimed::First(Claim(None))) };
        let mut hash = Sha256::new_with_prefix(&self.operation);
        hash.update(json!(body).to_string());
        // Who asks again for a smaller part of the fleet is not answered as for the larger one.
        if let Some(scope) = by.scope() {
            hash.update(json!(scope).to_string());
        }
        let claim = (by.subject().to_owned(), key, hash.finalize().into());
        match idempotency_key_claim(tx, row_of(&claim), now).await.or_problem()? {
            KeyClaimed::New => Ok(Claimed::First(Claim(Some(claim)))),
            KeyClaimed::Answered(answer) => Ok(Claimed::Again(answer)),
            KeyClaimed::OtherRequest => {
                let detail =
                    "must be a new key, as this one was sent with another request in the last 24 hours";
                let errors = vec![FieldError::new("Idempotency-Key", "key_reused", detail)];
                Err(Problem::invalid("The Idempotency-Key belongs to another request.", errors))
            }
            KeyClaimed::Unanswered => {
                let detail = "The first request with this Idempotency-Key has not finished, or was interrupted. See what \
                    it did, and send a new key if it is to be done again.";
                Err(Problem::conflict("request_unfinished", detail))
            }
        }
    }
}

impl Claim {
    /// The answer of a request that was carried out, kept for those that come with the same key.
    pub(crate) async fn keep(
        self,
        tx: &mut Db,
        status: StatusCode,
        location: Option<String>,
        body: &impl Serialize,
    ) -> Result<HttpResponse, Problem> {
        let answer = KeptAnswer { status: status.as_u16(), location, body: Some(json!(body)) };
        self.keep_answer(tx, &answer).await?;
        Ok(respond(&answer))
    }

    /// Keeps that the request was carried out, and not its answer: that holds personal data, and is made anew.
    pub(crate) async fn keep_without_body(self, tx: &mut Db) -> Result<(), Problem> {
        let answer = KeptAnswer { status: StatusCode::OK.as_u16(), location: None, body: None };
        self.keep_answer(tx, &answer).await
    }

    async fn keep_answer(self, tx: &mut Db, answer: &KeptAnswer) -> Result<(), Problem> {
        match &self.0 {
            Some(claim) => idempotency_key_answer(tx, row_of(claim), answer).await.or_problem(),
            None => Ok(()),
        }
    }
}

fn row_of((actor, key, fingerprint): &(String, String, [u8; 32])) -> idempotency::IdempotencyKey<'_> {
    idempotency::IdempotencyKey { actor, key, fingerprint: *fingerprint }
}

/// The answer that a request was given before.
pub(crate) fn respond_again(answer: &KeptAnswer) -> HttpResponse {
    let mut response = respond(answer);
    response.headers_mut().insert(
        header::HeaderName::from_bytes(REPLAYED.as_bytes()).expect("a valid name"),
        header::HeaderValue::from_static("true"),
    );
    response
}

fn respond(answer: &KeptAnswer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    if let Some(location) = &answer.location {
        response.insert_header((header::LOCATION, location.as_str()));
    }
    response.json(&answer.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_with_and_without_its_quotes() {
        assert_eq!(read_key(b"\"8e03\"").ok(), Some("8e03".to_owned()));
        assert_eq!(read_key(b" 8e03 ").ok(), Some("8e03".to_owned()));
        let long = "k".repeat(256);
        for wrong in [&b""[..], b"\"\"", b"a b", b"a\"b", "k\u{e9}".as_bytes(), b"\xff", long.as_bytes()] {
            assert!(read_key(wrong).is_err(), "{wrong:?}");
        }
    }
}
