//! The endpoint: when it is disabled, and the rotation of its secret.

use std::time::Duration;

use anyhow::Context;
use chassis::config::Environment;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::{
    delivery::{Receiver, header, sending_to, status, verifies},
    rig::{Rig, SECRET, noon, serve},
};

async fn ping(rig: &Rig) -> anyhow::Result<String> {
    Ok(rig.post("/api/webhooks/test").await?["webhookId"].as_str().context("an id")?.to_owned())
}

async fn endpoint_in_state(rig: &Rig, state: &str) -> anyhow::Result<Value> {
    testbed::wait_until(format!("the endpoint is {state}"), crate::rig::PATIENCE, async || {
        let endpoint = rig.get("/api/webhooks/endpoint").await.map_err(|error| error.to_string())?;
        if endpoint["state"] == state { Ok(endpoint) } else { Err(endpoint.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_endpoint_is_disabled_and_receives_pending_webhooks_when_enabled() -> anyhow::Result<()> {
    let receiver = Receiver::with([status(410)]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let first = ping(&rig).await?;
    let endpoint = endpoint_in_state(&rig, "disabled").await?;
    assert_eq!(
        (&endpoint["alert"], &endpoint["pending"]),
        (&"The endpoint answered 410 Gone.".into(), &1.into())
    );
    assert!(endpoint["disabledAt"].is_string());

    let second = ping(&rig).await?;
    // Less than a lease: a sender that has just read the earlier time must not find its claim expired.
    rig.advance(Duration::from_secs(10));
    assert_eq!(rig.get(&format!("/api/webhooks/messages/{second}")).await?["attempts"], 0);

    let enabled = rig.post("/api/webhooks/endpoint/enable").await?;
    assert_eq!((&enabled["state"], enabled.get("alert")), (&"enabled".into(), None));
    rig.message_in_state(&first, "delivered").await?;
    rig.message_in_state(&second, "delivered").await?;
    assert_eq!(receiver.requests().await.len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_that_fails_for_days_is_disabled_with_an_alert() -> anyhow::Result<()> {
    let receiver = Receiver::with((0..3).map(|_| status(500))).await;
    let rig = sending_to(&receiver, &[]).await?;
    let message = ping(&rig).await?;
    rig.message_after(&message, 1).await?;
    let endpoint = rig.get("/api/webhooks/endpoint").await?;
    assert_eq!((&endpoint["state"], &endpoint["consecutiveFailures"]), (&"enabled".into(), &1.into()));
    assert!(endpoint["alert"].as_str().context("an alert")?.contains("the last: HTTP 500"));

    rig.advance(Duration::from_secs(119 * 3600));
    rig.message_after(&message, 2).await?;
    assert_eq!(rig.get("/api/webhooks/endpoint").await?["state"], "enabled");
    rig.advance(Duration::from_secs(3600));
    let endpoint = endpoint_in_state(&rig, "disabled").await?;
    assert_eq!(
        endpoint["alert"],
        "No webhook was accepted since 2026-11-24 12:00 UTC; the last answer: HTTP 500"
    );
    assert_eq!(endpoint["consecutiveFailures"], 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn success_clears_earlier_failures() -> anyhow::Result<()> {
    let receiver = Receiver::with([status(500)]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let message = ping(&rig).await?;
    rig.message_after(&message, 1).await?;
    rig.advance(Duration::from_secs(6));
    rig.message_in_state(&message, "delivered").await?;
    let endpoint = rig.get("/api/webhooks/endpoint").await?;
    assert_eq!(
        (&endpoint["consecutiveFailures"], endpoint.get("alert"), endpoint.get("failingSince")),
        (&0.into(), None, None)
    );
    assert_eq!(
        endpoint["lastSuccessAt"].as_str().context("a time")?.parse::<DateTime<Utc>>()?,
        noon() + TimeDelta::seconds(6)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_endpoint_receives_nothing_until_it_is_enabled() -> anyhow::Result<()> {
    let receiver = Receiver::with([]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let disabled = rig.post("/api/webhooks/endpoint/disable").await?;
    assert_eq!(
        (&disabled["state"], &disabled["alert"]),
        (&"disabled".into(), &"Somebody disabled the endpoint by hand.".into())
    );
    let message = ping(&rig).await?;
    rig.advance(Duration::from_secs(60));
    assert_eq!(rig.get(&format!("/api/webhooks/messages/{message}")).await?["attempts"], 0);
    rig.post("/api/webhooks/endpoint/enable").await?;
    rig.message_in_state(&message, "delivered").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn new_secret_signs_beside_the_previous_one_until_that_expires() -> anyhow::Result<()> {
    let receiver = Receiver::with([]).await;
    let rig = sending_to(&receiver, &[]).await?;
    let rotated = rig.post("/api/webhooks/endpoint/rotate-secret").await?;
    let new = rotated["secret"].as_str().context("it is shown once")?;
    assert!(new.starts_with("whsec_") && new != SECRET);
    let expires: DateTime<Utc> = rotated["previousExpiresAt"].as_str().context("a time")?.parse()?;
    assert_eq!(expires, noon() + TimeDelta::hours(24));

    let endpoint = rig.get("/api/webhooks/endpoint").await?;
    let secrets = endpoint["secrets"].as_array().context("a list")?;
    assert_eq!((secrets.len(), &secrets[0]["id"], secrets[0].get("expiresAt")), (2, &rotated["id"], None));
    assert!(!endpoint.to_string().contains("whsec_"), "secrets are not shown");

    rig.message_in_state(&ping(&rig).await?, "delivered").await?;
    let came = receiver.after(1).await?;
    assert_eq!(header(&came[0], "webhook-signature").split(' ').count(), 2);
    assert!(verifies(&came[0], new, noon()) && verifies(&came[0], SECRET, noon()));

    rig.clock.advance(Duration::from_secs(24 * 3600));
    rig.message_in_state(&ping(&rig).await?, "delivered").await?;
    let came = receiver.after(2).await?;
    assert_eq!(header(&came[1], "webhook-signature").split(' ').count(), 1);
    assert!(verifies(&came[1], new, expires) && !verifies(&came[1], SECRET, expires));
    assert_eq!(rig.get("/api/webhooks/endpoint").await?["secrets"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_the_rotated_secret_unless_a_new_one_is_configured() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let rotated = rig.post("/api/webhooks/endpoint/rotate-secret").await?;
    let current = async || {
        let endpoint = rig.get("/api/webhooks/endpoint").await?;
        anyhow::Ok((endpoint["secrets"][0]["id"].clone(), endpoint["secrets"].as_array().map_or(0, Vec::len)))
    };
    let restart = async |config: &[(&str, &str)]| {
        let (_, _, shutdown) =
            serve(&rig.world.database_url, &rig.clock, Environment::Production, config).await?;
        shutdown.abort("restarted");
        anyhow::Ok(())
    };
    restart(&[]).await?;
    assert_eq!(current().await?, (rotated["id"].clone(), 2));

    restart(&[("WEBHOOK_SECRET", "whsec_pW0mJzJ6iXq4Vf7nT2c9dK1sR8yLuEoA")]).await?;
    let (id, secrets) = current().await?;
    assert_ne!(id, rotated["id"]);
    assert_eq!(secrets, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_url_without_a_usable_secret_is_refused() -> anyhow::Result<()> {
    for secret in ["whsec_no base64", ""] {
        let config = [("WEBHOOK_URL", "https://example.com/hook"), ("WEBHOOK_SECRET", secret)];
        let refused = Rig::with(Environment::Production, &config).await.err().context("it is refused")?;
        assert!(format!("{refused:#}").contains("WEBHOOK_SECRET"), "{refused:#}");
    }
    Ok(())
}
