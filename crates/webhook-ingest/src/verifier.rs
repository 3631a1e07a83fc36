//! The one way to a webhook that may be trusted.

use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};
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
    rate_limiter::{Room, Sources, Taken},
    recorder::Recorder,
    rejection_log::{Refusals, Refused},
    route::not_recorded,
};

/// A body that takes longer to arrive is given up: it would hold its room for ever.
const READING: Duration = Duration::from_secs(10);

/// What a webhook is measured against.
pub(crate) struct Gate {
    pub(crate) keyring: Keyring,
    /// Whether `X-Hub-Signature-256` is accepted, too.
    pub(crate) hub: bool,
    pub(crate) largest_body: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sources: Arc<Sources>,
    pub(crate) room: Room,
    pub(crate) refusals: Refusals,
    pub(crate) recorder: Recorder,
}

/// A webhook whose size, content type, signature over the raw bytes and age were checked. Only its extractor makes one,
/// so a handler cannot forget.
#[derive(Debug)]
pub struct VerifiedWebhook {
    webhook_id: String,
    key_name: String,
    raw: web::Bytes,
    read: Read,
    source: IpAddr,
    _room: Taken,
}

impl VerifiedWebhook {
    /// The sender's id, the same on every attempt.
    #[must_use]
    pub fn webhook_id(&self) -> &str {
        &self.webhook_id
    }

    /// Name of the secret that matched.
    #[must_use]
    pub fn key_name(&self) -> &str {
        &self.key_name
    }

    /// What was signed.
    #[must_use]
    pub const fn raw(&self) -> &web::Bytes {
        &self.raw
    }

    /// The same, read.
    #[must_use]
    pub const fn read(&self) -> &Read {
        &self.read
    }

    /// Where it came from.
    #[must_use]
    pub const fn source(&self) -> IpAddr {
        self.source
    }
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
            let source = gate.sources.of(&request);
            let mut body = None;
            let verified = gate.verify(&request, source, payload, &mut body).await;
            verified.map_err(|Refusing { reason, detail, problem }| {
                let status = problem.status().as_u16();
                gate.refusals.note(&Refused {
                    request: &request,
                    source,
                    reason,
                    status,
                    detail,
                    body: body.as_ref(),
                });
                problem
            })
        })
    }
}

/// Reason and detail are for operators; the caller learns no more than the problem says.
struct Refusing {
    reason: WebhookRefusal,
    detail: String,
    problem: Problem,
}

impl Refusing {
    fn new(reason: WebhookRefusal, detail: impl Into<String>, problem: Problem) -> Self {
        Self { reason, detail: detail.into(), problem }
    }
}

impl Gate {
    /// Leaves in `body` what was read, for the log of refused requests.
    async fn verify(
        &self,
        request: &HttpRequest,
        source: IpAddr,
        payload: Result<web::Payload, actix_web::Error>,
        body: &mut Option<web::Bytes>,
    ) -> Result<VerifiedWebhook, Refusing> {
        self.sources.admit(source).map_err(|wait| {
            let problem =
                Problem::too_many_requests(wait).with_detail("you send more webhooks than are taken");
            Refusing::new(WebhookRefusal::RateLimited, "more than its source may send", problem)
        })?;
        // While nothing can be recorded there is no use in reading.
        self.recorder.check().map_err(|error| {
            let (reason, problem) = not_recorded(error.clone());
            Refusing::new(reason, error.to_string(), problem)
        })?;
        let content_type = header_text(request, header::CONTENT_TYPE.as_str());
        let is_json = content_type
            .and_then(|text| text.split(';').next())
            .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"));
        if !is_json {
            let problem = Problem::unsupported_media_type("send a webhook as application/json");
            let detail = "its content type is not application/json";
            return Err(Refusing::new(WebhookRefusal::UnsupportedContentType, detail, problem));
        }
        let mut room = Taken::nothing();
        let reading = self.read_limited(request, payload, &mut room);
        let raw = timeout(READING, reading).await.unwrap_or_else(|_elapsed| {
            let detail = format!("the body took longer than {READING:?}");
            Err(Refusing::new(
                WebhookRefusal::UnreadableBody,
                detail.clone(),
                Problem::bad_request("webhook_broke_off", detail),
            ))
        })?;
        let raw = &*body.insert(raw);

        let (webhook_id, key_name) = self.signed_by(request, raw).map_err(|refusal| {
            let problem = Problem::unauthorized(
                "webhook_not_verified",
                "the webhook's signature, id or timestamp was not accepted; sign as Standard Webhooks says, with the secret of this endpoint",
            );
            Refusing::new(refusal.reason(), refusal.to_string(), problem)
        })?;
        let read = WebhookBody::read(raw).map_err(|error| {
            let problem = Problem::bad_request("webhook_not_readable", error.to_string());
            Refusing::new(error.reason(), error.without_values(), problem)
        })?;
        Ok(VerifiedWebhook { webhook_id, key_name, raw: raw.clone(), read, source, _room: room })
    }

