//! Records that refer to others: companies that come with vessels, users who come before their company, labels.

use domain::{Mode, RecordCounts, RecordType, Scope, SourceId, values::QrCode};
use serde_json::{Value, json};
use testbed::List;

use crate::scene::{NONE, Scene, announced};

async fn synced_fleet() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    Ok(scene)
}

fn company(id: &str, name: &str, country: &str, at: &str) -> Value {
    json!({"id": id, "name": name, "country": country, "updatedAt": at})
}

#[tokio::test(flavor = "multi_thread")]
async fn user_who_came_before_the_company_belongs_to_it_when_it_comes() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    scene.provider.put_user("u-9", json!({"email": "new@example.com", "companyId": "c-9"}));
    let user = scene.webhook("user.approved", RecordType::User, "u-9").await?;
    scene.event_state(user.id, "processed").await?;
    assert_eq!(scene.number("users WHERE source_id = 'u-9' AND company_id IS NULL").await, 1);
    assert_eq!(scene.number("record_findings WHERE code = 'company_unknown'").await, 1);

    let at = "2026-05-01T00:00:00Z";
    scene
        .provider
        .put_vessel("v-9", json!({"imoNumber": "9387421", "company": company("c-9", "Late AS", "NO", at)}));
    let vessel = scene.webhook("vessel.approved", RecordType::Vessel, "v-9").await?;
    scene.event_state(vessel.id, "processed").await?;
    let linked =
        "users u JOIN companies c ON c.id = u.company_id WHERE u.source_id = 'u-9' AND c.source_id = 'c-9'";
    assert_eq!(scene.number(&format!("{linked} AND u.last_writer = 'onboarding'")).await, 1);
    assert_eq!(scene.number("record_findings WHERE code = 'company_unknown'").await, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn company_that_changes_in_the_middle_of_a_sync_is_written_in_its_last_state() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    scene.provider.after_page(List::Vessels, 0, |provider| {
        let renamed = company("c-1", "Renamed AS", "NO", "2026-05-03T00:00:00Z");
        for id in ["v-1", "v-2", "v-3"] {
            provider.put_vessel(id, json!({"company": renamed}));
        }
    });
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    assert_eq!(scene.number("companies WHERE name = 'Renamed AS'").await, 1);
    let counts = RecordCounts { updated: 1, ..NONE };
    assert_eq!(scene.tally(id, RecordType::Company).await, announced(1, counts));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn vessel_goes_in_although_its_known_company_is_malformed_in_it() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    let malformed = company("c-1", "Nordic Bulk AS", "Norway", "2026-05-03T00:00:00Z");
    let at = "2026-05-03T00:00:00Z";
    scene.provider.put_vessel("v-1", json!({"name": "Renamed", "company": malformed, "updatedAt": at}));
    let id = scene.full_sync().await?;
    // Its newest state is lost with that, which an older sound one beside it must not hide.
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors");
    let found = scene.rows("SELECT source_id, code FROM findings WHERE record_type = 'company'").await;
    assert_eq!(found, [json!({"source_id": "c-1", "code": "country_unknown"})]);
    assert_eq!(scene.number("vessels WHERE name = 'Renamed'").await, 1);
    assert_eq!(
        scene.tally(id, RecordType::Company).await,
        announced(1, RecordCounts { rejected: 1, ..NONE })
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn label_that_is_handed_on_within_a_page_goes_with_its_new_owner() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_equipment("e-1a", "v-1", json!({"qrCode": "ACME-000001"}));
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    let at = "2026-05-02T00:00:00Z";
    scene.provider.put_equipment("e-1a", "v-1", json!({"qrCode": "ACME-000002", "updatedAt": at}));
    scene.provider.put_equipment("e-1b", "v-1", json!({"qrCode": "ACME-000001", "updatedAt": at}));
    // Both come last, and so on one page of two.
    scene.provider.order(List::Equipment, &["e-2a", "e-2b"]);
    let second = scene.full_sync().await?;
    assert_eq!(scene.ended(second).await?["state"], "completed");
    let codes = scene
        .rows("SELECT source_id, qr_code FROM equipment WHERE qr_code LIKE 'ACME%' ORDER BY source_id")
        .await;
    assert_eq!(
        codes,
        [
            json!({"source_id": "e-1a", "qr_code": "ACME-000002"}),
            json!({"source_id": "e-1b", "qr_code": "ACME-000001"})
        ]
    );
    assert_eq!(scene.number("conflicts").await, 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn equipment_whose_derived_code_is_on_another_label_goes_in_with_a_warning() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let derived = QrCode::derived(&"e-new".parse::<SourceId>()?);
    scene.provider.put_equipment("e-1a", "v-1", json!({"qrCode": derived.as_str()}));
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    scene.provider.put_equipment("e-new", "v-1", json!({"updatedAt": "2026-05-02T00:00:00Z"}));
    let second = scene.sync(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.ended(second).await?["state"], "completed");
    let codes = scene.rows("SELECT code FROM record_findings WHERE source_id = 'e-new'").await;
    assert_eq!(codes, [json!({"code": "duplicate_qr_code"})]);
    assert_eq!(
        scene.number(&format!("equipment WHERE source_id = 'e-new' AND qr_code <> '{derived}'")).await,
        1
    );
    scene.end().await;
    Ok(())
}
