//! The context that every handler gets: connections and shared helpers.

use std::sync::Arc;

use broker::Delivery;
use chrono::{DateTime, Utc};
use domain::{SourceId, SyncId, clock::Clock};
use outbox::Outbox;
use portal_client::PortalClient;
use store::{
    Db, Store, StoreError, engine::replays::replay_succeed, records::users_without_password,
    views::sync_ends::sync_end_report,
};

use tokio::sync::Semaphore;

use crate::{
    batch::ValidatedBatch,
    capabilities::KnownCapabilities,
    page_slots::PageSlots,
    page_turns::PageTurns,
    passwords::PasswordMaker,
    portal_limiter::PortalLimiter,
    progress::{Moment, Progress},
};

/// Connections and shared helpers of the worker.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) outbox: Outbox,
    pub(crate) portal: PortalClient,
    pub(crate) portal_limiter: PortalLimiter,
    pub(crate) capabilities: KnownCapabilities,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) progress: Progress,
    pub(crate) password_maker: PasswordMaker,
    pub(crate) page_turns: PageTurns,
    pub(crate) page_slots: Arc<PageSlots>,
    /// Slices of a list at most.
    pub(crate) slices: u8,
    /// [`EVENT_GROUPS`].
    pub(crate) event_groups: Arc<Semaphore>,
    /// [`EVENT_WRITES`].
    pub(crate) event_writes: Arc<Semaphore>,
}

/// Groups of events that are in hand at once, from their fetch on: what they hold in memory has a limit.
pub(crate) const EVENT_GROUPS: usize = 16;
/// Groups of events that are written at once. Each takes a connection.
pub(crate) const EVENT_WRITES: usize = 4;

impl Context {
    /// Notes that the replay of a dead letter took effect, if the delivery is one. In the transaction of its effect.
    pub(crate) async fn note_replay_succeeded_in(
        &self,
        tx: &mut Db,
        delivery: &Delivery,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if let Some(Ok(of)) = delivery.replay_of.as_deref().map(str::parse) {
            replay_succeed(tx, of, now).await?;
        }
        Ok(())
    }

    /// Notes the same for a delivery that has no effect of its own: its work was done before.
    pub(crate) async fn note_replay_succeeded(&self, delivery: &Delivery) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.transaction(async |tx| self.note_replay_succeeded_in(tx, delivery, now).await).await
    }

    /// The users of a batch that need a password: they are new, or were locked out. If another worker is faster, the
    /// password that is made for one is not used.
    pub(crate) async fn new_users(&self, batch: &ValidatedBatch) -> Result<Vec<SourceId>, StoreError> {
        let ids: Vec<SourceId> = batch
            .users
            .accepted
            .iter()
            .filter(|user| user.record.active && !user.record.withdrawal.is_due())
            .map(|user| user.record.source_id.clone())
            .collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        Ok(users_without_password(&mut *self.store.db().await?, &ids).await?.into_iter().collect())
    }

    /// Logs and publishes the end of a sync, after its commit.
    pub(crate) async fn sync_ended(&self, id: SyncId) {
        sync_end_report(&self.store, id).await;
        self.progress.sync(id, Moment::Ended);
    }
}
