//! Withdrawals and deactivations: against an edit of the maintenance portal, and before they are due.

use chrono::TimeDelta;
use domain::{
    Outcome,
    conflict::{ConflictKind, Side},
};
use serde_json::json;
use store::{
    Window,
    engine::conflict_resolution::{Choice, Resolved, conflict_resolve},
    ledger::conflicts::{ConflictFilter, conflict_list},
    records::{PasswordClaim, UserId, user_password_claim},
};

use crate::{
    records::{Records, day, user},
    scene::Scene,
};

#[tokio::test(flavor = "multi_thread")]
async fn decided_deactivation_of_a_rejected_record_ends_with_its_next_sound_state() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let others = || user("u-2", json!({"vesselIds": []}));
    scene.bring(&Records::of_users([user("u-1", json!({"vesselIds": []})), others()])).await?;
    scene.execute("UPDATE users SET family_name = 'By hand' WHERE source_id = 'u-1'").await?;
    let faulty = json!({"vesselIds": [], "active": false, "email": "u-2@example.com", "updatedAt": day(2)});
    assert_eq!(
        scene.bring(&Records::of_users([user("u-1", faulty)])).await?.outcome("u-1"),
        Outcome::Rejected
    );
    let row = "SELECT active, family_name FROM users WHERE source_id = 'u-1'";
    assert_eq!(scene.row(row).await, json!({"active": true, "family_name": "By hand"}), "the edit is newer");

    let window = Window { limit: 10, ..Window::default() };
    let conflicts =
        conflict_list(&mut *scene.store.db().await?, &ConflictFilter::default(), window).await?.rows;
    let [conflict] = conflicts.as_slice() else { anyhow::bail!("{conflicts:?}") };
    assert_eq!((conflict.kind, &conflict.source["active"]), (ConflictKind::LocalNewer, &json!(false)));
    let now = scene.now();
    let choice = Choice::Side(Side::Source);
    let resolved = scene.tx(async |tx| conflict_resolve(tx, conflict.id, &choice, "anna", now).await).await?;
    assert_eq!(resolved, Resolved::Resolved);
    assert_eq!(scene.row(row).await, json!({"active": false, "family_name": "By hand"}));

    // The content of the first sync again, newer than the edit, which is made to lie long ago.
    let long_ago = "UPDATE users SET version_at = '2000-01-01', synced_at = synced_at + interval '1 s'";
    scene.execute(long_ago).await?;
    let sound_then = Records::of_users([user("u-1", json!({"vesselIds": [], "updatedAt": day(3)}))]);
    assert_eq!(scene.bring(&sound_then).await?.outcome("u-1"), Outcome::Updated);
    assert_eq!(scene.row(row).await, json!({"active": true, "family_name": "Nordmann"}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn password_cannot_be_claimed_once_an_announced_withdrawal_is_due() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let due = scene.now() + TimeDelta::days(30);
    scene.bring(&Records::of_users([user("u-1", json!({"vesselIds": [], "withdrawnAt": due}))])).await?;
    scene
        .execute(
            "UPDATE users SET password_hash = 'x', sealed_password = 'x', password_expires_at = '2999-01-01'",
        )
        .await?;
    let id: uuid::Uuid =
        scene.row("SELECT id FROM users").await["id"].as_str().unwrap_or_default().parse()?;
    let claim =
        scene.tx(async |tx| user_password_claim(tx, UserId::from_uuid(id), "anna", due).await).await?;
    assert_eq!(claim, PasswordClaim::LockedOut);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn state_that_was_seen_again_keeps_out_another_of_the_same_time_that_was_fetched_before()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    scene.bring(&portal).await?;
    portal.put_user("u-1", json!({"active": false, "updatedAt": day(2)}));
    scene.bring(&portal).await?;
    // A page shows the user active, at the same second; before it is written, an event finds the user inactive once more.
    let page_fetched = scene.now();
    scene.bring(&portal).await?;
    let mut page = portal.clone();
    page.put_user("u-1", json!({"active": true, "updatedAt": day(2)}));
    scene.bring_fetched(&page, page_fetched).await?;
    assert_eq!(scene.row("SELECT active FROM users WHERE source_id = 'u-1'").await, json!({"active": false}));
    Ok(())
}
