//! Entering and changing records.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testbed::{World, wait_until};

use crate::rig::{PATIENCE, Rig, company, equipment, noon, user, vessel};

fn version(receipt: &Value) -> DateTime<Utc> {
    receipt["updatedAt"].as_str().unwrap_or_default().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn vessel_approval_approves_its_drafts_and_queues_one_webhook() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.enter([("vessels", vessel("v-2", "c-1", "9619907")), ("equipment", equipment("e-2", "v-2", 1))])
        .await?;
    let receipt = rig.post("/api/vessels/v-1/approve").await?;

    let states = rig.query("SELECT id, state FROM records ORDER BY id").await?;
    let approved = |id: &str| json!({"id": id, "state": "approved"});
    let draft = |id: &str| json!({"id": id, "state": "draft"});
    assert_eq!(
        states,
        [approved("c-1"), approved("e-1"), draft("e-2"), approved("u-1"), approved("v-1"), draft("v-2")]
    );
    let queued = rig
        .query("SELECT id, event_type, record_id, state, body::json AS body FROM webhook_messages")
        .await?;
    assert_eq!(queued.len(), 1);
    assert_eq!(queued[0]["id"], receipt["webhookId"]);
    assert_eq!(
        (&queued[0]["event_type"], &queued[0]["record_id"]),
        (&"vessel.approved".into(), &"v-1".into())
    );
    let data = &queued[0]["body"]["data"];
    assert_eq!((&data["id"], &data["imo"]), (&"v-1".into(), &"9074729".into()));
    assert_eq!(data["updatedAt"].as_str().context("a version")?.parse::<DateTime<Utc>>()?, version(&receipt));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_whose_webhook_cannot_be_queued_is_rolled_back() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.world
        .execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON webhook_messages FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await?;
    let failed = rig.ask(Method::POST, "/api/vessels/v-1/approve", None).await?;
    assert_eq!(
        (failed.status, &failed.body["code"]),
        (StatusCode::INTERNAL_SERVER_ERROR, &"internal_error".into())
    );
    assert_eq!(rig.query("SELECT 1 FROM records WHERE state <> 'draft'").await?.len(), 0);

    rig.world.execute("DROP TRIGGER refuse ON webhook_messages").await?;
    rig.post("/api/vessels/v-1/approve").await?;
    assert_eq!(rig.query("SELECT 1 FROM records WHERE state = 'approved'").await?.len(), 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_grow_while_the_clock_stands_or_goes_back() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    let mut last = version(&rig.post("/api/vessels/v-1/approve").await?);
    for name in ["Boreas", "Calypso", "Daphne"] {
        let changed = version(&rig.patch("/api/vessels/v-1", json!({"name": name})).await?);
        assert!(changed > last, "{changed} {last}");
        last = changed;
    }
    assert!(last - noon() < chrono::TimeDelta::milliseconds(1), "{last}");

    rig.world.execute("UPDATE versions SET latest = '2026-12-24T12:00:00Z'").await?;
    let later = version(&rig.patch("/api/vessels/v-1", json!({"name": "Eos"})).await?);
    assert_eq!(later, "2026-12-24T12:00:00.000001Z".parse::<DateTime<Utc>>()?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_waits_for_the_commit_of_the_one_before_it() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    // A change that has its version and does not commit yet.
    let slow = tokio_postgres(&rig.world).await?;
    slow.batch_execute("BEGIN; UPDATE versions SET latest = '2026-11-24T12:30:00Z'").await?;

    let approval = tokio::spawn({
        let request = rig.request(Method::POST, "/api/vessels/v-1/approve");
        async move { crate::rig::answer(request).await?.success() }
    });
    wait_until("the approval waits", PATIENCE, async || {
        let waiting = "SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE versions%'
                       AND datname = current_database()";
        match rig.query(waiting).await {
            Ok(rows) if rows.is_empty() => Err("nobody waits".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await?;
    assert_eq!(rig.listed("/api/sync/vessels").await?, [""; 0]);

    slow.batch_execute("COMMIT").await?;
    let receipt = approval.await??;
    assert_eq!(version(&receipt), "2026-11-24T12:30:00.000001Z".parse::<DateTime<Utc>>()?);
    Ok(())
}

async fn tokio_postgres(world: &World) -> anyhow::Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(&world.database_url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_merges_and_queues_a_webhook_unless_the_record_is_a_draft() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    let draft = rig.patch("/api/vessels/v-1", json!({"name": "Boreas"})).await?;
    assert_eq!(draft.get("webhookId"), None, "a draft has no webhook");
    rig.post("/api/vessels/v-1/approve").await?;

    rig.clock.advance(Duration::from_secs(60));
    let fields = json!({"specs": {"fuel": null, "tier": "Tier III"}, "location": "Engine room"});
    let receipt = rig.patch("/api/equipment/e-1", fields).await?;
    assert!(receipt["webhookId"].is_string());
    let page = rig.get("/api/sync/equipment?ids=e-1").await?;
    let record = &page["data"][0];
    assert_eq!(record["specs"], json!({"ratedPowerKw": 1200, "tier": "Tier III"}));
    assert_eq!(
        (&record["location"], &record["updatedAt"]),
        (&"Engine room".into(), &receipt["updatedAt"].clone())
    );
    assert_eq!(version(&receipt), noon() + chrono::TimeDelta::seconds(60));

    let mut events: Vec<String> = Vec::new();
    for row in rig.query("SELECT event_type FROM webhook_messages ORDER BY number").await? {
        events.push(row["event_type"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(events, ["vessel.approved", "equipment.updated"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_of_vessel_ids_moves_the_record_to_the_other_list() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.enter([("vessels", vessel("v-2", "c-1", "9619907"))]).await?;
    rig.post("/api/vessels/v-1/approve").await?;
    rig.patch("/api/users/u-1", json!({"vesselIds": ["v-2"]})).await?;
    assert_eq!(rig.listed("/api/sync/users?vesselId=v-1").await?, [""; 0]);
    assert_eq!(rig.listed("/api/sync/users?vesselId=v-2").await?, ["u-1"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_that_breaks_the_shape_is_refused_with_the_reason() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    for (fields, reason) in [
        (json!({"nmae": "Boreas"}), "unknown field `nmae`"),
        (json!({"grossTonnage": "large"}), "invalid type"),
        (json!({"imoNumber": null}), "missing field `imoNumber`"),
        (json!({"updatedAt": "2020-01-01T00:00:00Z"}), "unknown field `updatedAt`"),
        (json!({"id": "v-9"}), "cannot be changed"),
        (json!(["v-1"]), "expected struct Vessel"),
    ] {
        let refused = rig.ask(Method::PATCH, "/api/vessels/v-1", Some(&fields)).await?;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields}");
        let detail = refused.body["errors"][0]["detail"].as_str().context("a reason")?;
        assert!(detail.contains(reason), "{fields}: {detail}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn patch_with_wrong_values_of_the_right_shape_is_accepted() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.patch("/api/vessels/v-1", json!({"imoNumber": "9074728", "flag": "Atlantis"})).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn entered_record_with_a_taken_or_malformed_id_is_refused() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter([("companies", company("c-1"))]).await?;
    for (id, status) in [("c-1", StatusCode::CONFLICT), ("c/2", StatusCode::UNPROCESSABLE_ENTITY)] {
        let refused = rig.ask(Method::POST, "/api/companies", Some(&company(id))).await?;
        assert_eq!(refused.status, status, "{id}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_record_or_kind_is_not_found() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for (method, path) in [
        (Method::GET, "/api/ships"),
        (Method::GET, "/api/vessels/v-9"),
        (Method::POST, "/api/vessels/v-9/approve"),
        (Method::POST, "/api/vessels/v-9/withdraw"),
        (Method::PATCH, "/api/vessels/v-9"),
    ] {
        let missing = rig.ask(method, path, Some(&json!({}))).await?;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_the_state_does_not_allow_is_refused() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    let refused = async |method: Method, path: &str| {
        let answer = rig.ask(method, path, Some(&json!({}))).await?;
        anyhow::ensure!(answer.status == StatusCode::CONFLICT, "{path}: {} {}", answer.status, answer.body);
        anyhow::ensure!(answer.body["code"] == "not_in_this_state", "{}", answer.body);
        Ok(())
    };
    refused(Method::POST, "/api/vessels/v-1/withdraw").await?;
    refused(Method::POST, "/api/equipment/e-1/approve").await?;
    rig.post("/api/vessels/v-1/approve").await?;
    refused(Method::POST, "/api/companies/c-1/withdraw").await?;

    rig.post("/api/vessels/v-1/withdraw").await?;
    refused(Method::POST, "/api/vessels/v-1/withdraw").await?;
    refused(Method::PATCH, "/api/vessels/v-1").await?;
    rig.post("/api/companies/c-1/withdraw").await?;

    rig.post("/api/vessels/v-1/approve").await?;
    let page = rig.get("/api/sync/vessels").await?;
    assert_eq!(page["data"][0].get("withdrawnAt"), None, "the vessel is approved again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn browse_filters_records_by_state_vessel_and_company() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter_a_vessel().await?;
    rig.enter([("vessels", vessel("v-2", "c-1", "9619907")), ("users", user("u-2", &["v-2"]))]).await?;
    rig.post("/api/vessels/v-1/approve").await?;

    let ids = async |path: &str| {
        let page = rig.get(path).await?;
        let all = page["data"].as_array().context("a list")?;
        anyhow::Ok(all.iter().map(|stored| stored["record"]["id"].clone()).collect::<Vec<_>>())
    };
    assert_eq!(ids("/api/vessels?state=draft").await?, ["v-2"]);
    assert_eq!(ids("/api/vessels?state=approved").await?, ["v-1"]);
    assert_eq!(ids("/api/users?vesselId=v-2").await?, ["u-2"]);
    assert_eq!(ids("/api/vessels?companyId=c-1").await?, ["v-1", "v-2"]);
    let first = rig.get("/api/vessels?limit=1").await?;
    let next = first["nextCursor"].as_str().context("there are more")?;
    assert_eq!(ids(&format!("/api/vessels?limit=1&cursor={next}")).await?, ["v-2"]);

    let stored = rig.get("/api/vessels/v-2").await?;
    assert_eq!((&stored["state"], &stored["record"]["imoNumber"]), (&"draft".into(), &"9619907".into()));
    let refused = rig.ask(Method::GET, "/api/vessels?state=lost", None).await?;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    Ok(())
}
