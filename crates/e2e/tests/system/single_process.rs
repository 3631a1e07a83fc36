//! `sms-sync up`: all services in one process.

use std::time::Duration;

use e2e::{Fleet, Kind, Setup, System};
use serde_json::json;

/// The longest grace of the services that it runs.
const GRACE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn all_services_run_in_one_process_that_ends_cleanly_in_the_middle_of_a_full_sync_and_goes_on_later()
-> anyhow::Result<()> {
    let setup = Setup { fleet: Fleet::Of(4, 200, 40), one_process: true, ..Setup::default() };
    let mut system = System::start(setup).await?;
    let vessel = system.portal.ids(Kind::Vessels, "approved").await?.remove(0);

    // A slow portal, so that there is a middle.
    system.portal.fail(json!({"kind": "slow", "delayMs": 100})).await?;
    let sync = system.operator.trigger().await?;
    system.in_the_middle(sync, "equipment").await?;
    let ended = system.front[0].terminate(GRACE).await?;
    assert_eq!(ended.code(), Some(0), "{}", system.front[0].output());
    let state = system.rows("SELECT state, completed_at FROM sync_logs").await?;
    assert_eq!(state, [json!({"state": "running", "completed_at": null})], "it was in the middle");

    system.front[0].restart()?;
    system.front[0].ready().await?;
    system.portal.recover().await?;
    let detail = system.operator.ended(sync).await?;
    assert_eq!(json!(detail.summary.state), "completed", "{detail:#?}");
    system.assert_created_once(sync).await?;

    // The same port takes webhooks.
    let webhook = e2e::Webhook::about("vessel.approved", &vessel, "2026-05-01T00:00:00Z")?;
    let (status, answer) = webhook.send(&system).await?;
    assert_eq!(status, 202, "{answer}");
    system.wait_for_rows("the webhook is processed", "webhook_events WHERE state = 'processed'", 1).await?;
    Ok(())
}
