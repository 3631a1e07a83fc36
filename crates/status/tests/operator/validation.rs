//! What validation says that only the database can know, and the report of it.

use serde_json::{Value, json};

use crate::scene::{Records, Scene, day, equipment, merged, vessel};

fn codes(report: &Value) -> Vec<(&str, &str, &str)> {
    report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| {
            let word = |name: &str| it[name].as_str().unwrap_or_default();
            (word("sourceId"), word("code"), word("pointer"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn oddities_that_only_the_fleet_shows_stand_until_they_are_mended() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let spare = |stock: i32| {
        json!([{"id": "p-1", "partNumber": "1", "name": "Exhaust valve", "unit": "pcs", "minimumStock": 2,
                "stockOnBoard": stock, "isCritical": true}])
    };
    let first = Records {
        vessels: vec![
            merged(
                vessel("v-1", "7625811", "Nordic Star"),
                json!({"mmsi": "257123450", "grossTonnage": 40000}),
            ),
            // One digit off, and valid; the same MMSI.
            merged(vessel("v-2", "7605811", "MV Nordic Star"), json!({"mmsi": "257123450"})),
            vessel("v-3", "9074729", "Baltic Trader"),
        ],
        equipment: vec![
            equipment("e-1", "v-1", json!({"runningHours": 1000, "criticalParts": spare(1)})),
            equipment("e-3", "v-3", json!({"runningHours": 5})),
        ],
        users: vec![json!({
            "id": "u-1", "email": "ola.nordmann@example.com", "familyName": "Nordmann", "rank": "Master",
            "workplace": "ship", "companyId": "c-9", "vesselIds": ["v-1", "v-9"], "active": true, "updatedAt": day(1)
        })],
        ..Records::default()
    };
    let (sync, _) = scene.sync(&first).await?;

    let report = scene.json(scene.get("/api/sync/validation/reports?vessel=7625811"), 200).await;
    assert_eq!(report["vessel"]["sourceId"], "v-1");
    assert_eq!(
        codes(&report),
        [
            ("v-1", "imo_number_near_miss", "/imoNumber"),
            ("v-1", "duplicate_mmsi", "/mmsi"),
            ("e-1", "critical_spares_below_minimum", "/criticalParts/0/stockOnBoard"),
            ("u-1", "company_unknown", "/companyId"),
            ("u-1", "vessel_unknown", "/vesselIds"),
        ]
    );
    let message = report["findings"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("IMO 7605811") && message.contains("v-2"), "{message}");
    assert_eq!(report["criticalSparesBelowMinimum"], 1);
    let of = |kind: &str| {
        let all = report["records"].as_array().expect("a list");
        all.iter().find(|it| it["recordType"] == kind).expect("the kind").clone()
    };
    assert_eq!(
        (of("equipment")["records"].as_i64(), of("equipment")["withWarnings"].as_i64()),
        (Some(1), Some(1))
    );
    assert!(!report.to_string().to_lowercase().contains("nordmann"), "a person's data is masked");

    // The ship writes its own counter, and the onboarding portal comes with an old one.
    scene
        .world
        .execute(
            "UPDATE equipment SET running_hours = 1500 WHERE source_id = 'e-1';
             UPDATE critical_parts SET stock_on_board = 3",
        )
        .await?;
    let second = Records {
        vessels: vec![merged(
            vessel("v-2", "9619907", "MV Nordic Star"),
            json!({"mmsi": "257999990", "updatedAt": day(2)}),
        )],
        equipment: vec![equipment(
            "e-1",
            "v-1",
            json!({"runningHours": 1200, "criticalParts": spare(1), "updatedAt": day(2), "maker": "MAN"}),
        )],
        ..Records::default()
    };
    let (second_sync, _) = scene.sync(&second).await?;
    let hours = scene.rows("SELECT running_hours FROM equipment WHERE source_id = 'e-1'").await;
    assert_eq!(hours, [json!({"running_hours": 1500})]);
    let report =
        scene.json(scene.get("/api/sync/validation/reports?vessel=v-1&recordType=equipment"), 200).await;
    assert_eq!(codes(&report), [("e-1", "running_hours_backwards", "/runningHours")]);
    assert_eq!(report["criticalSparesBelowMinimum"], 0);
    let mended = scene.json(scene.get("/api/sync/validation/reports?vessel=v-2"), 200).await;
    assert_eq!(codes(&mended), []);

    // A sync keeps what it found.
    let path = format!("/api/sync/validation/reports?syncId={sync}&severity=warning&limit=2");
    let of_sync = scene.json(scene.get(&path), 200).await;
    assert_eq!(of_sync["pagination"]["total"], 7);
    assert_eq!(of_sync["findings"].as_array().map(Vec::len), Some(2));
    let path = format!("/api/sync/validation/reports?syncId={second_sync}&code=running_hours_backwards");
    assert_eq!(scene.json(scene.get(&path), 200).await["pagination"]["total"], 1);

    // Retention takes syncs, and not what stands.
    scene.world.execute("DELETE FROM sync_logs").await?;
    let fleet = scene.json(scene.get("/api/sync/validation/reports"), 200).await;
    assert_eq!(fleet["pagination"]["total"], 5, "{fleet}");
    scene.json(scene.get("/api/sync/validation/reports?vessel=v-77"), 404).await;
    scene.json(scene.get(&format!("/api/sync/validation/reports?vessel=v-1&syncId={sync}")), 422).await;
    scene.end().await;
    Ok(())
}
