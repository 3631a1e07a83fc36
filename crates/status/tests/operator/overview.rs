//! The overview and the page of a sync tell the truth about what was not read, what is open, and who is not well.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::{
    Cause, Mode, RecordCounts, RecordType, Scope, SyncId,
    clock::{Clock, SystemClock},
    peer_outcome::OutcomeClass,
};
use serde_json::{Value, json};
use store::{
    engine::{
        lifecycle::{SyncStarted, sync_start},
        settle::{PhaseEnd, task_complete, task_dead},
    },
    ledger::{
        peer_outcomes::{PeerOutcome, peer_outcome_note},
        syncs::{NewSync, sync_create},
        tallies::tally_changes,
        tasks::NewTask,
    },
};

use crate::scene::Scene;

const OVERVIEW: &str = "/api/sync/status";

impl Scene {
    pub(crate) async fn overview(&self) -> Value {
        self.json(self.get(OVERVIEW), 200).await
    }

    /// Starts a full sync; the tasks of its first phase.
    async fn begin_full_sync(&self) -> anyhow::Result<(SyncId, Vec<NewTask>)> {
        let sync = NewSync {
            id: SyncId::new(),
            cause: Cause::Manual,
            mode: Mode::Full,
            scope: Scope::default(),
            dry_run: false,
            requested_by: "anna".to_owned(),
            reason: None,
            retry_of: None,
            trace_context: json!({}),
        };
        let now = SystemClock.now();
        let mut tx = self.store.begin().await?;
        let _created = sync_create(&mut tx, &sync, now).await?;
        let SyncStarted::Started(tasks) = sync_start(&mut tx, sync.id, now).await? else {
            anyhow::bail!("the sync does not start")
        };
        tx.commit().await?;
        Ok((sync.id, tasks))
    }

    /// Ends a page task whose list was announced with one record, and read.
    async fn complete(&self, task: &NewTask) -> anyhow::Result<PhaseEnd> {
        let record_type = task.request.record_type;
        let counts = BTreeMap::from([(record_type, RecordCounts { created: 1, ..RecordCounts::default() })]);
        let changes = tally_changes(&counts, [(record_type, 1)]);
        let mut tx = self.store.begin().await?;
        let end = task_complete(&mut tx, task.id, &changes, SystemClock.now()).await?;
        tx.commit().await?;
        Ok(end)
    }

    /// A full sync all of whose equipment tasks were given up.
    async fn sync_without_equipment(&self) -> anyhow::Result<SyncId> {
        let (id, tasks) = self.begin_full_sync().await?;
        let PhaseEnd::PhaseOpened(tasks) = self.complete(&tasks[0]).await? else {
            anyhow::bail!("the second phase does not open")
        };
        for task in tasks {
            if task.request.record_type == RecordType::Equipment {
                let mut tx = self.store.begin().await?;
                let _end = task_dead(&mut tx, task.id, "503", SystemClock.now()).await?;
                tx.commit().await?;
            } else {
                let _end = self.complete(&task).await?;
            }
        }
        Ok(id)
    }
}

/// What needs attention, as urgency, code and message.
fn attention(overview: &Value) -> Vec<(&str, &str, &str)> {
    let items = overview["attention"].as_array().expect("a list");
    items
        .iter()
        .map(|it| {
            let text = |field: &str| it[field].as_str().expect("a text");
            (text("urgency"), text("code"), text("message"))
        })
        .collect()
}

