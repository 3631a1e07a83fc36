//! Conflicts, decided over HTTP, and what the next sync makes of them.

use chassis::auth::Role;
use domain::Outcome;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{Records, Scene, day, equipment, merged, vessel};

fn fleet() -> Records {
    Records {
        vessels: vec![vessel("v-1", "9074729", "Nordic Star"), vessel("v-2", "9619907", "Baltic Trader")],
        equipment: vec![
            equipment("e-1", "v-1", json!({"maker": "MAN"})),
            equipment("e-2", "v-2", json!({"qrCode": "ACME-000001"})),
        ],
        ..Records::default()
    }
}

impl Scene {
    async fn conflicts(&self, query: &str) -> Vec<Value> {
        let list = self.json(self.get(&format!("/api/sync/conflicts?{query}")), 200).await;
        list["data"].as_array().expect("a list").clone()
    }

    async fn resolve(&self, conflict: &Value, how: Value, status: u16) -> Value {
        let id = conflict["id"].as_str().expect("an id");
        let path = format!("/api/sync/conflicts/{id}/resolve");
        self.json(self.request(Role::Operator, Method::POST, &path).json(&how), status).await
    }

    async fn policy(&self, change: Value) -> Value {
        let path = "/api/sync/conflicts/policies";
        let now = self.get(path).send().await.expect("an answer");
        let tag = now.headers()["etag"].clone();
        let change = self.request(Role::Admin, Method::PUT, path).header("if-match", tag).json(&change);
        self.json(change, 200).await
    }

    async fn outcome(&self, records: &Records) -> anyhow::Result<Outcome> {
        let (_, applied) = self.sync(records).await?;
        Ok(applied.last().expect("a record").outcome)
    }
}

