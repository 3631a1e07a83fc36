//! Records that are not listed any more: counted, and kept or deactivated, and an operator is asked when there are many.

use domain::{
    Mode, RecordType, Scope, SyncId,
    clock::{Clock, SystemClock},
};
use serde_json::{Value, json};
use store::engine::{
    reconcile::{MissingPolicy, MissingRecordsDecided, missing_records_decide},
    undo::{SyncUndone, sync_undo},
};

use crate::scene::Scene;

async fn missing(scene: &Scene, id: SyncId, record_type: RecordType) -> (Value, Value) {
    let sql = format!(
        "SELECT missing, deactivated FROM sync_counts WHERE sync_id = '{id}' AND record_type = '{record_type}'"
    );
    let row = scene.rows(&sql).await.remove(0);
    (row["missing"].clone(), row["deactivated"].clone())
}

async fn status(scene: &Scene, id: &str) -> Value {
    scene.rows(&format!("SELECT status FROM equipment WHERE source_id = '{id}'")).await[0]["status"].clone()
}

async fn decide(scene: &Scene, id: SyncId, policy: MissingPolicy) -> anyhow::Result<MissingRecordsDecided> {
    let now = SystemClock.now();
    let decided =
        async |tx: &mut store::Db| missing_records_decide(tx, id, policy, "anna", Some("sold"), now).await;
    Ok(scene.store.transaction(decided).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_listed_any_more_is_counted_and_kept_unless_set_otherwise() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_equipment("e-spare", "v-1", json!({"isCritical": false, "criticalityBasis": null}));
    let first = scene.full_sync().await?;
    assert!(scene.ended(first).await?["missing_records"].is_null());

    scene.provider.forget("e-spare");
    let kept = scene.full_sync().await?;
    let sync = scene.ended(kept).await?;
    assert_eq!((&sync["state"], &sync["missing_records"]), (&json!("completed"), &json!("kept")), "{sync}");
    assert_eq!(missing(&scene, kept, RecordType::Equipment).await, (json!(1), json!(0)));
    assert_eq!(status(&scene, "e-spare").await, "active");

    // A dry run says what would be done, and does it not.
    let change = "UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = 20";
    scene.world.execute(change).await?;
    let planned = scene.dry_run(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.ended(planned).await?["missing_records"], "planned");
    assert_eq!(status(&scene, "e-spare").await, "active");

    let done = scene.full_sync().await?;
    let sync = scene.ended(done).await?;
    assert_eq!(
        (&sync["state"], &sync["missing_records"]),
        (&json!("completed"), &json!("deactivated")),
        "{sync}"
    );
    assert_eq!(missing(&scene, done, RecordType::Equipment).await, (json!(1), json!(1)));
    assert_eq!(status(&scene, "e-spare").await, "withdrawn");
    assert_eq!(scene.number("equipment").await, 6, "nothing is deleted");
    assert_eq!(
        scene.rows("SELECT last_writer FROM equipment WHERE status = 'withdrawn'").await[0]["last_writer"],
        "onboarding"
    );

    // It is listed again as it was, and comes back.
    scene.provider.put_equipment("e-spare", "v-1", json!({"isCritical": false, "criticalityBasis": null}));
    let back = scene.full_sync().await?;
    assert_eq!(scene.ended(back).await?["state"], "completed");
    assert_eq!(status(&scene, "e-spare").await, "active");
    assert_eq!(scene.tally(back, RecordType::Equipment).await, [6, 6, 0, 1, 5, 0, 0, 0]);
    assert_eq!(scene.number("sync_seen").await, 0, "what a sync has seen is forgotten with its end");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn when_many_or_critical_records_are_missing_the_sync_asks_before_it_deactivates() -> anyhow::Result<()>
{
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let change = "UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = 20";
    scene.world.execute(change).await?;
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    assert_eq!(decide(&scene, first, MissingPolicy::Deactivate).await?, MissingRecordsDecided::NotAsked);

    // One of five is within the limit, but the main engine is critical.
    scene.provider.forget("e-3a");
    let critical = scene.full_sync().await?;
    let sync = scene.ended(critical).await?;
    assert_eq!(
        (&sync["state"], &sync["missing_records"]),
        (&json!("completed_with_errors"), &json!("asks")),
        "{sync}"
    );
    assert!(sync["failure"].as_str().is_some_and(|it| it.contains("critical")), "{sync}");
    assert_eq!(status(&scene, "e-3a").await, "active");

    // A vessel of three is more than the limit.
    scene.provider.forget("v-3");
    let many = scene.full_sync().await?;
    let sync = scene.ended(many).await?;
    assert!(
        sync["failure"].as_str().is_some_and(|it| it.contains("1 of 3 active vessels, more than 20 %")),
        "{sync}"
    );
    assert_eq!(
        decide(&scene, critical, MissingPolicy::Deactivate).await?,
        MissingRecordsDecided::Overtaken(many)
    );

    let decided = decide(&scene, many, MissingPolicy::Deactivate).await?;
    assert_eq!(decided, MissingRecordsDecided::Decided { deactivated: 2 });
    assert_eq!(status(&scene, "e-3a").await, "withdrawn");
    assert_eq!(missing(&scene, many, RecordType::Vessel).await, (json!(1), json!(1)));
    assert_eq!(decide(&scene, many, MissingPolicy::Keep).await?, MissingRecordsDecided::NotAsked);
    let audit = scene.rows("SELECT action, actor, detail FROM audit").await;
    let detail = json!({"decision": "deactivate", "deactivated": 2, "reason": "sold"});
    assert_eq!(audit, [json!({"action": "sync.confirm", "actor": "anna", "detail": detail})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_deactivated_comes_back_when_the_sync_is_undone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_equipment("e-spare", "v-1", json!({"isCritical": false, "criticalityBasis": null}));
    let change = "UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = 20";
    scene.world.execute(change).await?;
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    scene.provider.forget("e-spare");
    let done = scene.full_sync().await?;
    assert_eq!(scene.ended(done).await?["missing_records"], "deactivated");
    assert_eq!(status(&scene, "e-spare").await, "withdrawn");

    let now = SystemClock.now();
    let undone = scene.store.transaction(async |tx| sync_undo(tx, done, "anna", now).await).await?;
    let SyncUndone::Undone(undo) = undone else { panic!("{undone:?}") };
    assert_eq!((undo.restored, undo.withdrawn, undo.skipped), (1, 0, 0), "{undo:?}");
    assert_eq!(status(&scene, "e-spare").await, "active");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_with_a_hole_takes_nothing_for_missing() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    scene.provider.fail_list("users", Some(404));
    let holed = scene.full_sync().await?;
    let sync = scene.ended(holed).await?;
    assert_eq!(sync["state"], "completed_with_errors");
    assert!(sync["missing_records"].is_null(), "{sync}");
    assert_eq!(scene.number(&format!("sync_missing WHERE sync_id = '{holed}'")).await, 0);
    scene.end().await;
    Ok(())
}
