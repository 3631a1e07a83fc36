//! Ticks of schedules: each fires once, however many schedulers come with it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Cause, Mode, Scope, SyncState,
    schedule::{OverlapPolicy, ScheduleName},
    tick::TickOutcome,
};
use serde_json::json;
use store::{
    Window,
    engine::ticks::{DueTick, TickFired, tick_fire, tick_last, ticks_note},
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
        let schedule = ScheduleName::full_sync();
        let tick = DueTick { schedule: &schedule, due_at, overlap: OverlapPolicy::Skip, detail: None };
        self.tx(async |tx| tick_fire(tx, &tick, sync, now).await).await
    }

    async fn miss(&self, due_at: &[DateTime<Utc>]) -> anyhow::Result<usize> {
        let missed: Vec<_> = due_at.iter().map(|at| (*at, "no scheduler ran".to_owned())).collect();
        let now = self.now();
        let schedule = ScheduleName::full_sync();
        self.tx(async |tx| ticks_note(tx, &schedule, TickOutcome::Missed, &missed, now).await).await
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
    assert_eq!(scene.fire(day(1), &scheduled()).await?, TickFired::Skipped(running));
    let tick = scene.row("SELECT outcome, detail, sync_id FROM schedule_ticks").await;
    assert_eq!(
        tick,
        json!({"outcome": "skipped", "detail": "a sync had not ended", "sync_id": running.to_string()})
    );
    assert_eq!(scene.number("sync_logs").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tick_is_skipped_while_another_sync_is_active_unless_the_schedule_allows_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let fire = async |minute: i64, mode: Mode, overlap: OverlapPolicy| {
        let (schedule, due_at) = (ScheduleName::full_sync(), day(1) + TimeDelta::minutes(minute));
        let scope = if mode == Mode::Selective {
            Scope { company_id: Some("c-1".into()), ..Scope::default() }
        } else {
            Scope::default()
        };
        let sync = NewSync { cause: Cause::Scheduled, ..new_sync(mode, scope) };
        let tick = DueTick { schedule: &schedule, due_at, overlap, detail: None };
        let now = scene.now();
        let fired = scene.tx(async |tx| tick_fire(tx, &tick, &sync, now).await).await?;
        anyhow::Ok((fired, sync.id))
    };
    let (first, incremental) = fire(1, Mode::Incremental, OverlapPolicy::Skip).await?;
    assert_eq!(first, TickFired::Started);
    for mode in [Mode::Full, Mode::Incremental, Mode::Selective] {
        let (fired, _) = fire(10 + mode as i64, mode, OverlapPolicy::Skip).await?;
        assert_eq!(fired, TickFired::Skipped(incremental), "{mode}");
    }
    assert_eq!(fire(20, Mode::Incremental, OverlapPolicy::Allow).await?.0, TickFired::Started);
    let (full, id) = fire(21, Mode::Full, OverlapPolicy::Allow).await?;
    assert_eq!(full, TickFired::Started);
    let (second, _) = fire(22, Mode::Full, OverlapPolicy::Allow).await?;
    assert_eq!(second, TickFired::Skipped(id), "no policy starts a second full sync");

    // A selective sync is in the way of its own schedule alone, and a dry run of none.
    scene.execute("DELETE FROM schedule_ticks").await?;
    scene.execute("DELETE FROM sync_logs").await?;
    scene.create(Mode::Selective, Scope { company_id: Some("c-1".into()), ..Scope::default() }).await?;
    scene.execute("UPDATE sync_logs SET dry_run = true WHERE id = (SELECT id FROM sync_logs WHERE state = 'queued')").await?;
    scene.create(Mode::Selective, Scope { company_id: Some("c-2".into()), ..Scope::default() }).await?;
    assert_eq!(fire(30, Mode::Incremental, OverlapPolicy::Skip).await?.0, TickFired::Started);
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
    let last = async || tick_last(&mut *scene.store.db().await?, &ScheduleName::full_sync()).await;
    assert_eq!(last().await?, None);
    for due in [3, 2] {
        let _new = scene.miss(&[day(due)]).await?;
    }
    assert_eq!(last().await?, Some(day(3)));
    Ok(())
}