fn one(vessel: Value) -> Records {
    Records { vessels: vec![vessel], ..Records::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_edit_stays_until_an_operator_decides_and_then_for_good() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.sync(&fleet()).await?;
    scene
        .world
        .execute("UPDATE vessels SET name = 'Nordic Star II', flag = 'PA' WHERE source_id = 'v-1'")
        .await?;
    // The edit is of now, and so newer than the second of May.
    let change = json!({"name": "Nordic Sun", "portOfRegistry": "Oslo", "updatedAt": day(2)});
    let incoming = one(merged(vessel("v-1", "9074729", "x"), change));
    assert_eq!(scene.outcome(&incoming).await?, Outcome::Conflict);
    assert_eq!(scene.outcome(&incoming).await?, Outcome::Conflict, "nobody has decided yet");

    let open = scene.conflicts("state=open").await;
    assert_eq!(open.len(), 1, "the same two versions are one conflict");
    let it = &open[0];
    assert_eq!(
        (&it["kind"], &it["winner"], &it["policy"]),
        (&json!("local_newer"), &json!("local"), &json!("last_write_wins"))
    );
    assert_eq!(it["fields"]["name"], json!({"local": "Nordic Star II", "source": "Nordic Sun"}));
    assert_eq!(it["fields"].as_object().expect("fields").len(), 3, "what the sides agree about is left out");
    assert_eq!(
        (&it["localWriter"], &it["label"]),
        (&json!("maintenance"), &json!("Nordic Sun (IMO 9074729)"))
    );

    // Viewers look; a field that is none is named; then field by field.
    let path = format!("/api/sync/conflicts/{}/resolve", it["id"].as_str().expect("an id"));
    let by_viewer = scene.request(Role::Viewer, Method::POST, &path).json(&json!({"resolution": "local"}));
    scene.json(by_viewer, 403).await;
    scene.resolve(it, json!({"resolution": "fields", "fields": {"nonsense": "local"}}), 422).await;
    scene.resolve(it, json!({"resolution": "fields"}), 422).await;
    let fields = json!({"name": "source", "flag": "local"});
    let resolved = scene.resolve(it, json!({"resolution": "fields", "fields": fields}), 200).await;
    assert_eq!((&resolved["state"], &resolved["resolvedBy"]), (&json!("resolved"), &json!("anna")));
    assert_eq!(resolved["resolvedFields"], fields);
    let row = scene.rows("SELECT name, flag, port_of_registry FROM vessels WHERE source_id = 'v-1'").await;
    assert_eq!(row, [json!({"name": "Nordic Sun", "flag": "PA", "port_of_registry": null})]);
    let again = scene.resolve(it, json!({"resolution": "keep"}), 409).await;
    assert_eq!(again["code"], "conflict_resolved");

    // The same version again is nothing new; a newer one is a conflict of its own.
    assert_eq!(scene.outcome(&incoming).await?, Outcome::Unchanged);
    assert_eq!(scene.conflicts("state=open").await.len(), 0);
    let audit = scene.rows("SELECT actor, detail FROM audit WHERE action = 'conflict.resolve'").await;
    assert_eq!((audit.len(), &audit[0]["actor"]), (1, &json!("anna")));
    assert_eq!(audit[0]["detail"]["fields"], fields);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_policy_does_what_it_says_and_holds_for_its_kind_of_record() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.sync(&fleet()).await?;
    let name =
        || async { scene.rows("SELECT name FROM vessels WHERE source_id = 'v-1'").await[0]["name"].clone() };
    let version =
        |name: &str, at: u32| one(merged(vessel("v-1", "9074729", name), json!({"updatedAt": day(at)})));
    let edit = "UPDATE vessels SET name = 'By hand' WHERE source_id = 'v-1'";

    // Without If-Match, or with an old one, nothing changes.
    let path = "/api/sync/conflicts/policies";
    let change = json!({"vessel": "source_wins"});
    scene.json(scene.request(Role::Admin, Method::PUT, path).json(&change), 428).await;
    let stale = scene.request(Role::Admin, Method::PUT, path).header("if-match", "\"77\"").json(&change);
    scene.json(stale, 412).await;
    let operator = scene.request(Role::Operator, Method::PUT, path).header("if-match", "\"1\"").json(&change);
    scene.json(operator, 403).await;
    let policies = scene.policy(change).await;
    assert_eq!(
        (&policies["vessel"], &policies["equipment"]),
        (&json!("source_wins"), &json!("last_write_wins"))
    );
    assert_eq!(policies["version"], 2);

    // The onboarding portal's news wins against a newer edit, which is kept; an old state is no news.
    scene.world.execute(edit).await?;
    assert_eq!(scene.outcome(&version("From source", 2)).await?, Outcome::Updated);
    assert_eq!(name().await, "From source");
    let kept = scene.conflicts("kind=local_newer").await;
    assert_eq!(
        (&kept[0]["winner"], &kept[0]["fields"]["name"]["local"]),
        (&json!("source"), &json!("By hand"))
    );
    scene.world.execute(edit).await?;
    assert_eq!(scene.outcome(&version("Nordic Star", 1)).await?, Outcome::Skipped);
    assert_eq!(name().await, "By hand");

    // Manual: a newer version of the onboarding portal waits, too.
    scene.policy(json!({"vessel": "manual"})).await;
    scene
        .world
        .execute("UPDATE vessels SET synced_at = synced_at + interval '1 second', version_at = '2026-05-03T00:00:00Z'")
        .await?;
    assert_eq!(scene.outcome(&version("Held", 4)).await?, Outcome::Conflict);
    assert_eq!(name().await, "By hand");
    let held = scene.conflicts("state=open&kind=source_newer").await;
    assert_eq!((&held[0]["winner"], &held[0]["policy"]), (&json!("local"), &json!("manual")));
    scene.resolve(&held[0], json!({"resolution": "source"}), 200).await;
    assert_eq!(name().await, "Held");
    assert_eq!(scene.outcome(&version("Held", 4)).await?, Outcome::Unchanged);
    assert_eq!(
        scene.outcome(&version("Later", 5)).await?,
        Outcome::Updated,
        "no edit is in the way any more"
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn critical_equipment_loses_its_criticality_by_an_operators_word_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.sync(&fleet()).await?;
    let downgrade = |at: u32| Records {
        equipment: vec![equipment(
            "e-1",
            "v-1",
            json!({"isCritical": false, "criticalityBasis": null, "maker": format!("Maker {at}"), "updatedAt": day(at)}),
        )],
        ..Records::default()
    };
    let row = || async {
        scene
            .rows("SELECT is_critical, criticality_basis, maker FROM equipment WHERE source_id = 'e-1'")
            .await
            .remove(0)
    };
    assert_eq!(scene.outcome(&downgrade(2)).await?, Outcome::Conflict);
    assert_eq!(
        row().await,
        json!({"is_critical": true, "criticality_basis": "ism_10_3", "maker": "Maker 2"})
    );
    let open = scene.conflicts("kind=criticality_downgrade").await;
    assert_eq!(open[0]["fields"]["is_critical"], json!({"local": true, "source": false}));

    scene.resolve(&open[0], json!({"resolution": "source"}), 200).await;
    assert_eq!(row().await, json!({"is_critical": false, "criticality_basis": null, "maker": "Maker 2"}));
    assert_eq!(scene.outcome(&downgrade(2)).await?, Outcome::Unchanged);
    assert_eq!(
        scene.outcome(&downgrade(3)).await?,
        Outcome::Updated,
        "it is no edit of the maintenance portal"
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_of_another_equipment_is_a_conflict_that_can_be_decided_either_way() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.sync(&fleet()).await?;
    let newcomer = Records {
        equipment: vec![
            equipment("e-3", "v-1", json!({"qrCode": "acme-000001"})),
            equipment("e-4", "v-1", json!({"qrCode": "ACME-000004"})),
        ],
        ..Records::default()
    };
    let (_, applied) = scene.sync(&newcomer).await?;
    let outcomes: Vec<_> = applied.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [Outcome::Conflict, Outcome::Created]);
    let code = |id: &'static str| {
        let scene = &scene;
        async move {
            let sql = format!("SELECT qr_code, qr_label_state FROM equipment WHERE source_id = '{id}'");
            scene.rows(&sql).await[0]["qr_code"].as_str().expect("a code").to_owned()
        }
    };
    assert_eq!(code("e-2").await, "ACME-000001", "who has it keeps it");
    assert!(code("e-3").await.starts_with("SMS-"), "and the other goes in all the same");

    let open = scene.conflicts("kind=natural_key").await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["fields"]["holder"]["source"], "e-2");
    scene.resolve(&open[0], json!({"resolution": "source"}), 200).await;
    assert_eq!(code("e-3").await, "ACME-000001");
    assert!(code("e-2").await.starts_with("SMS-"), "the one that had it needs a new label");
    let (_, applied) = scene.sync(&newcomer).await?;
    assert!(applied.iter().all(|it| it.outcome == Outcome::Unchanged), "{applied:?}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_conflicts_are_resolved_at_once_and_each_stands_for_itself() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.sync(&fleet()).await?;
    scene.world.execute("UPDATE vessels SET name = name || ' by hand'").await?;
    let change = json!({"portOfRegistry": "Oslo", "updatedAt": day(2)});
    let records = Records {
        vessels: vec![
            merged(vessel("v-1", "9074729", "Nordic Star"), change.clone()),
            merged(vessel("v-2", "9619907", "Baltic Trader"), change),
        ],
        ..Records::default()
    };
    let (sync, _) = scene.sync(&records).await?;
    // Somebody edits one of them again before the decision.
    scene.world.execute("UPDATE vessels SET name = 'Once more' WHERE source_id = 'v-2'").await?;
    let path = "/api/sync/conflicts/resolve";
    let unclear = scene.request(Role::Operator, Method::POST, path).json(&json!({"resolution": "source"}));
    scene.json(unclear, 422).await;
    let all = json!({"resolution": "source", "syncId": sync.to_string()});
    let answer = scene.json(scene.request(Role::Operator, Method::POST, path).json(&all), 200).await;
    assert_eq!(answer["resolved"], 1);
    assert_eq!(answer["refused"][0]["code"], "record_changed");
    let names = scene.rows("SELECT name, port_of_registry AS port FROM vessels ORDER BY source_id").await;
    assert_eq!(
        names,
        [json!({"name": "Nordic Star", "port": "Oslo"}), json!({"name": "Once more", "port": null})]
    );
    let keep = json!({"resolution": "keep", "syncId": sync.to_string()});
    let answer = scene.json(scene.request(Role::Operator, Method::POST, path).json(&keep), 200).await;
    assert_eq!(answer["resolved"], 1);
    let (_, applied) = scene.sync(&records).await?;
    let mut vessels = applied.iter().filter(|it| it.source_id.as_str().starts_with("v-"));
    assert!(vessels.all(|it| it.outcome == Outcome::Unchanged), "{applied:?}");
    scene.end().await;
    Ok(())
}
