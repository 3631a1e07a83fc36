//! Settings that operators change: by version, with an audit entry.

use domain::Mode;
use serde_json::json;
use store::settings::sync_settings::{
    Settings, SettingsChange, SettingsUpdated, settings_read, settings_update,
};

use crate::scene::Scene;

impl Scene {
    async fn settings(&self) -> anyhow::Result<Settings> {
        Ok(settings_read(&mut *self.store.db().await?).await?)
    }

    async fn change(
        &self,
        change: &SettingsChange,
        expected_version: Option<u64>,
    ) -> anyhow::Result<SettingsUpdated> {
        let now = self.now();
        self.tx(async |tx| settings_update(tx, change, expected_version, "anna", now).await).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_settings_keeps_what_it_does_not_name() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let before = scene.settings().await?;
    let change = SettingsChange { page_size: Some(7), ..SettingsChange::default() };
    let SettingsUpdated::Updated(after) = scene.change(&change, Some(before.version)).await? else {
        panic!("the version was the present one")
    };
    let expected = Settings {
        version: before.version + 1,
        page_size: 7,
        updated_at: after.updated_at,
        updated_by: "anna".to_owned(),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(scene.settings().await?, after);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_the_schedule_moves_the_version_of_the_settings() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let before = scene.settings().await?;
    let change = SettingsChange {
        mode: Some(Mode::Incremental),
        enabled: Some(true),
        cron: Some("5 4 * * *".to_owned()),
        time_zone: Some("Europe/Oslo".to_owned()),
        ..SettingsChange::default()
    };
    let SettingsUpdated::Updated(after) = scene.change(&change, None).await? else {
        panic!("no version was asked for")
    };
    assert_eq!(after.version, before.version + 1);
    let schedule = &after.schedule.definition;
    assert_eq!((schedule.mode, schedule.enabled), (Mode::Incremental, true));
    assert_eq!((schedule.cron.as_str(), schedule.time_zone.as_str()), ("5 4 * * *", "Europe/Oslo"));
    assert_eq!(after.schedule.updated_at, after.updated_at);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_settings_with_an_old_version_changes_nothing() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let before = scene.settings().await?;
    let change = SettingsChange { page_size: Some(7), enabled: Some(true), ..SettingsChange::default() };
    let updated = scene.change(&change, Some(before.version + 5)).await?;
    assert_eq!(updated, SettingsUpdated::Stale(before.clone()));
    assert_eq!(scene.settings().await?, before);
    assert_eq!(scene.number("audit").await, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_settings_is_audited_with_its_values() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let change = SettingsChange {
        retry_delays_ms: Some([1, 2, 3]),
        cron: Some("0 1 * * *".to_owned()),
        ..SettingsChange::default()
    };
    let _updated = scene.change(&change, None).await?;
    let entry = scene.row("SELECT actor, action, subject, detail FROM audit").await;
    assert_eq!(
        (&entry["actor"], &entry["action"], &entry["subject"]),
        (&json!("anna"), &json!("settings.update"), &json!("settings"))
    );
    let detail = &entry["detail"];
    assert_eq!((&detail["retryDelaysMs"], &detail["scheduleCron"]), (&json!([1, 2, 3]), &json!("0 1 * * *")));
    assert!(detail["pageSize"].is_null(), "{detail}");
    Ok(())
}
