//! Records that a full sync does not list any more: every page notes its ids, in dry runs too. What is done about missing
//! records is the store's: see its tests.

use domain::{
    Mode, RecordType, Scope,
    clock::{Clock, SystemClock},
};
use serde_json::{Value, json};
use store::engine::{
    control::SyncResumed,
    undo::{SyncUndone, sync_undo},
};
use testbed::List;

use crate::{control::resume, scene::Scene};

/// The small fleet with a piece of equipment that is not critical, of which one in five may be deactivated.
async fn fleet_with_a_spare() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_equipment("e-spare", "v-1", json!({"isCritical": false, "criticalityBasis": null}));
    let change = "UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = 20";
    scene.world.execute(change).await?;
    let first = scene.full_sync().await?;
    let sync = scene.ended(first).await?;
    assert_eq!((&sync["state"], &sync["missing_records"]), (&json!("completed"), &Value::Null), "{sync}");
    Ok(scene)
}

async fn status(scene: &Scene, id: &str) -> Value {
    scene.rows(&format!("SELECT status FROM equipment WHERE source_id = '{id}'")).await[0]["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_no_page_lists_any_more_is_withdrawn() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(
        (&sync["state"], &sync["missing_records"]),
        (&json!("completed"), &json!("deactivated")),
        "{sync}"
    );
    assert_eq!(status(&scene, "e-spare").await, "withdrawn");
    assert_eq!(scene.number("equipment WHERE status = 'active'").await, 5);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_is_listed_and_rejected_is_not_missing() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    let spoilt = json!({"unitNumber": "one", "updatedAt": "2026-05-02T00:00:00Z"});
    scene.provider.put_equipment("e-spare", "v-1", spoilt);
    let id = scene.full_sync().await?;
    assert!(scene.ended(id).await?["missing_records"].is_null());
    assert_eq!(status(&scene, "e-spare").await, "active");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_plans_to_withdraw_what_no_page_lists_any_more() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    let planned = scene.dry_run(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.ended(planned).await?["missing_records"], "planned");
    assert_eq!(status(&scene, "e-spare").await, "active");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_that_cannot_be_read_makes_nothing_missing() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    scene.provider.fail_list(List::Users, Some(404));
    let holed = scene.full_sync().await?;
    let sync = scene.ended(holed).await?;
    assert_eq!((&sync["state"], &sync["missing_records"]), (&json!("completed_with_errors"), &Value::Null));
    assert_eq!(scene.number(&format!("sync_missing WHERE sync_id = '{holed}'")).await, 0);
    let read = format!("sync_counts WHERE sync_id = '{holed}' AND record_type = '{}'", RecordType::Equipment);
    assert_eq!(scene.number(&read).await, 1, "the other lists are in");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_record_comes_back_with_the_edit_that_was_made_meanwhile() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    let listed = scene.provider.listed(List::Equipment, "e-spare").expect("it is listed");
    scene.provider.forget("e-spare");
    let without = scene.full_sync().await?;
    scene.ended(without).await?;
    assert_eq!(status(&scene, "e-spare").await, "withdrawn");
    scene.world.execute("UPDATE equipment SET location = 'Store 3' WHERE source_id = 'e-spare'").await?;

    scene.provider.put_raw(List::Equipment, "e-spare", listed);
    let again = scene.full_sync().await?;
    assert_eq!(scene.ended(again).await?["state"], "completed");
    assert_eq!(status(&scene, "e-spare").await, "active");
    assert_eq!(scene.number("equipment WHERE source_id = 'e-spare' AND location = 'Store 3'").await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn undone_deactivation_leaves_a_user_who_can_get_in_and_is_in_no_conflict() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.world.execute("UPDATE settings SET deactivation_limit_percent = 100").await?;
    let listed = scene.provider.listed(List::Users, "u-3").expect("it is listed");
    scene.provider.forget("u-3");
    let without = scene.full_sync().await?;
    scene.ended(without).await?;
    let has_password = "users WHERE source_id = 'u-3' AND status = 'active' AND password_hash IS NOT NULL";
    assert_eq!(scene.number(has_password).await, 0);

    let now = SystemClock.now();
    let undone = scene.store.transaction(async |tx| sync_undo(tx, without, "anna", now).await).await?;
    assert!(matches!(&undone, SyncUndone::Undone(undo) if undo.restored == 1), "{undone:?}");
    testbed::wait_until("the user has a password", crate::scene::PATIENCE, async || {
        match scene.number(has_password).await {
            1 => Ok(()),
            other => Err(other),
        }
    })
    .await?;
    scene.provider.put_raw(List::Users, "u-3", listed);
    let again = scene.full_sync().await?;
    assert_eq!(scene.ended(again).await?["state"], "completed");
    assert_eq!(scene.number("conflicts").await, 0);
    scene.end().await;
    Ok(())
}

/// The fleet, of which a full sync with this list of equipment has withdrawn nothing.
async fn assert_unverified(scene: Scene, reason: &str) -> anyhow::Result<()> {
    let planned = scene.dry_run(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.ended(planned).await?["missing_records"], "unverified");
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(
        (&sync["state"], &sync["missing_records"]),
        (&json!("completed_with_errors"), &json!("unverified")),
        "{sync}"
    );
    assert!(sync["failure"].as_str().is_some_and(|it| it.contains(reason)), "{sync}");
    assert_eq!(status(&scene, "e-spare").await, "active");
    let missing = format!("sync_counts WHERE sync_id = '{id}' AND record_type = 'equipment' AND missing = 1");
    assert_eq!(scene.number(&missing).await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_missing_from_a_list_shorter_than_announced_stays() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    scene.provider.announce(List::Equipment, 6);
    assert_unverified(scene, "announced 6 equipment, and 5 were read").await
}

#[tokio::test(flavor = "multi_thread")]
async fn record_missing_from_a_list_with_a_new_late_record_stays() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    // Six are announced; one of them is not listed, and a new one is: the books balance by chance.
    scene.provider.announce(List::Equipment, 6);
    let new = json!({"updatedAt": "2026-05-01T00:00:01Z", "isCritical": false, "criticalityBasis": null});
    scene.provider.put_equipment("e-new", "v-1", new);
    assert_unverified(scene, "1 equipment, where a new record came while the list was read").await
}

#[tokio::test(flavor = "multi_thread")]
async fn record_missing_from_a_list_with_a_new_rejected_record_stays() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    scene.provider.put_equipment("e-new", "v-1", json!({"unitNumber": "one"}));
    assert_unverified(scene, "1 equipment, where a new record came while the list was read").await
}

