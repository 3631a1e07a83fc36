//! Answers that are well formed and say something else than they should: twice the same, nothing of a number, another record.

use domain::{Mode, RecordType, Scope};
use serde_json::{Value, json};
use testbed::{Answer, List};

use crate::scene::Scene;

/// The small fleet, in both portals; what is missing is to be withdrawn.
async fn synced_fleet() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    scene
        .world
        .execute("UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = 50")
        .await?;
    scene.provider.small_fleet();
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    Ok(scene)
}

/// A page of users as they are listed, in this order.
fn users_page(scene: &Scene, ids: &[&str], total: u64) -> Answer {
    let listed =
        |id: &&str| scene.provider.listed(List::Users, id).and_then(|it| serde_json::from_slice(&it).ok());
    let data: Vec<Value> = ids.iter().filter_map(listed).collect();
    Answer::ok(json!({"data": data, "page": {"limit": 10, "total": total}}).to_string())
}

async fn user_status(scene: &Scene, id: &str) -> Value {
    scene.rows(&format!("SELECT status, active FROM users WHERE source_id = '{id}'")).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_is_listed_twice_does_not_stand_for_one_that_never_came() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    scene.provider.answer_next(List::Users, users_page(&scene, &["u-1", "u-2", "u-1"], 3));
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed_with_errors", "{sync}");
    let failure = sync["failure"].as_str().unwrap_or_default();
    assert!(failure.contains("announced 3 users, and 3 were read, 1 of them more than once"), "{failure}");
    assert_eq!(user_status(&scene, "u-3").await, json!({"status": "active", "active": true}));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_missing_from_a_list_without_a_number_stays() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    scene.provider.forget("u-3");
    scene.provider.announce(List::Users, Value::Null);
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["missing_records"], "unverified", "{sync}");
    assert_eq!(user_status(&scene, "u-3").await, json!({"status": "active", "active": true}));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn deactivation_of_a_user_who_was_missing_brings_no_access_back() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    let listed = scene.provider.listed(List::Users, "u-1").unwrap_or_default();
    scene.provider.forget("u-1");
    let id = scene.full_sync().await?;
    scene.ended(id).await?;
    assert_eq!(user_status(&scene, "u-1").await["status"], "withdrawn");
    scene.world.execute("UPDATE users SET employee_number = '77' WHERE source_id = 'u-1'").await?;
    scene.provider.put_raw(List::Users, "u-1", listed);
    scene.provider.put_user("u-1", json!({"active": false, "updatedAt": "2026-05-01T00:00:01Z"}));
    let event = scene.webhook("user.deactivated", RecordType::User, "u-1").await?;
    scene.event_state(event.id, "processed").await?;
    assert_eq!(user_status(&scene, "u-1").await["status"], "withdrawn");
    let id = scene.full_sync().await?;
    scene.ended(id).await?;
    assert_eq!(scene.number("user_access WHERE source_id = 'u-1' AND may_sign_in").await, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_about_another_record_does_not_use_up_its_event() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let vessel = scene.provider.listed(List::Vessels, "v-1").unwrap_or_default();
    let vessel: Value = serde_json::from_slice(&vessel)?;
    let other = json!({"vessel": vessel, "equipment": [], "users": [], "asOf": "2026-05-01T00:00:00Z"});
    scene.provider.answer_next(List::Export, Answer::ok(other.to_string()));
    let event = scene.webhook("vessel.approved", RecordType::Vessel, "v-2").await?;
    scene.event_state(event.id, "processed").await?;
    assert_eq!(scene.number("vessels WHERE source_id = 'v-2'").await, 1);

    let empty = json!({"data": [], "page": {"limit": 10, "total": 0}});
    scene.provider.answer_next(List::Vessels, Answer::ok(empty.to_string()));
    scene.provider.put_vessel(
        "v-2",
        json!({"company": {"id": "c-1", "name": "Renamed", "country": "NO",
                                                         "updatedAt": "2026-02-01T00:00:00Z"}}),
    );
    let event = scene.webhook("company.approved", RecordType::Company, "c-1").await?;
    scene.event_state(event.id, "processed").await?;
    assert_eq!(scene.rows("SELECT name FROM companies").await, [json!({"name": "Renamed"})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_the_provider_cannot_stand_costs_no_event_beside_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.answer_next(List::Users, Answer::status(400));
    let events = scene.webhooks("user.approved", RecordType::User, &["u-1", "u-2"]).await?;
    for event in events {
        scene.event_state(event.id, "processed").await?;
    }
    assert_eq!((scene.number("users").await, scene.number("dead_letters").await), (2, 0));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_date_withdraws_nothing_and_is_told_of() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    for (id, date) in [("u-1", "0001-01-01T00:00:00Z"), ("u-2", "1970-01-01T00:00:00Z")] {
        scene.provider.put_user(id, json!({"withdrawnAt": date, "updatedAt": "2026-05-02T00:00:00Z"}));
    }
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors");
    let found = scene.rows("SELECT source_id, code, pointer FROM findings ORDER BY source_id").await;
    let finding = |id| json!({"source_id": id, "code": "out_of_range", "pointer": "/withdrawnAt"});
    assert_eq!(found, [finding("u-1"), finding("u-2")]);
    assert_eq!(scene.number("users WHERE status = 'active'").await, 3);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_without_an_id_is_not_forgotten_by_an_incremental_sync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_raw(List::Users, "u-4", r#"{"email": "user4@example.com"}"#);
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors");
    let id = scene.sync(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors", "it looks at all of it again");
    scene.end().await;
    Ok(())
}
