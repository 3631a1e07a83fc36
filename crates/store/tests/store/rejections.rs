//! Rejected states among sound ones: which of them counts when they arrive in another order.

use chrono::TimeDelta;
use domain::{Mode, Outcome, Scope};
use serde_json::{Value, json};
use store::ledger::{
    findings::FINDINGS_LIMIT,
    seen::{CompaniesNoted, companies_note},
};

use crate::{
    records::{Records, day, equipment, merged, user, vessel},
    scene::Scene,
};

impl Scene {
    /// The codes that stand about a record.
    async fn standing(&self, id: &str) -> Vec<Value> {
        let sql = format!("SELECT code FROM record_findings WHERE source_id = '{id}' ORDER BY code");
        self.rows(&sql).await.into_iter().map(|row| row["code"].clone()).collect()
    }
}

/// A user of no vessel, who needs none to be there.
fn ashore(differences: Value) -> Records {
    let ashore = json!({"workplace": "shore", "vesselIds": []});
    Records::of_users([user("u-1", merged(ashore, differences))])
}

/// The same in a later state that is rejected.
fn faulty(differences: Value) -> Records {
    ashore(merged(json!({"email": "no address", "updatedAt": day(2)}), differences))
}

#[tokio::test(flavor = "multi_thread")]
async fn older_sound_state_leaves_a_newer_one_rejected() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let older = ashore(json!({}));
    let fetched_first = scene.now();
    scene.bring(&older).await?;
    scene.bring(&faulty(json!({}))).await?;
    assert_eq!(scene.standing("u-1").await, ["email_malformed"]);
    // From a page that was fetched before, and from a replica that lags behind.
    for fetched_at in [fetched_first, scene.now()] {
        let brought = scene.bring_fetched(&older, fetched_at).await?;
        assert_eq!(brought.outcome("u-1"), Outcome::Unchanged);
        assert_eq!(scene.standing("u-1").await, ["email_malformed"]);
    }
    // No replica lags for so long: the onboarding portal has gone back to the state that is here.
    scene.bring_fetched(&older, scene.now() + TimeDelta::hours(2)).await?;
    assert_eq!(scene.standing("u-1").await, [] as [Value; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn older_state_that_has_to_be_written_leaves_a_newer_one_rejected() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let fetched_first = scene.now();
    scene.bring(&faulty(json!({}))).await?;
    let older = ashore(json!({"signOff": "2200-01-01"}));
    assert_eq!(scene.bring_fetched(&older, fetched_first).await?.outcome("u-1"), Outcome::Created);
    assert_eq!(scene.standing("u-1").await, ["email_malformed"]);
    // Corrected.
    scene.bring(&ashore(json!({"updatedAt": day(3)}))).await?;
    assert_eq!(scene.standing("u-1").await, [] as [Value; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_state_that_a_newer_sound_one_has_overtaken_does_not_stand() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let fetched_first = scene.now();
    let sound = scene.bring(&ashore(json!({"updatedAt": day(3)}))).await?;
    let late = scene.bring_fetched(&faulty(json!({})), fetched_first).await?;
    assert_eq!(scene.standing("u-1").await, [] as [Value; 0]);
    let findings = |id| format!("findings WHERE sync_id = '{id}'");
    assert_eq!(
        (scene.number(&findings(sound.sync)).await, scene.number(&findings(late.sync)).await),
        (0, 1),
        "the sync has rejected it all the same"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn older_rejected_state_does_not_replace_what_stands_about_a_newer_one() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let fetched_first = scene.now();
    scene.bring(&faulty(json!({}))).await?;
    let older = ashore(json!({"familyName": " ", "updatedAt": day(1)}));
    scene.bring_fetched(&older, fetched_first).await?;
    assert_eq!(scene.standing("u-1").await, ["email_malformed"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_away_before_there_was_a_row_is_taken_from_the_row_that_comes_late()
-> anyhow::Result<()> {
    let taken = [
        (json!({"active": false}), json!({"status": "active", "active": false})),
        (json!({"withdrawnAt": day(2)}), json!({"status": "withdrawn", "active": true})),
    ];
    for (revocation, row) in taken {
        let scene = Scene::new().await?;
        let fetched_first = scene.now();
        scene.bring(&faulty(revocation)).await?;
        scene.bring_fetched(&ashore(json!({})), fetched_first).await?;
        assert_eq!(scene.row("SELECT status, active FROM users").await, row);
        scene.bring(&ashore(json!({"updatedAt": day(3)}))).await?;
        let sound = json!({"status": "active", "active": true});
        assert_eq!(scene.row("SELECT status, active FROM users").await, sound);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_keeps_so_many_findings_and_counts_the_rest() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // As if a fleet had been rejected before.
    let many = FINDINGS_LIMIT - 1;
    let sync = scene.create(Mode::Full, Scope::default()).await?;
    scene
        .execute(&format!(
            "INSERT INTO findings (sync_id, record_type, source_id, severity, code, pointer, message, found_at)
             SELECT '{sync}', 'user', 'u-' || n, 'error', 'x', '', '', now() FROM generate_series(1, {many}) AS n"
        ))
        .await?;
    let three = (1..=3).map(|n| user(&format!("u-{n}"), json!({"email": "no address"})));
    scene.run(sync, &Records::of_users(three)).await?;
    let said =
        format!("SELECT code, message FROM findings WHERE sync_id = '{sync}' AND code <> 'x' ORDER BY id");
    let said: Vec<Value> = scene.rows(&said).await;
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0]["code"], "email_malformed");
    assert_eq!(said[1]["code"], "findings_left_out");
    let left_out = format!("2 more findings are not kept: a sync keeps {FINDINGS_LIMIT}");
    assert_eq!(said[1]["message"], left_out);
    assert_eq!(scene.number("record_findings WHERE code = 'email_malformed'").await, 3, "they stand");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_without_effect_is_not_said_to_take_effect() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&ashore(json!({"updatedAt": day(3)}))).await?;
    // Fetched later and older: the onboarding portal has gone back.
    scene.bring(&ashore(json!({"active": false, "updatedAt": day(2)}))).await?;
    assert_eq!(scene.standing("u-1").await, ["older_than_here"]);
    scene.bring(&faulty(json!({"active": false}))).await?;
    assert_eq!(scene.standing("u-1").await, ["email_malformed"]);
    assert_eq!(scene.row("SELECT active FROM users").await, json!({"active": true}));
    Ok(())
}

/// Pages are written in any order: one that has the company as it was before may come after the one that has it malformed.
#[tokio::test(flavor = "multi_thread")]
async fn company_whose_rejection_stands_stays_rejected_in_the_tally() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (sync, _) = scene.begun(Mode::Full, Scope::default()).await?;
    let note = async |outcome| {
        let outcomes = [("c-1".to_owned(), outcome)];
        scene.tx(async |tx| companies_note(tx, sync, &outcomes).await).await
    };
    assert_eq!(note(Outcome::Rejected).await?.counts.rejected, 1);
    let stands = format!(
        "INSERT INTO record_findings (sync_id, record_type, source_id, label, vessel_ids, severity, code, pointer, message, found_at)
         VALUES ('{}', 'company', 'c-1', 'Nordic', '{{}}', 'error', 'country_unknown', '', '', now())",
        sync
    );
    scene.execute(&stands).await?;
    assert_eq!(note(Outcome::Unchanged).await?, CompaniesNoted::default());

    scene.execute("DELETE FROM record_findings").await?;
    let mended = note(Outcome::Updated).await?;
    assert_eq!((mended.recounted.rejected, mended.counts.updated), (1, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_state_is_of_the_vessels_that_it_names_and_of_those_of_the_row() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let two = [vessel("v-1", json!({})), vessel("v-2", json!({"imoNumber": "9619907"}))];
    scene.bring(&Records::of_vessels(two)).await?;
    let mut sound = Records::of_equipment([equipment("e-1", "v-2", json!({}))]);
    sound.put_user("u-1", json!({"vesselIds": ["v-1"]}));
    scene.bring(&sound).await?;
    let mut broken =
        Records::of_equipment([equipment("e-1", "v-1", json!({"code": "6O1.9", "updatedAt": day(2)}))]);
    broken.put_equipment("e-2", "v-1", json!({"code": "6O1.9"}));
    broken.put_user("u-1", json!({"vesselIds": [], "workplace": "submarine", "updatedAt": day(2)}));
    scene.bring(&broken).await?;
    let of = async |id: &str| {
        let sql = format!(
            "SELECT DISTINCT vessel_ids FROM record_findings WHERE source_id = '{id}' AND severity = 'error'"
        );
        scene.row(&sql).await["vessel_ids"].clone()
    };
    assert_eq!(of("e-1").await, json!(["v-1", "v-2"]), "the row stands on v-2, and is outdated");
    assert_eq!(of("e-2").await, json!(["v-1"]));
    assert_eq!(of("u-1").await, json!(["v-1"]), "a state that names none");
    Ok(())
}
