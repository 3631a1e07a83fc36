//! Dry runs: they write nothing, and say exactly what the sync then does.

use std::collections::BTreeMap;

use anyhow::ensure;
use domain::{Mode, RecordCounts, RecordType, Scope, SyncId};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::scene::{NONE, Scene, announced};

/// Everything that a sync may write, but for the sync's own rows.
const WRITTEN: &[&str] = &[
    "SELECT * FROM companies ORDER BY id",
    "SELECT * FROM vessels ORDER BY id",
    "SELECT * FROM equipment ORDER BY id",
    "SELECT * FROM critical_parts ORDER BY id",
    "SELECT * FROM maintenance_schedules ORDER BY id",
    "SELECT * FROM users ORDER BY id",
    "SELECT * FROM conflicts ORDER BY id",
    "SELECT * FROM audit ORDER BY id",
];

async fn written(scene: &Scene) -> Vec<Vec<Value>> {
    let mut all = Vec::new();
    for sql in WRITTEN {
        all.push(scene.rows(sql).await);
    }
    all
}

async fn tallies(scene: &Scene, id: SyncId) -> Vec<Value> {
    scene
        .rows(&format!(
            "SELECT record_type, expected, read, created, updated, unchanged, conflict, rejected, skipped
             FROM sync_counts WHERE sync_id = '{id}' ORDER BY record_type"
        ))
        .await
}

async fn findings(scene: &Scene, id: SyncId) -> Vec<Value> {
    scene
        .rows(&format!(
            "SELECT record_type, source_id, label, severity, code, pointer, message, value FROM findings
             WHERE sync_id = '{id}' ORDER BY record_type, source_id, code, pointer, message"
        ))
        .await
}

/// The rows of records, as people would compare them: by id, without what is ours.
async fn records(scene: &Scene) -> BTreeMap<(String, String), Value> {
    let mut all = BTreeMap::new();
    for (record_type, table) in
        [("company", "companies"), ("vessel", "vessels"), ("equipment", "equipment"), ("user", "users")]
    {
        for row in scene.rows(&format!("SELECT source_id, to_jsonb(t) AS row FROM {table} t")).await {
            let id = row["source_id"].as_str().unwrap_or_default().to_owned();
            all.insert((record_type.to_owned(), id), row["row"].clone());
        }
    }
    all
}

fn column(pointer: &str) -> Option<String> {
    let name = pointer.strip_prefix('/')?;
    if name.contains('/') || matches!(name, "vesselId" | "companyId") {
        return None; // a part, or a reference: it stands in another table
    }
    let snake = |letter: char| {
        if letter.is_ascii_uppercase() {
            format!("_{}", letter.to_ascii_lowercase())
        } else {
            letter.to_string()
        }
    };
    Some(name.chars().map(snake).collect())
}

