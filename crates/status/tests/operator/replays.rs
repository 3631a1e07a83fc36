//! Replays over HTTP: a count first, then a job whose result is kept.

use chassis::auth::Role;
use reqwest::Method;
use serde_json::json;

use crate::scene::Scene;

const REPLAY: &str = "/api/sync/bulk/replay";

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_grouped_counted_and_replayed_as_a_job_that_can_be_stopped() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // Three of one making, one of another, in two queues.
    scene
        .world
        .execute(
            "INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, died_at, archived_at)
             SELECT ('019ab2c4-0000-7000-8000-00000000000' || n)::uuid, 'm' || n,
                 CASE WHEN n < 4 THEN 'sync.tasks' ELSE 'sync.events' END, 'k', '{}', 'transient', 'answered 500',
                 CASE WHEN n < 4 THEN 'f-500' ELSE 'f-other' END, 4, now(), now() + n * interval '1 millisecond'
             FROM generate_series(1, 4) AS n",
        )
        .await?;
    let groups = scene.json(scene.get("/api/sync/dead-letters/groups"), 200).await;
    assert_eq!(groups["pagination"]["total"], 2);
    assert_eq!((&groups["data"][0]["fingerprint"], &groups["data"][0]["dead"]), (&json!("f-500"), &json!(3)));

    let post = |path: &str, body| scene.request(Role::Operator, Method::POST, path).json(&body);
    let plan = scene.json(post(&format!("{REPLAY}/plan"), json!({"queue": "sync.tasks"})), 200).await;
    assert_eq!(plan, json!({"matching": 3, "replaying": 3}));
    let unclear = scene.json(post(REPLAY, json!({"all": true, "queue": "sync.tasks"})), 422).await;
    assert_eq!(unclear["errors"][0]["code"], "exactly_one");
    let viewer = scene.request(Role::Viewer, Method::POST, REPLAY).json(&json!({"all": true}));
    scene.json(viewer, 403).await;

    let asked = json!({"queue": "sync.tasks", "class": "transient", "reason": "mended", "ratePerSecond": 1});
    let accepted = scene.json(post(REPLAY, asked.clone()), 202).await;
    assert_eq!(accepted["replaying"], 3);
    let job = format!("{REPLAY}/{}", accepted["jobId"].as_str().unwrap());
    let found = scene.json(scene.get(&job), 200).await;
    assert_eq!(
        (&found["state"], &found["filter"], &found["requestedBy"]),
        (&json!("running"), &asked, &json!("anna"))
    );
    assert_eq!(found["counts"], json!({"waiting": 3, "sent": 0, "succeeded": 0, "died": 0, "cancelled": 0}));
    let again = scene.json(post(&format!("{REPLAY}/plan"), json!({"queue": "sync.tasks"})), 200).await;
    assert_eq!(again["matching"], 0, "what is being replayed is not replayed twice");

    let stopped =
        scene.json(scene.request(Role::Operator, Method::POST, &format!("{job}/cancel")), 200).await;
    assert_eq!((&stopped["state"], &stopped["counts"]["cancelled"]), (&json!("cancelled"), &json!(3)));
    let items = scene.json(scene.get(&format!("{job}/items")), 200).await;
    assert_eq!(items["data"][0]["outcome"], "cancelled");
    let ended = scene.json(scene.request(Role::Operator, Method::POST, &format!("{job}/cancel")), 409).await;
    assert_eq!(ended["code"], "replay_ended");
    assert_eq!(
        scene.rows("SELECT state, replays FROM dead_letters GROUP BY 1, 2").await,
        [json!({"state": "dead", "replays": 0})]
    );
    assert_eq!(scene.json(scene.get(REPLAY), 200).await["pagination"]["total"], 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sick_provider_shows_in_the_state_of_the_whole() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let part = async || {
        let overview = scene.json(scene.get("/api/sync/status"), 200).await;
        let parts = overview["health"].as_array().expect("parts").clone();
        parts.into_iter().find(|part| part["name"] == "onboarding-portal").expect("it is a part")
    };
    assert_eq!(part().await["ok"], true);
    scene
        .world
        .execute(
            "INSERT INTO circuits (instance, peer, state, since, failure, reported_at) VALUES
                 (gen_random_uuid(), 'onboarding-portal', 'open', now(), 'the onboarding portal did not answer', now()),
                 (gen_random_uuid(), 'onboarding-portal', 'open', now(), 'of a worker that vanished', now() - interval '1 hour')",
        )
        .await?;
    let sick = part().await;
    assert_eq!(sick["ok"], false);
    assert!(
        sick["detail"].as_str().is_some_and(
            |it| it.contains("1 worker has paused requests since") && it.contains("did not answer")
        ),
        "{sick}"
    );
    scene.end().await;
    Ok(())
}
