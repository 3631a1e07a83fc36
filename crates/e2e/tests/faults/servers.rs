//! RabbitMQ and PostgreSQL go and come back, in the middle of a full sync; nobody restarts a service by hand.

use std::sync::Arc;

use e2e::{Fleet, Kind, Message, PATIENCE, Setup, System, Webhook};
use serde_json::json;
use testbed::{Servers, wait_until};
use uuid::Uuid;

/// A system on servers of its own, in the middle of a full sync.
async fn in_the_middle_of_a_full_sync(more: Setup) -> anyhow::Result<(Arc<Servers>, System, Uuid)> {
    let servers = Arc::new(Servers::private().await?);
    let setup = Setup { fleet: Fleet::Of(6, 400, 40), workers: 2, servers: Some(servers.clone()), ..more };
    let system = System::start(setup).await?;
    system.portal.fail(json!({"kind": "slow", "delayMs": 50})).await?;
    let sync = system.operator.trigger().await?;
    system.in_the_middle(sync, "equipment").await?;
    Ok((servers, system, sync))
}

/// The sync completes with everything in once, and no service has ended.
async fn all_is_well(mut system: System, sync: Uuid) -> anyhow::Result<()> {
    let detail = system.operator.ended(sync).await?;
    assert_eq!(json!(detail.summary.state), "completed", "{detail:#?}");
    system.assert_created_once(sync).await?;
    for daemon in system.front.iter_mut().chain(&mut system.schedulers).chain(&mut system.workers) {
        assert_eq!(daemon.exit_status()?, None, "a service has ended:\n{}", daemon.output());
    }
    Ok(())
}

/// Whether a page of a service says this.
async fn says(url: String, words: &str) -> Result<(), String> {
    let answer = reqwest::get(url).await.map_err(|it| it.to_string())?;
    let said = answer.text().await.map_err(|it| it.to_string())?;
    if said.contains(words) { Ok(()) } else { Err(said) }
}

