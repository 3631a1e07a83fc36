//! Approvals, from the portal's webhook to the row.

use e2e::{Fleet, Kind, PATIENCE, Portal, Setup, System, Webhook};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testbed::wait_until;

/// Waits until the event of a webhook is processed; its row.
async fn processed(system: &System, webhook_id: &str) -> anyhow::Result<Value> {
    wait_until(format!("the webhook {webhook_id} is processed"), PATIENCE, async || {
        let sql =
            format!("SELECT *, body IS NULL AS body FROM webhook_events WHERE webhook_id = '{webhook_id}'");
        let mut rows = system.rows(&sql).await.map_err(|error| vec![json!(error.to_string())])?;
        if rows.len() == 1 && rows[0]["state"] == "processed" { Ok(rows.remove(0)) } else { Err(rows) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_in_the_portal_arrives_as_rows_through_its_signed_webhook() -> anyhow::Result<()> {
    let setup = Setup { fleet: Fleet::Empty, webhooks: true, ..Setup::default() };
    let system = System::start(setup).await?;
    let portal = &system.portal;
    portal.enter(Kind::Companies, json!({"id": "c-1", "name": "Nordhavn Bulk AS", "country": "NO"})).await?;
    portal.enter(Kind::Vessels, Portal::vessel("v-1", "9074729", json!({}))).await?;
    portal.enter(Kind::Equipment, Portal::equipment("e-1", "v-1", json!({}))).await?;
    portal.enter(Kind::Users, Portal::user("u-1", json!({"vesselIds": ["v-1"]}))).await?;
    assert_eq!(system.count("webhook_events").await?, 0, "drafts are nobody else's business");

    // A vessel's approval is that of all its drafts.
    let approved = portal.approve(Kind::Vessels, "v-1").await?;
    let event = processed(&system, approved["webhookId"].as_str().expect("an approval is told")).await?;
    assert_eq!((&event["event_type"], &event["source_id"]), (&json!("vessel.approved"), &json!("v-1")));
    let vessels = system.rows("SELECT name, imo_number, status FROM vessels").await?;
    assert_eq!(vessels, [json!({"name": "Vessel v-1", "imo_number": "9074729", "status": "active"})]);
    for table in ["companies", "equipment", "critical_parts", "maintenance_schedules", "users"] {
        assert_eq!(system.count(table).await?, 1, "rows of {table}");
    }
    let sync = event["sync_id"].as_str().expect("its sync").parse()?;
    let detail = system.operator.sync(sync).await?;
    assert_eq!(json!(detail.summary.cause), "webhook");
    assert_eq!(json!(detail.summary.state), "completed");
    let tally = system.tally(sync).await?;
    assert!(tally.values().all(|counts| e2e::is_balanced(counts) && counts.created == 1), "{tally:?}");

    // A change follows, and so does the end of an approval.
    let changed = portal.change(Kind::Users, "u-1", json!({"rank": "Chief Engineer"})).await?;
    processed(&system, changed["webhookId"].as_str().expect("a change is told")).await?;
    let withdrawn = portal.withdraw(Kind::Equipment, "e-1").await?;
    processed(&system, withdrawn["webhookId"].as_str().expect("a withdrawal is told")).await?;
    assert_eq!(system.rows("SELECT rank FROM users").await?, [json!({"rank": "chief_engineer"})]);
    assert_eq!(system.rows("SELECT status FROM equipment").await?, [json!({"status": "withdrawn"})]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_webhook_twice_is_applied_once() -> anyhow::Result<()> {
    let system = System::start(Setup { fleet: Fleet::Of(1, 2, 1), ..Setup::default() }).await?;
    let vessel = system.portal.ids(Kind::Vessels, "approved").await?.remove(0);
    let webhook = Webhook::about("vessel.approved", &vessel, "2026-05-01T00:00:00Z")?;

    let (status, first) = webhook.send(&system).await?;
    assert_eq!((status, &first["duplicate"]), (StatusCode::ACCEPTED, &json!(false)), "{first}");
    processed(&system, &webhook.id).await?;
    let (status, second) = webhook.send(&system).await?;
    assert_eq!((status, &second["duplicate"]), (StatusCode::OK, &json!(true)), "{second}");
    assert_eq!(first["eventId"], second["eventId"]);

    // What comes after it stands behind it: by now the second would have been applied.
    let next = Webhook::about("vessel.updated", &vessel, "2026-05-02T00:00:00Z")?;
    next.send(&system).await?;
    processed(&system, &next.id).await?;
    assert_eq!(system.count("webhook_events").await?, 2);
    assert_eq!(system.count("sync_logs").await?, 2);
    assert_eq!(
        system
            .count(&format!("webhook_events WHERE webhook_id = '{}' AND duplicates = 1", webhook.id))
            .await?,
        1
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_changed_by_one_byte_is_refused() -> anyhow::Result<()> {
    let system = System::start(Setup { fleet: Fleet::Of(1, 0, 0), ..Setup::default() }).await?;
    let vessel = system.portal.ids(Kind::Vessels, "approved").await?.remove(0);
    let webhook = Webhook::about("vessel.approved", &vessel, "2026-05-01T00:00:00Z")?;
    for at in [0, webhook.body.len() / 2, webhook.body.len() - 1] {
        let mut forged = webhook.clone();
        forged.body[at] ^= 1;
        let (status, answer) = forged.send(&system).await?;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
    }
    assert_eq!(system.count("webhook_events").await?, 0);
    let (status, _) = webhook.send(&system).await?;
    assert_eq!(status, StatusCode::ACCEPTED, "as it was signed, it is taken");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_events_out_of_order_leave_the_newer_state() -> anyhow::Result<()> {
    let system = System::start(Setup { fleet: Fleet::Of(1, 0, 0), ..Setup::default() }).await?;
    let vessel = system.portal.ids(Kind::Vessels, "approved").await?.remove(0);
    system.portal.change(Kind::Vessels, &vessel, json!({"name": "Older"})).await?;
    let older = Webhook::about("vessel.updated", &vessel, "2026-05-01T00:00:00Z")?;
    let changed = system.portal.change(Kind::Vessels, &vessel, json!({"name": "Newer"})).await?;
    let newer = Webhook::about("vessel.updated", &vessel, "2026-05-02T00:00:00Z")?;

    newer.send(&system).await?;
    processed(&system, &newer.id).await?;
    older.send(&system).await?;
    let late = processed(&system, &older.id).await?;
    let rows = system.rows("SELECT name, source_updated_at FROM vessels").await?;
    assert_eq!(rows[0]["name"], "Newer");
    let at = |value: &Value| chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap_or_default());
    assert_eq!(at(&rows[0]["source_updated_at"])?, at(&changed["updatedAt"])?);
    let tally = system.tally(late["sync_id"].as_str().expect("its sync").parse()?).await?;
    assert_eq!(tally["vessel"].unchanged, 1, "{tally:?}");
    Ok(())
}
