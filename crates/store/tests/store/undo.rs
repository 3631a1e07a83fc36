//! Undoing a sync: what comes back, what is withdrawn, and what is left alone.

use domain::{
    Mode, Outcome, Scope, SyncId, SyncState,
    conflict::ConflictKind,
    portal_role::PortalRole,
    role_mapping::{RoleMapping, RoleRule},
    user::Workplace,
};
use serde_json::{Value, json};
use store::{
    Total, Window,
    engine::{
        role_changes::{MappingChanged, mapping_change},
        undo::{SyncUndone, Undo, sync_undo, undo_find, undo_items},
    },
};

use crate::{
    records::{Records, day, equipment, merged, user, vessel},
    scene::Scene,
};

impl Scene {
    async fn undo(&self, id: SyncId) -> anyhow::Result<SyncUndone> {
        let now = self.now();
        self.tx(async |tx| sync_undo(tx, id, "anna", now).await).await
    }

    async fn undone(&self, id: SyncId) -> anyhow::Result<Undo> {
        match self.undo(id).await? {
            SyncUndone::Undone(undo) => Ok(undo),
            other => anyhow::bail!("{other:?}"),
        }
    }

    /// What was done with a record of an undone sync, and why it was skipped.
    async fn result(&self, source_id: &str) -> (Value, Value) {
        let sql = format!("SELECT result, reason FROM undo_items WHERE source_id = '{source_id}'");
        let row = self.row(&sql).await;
        (row["result"].clone(), row["reason"].clone())
    }

    async fn equipment_row(&self, source_id: &str) -> Value {
        self.row(&format!(
            "SELECT name, maker, status, is_critical, specs FROM equipment WHERE source_id = '{source_id}'"
        ))
        .await
    }

    async fn status(&self, table: &str, source_id: &str) -> Value {
        let sql = format!("SELECT status FROM {table} WHERE source_id = '{source_id}'");
        self.row(&sql).await["status"].clone()
    }
}

fn parts(stock: i32, ids: &[&str]) -> Value {
    let part = |id: &&str| json!({"id": id, "partNumber": "1", "name": id, "unit": "pcs", "minimumStock": stock, "isCritical": false});
    ids.iter().map(part).collect()
}

const PARTS: &str = "SELECT source_id, name, minimum_stock, status FROM critical_parts ORDER BY source_id";

fn one_equipment(maker: &str, at: u32) -> Records {
    Records::of_equipment([equipment("e-1", "v-1", json!({"maker": maker, "updatedAt": day(at)}))])
}

/// A vessel with a piece of equipment that a sync, which is to be undone, has changed.
async fn overwritten_equipment() -> anyhow::Result<(Scene, SyncId)> {
    let scene = Scene::new().await?;
    scene.bring(&Records::of_vessels([vessel("v-1", json!({}))])).await?;
    scene.bring(&one_equipment("MAN", 1)).await?;
    let bad = scene.bring(&one_equipment("Wrong", 2)).await?;
    Ok((scene, bad.sync))
}

fn restored() -> (Value, Value) {
    (json!("restored"), Value::Null)
}

fn withdrawn() -> (Value, Value) {
    (json!("withdrawn"), Value::Null)
}

fn skipped(reason: &str) -> (Value, Value) {
    (json!("skipped"), json!(reason))
}