/// A webhook about a vessel that the sync has read already.
async fn notice(system: &System) -> anyhow::Result<Webhook> {
    let vessel = system.portal.ids(Kind::Vessels, "approved").await?.remove(0);
    Webhook::about("vessel.updated", &vessel, "2026-05-01T00:00:00Z")
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_is_killed_and_started_again() -> anyhow::Result<()> {
    let (servers, system, sync) = in_the_middle_of_a_full_sync(Setup::default()).await?;
    servers.kill_broker().await?;
    // What is accepted meanwhile is not lost.
    let webhook = notice(&system).await?;
    let (status, answer) = webhook.send(&system).await?;
    assert_eq!(status, 202, "{answer}");
    assert!(system.operator.sync(sync).await?.summary.completed_at.is_none(), "it was in the middle");
    servers.start_broker().await?;
    system.wait_for_rows("the webhook is processed", "webhook_events WHERE state = 'processed'", 1).await?;
    all_is_well(system, sync).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_raises_an_alarm_and_takes_no_messages() -> anyhow::Result<()> {
    // Whoever publishes nothing is not told of an alarm: a chain of pages is published page by page.
    let one_chain = vec![("SMS_WORK__SLICES", "1".to_owned())];
    let setup = Setup { environment: one_chain, ..Setup::default() };
    let (servers, system, sync) = in_the_middle_of_a_full_sync(setup).await?;
    // The alarm takes seconds to be raised on a busy machine, and pages must be left then.
    system.portal.recover().await?;
    system.portal.fail(json!({"kind": "slow", "delayMs": 1000})).await?;
    servers.block_broker().await?;
    // What is accepted meanwhile is not lost, and whoever wants to publish says what it waits for.
    for _ in 0..3 {
        let (status, answer) = notice(&system).await?.send(&system).await?;
        assert_eq!(status, 202, "{answer}");
    }
    let ingest = &system.front[0].url;
    // The one that has fetched the next page: the other has nothing to publish.
    wait_until("a worker says so", PATIENCE, async || {
        let mut said = Vec::new();
        for worker in &system.workers {
            match says(format!("{}/readyz?verbose", worker.url), "the broker is blocked").await {
                Ok(()) => return Ok(()),
                Err(other) => said.push(other),
            }
        }
        Err(said)
    })
    .await?;
    wait_until("webhook-ingest says so", PATIENCE, async || {
        says(format!("{ingest}/metrics"), "sms_broker_blocked 1").await
    })
    .await?;
    system.portal.recover().await?;
    for _ in 0..10 {
        let (status, answer) = notice(&system).await?.send(&system).await?;
        assert_eq!(status, 202, "{answer}");
    }
    // A process keeps the one that it has, or opens its first.
    let mut connections = servers.broker_connections().await?;
    for process in ["scheduler", "status", "webhook-ingest", "worker", "worker"] {
        if let Some(at) = connections.iter().position(|name| name == process) {
            connections.remove(at);
        }
    }
    assert!(connections.is_empty(), "more than one of a process: {connections:?}");
    servers.unblock_broker().await?;
    system
        .wait_for_rows("the webhooks are processed", "webhook_events WHERE state = 'processed'", 13)
        .await?;
    all_is_well(system, sync).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_loses_its_disk() -> anyhow::Result<()> {
    // A lease as short as a test's patience, and of those as many as a broker's start may take.
    let environment = [
        ("SMS_REAPER__LOOK_EVERY_MS", "500"),
        ("SMS_REAPER__LEASE_SECONDS", "3"),
        ("SMS_REAPER__STALLED_AFTER_LEASES", "50"),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let more = Setup { environment: environment.into(), ..Setup::default() };
    let (servers, mut system, sync) = in_the_middle_of_a_full_sync(more).await?;
    // Nobody works for a moment, so that work is on the disk that is lost.
    for worker in &system.workers {
        worker.freeze()?;
    }
    let webhook = notice(&system).await?;
    let (status, answer) = webhook.send(&system).await?;
    assert_eq!(status, 202, "{answer}");
    system
        .wait_for_rows("the webhook is published", "webhook_events WHERE published_at IS NOT NULL", 1)
        .await?;
    servers.wipe_broker().await?;
    for worker in &mut system.workers {
        worker.thaw()?;
    }
    servers.start_broker().await?;
    system.world.restore_vhost().await?;
    system.wait_for_rows("the webhook is processed", "webhook_events WHERE state = 'processed'", 1).await?;
    all_is_well(system, sync).await
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_killed_and_started_again() -> anyhow::Result<()> {
    let (servers, system, sync) = in_the_middle_of_a_full_sync(Setup::default()).await?;
    let webhook = notice(&system).await?;
    servers.kill_database().await?;
    // What cannot be recorded is not accepted: the sender comes again.
    let (status, answer) = webhook.send(&system).await?;
    assert_eq!(status, 503, "{answer}");
    // A dead letter that cannot be kept waits in its queue, and is counted: whichever worker has it in hand.
    Message { kind: "", id: "bytes", body: b"\xff" }.send_to(&system.world, "sync.events").await?;
    let waiting = async |words: &str| {
        let mut said = Vec::new();
        for worker in &system.workers {
            said.push(says(format!("{}/metrics", worker.url), words).await);
        }
        if said.iter().any(Result::is_ok) { Ok(()) } else { Err(said) }
    };
    let counted = async || waiting("sms_dead_letters_waiting 1").await;
    wait_until("the dead letter is counted", PATIENCE, counted).await?;
    servers.start_database().await?;
    assert!(system.count("sync_logs WHERE completed_at IS NULL").await? == 1, "it was in the middle");
    // For a moment after a failure the gateway does not even ask the database.
    wait_until("the webhook is accepted", PATIENCE, async || match webhook.send(&system).await {
        Ok((status, _)) if status == 202 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await?;
    system.wait_for_rows("the webhook is processed", "webhook_events WHERE state = 'processed'", 1).await?;
    system.wait_for_rows("the dead letter is kept", "dead_letters WHERE message_id = 'bytes'", 1).await?;
    let none = async || waiting("sms_dead_letters_waiting 0").await;
    wait_until("no dead letter waits", PATIENCE, none).await?;
    all_is_well(system, sync).await
}
