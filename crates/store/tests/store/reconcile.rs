//! Records that a full sync does not list any more: counted, kept or deactivated, and when an operator is asked.

use domain::{
    Mode, Outcome, RecordCounts, RecordType, Scope, SyncId, SyncState, missing_records::MissingPolicy,
};
use serde_json::{Value, json};
use store::engine::{
    reconcile::{MissingRecordsDecided, missing_records_decide},
    undo::{SyncUndone, sync_undo},
};

use crate::{
    records::{Records, day},
    scene::{Scene, new_sync},
};

impl Scene {
    async fn deactivate_up_to(&self, percent: u32) -> anyhow::Result<()> {
        self.execute(&format!(
            "UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = {percent}"
        ))
        .await
    }

    async fn decide(&self, id: SyncId, policy: MissingPolicy) -> anyhow::Result<MissingRecordsDecided> {
        let now = self.now();
        self.tx(async |tx| missing_records_decide(tx, id, policy, "anna", Some("sold"), now).await).await
    }

    /// What was done about the missing records of a sync.
    async fn missing_records(&self, id: SyncId) -> Value {
        self.row(&format!("SELECT missing_records FROM sync_logs WHERE id = '{id}'")).await["missing_records"]
            .clone()
    }

    /// How many records of a type are missing, and how many of them were deactivated.
    async fn missing(&self, id: SyncId, record_type: RecordType) -> anyhow::Result<(u64, u64)> {
        let tally = self.tally(id, record_type).await?;
        Ok((tally.missing, tally.deactivated))
    }

    async fn equipment_status(&self, source_id: &str) -> Value {
        let sql = format!("SELECT status FROM equipment WHERE source_id = '{source_id}'");
        self.row(&sql).await["status"].clone()
    }
}

