//! Starting syncs and handling those that have ended, over HTTP.

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{Records, Scene, day, merged, vessel};

impl Scene {
    async fn post(&self, path: &str, body: Value, status: u16) -> Value {
        self.json(self.request(Role::Operator, Method::POST, path).json(&body), status).await
    }
}

fn codes(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().expect("errors");
    errors
        .iter()
        .map(|it| (it["pointer"].as_str().unwrap_or_default(), it["code"].as_str().unwrap_or_default()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_is_started_in_any_mode_and_a_second_full_one_hears_of_the_first() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.sync(&Records { vessels: vec![vessel("v-1", "9074729", "Star")], ..Records::default() }).await?;
    const TRIGGER: &str = "/api/sync/trigger";

    let full = scene.json(scene.request(Role::Operator, Method::POST, TRIGGER), 202).await;
    let second = scene.post(TRIGGER, json!({"mode": "full"}), 409).await;
    assert_eq!((&second["code"], &second["runningSyncId"]), (&json!("full_sync_running"), &full["syncId"]));
    // Whoever writes nothing is in nobody's way.
    let dry = scene.post(TRIGGER, json!({"dryRun": true, "reason": "drill"}), 202).await;
    let detail =
        scene.json(scene.get(&format!("/api/sync/status/{}", dry["syncId"].as_str().unwrap())), 200).await;
    assert_eq!(
        (&detail["dryRun"], &detail["mode"], &detail["reason"]),
        (&json!(true), &json!("full"), &json!("drill"))
    );

    let named = json!({"mode": "selective", "vesselImos": ["9074729"], "recordTypes": ["equipment"]});
    let selective = scene.post(TRIGGER, named, 202).await;
    let path = format!("/api/sync/status/{}", selective["syncId"].as_str().unwrap());
    let detail = scene.json(scene.get(&path), 200).await;
    assert_eq!(detail["scope"], json!({"recordTypes": ["equipment"], "vesselIds": ["v-1"]}));
    scene.post(TRIGGER, json!({"mode": "incremental"}), 202).await;

    let unknown =
        scene.post(TRIGGER, json!({"mode": "selective", "vesselImos": ["9074729", "9619907"]}), 422).await;
    assert_eq!(codes(&unknown), [("#/vesselImos/1", "unknown_vessel")]);
    let wrong = json!({"mode": "selective", "vesselImos": ["9074728"], "companyId": "c-1"});
    let wrong = scene.post(TRIGGER, wrong, 422).await;
    assert_eq!(codes(&wrong), [("#/companyId", "exclusive"), ("#/vesselImos/0", "invalid_imo_number")]);
    let misspelt = scene.post(TRIGGER, json!({"mode": "full", "dryrun": true}), 422).await;
    assert_eq!(codes(&misspelt), [("#/dryrun", "unknown_field")]);
    scene.json(scene.request(Role::Viewer, Method::POST, TRIGGER), 403).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_tried_again_and_what_is_complete_is_not() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let twins = vec![vessel("v-1", "9074729", "Star"), vessel("v-2", "9074729", "Star")];
    let (id, _) = scene.sync(&Records { vessels: twins, ..Records::default() }).await?;
    let (clean, _) =
        scene.sync(&Records { vessels: vec![vessel("v-3", "9619907", "Sun")], ..Records::default() }).await?;

    let retried =
        scene.post(&format!("/api/sync/syncs/{id}/retry"), json!({"reason": "renumbered"}), 202).await;
    assert_eq!((&retried["tasks"], &retried["records"]), (&json!(0), &json!(1)), "{retried}");
    let path = format!("/api/sync/status/{}", retried["retrySyncId"].as_str().unwrap());
    let retry = scene.json(scene.get(&path), 200).await;
    assert_eq!((&retry["retryOf"], &retry["mode"]), (&json!(id.to_string()), &json!("selective")));
    assert_eq!(retry["scope"], json!({"sourceIds": {"vessel": ["v-2"]}}));

    for (path, code) in [
        (format!("/api/sync/syncs/{clean}/retry"), "nothing_failed"),
        (format!("/api/sync/syncs/{clean}/resume"), "not_resumable"),
    ] {
        let refused = scene.json(scene.request(Role::Operator, Method::POST, &path), 409).await;
        assert_eq!(refused["code"], code);
        scene.json(scene.request(Role::Viewer, Method::POST, &path), 403).await;
    }
    let asked =
        scene.post(&format!("/api/sync/syncs/{clean}/confirm"), json!({"decision": "keep"}), 409).await;
    assert_eq!(asked["code"], "nothing_asked");
    let nobody = "019ab2c4-0000-7000-8000-000000000001";
    for verb in ["retry", "resume"] {
        let path = format!("/api/sync/syncs/{nobody}/{verb}");
        scene.json(scene.request(Role::Operator, Method::POST, &path), 404).await;
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_changed_or_a_dry_run_would_change_is_listed_field_by_field() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, _) = scene
        .sync(&Records { vessels: vec![vessel("v-1", "9074729", "Star")], ..Records::default() })
        .await?;
    let path = format!("/api/sync/status/{id}/changes");
    let written = scene.json(scene.get(&format!("{path}?recordType=vessel")), 200).await;
    assert_eq!(
        (&written["pagination"]["total"], &written["data"][0]["outcome"]),
        (&json!(1), &json!("created"))
    );
    let fields = written["data"][0]["fields"].as_array().expect("a list");
    assert!(fields.contains(&json!({"field": "/name", "old": null, "new": "Star"})), "{fields:?}");
    let rejected = scene.json(scene.get(&format!("{path}?outcome=rejected")), 200).await;
    assert_eq!(rejected["pagination"]["total"], 0, "what it rejected is in its findings");

    // As if it had been a dry run.
    let fields = json!([{"field": "/name", "old": "Star", "new": "Sun"}]);
    let conflict = json!({"kind": "local_newer", "winner": "local",
        "fields": [{"field": "/callSign", "local": "LAAA", "source": null}]});
    scene
        .world
        .execute(&format!(
            "UPDATE sync_logs SET dry_run = true WHERE id = '{id}';
             INSERT INTO sync_changes (sync_id, record_type, source_id, label, outcome, fields, conflict) VALUES
                 ('{id}', 'vessel', 'v-1', 'Star', 'updated', '{fields}', NULL),
                 ('{id}', 'vessel', 'v-2', NULL, 'conflict', '[]', '{conflict}'),
                 ('{id}', 'vessel', 'v-3', NULL, 'unchanged', '[]', NULL)"
        ))
        .await?;
    let list = scene.json(scene.get(&path), 200).await;
    assert_eq!(list["pagination"]["total"], 2, "what changes nothing for people is not listed");
    assert_eq!((&list["data"][0]["fields"], &list["data"][1]["conflict"]), (&fields, &conflict));
    let list = scene.json(scene.get(&format!("{path}?outcome=updated&recordType=vessel")), 200).await;
    assert_eq!(list["data"][0]["label"], "Star");
    let list = scene.json(scene.get(&format!("{path}?recordType=user")), 200).await;
    assert_eq!(list["pagination"]["total"], 0);
    scene.json(scene.get("/api/sync/status/019ab2c4-0000-7000-8000-000000000001/changes"), 404).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn older_records_are_counted_first_and_then_accepted_by_an_operator() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let changed = json!({"name": "Star II", "updatedAt": day(9)});
    let newer = vec![merged(vessel("v-1", "9074729", "Star"), changed)];
    scene.sync(&Records { vessels: newer, ..Records::default() }).await?;
    // The onboarding portal is restored from a backup of the first of May.
    let older = vec![vessel("v-1", "9074729", "Star")];
    let (id, _) = scene.sync(&Records { vessels: older, ..Records::default() }).await?;
    let path = format!("/api/sync/syncs/{id}/accept-older");
    let found = scene.json(scene.get(&path), 200).await;
    assert_eq!(
        (&found["records"], &found["byType"]),
        (&json!(1), &json!([{"recordType": "vessel", "records": 1}]))
    );

    let by_viewer = scene.request(Role::Viewer, Method::POST, &path).json(&json!({"expectedRecords": 1}));
    scene.json(by_viewer, 403).await;
    let differs = scene.post(&path, json!({"expectedRecords": 2}), 409).await;
    assert_eq!((&differs["code"], &differs["records"]), (&json!("records_differ"), &json!(1)));
    scene.post(&path, json!({}), 422).await;
    scene.post(&path, json!({"expectedRecords": 1, "reason": "x".repeat(501)}), 422).await;

    let body = json!({"expectedRecords": 1, "reason": "restored from a backup"});
    let accepted = scene.post(&path, body, 202).await;
    assert_eq!((&accepted["records"], &accepted["left"]), (&json!(1), &json!(0)));
    let retry = accepted["retrySyncId"].as_str().expect("a new sync");
    let retry = scene.json(scene.get(&format!("/api/sync/status/{retry}")), 200).await;
    assert_eq!(
        (&retry["retryOf"], &retry["scope"], &retry["reason"]),
        (
            &json!(id.to_string()),
            &json!({"sourceIds": {"vessel": ["v-1"]}}),
            &json!("restored from a backup")
        )
    );
    let audit = scene.rows("SELECT actor FROM audit WHERE action = 'sync.accept_older'").await;
    assert_eq!(audit, [json!({"actor": "anna"})]);
    let again = scene.post(&path, json!({"expectedRecords": 1}), 409).await;
    assert_eq!(again["records"], 0);
    // What the new sync reads is older, and goes in.
    let older = vec![vessel("v-1", "9074729", "Star")];
    scene.sync(&Records { vessels: older, ..Records::default() }).await?;
    let row = scene.rows("SELECT name FROM vessels").await;
    assert_eq!(row, [json!({"name": "Star"})]);

    let nobody = "/api/sync/syncs/019ab2c4-0000-7000-8000-000000000001/accept-older";
    scene.json(scene.get(nobody), 404).await;
    scene.post(nobody, json!({"expectedRecords": 1}), 404).await;
    scene.end().await;
    Ok(())
}
