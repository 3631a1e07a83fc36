//! Ticks of schedules: each fires once, however many schedulers come with it.

use chrono::{DateTime, Utc};
use domain::{Cause, Mode, Scope, SyncState, tick::TickOutcome};
use serde_json::json;
use store::{
    Window,
    engine::ticks::{TickFired, tick_fire, tick_last, ticks_miss},
    ledger::syncs::NewSync,
    views::ticks::{TickFilter, missed_ticks_standing, tick_list},
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

    async fn miss(&self, due_at: &[DateTime<Utc>]) -> anyhow::Result<usize> {
        let missed: Vec<_> = due_at.iter().map(|at| (*at, "no scheduler ran".to_owned())).collect();
        let now = self.now();
        self.tx(async |tx| ticks_miss(tx, "full-sync", &missed, now).await).await
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
async fn missed_ticks_are_recorded_once_each_and_fire_no_more() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    assert_eq!(scene.miss(&[day(1), day(2)]).await?, 2);
    assert_eq!(scene.miss(&[day(1), day(2), day(3)]).await?, 1, "one is new");
    let ticks = scene.rows("SELECT outcome, detail, sync_id FROM schedule_ticks ORDER BY due_at").await;
    let missed = json!({"outcome": "missed", "detail": "no scheduler ran", "sync_id": null});
    assert_eq!(ticks, [missed.clone(), missed.clone(), missed]);
    assert_eq!(scene.fire(day(1), &scheduled()).await?, TickFired::AlreadyFired);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_ticks_stand_until_a_later_tick_starts_a_sync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let standing = async || missed_ticks_standing(&mut *scene.store.db().await?).await;
    scene.execute("UPDATE schedules SET enabled = true, updated_at = '2024-01-01T00:00:00Z'").await?;
    let _new = scene.miss(&[day(1), day(2)]).await?;
    assert_eq!(standing().await?, 2);
    scene.execute("UPDATE schedules SET enabled = false").await?;
    assert_eq!(standing().await?, 0, "nobody waits for a schedule that is off");
    scene.execute("UPDATE schedules SET enabled = true").await?;
    assert_eq!(scene.fire(day(3), &scheduled()).await?, TickFired::Started);
    assert_eq!(standing().await?, 0);
    let _new = scene.miss(&[day(4)]).await?;
    assert_eq!(standing().await?, 1);

    let list = async |outcomes: &[TickOutcome]| {
        let filter = TickFilter { outcomes: outcomes.to_vec(), ..TickFilter::default() };
        let window = Window { limit: 10, ..Window::default() };
        let page = tick_list(&mut *scene.store.db().await?, &filter, window).await?;
        anyhow::Ok(page.rows.iter().map(|tick| tick.due_at).collect::<Vec<_>>())
    };
    assert_eq!(list(&[]).await?, [day(4), day(3), day(2), day(1)]);
    assert_eq!(list(&[TickOutcome::Started]).await?, [day(3)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn last_tick_is_the_latest_that_was_due_of_its_schedule() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let last = async || tick_last(&mut *scene.store.db().await?, "full-sync").await;
    assert_eq!(last().await?, None);
    for due in [3, 2] {
        let _new = scene.miss(&[day(due)]).await?;
    }
    assert_eq!(last().await?, Some(day(3)));
    Ok(())
}
