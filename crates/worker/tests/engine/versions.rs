//! Which state of a record stays, for a provider whose times are coarse, wrong, or go back.

use domain::{Mode, Outcome, RecordType, Scope};
use serde_json::json;

use crate::scene::{NONE, Scene, announced};

#[tokio::test(flavor = "multi_thread")]
async fn changes_without_a_new_time_go_in() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    for n in 0..17 {
        scene.provider.put_equipment(&format!("e-{n:02}"), "v-1", json!({}));
    }
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    for n in 0..17 {
        scene.provider.put_equipment(&format!("e-{n:02}"), "v-1", json!({"name": format!("Pump {n}")}));
    }
    let second = scene.full_sync().await?;
    assert_eq!(scene.ended(second).await?["state"], "completed");
    let counts = domain::RecordCounts { updated: 17, unchanged: 5, ..NONE };
    assert_eq!(scene.tally(second, RecordType::Equipment).await, announced(22, counts));
    assert_eq!(scene.number("equipment WHERE name LIKE 'Pump %'").await, 17);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_restored_from_a_backup_is_told_and_writes_nothing() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_vessel("v-1", json!({"name": "Newer", "updatedAt": "2026-05-10T00:00:00Z"}));
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    scene.provider.put_vessel("v-1", json!({"name": "From the backup", "updatedAt": "2026-05-01T00:00:00Z"}));
    for mode in [Mode::Full, Mode::Incremental] {
        let id = scene.sync(mode, Scope::default()).await?;
        let sync = scene.ended(id).await?;
        if mode == Mode::Full {
            assert_eq!(sync["state"], "completed_with_errors", "{sync}");
            assert_eq!(scene.outcomes(id, Outcome::Rejected).await, 1);
        }
        assert_eq!(scene.number("vessels WHERE name = 'Newer'").await, 1);
        assert_eq!(
            scene.number("record_findings WHERE source_id = 'v-1' AND code = 'older_than_here'").await,
            1
        );
    }
    // Set right in the onboarding portal, it stands rejected no more.
    scene.provider.put_vessel("v-1", json!({"name": "Newer", "updatedAt": "2026-05-10T00:00:00Z"}));
    let mended = scene.full_sync().await?;
    assert_eq!(scene.ended(mended).await?["state"], "completed");
    assert_eq!(scene.number("record_findings WHERE severity = 'error'").await, 0);
    scene.end().await;
    Ok(())
}

impl Scene {
    async fn outcomes(&self, sync: domain::SyncId, outcome: Outcome) -> i64 {
        let sql = format!("SELECT sum({outcome})::bigint AS n FROM sync_counts WHERE sync_id = '{sync}'");
        self.rows(&sql).await[0]["n"].as_i64().expect("a sum")
    }
}
