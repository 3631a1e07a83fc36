//! Records that both portals have changed: what a sync makes of them, and what an operator's decision does.

use std::collections::BTreeMap;

use domain::{
    Outcome, RecordType,
    conflict::{ConflictKind, ConflictPolicy, ConflictState, Side},
    last_write_wins::Writer,
};
use serde_json::{Value, json};
use store::{
    engine::conflict_resolution::{Choice, Resolved, conflict_resolve},
    ledger::conflicts::{Conflict, ConflictFilter, conflict_list, conflicts_open},
    settings::conflict_policies::{PoliciesUpdated, policies_read, policies_update},
};

use crate::{
    records::{Records, day, equipment, user, vessel},
    scene::{Brought, Scene},
};

impl Scene {
    async fn conflicts(&self, filter: ConflictFilter) -> anyhow::Result<Vec<Conflict>> {
        let window = store::Window { limit: 100, ..store::Window::default() };
        Ok(conflict_list(&mut *self.store.db().await?, &filter, window).await?.rows)
    }

    /// The one conflict of a kind.
    async fn conflict(&self, kind: ConflictKind) -> anyhow::Result<Conflict> {
        let filter = ConflictFilter { kind: Some(kind), ..ConflictFilter::default() };
        let mut found = self.conflicts(filter).await?;
        anyhow::ensure!(found.len() == 1, "{found:?}");
        Ok(found.remove(0))
    }

    async fn resolve(&self, conflict: &Conflict, choice: Choice) -> anyhow::Result<Resolved> {
        let now = self.now();
        self.tx(async |tx| conflict_resolve(tx, conflict.id, &choice, "anna", now).await).await
    }

    async fn policy(&self, record_type: RecordType, policy: ConflictPolicy) -> anyhow::Result<()> {
        let now = self.now();
        let updated = self
            .tx(async |tx| {
                let version = policies_read(tx).await?.version;
                policies_update(tx, &[(record_type, policy)].into(), version, "anna", now).await
            })
            .await?;
        anyhow::ensure!(matches!(updated, PoliciesUpdated::Updated(_)), "{updated:?}");
        Ok(())
    }

    /// An edit of the maintenance portal: it is of now, and so newer than every day of the test.
    async fn edit_vessel(&self, name: &str) -> anyhow::Result<()> {
        self.execute(&format!("UPDATE vessels SET name = '{name}' WHERE source_id = 'v-1'")).await
    }

    /// An edit of the maintenance portal that is older than the portal's records of later days.
    async fn edit_vessel_on(&self, name: &str, at: u32) -> anyhow::Result<()> {
        self.edit_vessel(name).await?;
        // Moving synced_at tells the trigger that this is no edit.
        let sql = "UPDATE vessels SET synced_at = synced_at + interval '1 second', version_at = ";
        self.execute(&format!("{sql} '{}' WHERE source_id = 'v-1'", day(at))).await
    }

    async fn bring_vessel(&self, name: &str, at: u32) -> anyhow::Result<Brought> {
        let it = vessel("v-1", json!({"name": name, "updatedAt": day(at)}));
        self.bring(&Records::of_vessels([it])).await
    }

    async fn vessel_name(&self) -> Value {
        self.row("SELECT name FROM vessels WHERE source_id = 'v-1'").await["name"].clone()
    }
}

/// A vessel that was edited here and has changed in the onboarding portal, and the conflict about it.
async fn edited_vessel() -> anyhow::Result<(Scene, Records, Conflict)> {
    let scene = Scene::new().await?;
    scene.bring(&Records::of_vessels([vessel("v-1", json!({"name": "Star"}))])).await?;
    scene.execute("UPDATE vessels SET name = 'Star II', flag = 'PA'").await?;
    let change = json!({"name": "Sun", "portOfRegistry": "Oslo", "updatedAt": day(2)});
    let incoming = Records::of_vessels([vessel("v-1", change)]);
    assert_eq!(scene.bring(&incoming).await?.outcome("v-1"), Outcome::Conflict);
    let conflict = scene.conflict(ConflictKind::LocalNewer).await?;
    Ok((scene, incoming, conflict))
}

