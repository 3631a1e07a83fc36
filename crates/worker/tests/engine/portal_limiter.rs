//! Requests to the onboarding portal of all workers together: how many at once, whose, and when none.

use std::time::Duration;

use domain::RecordType;
use serde_json::json;
use testbed::{Answer, List, wait_until};

use crate::scene::{PATIENCE, Scene};

/// Users on many pages that come in slices, with a portal that takes its time.
async fn slow_portal(workers: usize, requests: u16) -> anyhow::Result<Scene> {
    let scene = Scene::without_worker().await?;
    scene.provider.small_fleet();
    for n in 1..=60 {
        scene.provider.put_user(&format!("u-{n}"), json!({"email": format!("user{n}@example.com")}));
    }
    scene.provider.announce_slices(16);
    for _ in 0..workers {
        scene.start_worker_with(json!({"work": {"portal_requests": requests, "tasks": 8}})).await?;
    }
    Ok(scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_workers_together_have_so_many_requests_under_way() -> anyhow::Result<()> {
    let scene = slow_portal(3, 4).await?;
    scene.provider.answer_after(Duration::from_millis(50));
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    // One of four is kept for events.
    let most = scene.provider.most_in_flight();
    assert_eq!(most, 3);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_workers_together_send_so_many_requests_a_second() -> anyhow::Result<()> {
    let scene = Scene::without_worker().await?;
    scene.provider.small_fleet();
    for n in 1..=60 {
        scene.provider.put_user(&format!("u-{n}"), json!({"email": format!("user{n}@example.com")}));
    }
    scene.provider.announce_slices(16);
    for _ in 0..3 {
        scene.start_worker_with(json!({"work": {"portal_requests_per_second": 20, "tasks": 8}})).await?;
    }
    let began = std::time::Instant::now();
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    let requests = scene.provider.requests().len();
    let least = Duration::from_secs(1).mul_f64((requests - 1) as f64 / 20.0);
    assert!(began.elapsed() >= least, "{requests} requests in {:?}", began.elapsed());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_does_not_wait_for_the_pages_of_a_full_sync() -> anyhow::Result<()> {
    let scene = slow_portal(2, 4).await?;
    scene.provider.answer_list_after(List::Users, Duration::from_millis(700));
    let id = scene.full_sync().await?;
    wait_until("pages are under way", PATIENCE, async || {
        match scene.provider.requests_for(List::Users).len() {
            asked if asked > 3 => Ok(()),
            asked => Err(asked),
        }
    })
    .await?;
    let event = scene.webhook("vessel.approved", RecordType::Vessel, "v-1").await?;
    scene.event_state(event.id, "processed").await?;
    let open = format!("sync_logs WHERE id = '{id}' AND completed_at IS NULL");
    assert_eq!(scene.number(&open).await, 1, "the full sync goes on");
    assert_eq!(scene.ended(id).await?["state"], "completed");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_said_to_one_worker_is_heard_by_all() -> anyhow::Result<()> {
    let scene = slow_portal(2, 4).await?;
    scene.provider.answer_after(Duration::from_millis(100));
    scene.provider.answer_page(List::Users, 1, Answer::status(429).header("retry-after", 3));
    let id = scene.full_sync().await?;
    let paused = "portal_pause WHERE until > now()";
    wait_until("all are told", PATIENCE, async || match scene.number(paused).await {
        0 => Err("nobody is told"),
        _ => Ok(()),
    })
    .await?;
    let before = scene.provider.requests().len();
    wait_until("the pause is over", PATIENCE, async || match scene.number(paused).await {
        0 => Ok(()),
        _ => Err("it lasts"),
    })
    .await?;
    // Those that had a slot already.
    let meanwhile = scene.provider.requests().len() - before;
    assert!(meanwhile <= 4, "{meanwhile} requests in the pause");
    assert_eq!(scene.ended(id).await?["state"], "completed");
    assert_eq!(scene.number("attempts").await, 1, "whoever waits uses up no attempt");
    scene.end().await;
    Ok(())
}
