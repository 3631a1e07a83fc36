//! What takes rights or records away takes effect, whatever else is wrong with the record; and only that.

use chrono::TimeDelta;
use domain::{
    RecordType,
    clock::{Clock, SystemClock},
};
use serde_json::{Value, json};
use store::engine::due_withdrawals::due_withdrawals_apply;
use testbed::List;

use crate::scene::Scene;

async fn synced_fleet() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    Ok(scene)
}

impl Scene {
    async fn user(&self, id: &str) -> Value {
        let sql = format!(
            "SELECT status, active, password_hash IS NOT NULL AS has_password FROM users WHERE source_id = '{id}'"
        );
        self.rows(&sql).await.remove(0)
    }

    async fn status_of(&self, table: &str, id: &str) -> Value {
        self.rows(&format!("SELECT status FROM {table} WHERE source_id = '{id}'")).await[0]["status"].clone()
    }

    /// The codes that stand about a record.
    async fn codes(&self, id: &str) -> Vec<Value> {
        let sql = format!("SELECT code FROM record_findings WHERE source_id = '{id}' ORDER BY code");
        self.rows(&sql).await.into_iter().map(|row| row["code"].clone()).collect()
    }

    /// A full sync that rejects something.
    async fn full_sync_with_errors(&self) -> anyhow::Result<()> {
        let id = self.full_sync().await?;
        let sync = self.ended(id).await?;
        anyhow::ensure!(sync["state"] == "completed_with_errors", "{sync}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deactivation_takes_effect_beside_other_faults() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    let at = "2026-05-02T00:00:00Z";
    let dates = json!({"active": false, "signOn": "2026-05-02", "signOff": "2026-05-01", "updatedAt": at});
    scene.provider.put_user("u-1", dates);
    // Another login has the address: only the database can tell.
    scene.provider.put_user("u-2", json!({"active": false, "email": "user3@example.com", "updatedAt": at}));
    scene.full_sync_with_errors().await?;
    for id in ["u-1", "u-2"] {
        let locked_out = json!({"status": "active", "active": false, "has_password": false});
        assert_eq!(scene.user(id).await, locked_out, "{id}");
    }
    assert_eq!(scene.codes("u-1").await, ["deactivated_despite_errors", "sign_off_before_sign_on"]);
    assert_eq!(scene.codes("u-2").await, ["deactivated_despite_errors", "duplicate_email"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_off_takes_effect_beside_other_faults() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    let signed_off = |more: Value| {
        let mut fields = json!({"signOff": "2026-05-01", "updatedAt": "2026-05-02T00:00:00Z"});
        fields.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        fields
    };
    scene.provider.put_user("u-1", signed_off(json!({"email": "no address"})));
    scene.provider.put_user("u-2", signed_off(json!({"email": "user3@example.com"})));
    scene.provider.put_raw(List::Users, "u-3", signed_off(json!({"id": "u-3", "email": 7})).to_string());
    scene.full_sync_with_errors().await?;
    for id in ["u-1", "u-2", "u-3"] {
        let locked_out = json!({"status": "active", "active": false, "has_password": false});
        assert_eq!(scene.user(id).await, locked_out, "{id}");
        assert!(scene.codes(id).await.contains(&json!("deactivated_despite_errors")), "{id}");
    }
    // Mended, and signed on again: the user has a way in.
    let mended = json!({"email": "user1@example.com", "signOff": null, "updatedAt": "2026-05-03T00:00:00Z"});
    scene.provider.put_user("u-1", mended);
    scene.full_sync_with_errors().await?;
    assert_eq!(scene.user("u-1").await, json!({"status": "active", "active": true, "has_password": true}));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawal_takes_effect_beside_other_faults() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    let withdrawn = json!({"updatedAt": "2026-05-02T00:00:00Z", "withdrawnAt": "2026-05-02T00:00:00Z"});
    let with = |more: Value| {
        let mut fields = withdrawn.clone();
        fields.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        fields
    };
    scene.provider.put_user("u-1", with(json!({"email": "no address"})));
    scene.provider.put_raw(List::Users, "u-2", with(json!({"id": "u-2"})).to_string());
    scene.provider.put_raw(List::Vessels, "v-3", with(json!({"id": "v-3"})).to_string());
    scene.provider.put_equipment("e-1a", "v-unknown", withdrawn.clone());
    scene.provider.put_equipment("e-1b", "v-1", with(json!({"qrCode": "?"})));
    scene.full_sync_with_errors().await?;
    for (table, id) in
        [("users", "u-1"), ("users", "u-2"), ("vessels", "v-3"), ("equipment", "e-1a"), ("equipment", "e-1b")]
    {
        assert_eq!(scene.status_of(table, id).await, "withdrawn", "{id}");
        assert!(scene.codes(id).await.contains(&json!("withdrawn_despite_errors")), "{id}");
    }
    assert_eq!(scene.user("u-2").await["has_password"], false);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_of_a_time_in_the_future_does_not_outlive_its_correction() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    scene.provider.put_user("u-1", json!({"active": false, "updatedAt": "2100-01-01T00:00:00Z"}));
    scene.full_sync_with_errors().await?;
    assert_eq!(scene.user("u-1").await["active"], false);
    scene.provider.put_user("u-1", json!({"active": true, "updatedAt": "2026-05-01T00:00:00Z"}));
    let corrected = scene.full_sync().await?;
    assert_eq!(scene.ended(corrected).await?["state"], "completed");
    assert_eq!(scene.user("u-1").await, json!({"status": "active", "active": true, "has_password": true}));
    assert_eq!(scene.codes("u-1").await, [] as [Value; 0]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_older_than_the_row_changes_nothing() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    let older = json!({"active": false, "email": "no address", "updatedAt": "2026-04-01T00:00:00Z"});
    scene.provider.put_user("u-1", older);
    scene.full_sync_with_errors().await?;
    assert_eq!(scene.user("u-1").await["active"], true);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawal_in_the_future_is_carried_out_when_it_is_due() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    let due = SystemClock.now() + TimeDelta::days(200);
    scene.provider.put_user("u-1", json!({"withdrawnAt": due, "updatedAt": "2026-05-02T00:00:00Z"}));
    let never = json!({"withdrawnAt": "9999-12-31T00:00:00Z", "updatedAt": "2026-05-02T00:00:00Z"});
    scene.provider.put_vessel("v-1", never);
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    assert_eq!(
        (scene.status_of("users", "u-1").await, scene.status_of("vessels", "v-1").await),
        ("active".into(), "active".into())
    );
    assert_eq!(scene.codes("u-1").await, ["withdrawal_in_future"]);
    assert_eq!(scene.codes("v-1").await, [] as [Value; 0]);

    let withdrawn = scene.store.transaction(async |tx| due_withdrawals_apply(tx, due).await).await?;
    assert_eq!(withdrawn, 1);
    assert_eq!(
        scene.user("u-1").await,
        json!({"status": "withdrawn", "active": true, "has_password": false})
    );
    assert_eq!(scene.codes("u-1").await, [] as [Value; 0]);
    let again = scene.full_sync().await?;
    scene.ended(again).await?;
    assert_eq!(scene.status_of("users", "u-1").await, "withdrawn", "the portal says what it said before");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_and_deactivation_of_one_second_leave_the_user_locked_out() -> anyhow::Result<()> {
    let scene = synced_fleet().await?;
    for n in 0..6 {
        let id = format!("u-fast-{n}");
        scene
            .provider
            .put_user(&id, json!({"email": format!("fast{n}@example.com"), "familyName": format!("F{n}")}));
        let approved = scene.webhook("user.approved", RecordType::User, &id).await?;
        scene.event_state(approved.id, "processed").await?;
        scene.provider.put_user(&id, json!({"active": false}));
        let deactivated = scene.webhook("user.deactivated", RecordType::User, &id).await?;
        scene.event_state(deactivated.id, "processed").await?;
        assert_eq!(scene.user(&id).await["active"], false, "{id}");
    }
    scene.end().await;
    Ok(())
}
