//! A wave of changes: each is made in the provider at its moment, and told by a signed webhook, unless its ship is silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use e2e::Webhook;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;

use crate::{
    fleet::{Fleet, List, Version},
    provider::Provider,
};

/// Of all ships, those whose portal tells nobody: only syncs bring what changes on them.
const SILENT_PERCENT: u64 = 3;
/// Webhooks on their way at a time.
const SENDERS: usize = 8;
/// How long a webhook is sent again that was not accepted.
const SEND_PATIENCE: Duration = Duration::from_secs(120);
const SEND_AGAIN_DELAY: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A ship is approved, with all that belongs to it.
    Approve(u64),
    /// A record says something else.
    Record(List, u64),
}

impl Change {
    pub(crate) fn ship(self, fleet: &Fleet) -> u64 {
        match self {
            Self::Approve(ship) => ship,
            Self::Record(list, number) => fleet.ship_of(list, number),
        }
    }

    fn make(self, provider: &Provider) -> Version {
        match self {
            Self::Approve(ship) => provider.write().approve(ship),
            Self::Record(list, number) => provider.write().change(list, number),
        }
    }

    fn webhook(self, fleet: &Fleet, version: Version) -> anyhow::Result<Webhook> {
        let (event_type, id) = match self {
            Self::Approve(ship) => ("vessel.approved", List::Vessels.id(ship)),
            Self::Record(list, number) => {
                let event_type = match list {
                    List::Vessels => "vessel.updated",
                    List::Users => "user.updated",
                    List::Equipment if fleet.is_retired(number, version.revision) => "equipment.retired",
                    List::Equipment => "equipment.updated",
                };
                (event_type, list.id(number))
            }
        };
        Webhook::about(event_type, &id, &version.at.to_rfc3339())
    }
}

/// Where webhooks go, and how many were accepted.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) provider: Arc<Provider>,
    pub(crate) webhook_url: String,
    pub(crate) accepted: Arc<AtomicU64>,
}

impl Sender {
    /// Makes changes at even distances from now on, and returns when the last webhook was accepted.
    pub(crate) async fn send(self, changes: Vec<Change>, window: Duration) -> anyhow::Result<()> {
        let began = tokio::time::Instant::now();
        let distance = window / u32::try_from(changes.len()).unwrap_or(u32::MAX).max(1);
        let moments = (0_u32..).map(|place| began + distance * place);
        stream::iter(changes.into_iter().zip(moments))
            .map(anyhow::Ok)
            .try_for_each_concurrent(SENDERS, |(change, moment)| {
                let sender = &self;
                async move {
                    tokio::time::sleep_until(moment).await;
                    sender.make(change).await
                }
            })
            .await
    }

    async fn make(&self, change: Change) -> anyhow::Result<()> {
        let fleet = self.provider.read().fleet;
        let version = change.make(&self.provider);
        if is_silent(&fleet, change.ship(&fleet)) {
            return Ok(());
        }
        let webhook = change.webhook(&fleet, version)?;
        let began = Instant::now();
        loop {
            let answer = webhook.send_to(&self.webhook_url).await;
            if matches!(answer, Ok((StatusCode::ACCEPTED, _))) {
                self.accepted.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            anyhow::ensure!(
                began.elapsed() < SEND_PATIENCE,
                "the webhook about {change:?} was not accepted within {SEND_PATIENCE:?}: {answer:?}"
            );
            tokio::time::sleep(SEND_AGAIN_DELAY).await;
        }
    }
}

pub(crate) fn is_silent(fleet: &Fleet, ship: u64) -> bool {
    fleet.is_among("silent", ship, SILENT_PERCENT)
}

/// The changes in an order that follows from the seed.
pub(crate) fn shuffled(fleet: &Fleet, mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_by_cached_key(|change| match change {
        Change::Approve(ship) => fleet.random("order of approvals", *ship),
        Change::Record(list, number) => fleet.random(list.word(), *number),
    });
    changes
}
