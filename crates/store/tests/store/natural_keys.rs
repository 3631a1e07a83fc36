//! Natural keys: an IMO number, a label's code, an e-mail address has one active record, also when it moves.

use domain::{Outcome, RecordCounts, RecordType};
use serde_json::{Value, json};

use crate::{
    records::{Records, day, equipment, user, vessel},
    scene::{Brought, Scene},
};

impl Scene {
    async fn bring_users(&self, users: &[(&str, &str)], at: u32) -> anyhow::Result<Brought> {
        let of = |(id, email): &(&str, &str)| {
            user(id, json!({"email": format!("{email}@example.com"), "vesselIds": [], "updatedAt": day(at)}))
        };
        self.bring(&Records::of_users(users.iter().map(of))).await
    }

    async fn addresses(&self) -> Vec<Value> {
        let rows = self.rows("SELECT split_part(email, '@', 1) AS name FROM users ORDER BY source_id").await;
        rows.into_iter().map(|row| row["name"].clone()).collect()
    }

    /// Why records of a sync were rejected.
    async fn rejections_of(&self, brought: &Brought) -> Vec<Value> {
        self.rows(&format!(
            "SELECT code, source_id, message FROM findings WHERE sync_id = '{}' AND severity = 'error'",
            brought.sync
        ))
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_new_records_with_one_key_the_first_goes_in_and_the_other_is_told_whose_it_is()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    for first_outcome in [Outcome::Created, Outcome::Unchanged] {
        let brought = scene.bring_users(&[("u-1", "Twin"), ("u-2", "twin")], 1).await?;
        assert_eq!(brought.outcomes(RecordType::User), [first_outcome, Outcome::Rejected]);
        assert_eq!(
            scene.rejections_of(&brought).await,
            [json!({"code": "duplicate_email", "source_id": "u-2", "message": "belongs to u-1 already"})]
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn address_moves_along_a_chain_of_records_of_one_page() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring_users(&[("u-1", "a"), ("u-2", "b"), ("u-3", "c")], 1).await?;
    // Each follows the next one, and somebody new the last.
    let moved = [("u-1", "b"), ("u-2", "c"), ("u-3", "ashore"), ("u-0", "a")];
    let brought = scene.bring_users(&moved, 2).await?;
    let expected = RecordCounts { created: 1, updated: 3, ..RecordCounts::default() };
    assert_eq!(brought.counts(RecordType::User), expected);
    assert_eq!(scene.addresses().await, ["a", "b", "c", "ashore"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_two_records_exchange_stay_and_both_are_rejected() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring_users(&[("u-1", "a"), ("u-2", "b"), ("u-3", "c")], 1).await?;
    let brought = scene.bring_users(&[("u-1", "b"), ("u-2", "a"), ("u-3", "c")], 2).await?;
    let expected = RecordCounts { unchanged: 1, rejected: 2, ..RecordCounts::default() };
    assert_eq!(brought.counts(RecordType::User), expected);
    assert_eq!(scene.addresses().await, ["a", "b", "c"]);
    Ok(())
}

/// A vessel with a piece of equipment and a user, all with the same keys whatever their ids.
fn keyed(of: &str, at: u32, is_withdrawn: bool) -> Records {
    let with = |key: &str, value: &str| json!({key: value, "updatedAt": day(at), "withdrawnAt": is_withdrawn.then(|| day(at))});
    let (vessel_id, equipment_id, user_id) = (format!("v-{of}"), format!("e-{of}"), format!("u-{of}"));
    Records {
        vessels: vec![vessel(&vessel_id, with("imoNumber", "9074729"))],
        equipment: vec![equipment(&equipment_id, &vessel_id, with("qrCode", "ACME-000001"))],
        users: vec![user(&user_id, with("email", "ola@example.com"))],
    }
}

const KEYED: [(&str, &str, &str); 3] = [
    ("vessels", "imo_number", "9074729"),
    ("equipment", "qr_code", "ACME-000001"),
    ("users", "email", "ola@example.com"),
];

impl Scene {
    /// Which records are active and hold the keys of [`keyed`].
    async fn holders(&self) -> Vec<Value> {
        let mut holders = Vec::new();
        for (table, column, value) in KEYED {
            let sql =
                format!("SELECT source_id FROM {table} WHERE status = 'active' AND {column} = '{value}'");
            holders.extend(self.rows(&sql).await.into_iter().map(|row| row["source_id"].clone()));
        }
        holders
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tombstone_that_comes_first_keeps_older_states_from_coming_to_life() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let long_ago = scene.now();
    for (records, fetched_at) in [(keyed("1", 2, true), scene.now()), (keyed("1", 1, false), long_ago)] {
        let brought = scene.bring_fetched(&records, fetched_at).await?;
        for id in ["v-1", "e-1", "u-1"] {
            assert_eq!(brought.outcome(id), Outcome::Skipped, "{id}");
        }
        for (table, ..) in KEYED {
            assert_eq!(scene.number(&format!("{table} WHERE status = 'withdrawn'")).await, 1, "{table}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_tombstone_that_came_first_are_free() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&keyed("1", 2, true)).await?;
    scene.bring(&keyed("2", 3, false)).await?;
    assert_eq!(scene.holders().await, ["v-2", "e-2", "u-2"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn number_and_address_move_from_a_withdrawn_record_within_a_page_and_a_label_stays()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&keyed("1", 1, false)).await?;
    let (mut both, next) = (keyed("1", 2, true), keyed("2", 2, false));
    both.vessels.extend(next.vessels);
    both.equipment.extend(next.equipment);
    both.users.extend(next.users);
    let brought = scene.bring(&both).await?;
    assert_eq!((brought.outcome("v-1"), brought.outcome("v-2")), (Outcome::Updated, Outcome::Created));
    assert_eq!((brought.outcome("u-1"), brought.outcome("u-2")), (Outcome::Updated, Outcome::Created));
    // The label of e-1 hung on board: nobody else may have it.
    assert_eq!((brought.outcome("e-1"), brought.outcome("e-2")), (Outcome::Updated, Outcome::Conflict));
    assert_eq!(scene.holders().await, ["v-2", "u-2"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_states_of_one_record_on_a_page_the_older_is_skipped() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let state = |name: &str, at: u32| vessel("v-1", json!({"name": name, "updatedAt": day(at)}));
    for page in [[state("New", 3), state("Old", 2)], [state("Older", 4), state("Newer", 5)]] {
        let brought = scene.bring(&Records::of_vessels(page)).await?;
        assert_eq!(brought.counts(RecordType::Vessel).skipped, 1);
    }
    assert_eq!(scene.row("SELECT name FROM vessels").await["name"], "Newer");
    Ok(())
}