fn counts_of<'s>(sync: &'s Value, record_type: &str) -> &'s Value {
    let counts = sync["counts"].as_array().expect("counts");
    let found = counts.iter().find(|it| it["recordType"] == record_type);
    found.unwrap_or_else(|| panic!("{record_type} has a tally: {sync}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn record_type_that_a_sync_did_not_reach_is_named_in_its_tally_and_the_overview() -> anyhow::Result<()>
{
    let scene = Scene::new().await?;
    let id = scene.sync_without_equipment().await?;
    let sync = scene.json(scene.get(&format!("/api/sync/status/{id}")), 200).await;
    let reached = |record_type| &counts_of(&sync, record_type)["reached"];
    assert_eq!(reached("vessel"), true);
    assert_eq!(reached("company"), true, "companies come with vessels");
    assert_eq!(reached("user"), true);
    assert_eq!(reached("equipment"), false);
    assert_eq!(
        (&counts_of(&sync, "equipment")["read"], &counts_of(&sync, "equipment")["expected"]),
        (&json!(0), &json!(null))
    );

    let overview = scene.overview().await;
    let attention = attention(&overview);
    assert!(attention.contains(&("error", "type_not_read", "Equipment was not read")), "{attention:?}");
    assert!(attention.iter().any(|(_, code, _)| *code == "dead_tasks"), "{attention:?}");
    let item =
        overview["attention"].as_array().expect("a list").iter().find(|it| it["code"] == "type_not_read");
    assert_eq!(
        item.map(|it| (&it["recordType"], &it["syncId"])),
        Some((&json!("equipment"), &json!(id.to_string())))
    );
    let last = &overview["lastFullSync"];
    assert_eq!(counts_of(last, "equipment")["reached"], false);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_begins_has_a_tally_of_every_type_and_a_narrow_one_only_of_its_own() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, _) = scene.begin_full_sync().await?;
    let sync = scene.json(scene.get(&format!("/api/sync/status/{id}")), 200).await;
    let types = |sync: &Value| -> Vec<Value> {
        sync["counts"].as_array().expect("counts").iter().map(|it| it["recordType"].clone()).collect()
    };
    assert_eq!(types(&sync), ["company", "vessel", "equipment", "user"]);
    assert!(sync["counts"].as_array().expect("counts").iter().all(|it| it["reached"] == false), "{sync}");

    let users = json!({"mode": "incremental", "recordTypes": ["user"]});
    let path = "/api/sync/trigger";
    let started = scene.request(chassis::auth::Role::Operator, reqwest::Method::POST, path).json(&users);
    let started = scene.json(started, 202).await;
    let path = format!("/api/sync/status/{}", started["syncId"].as_str().expect("an id"));
    assert_eq!(types(&scene.json(scene.get(&path), 200).await), ["user"]);
    scene.end().await;
    Ok(())
}

fn portal_health(overview: &Value) -> &Value {
    let parts = overview["health"].as_array().expect("a list");
    parts.iter().find(|it| it["name"] == "onboarding-portal").expect("the portal has a health")
}

#[tokio::test(flavor = "multi_thread")]
async fn portal_whose_last_answer_was_a_refusal_is_not_ok_until_one_is_not() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let instance = SyncId::new().as_uuid();
    let note = async |instance, class, failure: Option<&str>, seconds: i64| -> anyhow::Result<Value> {
        let outcome = PeerOutcome {
            instance,
            peer: "onboarding-portal".to_owned(),
            class,
            failure: failure.map(str::to_owned),
            ended_at: SystemClock.now() + TimeDelta::seconds(seconds),
        };
        peer_outcome_note(&mut *scene.store.db().await?, &outcome).await?;
        Ok(scene.overview().await)
    };
    let before = scene.overview().await;
    assert_eq!(
        (&portal_health(&before)["ok"], &portal_health(&before)["lastOutcome"]),
        (&json!(true), &json!(null))
    );

    let refused = note(instance, OutcomeClass::Permanent, Some("answered 401"), 0).await?;
    let health = portal_health(&refused);
    assert_eq!((&health["ok"], &health["detail"]), (&json!(false), &json!("answered 401")));
    assert_eq!(health["lastOutcome"]["class"], "permanent");
    let expected = ("error", "health", "The onboarding portal is not well: answered 401");
    assert_eq!(attention(&refused), [expected]);

    // Another worker, with the right key: the first one is still refused.
    let other = note(SyncId::new().as_uuid(), OutcomeClass::Ok, None, 5).await?;
    assert_eq!(portal_health(&other)["ok"], false);
    let later = note(SyncId::new().as_uuid(), OutcomeClass::Ok, None, 600).await?;
    assert_eq!(portal_health(&later)["ok"], true, "a refusal of long ago says nothing");

    let passing = note(instance, OutcomeClass::Transient, Some("answered 503"), 700).await?;
    let health = portal_health(&passing);
    assert_eq!((&health["ok"], &health["lastOutcome"]["failure"]), (&json!(true), &json!("answered 503")));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_that_refuses_the_password_is_quoted_in_the_overview() -> anyhow::Result<()> {
    let scene = Scene::with_config(|config| {
        let url = config["broker"]["url"].as_str().expect("a URL");
        let host = url.rsplit(['@', '/']).nth(1).expect("a host, before its vhost").to_owned();
        config["broker"]["url"] = format!("amqp://nobody:wrong@{host}/%2f").into();
    })
    .await?;
    let overview = scene.overview().await;
    let broker = overview["health"].as_array().expect("parts").iter().find(|part| part["name"] == "broker");
    let detail = broker.expect("the broker is a part")["detail"].as_str().expect("a detail").to_owned();
    assert!(detail.contains("ACCESS_REFUSED"), "{detail}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_ticks_are_listed_and_need_attention_until_a_later_one_starts_a_sync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .world
        .execute(
            "UPDATE schedules SET enabled = true, updated_at = '2026-05-01T00:00:00Z';
             INSERT INTO schedule_ticks (schedule, due_at, outcome, detail, fired_at)
             VALUES ('full-sync', '2026-05-02T02:00:00Z', 'started', NULL, now()),
                 ('full-sync', '2026-05-03T02:00:00Z', 'missed', 'no scheduler ran when it was due', now()),
                 ('full-sync', '2026-05-04T02:00:00Z', 'missed', 'no scheduler ran when it was due', now())",
        )
        .await?;
    let overview = scene.overview().await;
    let needs = ("warning", "missed_ticks", "2 scheduled syncs were missed, and none has started since");
    assert!(attention(&overview).contains(&needs), "{overview}");

    let ticks = scene.json(scene.get("/api/sync/schedule/ticks?outcome=missed&limit=1"), 200).await;
    assert_eq!(ticks["pagination"]["total"], 2);
    let last = &ticks["data"][0];
    assert_eq!(
        (&last["schedule"], &last["dueAt"], &last["detail"]),
        (&json!("full-sync"), &json!("2026-05-04T02:00:00Z"), &json!("no scheduler ran when it was due"))
    );

    scene.world.execute("UPDATE schedule_ticks SET outcome = 'started' WHERE due_at > '2026-05-04'").await?;
    assert_eq!(attention(&scene.overview().await), vec![]);
    scene.end().await;
    Ok(())
}
