//! Counts of what is open, for metrics and the overview.

use domain::{Mode, Scope};
use store::views::gauges::{Gauges, gauges, table_sizes};

use crate::{records::Records, scene::Scene};

#[tokio::test(flavor = "multi_thread")]
async fn gauges_count_what_is_open_and_what_waits_to_be_published() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.full_sync(&Records::default()).await?;
    scene.begun(Mode::Full, Scope::default()).await?;
    let queued = scene.create(Mode::Incremental, Scope::default()).await?;
    let oldest = scene.row("SELECT created_at FROM sync_queue ORDER BY created_at DESC LIMIT 1").await;
    scene.execute("UPDATE sync_queue SET published_at = now() WHERE state = 'done'").await?;
    let found = gauges(&mut *scene.store.db().await?).await?;
    let since = oldest["created_at"].as_str().expect("a time").parse().expect("a time");
    assert_eq!(
        found,
        Gauges {
            active_syncs: 2,
            unpublished: 2,
            unpublished_since: Some(since),
            postponed: 0,
            dead_letters: 0,
            open_conflicts: 0
        },
        "the task of the sync that runs, and the command of {queued}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_has_a_size() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let sizes = table_sizes(&mut *scene.store.db().await?).await?;
    let size_of = |table: &str| sizes.iter().find(|(name, _)| name == table).map(|(_, bytes)| *bytes);
    assert!(size_of("settings").is_some_and(|bytes| bytes > 0), "{sizes:?}");
    assert_eq!(size_of("sync_logs_pkey"), None, "indexes are in their tables");
    Ok(())
}
