//! A provider that was restored from a backup: its states are older than the rows, and an operator accepts them.

use std::collections::BTreeMap;

use domain::{Mode, RecordType, Scope, SyncId, SyncState};
use serde_json::json;
use store::{
    engine::older_states::{OlderStatesAccepted, older_states_accept, older_states_count},
    ledger::syncs::NewSync,
};

use crate::{
    records::{Records, day},
    scene::{Scene, new_sync},
};

impl Scene {
    async fn older_states(&self, id: SyncId) -> anyhow::Result<BTreeMap<RecordType, u64>> {
        Ok(older_states_count(&mut *self.store.db().await?, id).await?)
    }

    async fn accept_older(
        &self,
        id: SyncId,
        expected: u64,
    ) -> anyhow::Result<(NewSync, OlderStatesAccepted)> {
        let (new, now) = (new_sync(Mode::Selective, Scope::default()), self.now());
        let accepted = self.tx(async |tx| older_states_accept(tx, id, &new, expected, now).await).await?;
        Ok((new, accepted))
    }
}

/// The fleet as it was on the first of May, and a company, a vessel, a piece of equipment and a user of it as they were
/// changed on the ninth.
fn before_and_after() -> (Records, Records) {
    let before = Records::small_fleet();
    let mut after = before.clone();
    let company = json!({"id": "c-1", "name": "Nordic Bulk ASA", "country": "NO", "updatedAt": day(9)});
    for (id, imo_number) in [("v-2", "9619907"), ("v-3", "9321483")] {
        after.put_vessel(id, json!({"imoNumber": imo_number, "company": company}));
    }
    let changed = json!({"imoNumber": "9074729", "name": "Changed", "updatedAt": day(9), "company": company});
    after.put_vessel("v-1", changed);
    after.put_equipment("e-1a", "v-1", json!({"name": "Changed", "updatedAt": day(9)}));
    after.put_user("u-1", json!({"email": "user1@example.com", "rank": "Master", "updatedAt": day(9)}));
    (before, after)
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_older_states_go_in_with_a_sync_of_exactly_these_records() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (before, after) = before_and_after();
    scene.full_sync(&after).await?;
    // The portal is restored from a backup.
    let sync = scene.full_sync(&before).await?;
    assert_eq!(sync.state, SyncState::CompletedWithErrors, "{sync:?}");
    let expected = RecordType::ALL.iter().map(|record_type| (*record_type, 1)).collect();
    assert_eq!(scene.older_states(sync.id).await?, expected);

    let (new, accepted) = scene.accept_older(sync.id, 4).await?;
    assert_eq!(accepted, OlderStatesAccepted::Accepted { records: 4, left: 0, sync: new.id });
    let stored = scene.stored(new.id).await?;
    assert_eq!(stored.retry_of, Some(sync.id));
    let ids = |list| stored.scope.source_ids.get(&list).cloned().unwrap_or_default();
    assert_eq!(ids(RecordType::Vessel), ["v-1"], "the company comes with its vessel");
    assert_eq!(
        (ids(RecordType::Equipment), ids(RecordType::User)),
        (vec!["e-1a".into()], vec!["u-1".into()])
    );

    let ended = scene.run(new.id, &before).await?;
    assert_eq!(ended.state, SyncState::Completed, "{ended:?}");
    let row = scene.row("SELECT name FROM vessels WHERE source_id = 'v-1'").await;
    assert_eq!(row["name"], "Vessel v-1");
    assert_eq!(scene.row("SELECT name FROM companies").await["name"], "Nordic Bulk AS");
    assert_eq!(scene.number("equipment WHERE name = 'Changed'").await, 0);
    assert_eq!(scene.number("record_findings WHERE severity = 'error'").await, 0);
    assert_eq!(scene.older_states(sync.id).await?, BTreeMap::new());
    let audit = scene.row("SELECT actor, detail FROM audit WHERE action = 'sync.accept_older'").await;
    assert_eq!((&audit["actor"], &audit["detail"]["records"]["vessel"]), (&json!("anna"), &json!(1)));

    let again = scene.full_sync(&before).await?;
    assert_eq!(again.state, SyncState::Completed, "the portals agree: {again:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_older_state_of_an_edited_record_is_a_conflict_and_the_edit_stays() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (before, after) = before_and_after();
    scene.full_sync(&after).await?;
    scene.execute("UPDATE vessels SET name = 'By hand' WHERE source_id = 'v-1'").await?;
    let sync = scene.full_sync(&before).await?;
    let total = scene.older_states(sync.id).await?.values().sum();
    let (new, _accepted) = scene.accept_older(sync.id, total).await?;
    scene.run(new.id, &before).await?;
    let row = scene.row("SELECT name, last_writer FROM vessels WHERE source_id = 'v-1'").await;
    assert_eq!(row, json!({"name": "By hand", "last_writer": "maintenance"}));
    let conflict = scene.row("SELECT kind, source_value->>'name' AS name FROM conflicts").await;
    assert_eq!(conflict, json!({"kind": "local_newer", "name": "Vessel v-1"}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn older_states_are_accepted_only_by_who_has_seen_how_many_there_are_and_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (before, after) = before_and_after();
    scene.full_sync(&after).await?;
    let sync = scene.full_sync(&before).await?;
    assert_eq!(scene.accept_older(sync.id, 3).await?.1, OlderStatesAccepted::CountDiffers(4));
    let versions = "vessels WHERE source_updated_at = '1970-01-01 00:00:00+00'";
    assert_eq!(scene.number(versions).await, 0);
    let (_, accepted) = scene.accept_older(sync.id, 4).await?;
    assert!(matches!(accepted, OlderStatesAccepted::Accepted { .. }), "{accepted:?}");
    assert_eq!(scene.number(versions).await, 1);
    // The findings stand until the new sync has run, and count no more.
    assert_eq!(scene.accept_older(sync.id, 4).await?.1, OlderStatesAccepted::CountDiffers(0));

    let (running, _) = scene.begun(Mode::Full, Scope::default()).await?;
    let (_, active) = scene.accept_older(running, 0).await?;
    assert_eq!(active, OlderStatesAccepted::Active(SyncState::Running));
    assert_eq!(scene.accept_older(SyncId::new(), 1).await?.1, OlderStatesAccepted::Unknown);
    Ok(())
}
