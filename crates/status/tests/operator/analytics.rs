//! What happened in each hour or day.

use chassis::auth::Role;
use chrono::{DateTime, Utc};
use domain::clock::{Clock, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};
use store::engine::analytics::{analytics_count, analytics_purge};

use crate::scene::{Records, Scene, equipment, vessel};

const ANALYTICS: &str = "/api/sync/analytics";

/// As the scheduler does it.
async fn count(scene: &Scene, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let counted = scene.store.transaction(async |tx| analytics_count(tx, now).await).await;
    counted.expect("the statements are sound")
}

async fn get(scene: &Scene, query: &str) -> Value {
    scene.json(scene.get(&format!("{ANALYTICS}{query}")), 200).await
}

/// A sync, and webhook events whose rows came 1, 2, …, 100 seconds after their approval.
async fn scene_with_events() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    let records = Records {
        vessels: vec![vessel("v-1", "9074729", "Nordic Star"), vessel("v-2", "9241061", "Nordic Sun")],
        equipment: vec![equipment("e-1", "v-1", json!({}))],
        ..Records::default()
    };
    let (sync, _) = scene.sync(&records).await?;
    let execute = async |sql: String| scene.world.execute(&sql).await;
    execute(
        "INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, occurred_at, body, key_name, state,
             duplicates, trace_context, received_at, published_at, processed_at, record_updated_at)
         SELECT gen_random_uuid(), 'w-' || n, 'equipment.approved', 'equipment', 'e-1', now(), '{}', 'default', 'processed',
             0, '{}', now(), now(), now(), now() - n * interval '1 second'
         FROM generate_series(1, 100) AS n"
            .to_owned(),
    )
    .await?;
    execute(format!(
        "INSERT INTO findings (sync_id, record_type, source_id, severity, code, pointer, message, found_at)
         SELECT '{sync}', 'vessel', id, 'error', 'imo_check_digit', '/imoNumber', 'x', now()
         FROM unnest(ARRAY['v-1', 'v-1', 'v-9', '']) AS id"
    ))
    .await?;
    Ok(scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_stay_when_their_rows_are_removed_and_count_nothing_twice() -> anyhow::Result<()> {
    let scene = scene_with_events().await?;
    let empty = get(&scene, "").await;
    assert_eq!((&empty["countedUntil"], empty["windows"].as_array().map(Vec::len)), (&json!(null), Some(24)));

    let now = SystemClock.now();
    count(&scene, now).await;
    let first = get(&scene, "").await;
    assert_eq!(first["total"]["syncs"]["completed"], 1);
    assert_eq!(first["total"]["syncs"]["successRate"], 1.0);
    assert_eq!(
        first["total"]["records"]["created"], 4,
        "a company, two vessels, a piece of equipment: {first}"
    );
    assert_eq!(first["findings"], json!([{"recordType": "vessel", "code": "imo_check_digit", "count": 4}]));
    let lag = &first["total"]["approvalLag"];
    assert_eq!(lag["count"], 100);
    for (percentile, exact) in [("p50Seconds", 50.0), ("p90Seconds", 90.0), ("p99Seconds", 99.0)] {
        let got = lag[percentile].as_f64().expect("a number");
        assert!((got / exact - 1.0).abs() < 0.1, "{percentile} is {got}");
    }
    // By a scheduler whose clock was ahead for a moment, and by one whose clock is right.
    scene.world.execute("UPDATE analytics_progress SET counted_until = now() + interval '300 days'").await?;
    assert_eq!(count(&scene, now).await, Some(now));
    assert_eq!(get(&scene, "").await["total"], first["total"]);
    // Counted again, while an hour goes on.
    count(&scene, now).await;
    let again = get(&scene, "").await;
    assert_eq!(again["total"], first["total"]);

    // Retention removes what was counted long ago.
    let later = now + chrono::TimeDelta::hours(5);
    count(&scene, later).await;
    for table in ["findings", "webhook_events"] {
        scene.world.execute(&format!("DELETE FROM {table}")).await?;
    }
    count(&scene, later).await;
    let query = format!("?from={}", now.format("%FT%TZ"));
    assert_eq!(get(&scene, &query).await["findings"], first["findings"]);
    let days = get(&scene, "?window=day").await;
    assert_eq!(
        (&days["findings"], &days["total"]["approvalLag"]["count"]),
        (&first["findings"], &json!(100))
    );
    assert_eq!(days["windows"].as_array().map(Vec::len), Some(30));

    // Hours are removed in time, days stay.
    let much_later = now + chrono::TimeDelta::days(200);
    let purged = scene.store.transaction(async |tx| analytics_purge(tx, much_later, 1_000).await).await?;
    assert!(purged > 0);
    assert_eq!(get(&scene, &query).await["findings"], json!([]));
    assert_eq!(get(&scene, "?window=day").await["findings"], first["findings"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_vessel_and_of_a_record_type_are_theirs_alone() -> anyhow::Result<()> {
    let scene = scene_with_events().await?;
    count(&scene, SystemClock.now()).await;
    let of_vessel = get(&scene, "?vessel=v-1").await;
    assert_eq!((&of_vessel["total"]["syncs"], &of_vessel["total"]["records"]), (&json!(null), &json!(null)));
    assert_eq!(
        (&of_vessel["total"]["findings"], &of_vessel["total"]["approvalLag"]["count"]),
        (&json!(2), &json!(100))
    );
    assert_eq!(get(&scene, "?vessel=v-2").await["total"]["approvalLag"], json!(null));
    // Of a rejected vessel there is no row, only its id.
    assert_eq!(get(&scene, "?vessel=v-9").await["total"]["findings"], 1);
    let of_type = get(&scene, "?recordType=equipment").await;
    assert_eq!(
        (&of_type["total"]["records"]["created"], &of_type["total"]["findings"]),
        (&json!(1), &json!(0))
    );
    let of_type = get(&scene, "?recordType=vessel&window=day").await;
    assert_eq!(
        (&of_type["total"]["records"]["created"], &of_type["total"]["approvalLag"]),
        (&json!(2), &json!(null))
    );

    scene.json(scene.get(&format!("{ANALYTICS}?vessel=")), 422).await;
    for wrong in [
        "?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z",
        "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    ] {
        let refused =
            scene.json(scene.request(Role::Viewer, Method::GET, &format!("{ANALYTICS}{wrong}")), 422).await;
        assert_eq!(refused["errors"][0]["pointer"], "#/from", "{refused}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn long_history_is_counted_in_steps() -> anyhow::Result<()> {
    let scene = scene_with_events().await?;
    let now = SystemClock.now();
    scene.world.execute("UPDATE sync_logs SET started_at = now() - interval '20 days', completed_at = now() - interval '20 days'").await?;
    scene.world.execute("UPDATE webhook_events SET received_at = now() - interval '20 days'").await?;
    let mut steps = 0;
    while count(&scene, now).await.is_some_and(|until| until < now) {
        steps += 1;
        assert!(steps < 10, "it does not come to an end");
    }
    assert_eq!(steps, 2);
    let days = get(&scene, "?window=day").await;
    assert_eq!(
        (&days["total"]["syncs"]["completed"], &days["total"]["approvalLag"]["count"]),
        (&json!(1), &json!(100))
    );
    scene.end().await;
    Ok(())
}
