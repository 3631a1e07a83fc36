//! Queue `sync.commands`: starts a sync.
//!
//! **What arrives**: a `SyncCommand` that names a sync, queued in `sync_logs`.
//!
//! **What it changes**: in one transaction the sync is running and its first page tasks are recorded; then they are
//! published. What is not published (a kill in between) the outbox relay publishes.
//!
//! **Why twice is harmless**: only a queued sync starts; the second time it is running or has ended already.

use broker::{Delivery, Disposition, Queue};
use contracts::messages::SyncCommand;
use domain::SyncId;
use store::{
    StoreError,
    engine::lifecycle::{SyncStarted, sync_start},
};

use crate::{
    attempts::{Subject, settle},
    context::Context,
    failure::WorkError,
    fault::{self, Point},
    progress::Moment,
};

/// Handles one delivery.
pub(crate) async fn handle(context: &Context, delivery: Delivery) -> Disposition {
    let began = context.clock.now();
    let subject = Subject { queue: Queue::Commands, sync: delivery.message_id.parse().ok(), task: None };
    settle(context, &delivery, subject, began, start(context, &delivery).await).await
}

async fn start(context: &Context, delivery: &Delivery) -> Result<(), WorkError> {
    let command = delivery.decode::<SyncCommand>()?;
    let id: SyncId = command.sync_id.parse().map_err(|_not_an_id| WorkError::Id(command.sync_id.clone()))?;
    let now = context.clock.now();
    let started = context
        .store
        .transaction(async |tx| {
            let started = sync_start(tx, id, now).await?;
            let takes_effect =
                matches!(started, SyncStarted::Started(_) | SyncStarted::Ended(_) | SyncStarted::Already(_));
            if takes_effect {
                context.note_replay_succeeded_in(tx, delivery, now).await?;
            }
            Ok::<_, StoreError>(started)
        })
        .await?;
    match started {
        SyncStarted::Started(tasks) => {
            tracing::info!(sync.id = %id, "a sync has begun");
            fault::point(Point::CommandCommitted).await;
            context.outbox.publish_tasks(tasks).await;
            context.progress.sync(id, Moment::Started);
        }
        SyncStarted::Ended(_) => context.sync_ended(id).await,
        SyncStarted::Already(state) => {
            tracing::debug!(sync.id = %id, sync.state = %state, "a command came again");
        }
        SyncStarted::Stopped(state) if delivery.replay_of.is_some() => {
            return Err(WorkError::SyncStopped(state));
        }
        SyncStarted::Undone if delivery.replay_of.is_some() => return Err(WorkError::SyncUndone),
        SyncStarted::Stopped(_) | SyncStarted::Undone => {
            tracing::debug!(sync.id = %id, "the sync ended before it began");
        }
        SyncStarted::Unknown => return Err(WorkError::Missing(format!("sync {id}"))),
    }
    Ok(())
}
