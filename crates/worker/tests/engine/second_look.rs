//! What was rejected is looked at again: at the end of its phase, and by every incremental sync until it is mended.

use domain::{
    Mode, RecordCounts, RecordType, Scope, SyncId,
    clock::{Clock, SystemClock},
};
use serde_json::{Value, json};
use testbed::{List, Request};

use crate::scene::{NONE, Scene, announced};

/// A fleet of which everything stands here, and which has no clock: an incremental sync begins at ours, less the overlap.
async fn fleet() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.set_as_of(None);
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    Ok(scene)
}

async fn incremental(scene: &Scene) -> anyhow::Result<(SyncId, Value)> {
    let id = scene.sync(Mode::Incremental, Scope::default()).await?;
    Ok((id, scene.ended(id).await?))
}

/// The requests of a list that named ids.
fn asked_for_ids(scene: &Scene, list: List) -> Vec<Request> {
    let requests = scene.provider.requests_for(list);
    requests.into_iter().filter(|request| request.query.contains_key("ids")).collect()
}

/// The address of `u-3` goes to `u-0`, which comes on an earlier page, and `u-3` gets another.
fn hand_an_address_on(scene: &Scene) {
    let now = SystemClock.now();
    scene.provider.put_user("u-0", json!({"email": "user3@example.com", "updatedAt": now}));
    scene.provider.put_user("u-3", json!({"email": "third@example.com", "updatedAt": now}));
}

async fn assert_handed_on(scene: &Scene) {
    let users =
        scene.rows("SELECT email FROM users WHERE source_id IN ('u-0', 'u-3') ORDER BY source_id").await;
    assert_eq!(users, [json!({"email": "user3@example.com"}), json!({"email": "third@example.com"})]);
}

