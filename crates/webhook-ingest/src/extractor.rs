//! The extractor: a handler that takes a [`VerifiedWebhook`] runs only for requests that pass every check, in this order:
//! rate limit, capacity to record, content type, size, signature, shape.

use std::{future::Future, net::IpAddr, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chassis::problem::Problem;
use domain::WebhookRefusal;

use crate::{VerifiedWebhook, app_state::AppState, rejection::Rejection};

impl FromRequest for VerifiedWebhook {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            let state = request
                .app_data::<web::Data<AppState>>()
                .expect("routes() registers the state and the handler");
            let client = state.trusted_proxies.client_address(&request);
            let mut body = None;
            check(state, &request, client, payload, &mut body).await.map_err(|rejection| {
                state.rejections.add(&request, client, &rejection, body.as_ref());
                rejection.problem
            })
        })
    }
}

/// Leaves the body, if it was read, in `body` for the log of rejected requests.
async fn check(
    state: &AppState,
    request: &HttpRequest,
    client: IpAddr,
    payload: Result<web::Payload, actix_web::Error>,
    body: &mut Option<web::Bytes>,
) -> Result<VerifiedWebhook, Rejection> {
    state.rate_limiter.check(client).map_err(|wait| {
        let problem = Problem::too_many_requests(wait).with_detail("you send more webhooks than are taken");
        Rejection::new(WebhookRefusal::RateLimited, "more than its source may send", problem)
    })?;
    // A body that cannot be recorded need not be read.
    state.recorder.check_capacity()?;
    state.verifier.verify(request, payload, body).await
}
