//! Tokens for a part of the fleet: every operation keeps to it, or is closed to them.

use std::{collections::BTreeSet, time::Duration};

use chassis::auth::{Role, TokenScope};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    request::{Operation, Request, operations},
    scene::{Records, Scene, day, equipment, merged, vessel},
};

/// The operations that look at the scope of the token; the tests below look at what each answers.
const KEEP_TO_SCOPE: [&str; 16] = [
    "beginSession",
    "endSession",
    "getAnalytics",
    "getIdentity",
    "getLabelPng",
    "getLabelSheets",
    "getLabelSvg",
    "getRecord",
    "getSession",
    "getSync",
    "getTimeline",
    "getValidationReport",
    "listParts",
    "listRecords",
    "listVessels",
    "triggerSync",
];

fn user(id: &str, company: &str, vessels: &Value) -> Value {
    json!({
        "id": id, "email": format!("{id}@example.com"), "givenName": "Ola", "familyName": "Nordmann",
        "employeeNumber": id, "rank": "Chief Engineer", "workplace": "ship", "companyId": company, "vesselIds": vessels,
        "active": true, "updatedAt": day(1)
    })
}

/// Two vessels of the company `c-1` and one of `c-2`, each with a piece of equipment and a user.
async fn fleet() -> anyhow::Result<Scene> {
    let scene = Scene::new().await?;
    let of_other =
        json!({ "company": { "id": "c-2", "name": "Baltic AS", "country": "NO", "updatedAt": day(1) } });
    let records = Records {
        vessels: vec![
            vessel("v-1", "9619907", "Orion"),
            vessel("v-2", "9074729", "Lyra"),
            merged(vessel("v-3", "7625811", "Vega"), of_other),
        ],
        equipment: ["1", "2", "3"].map(|n| equipment(&format!("e-{n}"), &format!("v-{n}"), json!({}))).into(),
        users: vec![
            user("u-1", "c-1", &json!(["v-1"])),
            user("u-2", "c-1", &json!(["v-2"])),
            user("u-3", "c-2", &json!(["v-3"])),
        ],
        ..Records::default()
    };
    scene.sync(&records).await?;
    Ok(scene)
}

/// An operator of a part of the fleet.
struct Limited<'s> {
    scene: &'s Scene,
    token: String,
}

impl Scene {
    fn limited(&self, role: Role, vessels: &[&str], companies: &[&str]) -> Limited<'_> {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let scope = TokenScope { vessels: names(vessels), companies: names(companies) };
        let token = self.keys.mint_for("superintendent", role, Duration::from_secs(600), Some(&scope));
        Limited { scene: self, token: token.expect("a token can be signed") }
    }
}

