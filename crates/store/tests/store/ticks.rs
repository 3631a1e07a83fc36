//! Ticks of schedules: each fires once, however many schedulers come with it.

use chrono::{DateTime, Utc};
use domain::{Cause, Mode, Scope, SyncState};
use serde_json::json;
use store::{
    engine::ticks::{TickFired, tick_fire, tick_last, tick_skip},
    ledger::syncs::NewSync,
};

use crate::{
    records::day,
    scene::{Scene, new_sync},
};

fn scheduled() -> NewSync {
    NewSync { cause: Cause::Scheduled, ..new_sync(Mode::Full, Scope::default()) }
}

impl Scene {
    async fn fire(&self, due_at: DateTime<Utc>, sync: &NewSync) -> anyhow::Result<TickFired> {
        let now = self.now();
        self.tx(async |tx| tick_fire(tx, "full-sync", due_at, sync, now).await).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tick_starts_its_sync_and_is_recorded_with_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let sync = scheduled();
    assert_eq!(scene.fire(day(1), &sync).await?, TickFired::Started);
    assert_eq!(scene.stored(sync.id).await?.state, SyncState::Queued);
    let tick = scene.row("SELECT schedule, outcome, sync_id, detail FROM schedule_ticks").await;
    assert_eq!(
        tick,
        json!({"schedule": "full-sync", "outcome": "started", "sync_id": sync.id.to_string(), "detail": null})
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tick_that_two_schedulers_fire_at_once_starts_one_sync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (one, other) = (scheduled(), scheduled());
    let (one, other) = tokio::join!(scene.fire(day(1), &one), scene.fire(day(1), &other));
    let fired = [one?, other?];
    assert!(fired.contains(&TickFired::Started) && fired.contains(&TickFired::AlreadyFired), "{fired:?}");
    assert_eq!(scene.number("sync_logs").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tick_is_skipped_while_a_full_sync_runs_and_says_which() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let running = scene.create(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.fire(day(1), &scheduled()).await?, TickFired::Skipped);
    let tick = scene.row("SELECT outcome, detail, sync_id FROM schedule_ticks").await;
    assert_eq!(
        tick,
        json!({"outcome": "skipped", "detail": "a full sync had not ended", "sync_id": running.to_string()})
    );
    assert_eq!(scene.number("sync_logs").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_tick_is_recorded_once_as_skipped() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let now = scene.now();
    for why in ["missed by 5 hours", "missed by 6 hours"] {
        scene.tx(async |tx| tick_skip(tx, "full-sync", day(1), why, now).await).await?;
    }
    let tick = scene.row("SELECT outcome, detail, sync_id FROM schedule_ticks").await;
    assert_eq!(tick, json!({"outcome": "skipped", "detail": "missed by 5 hours", "sync_id": null}));
    assert_eq!(scene.fire(day(1), &scheduled()).await?, TickFired::AlreadyFired);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn last_tick_is_the_latest_that_was_due_of_its_schedule() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let last = async || tick_last(&mut *scene.store.db().await?, "full-sync").await;
    assert_eq!(last().await?, None);
    let now = scene.now();
    for due in [3, 2] {
        scene.tx(async |tx| tick_skip(tx, "full-sync", day(due), "missed", now).await).await?;
    }
    assert_eq!(last().await?, Some(day(3)));
    Ok(())
}
