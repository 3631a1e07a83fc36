//! Verifies webhooks: content type, size, signature over the raw bytes, age and shape.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, http::header, web};
use chassis::problem::Problem;
use contracts::webhook::{
    Read, WebhookBody,
    signature::{
        HUB_ID_HEADER, HUB_SIGNATURE_HEADER, ID_HEADER, Keyring, Refusal, SIGNATURE_HEADER, SignedHeaders,
        TIMESTAMP_HEADER,
    },
};
use domain::{WebhookRefusal, clock::Clock};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::{
    body_budget::{BodyBudget, BodyPermit},
    rejection::Rejection,
};

/// How long a body may take to arrive. A slower one would keep its part of the body budget without end.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct WebhookVerifier {
    pub(crate) keyring: Keyring,
    /// Accept `X-Hub-Signature-256` where there is no `webhook-signature`.
    pub(crate) accept_hub_signature: bool,
    /// In bytes.
    pub(crate) body_limit: usize,
    pub(crate) body_budget: BodyBudget,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A webhook that passed every check. Only the verifier makes one, so a handler cannot forget a check.
#[derive(Debug)]
pub struct VerifiedWebhook {
    webhook_id: String,
    key_name: String,
    raw_body: web::Bytes,
    body: Read,
    _permit: BodyPermit,
}

impl VerifiedWebhook {
    /// The sender's `webhook-id`, the same on every attempt.
    #[must_use]
    pub fn webhook_id(&self) -> &str {
        &self.webhook_id
    }

    /// Name of the secret that matched.
    #[must_use]
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// The bytes that were signed.
    #[must_use]
    pub const fn raw_body(&self) -> &web::Bytes {
        &self.raw_body
    }

    #[must_use]
    pub const fn body(&self) -> &Read {
        &self.body
    }
}

impl WebhookVerifier {
    /// Leaves the body, once it is read, in `read_body`, even if a later check fails.
    pub(crate) async fn verify(
        &self,
        request: &HttpRequest,
        payload: Result<web::Payload, actix_web::Error>,
        read_body: &mut Option<web::Bytes>,
    ) -> Result<VerifiedWebhook, Rejection> {
        check_content_type(request)?;
        let (raw_body, permit) =
            timeout(BODY_TIMEOUT, self.read_body(request, payload)).await.unwrap_or_else(|_elapsed| {
                Err(unreadable_body(format!("the body took longer than {BODY_TIMEOUT:?}")))
            })?;
        let raw_body = &*read_body.insert(raw_body);
        let (webhook_id, key_name) = self.check_signature(request, raw_body).map_err(|refusal| {
            let problem = Problem::unauthorized(
                "webhook_not_verified",
                "the webhook's signature, id or timestamp was not accepted; sign as Standard Webhooks says, with the secret of this endpoint",
            );
            Rejection::new(refusal.reason(), refusal.to_string(), problem)
        })?;
        let body = WebhookBody::read(raw_body).map_err(|error| {
            let problem = Problem::bad_request("webhook_not_readable", error.to_string());
            Rejection::new(error.reason(), error.without_values(), problem)
        })?;
        Ok(VerifiedWebhook { webhook_id, key_name, raw_body: raw_body.clone(), body, _permit: permit })
    }

    /// Checks the size before a byte is read where the length is announced, and while reading where it is not.
    async fn read_body(
        &self,
        request: &HttpRequest,
        payload: Result<web::Payload, actix_web::Error>,
    ) -> Result<(web::Bytes, BodyPermit), Rejection> {
        let limit = self.body_limit;
        let too_large = || {
            let detail = format!("a webhook may have {limit} bytes; send ids, not records");
            Rejection::new(WebhookRefusal::PayloadTooLarge, detail.clone(), Problem::too_large(detail))
        };
        let broke_off = || unreadable_body("the body broke off");
        let announced =
            text_header(request, header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut payload = payload.map_err(|_unreadable| broke_off())?;
        let mut permit = BodyPermit::empty();
        let mut body = web::BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_unreadable| broke_off())?;
            if body.len() + chunk.len() > limit {
                return Err(too_large());
            }
            if !self.body_budget.try_extend(&mut permit, chunk.len()) {
                return Err(Rejection::overloaded("other requests use up the memory for bodies"));
            }
            if body.is_empty() && announced == Some(chunk.len()) {
                return Ok((chunk, permit)); // nearly always the body is one chunk: no copy
            }
            body.extend_from_slice(&chunk);
        }
        Ok((body.freeze(), permit))
    }

    /// The webhook's id, and the name of the secret that matched. A request with a Standard Webhooks signature is verified by
    /// it alone: `X-Hub-Signature-256`, which does not protect against replays, is no second try.
    fn check_signature(&self, request: &HttpRequest, body: &[u8]) -> Result<(String, String), Refusal> {
        let text = |name| text_header(request, name).ok_or(Refusal::MissingHeader(name));
        let now = self.clock.now();
        let hub_signature = text_header(request, HUB_SIGNATURE_HEADER).filter(|_| self.accept_hub_signature);
        let (id, key_name) = match hub_signature {
            Some(signature) if !request.headers().contains_key(SIGNATURE_HEADER) => {
                let id = text(ID_HEADER).or_else(|_absent| text(HUB_ID_HEADER))?;
                (id, self.keyring.verify_hub(id, signature, body, now)?)
            }
            _ => {
                let (id, timestamp) = (text(ID_HEADER)?, text(TIMESTAMP_HEADER)?);
                // A proxy may leave several signatures on lines of their own.
                let lines = request.headers().get_all(SIGNATURE_HEADER).filter_map(|line| line.to_str().ok());
                let signature = lines.collect::<Vec<_>>().join(" ");
                if signature.is_empty() {
                    return Err(Refusal::MissingHeader(SIGNATURE_HEADER));
                }
                let headers = SignedHeaders { id, timestamp, signature: &signature };
                (id, self.keyring.verify(headers, body, now)?)
            }
        };
        Ok((id.to_owned(), key_name.to_owned()))
    }
}

fn check_content_type(request: &HttpRequest) -> Result<(), Rejection> {
    let media_type =
        text_header(request, header::CONTENT_TYPE.as_str()).and_then(|text| text.split(';').next());
    if media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json")) {
        return Ok(());
    }
    let problem = Problem::unsupported_media_type("send a webhook as application/json");
    let detail = "its content type is not application/json";
    Err(Rejection::new(WebhookRefusal::UnsupportedContentType, detail, problem))
}

fn unreadable_body(detail: impl Into<String>) -> Rejection {
    let detail = detail.into();
    let problem = Problem::bad_request("webhook_broke_off", detail.clone());
    Rejection::new(WebhookRefusal::UnreadableBody, detail, problem)
}

fn text_header<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}
