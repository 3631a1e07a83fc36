//! Conflicts and their policies over HTTP. What a sync makes of them, and what a resolution writes, is the store's: see its
//! tests.

use chassis::auth::Role;
use domain::Outcome;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{Records, Scene, day, equipment, merged, vessel};

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

/// A vessel and a user that were edited here and then withdrawn in the onboarding portal at an earlier time.
async fn withdrawn_after_edits() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    let user = json!({
        "id": "u-1", "email": "anna.berg@example.com", "givenName": "Anna", "familyName": "Berg",
        "rank": "master", "department": "deck", "workplace": "ship", "vesselIds": ["v-1"], "active": true,
        "updatedAt": day(1)
    });
    scene.sync(&Records { users: vec![user.clone()], ..fleet() }).await?;
    scene.world.execute("UPDATE vessels SET name = name || ' by hand' WHERE source_id = 'v-1'").await?;
    scene.world.execute("UPDATE users SET given_name = 'Ann'").await?;
    let tombstone = json!({"updatedAt": day(2), "withdrawnAt": day(2)});
    let deactivated = json!({"updatedAt": day(2), "active": false});
    let records = Records {
        vessels: vec![merged(vessel("v-1", "9074729", "Nordic Star"), tombstone)],
        users: vec![merged(user, deactivated)],
        ..Records::default()
    };
    scene.sync(&records).await?;
    Ok(scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_says_that_one_side_is_a_withdrawal_and_what_a_resolution_by_it_does() -> anyhow::Result<()>
{
    let scene = withdrawn_after_edits().await?;
    let vessel = scene.conflicts("recordType=vessel").await.remove(0);
    assert_eq!(vessel["withdrawal"], json!({"side": "source", "withdrawn": "approval"}));
    let summary =
        "The onboarding portal has withdrawn this vessel, which was edited in the maintenance portal.";
    assert_eq!(vessel["summary"], summary);
    assert_eq!(vessel["sourceEffect"], "Withdraws the vessel in the maintenance portal.");
    assert_eq!(vessel["fields"]["status"], json!({"local": "active", "source": "withdrawn"}));

    let user = scene.conflicts("recordType=user").await.remove(0);
    assert_eq!(user["withdrawal"], json!({"side": "source", "withdrawn": "access"}));
    assert_eq!(user["sourceEffect"], "Locks the user out: the user can no longer sign in.");
    assert_eq!(user["localEffect"], "The user is active, and can sign in.");
    let fields = user["fields"].as_object().expect("fields");
    assert!(!fields.contains_key("role_mapping_version"), "bookkeeping is no field: {fields:?}");

    scene.resolve(&vessel, json!({"resolution": "source"}), 200).await;
    scene.resolve(&user, json!({"resolution": "source"}), 200).await;
    let rows = scene.rows("SELECT status FROM vessels WHERE source_id = 'v-1'").await;
    assert_eq!(rows, [json!({"status": "withdrawn"})]);
    let rows = scene.rows("SELECT may_sign_in FROM user_access").await;
    assert_eq!(rows, [json!({"may_sign_in": false})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_of_a_code_names_the_equipment_whose_label_has_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let label = json!({"qrCode": "ACME-000001"});
    let pump = json!({"qrCode": "ACME-000001", "code": "602.001", "name": "Pump"});
    scene.sync(&fleet()).await?;
    let engine = vec![equipment("e-1", "v-1", label)];
    scene.sync(&Records { equipment: engine, ..Records::default() }).await?;
    let pump = vec![equipment("e-2", "v-1", pump)];
    scene.sync(&Records { equipment: pump, ..Records::default() }).await?;
    let it = scene.conflicts("kind=natural_key").await.remove(0);
    assert_eq!(
        it["summary"],
        "The code ACME-000001 is on the label of 601.001/1 Main engine of Nordic Star. The onboarding portal gives it to \
         this equipment."
    );
    assert_eq!(it["holderSourceId"], "e-1");
    let fields: Vec<_> = it["fields"].as_object().expect("fields").keys().collect();
    assert_eq!(fields, ["qr_code"], "the holder is no field");
    let effect = it["sourceEffect"].as_str().expect("an effect");
    assert!(effect.contains("Main engine of Nordic Star gets another code"), "{effect}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn open_conflicts_stay_on_the_overview_whichever_sync_found_them() -> anyhow::Result<()> {
    let (scene, it) = edited_vessel().await?;
    // A later sync without conflicts.
    scene.sync(&Records { vessels: vec![vessel("v-3", "9321483", "Third")], ..Records::default() }).await?;
    let overview = scene.overview().await;
    assert_eq!(overview["openConflicts"], 1);
    let attention = overview["attention"].as_array().expect("a list");
    let found = attention.iter().find(|it| it["code"] == "open_conflicts").expect("conflicts need attention");
    assert_eq!((&found["urgency"], &found["message"]), (&json!("warning"), &json!("1 conflict is open")));
    scene.resolve(&it, json!({"resolution": "keep"}), 200).await;
    let overview = scene.overview().await;
    assert_eq!((&overview["openConflicts"], &overview["attention"]), (&json!(0), &json!([])));
    scene.end().await;
    Ok(())
}
