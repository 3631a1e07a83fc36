//! The service: its parts wired together, and its routes.

use std::{sync::Arc, time::Duration};

use actix_web::web;
use chassis::shutdown::Shutdown;
use contracts::webhook::WEBHOOK_PATH;
use domain::clock::Clock;
use store::{
    Store,
    ledger::webhook_events::{Inserted, NewWebhookEvent},
};

use crate::{
    Config, EventSink, LedgerWriter, RecordError, app_state::AppState, body_budget::BodyBudget,
    client_address::TrustedProxies, dispatcher::Dispatcher, rate_limiter::RateLimiter, recorder::Recorder,
    rejection_log::RejectionLog, route, verifier::WebhookVerifier,
};

/// The running service. Its routes go into a server of its own or a shared one.
#[derive(Clone)]
pub struct WebhookIngest {
    state: web::Data<AppState>,
}

impl WebhookIngest {
    /// Starts recording verified webhooks into `sink`. `store` keeps the log of rejected requests.
    ///
    /// # Errors
    ///
    /// If a webhook secret cannot be used.
    pub fn new(
        config: &Config,
        store: Store,
        sink: impl EventSink,
        clock: Arc<dyn Clock>,
        shutdown: &Shutdown,
    ) -> anyhow::Result<Self> {
        let webhook = &config.webhook;
        let sink_timeout = Duration::from_millis(webhook.database_patience_ms);
        let rate_limiter = Arc::new(RateLimiter::new(webhook.rate_per_second, webhook.rate_burst));
        let verifier = WebhookVerifier {
            keyring: webhook.keyring(clock.now())?,
            accept_hub_signature: webhook.hub_signature,
            body_limit: webhook.largest_body_bytes,
            body_budget: BodyBudget::new(webhook.waiting_bytes),
            clock: clock.clone(),
        };
        route::register_counters();
        let state = AppState {
            verifier,
            trusted_proxies: TrustedProxies::new(webhook.proxies()),
            recorder: Recorder::start(sink, webhook.waiting_limit, sink_timeout, shutdown),
            rejections: RejectionLog::start(store, webhook.bounds(), rate_limiter.clone(), clock, shutdown),
            rate_limiter,
        };
        Ok(Self { state: web::Data::new(state) })
    }

    pub fn routes(&self) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
        let state = self.state.clone();
        move |app: &mut web::ServiceConfig| {
            let resource = web::resource(WEBHOOK_PATH)
                .route(web::post().to(route::receive))
                .default_service(web::to(route::reject_method));
            app.app_data(state.clone()).service(resource);
        }
    }
}

/// Writes events to the ledger, and publishes the new ones.
pub(crate) struct LedgerSink {
    pub(crate) ledger: LedgerWriter,
    pub(crate) dispatcher: Dispatcher,
}

impl EventSink for LedgerSink {
    async fn insert(&mut self, events: &[NewWebhookEvent]) -> Result<Vec<Inserted>, RecordError> {
        self.ledger.insert(events).await
    }

    fn hand_over(&mut self, events: Vec<NewWebhookEvent>) {
        self.dispatcher.hand_over(events);
    }
}
