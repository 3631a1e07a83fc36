//! Accounts over HTTP: roles by a mapping that changes, who is locked out, and the one reveal of a password.

use chassis::auth::Role;
use chrono::TimeDelta;
use domain::{
    SourceId,
    clock::{Clock, SystemClock},
    role_mapping::RoleMapping,
    temporary_password::{PasswordSeal, TemporaryPassword},
};
use reqwest::Method;
use serde_json::{Value, json};
use store::records::{NewPassword, user_passwords_supply};

use crate::scene::{Records, Scene, day, merged, vessel};

const MAPPING: &str = "/api/sync/role-mapping";

fn user(id: &str, differences: Value) -> Value {
    merged(
        json!({
            "id": id, "email": format!("{id}.nordmann@example.com"), "familyName": "Nordmann", "rank": "Chief Engineer",
            "workplace": "ship", "companyId": "c-1", "vesselIds": ["v-1"], "active": true, "updatedAt": day(1)
        }),
        differences,
    )
}

fn password(id: &str, valid_for: TimeDelta) -> (NewPassword, String) {
    let seal = PasswordSeal::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").expect("a key");
    let id: SourceId = id.parse().expect("an id");
    let mut rng = rand::rng();
    let password = TemporaryPassword::generate(&mut rng);
    let sealed = seal.seal(&password, &id, &mut rng);
    let hash = "$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaA".to_owned();
    let expires_at = SystemClock.now() + valid_for;
    (NewPassword { source_id: id, hash, sealed, expires_at }, password.expose().to_owned())
}

impl Scene {
    async fn accounts(&self, role: Role, query: &str) -> Vec<Value> {
        let path = format!("/api/sync/users?{query}");
        let list = self.json(self.request(role, Method::GET, &path), 200).await;
        list["data"].as_array().expect("a list").clone()
    }

    async fn claim(&self, source_id: &str, status: u16) -> Value {
        let sql = format!("SELECT id FROM users WHERE source_id = '{source_id}'");
        let id = self.rows(&sql).await[0]["id"].as_str().expect("an id").to_owned();
        let path = format!("/api/sync/users/{id}/temporary-password");
        self.json(self.request(Role::Admin, Method::POST, &path), status).await
    }

