//! Lists that grow while they are read, page by page along `Link`.

use std::collections::BTreeSet;

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{Records, Scene, vessel};

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
async fn long_list_says_that_it_has_more_entries_than_were_counted() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let insert = "INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state, received_at)
         SELECT gen_random_uuid(), 'w-' || n, 'vessel.approved', 'vessel', 'v-1', '', 'main', 'ignored', '2026-05-01'
         FROM generate_series(1, 10010) n";
    scene.world.execute(insert).await?;
    let total = async |query: &str| {
        let page = scene.json(scene.get(&format!("/api/sync/webhooks?{query}")), 200).await;
        (page["pagination"]["total"].clone(), page["pagination"]["totalIsExact"].clone())
    };
    assert_eq!(total("limit=20").await, (json!(10_000), json!(false)));
    assert_eq!(total("limit=5&offset=10002").await, (json!(10_007), json!(false)), "what was read is there");
    assert_eq!(total("limit=20&offset=10000").await, (json!(10_010), json!(true)), "the end was read");
    let walked = scene.walk("/api/sync/webhooks?limit=200", async || {}).await?;
    assert_eq!(walked.len(), 10_010, "no page is missing");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_that_grows_has_a_cursor_and_refuses_one_of_another_list() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    for path in ["history", "webhooks", "webhooks/refused", "dead-letters", "audit", "settings/history"] {
        let get = |query: &str| scene.request(Role::Admin, Method::GET, &format!("/api/sync/{path}?{query}"));
        let problem = scene.json(get("cursor=bm9uZQ"), 422).await;
        assert_eq!(problem["errors"][0]["pointer"], "#/cursor", "{path}");
        let problem = scene.json(get("cursor=bm9uZQ&offset=1"), 422).await;
        assert_eq!(problem["errors"][0]["pointer"], "#/offset", "{path}");
        scene.walk(&format!("/api/sync/{path}?limit=1"), async || {}).await?;
        scene.walk(&format!("/api/sync/{path}?limit=1&sort=oldest"), async || {}).await?;
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_with_the_oldest_first_is_the_other_one_backwards_and_has_cursors_of_its_own()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .world
        .execute(
            "INSERT INTO sync_logs (id, cause, mode, scope, state, requested_by, started_at, running_at, heartbeat_at,
                 completed_at)
             SELECT gen_random_uuid(), 'manual', 'selective', '{}', 'completed', 'anna', at, at, at, at
             FROM generate_series('2026-05-01', '2026-05-03', interval '8 hours') AS at",
        )
        .await?;
    let newest = scene.walk("/api/sync/history?limit=2", async || {}).await?;
    let mut oldest = scene.walk("/api/sync/history?limit=2&sort=oldest", async || {}).await?;
    assert_eq!(newest.len(), 7);
    oldest.reverse();
    assert_eq!(newest, oldest);
    let page = scene.json(scene.get("/api/sync/history?limit=2"), 200).await;
    let cursor = page["pagination"]["nextCursor"].as_str().expect("a cursor");
    scene.json(scene.get(&format!("/api/sync/history?sort=oldest&cursor={cursor}")), 422).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_are_found_by_vessel_company_and_record_type() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let records = Records {
        vessels: vec![vessel("v-1", "9619907", "Orion"), vessel("v-2", "9074729", "Lyra")],
        ..Records::default()
    };
    scene.sync(&records).await?;
    scene
        .world
        .execute(
            r#"INSERT INTO sync_logs (id, cause, mode, scope, state, requested_by, started_at, running_at, heartbeat_at,
                   completed_at, reason)
               SELECT gen_random_uuid(), 'manual', 'selective', scope::jsonb, 'completed', 'bo', now(), now(), now(), now(), name
               FROM (VALUES ('one', '{"vesselId": "v-1"}'), ('several', '{"vesselIds": ["v-2", "v-1"]}'),
                   ('approval', '{"sourceIds": {"vessel": ["v-1"]}}'), ('other', '{"vesselId": "v-2"}'),
                   ('company', '{"companyId": "c-1"}'), ('equipment', '{"sourceIds": {"equipment": ["v-1"]}}')) AS i (name, scope)"#,
        )
        .await?;
    let found = async |query: &str| {
        let page = scene.json(scene.get(&format!("/api/sync/history?{query}")), 200).await;
        let syncs = page["data"].as_array().expect("a list").iter();
        syncs.map(|it| it["reason"].as_str().unwrap_or("sync").to_owned()).collect::<BTreeSet<_>>()
    };
    let of_vessel = ["approval", "one", "several"].map(str::to_owned).into();
    assert_eq!(found("vessel=9619907").await, of_vessel);
    assert_eq!(found("vessel=v-1&requestedBy=bo").await, of_vessel);
    assert_eq!(found("company=c-1").await, ["company".to_owned()].into());
    assert_eq!(found("recordType=vessel&recordType=user").await, ["sync".to_owned()].into());
    assert_eq!(found("recordType=user").await, BTreeSet::new());
    scene.json(scene.get("/api/sync/history?vessel=7777777"), 404).await;
    scene.end().await;
    Ok(())
}