    /// The limit holds before a byte is read, where the length is announced, and while reading, where it is not.
    async fn read_limited(
        &self,
        request: &HttpRequest,
        payload: Result<web::Payload, actix_web::Error>,
        room: &mut Taken,
    ) -> Result<web::Bytes, Refusing> {
        let limit = self.largest_body;
        let too_large = || {
            let detail = format!("a webhook may have {limit} bytes; send ids, not records");
            Refusing::new(WebhookRefusal::PayloadTooLarge, detail.clone(), Problem::too_large(detail))
        };
        let broken = || {
            let problem = Problem::bad_request("webhook_broke_off", "the body broke off");
            Refusing::new(WebhookRefusal::UnreadableBody, "the body broke off", problem)
        };
        let announced =
            header_text(request, header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut payload = payload.map_err(|_unread| broken())?;
        let mut raw = web::BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_broken| broken())?;
            if raw.len() + chunk.len() > limit {
                return Err(too_large());
            }
            if !self.room.take(chunk.len(), room) {
                let (reason, problem) = not_recorded(crate::recorder::NotRecorded::Overloaded);
                return Err(Refusing::new(reason, "the bodies in hand fill the room that there is", problem));
            }
            if raw.is_empty() && announced == Some(chunk.len()) {
                return Ok(chunk); // all of it in one piece, as nearly always
            }
            raw.extend_from_slice(&chunk);
        }
        Ok(raw.freeze())
    }

    /// The id, and the name of the secret that agrees. Whoever sends a Standard Webhooks signature is measured by it
    /// alone: the weaker mode is no second try.
    fn signed_by(&self, request: &HttpRequest, raw: &[u8]) -> Result<(String, String), Refusal> {
        let text = |name| header_text(request, name).ok_or(Refusal::MissingHeader(name));
        let now = self.clock.now();
        let hub = header_text(request, HUB_SIGNATURE_HEADER).filter(|_| self.hub);
        let (id, key_name) = match hub {
            Some(signature) if !request.headers().contains_key(SIGNATURE_HEADER) => {
                let id = text(ID_HEADER).or_else(|_absent| text(HUB_ID_HEADER))?;
                (id, self.keyring.verify_hub(id, signature, raw, now)?)
            }
            _ => {
                let (id, timestamp, signature) =
                    (text(ID_HEADER)?, text(TIMESTAMP_HEADER)?, text(SIGNATURE_HEADER)?);
                (id, self.keyring.verify(SignedHeaders { id, timestamp, signature }, raw, now)?)
            }
        };
        Ok((id.to_owned(), key_name.to_owned()))
    }
}

fn header_text<'r>(request: &'r HttpRequest, name: &str) -> Option<&'r str> {
    request.headers().get(name)?.to_str().ok()
}
