//! What every request to the webhook endpoint shares.

use std::sync::Arc;

use crate::{
    client_address::TrustedProxies, rate_limiter::RateLimiter, recorder::Recorder,
    rejection_log::RejectionLog, verifier::WebhookVerifier,
};

pub(crate) struct AppState {
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) rate_limiter: Arc<RateLimiter>,
    pub(crate) verifier: WebhookVerifier,
    pub(crate) recorder: Recorder,
    pub(crate) rejections: RejectionLog,
}
