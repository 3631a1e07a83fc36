//! Temporary passwords that have served, or never will.

use chrono::TimeDelta;
use serde_json::{Value, json};
use store::records::{
    PasswordClaim, PasswordReissue, UserId, expired_passwords_purge, user_password_claim,
    user_password_reissue, users_active_without_password,
};

use crate::{
    records::{Records, day, user},
    scene::Scene,
};

impl Scene {
    /// Active users with a sealed temporary password each, which expires in an hour.
    async fn users_with_passwords(&self, ids: &[&str]) -> anyhow::Result<()> {
        let users = ids.iter().map(|id| user(id, json!({"vesselIds": []})));
        self.bring(&Records { ..Records::of_users(users.collect::<Vec<_>>()) }).await?;
        let sql = format!(
            "UPDATE users SET password_hash = 'hash', sealed_password = 'seal', password_expires_at = '{}'",
            self.now() + TimeDelta::hours(1)
        );
        self.execute(&sql).await
    }

    async fn purge_passwords(&self) -> anyhow::Result<usize> {
        let later = self.now() + TimeDelta::hours(2);
        self.tx(async |tx| expired_passwords_purge(tx, later, 100).await).await
    }

    async fn user_id(&self, source_id: &str) -> anyhow::Result<UserId> {
        let row = self.row(&format!("SELECT id FROM users WHERE source_id = '{source_id}'")).await;
        Ok(UserId::from_uuid(row["id"].as_str().unwrap_or_default().parse()?))
    }

    async fn passwords(&self) -> Vec<Value> {
        self.rows(
            "SELECT source_id AS id, password_hash IS NOT NULL AS hash, sealed_password IS NOT NULL AS seal
             FROM users ORDER BY source_id",
        )
        .await
    }

    async fn waiting_for_a_password(&self) -> anyhow::Result<Vec<String>> {
        let ids = users_active_without_password(&mut *self.store.db().await?, 100).await?;
        Ok(ids.iter().map(ToString::to_string).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_password_is_removed_with_its_hash_and_not_made_anew() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.users_with_passwords(&["u-claimed", "u-own", "u-unused"]).await?;
    let claimed = scene.user_id("u-claimed").await?;
    let now = scene.now();
    let claim = scene.tx(async |tx| user_password_claim(tx, claimed, "anna", now).await).await?;
    assert!(matches!(claim, PasswordClaim::Claimed { .. }), "{claim:?}");
    scene.execute("UPDATE users SET must_change_password = false WHERE source_id = 'u-own'").await?;

    assert_eq!(
        scene.tx(async |tx| expired_passwords_purge(tx, now, 100).await).await?,
        1,
        "a seal without use"
    );
    assert_eq!(scene.purge_passwords().await?, 2);
    assert_eq!(scene.purge_passwords().await?, 0);
    assert_eq!(
        scene.passwords().await,
        [
            json!({"id": "u-claimed", "hash": false, "seal": false}),
            json!({"id": "u-own", "hash": true, "seal": false}),
            json!({"id": "u-unused", "hash": false, "seal": false}),
        ]
    );
    assert_eq!(scene.waiting_for_a_password().await?, Vec::<String>::new());
    let unused = scene.user_id("u-unused").await?;
    let later = scene.now() + TimeDelta::hours(2);
    let claim = scene.tx(async |tx| user_password_claim(tx, unused, "anna", later).await).await?;
    assert_eq!(claim, PasswordClaim::Expired);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reissued_password_is_made_by_a_worker_and_audited() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.users_with_passwords(&["u-1"]).await?;
    scene.purge_passwords().await?;
    let (id, now) = (scene.user_id("u-1").await?, scene.now());
    let reissue = scene.tx(async |tx| user_password_reissue(tx, id, "anna", now).await).await?;
    assert_eq!(reissue, PasswordReissue::Requested);
    assert_eq!(scene.waiting_for_a_password().await?, ["u-1"]);
    let audit = scene.row("SELECT actor, action, subject, detail FROM audit").await;
    assert_eq!(
        audit,
        json!({"actor": "anna", "action": "user.reissue_password", "subject": id.to_string(),
               "detail": {"result": "Requested"}})
    );
    let nobody = UserId::from_uuid(uuid::Uuid::nil());
    let unknown = scene.tx(async |tx| user_password_reissue(tx, nobody, "anna", now).await).await?;
    assert_eq!(unknown, PasswordReissue::Unknown);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_out_user_has_no_password_until_active_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.users_with_passwords(&["u-1"]).await?;
    scene.purge_passwords().await?;
    let (id, now) = (scene.user_id("u-1").await?, scene.now());
    let of_u1 = |differences| Records::of_users([user("u-1", differences)]);
    scene.bring(&of_u1(json!({"vesselIds": [], "active": false, "updatedAt": day(2)}))).await?;
    let reissue = scene.tx(async |tx| user_password_reissue(tx, id, "anna", now).await).await?;
    assert_eq!(reissue, PasswordReissue::LockedOut);
    assert_eq!(scene.waiting_for_a_password().await?, Vec::<String>::new());
    scene.bring(&of_u1(json!({"vesselIds": [], "updatedAt": day(3)}))).await?;
    assert_eq!(scene.waiting_for_a_password().await?, ["u-1"], "what had expired before does not count");
    Ok(())
}
