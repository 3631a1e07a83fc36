//! Queue `sync.commands`: starts a run.
//!
//! **What arrives**: a `SyncCommand` that names a run, queued in `sync_logs`.
//!
//! **What it changes**: in one transaction the run is running and its first page tasks are recorded; then they are
//! published. What is not published (a kill in between) the outbox relay publishes.
//!
//! **Why twice is harmless**: only a queued run starts; the second time it is running or has ended already.

use broker::{Delivery, Disposition};
use contracts::messages::SyncCommand;
use domain::SyncId;
use store::{
    StoreError,
    engine::lifecycle::{RunStarted, run_start},
};

use crate::{
    attempts::{Subject, settle},
    context::Context,
    failure::WorkError,
    fault::{self, Point},
    pages::first_page,
    progress::Moment,
};

/// Handles one delivery.
pub(crate) async fn handle(context: &Context, delivery: Delivery) -> Disposition {
    let began = context.clock.now();
    let subject = Subject { run: delivery.message_id.parse().ok(), task: None };
    settle(context, &delivery, subject, began, start(context, &delivery).await).await
}

async fn start(context: &Context, delivery: &Delivery) -> Result<(), WorkError> {
    let command = delivery.decode::<SyncCommand>()?;
    let id: SyncId = command.sync_id.parse().map_err(|_not_an_id| WorkError::Id(command.sync_id.clone()))?;
    let now = context.clock.now();
    let started = context
        .store
        .transaction(async |tx| {
            let started = run_start(tx, id, &first_page, now).await?;
            context.replayed(tx, delivery, now).await?;
            Ok::<_, StoreError>(started)
        })
        .await?;
    match started {
        RunStarted::Started(tasks) => {
            tracing::info!(sync.id = %id, "a run has begun");
            fault::point(Point::CommandCommitted).await;
            context.outbox.publish_tasks(tasks).await;
            context.progress.run(id, Moment::Started);
        }
        RunStarted::Ended(state) => {
            tracing::info!(sync.id = %id, sync.state = %state, "a run had nothing to fetch");
            context.progress.run(id, Moment::Ended);
        }
        RunStarted::Already(state) => {
            tracing::debug!(sync.id = %id, sync.state = %state, "a command came again");
        }
        RunStarted::Unknown => return Err(WorkError::Missing(format!("run {id}"))),
    }
    Ok(())
}
