//! Any value at any place of any record: the record is written or rejected, and says so; nothing beside it notices.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Mode, Scope, SentId};
use serde_json::{Value, json};
use testbed::List;

use crate::scene::Scene;

/// Stands where a value is put.
const MARK: &str = "@here@";

/// JSON of what providers, proxies and attackers have sent. Some of it is no JSON for a strict reader.
fn odd_values() -> Vec<String> {
    let text = |text: &str| json!(text).to_string();
    vec![
        text("v\0x"),
        text("\u{1}\u{1b}[31m\r\n"),
        text("\u{202e}abc\u{2066}\u{fffe}\u{feff}"),
        text("'; DROP TABLE vessels; --"),
        text("\u{1f6a2}\u{1f1f3}\u{1f1f4} \u{644}\u{627}"),
        text(&"\u{e9}".repeat(3_000)),
        text(&"x".repeat(100_000)),
        r#""\ud800""#.to_owned(),
        r#""\u0000""#.to_owned(),
        "\"a\nb\"".to_owned(),
        "NaN".to_owned(),
        "'x'".to_owned(),
        "1e400".to_owned(),
        "-0.0".to_owned(),
        "12345678901234567890123".to_owned(),
        "[[[[[]]]]]".to_owned(),
        r#"{"a\u0000": {"$serde_json::private::Number": "7"}}"#.to_owned(),
        "true".to_owned(),
        "null".to_owned(),
    ]
}

/// The record once for each of its values and keys, which the mark replaces.
fn marked(record: &Value) -> Vec<(String, Value)> {
    fn places(value: &Value, at: &str, all: &mut Vec<String>) {
        let below: Vec<(String, &Value)> = match value {
            Value::Object(fields) => fields.iter().map(|(key, it)| (format!("{at}/{key}"), it)).collect(),
            Value::Array(list) => list.iter().enumerate().map(|(i, it)| (format!("{at}/{i}"), it)).collect(),
            _ => Vec::new(),
        };
        for (place, value) in below {
            places(value, &place, all);
            all.push(place);
        }
    }
    let mut all = Vec::new();
    places(record, "", &mut all);
    let with_mark = |place: &String| {
        let mut record = record.clone();
        *record.pointer_mut(place).expect("the place was found in it") = MARK.into();
        (place.clone(), record)
    };
    let mut records: Vec<_> = all.iter().map(with_mark).collect();
    let mut with_key = record.clone();
    with_key[MARK] = 7.into();
    records.push(("a key".to_owned(), with_key));
    records
}

/// The nth IMO number, with its check digit.
fn imo_number(n: usize) -> String {
    let digits = format!("{:06}", 910_000 + n);
    let sum: u32 =
        digits.chars().zip((2..=7).rev()).map(|(c, weight)| c.to_digit(10).unwrap_or(0) * weight).sum();
    format!("{digits}{}", sum % 10)
}

/// Fills a list with every odd value at every place of its records; the ids of those whose own id is sound, by place.
fn fill(
    scene: &Scene,
    list: List,
    record: impl Fn(&str, usize) -> Value,
    first: usize,
) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    let mut n = first;
    for value in odd_values() {
        for at in 0..marked(&record("", 0)).len() {
            n += 1;
            let id = format!("x-{n}");
            let (place, record) = marked(&record(&id, n)).swap_remove(at);
            let json = if place == "a key" && !value.starts_with('"') {
                continue;
            } else {
                record.to_string().replace(&format!("\"{MARK}\""), &value)
            };
            scene.provider.put_raw(list, &id, json);
            // A record whose own id is odd is called by what was sent, if it was a text or a number.
            let sent = if place == "/id" {
                match serde_json::from_str(&value) {
                    Ok(Value::String(text)) => SentId::from(text.as_str()).to_string(),
                    Ok(Value::Number(number)) => number.to_string(),
                    _ => continue,
                }
            } else {
                id
            };
            ids.insert(sent, place);
        }
    }
    ids
}

fn vessel(id: &str, n: usize) -> Value {
    json!({
        "id": id, "imoNumber": imo_number(n), "name": format!("Vessel {id}"), "formerNames": ["Old"], "flag": "NO",
        "mmsi": "257123456", "callSign": "LABC", "portOfRegistry": "Bergen", "vesselType": "bulk_carrier",
        "classSociety": "DNV", "grossTonnage": 40000, "deadweightTonnage": 80000, "buildYear": 2010, "lengthM": 229.0,
        "beamM": 32.2, "serviceStatus": "in_service", "updatedAt": "2026-05-01T00:00:00Z", "withdrawnAt": null,
        "company": {"id": format!("c-{n}"), "name": "Nordic Bulk AS", "country": "NO", "email": "post@example.com",
                    "imoCompanyNumber": "", "updatedAt": "2026-01-01T00:00:00Z"}
    })
}

