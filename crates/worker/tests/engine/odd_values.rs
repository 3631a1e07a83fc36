//! Values as real portals write them: blank, null, with a fraction of zero, with more digits than a float holds.

use domain::{Mode, RecordCounts, RecordType, Scope};
use serde_json::{Value, json};
use testbed::List;

use crate::scene::{NONE, Scene, announced};

#[tokio::test(flavor = "multi_thread")]
async fn blank_and_null_values_are_absent_and_reject_nothing() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let company = json!({"id": "c-1", "name": "Nordic Bulk AS", "country": "NO", "email": "", "imoCompanyNumber": " ",
                         "updatedAt": "2026-01-01T00:00:00Z"});
    let blank = json!({"mmsi": "", "callSign": null, "portOfRegistry": "\u{200b}", "grossTonnage": 40000.0,
                       "buildYear": "", "beamM": "", "withdrawnAt": "", "company": company});
    scene.provider.put_vessel("v-1", blank);
    let blank = json!({"specs": null, "criticalParts": null, "maintenanceSchedules": "", "unitNumber": 1.0, "qrCode": "",
                       "installedOn": "", "warrantyUntil": null, "runningHours": "", "isCritical": false,
                       "criticalityBasis": ""});
    scene.provider.put_equipment("e-1", "v-1", blank);
    let blank = json!({"vesselIds": null, "signOn": "", "signOff": null, "companyId": "", "givenName": "",
                       "workplace": "shore", "rank": "Tech. Supt."});
    scene.provider.put_user("u-1", blank);

    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(scene.rows("SELECT code, pointer, message FROM findings").await, [Value::Null; 0], "{sync}");
    assert_eq!(sync["state"], "completed");
    for record_type in [RecordType::Company, RecordType::Vessel, RecordType::Equipment, RecordType::User] {
        let counted = scene.tally(id, record_type).await;
        assert_eq!(counted, announced(1, RecordCounts { created: 1, ..NONE }), "{record_type}");
    }
    let vessels = scene.rows("SELECT mmsi, call_sign, port_of_registry, gross_tonnage FROM vessels").await;
    let vessel = json!({"mmsi": null, "call_sign": null, "port_of_registry": null, "gross_tonnage": 40000});
    assert_eq!(vessels, [vessel]);
    assert_eq!(scene.rows("SELECT rank, role FROM users").await[0]["rank"], "technical_superintendent");

    // The same without the blanks is the same record.
    let absent = json!({"specs": {}, "criticalParts": [], "maintenanceSchedules": [], "unitNumber": 1, "qrCode": null,
                        "installedOn": null, "runningHours": null, "criticalityBasis": null});
    scene.provider.put_equipment("e-1", "v-1", absent);
    let again = scene.full_sync().await?;
    scene.ended(again).await?;
    let counted = scene.tally(again, RecordType::Equipment).await;
    assert_eq!(counted, announced(1, RecordCounts { unchanged: 1, ..NONE }));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_address_of_a_company_is_left_out_and_stops_no_vessel() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let company = json!({"id": "c-1", "name": "Nordic Bulk AS", "country": "NO", "email": "n/a",
                         "updatedAt": "2026-01-01T00:00:00Z"});
    scene.provider.put_vessel("v-1", json!({ "company": company }));
    scene.provider.put_equipment("e-1", "v-1", json!({}));
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    assert_eq!(
        scene.rows("SELECT source_id, email FROM companies").await,
        [json!({"source_id": "c-1", "email": null})]
    );
    let findings = scene.rows("SELECT severity, code FROM findings WHERE record_type = 'company'").await;
    assert_eq!(findings, [json!({"severity": "warning", "code": "email_malformed"})]);
    assert_eq!(scene.number("equipment").await, 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_and_numbers_beyond_all_measure_reject_their_record_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.put_user("u-1", json!({"email": "user1@example.com", "signOff": "200000-01-01"}));
    scene.provider.put_user("u-2", json!({"email": "user2@example.com", "signOff": "9999-12-31"}));
    scene.provider.put_equipment("e-1a", "v-1", json!({"installedOn": "0001-01-01", "specs": {"a": "\0"}}));
    let huge = String::from_utf8(scene.provider.listed(List::Equipment, "e-1b").unwrap_or_default())?;
    scene.provider.put_raw(List::Equipment, "e-1b", huge.replace("9480", "1e131000"));
    scene.provider.put_vessel("v-3", json!({"imoNumber": "0000000"}));

    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors");
    let findings = scene
        .rows("SELECT source_id, code, pointer FROM findings WHERE severity = 'error' ORDER BY source_id, pointer")
        .await;
    let found: Vec<[&str; 3]> = findings
        .iter()
        .map(|it| ["source_id", "code", "pointer"].map(|key| it[key].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        found,
        [
            ["e-1a", "out_of_range", "/installedOn"],
            ["e-1a", "control_character", "/specs/a"],
            ["e-1b", "out_of_range", "/specs/powerKw"],
            ["e-3a", "orphan", "/vesselId"],
            ["u-1", "out_of_range", "/signOff"],
            ["v-3", "imo_number_placeholder", "/imoNumber"],
        ]
    );
    assert_eq!((scene.number("equipment").await, scene.number("users").await), (2, 2));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn specs_keep_their_digits_in_the_row_and_in_a_dry_run() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.put_vessel("v-1", json!({}));
    let with_serial = |serial: &str| -> anyhow::Result<Value> {
        let text = format!(r#"{{"specs": {{"serial": {serial}, "list": [0.10000000000000000001, 1.50]}}}}"#);
        Ok(serde_json::from_str(&text)?)
    };
    let specs_text = "SELECT specs::text AS specs FROM equipment";
    scene.provider.put_equipment("e-1", "v-1", with_serial("12345678901234567890123")?);
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    let specs = r#"{"list": [0.10000000000000000001, 1.50], "serial": 12345678901234567890123}"#;
    assert_eq!(scene.rows(specs_text).await, [json!({ "specs": specs })]);

    // One digit more is a change, and a dry run shows both numbers as they were sent.
    scene.provider.put_equipment("e-1", "v-1", with_serial("12345678901234567890124")?);
    let dry = scene.dry_run(Mode::Full, Scope::default()).await?;
    scene.ended(dry).await?;
    let fields = scene
        .rows(&format!(
            "SELECT fields::text AS fields, row_after::text AS after FROM sync_changes
             WHERE sync_id = '{dry}' AND record_type = 'equipment'"
        ))
        .await;
    let [change] = &fields[..] else { anyhow::bail!("{fields:?}") };
    let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
    for digits in ["12345678901234567890123", "12345678901234567890124"] {
        assert!(text("fields").contains(digits), "{change}");
    }
    assert!(!text("fields").contains("/specs/list"), "{change}");
    assert!(text("after").contains("12345678901234567890124"), "{change}");
    assert_eq!(scene.rows(specs_text).await, [json!({ "specs": specs })]);

    let again = scene.full_sync().await?;
    scene.ended(again).await?;
    let counted = scene.tally(again, RecordType::Equipment).await;
    assert_eq!(counted, announced(1, RecordCounts { updated: 1, ..NONE }));
    scene.end().await;
    Ok(())
}
