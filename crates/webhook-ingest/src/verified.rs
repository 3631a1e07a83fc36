//! The one way to a webhook that may be trusted.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
use chassis::problem::Problem;
use contracts::webhook::{
    WebhookBody,
    signature::{ID_HEADER, Keyring, Refusal, SIGNATURE_HEADER, SignedHeaders, TIMESTAMP_HEADER},
};
use domain::clock::Clock;

/// What a webhook is measured against.
pub(crate) struct Gate {
    keyring: Keyring,
    largest_body: usize,
    clock: Arc<dyn Clock>,
}

impl Gate {
    pub(crate) fn new(keyring: Keyring, largest_body: usize, clock: Arc<dyn Clock>) -> Self {
        Self { keyring, largest_body, clock }
    }
}

/// A webhook whose size, content type, signature over the raw bytes and age were checked. Only its extractor makes one,
/// so a handler cannot forget.
#[derive(Debug)]
#[non_exhaustive]
pub struct VerifiedWebhook {
    /// The sender's id, the same on every attempt.
    pub webhook_id: String,
    /// Name of the secret that matched.
    pub key_name: String,
    /// What was signed.
    pub raw: web::Bytes,
    /// The same, read.
    pub body: WebhookBody,
}

impl FromRequest for VerifiedWebhook {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            let gate =
                request.app_data::<web::Data<Gate>>().expect("routes() puts the gate beside the handler");
            let verified = verify(gate, &request, payload).await;
            if let Err(refused) = &verified {
                let reason = refused.reason;
                metrics::counter!("sms_webhook_requests_total", "result" => "refused", "reason" => reason)
                    .increment(1);
                tracing::info!(webhook.refusal = reason, "refused a webhook");
            }
            verified.map_err(|refused| refused.problem)
        })
    }
}

/// The reason is for operators; the caller learns no more than the problem says.
struct Refused {
    reason: &'static str,
    problem: Problem,
}

async fn verify(
    gate: &Gate,
    request: &HttpRequest,
    payload: Result<web::Payload, actix_web::Error>,
) -> Result<VerifiedWebhook, Refused> {
    let json = header_text(request, header::CONTENT_TYPE.as_str())
        .and_then(|text| text.split(';').next())
        .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"));
    if !json {
        let problem = Problem::unsupported_media_type("send a webhook as application/json");
        return Err(Refused { reason: "unsupported_content_type", problem });
    }
    let raw = read_limited(request, payload, gate.largest_body).await?;

    let now = gate.clock.now();
    let signed = signed_headers(request)
        .and_then(|headers| Ok((headers.id.to_owned(), gate.keyring.verify(headers, &raw, now)?.to_owned())));
    let (webhook_id, key_name) = signed.map_err(|refusal| Refused {
        reason: refusal.code(),
        problem: Problem::unauthorized(
            "webhook_not_verified",
            "the webhook's signature, id or timestamp was not accepted; sign as Standard Webhooks says, with the secret of this endpoint",
        ),
    })?;

    let body = serde_json::from_slice(&raw).map_err(|error| Refused {
        reason: "unparsable_json",
        problem: Problem::bad_request("webhook_not_readable", format!("the body is not a webhook: {error}")),
    })?;
    Ok(VerifiedWebhook { webhook_id, key_name, raw, body })
}

/// The limit holds before a byte is read, where the length is announced, and while reading, where it is not.
async fn read_limited(
    request: &HttpRequest,
    payload: Result<web::Payload, actix_web::Error>,
    limit: usize,
) -> Result<web::Bytes, Refused> {
    let too_large = || Refused {
        reason: "payload_too_large",
        problem: Problem::too_large(format!("a webhook may have {limit} bytes; send ids, not records")),
    };
    let broken = || Refused {
        reason: "unreadable_body",
        problem: Problem::bad_request("webhook_broke_off", "the body broke off"),
    };
    let announced =
        header_text(request, header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let payload = payload.map_err(|_unread| broken())?;
    match payload.to_bytes_limited(limit).await {
        Err(_limit) => Err(too_large()),
        Ok(read) => read.map_err(|_broken| broken()),
    }
}

fn signed_headers(request: &HttpRequest) -> Result<SignedHeaders<'_>, Refusal> {
    let text = |name| header_text(request, name).ok_or(Refusal::MissingHeader(name));
    Ok(SignedHeaders {
        id: text(ID_HEADER)?,
        timestamp: text(TIMESTAMP_HEADER)?,
        signature: text(SIGNATURE_HEADER)?,
    })
}

fn header_text<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}
