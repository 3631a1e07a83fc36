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
use webhook_ingest::{DAEMON, EventSink, LedgerWriter, RecordError, Settings, WebhookIngest};

use crate::service::Mode;

/// Starts the service in a mode other than [`Mode::Both`].
pub(crate) async fn start_partial(
    settings: &Settings,
    mode: Mode,
    shutdown: &Shutdown,
) -> anyhow::Result<WebhookIngest> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Store::connect(settings.database.url.expose_secret(), settings.database.pool_size).await?;
    let sink = match mode {
        Mode::Nothing | Mode::Both => PartialSink::Nothing,
        Mode::Insert => {
            let timeout = Duration::from_millis(settings.webhook.database_patience_ms);
            PartialSink::Insert(Box::new(LedgerWriter::new(store.clone(), timeout, clock.clone())))
        }
        Mode::Publish => {
            let broker = Broker::connect(settings.broker.url.clone(), DAEMON.name);
            PartialSink::Publish(Outbox::new(store.clone(), Publisher::new(&broker)))
        }
    };
    WebhookIngest::new(settings, store, sink, clock, shutdown)
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
