//! Changes that change nothing: no version, no entry in the audit log.

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::Scene;

impl Scene {
    /// Sends what is in force already, and again under an outdated version.
    async fn assert_nothing_changes(&self, method: Method, path: &str, body: Value) -> anyhow::Result<()> {
        let state = async || {
            let answer = self.get(path).send().await?;
            let tag = answer.headers()["etag"].to_str()?.to_owned();
            anyhow::Ok((tag, answer.json::<Value>().await?))
        };
        let before = state().await?;
        let change =
            |tag: &str| self.request(Role::Admin, method.clone(), path).header("if-match", tag).json(&body);
        let answer = change(&before.0).send().await?;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["etag"]),
            (200, &before.0.parse()?),
            "{path}"
        );
        self.json(change("\"77\""), 412).await;
        assert_eq!(state().await?, before, "{path}");
        assert_eq!(self.rows("SELECT action FROM audit").await, Vec::<Value>::new(), "{path}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn change_to_the_present_values_makes_no_version_and_no_audit_entry() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let settings = scene.json(scene.get("/api/sync/settings"), 200).await;
    let names = [
        "pageSize",
        "retryDelaysMs",
        "incrementalOverlapSeconds",
        "missingRecords",
        "scheduleMode",
        "deactivationLimitPercent",
        "enableScheduledSync",
        "scheduleCron",
        "scheduleTimeZone",
    ];
    let same: Value = names.iter().map(|name| ((*name).to_owned(), settings[*name].clone())).collect();
    scene.assert_nothing_changes(Method::POST, "/api/sync/settings", same).await?;
    scene.assert_nothing_changes(Method::POST, "/api/sync/settings", json!({})).await?;
    let policies = json!({"vessel": "last_write_wins"});
    scene.assert_nothing_changes(Method::PUT, "/api/sync/conflicts/policies", policies).await?;
    let mapping = scene.json(scene.get("/api/sync/role-mapping"), 200).await;
    let rules = json!({"rules": mapping["rules"]});
    scene.assert_nothing_changes(Method::PUT, "/api/sync/role-mapping", rules).await?;
    scene.end().await;
    Ok(())
}