#[tokio::test(flavor = "multi_thread")]
async fn address_handed_on_between_two_pages_goes_in_with_the_same_sync() -> anyhow::Result<()> {
    let scene = fleet().await?;
    hand_an_address_on(&scene);
    let planned = scene.dry_run(Mode::Full, Scope::default()).await?;
    let dry = scene.ended(planned).await?;
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    for (id, sync) in [(planned, &dry), (id, &sync)] {
        assert_eq!((&sync["state"], &sync["failure"]), (&json!("completed"), &Value::Null), "{sync}");
        let expected = announced(4, RecordCounts { created: 1, updated: 1, unchanged: 2, ..NONE });
        assert_eq!(scene.tally(id, RecordType::User).await, expected);
        assert_eq!(scene.number(&format!("findings WHERE sync_id = '{id}'")).await, 0);
    }
    assert_handed_on(&scene).await;
    assert_eq!(scene.number("record_findings").await, 0);
    let outcomes = format!("sync_changes WHERE sync_id = '{planned}' AND outcome = 'rejected'");
    assert_eq!(scene.number(&outcomes).await, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn address_handed_on_between_two_pages_goes_in_with_an_incremental_sync() -> anyhow::Result<()> {
    let scene = fleet().await?;
    hand_an_address_on(&scene);
    let (id, sync) = incremental(&scene).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_handed_on(&scene).await;
    assert_eq!(scene.tally(id, RecordType::User).await.counts().rejected, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn key_that_stays_taken_is_tried_once_more_and_rejected_once() -> anyhow::Result<()> {
    let scene = fleet().await?;
    scene.provider.put_vessel("v-9", json!({"imoNumber": "9074729"}));
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["failure"], "1 record was rejected", "{sync}");
    let expected = announced(4, RecordCounts { unchanged: 3, rejected: 1, ..NONE });
    assert_eq!(scene.tally(id, RecordType::Vessel).await, expected);
    assert_eq!(asked_for_ids(&scene, List::Vessels).len(), 1);
    assert_eq!(scene.number(&format!("findings WHERE sync_id = '{id}' AND severity = 'error'")).await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_mended_without_a_change_of_its_own_goes_in_with_an_incremental_sync() -> anyhow::Result<()> {
    let scene = fleet().await?;
    // Equipment is approved before its vessel, long ago.
    scene.provider.put_equipment("e-early", "v-4", json!({"updatedAt": "2026-01-02T00:00:00Z"}));
    let full = scene.full_sync().await?;
    assert_eq!(scene.ended(full).await?["failure"], "1 record was rejected");
    let (id, sync) = incremental(&scene).await?;
    assert_eq!(sync["failure"], "1 record was rejected", "it is not forgotten: {sync}");
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(1, RecordCounts { rejected: 1, ..NONE })
    );

    scene.provider.put_vessel("v-4", json!({"imoNumber": "9434761", "updatedAt": SystemClock.now()}));
    let (id, sync) = incremental(&scene).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(1, RecordCounts { created: 1, ..NONE })
    );
    assert_eq!(scene.number("record_findings").await, 0);
    let before = asked_for_ids(&scene, List::Equipment).len();
    let (_, sync) = incremental(&scene).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(asked_for_ids(&scene, List::Equipment).len(), before, "nothing is left to look at");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_record_that_is_listed_as_changed_is_looked_at_once() -> anyhow::Result<()> {
    let scene = fleet().await?;
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "9074728"}));
    let full = scene.full_sync().await?;
    scene.ended(full).await?;
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "9434761", "updatedAt": SystemClock.now()}));
    let (id, sync) = incremental(&scene).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(scene.tally(id, RecordType::Vessel).await, announced(1, RecordCounts { created: 1, ..NONE }));
    assert_eq!(asked_for_ids(&scene, List::Vessels).len(), 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_record_that_is_not_listed_any_more_is_forgotten() -> anyhow::Result<()> {
    let scene = fleet().await?;
    scene.provider.put_vessel("v-bad", json!({"imoNumber": "9074728"}));
    scene.provider.put_vessel("v-worse", json!({"imoNumber": "9074720"}));
    let full = scene.full_sync().await?;
    scene.ended(full).await?;
    scene.provider.forget("v-bad");
    let dry_run = scene.dry_run(Mode::Incremental, Scope::default()).await?;
    scene.ended(dry_run).await?;
    assert_eq!(
        scene.number("record_findings WHERE source_id = 'v-bad'").await,
        1,
        "a dry run forgets nothing"
    );
    let (_, sync) = incremental(&scene).await?;
    assert_eq!(sync["failure"], "1 record was rejected", "{sync}");
    assert_eq!(scene.number("record_findings WHERE source_id = 'v-bad'").await, 0);
    assert_eq!(scene.number("record_findings WHERE source_id = 'v-worse'").await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_company_is_looked_at_through_its_vessels() -> anyhow::Result<()> {
    let scene = fleet().await?;
    let company = |country: &str| json!({"id": "c-2", "name": "Other", "country": country, "updatedAt": "2026-01-02T00:00:00Z"});
    let vessel =
        json!({"imoNumber": "9434761", "updatedAt": "2026-01-02T00:00:00Z", "company": company("XX")});
    scene.provider.put_vessel("v-4", vessel);
    let full = scene.full_sync().await?;
    assert_eq!(scene.ended(full).await?["state"], "completed_with_errors");
    assert_eq!(scene.number("record_findings WHERE record_type = 'company'").await, 1);

    scene.provider.put_vessel("v-4", json!({"company": company("NO")}));
    let (id, sync) = incremental(&scene).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(scene.tally(id, RecordType::Company).await.counts(), RecordCounts { created: 1, ..NONE });
    assert_eq!(scene.number("record_findings").await, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn second_look_that_cannot_be_taken_leaves_the_next_phase_alone() -> anyhow::Result<()> {
    let scene = fleet().await?;
    scene.provider.put_vessel("v-9", json!({"imoNumber": "9074729"}));
    scene.provider.put_equipment("e-new", "v-1", json!({}));
    scene.provider.after_page(List::Vessels, 1, |provider| provider.fail_list(List::Vessels, Some(400)));
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed_with_errors");
    let failure = sync["failure"].as_str().unwrap_or_default();
    assert!(failure.starts_with("1 task was given up") && !failure.contains("not reached"), "{failure}");
    assert_eq!(scene.number("equipment WHERE source_id = 'e-new'").await, 1);
    assert_eq!(scene.tally(id, RecordType::Vessel).await.counts().rejected, 1);
    scene.end().await;
    Ok(())
}
