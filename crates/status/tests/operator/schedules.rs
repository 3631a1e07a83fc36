//! Schedules: added, changed, paused, resumed and deleted over HTTP.

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{request::Request, scene::Scene};

const SCHEDULES: &str = "/api/sync/schedules";

impl Scene {
    fn put_schedule(&self, name: &str, version: Option<&Value>, body: &Value) -> Request {
        let request = self.request(Role::Admin, Method::PUT, &format!("{SCHEDULES}/{name}")).json(body);
        match version {
            Some(version) => request.header("if-match", format!("\"{version}\"")),
            None => request,
        }
    }

    fn post_schedule(&self, path: &str) -> Request {
        self.request(Role::Operator, Method::POST, &format!("{SCHEDULES}/{path}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schedule_is_added_replaced_and_deleted_by_its_version() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let body = json!({"cron": "*/15  * * * *", "timeZone": "Europe/Oslo", "mode": "incremental"});
    let added = scene.json(scene.put_schedule("often", None, &body), 201).await;
    assert_eq!((&added["name"], &added["version"]), (&json!("often"), &json!(1)));
    assert_eq!((&added["cron"], &added["overlap"]), (&json!("*/15 * * * *"), &json!("skip")));
    assert_eq!((&added["enabled"], &added["pause"]), (&json!(true), &Value::Null));
    assert_eq!(added["nextRunAt"], added["preview"]["nextRuns"][0]);
    assert_eq!(added["preview"]["clockChanges"].as_array().map(Vec::len), Some(2));

    scene.json(scene.put_schedule("often", None, &body), 428).await;
    scene.json(scene.put_schedule("never", Some(&json!(1)), &body), 412).await;
    let any = |name: &str| scene.put_schedule(name, None, &body).header("if-match", "*");
    scene.json(any("never"), 412).await;
    assert_eq!(scene.json(any("often"), 200).await["version"], 1);
    let same = scene.json(scene.put_schedule("often", Some(&json!(1)), &body), 200).await;
    assert_eq!(same["version"], 1, "the same definition makes no version");
    let rare = json!({"cron": "0 3 * * 0", "enabled": false});
    let replaced = scene.json(scene.put_schedule("often", Some(&json!(1)), &rare), 200).await;
    assert_eq!((&replaced["version"], &replaced["mode"]), (&json!(2), &json!("full")));
    assert_eq!((&replaced["timeZone"], &replaced["nextRunAt"]), (&json!("UTC"), &Value::Null));
    let stale = scene.json(scene.put_schedule("often", Some(&json!(1)), &body), 412).await;
    assert_eq!(stale["currentVersion"], 2);

    let list = scene.json(scene.get(SCHEDULES), 200).await;
    let names: Vec<_> = list["data"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["full-sync", "often"]);
    assert!(list["presets"].as_array().is_some_and(|presets| !presets.is_empty()));

    let delete = |name: &str| scene.request(Role::Admin, Method::DELETE, &format!("{SCHEDULES}/{name}"));
    scene.json(delete("often"), 428).await;
    scene.json(delete("often").header("if-match", "\"1\""), 412).await;
    scene.json(delete("full-sync").header("if-match", "\"1\""), 409).await;
    assert_eq!(delete("often").header("if-match", "\"2\"").send().await?.status(), 204);
    scene.json(scene.get(&format!("{SCHEDULES}/often")), 404).await;
    let actions = scene.rows("SELECT action, subject FROM audit ORDER BY id").await;
    let of = |action: &str| json!({"action": action, "subject": "schedule often"});
    assert_eq!(actions, [of("schedule.create"), of("schedule.update"), of("schedule.delete")]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_schedule_is_refused_with_all_that_is_wrong() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let body = json!({
        "cron": "0 40 * * *", "timeZone": "Mars/Olympus", "mode": "selective", "vesselImos": ["9074728"],
    });
    let problem = scene.json(scene.put_schedule("Nightly%20run", None, &body), 422).await;
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["#/name", "#/cron", "#/timeZone", "#/vesselImos/0"]);
    assert_eq!(errors[1]["detail"], "hour must be 0–23, got 40");
    let selective = json!({"cron": "0 2 * * *", "mode": "selective", "companyId": "c-1"});
    scene.json(scene.put_schedule("full-sync", Some(&json!(1)), &selective), 422).await;
    let of_types = json!({"cron": "0 2 * * *", "mode": "incremental", "recordTypes": ["vessel"]});
    scene.json(scene.put_schedule("full-sync", Some(&json!(1)), &of_types), 422).await;
    scene.json(scene.put_schedule("a", None, &json!({"cron": "0 2 * * *", "mode": "selective"})), 422).await;
    scene.json(scene.put_schedule("a", None, &json!({"cron": "0 2 * * *", "crom": "x"})), 422).await;
    scene.json(scene.get(&format!("{SCHEDULES}/a%00b")), 404).await;
    let viewer = scene.request(Role::Operator, Method::PUT, &format!("{SCHEDULES}/a"));
    scene.json(viewer.json(&json!({"cron": "0 2 * * *"})), 403).await;
    assert_eq!(scene.rows("SELECT name FROM schedules").await, [json!({"name": "full-sync"})]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_schedule_says_why_and_starts_nothing_until_it_is_resumed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.world.execute("UPDATE schedules SET enabled = true").await?;
    let pause = |body: Value| scene.post_schedule("full-sync/pause").json(&body);
    let past = scene.json(pause(json!({"reason": " ", "until": "2020-01-01T00:00:00Z"})), 422).await;
    assert_eq!(past["errors"].as_array().map(Vec::len), Some(2));
    let paused = scene.json(pause(json!({"reason": "the portal moves"})), 200).await;
    assert_eq!(
        (&paused["pause"]["reason"], &paused["pause"]["by"]),
        (&json!("the portal moves"), &json!("anna"))
    );
    assert_eq!((&paused["nextRunAt"], &paused["enabled"]), (&Value::Null, &json!(true)));
    let overview = scene.json(scene.get("/api/sync/status"), 200).await;
    assert_eq!(overview["nextScheduledAt"], Value::Null);
    let settings = scene.json(scene.get("/api/sync/settings"), 200).await;
    assert_eq!(settings["schedulePause"]["reason"], "the portal moves");
    assert_eq!(settings["version"], 2, "whoever has read the settings before is told");

    let until = json!({"reason": "docking", "until": "2999-01-01T00:00:00Z"});
    let extended = scene.json(pause(until), 200).await;
    assert_eq!(extended["pause"]["since"], paused["pause"]["since"]);
    assert!(extended["nextRunAt"].as_str().is_some_and(|at| at >= "2999"), "{extended}");

    let resumed = scene.json(scene.post_schedule("full-sync/resume"), 200).await;
    assert_eq!((&resumed["pause"], &resumed["version"]), (&Value::Null, &json!(4)));
    let again = scene.json(scene.post_schedule("full-sync/resume"), 200).await;
    assert_eq!(again["version"], 4, "it was not paused");
    scene.json(scene.post_schedule("nobody/resume"), 404).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_have_a_limit() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .world
        .execute(
            "INSERT INTO schedules (name, enabled, cron) SELECT 's-' || n, false, '0 2 * * *' FROM generate_series(1, 99) n",
        )
        .await?;
    let body = json!({"cron": "0 2 * * *"});
    let problem = scene.json(scene.put_schedule("one-more", None, &body), 409).await;
    assert_eq!(problem["code"], "too_many_schedules");
    scene.end().await;
    Ok(())
}