#[tokio::test(flavor = "multi_thread")]
async fn record_missing_from_a_list_with_an_unreadable_id_stays() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    let spare = scene.provider.listed(List::Equipment, "e-spare").expect("it is listed");
    let unreadable = String::from_utf8(spare)?.replace(r#""e-spare""#, "17");
    scene.provider.put_raw(List::Equipment, "e-spare", unreadable);
    // Not for its first time either.
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    assert_unverified(scene, "1 equipment, where a record was listed without a readable id").await
}

#[tokio::test(flavor = "multi_thread")]
async fn company_of_a_listed_vessel_that_is_rejected_is_not_missing() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let other = json!({"id": "c-2", "name": "Other", "country": "NO", "updatedAt": "2026-05-01T00:00:00Z"});
    scene.provider.put_vessel("v-3", json!({ "company": other }));
    let change = "UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = 100";
    scene.world.execute(change).await?;
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    // The vessel cannot be read, so its company is not seen.
    scene.provider.put_raw(List::Vessels, "v-3", r#"{"id": "v-3", "name": 17}"#);
    let second = scene.full_sync().await?;
    assert!(scene.ended(second).await?["missing_records"].is_null());
    assert_eq!(scene.number("companies WHERE status = 'active'").await, 2);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_changed_before_it_was_read_leaves_no_doubt() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.forget("e-spare");
    scene.provider.put_equipment("e-1a", "v-1", json!({"updatedAt": "2026-05-01T00:00:01Z"}));
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["missing_records"], "deactivated");
    assert_eq!(status(&scene, "e-spare").await, "withdrawn");
    scene.end().await;
    Ok(())
}

/// The pages of a sync that is resumed are of before: what they lack may have come back since.
#[tokio::test(flavor = "multi_thread")]
async fn sync_that_is_resumed_after_a_later_one_withdraws_nothing() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    let listed = scene.provider.listed(List::Equipment, "e-spare").expect("it is listed");
    scene.provider.forget("e-spare");
    scene.provider.fail_list(List::Users, Some(403));
    let holed = scene.full_sync().await?;
    assert_eq!(scene.ended(holed).await?["state"], "completed_with_errors");
    scene.provider.fail_list(List::Users, None);
    scene.provider.put_raw(List::Equipment, "e-spare", listed);
    let later = scene.full_sync().await?;
    assert_eq!(scene.ended(later).await?["state"], "completed");

    assert!(matches!(resume(&scene, holed).await?, SyncResumed::Resumed { .. }));
    let sync = scene.ended(holed).await?;
    assert_eq!(status(&scene, "e-spare").await, "active");
    assert_eq!(
        (&sync["state"], &sync["missing_records"]),
        (&json!("completed_with_errors"), &json!("unverified")),
        "{sync}"
    );
    assert!(sync["failure"].to_string().contains("a later full sync has read the list since"), "{sync}");
    scene.end().await;
    Ok(())
}

/// One that comes back while the list is read is none of the announced ones, though it has a row.
#[tokio::test(flavor = "multi_thread")]
async fn record_that_comes_back_stands_for_none_that_did_not_come() -> anyhow::Result<()> {
    let scene = fleet_with_a_spare().await?;
    scene.provider.put_equipment("e-lost", "v-1", json!({"isCritical": false, "criticalityBasis": null}));
    scene.provider.forget("e-spare");
    let without = scene.full_sync().await?;
    scene.ended(without).await?;
    assert_eq!(
        (status(&scene, "e-spare").await, status(&scene, "e-lost").await),
        (json!("withdrawn"), json!("active"))
    );

    scene.provider.forget("e-lost");
    scene.provider.announce(List::Equipment, 6);
    scene.provider.after_page(List::Equipment, 1, |provider| {
        let back =
            json!({"isCritical": false, "criticalityBasis": null, "updatedAt": "2026-05-03T00:00:00Z"});
        provider.put_equipment("e-spare", "v-1", back);
    });
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(status(&scene, "e-spare").await, "active", "{sync}");
    assert_eq!(
        (status(&scene, "e-lost").await, &sync["missing_records"]),
        (json!("active"), &json!("unverified"))
    );
    scene.end().await;
    Ok(())
}
