//! A worker is killed, at each step of its work.

use e2e::{Fleet, Kind, Message, Setup, System, Webhook};
use serde_json::json;

/// A system whose one worker is held at a step, and killed there as soon as `begin` has brought it to it; then another
/// worker starts.
async fn killed_at<T>(
    step: &str,
    fleet: Fleet,
    begin: impl AsyncFnOnce(&System) -> anyhow::Result<T>,
) -> anyhow::Result<(System, T)> {
    let mut system = System::start(Setup { fleet, workers: 0, ..Setup::default() }).await?;
    system.start_worker(&[("SMS_WORKER_PAUSE_AT", step)]).await?;
    let begun = begin(&system).await?;
    System::held(&system.workers[0], step).await?;
    system.workers[0].kill()?;
    system.start_worker(&[]).await?;
    Ok((system, begun))
}

/// A full sync takes effect once, though its worker was killed.
async fn a_full_sync_survives_a_kill_at(step: &str) -> anyhow::Result<()> {
    let (system, sync) =
        killed_at(step, Fleet::Of(7, 60, 24), async |system| system.operator.trigger().await).await?;
    let detail = system.operator.ended(sync).await?;
    assert_eq!(json!(detail.summary.state), "completed", "{detail:#?}");
    system.assert_created_once(sync).await
}

/// A webhook takes effect once, though its worker was killed.
async fn a_webhook_survives_a_kill_at(step: &str) -> anyhow::Result<()> {
    let (system, webhook) = killed_at(step, Fleet::Of(1, 5, 3), async |system| {
        let vessel = system.portal.ids(Kind::Vessels, "approved").await?.remove(0);
        let webhook = Webhook::about("vessel.approved", &vessel, "2026-05-01T00:00:00Z")?;
        let (status, answer) = webhook.send(system).await?;
        assert_eq!(status, 202, "{answer}");
        Ok(webhook)
    })
    .await?;
    system.wait_for_rows("the webhook is processed", "webhook_events WHERE state = 'processed'", 1).await?;
    // Behind it, so that by now a second effect would be seen.
    let next = Webhook::about("test.ping", "v", "2026-05-02T00:00:00Z")?;
    next.send(&system).await?;
    let events = system.rows("SELECT sync_id FROM webhook_events WHERE state = 'processed'").await?;
    let sync = events[0]["sync_id"].as_str().expect("its sync").parse()?;
    let detail = system.operator.sync(sync).await?;
    assert_eq!(json!(detail.summary.state), "completed", "{} {detail:#?}", webhook.id);
    assert_eq!(system.count("sync_logs").await?, 1, "syncs");
    assert_eq!(system.world.messages_ready("sync.events").await?, 0);
    system.assert_created_once(sync).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_a_sync_has_begun_and_its_first_tasks_are_not_published() -> anyhow::Result<()> {
    a_full_sync_survives_a_kill_at("command.committed").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_transaction() -> anyhow::Result<()> {
    a_full_sync_survives_a_kill_at("task.fetched").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_the_next_page_is_recorded_and_not_published() -> anyhow::Result<()> {
    a_full_sync_survives_a_kill_at("task.next_recorded").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_when_the_next_page_is_handed_on_and_this_one_not_written() -> anyhow::Result<()> {
    a_full_sync_survives_a_kill_at("task.handed_on").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_commit() -> anyhow::Result<()> {
    a_full_sync_survives_a_kill_at("task.written").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_commit_and_publish() -> anyhow::Result<()> {
    a_full_sync_survives_a_kill_at("task.committed").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_publish_and_acknowledgement() -> anyhow::Result<()> {
    a_full_sync_survives_a_kill_at("task.settled").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_a_webhook_written_and_not_committed() -> anyhow::Result<()> {
    a_webhook_survives_a_kill_at("event.written").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_a_webhook_committed_and_not_acknowledged() -> anyhow::Result<()> {
    a_webhook_survives_a_kill_at("event.settled").await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_a_dead_letter_archived_and_not_acknowledged() -> anyhow::Result<()> {
    let garbage = Message { kind: "", id: "one", body: b"\xff" };
    let (system, ()) = killed_at("dead_letter.archived", Fleet::Empty, async |system| {
        garbage.send_to(&system.world, "sync.tasks").await
    })
    .await?;
    // Behind it, so that by now a second row would be seen.
    Message { id: "two", ..garbage }.send_to(&system.world, "sync.tasks").await?;
    system.wait_for_rows("the second is archived", "dead_letters WHERE message_id = 'two'", 1).await?;
    assert_eq!(system.count("dead_letters").await?, 2);
    assert_eq!(system.operator.dead_letters().await?.len(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_are_killed_in_the_middle_of_a_full_sync_and_started_again() -> anyhow::Result<()> {
    let setup = Setup { fleet: Fleet::Of(6, 400, 40), workers: 3, ..Setup::default() };
    let mut system = System::start(setup).await?;
    // A slow portal, so that there is a middle.
    system.portal.fail(json!({"kind": "slow", "delayMs": 50})).await?;
    let sync = system.operator.trigger().await?;
    system.in_the_middle(sync, "equipment").await?;
    for worker in &mut system.workers {
        worker.kill()?;
    }
    let detail = system.operator.sync(sync).await?;
    assert!(detail.summary.completed_at.is_none(), "it was in the middle: {detail:#?}");
    for worker in &mut system.workers {
        worker.restart()?;
    }
    let detail = system.operator.ended(sync).await?;
    assert_eq!(json!(detail.summary.state), "completed", "{detail:#?}");
    system.assert_created_once(sync).await
}