/// The small fleet with a piece of equipment that is not critical, in the database and in the portal.
async fn fleet_with_a_spare() -> anyhow::Result<(Scene, Records)> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    portal.put_equipment("e-spare", "v-1", json!({"isCritical": false, "criticalityBasis": null}));
    let sync = scene.full_sync(&portal).await?;
    assert_eq!((sync.state, sync.missing_records.is_none()), (SyncState::Completed, true), "{sync:?}");
    Ok((scene, portal))
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_record_is_counted_and_kept_by_default() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    let sync = scene.full_sync(&portal.without("e-spare")).await?;
    assert_eq!(sync.state, SyncState::Completed);
    assert_eq!(scene.missing_records(sync.id).await, "kept");
    assert_eq!(scene.missing(sync.id, RecordType::Equipment).await?, (1, 0));
    assert_eq!(scene.equipment_status("e-spare").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_record_within_the_limit_is_withdrawn_and_not_deleted() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let sync = scene.full_sync(&portal.without("e-spare")).await?;
    assert_eq!(sync.state, SyncState::Completed);
    assert_eq!(scene.missing_records(sync.id).await, "deactivated");
    assert_eq!(scene.missing(sync.id, RecordType::Equipment).await?, (1, 1));
    assert_eq!(scene.number("equipment").await, 6);
    let withdrawn =
        scene.row("SELECT source_id, last_writer FROM equipment WHERE status = 'withdrawn'").await;
    assert_eq!(withdrawn, json!({"source_id": "e-spare", "last_writer": "onboarding"}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_record_that_is_listed_again_comes_back() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    scene.full_sync(&portal.without("e-spare")).await?;
    let back = scene.full_sync(&portal).await?;
    assert_eq!(back.state, SyncState::Completed);
    assert_eq!(scene.equipment_status("e-spare").await, "active");
    let expected = RecordCounts { updated: 1, unchanged: 5, ..RecordCounts::default() };
    assert_eq!(scene.counts(back.id, RecordType::Equipment).await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn page_that_was_fetched_before_a_record_was_found_missing_does_not_bring_it_back() -> anyhow::Result<()>
{
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let before = scene.now();
    scene.full_sync(&portal.without("e-spare")).await?;
    assert_eq!(scene.equipment_status("e-spare").await, "withdrawn");
    scene.bring_fetched(&portal, before).await?;
    assert_eq!(scene.equipment_status("e-spare").await, "withdrawn");
    scene.bring(&portal).await?;
    assert_eq!(scene.equipment_status("e-spare").await, "active", "fetched since, it is listed again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_run_plans_the_withdrawal_and_withdraws_nothing() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let mut dry_run = new_sync(Mode::Full, Scope::default());
    dry_run.dry_run = true;
    let id = scene.create_as(&dry_run).await?;
    scene.run(id, &portal.without("e-spare")).await?;
    assert_eq!(scene.missing_records(id).await, "planned");
    assert_eq!(scene.equipment_status("e-spare").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_critical_equipment_is_asked_about() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let sync = scene.full_sync(&portal.without("e-3a")).await?;
    assert_eq!(sync.state, SyncState::CompletedWithErrors);
    assert_eq!(scene.missing_records(sync.id).await, "asks");
    assert!(sync.failure.as_deref().is_some_and(|it| it.contains("critical")), "{sync:?}");
    assert_eq!(scene.equipment_status("e-3a").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_missing_records_than_the_limit_are_asked_about() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let sync = scene.full_sync(&portal.without("v-3")).await?;
    assert_eq!(scene.missing_records(sync.id).await, "asks");
    let said = sync.failure.unwrap_or_default();
    assert!(said.contains("1 of 3 active vessels, more than 20 %"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn decision_to_deactivate_withdraws_what_is_missing_and_is_audited() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let asking = scene.full_sync(&portal.without("v-3").without("e-3a")).await?.id;
    let decided = scene.decide(asking, MissingPolicy::Deactivate).await?;
    assert_eq!(decided, MissingRecordsDecided::Decided { deactivated: 2 });
    assert_eq!(scene.missing_records(asking).await, "confirmed");
    assert_eq!(scene.equipment_status("e-3a").await, "withdrawn");
    assert_eq!(scene.missing(asking, RecordType::Vessel).await?, (1, 1));
    assert_eq!(scene.decide(asking, MissingPolicy::Deactivate).await?, MissingRecordsDecided::NotAsked);
    let entry = scene.row("SELECT actor, action, subject, detail FROM audit").await;
    assert_eq!(
        entry,
        json!({"actor": "anna", "action": "sync.confirm", "subject": asking.to_string(),
               "detail": {"decision": "deactivate", "deactivated": 2, "reason": "sold"}})
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn decision_to_keep_withdraws_nothing() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let asking = scene.full_sync(&portal.without("e-3a")).await?.id;
    let decided = scene.decide(asking, MissingPolicy::Keep).await?;
    assert_eq!(decided, MissingRecordsDecided::Decided { deactivated: 0 });
    assert_eq!(scene.missing_records(asking).await, "declined");
    assert_eq!(scene.equipment_status("e-3a").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn decision_about_a_sync_that_asks_nothing_or_is_unknown_does_nothing() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    let kept = scene.full_sync(&portal.without("e-spare")).await?.id;
    assert_eq!(scene.decide(kept, MissingPolicy::Deactivate).await?, MissingRecordsDecided::NotAsked);
    assert_eq!(scene.decide(SyncId::new(), MissingPolicy::Keep).await?, MissingRecordsDecided::Unknown);
    assert_eq!(scene.equipment_status("e-spare").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn decision_about_an_undone_sync_is_refused() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let asking = scene.full_sync(&portal.without("e-3a")).await?.id;
    let now = scene.now();
    let _undone = scene.tx(async |tx| sync_undo(tx, asking, "anna", now).await).await?;
    assert_eq!(scene.decide(asking, MissingPolicy::Deactivate).await?, MissingRecordsDecided::Undone);
    assert_eq!(scene.equipment_status("e-3a").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn decision_is_overtaken_by_a_later_full_sync() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let first = scene.full_sync(&portal.without("e-3a")).await?.id;
    let later = scene.full_sync(&portal.without("e-3a")).await?.id;
    let decided = scene.decide(first, MissingPolicy::Deactivate).await?;
    assert_eq!(decided, MissingRecordsDecided::Overtaken(later));
    assert_eq!(scene.equipment_status("e-3a").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_was_written_since_the_sync_began_is_not_missing() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    // An approval comes while the lists are read, too late to be on a page.
    let mut approved = Records::default();
    approved.put_equipment("e-new", "v-1", json!({"isCritical": false, "criticalityBasis": null}));
    approved.put_equipment(
        "e-spare",
        "v-1",
        json!({"isCritical": false, "criticalityBasis": null, "maker": "MAN", "updatedAt": day(2)}),
    );
    let brought = scene.bring(&approved).await?;
    assert_eq!((brought.outcome("e-new"), brought.outcome("e-spare")), (Outcome::Created, Outcome::Updated));
    scene.work_off(tasks, &portal.without("e-spare")).await?;
    assert_eq!(scene.stored(id).await?.state, SyncState::Completed);
    assert_eq!(scene.missing_records(id).await, Value::Null);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_was_rejected_is_not_missing() -> anyhow::Result<()> {
    let (scene, mut portal) = fleet_with_a_spare().await?;
    portal.put_vessel("v-3", json!({"imoNumber": "9321484", "updatedAt": day(2)}));
    let sync = scene.full_sync(&portal).await?;
    let expected = RecordCounts { unchanged: 2, rejected: 1, ..RecordCounts::default() };
    assert_eq!(scene.counts(sync.id, RecordType::Vessel).await?, expected);
    assert_eq!(scene.missing_records(sync.id).await, Value::Null);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_with_a_hole_takes_nothing_for_missing() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(100).await?;
    let (id, mut tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let vessels = tasks.remove(0);
    let _end = scene.give_up(&vessels, "the provider answered 404").await?;
    scene.work_off(tasks, &portal).await?;
    assert!(scene.stored(id).await?.state.is_terminal());
    assert_eq!(scene.missing_records(id).await, Value::Null);
    assert_eq!(scene.number(&format!("sync_missing WHERE sync_id = '{id}'")).await, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_is_not_full_takes_nothing_for_missing() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(100).await?;
    let sync = scene.sync(Mode::Incremental, Scope::default(), &portal.without("e-spare")).await?;
    assert_eq!(sync.state, SyncState::Completed, "{sync:?}");
    assert_eq!(scene.missing_records(sync.id).await, Value::Null);
    assert_eq!(scene.equipment_status("e-spare").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_a_sync_has_seen_are_forgotten_at_its_end() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.full_sync(&portal.without("e-spare")).await?;
    assert_eq!(scene.number("sync_seen").await, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_record_comes_back_when_the_sync_is_undone() -> anyhow::Result<()> {
    let (scene, portal) = fleet_with_a_spare().await?;
    scene.deactivate_up_to(20).await?;
    let id = scene.full_sync(&portal.without("e-spare")).await?.id;
    assert_eq!(scene.equipment_status("e-spare").await, "withdrawn");
    let now = scene.now();
    let undone = scene.tx(async |tx| sync_undo(tx, id, "anna", now).await).await?;
    let SyncUndone::Undone(undo) = undone else { panic!("{undone:?}") };
    assert_eq!((undo.restored, undo.withdrawn, undo.skipped), (1, 0, 0));
    assert_eq!(scene.equipment_status("e-spare").await, "active");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_that_shrinks_sync_by_sync_asks_within_a_day() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    for n in 0..20 {
        portal.put_user(&format!("u-x{n:02}"), json!({"email": format!("x{n}@example.com")}));
    }
    scene.full_sync(&portal).await?;
    scene.deactivate_up_to(5).await?;
    // One of 23 is within 5 %, two within a day are not.
    let first = scene.full_sync(&portal.without("u-x00")).await?;
    assert_eq!(scene.missing_records(first.id).await, "deactivated");
    let portal = portal.without("u-x00").without("u-x01");
    let second = scene.full_sync(&portal).await?;
    assert_eq!(scene.missing_records(second.id).await, "asks");
    let said = second.failure.unwrap_or_default();
    assert!(said.contains("1 of 22 active users, more than 5 % with the 1 of the last 24 hours"), "{said}");

    // What an operator has decided does not count for the next.
    let _decided = scene.decide(second.id, MissingPolicy::Deactivate).await?;
    scene
        .execute(
            "UPDATE users SET missing_since = missing_since - interval '1 day' WHERE source_id = 'u-x00'",
        )
        .await?;
    let third = scene.full_sync(&portal.without("u-x02")).await?;
    assert_eq!(scene.missing_records(third.id).await, "deactivated", "{third:?}");
    Ok(())
}
