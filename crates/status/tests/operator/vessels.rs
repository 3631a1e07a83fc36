//! The vessels with what waits for somebody, and rejections that are known.

use std::time::Duration;

use chassis::auth::Role;
use domain::clock::{Clock, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};
use testbed::{World, wait_until};

use crate::scene::{Records, Scene, equipment, vessel};

const KNOWN: &str = "/api/sync/records/equipment/e-1/acknowledgement";

/// An error that stands about a piece of equipment, as the worker writes it.
fn reject(id: &str, vessel: &str, code: &str) -> String {
    format!(
        "INSERT INTO record_findings (record_type, source_id, label, vessel_ids, severity, code, pointer, message, found_at,
             fetched_at)
         VALUES ('equipment', '{id}', 'Pump', ARRAY['{vessel}'], 'error', '{code}', '/name', 'm', now(), now())"
    )
}

async fn fleet() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    let records = Records {
        vessels: vec![
            vessel("v-1", "9619907", "Orion"),
            vessel("v-2", "9074729", "Lyra"),
            vessel("v-3", "7625811", "Vega"),
        ],
        equipment: vec![equipment("e-1", "v-1", json!({})), equipment("e-2", "v-2", json!({}))],
        ..Records::default()
    };
    scene.sync(&records).await?;
    Ok(scene)
}

impl Scene {
    async fn vessels(&self, query: &str) -> Vec<Value> {
        let page = self.json(self.get(&format!("/api/sync/vessels{query}")), 200).await;
        page["data"].as_array().expect("a list").clone()
    }

