//! Pages and events that come at one time: pages take turns.

use domain::RecordType;
use testbed::wait_until;

use crate::scene::{PATIENCE, Scene};

/// Waiters for an advisory lock in this world's database.
const WAITING: &str = "pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test(flavor = "multi_thread")]
async fn while_events_come_a_page_waits_for_its_turn_and_without_them_for_nobody() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    // Somebody else's turn, of whom nothing more is heard.
    let turn = scene.store.page_turn(PATIENCE).await?;
    let undisturbed = scene.full_sync().await?;
    let completed = format!("sync_logs WHERE id = '{undisturbed}' AND state = 'completed'");
    wait_until("the sync is completed", PATIENCE, async || {
        assert_eq!(scene.number(WAITING).await, 0, "nobody waits");
        if scene.number(&completed).await == 1 { Ok(()) } else { Err("not completed") }
    })
    .await?;

    let event = scene.webhook("vessel.approved", RecordType::Vessel, "v-1").await?;
    scene.event_state(event.id, "processed").await?;
    let disturbed = scene.full_sync().await?;
    wait_until("a page waits", PATIENCE, async || match scene.number(WAITING).await {
        0 => Err("nobody waits"),
        _ => Ok(()),
    })
    .await?;
    let read = format!("sync_counts WHERE sync_id = '{disturbed}' AND read > 0");
    assert_eq!(scene.number(&read).await, 0, "nothing is read yet");

    turn.end().await;
    assert_eq!(scene.ended(disturbed).await?["state"], "completed");
    scene.end().await;
    Ok(())
}
