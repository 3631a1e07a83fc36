//! Conflicts and their policies over HTTP. What a sync makes of them, and what a resolution writes, is the store's: see its
//! tests.

use chassis::auth::Role;
use domain::Outcome;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{Records, Scene, day, merged, vessel};

const POLICIES: &str = "/api/sync/conflicts/policies";

fn fleet() -> Records {
    Records {
        vessels: vec![vessel("v-1", "9074729", "Nordic Star"), vessel("v-2", "9619907", "Baltic Trader")],
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
}

/// A vessel that was edited here and has changed in the onboarding portal, and the open conflict about it.
async fn edited_vessel() -> anyhow::Result<(Scene, Value)> {
    let scene = Scene::new().await?;
    scene.sync(&fleet()).await?;
    let edit = "UPDATE vessels SET name = 'Nordic Star II', flag = 'PA' WHERE source_id = 'v-1'";
    scene.world.execute(edit).await?;
    // The edit is of now, and so newer than the second of May.
    let change = json!({"name": "Nordic Sun", "portOfRegistry": "Oslo", "updatedAt": day(2)});
    let incoming =
        Records { vessels: vec![merged(vessel("v-1", "9074729", "x"), change)], ..Records::default() };
    scene.sync(&incoming).await?;
    let mut open = scene.conflicts("state=open").await;
    assert_eq!(open.len(), 1, "{open:?}");
    Ok((scene, open.remove(0)))
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_shows_the_fields_that_differ_with_both_sides() -> anyhow::Result<()> {
    let (scene, it) = edited_vessel().await?;
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
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_is_resolved_field_by_field_once() -> anyhow::Result<()> {
    let (scene, it) = edited_vessel().await?;
    let fields = json!({"name": "source", "flag": "local"});
    let resolved = scene.resolve(&it, json!({"resolution": "fields", "fields": fields}), 200).await;
    assert_eq!((&resolved["state"], &resolved["resolvedBy"]), (&json!("resolved"), &json!("anna")));
    assert_eq!(resolved["resolvedFields"], fields);
    let row = scene.rows("SELECT name, flag FROM vessels WHERE source_id = 'v-1'").await;
    assert_eq!(row, [json!({"name": "Nordic Sun", "flag": "PA"})]);
    let again = scene.resolve(&it, json!({"resolution": "keep"}), 409).await;
    assert_eq!(again["code"], "conflict_resolved");
    assert_eq!(scene.conflicts("state=open").await.len(), 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resolution_that_is_unclear_or_by_a_viewer_is_refused() -> anyhow::Result<()> {
    let (scene, it) = edited_vessel().await?;
    let path = format!("/api/sync/conflicts/{}/resolve", it["id"].as_str().expect("an id"));
    let by_viewer = scene.request(Role::Viewer, Method::POST, &path).json(&json!({"resolution": "local"}));
    scene.json(by_viewer, 403).await;
    scene.resolve(&it, json!({"resolution": "fields", "fields": {"nonsense": "local"}}), 422).await;
    scene.resolve(&it, json!({"resolution": "fields"}), 422).await;
    assert_eq!(scene.conflicts("state=open").await.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_change_by_an_admin_who_has_seen_the_present_ones() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let change = json!({"vessel": "source_wins"});
    scene.json(scene.request(Role::Admin, Method::PUT, POLICIES).json(&change), 428).await;
    let stale = scene.request(Role::Admin, Method::PUT, POLICIES).header("if-match", "\"77\"").json(&change);
    scene.json(stale, 412).await;
    let operator = scene.request(Role::Operator, Method::PUT, POLICIES).header("if-match", "\"1\"");
    scene.json(operator.json(&change), 403).await;

    let now = scene.get(POLICIES).send().await.expect("an answer");
    let tag = now.headers()["etag"].clone();
    let change = scene.request(Role::Admin, Method::PUT, POLICIES).header("if-match", tag).json(&change);
    let policies = scene.json(change, 200).await;
    assert_eq!(
        (&policies["vessel"], &policies["equipment"], &policies["version"]),
        (&json!("source_wins"), &json!("last_write_wins"), &json!(2))
    );
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