    async fn roles(&self) -> Vec<Value> {
        self.rows("SELECT source_id AS id, role, role_mapping_version AS v FROM users ORDER BY source_id")
            .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_mapping_is_previewed_and_then_gives_everybody_their_role() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let records = Records {
        vessels: vec![vessel("v-1", "9074729", "Nordic Star")],
        users: vec![
            user("u-1", json!({})),
            user("u-2", json!({"rank": "Cook"})),
            user("u-3", json!({"rank": "Grand Admiral"})),
            user("u-4", json!({"rank": "Cook"})),
        ],
        ..Records::default()
    };
    let (sync, _) = scene.sync(&records).await?;
    scene.world.execute("UPDATE users SET role = 'officer' WHERE source_id = 'u-4'").await?;

    let standard = scene.json(scene.get(MAPPING), 200).await;
    assert_eq!(standard["version"], 1);
    assert_eq!(standard["rules"], json!(RoleMapping::standard().rules()), "what the migration wrote");
    let report = format!("/api/sync/validation/reports?syncId={sync}&code=unknown_rank");
    assert_eq!(scene.json(scene.get(&report), 200).await["findings"][0]["sourceId"], "u-3");

    // The engineer loses the programme, cooks report work, admirals are known.
    let mut rules: Vec<Value> = standard["rules"].as_array().expect("rules").clone();
    for rule in &mut rules {
        match rule["rank"].as_str() {
            Some("chief_engineer") => rule["role"] = json!("officer"),
            Some("cook") => rule["role"] = json!("crew"),
            _ => {}
        }
    }
    rules.push(json!({"rank": "Grand Admiral", "workplace": "ship", "role": "master"}));
    let change = json!({"rules": rules});
    let preview_path = format!("{MAPPING}/preview");
    let ask = |role| scene.request(role, Method::POST, &preview_path).json(&change);
    scene.json(ask(Role::Operator), 403).await;
    let preview = scene.json(ask(Role::Admin), 200).await;
    assert_eq!(
        (&preview["changed"], &preview["kept"], &preview["version"]),
        (&json!(3), &json!(1), &json!(1))
    );
    let of = |id: &str| {
        let all = preview["changes"].as_array().expect("a list");
        all.iter().find(|it| it["sourceId"] == id).expect("the user").clone()
    };
    assert_eq!((&of("u-1")["gains"], &of("u-1")["loses"]), (&json!([]), &json!(["run_programme"])));
    assert_eq!((&of("u-2")["gains"], &of("u-2")["loses"]), (&json!(["report_work"]), &json!([])));
    assert_eq!((&of("u-3")["from"], &of("u-3")["to"]), (&json!("crew_readonly"), &json!("master")));
    assert_eq!(of("u-4")["kept"], true, "a role that was given by hand stays");
    assert!(!preview.to_string().to_lowercase().contains("nordmann"), "{preview}");
    assert_eq!(
        scene.roles().await[0],
        json!({"id": "u-1", "role": "chief_engineer", "v": 1}),
        "nothing is changed"
    );

    // Only who has seen the mapping may change it, and only into one that makes sense.
    let put = |tag: Option<&str>, body: &Value| {
        let request = scene.request(Role::Admin, Method::PUT, MAPPING).json(body);
        match tag {
            Some(tag) => request.header("if-match", tag),
            None => request,
        }
    };
    scene.json(put(None, &change), 428).await;
    scene.json(put(Some("\"9\""), &change), 412).await;
    let nonsense = json!({"rules": [{"rank": "cook", "workplace": "space", "role": "king"}]});
    let wrong = scene.json(put(Some("\"1\""), &nonsense), 422).await;
    let pointers: Vec<_> =
        wrong["errors"].as_array().expect("errors").iter().map(|it| it["pointer"].clone()).collect();
    assert_eq!(pointers, ["#/rules/0/workplace", "#/rules/0/role"]);
    let done = scene.json(put(Some("\"1\""), &change), 200).await;
    assert_eq!((&done["version"], &done["changes"]), (&json!(2), &preview["changes"]), "as it was foretold");
    assert_eq!(
        scene.roles().await,
        [
            json!({"id": "u-1", "role": "officer", "v": 2}),
            json!({"id": "u-2", "role": "crew", "v": 2}),
            json!({"id": "u-3", "role": "master", "v": 2}),
            json!({"id": "u-4", "role": "officer", "v": 1}),
        ]
    );
    // It is no edit of the users: the next sync finds nothing new, and new users are mapped by it.
    let again = scene.rows("SELECT count(*) AS n FROM users WHERE last_writer = 'maintenance'").await;
    assert_eq!(again[0]["n"], 1);
    let newcomer = user("u-5", json!({"rank": "grand admiral"}));
    scene.sync(&Records { users: vec![newcomer], ..Records::default() }).await?;
    assert_eq!(scene.roles().await[4], json!({"id": "u-5", "role": "master", "v": 2}));
    let audit = scene
        .rows("SELECT actor, detail->>'version' AS v FROM audit WHERE action = 'role_mapping.change'")
        .await;
    assert_eq!(audit, [json!({"actor": "anna", "v": "2"})]);
    let versions = scene.rows("SELECT version FROM role_mappings ORDER BY version").await;
    assert_eq!(versions.len(), 2, "every version is kept");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_shown_once_and_to_nobody_who_is_locked_out() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let hour = TimeDelta::hours(1);
    let made: Vec<_> = ["u-1", "u-2", "u-3", "u-4"]
        .into_iter()
        .map(|id| password(id, if id == "u-4" { -hour } else { hour }))
        .collect();
    let secret = made[0].1.clone();
    let records = Records {
        vessels: vec![vessel("v-1", "9074729", "Nordic Star")],
        users: vec![
            user("u-1", json!({})),
            user("u-2", json!({})),
            user("u-3", json!({"signOff": "2026-05-20"})),
            user("u-4", json!({})),
        ],
        passwords: made.into_iter().map(|(it, _)| it).collect(),
        ..Records::default()
    };
    scene.sync(&records).await?;
    let deactivated = user("u-2", json!({"active": false, "updatedAt": day(2)}));
    scene.sync(&Records { users: vec![deactivated], ..Records::default() }).await?;

    let all = scene.accounts(Role::Viewer, "limit=10").await;
    let of = |id: &str| all.iter().find(|it| it["sourceId"] == id).expect("the account").clone();
    let standing =
        |id: &str| (of(id)["maySignIn"].clone(), of(id)["lockedBecause"].clone(), of(id)["password"].clone());
    assert_eq!(standing("u-1"), (json!(true), json!(null), json!("to_claim")));
    assert_eq!(standing("u-2"), (json!(false), json!("deactivated"), json!("none")));
    assert_eq!(standing("u-3"), (json!(false), json!("signed_off"), json!("to_claim")));
    assert_eq!(standing("u-4"), (json!(true), json!(null), json!("expired")));
    assert_eq!((&of("u-1")["companyId"], &of("u-1")["vesselIds"]), (&json!("c-1"), &json!(["v-1"])));
    assert_eq!(of("u-1")["email"], "u***@e***.com");
    let by_address = "search=u-1.nordmann@example";
    assert_eq!(
        scene.accounts(Role::Viewer, by_address).await.len(),
        0,
        "nobody learns addresses by guessing"
    );
    let found = scene.accounts(Role::Admin, by_address).await;
    assert_eq!((found.len(), &found[0]["email"]), (1, &json!("u-1.nordmann@example.com")));

    let id = of("u-1")["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/sync/users/{id}/temporary-password");
    scene.json(scene.request(Role::Operator, Method::POST, &path), 403).await;
    assert_eq!(scene.claim("u-1", 200).await["password"], secret.as_str());
    assert_eq!(scene.claim("u-1", 409).await["code"], "already_claimed");
    assert_eq!(scene.claim("u-2", 409).await["code"], "locked_out");
    assert_eq!(scene.claim("u-3", 409).await["code"], "locked_out");
    assert_eq!(scene.claim("u-4", 409).await["code"], "expired");
    let row = scene.rows("SELECT password_hash, sealed_password FROM users WHERE source_id = 'u-2'").await;
    assert_eq!(row, [json!({"password_hash": null, "sealed_password": null})]);
    let audit = scene
        .rows("SELECT detail->>'result' AS r, actor FROM audit WHERE action = 'user.reveal_password' ORDER BY id")
        .await;
    let results: Vec<_> = audit.iter().map(|it| it["r"].as_str().unwrap_or_default()).collect();
    assert_eq!(results, ["Claimed", "AlreadyClaimed", "LockedOut", "LockedOut", "Expired"]);

    // Active again: a new password, to be claimed again. Whoever has one keeps it.
    let (again, secret) = password("u-2", hour);
    let (other, _) = password("u-1", hour);
    let back = Records {
        users: vec![
            user("u-2", json!({"updatedAt": day(3)})),
            user("u-1", json!({"rank": "ETO", "updatedAt": day(3)})),
        ],
        passwords: vec![again, other],
        ..Records::default()
    };
    scene.sync(&back).await?;
    assert_eq!(scene.claim("u-2", 200).await["password"], secret.as_str());
    assert_eq!(scene.claim("u-1", 409).await["code"], "already_claimed", "a sync resets no password");

    // Whoever has not used theirs in time gets another by an admin's word.
    let reissue = |role, id: &Value| {
        let path = format!("/api/sync/users/{}/temporary-password/reissue", id.as_str().unwrap_or_default());
        scene.request(role, Method::POST, &path)
    };
    scene.json(reissue(Role::Operator, &of("u-4")["id"]), 403).await;
    scene.json(reissue(Role::Admin, &json!("019ab2c4-0000-7000-8000-000000000001")), 404).await;
    assert_eq!(scene.json(reissue(Role::Admin, &of("u-3")["id"]), 409).await["code"], "locked_out");
    assert_eq!(scene.json(reissue(Role::Admin, &of("u-4")["id"]), 202).await["userId"], of("u-4")["id"]);
    let (made, secret_of_u4) = password("u-4", hour);
    user_passwords_supply(&mut *scene.store.db().await?, &[made]).await?;
    assert_eq!(scene.claim("u-4", 200).await["password"], secret_of_u4.as_str());

    let everything = scene.accounts(Role::Admin, "limit=10").await;
    let text = json!(everything).to_string();
    assert!(!text.contains(&secret) && !text.contains("argon2"), "{text}");
    scene.end().await;
    Ok(())
}
