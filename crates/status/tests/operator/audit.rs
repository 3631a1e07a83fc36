//! What the audit log holds beside changes: refused attempts, readings of personal data, and the request of each row.

use std::time::Duration;

use chassis::auth::{REFUSALS_PER_MINUTE, Role};
use reqwest::Method;
use serde_json::{Value, json};
use testbed::wait_until;

use crate::scene::{Records, Scene, day, vessel};

impl Scene {
    async fn audit_of(&self, action: &str) -> Vec<Value> {
        let sql = format!(
            "SELECT actor, subject, detail, request_id FROM audit
             WHERE action = '{action}' ORDER BY id"
        );
        self.rows(&sql).await
    }

    async fn wait_for_audit(&self, action: &str, rows: usize) -> anyhow::Result<Vec<Value>> {
        wait_until("the audit log has the rows", Duration::from_secs(30), async || {
            let found = self.audit_of(action).await;
            if found.len() == rows { Ok(found) } else { Err(found) }
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_attempt_is_audited_with_its_request() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let path = "/api/sync/users/019ab2c4-0000-7000-8000-000000000001/temporary-password";
    let request = scene.request(Role::Operator, Method::POST, path).header("x-request-id", "attempt-1");
    scene.json(request, 403).await;
    let rows = scene.wait_for_audit("access.refuse", 1).await?;
    assert_eq!(
        rows,
        [json!({
            "actor": "anna", "subject": "POST /api/sync/users/{userId}/temporary-password",
            "detail": {"path": path, "role": "operator", "required": "admin", "others": 0},
            "request_id": "attempt-1"
        })]
    );
    scene.json(scene.stranger("/api/sync/users"), 401).await;
    assert_eq!(scene.rows("SELECT id FROM audit").await.len(), 1, "nobody knows who that was");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_of_refused_attempts_leaves_a_few_rows_per_operator() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let limit = usize::try_from(REFUSALS_PER_MINUTE.get())?;
    let attempt = |subject: &str| {
        let token = scene.token_of(subject, Role::Viewer, Duration::from_secs(600));
        scene.request_with(&token, Method::GET, "/api/sync/token-revocations")
    };
    for _ in 0..limit * 5 {
        scene.json(attempt("eve"), 403).await;
    }
    scene.json(attempt("mallory"), 403).await;
    let of_mallory = "SELECT id FROM audit WHERE actor = 'mallory'";
    wait_until("the other operator has a row", Duration::from_secs(30), async || {
        if scene.rows(of_mallory).await.len() == 1 { Ok(()) } else { Err("none") }
    })
    .await?;
    let of_eve = scene.rows("SELECT id FROM audit WHERE actor = 'eve'").await.len();
    // A slow machine may take long enough for one or two more.
    assert!((limit..limit * 2).contains(&of_eve), "{of_eve}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_of_unmasked_users_is_audited_once_a_minute() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let user = json!({
        "id": "u-1", "email": "ola@example.com", "familyName": "Nordmann", "rank": "Cook", "workplace": "ship",
        "companyId": "c-1", "vesselIds": ["v-1"], "active": true, "updatedAt": day(1)
    });
    let vessels = vec![vessel("v-1", "9074729", "Nordic Star")];
    scene.sync(&Records { vessels, users: vec![user], ..Records::default() }).await?;
    let read = |role, query: &str| scene.request(role, Method::GET, &format!("/api/sync/users?{query}"));
    scene.json(read(Role::Operator, "limit=10"), 200).await;
    assert_eq!(scene.audit_of("user.read").await, Vec::<Value>::new(), "masked");
    for _ in 0..3 {
        scene.json(read(Role::Admin, "limit=10"), 200).await;
    }
    scene.json(read(Role::Admin, "limit=10&search=ola@"), 200).await;
    let details: Vec<_> = scene.audit_of("user.read").await.iter().map(|it| it["detail"].clone()).collect();
    assert_eq!(
        details,
        [json!({"search": null, "users": ["u-1"]}), json!({"search": "ola@", "users": ["u-1"]})]
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_of_raw_bodies_is_audited() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = "019ab2c4-0000-7000-8000-000000000001";
    scene
        .world
        .execute(&format!(
            "INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, died_at,
                 archived_at, state, replays)
             VALUES ('{id}', 'm', 'sync.events', 'k', '{{}}', 'transient', '500', 'f', 4, now(), now(), 'dead', 0)"
        ))
        .await?;
    scene.json(scene.get(&format!("/api/sync/dead-letters/{id}")), 200).await;
    let rows = scene.audit_of("dead_letter.read").await;
    assert_eq!((&rows[0]["actor"], &rows[0]["subject"]), (&json!("anna"), &json!(id)));

    scene
        .json(scene.request(Role::Operator, Method::GET, &format!("/api/sync/webhooks/{id}/raw-body")), 404)
        .await;
    assert_eq!(scene.audit_of("webhook.read_body").await, Vec::<Value>::new(), "nothing was read");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_settings_is_audited_with_its_request_and_the_values_before() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let before = scene.json(scene.get("/api/sync/settings"), 200).await["pageSize"].clone();
    let request =
        scene.request(Role::Admin, Method::POST, "/api/sync/settings").header("x-request-id", "change-1");
    scene.json(request.header("if-match", "*").json(&json!({"pageSize": 77})), 200).await;
    let rows = scene.audit_of("settings.update").await;
    assert_eq!(rows[0]["request_id"], "change-1");
    assert_eq!(
        (&rows[0]["detail"]["pageSize"], &rows[0]["detail"]["before"]),
        (&json!(77), &json!({"pageSize": before}))
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_log_is_listed_with_filters_and_exported_whole() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // More than an export reads at a time.
    scene
        .world
        .execute(
            "INSERT INTO audit (at, actor, action, subject, detail, request_id)
             SELECT timestamptz '2026-05-01T00:00:00Z' + n * interval '1 minute',
                 CASE WHEN n % 2 = 0 THEN 'anna' ELSE 'ben' END, 'sync.trigger', 's-' || n, '{\"mode\": \"full\"}', 'r-' || n
             FROM generate_series(1, 1203) AS n",
        )
        .await?;
    let admin = |path: &str| scene.request(Role::Admin, Method::GET, path);
    let list = scene.json(admin("/api/sync/audit?limit=2"), 200).await;
    assert_eq!(list["pagination"]["total"], 1203);
    let newest = &list["data"][0];
    assert_eq!(
        (&newest["actor"], &newest["action"], &newest["subject"], &newest["detail"]),
        (&json!("ben"), &json!("sync.trigger"), &json!("s-1203"), &json!({"mode": "full"}))
    );
    for (query, total) in [
        ("actor=anna", 601),
        ("action=settings.update", 0),
        ("subject=s-7", 1),
        ("requestId=r-8", 1),
        ("from=2026-05-01T00:10:00Z&to=2026-05-01T00:20:00Z", 10),
    ] {
        let list = scene.json(admin(&format!("/api/sync/audit?{query}")), 200).await;
        assert_eq!(list["pagination"]["total"], total, "{query}");
    }

    let response = admin("/api/sync/audit/export?actor=ben").send().await?.error_for_status()?;
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let text = response.text().await?;
    let lines: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!((lines.len(), &lines[0]["subject"]), (603, &json!("s-1")), "602 entries and the end");
    assert_eq!(lines[602], json!({"complete": true}));
    scene.json(scene.request(Role::Operator, Method::GET, "/api/sync/audit"), 403).await;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_are_listed_by_cause_mode_time_and_whether_they_write() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .world
        .execute(
            "INSERT INTO sync_logs (id, cause, mode, dry_run, state, requested_by, started_at, heartbeat_at, completed_at,
                 running_at)
             SELECT gen_random_uuid(), cause, mode, dry_run, 'completed', 'test', at, at, at, at
             FROM (VALUES ('manual', 'full', false, timestamptz '2026-05-01T00:00:00Z'),
                 ('manual', 'full', true, '2026-05-02T00:00:00Z'),
                 ('scheduled', 'incremental', false, '2026-05-03T00:00:00Z'),
                 ('webhook', 'selective', false, '2026-05-04T00:00:00Z')) AS v (cause, mode, dry_run, at)",
        )
        .await?;
    for (query, total) in [
        ("", 4),
        ("cause=manual", 2),
        ("mode=incremental", 1),
        ("dryRun=true", 1),
        ("dryRun=false", 3),
        ("from=2026-05-02T00:00:00Z&to=2026-05-04T00:00:00Z", 2),
        ("cause=manual&dryRun=false&state=completed", 1),
        ("state=failed", 0),
    ] {
        let list = scene.json(scene.get(&format!("/api/sync/history?{query}")), 200).await;
        assert_eq!(list["pagination"]["total"], total, "{query}");
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn chain_is_verified_on_an_admins_word_and_a_changed_row_is_named() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let chain = async |query: &str, status| {
        let path = format!("/api/sync/audit/chain{query}");
        scene.json(scene.request(Role::Admin, Method::GET, &path), status).await
    };
    for reason in ["first", "second"] {
        let body = json!({"subject": "eve", "reason": reason});
        scene
            .json(scene.request(Role::Admin, Method::POST, "/api/sync/token-revocations").json(&body), 200)
            .await;
    }
    let intact = chain("", 200).await;
    assert_eq!(
        (&intact["intact"], &intact["problem"], &intact["purgedUntil"]),
        (&json!(true), &Value::Null, &json!(0))
    );
    let rows = scene.rows("SELECT id FROM audit ORDER BY position").await;
    assert_eq!(intact["rows"], json!(rows.len()));
    let end = intact["end"].as_str().expect("the newest row");
    assert_eq!(chain(&format!("?expect={end}"), 200).await["problem"], Value::Null);
    let another = format!("{}:{}", rows.len(), "0".repeat(64));
    let rewritten = chain(&format!("?expect={another}"), 200).await;
    assert_eq!(rewritten["intact"], false);
    assert!(rewritten["problem"].as_str().is_some_and(|it| it.contains("written anew")), "{rewritten}");
    chain("?expect=1", 422).await;
    scene.json(scene.request(Role::Operator, Method::GET, "/api/sync/audit/chain"), 403).await;

    let changed = &rows[1]["id"];
    scene
        .world
        .execute(&format!(
            "ALTER TABLE audit DISABLE TRIGGER USER; UPDATE audit SET actor = 'nobody' WHERE id = {changed};
             ALTER TABLE audit ENABLE TRIGGER USER"
        ))
        .await?;
    let broken = chain("", 200).await;
    assert_eq!(
        (&broken["intact"], &broken["rows"], &broken["end"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    let said = format!("row {changed}, at position 2, was changed");
    assert_eq!(broken["problem"], said);
    scene.end().await;
    Ok(())
}