/// Tries, checks that nothing happened, does it, and checks that what happened is what was said.
async fn said_and_done(scene: &Scene, mode: Mode, scope: &Scope) -> anyhow::Result<()> {
    let before = written(scene).await;
    let rows_before = records(scene).await;
    let dry = scene.dry_run(mode, scope.clone()).await?;
    let dry_run = scene.ended(dry).await?;
    let after = written(scene).await;
    ensure!(after == before, "a dry run wrote: {before:#?} became {after:#?}");

    let real = scene.sync(mode, scope.clone()).await?;
    let real_sync = scene.ended(real).await?;
    ensure!(dry_run["state"] == real_sync["state"], "{dry_run} against {real_sync}");
    let (said, done) = (tallies(scene, dry).await, tallies(scene, real).await);
    ensure!(said == done, "said {said:#?}, did {done:#?}");
    let (said, done) = (findings(scene, dry).await, findings(scene, real).await);
    ensure!(said == done, "found {said:#?}, then {done:#?}");

    let rows_after = records(scene).await;
    let changes = scene
        .rows(&format!(
            "SELECT record_type, source_id, outcome, fields FROM sync_changes WHERE sync_id = '{dry}'"
        ))
        .await;
    let mut named = BTreeMap::new();
    for change in &changes {
        let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        let key = (text("record_type"), text("source_id"));
        if text("outcome") == "created" {
            ensure!(!rows_before.contains_key(&key) && rows_after.contains_key(&key), "{change}");
        }
        for field in change["fields"].as_array().into_iter().flatten() {
            let pointer = field["field"].as_str().unwrap_or_default();
            let masked = key.0 == "user" && ["/email", "/familyName"].contains(&pointer);
            let Some(column) = column(pointer).filter(|_| !masked) else { continue };
            ensure!(rows_after[&key][&column] == field["new"], "{change} against {}", rows_after[&key]);
            let old = rows_before.get(&key).map(|row| row[&column].clone()).unwrap_or_default();
            ensure!(old == field["old"], "{change} against {old}");
        }
        named.insert(key, text("outcome"));
    }
    // And nothing beside: whoever is not named has kept every value.
    for (key, row) in &rows_after {
        let kept = |row: &Value| {
            let mut row = row.clone();
            for ours in ["synced_at", "updated_at", "version_at", "source_updated_at"] {
                row[ours] = Value::Null;
            }
            row
        };
        if !named.contains_key(key) {
            let same = rows_before.get(key).map(kept) == Some(kept(row));
            ensure!(same, "{key:?} was not named: {:?} became {row}", rows_before.get(key));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_an_empty_portal_sees_vessels_that_are_not_there_and_makes_no_passwords()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_equipment("e-orphan", "v-nowhere", json!({"qrCode": "ACME-000009"}));
    // One label on two pages: the second is a conflict, though the first is not there.
    scene.provider.put_equipment("e-0", "v-1", json!({"qrCode": "ACME-000001"}));
    scene.provider.put_equipment("e-9", "v-1", json!({"qrCode": "ACME-000001"}));
    let dry = scene.dry_run(Mode::Full, Scope::default()).await?;
    let sync = scene.ended(dry).await?;
    assert_eq!(sync["state"], "completed_with_errors", "{sync}");
    assert_eq!(
        scene.tally(dry, RecordType::Equipment).await,
        announced(8, RecordCounts { created: 6, conflict: 1, rejected: 1, ..NONE })
    );
    assert_eq!(
        scene.tally(dry, RecordType::Company).await,
        announced(1, RecordCounts { created: 1, ..NONE })
    );
    let codes = scene.rows("SELECT code FROM findings ORDER BY code").await;
    assert_eq!(codes, [json!({"code": "duplicate_qr_code"}), json!({"code": "orphan"})]);
    for table in ["companies", "vessels", "equipment", "critical_parts", "users"] {
        assert_eq!(scene.number(table).await, 0, "{table}");
    }
    let secrets =
        scene.number("sync_changes WHERE row_after ? 'password_hash' OR fields::text LIKE '%assword%'").await;
    assert_eq!(secrets, 0);
    // It is in nobody's way, and the real sync starts from nothing.
    said_and_done(&scene, Mode::Full, &Scope::default()).await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sees_a_number_and_an_address_pass_on_from_page_to_page() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let first = scene.full_sync().await?;
    assert_eq!(scene.ended(first).await?["state"], "completed");
    let at = |day: u8, withdrawn: bool| {
        let at = format!("2026-05-{day:02}T00:00:00Z");
        json!({"updatedAt": at, "withdrawnAt": withdrawn.then_some(at)})
    };
    let with = |mut record: Value, name: &str, value: &str| {
        record[name] = json!(value);
        record
    };
    // One page lets go and takes; the pages after it must not stumble over either.
    scene.provider.put_vessel("v-0", with(at(2, false), "imoNumber", "9321483"));
    scene.provider.put_vessel("v-3", at(2, true));
    scene.provider.put_user("u-0", with(at(2, false), "email", "user3@example.com"));
    scene.provider.put_user("u-3", with(at(2, true), "email", "user3@example.com"));
    for (day, id, imo) in [(3, "v-4", "9434761"), (4, "v-5", "9176187")] {
        scene.provider.put_vessel(id, with(at(day, false), "imoNumber", imo));
        let address = format!("{id}@example.com");
        scene.provider.put_user(&id.replace('v', "u"), with(at(day, false), "email", &address));
    }
    scene.world.execute("UPDATE settings SET page_size = 4").await?;
    said_and_done(&scene, Mode::Full, &Scope::default()).await?;
    assert_eq!(scene.number("vessels WHERE source_id = 'v-0' AND imo_number = '9321483'").await, 1);
    assert_eq!(scene.number("users WHERE source_id = 'u-0' AND email = 'user3@example.com'").await, 1);
    scene.end().await;
    Ok(())
}

#[derive(Debug, Clone)]
enum Step {
    Vessel(u8, u8, i64),
    Equipment(u8, u8, u8, i64),
    User(u8, u8, i64),
    Withdraw(&'static str, u8, i64),
    EditEquipment(u8),
    EditVessel(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let day = 1i64..28;
    prop_oneof![
        (0u8..5, 0u8..6, day.clone()).prop_map(|(id, imo, day)| Step::Vessel(id, imo, day)),
        (0u8..8, 0u8..6, 0u8..9, day.clone())
            .prop_map(|(id, vessel, qr, day)| Step::Equipment(id, vessel, qr, day)),
        (0u8..4, 0u8..5, day.clone()).prop_map(|(id, email, day)| Step::User(id, email, day)),
        (prop::sample::select(vec!["v", "e", "u"]), 0u8..4, day)
            .prop_map(|(kind, id, day)| Step::Withdraw(kind, id, day)),
        (0u8..8).prop_map(Step::EditEquipment),
        (0u8..5).prop_map(Step::EditVessel),
    ]
}

/// The last of them has a wrong check digit.
const IMOS: [&str; 6] = ["9074729", "9619907", "9321483", "9434761", "9176187", "9074728"];

async fn play(scene: &Scene, step: &Step) -> anyhow::Result<()> {
    let at = |day: &i64| format!("2026-05-{day:02}T00:00:00Z");
    match step {
        Step::Vessel(id, imo, day) => {
            let vessel = json!({"imoNumber": IMOS[usize::from(*imo)], "name": format!("Vessel {day}"), "updatedAt": at(day),
                "withdrawnAt": null});
            scene.provider.put_vessel(&format!("v-{id}"), vessel);
        }
        Step::Equipment(id, vessel, qr, day) => {
            let equipment = json!({"qrCode": format!("QR-{qr:06}"), "unitNumber": id + 1, "maker": format!("Maker {day}"),
                "isCritical": qr % 2 == 0, "updatedAt": at(day), "withdrawnAt": null});
            scene.provider.put_equipment(&format!("e-{id}"), &format!("v-{vessel}"), equipment);
        }
        Step::User(id, email, day) => {
            let user = json!({"email": format!("user{email}@example.com"), "rank": format!("Rank {day}"), "updatedAt": at(day),
                "withdrawnAt": null});
            scene.provider.put_user(&format!("u-{id}"), user);
        }
        // Whether it was ever there or not.
        Step::Withdraw(kind, id, day) => {
            let gone = json!({"withdrawnAt": at(day), "updatedAt": at(day)});
            match *kind {
                "v" => scene.provider.put_vessel(&format!("v-{id}"), gone),
                "e" => scene.provider.put_equipment(&format!("e-{id}"), &format!("v-{id}"), gone),
                _ => scene.provider.put_user(&format!("u-{id}"), gone),
            }
        }
        Step::EditEquipment(id) => {
            let sql = format!("UPDATE equipment SET name = 'edited on board' WHERE source_id = 'e-{id}'");
            scene.world.execute(&sql).await?;
        }
        Step::EditVessel(id) => {
            let sql = format!("UPDATE vessels SET call_sign = 'LAAA' WHERE source_id = 'v-{id}'");
            scene.world.execute(&sql).await?;
        }
    }
    Ok(())
}

#[test]
fn a_dry_run_predicts_exactly_what_the_run_then_does_and_writes_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let scene = runtime.block_on(Scene::new()).unwrap();
    // One page at a time: of two records that quarrel over one label, the first to come wins, and who comes first is not
    // told beforehand.
    runtime.block_on(scene.world.execute("UPDATE settings SET page_size = 100")).unwrap();
    let config = ProptestConfig {
        cases: 8,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    };
    let rounds = prop::collection::vec(prop::collection::vec(step(), 1..16), 1..4);
    TestRunner::new(config)
        .run(&rounds, |rounds| {
            runtime.block_on(async {
                for steps in &rounds {
                    for step in steps {
                        play(&scene, step).await.unwrap();
                    }
                    let done = said_and_done(&scene, Mode::Full, &Scope::default()).await;
                    prop_assert!(done.is_ok(), "{done:?}");
                }
                Ok(())
            })
        })
        .unwrap();
    runtime.block_on(scene.end());
}
