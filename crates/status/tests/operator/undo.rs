//! A sync is undone over HTTP.

use chassis::auth::Role;
use domain::{Outcome, SyncId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{Records, Scene, day, equipment, merged, vessel};

fn parts(stock: i32, names: &[&str]) -> Value {
    let part = |name: &&str| json!({"id": name, "partNumber": "1", "name": name, "unit": "pcs", "minimumStock": stock, "isCritical": false});
    names.iter().map(part).collect()
}

impl Scene {
    async fn undo(&self, sync: SyncId, status: u16) -> Value {
        let path = format!("/api/sync/status/{sync}/undo");
        self.json(self.request(Role::Admin, Method::POST, &path), status).await
    }

    async fn state(&self) -> Vec<Value> {
        let mut all = self
            .rows(
                "SELECT source_id, name, maker, status, is_critical, specs FROM equipment ORDER BY source_id",
            )
            .await;
        let parts = "SELECT p.source_id, p.name, p.minimum_stock, p.status FROM critical_parts p ORDER BY p.source_id";
        all.extend(self.rows(parts).await);
        all.extend(self.rows("SELECT source_id, name, flag, status FROM vessels ORDER BY source_id").await);
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_wrote_over_comes_back_and_what_it_created_is_withdrawn() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let before = Records {
        vessels: vec![vessel("v-1", "9074729", "Nordic Star")],
        equipment: vec![
            equipment(
                "e-1",
                "v-1",
                json!({"maker": "MAN", "specs": {"kw": 1}, "criticalParts": parts(2, &["p-1", "p-2"])}),
            ),
            equipment("e-2", "v-1", json!({"maker": "Alfa"})),
            equipment("e-3", "v-1", json!({"maker": "Beta"})),
            equipment("e-4", "v-1", json!({"maker": "Gamma"})),
        ],
        ..Records::default()
    };
    scene.sync(&before).await?;
    let state = scene.state().await;
    let changed =
        |id: &str, at: u32, maker: &str| equipment(id, "v-1", json!({"maker": maker, "updatedAt": day(at)}));
    let mut engine = changed("e-1", 2, "Wrong");
    engine = merged(engine, json!({"specs": {"kw": 2}, "criticalParts": parts(9, &["p-1", "p-9"])}));
    let bad = Records {
        vessels: vec![
            merged(vessel("v-1", "9074729", "Wrong name"), json!({"updatedAt": day(2)})),
            vessel("v-2", "9619907", "Never approved"),
        ],
        equipment: vec![
            engine,
            changed("e-2", 2, "Wrong"),
            changed("e-3", 2, "Wrong"),
            changed("e-4", 1, "Gamma"),
            equipment("e-9", "v-2", json!({})),
        ],
        ..Records::default()
    };
    let (sync, _) = scene.sync(&bad).await?;
    // Something newer stands: an edit on e-2, a later sync on e-3.
    scene.world.execute("UPDATE equipment SET maker = 'By hand' WHERE source_id = 'e-2'").await?;
    scene.sync(&Records { equipment: vec![changed("e-3", 3, "Newer")], ..Records::default() }).await?;

    scene
        .json(scene.request(Role::Operator, Method::POST, &format!("/api/sync/status/{sync}/undo")), 403)
        .await;
    scene.undo(SyncId::new(), 404).await;
    let undone = scene.undo(sync, 200).await;
    assert_eq!(
        (&undone["restored"], &undone["withdrawn"], &undone["skipped"]),
        (&json!(2), &json!(2), &json!(2)),
        "{undone}"
    );
    let of = |id: &str| {
        let records = undone["records"].as_array().expect("a list");
        let it = records.iter().find(|it| it["sourceId"] == id).expect("the record").clone();
        (it["result"].clone(), it["reason"].clone())
    };
    assert_eq!(of("e-1"), (json!("restored"), json!(null)));
    assert_eq!(of("v-1"), (json!("restored"), json!(null)));
    assert_eq!(of("e-9"), (json!("withdrawn"), json!(null)));
    assert_eq!(of("v-2"), (json!("withdrawn"), json!(null)));
    assert_eq!(of("e-2"), (json!("skipped"), json!("edited_since")));
    assert_eq!(of("e-3"), (json!("skipped"), json!("overwritten_since")));

    let now: Vec<Value> = scene.state().await;
    let find =
        |all: &[Value], id: &str| all.iter().find(|it| it["source_id"] == id).expect("the row").clone();
    for id in ["e-1", "e-4", "p-1", "p-2", "v-1"] {
        assert_eq!(find(&now, id), find(&state, id), "as it was before the sync");
    }
    assert_eq!(find(&now, "e-2")["maker"], "By hand");
    assert_eq!(find(&now, "e-3")["maker"], "Newer");
    for id in ["e-9", "v-2", "p-9"] {
        assert_eq!(find(&now, id)["status"], "withdrawn", "{id} is not deleted");
    }
    assert_eq!(scene.undo(sync, 409).await["code"], "undone_already");
    let later = scene.json(scene.get(&format!("/api/sync/status/{sync}/undo?limit=1")), 200).await;
    assert_eq!(
        (&later["pagination"]["total"], &later["records"][0]["result"]),
        (&json!(6), &json!("skipped"))
    );
    let audit = scene.rows("SELECT actor, detail FROM audit WHERE action = 'sync.undo'").await;
    assert_eq!(audit[0]["detail"], json!({"restored": 2, "withdrawn": 2, "skipped": 2}));

    // The same state again changes nothing; a newer one wins, with both sides kept.
    let (_, applied) = scene.sync(&bad).await?;
    let undone_stay =
        applied.iter().filter(|it| ["e-1", "e-9", "v-1", "v-2"].contains(&it.source_id.as_str()));
    for it in undone_stay {
        assert_eq!(it.outcome, Outcome::Unchanged, "{it:?}");
    }
    assert_eq!(find(&scene.state().await, "e-1"), find(&state, "e-1"));
    let next = "2100-01-01T00:00:00Z";
    scene
        .world
        .execute(&format!(
            "UPDATE equipment SET synced_at = '{next}', version_at = '2026-05-04' WHERE source_id = 'e-1'"
        ))
        .await?;
    let (_, applied) =
        scene.sync(&Records { equipment: vec![changed("e-1", 5, "Right")], ..Records::default() }).await?;
    assert_eq!(applied[0].outcome, Outcome::Updated);
    assert_eq!(scene.rows("SELECT kind FROM conflicts").await, [json!({"kind": "source_newer"})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_a_sync_passed_on_to_another_vessel_comes_back_with_its_vessel() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .sync(&Records { vessels: vec![vessel("v-1", "9074729", "Nordic Star")], ..Records::default() })
        .await?;
    let withdrawn = json!({"updatedAt": day(2), "withdrawnAt": day(2)});
    let passed_on = Records {
        vessels: vec![
            merged(vessel("v-1", "9074729", "Nordic Star"), withdrawn),
            merged(vessel("v-2", "9074729", "Nordic Star"), json!({"updatedAt": day(2)})),
        ],
        ..Records::default()
    };
    let (sync, _) = scene.sync(&passed_on).await?;
    let vessels = "SELECT source_id, status FROM vessels ORDER BY source_id";
    let of = |first: &str, second: &str| {
        [json!({"source_id": "v-1", "status": first}), json!({"source_id": "v-2", "status": second})]
    };
    assert_eq!(scene.rows(vessels).await, of("withdrawn", "active"));
    let undone = scene.undo(sync, 200).await;
    assert_eq!((&undone["restored"], &undone["withdrawn"]), (&json!(1), &json!(1)), "{undone}");
    assert_eq!(scene.rows(vessels).await, of("active", "withdrawn"));
    scene.end().await;
    Ok(())
}
