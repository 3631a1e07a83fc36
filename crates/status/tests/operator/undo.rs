//! A sync is undone over HTTP. What comes back and what is left alone is the store's: see its tests.

use std::time::Duration;

use chassis::auth::Role;
use domain::SyncId;
use reqwest::Method;
use serde_json::{Value, json};
use testbed::{World, wait_until};

use crate::scene::{Records, Scene, day, equipment, vessel};

impl Scene {
    async fn undo(&self, sync: SyncId, status: u16) -> Value {
        let path = format!("/api/sync/status/{sync}/undo");
        self.json(self.request(Role::Admin, Method::POST, &path), status).await
    }
}

/// A sync that changed `e-1` and `e-2`, of which `e-2` was edited since, and created `e-9`.
async fn bad_sync() -> anyhow::Result<(Scene, SyncId)> {
    let scene = Scene::new().await?;
    let made_by =
        |id: &str, maker: &str, at: u32| equipment(id, "v-1", json!({"maker": maker, "updatedAt": day(at)}));
    let good = Records {
        vessels: vec![vessel("v-1", "9074729", "Nordic Star")],
        equipment: vec![made_by("e-1", "MAN", 1), made_by("e-2", "Alfa", 1)],
        ..Records::default()
    };
    scene.sync(&good).await?;
    let bad = Records {
        equipment: vec![made_by("e-1", "Wrong", 2), made_by("e-2", "Wrong", 2), made_by("e-9", "Wrong", 2)],
        ..Records::default()
    };
    let (sync, _) = scene.sync(&bad).await?;
    scene.world.execute("UPDATE equipment SET maker = 'By hand' WHERE source_id = 'e-2'").await?;
    Ok((scene, sync))
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_answers_what_was_done_with_each_record() -> anyhow::Result<()> {
    let (scene, sync) = bad_sync().await?;
    let undone = scene.undo(sync, 200).await;
    assert_eq!(
        (&undone["restored"], &undone["withdrawn"], &undone["skipped"]),
        (&json!(1), &json!(1), &json!(1)),
        "{undone}"
    );
    let of = |id: &str| {
        let records = undone["records"].as_array().expect("a list");
        let it = records.iter().find(|it| it["sourceId"] == id).expect("the record");
        (it["result"].clone(), it["reason"].clone())
    };
    assert_eq!(of("e-1"), (json!("restored"), Value::Null));
    assert_eq!(of("e-2"), (json!("skipped"), json!("edited_since")));
    assert_eq!(of("e-9"), (json!("withdrawn"), Value::Null));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_sync_lists_its_records_page_by_page_skipped_ones_first() -> anyhow::Result<()> {
    let (scene, sync) = bad_sync().await?;
    scene.undo(sync, 200).await;
    let page = scene.json(scene.get(&format!("/api/sync/status/{sync}/undo?limit=1")), 200).await;
    assert_eq!((&page["pagination"]["total"], &page["records"][0]["result"]), (&json!(3), &json!("skipped")));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_is_undone_once_by_an_admin_alone() -> anyhow::Result<()> {
    let (scene, sync) = bad_sync().await?;
    let path = format!("/api/sync/status/{sync}/undo");
    scene.json(scene.request(Role::Operator, Method::POST, &path), 403).await;
    scene.undo(SyncId::new(), 404).await;
    scene.undo(sync, 200).await;
    assert_eq!(scene.undo(sync, 409).await["code"], "undone_already");
    let audit = scene.rows("SELECT actor FROM audit WHERE action = 'sync.undo'").await;
    assert_eq!(audit, [json!({"actor": "anna"})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_sync_that_ended_with_errors_is_neither_resumed_nor_retried() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let twins = vec![vessel("v-1", "9074729", "Star"), vessel("v-2", "9074729", "Star")];
    let (id, _) = scene.sync(&Records { vessels: twins, ..Records::default() }).await?;
    scene.undo(id, 200).await;
    for verb in ["retry", "resume"] {
        let path = format!("/api/sync/syncs/{id}/{verb}");
        let refused = scene.json(scene.request(Role::Operator, Method::POST, &path), 409).await;
        assert_eq!(refused["code"], "sync_undone", "{verb}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_says_what_the_undo_then_does_and_changes_nothing() -> anyhow::Result<()> {
    let (scene, sync) = bad_sync().await?;
    let before = scene.rows("SELECT source_id, maker, status FROM equipment ORDER BY 1").await;
    let plan = format!("/api/sync/status/{sync}/undo/plan");
    let planned = scene.json(scene.request(Role::Admin, Method::POST, &plan), 200).await;
    assert_eq!(scene.rows("SELECT source_id, maker, status FROM equipment ORDER BY 1").await, before);
    assert_eq!(scene.rows("SELECT sync_id FROM undos").await, [] as [Value; 0]);
    assert_eq!(scene.rows("SELECT id FROM audit WHERE action = 'sync.undo'").await, [] as [Value; 0]);
    let undone = scene.undo(sync, 200).await;
    for part in ["restored", "withdrawn", "skipped", "records"] {
        assert_eq!(planned[part], undone[part]);
    }
    let problem = scene.json(scene.request(Role::Admin, Method::POST, &plan), 409).await;
    assert_eq!(problem["code"], "undone_already");
    scene.json(scene.request(Role::Operator, Method::POST, &plan), 403).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_waits_only_briefly_for_those_who_write() -> anyhow::Result<()> {
    let (scene, sync) = bad_sync().await?;
    let url = scene.world.database_url.clone();
    let held = "BEGIN; LOCK TABLE equipment; SELECT pg_sleep(600)";
    let holder = tokio::spawn(async move { World::execute_at(&url, held).await });
    wait_until("the table is locked", Duration::from_secs(30), async || {
        let sql = "SELECT 1 FROM pg_locks WHERE relation = 'equipment'::regclass AND mode = 'AccessExclusiveLock' AND granted";
        let locks = scene.rows(sql).await;
        if locks.is_empty() { Err(()) } else { Ok(()) }
    })
    .await?;
    let plan = format!("/api/sync/status/{sync}/undo/plan");
    let problem = scene.json(scene.request(Role::Admin, Method::POST, &plan), 503).await;
    assert_eq!(problem["code"], "records_in_use");
    scene
        .world
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
        )
        .await?;
    assert!(holder.await?.is_err(), "it was ended");
    scene.json(scene.request(Role::Admin, Method::POST, &plan), 200).await;
    scene.end().await;
    Ok(())
}
