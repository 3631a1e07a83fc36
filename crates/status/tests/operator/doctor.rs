//! The doctor: from what an operator sees to its cause.

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::Scene;

impl Scene {
    /// The diagnosis of one question.
    async fn diagnosis(&self, query: &str, question: &str) -> Value {
        let report = self.json(self.get(&format!("/api/doctor{query}")), 200).await;
        let diagnoses = report["diagnoses"].as_array().expect("a list");
        let found = diagnoses.iter().find(|it| it["question"] == question);
        found.cloned().unwrap_or_else(|| panic!("{question}: {report}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_does_not_listen_is_named_with_its_remedy() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let connection = scene.diagnosis("", "connection").await;
    assert_eq!(connection["ok"], false, "{connection}");
    let cause = connection["causes"][0].as_str().unwrap_or_default();
    assert!(cause.starts_with("The step connect of the connection test failed"), "{connection}");
    assert!(connection["fix"].as_str().is_some_and(|fix| fix.contains("ONBOARDING_API_URL")), "{connection}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_no_worker_takes_is_stuck_and_says_so() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let moving = scene.diagnosis("", "stuck").await;
    assert_eq!(
        (&moving["ok"], &moving["title"]),
        (&json!(true), &json!("No sync is active, and no approval waits"))
    );
    let accepted = scene.json(scene.request(Role::Operator, Method::POST, "/api/sync/trigger"), 202).await;
    scene.world.execute("UPDATE sync_logs SET heartbeat_at = heartbeat_at - interval '5 minutes'").await?;
    let stuck = scene.diagnosis("", "stuck").await;
    assert_eq!((&stuck["ok"], &stuck["syncId"]), (&json!(false), &accepted["syncId"]));
    assert_eq!(stuck["causes"][0], "messages wait that no worker takes: 1 in sync.commands");
    assert!(stuck["fix"].as_str().is_some_and(|fix| fix.starts_with("Start workers")), "{stuck}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn equipment_is_missing_because_its_vessel_was_rejected_for_its_check_digit() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let fleet = scene.diagnosis("", "missing").await;
    assert_eq!((&fleet["ok"], &fleet["title"]), (&json!(true), &json!("No record stands rejected")));
    scene
        .world
        .execute(
            "INSERT INTO record_findings (record_type, source_id, label, vessel_ids, severity, code, pointer, message, value, found_at)
             VALUES ('equipment', 'e-9', 'Bilge pump', '{}', 'error', 'orphan', '/vesselId', 'its vessel is not known', 'v-9', now()),
                 ('vessel', 'v-9', 'Nordhavn Orion', '{}', 'error', 'imo_number_check_digit', '/imoNumber',
                     'has a wrong check digit', '9074728', now())",
        )
        .await?;
    let missing = scene.diagnosis("?recordType=equipment&sourceId=e-9", "missing").await;
    assert_eq!(
        (&missing["ok"], &missing["title"]),
        (&json!(false), &json!("the equipment e-9 was rejected, and never written"))
    );
    assert_eq!(
        missing["causes"],
        json!([
            "/vesselId its vessel is not known, is v-9 (orphan)",
            "because the vessel v-9 was rejected, and never written",
            "/imoNumber has a wrong check digit, is 9074728 (imo_number_check_digit)"
        ])
    );
    assert_eq!((&missing["recordType"], &missing["sourceId"]), (&json!("vessel"), &json!("v-9")));
    let fleet = scene.diagnosis("", "missing").await;
    assert_eq!(fleet["ok"], false, "{fleet}");
    let unknown = scene.diagnosis("?recordType=vessel&sourceId=nobody", "missing").await;
    assert_eq!(unknown["causes"], json!(["no webhook and no sync has told of it"]));
    scene.json(scene.get("/api/doctor?recordType=vessel"), 422).await;
    scene.end().await;
    Ok(())
}
