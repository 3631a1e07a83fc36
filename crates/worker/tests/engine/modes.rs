//! Modes and scopes: what a sync looks at, and what it leaves alone.

use domain::{
    Mode, RecordCounts, RecordType, Scope,
    clock::{Clock, SystemClock},
};
use serde_json::{Value, json};

use testbed::List;

use crate::scene::{NONE, Scene, announced};

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_sync_looks_at_what_changed_since_the_last_complete_one() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    // There was none before: it looks at everything.
    let first = scene.sync(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    assert_eq!(
        scene.tally(first, RecordType::Equipment).await,
        announced(5, RecordCounts { created: 5, ..NONE })
    );

    // The provider's clock says 2026-05-01T00:00:00Z, and the overlap is ten minutes, inclusive.
    scene.provider.put_equipment("e-1a", "v-1", json!({"name": "Edge", "updatedAt": "2026-04-30T23:50:00Z"}));
    scene.provider.put_equipment("e-1b", "v-1", json!({"name": "Old", "updatedAt": "2026-04-30T23:49:59Z"}));
    scene.provider.put_equipment("e-2a", "v-2", json!({"name": "New", "updatedAt": "2026-05-02T00:00:00Z"}));
    let second = scene.sync(Mode::Incremental, Scope::default()).await?;
    let sync = scene.ended(second).await?;
    assert_eq!(sync["state"], "completed_with_errors", "{sync}");
    assert_eq!(sync["scope"]["updatedSince"], "2026-04-30T23:50:00Z");
    // e-1a is older than what is here, which the version says, and so is rejected; e-1b was not even listed.
    assert_eq!(
        scene.tally(second, RecordType::Equipment).await,
        announced(4, RecordCounts { updated: 1, unchanged: 2, rejected: 1, ..NONE })
    );
    let names = scene.rows("SELECT name FROM equipment WHERE name = 'New'").await;
    assert_eq!(names.len(), 1);

    // A sync with a hole is no base for the next.
    scene.provider.fail_with(Some(401));
    let holed = scene.sync(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.ended(holed).await?["state"], "failed");
    scene.provider.fail_with(None);
    let third = scene.sync(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.ended(third).await?["scope"]["updatedSince"], "2026-04-30T23:50:00Z");
    scene.end().await;
    Ok(())
}

/// A new record may stand in the numbers for a changed one that the provider has left out, which only a sync from the same base
/// asks for again.
#[tokio::test(flavor = "multi_thread")]
async fn incremental_sync_during_which_a_record_came_is_no_base() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.set_as_of(Some("2026-05-01T12:00:00Z"));
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    let since = async |id| anyhow::Ok(scene.ended(id).await?["scope"]["updatedSince"].clone());

    scene.provider.set_as_of(Some("2026-05-02T12:00:00Z"));
    scene.provider.page_size(List::Users, 1);
    for id in ["u-1", "u-2"] {
        let email = format!("{id}@example.com");
        scene.provider.put_user(id, json!({"email": email, "updatedAt": "2026-05-02T11:00:00Z"}));
    }
    scene.provider.announce(List::Users, 3);
    scene.provider.after_page(List::Users, 0, |provider| {
        provider.put_user("u-9", json!({"email": "new@example.com", "updatedAt": "2026-05-02T13:00:00Z"}));
    });
    let short = scene.sync(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.ended(short).await?["state"], "completed", "by the numbers nothing is missing");
    let next = scene.sync(Mode::Incremental, Scope::default()).await?;
    assert_eq!(since(next).await?, since(short).await?);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_clock_that_jumped_ahead_hides_no_later_change() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.set_as_of(Some("2100-01-01T00:00:00Z"));
    let jumped = scene.full_sync().await?;
    let sync = scene.ended(jumped).await?;
    assert_eq!((&sync["state"], &sync["as_of"]), (&json!("completed"), &Value::Null), "{sync}");

    let now = SystemClock.now();
    scene.provider.set_as_of(Some(&now.to_rfc3339()));
    scene.provider.put_vessel("v-1", json!({"name": "Renamed", "updatedAt": now}));
    let incremental = scene.sync(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.ended(incremental).await?["state"], "completed");
    assert_eq!(scene.number("vessels WHERE name = 'Renamed'").await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selective_sync_brings_the_named_vessels_with_what_belongs_to_them() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_user("u-2", json!({"email": "user2@example.com", "vesselIds": ["v-2"]}));
    let scope = Scope { vessel_ids: vec!["v-1".into(), "v-3".into()], ..Scope::default() };
    let id = scene.sync(Mode::Selective, scope).await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(scene.tally(id, RecordType::Vessel).await, announced(2, RecordCounts { created: 2, ..NONE }));
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(3, RecordCounts { created: 3, ..NONE })
    );
    assert_eq!(scene.tally(id, RecordType::User).await, announced(2, RecordCounts { created: 2, ..NONE }));
    assert_eq!(scene.number("vessels WHERE source_id = 'v-2'").await, 0);

    // By company: its vessels are known when what is on board of them is fetched.
    let company =
        json!({"id": "c-2", "name": "Other AS", "country": "NO", "updatedAt": "2026-01-01T00:00:00Z"});
    scene.provider.put_vessel("v-2", json!({"company": company}));
    let id =
        scene.sync(Mode::Selective, Scope { company_id: Some("c-2".into()), ..Scope::default() }).await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(scene.tally(id, RecordType::Company).await, announced(1, RecordCounts { created: 1, ..NONE }));
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(2, RecordCounts { created: 2, ..NONE })
    );
    assert_eq!(scene.tally(id, RecordType::User).await, announced(1, RecordCounts { created: 1, ..NONE }));

    // By a company that nobody knows: nothing to look at, and no sync that waits for ever.
    let id =
        scene.sync(Mode::Selective, Scope { company_id: Some("c-9".into()), ..Scope::default() }).await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_after_the_end_of_the_scope_is_skipped_and_accounted_for() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_vessel("v-2", json!({"updatedAt": "2026-05-03T00:00:00Z"}));
    let scope = Scope {
        record_types: [RecordType::Vessel].into(),
        updated_until: Some("2026-05-02T00:00:00Z".parse()?),
        ..Scope::default()
    };
    let id = scene.sync(Mode::Selective, scope).await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(
        scene.tally(id, RecordType::Vessel).await,
        announced(3, RecordCounts { created: 2, skipped: 1, ..NONE })
    );
    assert_eq!(scene.number("equipment").await, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_ids_are_asked_for_in_parts() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.world.execute("UPDATE settings SET page_size = 400").await?;
    let ids: Vec<String> = (0..900).map(|n| format!("e-many-{n:03}")).collect();
    for (n, id) in ids.iter().enumerate() {
        scene.provider.put_equipment(
            id,
            "v-1",
            json!({"qrCode": format!("MANY-{n:06}"), "unitNumber": n + 1}),
        );
    }
    let vessels =
        scene.sync(Mode::Selective, Scope { vessel_ids: vec!["v-2".into()], ..Scope::default() }).await?;
    scene.ended(vessels).await?;
    scene.provider.put_vessel("v-1", json!({}));
    let scope = Scope {
        source_ids: [(RecordType::Vessel, vec!["v-1".into()]), (RecordType::Equipment, ids)].into(),
        ..Scope::default()
    };
    let id = scene.sync(Mode::Selective, scope).await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(
        scene.tally(id, RecordType::Equipment).await,
        announced(900, RecordCounts { created: 900, ..NONE })
    );
    assert_eq!(scene.number(&format!("sync_queue WHERE sync_id = '{id}' AND chain = 1")).await, 1);
    scene.end().await;
    Ok(())
}
