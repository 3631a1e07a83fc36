//! Lists that grow while they are read, page by page along `Link`.

use std::collections::BTreeSet;

use chassis::auth::Role;
use reqwest::Method;
use serde_json::Value;

use crate::scene::Scene;

impl Scene {
    /// The entries of all pages, along `Link`; `between` runs before each page but the first.
    async fn walk(&self, path: &str, between: impl AsyncFn()) -> anyhow::Result<Vec<Value>> {
        let (mut entries, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            if !entries.is_empty() {
                between().await;
            }
            let answer = self.request(Role::Admin, Method::GET, &path).send().await?;
            let link =
                answer.headers().get("link").map(|link| link.to_str().expect("a link is ASCII").to_owned());
            let page: Value = answer.json().await?;
            let cursor = page["pagination"]["nextCursor"].as_str();
            assert_eq!(link.is_some(), cursor.is_some(), "{page}");
            next = link.map(|link| {
                let (url, relation) = link.split_once(">; ").expect("a link");
                assert_eq!(relation, "rel=\"next\"");
                url.trim_start_matches('<').to_owned()
            });
            entries.extend(page["data"].as_array().expect("a list").iter().cloned());
        }
        Ok(entries)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_along_the_cursor_have_each_entry_once_though_new_ones_come() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // All at one time, so that their ids alone order them.
    let insert = "INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state, received_at)
         SELECT gen_random_uuid(), 'w-' || gen_random_uuid(), 'vessel.approved', 'vessel', 'v-1', '', 'main', 'ignored', '2026-05-01'
         FROM generate_series(1, 7)";
    scene.world.execute(insert).await?;
    let newer = insert.replace("'2026-05-01'", "'2026-05-02'").replace("1, 7", "1, 2");
    let walked = scene
        .walk("/api/sync/webhooks?limit=3&state=ignored", async || {
            scene.world.execute(&newer).await.expect("rows can be added");
        })
        .await?;
    let ids: BTreeSet<_> = walked.iter().map(|entry| entry["id"].to_string()).collect();
    assert_eq!((walked.len(), ids.len()), (7, 7));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_that_grows_has_a_cursor_and_refuses_one_of_another_list() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    for path in ["history", "webhooks", "webhooks/refused", "dead-letters", "audit"] {
        let get = |query: &str| scene.request(Role::Admin, Method::GET, &format!("/api/sync/{path}?{query}"));
        let problem = scene.json(get("cursor=bm9uZQ"), 422).await;
        assert_eq!(problem["errors"][0]["pointer"], "#/cursor", "{path}");
        let problem = scene.json(get("cursor=bm9uZQ&offset=1"), 422).await;
        assert_eq!(problem["errors"][0]["pointer"], "#/offset", "{path}");
        scene.walk(&format!("/api/sync/{path}?limit=1"), async || {}).await?;
    }
    scene.end().await;
    Ok(())
}
