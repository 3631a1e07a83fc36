//! The history of what operators configure.

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::Scene;

impl Scene {
    async fn changed(&self, query: &str) -> Vec<Value> {
        let page = self.json(self.get(&format!("/api/sync/settings/history{query}")), 200).await;
        page["data"].as_array().expect("a list").clone()
    }

    async fn change_settings(&self, body: Value) {
        let request = self.request(Role::Admin, Method::POST, "/api/sync/settings").json(&body);
        let version = self.get("/api/sync/settings").send().await.expect("settings");
        let etag = version.headers()["etag"].to_str().expect("a version").to_owned();
        self.json(request.header("if-match", &etag), 200).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn history_says_who_changed_what_with_the_values_before_and_after() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    assert_eq!(scene.changed("").await, [] as [Value; 0]);
    scene.change_settings(json!({ "pageSize": 200 })).await;
    scene.change_settings(json!({ "pageSize": 300, "scheduleCron": "0 4 * * *" })).await;
    let pause = scene.request(Role::Operator, Method::POST, "/api/sync/schedules/full-sync/pause");
    scene.json(pause.json(&json!({ "reason": "dry dock" })), 200).await;

    let all = scene.changed("").await;
    let parts: Vec<_> = all.iter().map(|it| it["part"].as_str().unwrap_or_default()).collect();
    assert_eq!(parts, ["schedules", "settings", "settings"]);
    assert_eq!(
        (&all[0]["schedule"], &all[0]["reason"], &all[0]["actor"]),
        (&json!("full-sync"), &json!("dry dock"), &json!("anna"))
    );
    let second = &all[1]["changes"];
    assert_eq!(second[0], json!({ "name": "pageSize", "before": 200, "after": 300 }), "{second}");
    assert_eq!((&second[1]["name"], &second[1]["after"]), (&json!("scheduleCron"), &json!("0 4 * * *")));

    let oldest = scene.changed("?part=settings&sort=oldest&limit=1").await;
    assert_eq!(oldest[0]["changes"][0]["after"], 200);
    assert_eq!(scene.changed("?schedule=full-sync").await.len(), 1);
    assert_eq!(scene.changed("?schedule=another").await.len(), 0);
    assert_eq!(scene.changed("?part=settings&part=role_mapping&actor=anna").await.len(), 2);
    scene.end().await;
    Ok(())
}