fn fields(sides: &[(&str, Side)]) -> Choice {
    Choice::Fields(sides.iter().map(|(name, side)| ((*name).to_owned(), *side)).collect())
}

// ------------------------------------------------------------------------------------------------ an edit that is newer

#[tokio::test(flavor = "multi_thread")]
async fn newer_edit_stays_and_both_sides_are_kept() -> anyhow::Result<()> {
    let (scene, _, conflict) = edited_vessel().await?;
    assert_eq!(scene.vessel_name().await, "Star II");
    assert_eq!(conflict.policy, ConflictPolicy::LastWriteWins);
    assert_eq!(conflict.winner, Side::Local);
    assert_eq!(conflict.local_writer, Writer::Maintenance);
    assert_eq!(conflict.label.as_deref(), Some("Sun (IMO 9074729)"));
    assert_eq!((&conflict.local["name"], &conflict.source["name"]), (&json!("Star II"), &json!("Sun")));
    let differing: Vec<_> =
        conflict.source.keys().filter(|name| conflict.local[*name] != conflict.source[*name]).collect();
    assert_eq!(differing, ["flag", "name", "port_of_registry"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn same_two_versions_that_meet_again_are_one_conflict() -> anyhow::Result<()> {
    let (scene, incoming, conflict) = edited_vessel().await?;
    assert_eq!(scene.bring(&incoming).await?.outcome("v-1"), Outcome::Conflict);
    assert_eq!(scene.conflict(ConflictKind::LocalNewer).await?.id, conflict.id);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn choice_field_by_field_writes_the_chosen_sides_and_leaves_the_rest() -> anyhow::Result<()> {
    let (scene, _, conflict) = edited_vessel().await?;
    let choice = fields(&[("name", Side::Source), ("flag", Side::Local)]);
    assert_eq!(scene.resolve(&conflict, choice).await?, Resolved::Resolved);
    let row = scene.row("SELECT name, flag, port_of_registry FROM vessels").await;
    assert_eq!(row, json!({"name": "Sun", "flag": "PA", "port_of_registry": null}));
    let resolved = scene.conflict(ConflictKind::LocalNewer).await?;
    assert_eq!((resolved.state, resolved.resolved_by.as_deref()), (ConflictState::Resolved, Some("anna")));
    assert_eq!(resolved.resolved_fields, Some(json!({"name": "source", "flag": "local"})));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn choice_that_names_an_unknown_field_changes_nothing() -> anyhow::Result<()> {
    let (scene, _, conflict) = edited_vessel().await?;
    let choice = fields(&[("name", Side::Source), ("nonsense", Side::Local)]);
    assert_eq!(scene.resolve(&conflict, choice).await?, Resolved::UnknownField);
    assert_eq!(scene.vessel_name().await, "Star II");
    assert_eq!(scene.conflict(ConflictKind::LocalNewer).await?.state, ConflictState::Open);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resolved_conflict_is_not_resolved_again() -> anyhow::Result<()> {
    let (scene, _, conflict) = edited_vessel().await?;
    assert_eq!(scene.resolve(&conflict, Choice::Side(Side::Local)).await?, Resolved::Resolved);
    assert_eq!(scene.resolve(&conflict, Choice::Side(Side::Source)).await?, Resolved::Already);
    assert_eq!(scene.vessel_name().await, "Star II");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resolved_versions_that_meet_again_are_no_conflict() -> anyhow::Result<()> {
    for choice in [Choice::Side(Side::Source), Choice::Side(Side::Local), Choice::Keep] {
        let (scene, incoming, conflict) = edited_vessel().await?;
        assert_eq!(scene.resolve(&conflict, choice.clone()).await?, Resolved::Resolved);
        assert_eq!(scene.bring(&incoming).await?.outcome("v-1"), Outcome::Unchanged, "{choice:?}");
        assert_eq!(conflicts_open(&mut *scene.store.db().await?, None).await?, 0, "{choice:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resolution_is_audited_with_its_fields() -> anyhow::Result<()> {
    let (scene, _, conflict) = edited_vessel().await?;
    assert_eq!(scene.resolve(&conflict, fields(&[("name", Side::Source)])).await?, Resolved::Resolved);
    let entry = scene.row("SELECT actor, action, subject, detail FROM audit").await;
    assert_eq!(
        (&entry["actor"], &entry["action"], &entry["subject"]),
        (&json!("anna"), &json!("conflict.resolve"), &json!(conflict.id.to_string()))
    );
    assert_eq!(
        entry["detail"],
        json!({"recordType": "vessel", "sourceId": "v-1", "kind": "local_newer", "resolution": "fields",
               "fields": {"name": "source"}})
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_edited_since_the_conflict_is_only_kept() -> anyhow::Result<()> {
    let (scene, incoming, conflict) = edited_vessel().await?;
    scene.edit_vessel("Once more").await?;
    assert_eq!(scene.resolve(&conflict, Choice::Side(Side::Source)).await?, Resolved::Changed);
    assert_eq!(scene.resolve(&conflict, Choice::Keep).await?, Resolved::Resolved);
    assert_eq!(scene.vessel_name().await, "Once more");
    assert_eq!(scene.bring(&incoming).await?.outcome("v-1"), Outcome::Unchanged);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_are_listed_by_sync_and_state() -> anyhow::Result<()> {
    let (scene, _, conflict) = edited_vessel().await?;
    let sync_id = conflict.sync_id;
    let of_sync = ConflictFilter { sync_id, ..ConflictFilter::default() };
    assert_eq!(scene.conflicts(of_sync.clone()).await?.len(), 1);
    let resolved = ConflictFilter { state: Some(ConflictState::Resolved), ..of_sync };
    assert_eq!(scene.conflicts(resolved).await?, []);
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------- withdrawals

/// A vessel and a user that were edited here, and have been withdrawn in the onboarding portal on this day.
async fn edited_and_withdrawn(policy: ConflictPolicy, at: u32) -> anyhow::Result<(Scene, Records)> {
    let scene = Scene::new().await?;
    for record_type in [RecordType::Vessel, RecordType::User] {
        scene.policy(record_type, policy).await?;
    }
    let records = |more: Value| Records {
        vessels: vec![vessel("v-1", more.clone())],
        users: vec![user("u-1", more)],
        ..Records::default()
    };
    scene.bring(&records(json!({}))).await?;
    scene.execute("UPDATE users SET password_hash = 'x'").await?;
    scene.edit_vessel_on("By hand", 2).await?;
    scene.execute("UPDATE users SET family_name = 'By hand'").await?;
    let moved =
        format!("UPDATE users SET synced_at = synced_at + interval '1 second', version_at = '{}'", day(2));
    scene.execute(&moved).await?;
    let tombstones = records(json!({"updatedAt": day(at), "withdrawnAt": day(at)}));
    let brought = scene.bring(&tombstones).await?;
    for id in ["v-1", "u-1"] {
        assert_eq!(brought.outcome(id), Outcome::Conflict, "{id}");
    }
    Ok((scene, tombstones))
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawal_that_an_edit_holds_back_is_carried_out_by_the_sources_side() -> anyhow::Result<()> {
    // Older than the edit under last write wins, and newer than it under the manual policy.
    for (policy, at) in [(ConflictPolicy::LastWriteWins, 1), (ConflictPolicy::Manual, 3)] {
        let (scene, tombstones) = edited_and_withdrawn(policy, at).await?;
        for conflict in scene.conflicts(ConflictFilter::default()).await? {
            let sides = (&conflict.local["status"], &conflict.source["status"]);
            assert_eq!(sides, (&json!("active"), &json!("withdrawn")), "{policy}: {conflict:?}");
            assert_eq!(scene.resolve(&conflict, Choice::Side(Side::Source)).await?, Resolved::Resolved);
        }
        assert_eq!(scene.number("vessels WHERE status = 'withdrawn'").await, 1, "{policy}");
        let locked_out = "users WHERE status = 'withdrawn' AND password_hash IS NULL";
        assert_eq!(scene.number(locked_out).await, 1, "{policy}");
        let again = scene.bring(&tombstones).await?;
        assert_eq!((again.outcome("v-1"), again.outcome("u-1")), (Outcome::Unchanged, Outcome::Unchanged));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_without_a_new_time_is_a_conflict_of_its_own() -> anyhow::Result<()> {
    let (scene, _, conflict) = edited_vessel().await?;
    let other = json!({"name": "Moon", "portOfRegistry": "Oslo", "updatedAt": day(2)});
    let incoming = Records::of_vessels([vessel("v-1", other)]);
    assert_eq!(scene.bring(&incoming).await?.outcome("v-1"), Outcome::Conflict);
    let names: Vec<_> = scene
        .conflicts(ConflictFilter::default())
        .await?
        .into_iter()
        .map(|it| (it.id == conflict.id, it.source["name"].clone()))
        .collect();
    assert_eq!(names, [(false, json!("Moon")), (true, json!("Sun"))]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_equipment_belong_to_both_sides_and_go_in_with_the_source() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let with_parts = |ids: &[&str], minimum: i32, at: u32| {
        let part = |id: &&str| {
            json!({"id": id, "partNumber": "1", "name": "Valve", "unit": "pcs", "minimumStock": minimum,
                   "isCritical": true})
        };
        let parts: Value = ids.iter().map(part).collect();
        let of = json!({"criticalParts": parts, "maintenanceSchedules": [], "updatedAt": day(at)});
        Records::of_equipment([equipment("e-1", "v-1", of)])
    };
    scene.bring(&Records::of_vessels([vessel("v-1", json!({}))])).await?;
    scene.bring(&with_parts(&["p-1", "p-2"], 2, 1)).await?;
    scene.execute("UPDATE critical_parts SET minimum_stock = 9 WHERE source_id = 'p-1'").await?;
    let incoming = with_parts(&["p-1", "p-3"], 4, 2);
    assert_eq!(scene.bring(&incoming).await?.outcome("e-1"), Outcome::Conflict);
    let conflict = scene.conflict(ConflictKind::LocalNewer).await?;
    let stocks = |side: &serde_json::Map<String, Value>| {
        let parts = side["critical_parts"].as_object().cloned().unwrap_or_default();
        parts.into_iter().map(|(id, part)| (id, part["minimum_stock"].clone())).collect::<Vec<_>>()
    };
    let listed = |parts: &[(&str, i32)]| -> Vec<(String, Value)> {
        parts.iter().map(|(id, stock)| ((*id).to_owned(), json!(stock))).collect()
    };
    assert_eq!(stocks(&conflict.local), listed(&[("p-1", 9), ("p-2", 2)]));
    assert_eq!(stocks(&conflict.source), listed(&[("p-1", 4), ("p-3", 4)]));

    assert_eq!(scene.resolve(&conflict, Choice::Side(Side::Source)).await?, Resolved::Resolved);
    let parts = scene
        .rows(
            "SELECT source_id, minimum_stock FROM critical_parts WHERE status = 'active' ORDER BY source_id",
        )
        .await;
    let stored = |id: &str| json!({"source_id": id, "minimum_stock": 4});
    assert_eq!(parts, [stored("p-1"), stored("p-3")]);
    assert_eq!(scene.bring(&incoming).await?.outcome("e-1"), Outcome::Unchanged);
    Ok(())
}

// ------------------------------------------------------------------------------------------------------------- policies

#[tokio::test(flavor = "multi_thread")]
async fn policy_source_wins_takes_the_portals_state_and_keeps_the_edit() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.policy(RecordType::Vessel, ConflictPolicy::SourceWins).await?;
    scene.bring_vessel("Star", 1).await?;
    scene.edit_vessel("By hand").await?;
    assert_eq!(scene.bring_vessel("From source", 2).await?.outcome("v-1"), Outcome::Updated);
    assert_eq!(scene.vessel_name().await, "From source");
    let kept = scene.conflict(ConflictKind::LocalNewer).await?;
    assert_eq!((kept.winner, &kept.local["name"]), (Side::Source, &json!("By hand")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_source_wins_skips_a_state_that_the_last_sync_has_overtaken() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.policy(RecordType::Vessel, ConflictPolicy::SourceWins).await?;
    let long_ago = scene.now();
    scene.bring_vessel("Sun", 2).await?;
    scene.edit_vessel("By hand").await?;
    let overtaken = vessel("v-1", json!({"name": "Star", "updatedAt": day(1)}));
    let brought = scene.bring_fetched(&Records::of_vessels([overtaken]), long_ago).await?;
    assert_eq!(brought.outcome("v-1"), Outcome::Skipped);
    assert_eq!(scene.vessel_name().await, "By hand");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_manual_holds_a_newer_state_for_an_operator() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.policy(RecordType::Vessel, ConflictPolicy::Manual).await?;
    scene.bring_vessel("Star", 1).await?;
    scene.edit_vessel_on("By hand", 3).await?;
    assert_eq!(scene.bring_vessel("Held", 4).await?.outcome("v-1"), Outcome::Conflict);
    assert_eq!(scene.vessel_name().await, "By hand");
    let held = scene.conflict(ConflictKind::SourceNewer).await?;
    assert_eq!((held.winner, held.policy), (Side::Local, ConflictPolicy::Manual));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn held_state_resolved_to_the_source_is_written_as_by_a_sync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.policy(RecordType::Vessel, ConflictPolicy::Manual).await?;
    scene.bring_vessel("Star", 1).await?;
    scene.edit_vessel_on("By hand", 3).await?;
    scene.bring_vessel("Held", 4).await?;
    let held = scene.conflict(ConflictKind::SourceNewer).await?;
    assert_eq!(scene.resolve(&held, Choice::Side(Side::Source)).await?, Resolved::Resolved);
    assert_eq!(scene.vessel_name().await, "Held");
    assert_eq!(scene.bring_vessel("Held", 4).await?.outcome("v-1"), Outcome::Unchanged);
    let later = scene.bring_vessel("Later", 5).await?;
    assert_eq!(later.outcome("v-1"), Outcome::Updated, "no edit is in the way any more");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_holds_for_its_record_type_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.policy(RecordType::Equipment, ConflictPolicy::SourceWins).await?;
    scene.bring_vessel("Star", 1).await?;
    scene.edit_vessel("By hand").await?;
    assert_eq!(scene.bring_vessel("From source", 2).await?.outcome("v-1"), Outcome::Conflict);
    assert_eq!(scene.vessel_name().await, "By hand");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_policies_with_an_old_version_changes_nothing() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (now, change) = (scene.now(), BTreeMap::from([(RecordType::Vessel, ConflictPolicy::Manual)]));
    let before = policies_read(&mut *scene.store.db().await?).await?;
    let updated = scene.tx(async |tx| policies_update(tx, &change, 77, "anna", now).await).await?;
    assert_eq!(updated, PoliciesUpdated::Stale(before));
    assert_eq!(scene.number("audit").await, 0);
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------- criticality

/// Critical equipment that the onboarding portal does not call critical any more.
fn downgraded(at: u32) -> Records {
    let change = json!({"isCritical": false, "criticalityBasis": null, "maker": format!("Maker {at}"),
                        "updatedAt": day(at)});
    Records::of_equipment([equipment("e-1", "v-1", change)])
}

async fn critical_equipment() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    let mut records = Records::of_vessels([vessel("v-1", json!({}))]);
    records.put_equipment("e-1", "v-1", json!({}));
    scene.bring(&records).await?;
    Ok(scene)
}

const CRITICALITY: &str = "SELECT is_critical, criticality_basis, maker FROM equipment";

#[tokio::test(flavor = "multi_thread")]
async fn critical_equipment_takes_a_downgrades_other_values_and_stays_critical() -> anyhow::Result<()> {
    let scene = critical_equipment().await?;
    assert_eq!(scene.bring(&downgraded(2)).await?.outcome("e-1"), Outcome::Conflict);
    assert_eq!(
        scene.row(CRITICALITY).await,
        json!({"is_critical": true, "criticality_basis": "ism_10_3", "maker": "Maker 2"})
    );
    let conflict = scene.conflict(ConflictKind::CriticalityDowngrade).await?;
    assert_eq!(conflict.winner, Side::Local);
    assert_eq!(
        (&conflict.local["is_critical"], &conflict.source["is_critical"]),
        (&json!(true), &json!(false))
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn downgrade_resolved_to_the_source_is_no_edit_of_the_maintenance_portal() -> anyhow::Result<()> {
    let scene = critical_equipment().await?;
    scene.bring(&downgraded(2)).await?;
    let conflict = scene.conflict(ConflictKind::CriticalityDowngrade).await?;
    assert_eq!(scene.resolve(&conflict, Choice::Side(Side::Source)).await?, Resolved::Resolved);
    assert_eq!(
        scene.row(CRITICALITY).await,
        json!({"is_critical": false, "criticality_basis": null, "maker": "Maker 2"})
    );
    assert_eq!(scene.bring(&downgraded(2)).await?.outcome("e-1"), Outcome::Unchanged);
    assert_eq!(scene.bring(&downgraded(3)).await?.outcome("e-1"), Outcome::Updated);
    Ok(())
}

// --------------------------------------------------------------------------------------------------------------- labels

impl Scene {
    async fn qr_code(&self, id: &str) -> String {
        let row = self.row(&format!("SELECT qr_code FROM equipment WHERE source_id = '{id}'")).await;
        row["qr_code"].as_str().expect("a code").to_owned()
    }
}

/// `e-holder` has a label, and `e-newcomer` comes with the same.
async fn label_twice() -> anyhow::Result<(Scene, Records)> {
    let scene = Scene::new().await?;
    let mut records = Records::of_vessels([vessel("v-1", json!({}))]);
    records.put_equipment("e-holder", "v-1", json!({"qrCode": "ACME-000001"}));
    scene.bring(&records).await?;
    let newcomer = Records::of_equipment([
        equipment("e-newcomer", "v-1", json!({"qrCode": "acme-000001"})),
        equipment("e-other", "v-1", json!({"qrCode": "ACME-000004"})),
    ]);
    let brought = scene.bring(&newcomer).await?;
    assert_eq!(brought.outcomes(RecordType::Equipment), [Outcome::Conflict, Outcome::Created]);
    Ok((scene, newcomer))
}

#[tokio::test(flavor = "multi_thread")]
async fn label_of_other_equipment_stays_there_and_the_newcomer_gets_another() -> anyhow::Result<()> {
    let (scene, _) = label_twice().await?;
    assert_eq!(scene.qr_code("e-holder").await, "ACME-000001");
    assert!(scene.qr_code("e-newcomer").await.starts_with("SMS-"));
    let conflict = scene.conflict(ConflictKind::NaturalKey).await?;
    assert_eq!(conflict.source["holder"], "e-holder");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn label_conflict_resolved_to_the_source_hands_the_label_over_for_good() -> anyhow::Result<()> {
    let (scene, newcomer) = label_twice().await?;
    let conflict = scene.conflict(ConflictKind::NaturalKey).await?;
    assert_eq!(scene.resolve(&conflict, Choice::Side(Side::Source)).await?, Resolved::Resolved);
    assert_eq!(scene.qr_code("e-newcomer").await, "ACME-000001");
    assert!(scene.qr_code("e-holder").await.starts_with("SMS-"), "it needs a new label");
    let again = scene.bring(&newcomer).await?;
    assert_eq!(again.outcomes(RecordType::Equipment), [Outcome::Unchanged, Outcome::Unchanged]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn label_conflict_resolved_to_the_local_side_leaves_both_labels() -> anyhow::Result<()> {
    let (scene, newcomer) = label_twice().await?;
    let conflict = scene.conflict(ConflictKind::NaturalKey).await?;
    assert_eq!(scene.resolve(&conflict, Choice::Side(Side::Local)).await?, Resolved::Resolved);
    assert_eq!(scene.qr_code("e-holder").await, "ACME-000001");
    assert!(scene.qr_code("e-newcomer").await.starts_with("SMS-"));
    let again = scene.bring(&newcomer).await?;
    assert_eq!(again.outcomes(RecordType::Equipment), [Outcome::Unchanged, Outcome::Unchanged]);
    Ok(())
}