fn equipment(id: &str, n: usize) -> Value {
    json!({
        "id": id, "vesselId": "v-1", "code": format!("{:03}.{:03}", n / 1000 % 1000, n % 1000), "unitNumber": 1,
        "name": "Main engine", "maker": "MAN", "model": "6S50", "serialNumber": "1", "location": "Engine room",
        "specs": {"powerKw": 9480, "list": [1, "a"]}, "isCritical": true, "criticalityBasis": "ism_10_3",
        "isStandby": false, "serviceStatus": "in_service", "installedOn": "2010-01-01", "runningHours": 100,
        "updatedAt": "2026-05-01T00:00:00Z", "withdrawnAt": null,
        "criticalParts": [{"id": format!("p-{n}"), "partNumber": "90401-12", "name": "Exhaust valve", "unit": "pcs",
                           "minimumStock": 2, "isCritical": true}],
        "maintenanceSchedules": [{"id": format!("s-{n}"), "jobCode": "ME-001", "title": "Inspect", "kind": "preventive",
                                  "everyHours": 4000, "procedure": "Look"}]
    })
}

fn user(id: &str, n: usize) -> Value {
    json!({
        "id": id, "email": format!("user{n}@example.com"), "givenName": "Ola", "familyName": "Nordmann",
        "rank": "2nd Engineer", "workplace": "ship", "vesselIds": ["v-1"], "companyId": "c-1", "active": true,
        "signOn": "2026-01-01", "signOff": null, "updatedAt": "2026-05-01T00:00:00Z", "withdrawnAt": null
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_value_at_any_place_concerns_its_own_record_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.world.execute("UPDATE settings SET page_size = 200").await?;
    scene.provider.small_fleet();
    let mut sent: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    sent.insert("vessel", fill(&scene, List::Vessels, vessel, 0));
    sent.insert("equipment", fill(&scene, List::Equipment, equipment, 2_000));
    sent.insert("user", fill(&scene, List::Users, user, 4_000));

    let places: usize = sent.values().map(BTreeMap::len).sum();
    assert!(places > 1_000, "{places}");

    // The dry run first: what it would do is what the sync does.
    let dry = scene.dry_run(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.ended(dry).await?["state"], "completed_with_errors");
    let id = scene.full_sync().await?;
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed_with_errors", "{sync}");
    assert_eq!(scene.number("sync_queue WHERE state <> 'done'").await, 0);
    assert_eq!(scene.number("dead_letters").await, 0);

    for (record_type, table, sound) in
        [("vessel", "vessels", 3), ("equipment", "equipment", 5), ("user", "users", 3)]
    {
        let ids = async |from: &str| -> BTreeSet<String> {
            let rows = scene.rows(&format!("SELECT DISTINCT source_id FROM {from}")).await;
            rows.iter().filter_map(|row| row["source_id"].as_str()).map(str::to_owned).collect()
        };
        let written = ids(table).await;
        let rejected = ids(&format!(
            "findings WHERE sync_id = '{id}' AND record_type = '{record_type}' AND severity = 'error'"
        ))
        .await;
        assert_eq!(
            written.iter().filter(|id| !sent[record_type].contains_key(*id)).count(),
            sound,
            "sound {table}"
        );
        let lost: Vec<_> = sent[record_type]
            .iter()
            .filter(|(id, _)| !written.contains(*id) && !rejected.contains(*id))
            .collect();
        assert_eq!(lost, [], "neither written nor rejected");
        let tallies: Vec<_> = scene
            .rows(&format!(
                "SELECT sync_id = '{dry}' AS dry, read, rejected, created FROM sync_counts
                 WHERE sync_id IN ('{dry}', '{id}') AND record_type = '{record_type}'"
            ))
            .await
            .into_iter()
            .map(|row| json!([row["read"], row["rejected"], row["created"]]))
            .collect();
        assert_eq!(tallies[0], tallies[1], "dry run and sync of {table}");
    }
    for code in ["control_character", "wrong_type", "malformed_json", "too_long"] {
        assert!(scene.number(&format!("findings WHERE code = '{code}'")).await > 0, "{code}");
    }
    let longest = scene
        .rows("SELECT max(length(source_id)) AS id, max(length(label)) AS label, max(length(message)) AS message,
                   max(length(pointer)) AS pointer FROM findings")
        .await;
    let longest = &longest[0];
    assert!(longest["id"].as_i64() <= Some(200) && longest["label"].as_i64() <= Some(300), "{longest}");
    assert!(
        longest["message"].as_i64() <= Some(500) && longest["pointer"].as_i64() <= Some(500),
        "{longest}"
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_value_in_the_frame_of_a_page_stops_no_list() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let deactivate = "UPDATE settings SET missing_records = 'deactivate', deactivation_limit_percent = 50";
    scene.world.execute(deactivate).await?;
    scene.provider.small_fleet();
    let first = scene.full_sync().await?;
    scene.ended(first).await?;
    scene.provider.forget("u-3");
    for odd in [json!(-1), json!(1.5), json!("soon"), json!("v\0x"), json!([]), json!({}), json!(true)] {
        scene.provider.announce(List::Users, odd.clone());
        scene.provider.announce_companies(odd.clone());
        scene.provider.set_as_of(odd.as_str());
        let id = scene.full_sync().await?;
        let sync = scene.ended(id).await?;
        assert_eq!(sync["as_of"], Value::Null, "{odd}: {sync}");
        assert_eq!(scene.number(&format!("sync_queue WHERE sync_id = '{id}' AND state <> 'done'")).await, 0);
        // A number that was not said is not taken for the one that was read: the user who is missing stays.
        assert_eq!(scene.number("users WHERE status = 'active'").await, 3, "{odd}");
        assert_eq!(sync["missing_records"], "unverified", "{odd}: {sync}");
    }
    assert_eq!(scene.number("dead_letters").await, 0);
    scene.end().await;
    Ok(())
}
