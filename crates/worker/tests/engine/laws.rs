//! The law of incremental syncs: after the last change, one incremental sync leaves the same rows as a full sync, and lists in
//! slices leave the same rows as lists in one chain.
//!
//! The fleet changes step by step, with a sync after each: names, companies, addresses that are handed on, withdrawals and
//! re-approvals, equipment approved before its vessel, users before their company, records that are malformed for a while.
//! A second change within a step has the time of the first.

use std::collections::BTreeMap;

use domain::{Mode, Scope};
use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use crate::scene::Scene;

#[derive(Debug, Clone, Copy)]
enum Change {
    RenameVessel(usize),
    RenameCompany,
    WithdrawVessel(usize),
    ReapproveVessel(usize),
    /// Equipment of the fourth vessel, which may come later.
    EquipLateVessel,
    ApproveLateVessel,
    /// The first of the two gets a new address, the second gets the old one of the first.
    HandOnAddress(usize, usize),
    DeactivateUser(usize),
    ActivateUser(usize),
    WithdrawUser(usize),
    ReapproveUser(usize),
    SpoilUser(usize),
    MendUser(usize),
    /// An employee of the company that comes with the fourth vessel.
    EmployUser(usize),
}

#[derive(Debug, Clone)]
struct Step {
    changes: Vec<Change>,
    mode: Mode,
}