impl Limited<'_> {
    fn request(&self, method: Method, path: &str) -> Request {
        self.scene.request_with(&self.token, method, path)
    }

    async fn status(&self, path: &str) -> u16 {
        self.request(Method::GET, path).send().await.expect("the service answers").status().as_u16()
    }

    async fn listed(&self, path: &str) -> Vec<String> {
        let page = self.scene.json(self.request(Method::GET, path), 200).await;
        let entries = page["data"].as_array().expect("a list");
        assert_eq!(page["pagination"]["total"], entries.len(), "the total tells nothing of others: {page}");
        entries.iter().map(|it| it["sourceId"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_does_not_look_at_the_scope_is_closed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let limited = scene.limited(Role::Admin, &["9619907"], &[]);
    let mut open = BTreeSet::new();
    for operation in operations() {
        let name = operation.described["operationId"].as_str().unwrap_or_default().to_owned();
        let nobody = operation.path_of_nothing();
        let Operation { method, .. } = operation;
        let request = limited.request(method.clone(), &nobody);
        let request = if method == Method::GET { request } else { request.json(&json!({})) };
        let answer = request.send().await?;
        let is_closed = answer.status() == 403 && answer.text().await?.contains("outside_scope");
        if !is_closed {
            open.insert(name);
        }
    }
    // Two are open by their own rule: without a vessel they are about the whole fleet.
    let asked_in_vain = ["getAnalytics", "getValidationReport", "triggerSync"];
    let expected: BTreeSet<String> =
        KEEP_TO_SCOPE.iter().filter(|it| !asked_in_vain.contains(it)).map(|it| (*it).to_owned()).collect();
    assert_eq!(open, expected);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_of_a_vessel_sees_it_and_nothing_else() -> anyhow::Result<()> {
    let scene = fleet().await?;
    let limited = scene.limited(Role::Viewer, &["9619907"], &[]);
    assert_eq!(limited.listed("/api/sync/records/vessel").await, ["v-1"]);
    assert_eq!(limited.listed("/api/sync/records/equipment").await, ["e-1"]);
    assert_eq!(limited.listed("/api/sync/records/user").await, ["u-1"]);
    assert_eq!(limited.listed("/api/sync/records/company").await, [""; 0]);
    for (outside, nothing) in [("vessel=v-2", "vessel=v-9"), ("company=c-2", "company=c-9")] {
        let status = async |query| limited.status(&format!("/api/sync/records/equipment?{query}")).await;
        assert_eq!((status(outside).await, status(nothing).await), (404, 404), "as if it were not there");
    }
    assert_eq!(limited.listed("/api/sync/records/equipment?company=c-1").await, ["e-1"]);
    assert_eq!(limited.listed("/api/sync/records/equipment?q=Main").await, ["e-1"]);
    assert_eq!(limited.listed("/api/sync/vessels").await, ["v-1"]);
    for (path, own, other) in [
        ("/api/sync/records/vessel/", "v-1", "v-2"),
        ("/api/sync/records/equipment/", "e-1", "e-2"),
        ("/api/sync/records/user/", "u-1", "u-2"),
        ("/api/sync/parts?vessel=", "v-1", "v-2"),
        ("/api/sync/parts?equipment=", "e-1", "e-2"),
        ("/api/sync/validation/reports?vessel=", "9619907", "9074729"),
        ("/api/sync/analytics?vessel=", "9619907", "9074729"),
    ] {
        assert_eq!(limited.status(&format!("{path}{own}")).await, 200, "{path}{own}");
        assert_eq!(limited.status(&format!("{path}{other}")).await, 404, "{path}{other}");
    }
    for (own, other) in [
        ("/api/sync/records/equipment/e-1/timeline", "/api/sync/records/equipment/e-2/timeline"),
        ("/api/equipment/e-1/qr.svg", "/api/equipment/e-2/qr.svg"),
        ("/api/equipment/e-1/qr.png", "/api/equipment/e-2/qr.png"),
        ("/api/vessels/9619907/labels.html", "/api/vessels/9074729/labels.html"),
    ] {
        assert_eq!((limited.status(own).await, limited.status(other).await), (200, 404), "{own}");
    }
    let me = scene.json(limited.request(Method::GET, "/api/sync/me"), 200).await;
    assert_eq!(me["scope"], json!({ "vessels": ["9619907"], "companies": [] }));
    let everybody = scene.json(scene.get("/api/sync/me"), 200).await;
    assert_eq!(everybody["scope"], Value::Null);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_of_a_company_sees_it_with_its_vessels() -> anyhow::Result<()> {
    let scene = fleet().await?;
    let limited = scene.limited(Role::Viewer, &[], &["c-1"]);
    assert_eq!(limited.listed("/api/sync/records/company").await, ["c-1"]);
    assert_eq!(limited.listed("/api/sync/records/vessel").await, ["v-1", "v-2"]);
    assert_eq!(limited.listed("/api/sync/records/equipment").await, ["e-1", "e-2"]);
    assert_eq!(limited.listed("/api/sync/records/user").await, ["u-1", "u-2"]);
    // A vessel that changes hands is no longer seen.
    scene.world.execute("UPDATE vessels SET company_id = (SELECT id FROM companies WHERE source_id = 'c-2') WHERE source_id = 'v-2'").await?;
    assert_eq!(limited.listed("/api/sync/records/equipment").await, ["e-1"]);
    let nobody = scene.limited(Role::Viewer, &[], &["c-9"]);
    assert_eq!(nobody.listed("/api/sync/records/vessel").await, [""; 0]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_record_without_a_row_is_of_the_vessels_that_it_names() -> anyhow::Result<()> {
    let scene = fleet().await?;
    scene
        .world
        .execute(
            "INSERT INTO record_findings (record_type, source_id, vessel_ids, severity, code, pointer, message, found_at, fetched_at)
             VALUES ('equipment', 'e-8', ARRAY['v-1'], 'error', 'required', '/name', 'm', now(), now()),
                    ('equipment', 'e-9', ARRAY['v-2'], 'error', 'required', '/name', 'm', now(), now())",
        )
        .await?;
    let limited = scene.limited(Role::Viewer, &["v-1"], &[]);
    assert_eq!(limited.listed("/api/sync/records/equipment?status=rejected").await, ["e-8"]);
    assert_eq!(limited.status("/api/sync/records/equipment/e-8").await, 200);
    assert_eq!(limited.status("/api/sync/records/equipment/e-9").await, 404);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_of_a_vessel_syncs_it_alone() -> anyhow::Result<()> {
    let scene = fleet().await?;
    let limited = scene.limited(Role::Operator, &["9619907"], &[]);
    let trigger = |body: Value| limited.request(Method::POST, "/api/sync/trigger").json(&body);
    let accepted = json!({ "mode": "selective", "vesselImos": ["9619907"] });
    let accepted = scene.json(trigger(accepted), 202).await;
    let status_of = |sync: &Value| format!("/api/sync/status/{}", sync.as_str().unwrap_or_default());
    assert_eq!(limited.status(&status_of(&accepted["syncId"])).await, 200, "it can be followed");
    let others = scene.json(scene.get("/api/sync/history?cause=webhook&cause=manual&limit=5"), 200).await;
    for sync in
        others["data"].as_array().expect("a list").iter().filter(|it| it["syncId"] != accepted["syncId"])
    {
        assert_eq!(limited.status(&status_of(&sync["syncId"])).await, 404);
    }
    for outside in [
        json!({ "mode": "selective", "vesselImos": ["9074729"] }),
        json!({ "mode": "selective", "vesselImos": ["9619907", "9074729"] }),
    ] {
        let problem = scene.json(trigger(outside.clone()), 422).await;
        assert_eq!(problem["errors"][0]["code"], "unknown_vessel", "as if it were not there: {outside}");
    }
    for outside in [
        json!({}),
        json!({ "mode": "incremental" }),
        json!({ "mode": "selective", "companyId": "c-1" }),
        json!({ "mode": "selective", "equipmentIds": ["e-2"] }),
        json!({ "mode": "selective", "recordTypes": ["vessel"] }),
    ] {
        let problem = scene.json(trigger(outside.clone()), 403).await;
        assert_eq!(problem["code"], "outside_scope", "{outside}");
    }
    assert_eq!(
        scene
            .rows("SELECT id FROM sync_logs WHERE cause = 'manual' AND requested_by = 'superintendent'")
            .await
            .len(),
        1
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn number_of_one_vessel_that_is_the_id_of_another_means_the_number() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let vessels = vec![vessel("v-1", "9619907", "Orion"), vessel("9619907", "9074729", "Lyra")];
    scene.sync(&Records { vessels, ..Records::default() }).await?;
    let limited = scene.limited(Role::Viewer, &["9619907"], &[]);
    assert_eq!(limited.listed("/api/sync/vessels").await, ["v-1"]);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_to_a_larger_part_of_the_fleet_is_not_given_again_to_a_smaller_one() -> anyhow::Result<()> {
    let scene = fleet().await?;
    let ask = async |vessels: &[&str], status| {
        let limited = scene.limited(Role::Operator, vessels, &[]);
        let request = limited.request(Method::POST, "/api/sync/trigger").header("idempotency-key", "k-1");
        let body = json!({"mode": "selective", "vesselImos": ["9619907"]});
        scene.json(request.json(&body), status).await
    };
    let first = ask(&["9619907"], 202).await;
    assert_eq!(ask(&["9619907"], 202).await, first);
    assert_eq!(ask(&["9074729"], 422).await["errors"][0]["code"], "key_reused");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn vessel_that_was_rejected_and_has_no_row_is_seen_by_the_token_that_names_it() -> anyhow::Result<()> {
    let scene = fleet().await?;
    scene
        .world
        .execute(
            "INSERT INTO record_findings (record_type, source_id, vessel_ids, severity, code, pointer, message, found_at, fetched_at)
             VALUES ('vessel', 'v-8', ARRAY['v-8'], 'error', 'required', '/name', 'm', now(), now())",
        )
        .await?;
    let limited = scene.limited(Role::Viewer, &["v-1", "v-8"], &[]);
    assert_eq!(limited.listed("/api/sync/vessels").await, ["v-8", "v-1"], "worst first");
    assert_eq!(limited.listed("/api/sync/records/vessel?status=rejected").await, ["v-8"]);
    assert_eq!(limited.status("/api/sync/records/vessel/v-8").await, 200);
    let others = scene.limited(Role::Viewer, &["v-1"], &[]);
    assert_eq!(others.status("/api/sync/records/vessel/v-8").await, 404);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_whose_newest_state_names_another_vessel_is_of_both() -> anyhow::Result<()> {
    let scene = fleet().await?;
    // As a sync writes it that brings `e-2`, which stands on `v-2`, with an error and with `v-1` as its vessel.
    scene
        .world
        .execute(
            "INSERT INTO record_findings (record_type, source_id, vessel_ids, severity, code, pointer, message, found_at, fetched_at)
             VALUES ('equipment', 'e-2', ARRAY['v-1', 'v-2'], 'error', 'sfi_code_malformed', '/code', 'm', now(), now())",
        )
        .await?;
    for vessel in ["v-1", "v-2"] {
        let limited = scene.limited(Role::Viewer, &[vessel], &[]);
        let list = scene.json(limited.request(Method::GET, "/api/sync/vessels"), 200).await;
        assert_eq!(list["data"][0]["rejected"], 1, "{list}");
        assert_eq!(limited.listed("/api/sync/records/equipment?status=rejected").await, ["e-2"]);
        assert_eq!(limited.status("/api/sync/records/equipment/e-2").await, 200);
        let of_vessel = format!("/api/sync/records/equipment?status=rejected&vessel={vessel}");
        let list = scene.json(scene.get(&of_vessel), 200).await;
        assert_eq!(list["data"][0]["sourceId"], "e-2", "what is counted is listed");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attempt_outside_is_a_row_of_the_audit_log() -> anyhow::Result<()> {
    let scene = fleet().await?;
    let limited = scene.limited(Role::Admin, &["v-1"], &[]);
    scene.json(limited.request(Method::GET, "/api/sync/audit"), 403).await;
    let rows = testbed::wait_until("the attempt is recorded", Duration::from_secs(30), async || {
        let rows =
            scene.rows("SELECT actor, subject, detail FROM audit WHERE action = 'access.refuse'").await;
        if rows.is_empty() { Err(()) } else { Ok(rows) }
    })
    .await?;
    assert_eq!(
        (&rows[0]["actor"], &rows[0]["subject"], &rows[0]["detail"]["outsideScope"]),
        (&json!("superintendent"), &json!("GET /api/sync/audit"), &json!(true))
    );
    scene.end().await;
    Ok(())
}