#[tokio::test(flavor = "multi_thread")]
async fn overwritten_records_come_back_as_they_were_with_their_parts() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut good = Records::of_vessels([vessel("v-1", json!({"name": "Star"}))]);
    let values = json!({"maker": "MAN", "specs": {"kw": 1}, "criticalParts": parts(2, &["p-1", "p-2"])});
    good.put_equipment("e-1", "v-1", values);
    scene.bring(&good).await?;
    let (row, part_rows) = (scene.equipment_row("e-1").await, scene.rows(PARTS).await);
    let mut bad = Records::of_vessels([vessel("v-1", json!({"name": "Wrong", "updatedAt": day(2)}))]);
    let values = json!({"maker": "Wrong", "specs": {"kw": 2}, "criticalParts": parts(9, &["p-1", "p-9"]),
                        "updatedAt": day(2)});
    bad.put_equipment("e-1", "v-1", values);
    let bad = scene.bring(&bad).await?.sync;

    let undo = scene.undone(bad).await?;
    assert_eq!((undo.restored, undo.withdrawn, undo.skipped), (2, 0, 0));
    assert_eq!((scene.result("e-1").await, scene.result("v-1").await), (restored(), restored()));
    assert_eq!(scene.equipment_row("e-1").await, row);
    let mut expected = part_rows;
    expected.push(json!({"source_id": "p-9", "name": "p-9", "minimum_stock": 9, "status": "withdrawn"}));
    assert_eq!(scene.rows(PARTS).await, expected);
    assert_eq!(scene.row("SELECT name FROM vessels").await["name"], "Star");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn created_records_are_withdrawn_and_not_deleted() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut never_approved = Records::of_vessels([vessel("v-9", json!({}))]);
    never_approved.put_equipment("e-9", "v-9", json!({}));
    let bad = scene.bring(&never_approved).await?.sync;
    scene.undone(bad).await?;
    assert_eq!((scene.result("v-9").await, scene.result("e-9").await), (withdrawn(), withdrawn()));
    assert_eq!(scene.status("vessels", "v-9").await, "withdrawn");
    assert_eq!(scene.status("equipment", "e-9").await, "withdrawn");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn created_record_that_was_withdrawn_since_is_skipped() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let created = scene.bring(&Records::of_vessels([vessel("v-9", json!({}))])).await?.sync;
    scene
        .execute("UPDATE vessels SET status = 'withdrawn', synced_at = synced_at + interval '1 second'")
        .await?;
    scene.undone(created).await?;
    assert_eq!(scene.result("v-9").await, skipped("already_withdrawn"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_the_sync_found_unchanged_is_not_touched() -> anyhow::Result<()> {
    let (scene, _) = overwritten_equipment().await?;
    let unchanged = scene.bring(&one_equipment("Wrong", 2)).await?;
    assert_eq!(unchanged.outcome("e-1"), Outcome::Unchanged);
    let undo = scene.undone(unchanged.sync).await?;
    assert_eq!((undo.restored, undo.withdrawn, undo.skipped), (0, 0, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_edited_since_is_skipped() -> anyhow::Result<()> {
    let (scene, bad) = overwritten_equipment().await?;
    scene.execute("UPDATE equipment SET maker = 'By hand'").await?;
    scene.undone(bad).await?;
    assert_eq!(scene.result("e-1").await, skipped("edited_since"));
    assert_eq!(scene.equipment_row("e-1").await["maker"], "By hand");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_a_later_sync_wrote_is_skipped() -> anyhow::Result<()> {
    let (scene, bad) = overwritten_equipment().await?;
    scene.bring(&one_equipment("Newer", 3)).await?;
    scene.undone(bad).await?;
    assert_eq!(scene.result("e-1").await, skipped("overwritten_since"));
    assert_eq!(scene.equipment_row("e-1").await["maker"], "Newer");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_whose_number_belongs_to_another_by_now_is_skipped() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let numbered = |id: &str, imo_number: &str, at: u32| {
        Records::of_vessels([vessel(id, json!({"imoNumber": imo_number, "updatedAt": day(at)}))])
    };
    scene.bring(&numbered("v-1", "9074729", 1)).await?;
    let renumbered = scene.bring(&numbered("v-1", "9619907", 2)).await?.sync;
    scene.bring(&numbered("v-2", "9074729", 3)).await?;
    scene.undone(renumbered).await?;
    assert_eq!(scene.result("v-1").await, skipped("key_taken"));
    let row = scene.row("SELECT imo_number FROM vessels WHERE source_id = 'v-1'").await;
    assert_eq!(row["imo_number"], "9619907");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn number_that_the_sync_passed_on_comes_back_to_its_vessel() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&Records::of_vessels([vessel("v-1", json!({}))])).await?;
    let gone = json!({"updatedAt": day(2), "withdrawnAt": day(2)});
    let passed_on = Records::of_vessels([vessel("v-1", gone), vessel("v-2", json!({"updatedAt": day(2)}))]);
    let bad = scene.bring(&passed_on).await?.sync;
    let statuses = async || (scene.status("vessels", "v-1").await, scene.status("vessels", "v-2").await);
    assert_eq!(statuses().await, (json!("withdrawn"), json!("active")));
    let undo = scene.undone(bad).await?;
    assert_eq!((undo.restored, undo.withdrawn, undo.skipped), (1, 1, 0));
    assert_eq!(statuses().await, (json!("active"), json!("withdrawn")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn same_state_that_comes_again_leaves_the_undone_record() -> anyhow::Result<()> {
    let (scene, bad) = overwritten_equipment().await?;
    scene.undone(bad).await?;
    assert_eq!(scene.bring(&one_equipment("Wrong", 2)).await?.outcome("e-1"), Outcome::Unchanged);
    assert_eq!(scene.equipment_row("e-1").await["maker"], "MAN");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_state_wins_over_an_undone_record_and_both_sides_are_kept() -> anyhow::Result<()> {
    let (scene, bad) = overwritten_equipment().await?;
    scene.undone(bad).await?;
    // The undoing is an edit of now: it becomes older than the next day of the portal.
    let sql = "UPDATE equipment SET synced_at = synced_at + interval '1 second', version_at = ";
    scene.execute(&format!("{sql} '{}'", day(4))).await?;
    assert_eq!(scene.bring(&one_equipment("Right", 5)).await?.outcome("e-1"), Outcome::Updated);
    assert_eq!(scene.row("SELECT kind FROM conflicts").await["kind"], ConflictKind::SourceNewer.as_str());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_is_undone_once() -> anyhow::Result<()> {
    let (scene, bad) = overwritten_equipment().await?;
    let first = scene.undone(bad).await?;
    assert_eq!(scene.undo(bad).await?, SyncUndone::Already(first.clone()));
    assert_eq!(undo_find(&mut *scene.store.db().await?, bad).await?, Some(first));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_has_not_ended_or_is_unknown_is_not_undone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (running, _) = scene.begun(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.undo(running).await?, SyncUndone::Running(SyncState::Running));
    assert_eq!(scene.undo(SyncId::new()).await?, SyncUndone::Unknown);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_is_audited_with_its_numbers() -> anyhow::Result<()> {
    let (scene, bad) = overwritten_equipment().await?;
    scene.undone(bad).await?;
    let entry = scene.row("SELECT actor, action, subject, detail FROM audit").await;
    assert_eq!((&entry["actor"], &entry["action"]), (&json!("anna"), &json!("sync.undo")));
    assert_eq!(entry["subject"], bad.to_string());
    assert_eq!(entry["detail"], json!({"restored": 1, "withdrawn": 0, "skipped": 0}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_left_alone_are_listed_first() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let fleet = |name: &str, at: u32| {
        let of = |id, imo_number| {
            merged(vessel(id, json!({"imoNumber": imo_number})), json!({"name": name, "updatedAt": day(at)}))
        };
        Records::of_vessels([of("v-1", "9074729"), of("v-2", "9619907")])
    };
    scene.bring(&fleet("Good", 1)).await?;
    let bad = scene.bring(&fleet("Wrong", 2)).await?.sync;
    scene.execute("UPDATE vessels SET name = 'By hand' WHERE source_id = 'v-2'").await?;
    scene.undone(bad).await?;
    let window = Window { limit: 1, ..Window::default() };
    let page = undo_items(&mut *scene.store.db().await?, bad, window).await?;
    assert_eq!((page.total, page.has_more), (Total::Exactly(2), true));
    assert_eq!(page.rows[0].source_id, "v-2");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn created_records_that_others_refer_to_are_left_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let created = scene
        .bring(&Records::of_vessels([
            vessel("v-1", json!({})),
            vessel("v-2", json!({"imoNumber": "9619907"})),
        ]))
        .await?;
    scene.bring(&Records::of_equipment([equipment("e-1", "v-1", json!({}))])).await?;
    let undo = scene.undone(created.sync).await?;
    assert_eq!((undo.withdrawn, undo.skipped), (1, 2));
    assert_eq!(scene.result("v-1").await, skipped("in_use"));
    assert_eq!(scene.result("c-1").await, skipped("in_use"));
    assert_eq!(scene.result("v-2").await, withdrawn());
    assert_eq!(scene.status("vessels", "v-1").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_user_gets_the_role_of_the_mapping_in_force() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let of_rank = |rank: &str, at| Records {
        users: vec![user("u-1", json!({"rank": rank, "vesselIds": [], "updatedAt": day(at)}))],
        ..Records::default()
    };
    scene.bring(&of_rank("Master", 1)).await?;
    let bad = scene.bring(&of_rank("Oiler", 2)).await?;
    let rules = vec![RoleRule {
        rank: "master".to_owned(),
        department: None,
        workplace: Workplace::Ship,
        role: PortalRole::Auditor,
    }];
    let mapping = RoleMapping::new(rules).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    let now = scene.now();
    let changed = scene.tx(async |tx| mapping_change(tx, &mapping, 1, "anna", now).await).await?;
    assert!(matches!(changed, MappingChanged::Changed(..)), "{changed:?}");
    scene.undone(bad.sync).await?;
    let row = scene.row("SELECT rank, role, role_mapping_version FROM users").await;
    assert_eq!(row, json!({"rank": "master", "role": "auditor", "role_mapping_version": 2}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_user_keeps_a_role_that_was_given_by_hand() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let named = |name: &str, at| Records {
        users: vec![user("u-1", json!({"familyName": name, "vesselIds": [], "updatedAt": day(at)}))],
        ..Records::default()
    };
    scene.bring(&named("Nordmann", 1)).await?;
    scene.execute("UPDATE users SET role = 'auditor'").await?;
    let moved =
        format!("UPDATE users SET synced_at = synced_at + interval '1 second', version_at = '{}'", day(1));
    scene.execute(&moved).await?;
    let overwriting = scene.bring(&named("Hansen", 2)).await?;
    assert_ne!(scene.row("SELECT role FROM users").await["role"], "auditor");
    scene.undone(overwriting.sync).await?;
    assert_eq!(
        scene.row("SELECT role, family_name FROM users").await,
        json!({"role": "auditor", "family_name": "Nordmann"})
    );
    Ok(())
}
