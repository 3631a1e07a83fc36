//! Records that a full sync does not list any more: every page notes its ids, in dry runs too. What is done about missing
//! records is the store's: see its tests.

use domain::{Mode, RecordType, Scope};
use serde_json::{Value, json};
use testbed::List;

use crate::scene::Scene;

/// The small fleet with a piece of equipment that is not critical, of which one in five may be deactivated.
async fn fleet_with_a_spare() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_equipment("e-spare", "v-1", json!({"isCritical": false, "criticalityBasis": null}));
    let change = "UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = 20";
    scene.world.execute(change).await?;
    let first = scene.full_sync().await?;
    let sync = scene.ended(first).await?;
    assert_eq!((&sync["state"], &sync["missing_records"]), (&json!("completed"), &Value::Null), "{sync}");
    Ok(scene)
}

async fn status(scene: &Scene, id: &str) -> Value {
    scene.rows(&format!("SELECT status FROM equipment WHERE source_id = '{id}'")).await[0]["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_no_page_lists_any_more_is_withdrawn() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(
        (&sync["state"], &sync["missing_records"]),
        (&json!("completed"), &json!("deactivated")),
        "{sync}"
    );
    assert_eq!(status(&scene, "e-spare").await, "withdrawn");
    assert_eq!(scene.number("equipment WHERE status = 'active'").await, 5);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_is_listed_and_rejected_is_not_missing() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    let spoilt = json!({"unitNumber": "one", "updatedAt": "2026-05-02T00:00:00Z"});
    scene.provider.put_equipment("e-spare", "v-1", spoilt);
    let id = scene.full_sync().await?;
    assert!(scene.ended(id).await?["missing_records"].is_null());
    assert_eq!(status(&scene, "e-spare").await, "active");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_plans_to_withdraw_what_no_page_lists_any_more() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    let planned = scene.dry_run(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.ended(planned).await?["missing_records"], "planned");
    assert_eq!(status(&scene, "e-spare").await, "active");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_that_cannot_be_read_makes_nothing_missing() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    scene.provider.fail_list(List::Users, Some(404));
    let holed = scene.full_sync().await?;
    let sync = scene.ended(holed).await?;
    assert_eq!((&sync["state"], &sync["missing_records"]), (&json!("completed_with_errors"), &Value::Null));
    assert_eq!(scene.number(&format!("sync_missing WHERE sync_id = '{holed}'")).await, 0);
    let read = format!("sync_counts WHERE sync_id = '{holed}' AND record_type = '{}'", RecordType::Equipment);
    assert_eq!(scene.number(&read).await, 1, "the other lists are in");
    scene.end().await;
    Ok(())
}