fn change() -> impl Strategy<Value = Change> {
    let (vessel, user) = (0..3usize, 0..3usize);
    prop_oneof![
        vessel.clone().prop_map(Change::RenameVessel),
        Just(Change::RenameCompany),
        vessel.clone().prop_map(Change::WithdrawVessel),
        vessel.prop_map(Change::ReapproveVessel),
        Just(Change::EquipLateVessel),
        Just(Change::ApproveLateVessel),
        (user.clone(), 1..3usize).prop_map(|(from, by)| Change::HandOnAddress(from, (from + by) % 3)),
        user.clone().prop_map(Change::DeactivateUser),
        user.clone().prop_map(Change::ActivateUser),
        user.clone().prop_map(Change::WithdrawUser),
        user.clone().prop_map(Change::ReapproveUser),
        user.clone().prop_map(Change::SpoilUser),
        user.clone().prop_map(Change::MendUser),
        user.prop_map(Change::EmployUser),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let mode = prop::sample::select(vec![Mode::Full, Mode::Incremental, Mode::Incremental]);
    let step =
        (prop::collection::vec(change(), 1..6), mode).prop_map(|(changes, mode)| Step { changes, mode });
    prop::collection::vec(step, 1..5)
}

/// The onboarding portal's fleet, by what the changes change.
struct Fleet {
    vessels: Vec<Value>,
    users: Vec<Value>,
    company: Value,
    has_late_vessel: bool,
    has_late_equipment: bool,
    addresses: usize,
}

const IMO_NUMBERS: [&str; 4] = ["9074729", "9619907", "9321483", "9387421"];

impl Fleet {
    fn new() -> Self {
        Self {
            vessels: (0..3).map(|n| json!({"name": format!("Vessel {n}"), "withdrawnAt": null})).collect(),
            users: (0..3)
                .map(|n| {
                    json!({"email": format!("user{n}@example.com"), "active": true, "withdrawnAt": null,
                                "familyName": format!("F{n}"), "companyId": null})
                })
                .collect(),
            company: json!({"id": "c-1", "name": "Nordic", "country": "NO"}),
            has_late_vessel: false,
            has_late_equipment: false,
            addresses: 0,
        }
    }

    /// Makes a change at a time, and tells the provider.
    fn change(&mut self, scene: &Scene, change: Change, at: &str) {
        let provider = &scene.provider;
        match change {
            Change::RenameVessel(n) => self.vessels[n]["name"] = format!("Renamed {at}").into(),
            Change::RenameCompany => self.company["name"] = format!("Renamed {at}").into(),
            Change::WithdrawVessel(n) => self.vessels[n]["withdrawnAt"] = at.into(),
            Change::ReapproveVessel(n) => self.vessels[n]["withdrawnAt"] = Value::Null,
            Change::EquipLateVessel => self.has_late_equipment = true,
            Change::ApproveLateVessel => self.has_late_vessel = true,
            Change::HandOnAddress(from, to) => {
                self.addresses += 1;
                let fresh = format!("fresh{}@example.com", self.addresses);
                let handed_on = std::mem::replace(&mut self.users[from]["email"], fresh.into());
                self.users[to]["email"] = handed_on;
            }
            Change::DeactivateUser(n) => self.users[n]["active"] = false.into(),
            Change::ActivateUser(n) => self.users[n]["active"] = true.into(),
            Change::WithdrawUser(n) => self.users[n]["withdrawnAt"] = at.into(),
            Change::ReapproveUser(n) => self.users[n]["withdrawnAt"] = Value::Null,
            Change::SpoilUser(n) => self.users[n]["familyName"] = " ".into(),
            Change::MendUser(n) => self.users[n]["familyName"] = format!("F{n}").into(),
            Change::EmployUser(n) => self.users[n]["companyId"] = "c-late".into(),
        }
        let with_time = |record: &Value| {
            let mut record = record.clone();
            record["updatedAt"] = at.into();
            record
        };
        match change {
            Change::RenameVessel(n) | Change::WithdrawVessel(n) | Change::ReapproveVessel(n) => {
                provider.put_vessel(&format!("v-{n}"), with_time(&self.vessels[n]));
            }
            // The list of vessels shows a change of their company.
            Change::RenameCompany => {
                for (n, vessel) in self.vessels.iter().enumerate() {
                    let mut vessel = with_time(vessel);
                    vessel["company"] = with_time(&self.company);
                    provider.put_vessel(&format!("v-{n}"), vessel);
                }
            }
            Change::EquipLateVessel => {
                provider.put_equipment("e-late", "v-late", json!({"updatedAt": at}));
            }
            Change::ApproveLateVessel => {
                let company = json!({"id": "c-late", "name": "Late AS", "country": "NO", "updatedAt": at});
                let vessel = json!({"imoNumber": IMO_NUMBERS[3], "company": company, "updatedAt": at});
                provider.put_vessel("v-late", vessel);
            }
            Change::HandOnAddress(from, to) => {
                for n in [from, to] {
                    provider.put_user(&format!("u-{n}"), with_time(&self.users[n]));
                }
            }
            Change::DeactivateUser(n)
            | Change::ActivateUser(n)
            | Change::WithdrawUser(n)
            | Change::ReapproveUser(n)
            | Change::SpoilUser(n)
            | Change::MendUser(n)
            | Change::EmployUser(n) => provider.put_user(&format!("u-{n}"), with_time(&self.users[n])),
        }
    }
}

/// The rows as far as the onboarding portal decides them.
async fn rows(scene: &Scene) -> Rows {
    let queries = [
        ("companies", "SELECT source_id, name, status FROM companies ORDER BY source_id"),
        (
            "vessels",
            "SELECT v.source_id, v.name, v.status, c.source_id AS company
             FROM vessels v JOIN companies c ON c.id = v.company_id ORDER BY v.source_id",
        ),
        (
            "equipment",
            "SELECT e.source_id, e.name, e.status, v.source_id AS vessel
             FROM equipment e JOIN vessels v ON v.id = e.vessel_id ORDER BY e.source_id",
        ),
        (
            "users",
            "SELECT u.source_id, u.email, u.family_name, u.active, u.status, c.source_id AS company,
                 u.password_hash IS NOT NULL AS has_password
             FROM users u LEFT JOIN companies c ON c.id = u.company_id ORDER BY u.source_id",
        ),
        (
            "standing rejections",
            "SELECT record_type, source_id, code FROM record_findings WHERE severity = 'error'
             ORDER BY record_type, source_id, code",
        ),
    ];
    let mut rows = BTreeMap::new();
    for (name, sql) in queries {
        rows.insert(name, scene.rows(sql).await);
    }
    rows
}

async fn sync(scene: &Scene, mode: Mode) -> anyhow::Result<()> {
    let id = scene.sync(mode, Scope::default()).await?;
    let sync = scene.ended(id).await?;
    let state = sync["state"].as_str().unwrap_or_default();
    anyhow::ensure!(["completed", "completed_with_errors"].contains(&state), "{sync}");
    Ok(())
}

/// How the provider's lists are read.
#[derive(Debug, Clone, Copy)]
enum Lists {
    OneChain,
    /// Pages of one record, so that even short lists have a rest to divide.
    Slices,
}

type Rows = BTreeMap<&'static str, Vec<Value>>;

/// The rows after a last incremental sync, and after a full sync behind it.
async fn rows_after(steps: &[Step], lists: Lists) -> anyhow::Result<[Rows; 2]> {
    let scene = Scene::new().await?;
    if matches!(lists, Lists::Slices) {
        scene.world.execute("UPDATE settings SET page_size = 1").await?;
        scene.provider.announce_slices(64);
    }
    let mut fleet = Fleet::new();
    for (n, imo) in IMO_NUMBERS.iter().take(3).enumerate() {
        let mut vessel = fleet.vessels[n].clone();
        vessel["imoNumber"] = (*imo).into();
        scene.provider.put_vessel(&format!("v-{n}"), vessel);
        scene.provider.put_equipment(&format!("e-{n}"), &format!("v-{n}"), json!({}));
        scene.provider.put_user(&format!("u-{n}"), fleet.users[n].clone());
    }
    scene.provider.set_as_of(Some("2026-05-01T12:00:00Z"));
    sync(&scene, Mode::Full).await?;
    for (day, step) in (2..).zip(steps) {
        let at = format!("2026-05-{day:02}T12:00:00Z");
        scene.provider.set_as_of(Some(&at));
        for change in &step.changes {
            fleet.change(&scene, *change, &at);
        }
        sync(&scene, step.mode).await?;
        // The last change of the step comes once more, without a new time, and after the sync has read the list.
        if let Some(change) = step.changes.last() {
            fleet.change(&scene, *change, &at);
        }
    }
    sync(&scene, Mode::Incremental).await?;
    let after_incremental = rows(&scene).await;
    sync(&scene, Mode::Full).await?;
    let after_full = rows(&scene).await;
    let in_slices = "sync_queue WHERE page_request ? 'slice'";
    anyhow::ensure!((scene.number(in_slices).await > 0) == matches!(lists, Lists::Slices), "{lists:?}");
    scene.end().await;
    Ok([after_incremental, after_full])
}

#[test]
fn incremental_sync_leaves_the_same_rows_as_a_full_sync_with_and_without_slices() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let config = ProptestConfig {
        cases: 12,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    // The same fleets each time: what fails on one machine fails on all.
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
        .run(&steps(), |steps| {
            // On threads of their own: the end of a world blocks the one that it is dropped on.
            let [one_chain, in_slices] = std::thread::scope(|scope| {
                let (runtime, steps) = (&runtime, &steps);
                [Lists::OneChain, Lists::Slices]
                    .map(|lists| scope.spawn(move || runtime.block_on(rows_after(steps, lists))))
                    .map(|thread| thread.join().expect("no thread panics"))
            });
            let failed = |error| TestCaseError::fail(format!("{error:?}"));
            let [incremental, full] = one_chain.map_err(failed)?;
            let [incremental_in_slices, full_in_slices] = in_slices.map_err(failed)?;
            prop_assert_eq!(&incremental, &full);
            prop_assert_eq!(&incremental, &incremental_in_slices);
            prop_assert_eq!(&full, &full_in_slices);
            Ok(())
        })
        .map_err(|failure| anyhow::anyhow!("{failure}"))
}
