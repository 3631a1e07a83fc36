//! Records over HTTP: lists, one record, its timeline, and the search over everything.

use chassis::auth::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::scene::{Records, Scene, day, equipment, merged, vessel};

fn user(id: &str) -> Value {
    json!({
        "id": id, "email": format!("{id}.nordmann@example.com"), "givenName": "Ola", "familyName": "Nordmann",
        "employeeNumber": "1001", "rank": "Chief Engineer", "workplace": "ship", "companyId": "c-1", "vesselIds": ["v-1"],
        "active": true, "updatedAt": day(1)
    })
}

async fn scene_with_records() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    let records = Records {
        vessels: vec![vessel("v-1", "9619907", "Nordhavn Orion")],
        equipment: vec![equipment("e-1", "v-1", json!({}))],
        users: vec![user("u-1")],
        ..Records::default()
    };
    scene.sync(&records).await?;
    Ok(scene)
}

impl Scene {
    async fn got(&self, role: Role, path: &str) -> Value {
        self.json(self.request(role, Method::GET, path), 200).await
    }

    async fn readings(&self) -> Vec<Value> {
        self.rows("SELECT actor, subject, detail FROM audit WHERE action = 'user.read' ORDER BY id").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn record_says_where_it_stands_and_what_belongs_to_it() -> anyhow::Result<()> {
    let scene = scene_with_records().await?;
    let found = scene.got(Role::Viewer, "/api/sync/records/vessel/v-1").await;
    for (field, expected) in [
        ("standing", json!("active")),
        ("status", json!("active")),
        ("name", json!("Nordhavn Orion (IMO 9619907)")),
        ("companyId", json!("c-1")),
        ("lastWriter", json!("onboarding")),
        ("syncIsKept", json!(true)),
        ("openConflicts", json!(0)),
        (
            "dependents",
            json!({"equipment": {"active": 1, "withdrawn": 0}, "users": {"active": 1, "withdrawn": 0}}),
        ),
    ] {
        assert_eq!(found[field], expected, "{field}: {found}");
    }
    assert_eq!(found["particulars"]["imoNumber"], "9619907");
    let equipment = scene.got(Role::Viewer, "/api/sync/records/equipment/e-1").await;
    assert_eq!((&equipment["vesselId"], &equipment["particulars"]["unitNumber"]), (&json!("v-1"), &json!(1)));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_of_which_nothing_is_known_is_not_found() -> anyhow::Result<()> {
    let scene = scene_with_records().await?;
    for path in [
        "/api/sync/records/user/v-1",
        "/api/sync/records/vessel/v%2F1",
        "/api/sync/records/user/v-1/timeline",
    ] {
        let problem = scene.json(scene.get(path), 404).await;
        assert_eq!(problem["code"], "record_not_found", "{path}");
    }
    scene.json(scene.get("/api/sync/records/ship/v-1"), 404).await;
    scene.json(scene.get("/api/sync/records/vessel/v%00"), 404).await;
    let problem = scene.json(scene.get("/api/sync/records/equipment?vessel=9999999"), 404).await;
    assert_eq!(problem["code"], "vessel_not_found");
    let problem = scene.json(scene.get("/api/sync/records/equipment?company=nobody"), 404).await;
    assert_eq!(problem["code"], "company_not_found");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_record_with_an_odd_id_is_found_by_its_link() -> anyhow::Result<()> {
    let scene = scene_with_records().await?;
    scene
        .world
        .execute(
            "INSERT INTO record_findings (record_type, source_id, label, vessel_ids, severity, code, pointer, message, found_at)
             VALUES ('vessel', 'skip/é #1?', 'Nordhavn Sirius (IMO 9074728)', '{}', 'error', 'id_malformed', '/id', 'm', now())",
        )
        .await?;
    let result = scene.got(Role::Viewer, "/api/search?q=sirius").await;
    let hit = &result["groups"][0]["hits"][0];
    assert_eq!((&hit["standing"], &hit["matched"]), (&json!("rejected"), &json!("label")), "{result}");
    let link = hit["link"].as_str().expect("a link");
    let found = scene.got(Role::Viewer, link).await;
    assert_eq!(
        (&found["sourceId"], &found["standing"], &found["status"]),
        (&hit["id"], &json!("rejected"), &Value::Null)
    );
    let timeline = scene.got(Role::Viewer, &format!("{link}/timeline")).await;
    assert_eq!(timeline["entries"][0]["detail"]["code"], "id_malformed");
    let listed = scene.got(Role::Viewer, "/api/sync/records/vessel?status=rejected").await;
    assert_eq!((&listed["data"][0]["sourceId"], &listed["pagination"]["total"]), (&hit["id"], &json!(1)));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_masked_except_for_admins_whose_readings_are_audited() -> anyhow::Result<()> {
    let scene = scene_with_records().await?;
    let changed =
        merged(user("u-1"), json!({"email": "ola@example.org", "rank": "ETO", "updatedAt": day(2)}));
    scene.sync(&Records { users: vec![changed], ..Records::default() }).await?;
    let path = "/api/sync/records/user/u-1";
    for role in [Role::Viewer, Role::Operator] {
        let found = scene.got(role, path).await;
        let particulars = &found["particulars"];
        assert_eq!(
            (&found["name"], &particulars["email"]),
            (&json!("o***@e***.org"), &json!("o***@e***.org"))
        );
        assert_eq!(
            (&particulars["familyName"], &particulars["employeeNumber"]),
            (&json!("N***"), &json!("1***"))
        );
        let timeline = scene.got(role, &format!("{path}/timeline")).await.to_string();
        let listed = scene.got(role, "/api/sync/records/user?q=u-1").await.to_string();
        let hits = scene.got(role, "/api/search?q=u-1").await.to_string();
        for text in [&timeline, &listed, &hits] {
            assert!(!text.to_lowercase().contains("nordmann") && !text.contains("ola@"), "{text}");
        }
        let hits = scene.got(role, "/api/search?q=ola%40example").await;
        assert_eq!(hits["groups"], json!([]), "nobody learns addresses by guessing");
        assert_eq!(scene.got(role, "/api/sync/records/user?q=ola%40").await["pagination"]["total"], 0);
    }
    assert_eq!(scene.readings().await, Vec::<Value>::new());
    let found = scene.got(Role::Admin, path).await;
    assert_eq!(found["particulars"]["email"], "ola@example.org");
    let timeline = scene.got(Role::Admin, &format!("{path}/timeline")).await;
    assert_eq!(timeline["entries"][0]["before"]["email"], "u-1.nordmann@example.com");
    assert_eq!(timeline["entries"][0]["after"]["email"], "ola@example.org");
    let hits = scene.got(Role::Admin, "/api/search?q=ola%40example").await;
    assert_eq!(hits["groups"][0]["hits"][0]["title"], "ola@example.org");
    scene.got(Role::Admin, "/api/sync/records/user").await;
    let readings = scene.readings().await;
    assert_eq!(readings.len(), 3, "the record and its timeline are one reading: {readings:?}");
    assert!(readings.iter().all(|it| it["detail"]["users"] == json!(["u-1"])), "{readings:?}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn timeline_tells_in_words_what_happened() -> anyhow::Result<()> {
    let scene = scene_with_records().await?;
    let renamed = merged(vessel("v-1", "9619907", "Nordhavn Star"), json!({"updatedAt": day(2)}));
    let (sync, _) = scene.sync(&Records { vessels: vec![renamed], ..Records::default() }).await?;
    let timeline = scene.got(Role::Viewer, "/api/sync/records/vessel/v-1/timeline").await;
    let entry = &timeline["entries"][0];
    assert_eq!(
        (&entry["kind"], &entry["summary"]),
        (&json!("updated"), &json!("A sync changed name.")),
        "{timeline}"
    );
    assert_eq!(entry["syncId"], sync.to_string());
    assert_eq!(
        (&entry["before"], &entry["after"]),
        (&json!({"name": "Nordhavn Orion"}), &json!({"name": "Nordhavn Star"}))
    );
    assert_eq!(
        (&timeline["entries"][1]["kind"], &timeline["pagination"]["total"]),
        (&json!("created"), &json!(2))
    );
    assert!(timeline["keptSince"]["syncs"].is_string(), "{timeline}");
    let page = scene.got(Role::Viewer, "/api/sync/records/vessel/v-1/timeline?limit=1&offset=1").await;
    assert_eq!(page["entries"], json!([timeline["entries"][1]]));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn search_finds_a_record_its_sync_and_nothing_for_texts_out_of_bounds() -> anyhow::Result<()> {
    let scene = scene_with_records().await?;
    let result = scene.got(Role::Viewer, "/api/search?q=%20nordhavn%20").await;
    assert_eq!((&result["query"], &result["cutShort"]), (&json!("nordhavn"), &json!(false)));
    let groups = result["groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 1, "{result}");
    let hit = &groups[0]["hits"][0];
    assert_eq!((&groups[0]["kind"], &groups[0]["more"]), (&json!("vessel"), &json!(false)));
    assert_eq!(hit["title"], "Nordhavn Orion · IMO 9619907");
    assert_eq!((&hit["matched"], &hit["link"]), (&json!("name"), &json!("/api/sync/records/vessel/v-1")));
    let sync = &scene.got(Role::Viewer, "/api/sync/records/vessel/v-1").await["syncId"];
    let by_id = scene.got(Role::Viewer, &format!("/api/search?q={}", sync.as_str().expect("an id"))).await;
    let link = by_id["groups"][0]["hits"][0]["link"].as_str().expect("a link").to_owned();
    assert_eq!(&scene.got(Role::Viewer, &link).await["syncId"], sync);
    for query in ["", "a", "%20a%20", &"x".repeat(201)] {
        scene.json(scene.get(&format!("/api/search?q={query}")), 422).await;
    }
    scene.json(scene.get("/api/search"), 422).await;
    scene.json(scene.get("/api/search?q=a%00b"), 400).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_and_schedules_of_a_vessel_or_of_one_piece_of_equipment() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let part = json!({"id": "p-1", "partNumber": "77", "name": "Exhaust valve", "unit": "pcs", "minimumStock": 2,
        "isCritical": true});
    let schedule = json!({"id": "m-1", "jobCode": "601-1", "title": "Overhaul", "kind": "preventive",
        "everyHours": 8000});
    let records = Records {
        vessels: vec![vessel("v-1", "9619907", "Orion"), vessel("v-2", "9074729", "Lyra")],
        equipment: vec![
            equipment("e-1", "v-1", json!({"criticalParts": [part], "maintenanceSchedules": [schedule]})),
            equipment("e-2", "v-2", json!({"criticalParts": [merged(part.clone(), json!({"id": "p-2"}))]})),
        ],
        ..Records::default()
    };
    scene.sync(&records).await?;
    let of_vessel = scene.got(Role::Viewer, "/api/sync/parts?vessel=9619907").await;
    let ids: Vec<_> =
        of_vessel["data"].as_array().expect("a list").iter().map(|it| &it["sourceId"]).collect();
    assert_eq!(ids, ["p-1", "m-1"], "{of_vessel}");
    let first = &of_vessel["data"][0];
    assert_eq!((&first["kind"], &first["name"]), (&json!("critical_part"), &json!("Exhaust valve")));
    assert_eq!((&first["equipmentId"], &first["values"]["minimumStock"]), (&json!("e-1"), &json!(2)));
    let schedules = scene.got(Role::Viewer, "/api/sync/parts?equipment=e-1&kind=maintenance_schedule").await;
    assert_eq!(schedules["data"][0]["values"]["everyHours"], 8000, "{schedules}");
    for wrong in ["", "?vessel=v-1&equipment=e-1"] {
        scene.json(scene.get(&format!("/api/sync/parts{wrong}")), 422).await;
    }
    scene.end().await;
    Ok(())
}