    async fn attention(&self) -> Vec<String> {
        let overview = self.json(self.get("/api/sync/status"), 200).await;
        let attention = overview["attention"].as_array().expect("a list").iter();
        attention.map(|it| it["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn acknowledge(&self, body: &Value, status: u16) -> Value {
        self.json(self.request(Role::Operator, Method::PUT, KNOWN).json(body), status).await
    }
}

fn ids(vessels: &[Value]) -> Vec<&str> {
    vessels.iter().map(|it| it["sourceId"].as_str().unwrap_or_default()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn vessels_come_worst_first_with_what_is_on_board() -> anyhow::Result<()> {
    let scene = fleet().await?;
    assert_eq!(scene.vessels("?troubled=true").await, [] as [Value; 0]);
    scene.world.execute(&reject("e-1", "v-1", "required")).await?;
    // Equipment of which no state was ever written, and two errors about one record.
    scene.world.execute(&reject("e-9", "v-1", "required")).await?;
    scene.world.execute(&reject("e-9", "v-1", "too_long")).await?;
    scene
        .world
        .execute(
            "INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, died_at,
                 archived_at, record_type, source_id)
             VALUES (gen_random_uuid(), 'm-1', 'sync.events', 'k', '', 'permanent', 'r', 'f', 1, now(), now(), 'equipment', 'e-2'),
                    (gen_random_uuid(), 'm-2', 'sync.events', 'k', '', 'permanent', 'r', 'f', 1, now(), now(), 'vessel', 'v-8')",
        )
        .await?;
    let all = scene.vessels("").await;
    assert_eq!(ids(&all), ["v-1", "v-2", "v-8", "v-3"]);
    let worst = &all[0];
    assert_eq!(
        (&worst["rejected"], &worst["equipmentMissing"], &worst["standing"]),
        (&json!(2), &json!(1), &json!("active")),
        "{worst}"
    );
    assert_eq!((&all[1]["deadLetters"], &all[1]["rejected"]), (&json!(1), &json!(0)));
    assert_eq!((&all[2]["standing"], &all[2]["deadLetters"]), (&json!("never_came"), &json!(1)));
    assert_eq!(ids(&scene.vessels("?troubled=true").await), ["v-1", "v-2", "v-8"]);
    assert_eq!(ids(&scene.vessels("?troubled=true&limit=1&offset=1").await), ["v-2"]);
    assert_eq!(ids(&scene.vessels("?troubled=true&company=c-1").await), ["v-1", "v-2"]);
    scene.json(scene.get("/api/sync/vessels?company=nobody"), 404).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn known_rejection_needs_no_attention_until_something_else_is_wrong() -> anyhow::Result<()> {
    let scene = fleet().await?;
    let until = "2999-01-01T00:00:00Z";
    let problem = scene.acknowledge(&json!({ "reason": " ", "until": until }), 422).await;
    let pointers: Vec<_> =
        problem["errors"].as_array().expect("errors").iter().map(|it| &it["pointer"]).collect();
    assert_eq!(pointers, ["#/reason", "#/until"]);

    let soon = SystemClock.now() + chrono::TimeDelta::days(3);
    let known = json!({ "reason": "the yard answers on Monday", "until": soon });
    let problem = scene.acknowledge(&known, 409).await;
    assert_eq!(problem["code"], "not_rejected");

    scene.world.execute(&reject("e-1", "v-1", "required")).await?;
    assert_eq!(scene.attention().await, ["1 record is rejected"]);
    let acknowledged = scene.acknowledge(&known, 200).await;
    assert_eq!((&acknowledged["holds"], &acknowledged["acknowledgedBy"]), (&json!(true), &json!("anna")));
    assert_eq!(scene.attention().await, [""; 0]);
    let overview = scene.json(scene.get("/api/sync/status"), 200).await;
    assert_eq!(overview["acknowledgedRejections"], 1);
    assert_eq!(scene.vessels("?troubled=true").await, [] as [Value; 0]);
    let rejected = |query: &'static str| {
        let path = format!("/api/sync/records/equipment?status=rejected&acknowledged={query}");
        let request = scene.get(&path);
        async { scene.json(request, 200).await["pagination"]["total"].clone() }
    };
    assert_eq!((rejected("true").await, rejected("false").await), (json!(1), json!(0)));
    scene.json(scene.get("/api/sync/records/equipment?acknowledged=true"), 422).await;

    // Another error: what was known does not cover it.
    scene.world.execute(&reject("e-1", "v-1", "too_long")).await?;
    assert_eq!(scene.attention().await, ["1 record is rejected"]);
    let record = scene.json(scene.get("/api/sync/records/equipment/e-1"), 200).await;
    assert_eq!(record["acknowledgement"]["holds"], false, "{record}");
    scene.world.execute("DELETE FROM record_findings WHERE code = 'too_long'").await?;
    assert_eq!(scene.attention().await, [""; 0]);

    // Another value at the same place, as where the first of a list was mended and another one came first.
    scene.world.execute("UPDATE record_findings SET value = 'another' WHERE source_id = 'e-1'").await?;
    assert_eq!(scene.attention().await, ["1 record is rejected"]);

    // What the operator has not seen is not acknowledged.
    let seen = |code: &str| {
        let errors = [json!({ "code": code, "pointer": "/name" })];
        json!({ "reason": "known", "until": soon, "errors": errors })
    };
    assert_eq!(scene.acknowledge(&seen("too_long"), 409).await["code"], "other_errors_stand");
    assert_eq!(scene.attention().await, ["1 record is rejected"]);
    scene.acknowledge(&seen("required"), 200).await;
    assert_eq!(scene.attention().await, [""; 0]);

    // Its time has come.
    scene.world.execute("UPDATE acknowledgements SET until = now() - interval '1 second'").await?;
    assert_eq!(scene.attention().await, ["1 record is rejected"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgement_ends_with_the_rejection_and_by_an_operators_word() -> anyhow::Result<()> {
    let scene = fleet().await?;
    let known = json!({ "reason": "known", "until": SystemClock.now() + chrono::TimeDelta::days(3) });
    scene.world.execute(&reject("e-1", "v-1", "required")).await?;
    scene.acknowledge(&known, 200).await;
    // As a page does it that brings another rejected state: the same error, written anew in one statement.
    let anew = reject("e-1", "v-1", "required");
    scene
        .world
        .execute(&format!("WITH gone AS (DELETE FROM record_findings WHERE source_id = 'e-1') {anew}"))
        .await?;
    assert_eq!(scene.attention().await, [""; 0], "the rejection has not ended");
    scene.world.execute("DELETE FROM record_findings WHERE source_id = 'e-1'").await?;
    scene.world.execute(&anew).await?;
    assert_eq!(scene.attention().await, ["1 record is rejected"], "rejected anew after it was accepted");

    scene.acknowledge(&known, 200).await;
    let withdraw = || scene.request(Role::Operator, Method::DELETE, KNOWN);
    assert_eq!(withdraw().send().await?.status(), 204);
    assert_eq!(scene.json(withdraw(), 404).await["code"], "not_acknowledged");
    assert_eq!(scene.attention().await, ["1 record is rejected"]);
    let audit = scene
        .rows("SELECT action, subject FROM audit WHERE subject = 'equipment e-1' ORDER BY id DESC LIMIT 2")
        .await;
    assert_eq!(
        audit,
        [
            json!({ "action": "acknowledgement.withdraw", "subject": "equipment e-1" }),
            json!({ "action": "rejection.acknowledge", "subject": "equipment e-1" })
        ]
    );
    let refused = scene.request(Role::Viewer, Method::PUT, KNOWN).json(&known);
    scene.json(refused, 403).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgement_waits_for_a_correction_that_is_under_way() -> anyhow::Result<()> {
    let scene = fleet().await?;
    scene.world.execute(&reject("e-1", "v-1", "required")).await?;
    // A page that brings the corrected record, and has not committed.
    let url = scene.world.database_url.clone();
    let correction = tokio::spawn(async move {
        let correct =
            "BEGIN; DELETE FROM record_findings WHERE source_id = 'e-1'; SELECT pg_sleep(1); COMMIT";
        World::execute_at(&url, correct).await
    });
    wait_until(
        "the correction is under way, or done on a slow machine",
        Duration::from_secs(30),
        async || {
            let sql = "SELECT 1 WHERE NOT EXISTS (SELECT FROM record_findings WHERE source_id = 'e-1')
                       OR EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                           AND query LIKE '%pg_sleep(1)%' AND wait_event = 'PgSleep')";
            if scene.rows(sql).await.is_empty() { Err(()) } else { Ok(()) }
        },
    )
    .await?;
    let known = json!({ "reason": "known", "until": SystemClock.now() + chrono::TimeDelta::days(3) });
    assert_eq!(scene.acknowledge(&known, 409).await["code"], "not_rejected");
    correction.await??;
    assert_eq!(scene.rows("SELECT source_id FROM acknowledgements").await, [] as [Value; 0]);
    let overview = scene.json(scene.get("/api/sync/status"), 200).await;
    assert_eq!(overview["acknowledgedRejections"], 0);
    scene.end().await;
    Ok(())
}
