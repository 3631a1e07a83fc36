//! Lists that the portal serves in slices: fetched side by side, and accounted for as one list.

use std::collections::BTreeSet;

use domain::{SyncId, SyncState};
use serde_json::{Value, json};
use store::engine::control::SyncResumed;
use testbed::{Answer, List, Slices};

use crate::{control::resume, scene::Scene};

const USERS: usize = 40;

/// Forty users, of which a page holds five, with a portal that serves four slices; what is missing is to be withdrawn.
async fn long_list() -> anyhow::Result<Scene> {
    long_list_in(4).await
}

/// The same in so many slices.
async fn long_list_in(slices: u32) -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    let settings =
        "UPDATE settings SET page_size = 5, missing_records = 'deactivate', deactivation_limit_percent = 100";
    scene.world.execute(settings).await?;
    scene.provider.small_fleet();
    for n in 1..=USERS {
        scene.provider.put_user(&format!("u-{n}"), json!({"email": format!("user{n}@example.com")}));
    }
    scene.provider.announce_slices(slices);
    Ok(scene)
}

async fn synced_long_list() -> anyhow::Result<Scene> {
    let scene = long_list().await?;
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    Ok(scene)
}

async fn failure_of(scene: &Scene, id: SyncId) -> anyhow::Result<String> {
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed_with_errors", "{sync}");
    Ok(sync["failure"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn long_list_is_fetched_in_slices_and_each_record_counts_once() -> anyhow::Result<()> {
    let scene = synced_long_list().await?;
    assert_eq!(scene.number("users WHERE status = 'active'").await, USERS as i64);
    let counts = scene.rows("SELECT expected, read, again FROM sync_counts WHERE record_type = 'user'").await;
    assert_eq!(counts, [json!({"expected": USERS, "read": USERS, "again": 0})]);
    let asked = scene.provider.requests_for(List::Users);
    assert_eq!(asked[0].query.get("slice"), None, "the first page is of the whole list");
    let slices: BTreeSet<&str> = asked[1..].iter().map(|it| it.query["slice"].as_str()).collect();
    assert_eq!(slices, BTreeSet::from(["0/4", "1/4", "2/4", "3/4"]));
    // Short lists stay as they are.
    let vessels = scene.provider.requests_for(List::Vessels);
    assert!(vessels.iter().all(|it| !it.query.contains_key("slice")), "{vessels:?}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn portal_that_does_not_serve_the_slices_it_announces_is_told_and_costs_no_record() -> anyhow::Result<()>
{
    let scene = synced_long_list().await?;
    scene.provider.slices(List::Users, Slices::Unknown);
    let id = scene.full_sync().await?;
    let failure = failure_of(&scene, id).await?;
    assert!(
        failure.contains(
            "4 tasks were given up (user, slice 0/4; user, slice 1/4; user, slice 2/4; and 1 more)"
        ),
        "{failure}"
    );
    assert!(failure.contains("was asked for, and the page says that it is of none"), "{failure}");
    assert_eq!(scene.number("users WHERE status = 'active'").await, USERS as i64);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn false_slices_make_no_list_whole_and_withdraw_nothing() -> anyhow::Result<()> {
    for (slices, said) in [
        (Slices::Whole, "of them more than once"),
        (Slices::Repeated, "of them more than once"),
        (Slices::Forgotten(2), "were read"),
    ] {
        let scene = synced_long_list().await?;
        scene.provider.slices(List::Users, slices);
        let id = scene.full_sync().await?;
        let failure = failure_of(&scene, id).await?;
        assert!(
            failure.contains("the provider announced 40 users") && failure.contains(said),
            "{slices:?}: {failure}"
        );
        assert_eq!(scene.number("users WHERE status = 'active'").await, USERS as i64, "{slices:?}");
        scene.end().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_in_two_slices_is_told_though_another_changes_meanwhile() -> anyhow::Result<()> {
    let scene = long_list_in(2).await?;
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    scene.provider.slices(List::Users, Slices::Repeated);
    scene.provider.after_page(List::Users, 1, |provider| {
        provider.put_user("u-7", json!({"rank": "Master", "updatedAt": "2026-05-03T00:00:00Z"}));
    });
    let id = scene.full_sync().await?;
    let failure = failure_of(&scene, id).await?;
    assert!(failure.contains("of them more than once"), "{failure}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn portal_that_answers_with_a_slice_nobody_asked_for_is_told() -> anyhow::Result<()> {
    let scene = synced_long_list().await?;
    let page = json!({"data": [], "page": {"limit": 5, "total": 1, "slice": "0/4"}}).to_string();
    scene.provider.answer_page(List::Users, 0, Answer::ok(page));
    let id = scene.full_sync().await?;
    let failure = failure_of(&scene, id).await?;
    assert!(
        failure.contains("the whole list was asked for, and the page says that it is of 0/4"),
        "{failure}"
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_that_no_url_holds_is_the_fault_of_its_page() -> anyhow::Result<()> {
    let scene = synced_long_list().await?;
    let page =
        json!({"data": [], "page": {"limit": 5, "total": 1, "nextCursor": "c".repeat(70_000)}}).to_string();
    scene.provider.answer_page(List::Users, 1, Answer::ok(page));
    let id = scene.full_sync().await?;
    let failure = failure_of(&scene, id).await?;
    assert!(failure.contains("`page.nextCursor` is longer than 4096 bytes"), "{failure}");
    assert!(failure.len() < 1_000, "{}", failure.len());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn slice_that_dies_is_named_while_others_come_in_and_goes_on_when_it_is_replayed() -> anyhow::Result<()>
{
    let scene = long_list().await?;
    scene.provider.slices(List::Users, Slices::Refused(2, 403));
    let id = scene.full_sync().await?;
    let failure = failure_of(&scene, id).await?;
    assert!(failure.starts_with("1 task was given up (user, slice 2/4): "), "{failure}");
    let read = scene.number("users").await;
    assert!(read > 5 && read < USERS as i64, "{read}");

    scene.provider.slices(List::Users, Slices::Sound);
    assert!(matches!(resume(&scene, id).await?, SyncResumed::Resumed { .. }));
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], SyncState::Completed.as_str(), "{sync}");
    assert_eq!(scene.number("users WHERE status = 'active'").await, USERS as i64);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_changes_while_slices_are_read_counts_as_late() -> anyhow::Result<()> {
    let scene = synced_long_list().await?;
    scene.provider.after_page(List::Users, 1, |provider| {
        provider.put_user("u-7", json!({"rank": "Master", "updatedAt": "2026-05-03T00:00:00Z"}));
    });
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(
        scene.rows("SELECT rank FROM users WHERE source_id = 'u-7'").await,
        [json!({"rank": Value::from("master")})]
    );
    scene.end().await;
    Ok(())
}
