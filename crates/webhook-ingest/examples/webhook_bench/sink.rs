//! A service that leaves out a part of its work: what remains is the limit that figures are compared with.

use std::{sync::Arc, time::Duration};

use broker::{Broker, Publisher};
use chassis::shutdown::Shutdown;
use domain::clock::{Clock, SystemClock};
use outbox::Outbox;
use secrecy::ExposeSecret;
use store::{
    Store,
    ledger::webhook_events::{Inserted, NewWebhookEvent},
};
use webhook_ingest::{Config, DAEMON, EventSink, LedgerWriter, RecordError, WebhookIngest};

use crate::mode::Mode;

/// Starts the service in a mode other than [`Mode::Both`].
pub(crate) async fn start_partial(
    config: &Config,
    mode: Mode,
    shutdown: &Shutdown,
) -> anyhow::Result<WebhookIngest> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::connect(config.database.url.expose_secret(), config.database.pool_size).await?;
    let sink = match mode {
        Mode::Nothing | Mode::Both => PartialSink::Nothing,
        Mode::Insert => {
            let timeout = Duration::from_millis(config.webhook.database_patience_ms);
            PartialSink::Insert(Box::new(LedgerWriter::new(store.clone(), timeout, clock.clone())))
        }
        Mode::Publish => {
            let broker = Broker::connect(config.broker.url.clone(), DAEMON.name, clock.clone());
            PartialSink::Publish(Outbox::new(store.clone(), Publisher::new(&broker), clock.clone()))
        }
    };
    WebhookIngest::new(config, store, sink, clock, shutdown)
}

enum PartialSink {
    Nothing,
    Insert(Box<LedgerWriter>),
    Publish(Outbox),
}

impl EventSink for PartialSink {
    async fn insert(&mut self, events: &[NewWebhookEvent]) -> Result<Vec<Inserted>, RecordError> {
        match self {
            Self::Nothing => {}
            Self::Insert(ledger) => return ledger.insert(events).await,
            Self::Publish(outbox) => {
                outbox.publish_events_unnoted(events.to_vec()).await;
            }
        }
        Ok(events.iter().map(|event| Inserted::New(event.id)).collect())
    }

    fn hand_over(&mut self, _events: Vec<NewWebhookEvent>) {}
}
