//! The program `onboarding-portal` and its commands.

use std::{
    process::{Command, Output},
    time::Duration,
};

use anyhow::Context;
use testbed::{Process, World, free_port, wait_until};

use crate::{
    delivery::{Receiver, header, status},
    rig::{ADMIN_KEY, KEY, PATIENCE, SECRET},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_onboarding-portal");

fn run(arguments: &[&str], database_url: &str) -> anyhow::Result<Output> {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().env("ONBOARDING_DATABASE_URL", database_url);
    Ok(command.output()?)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_and_seed_need_only_the_database_and_print_what_they_did() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let early = run(&["seed"], &world.database_url)?;
    assert_eq!(early.status.code(), Some(1));
    assert!(text(&early).contains("run `onboarding-portal migrate`"), "{}", text(&early));

    let migrated = run(&["migrate"], &world.database_url)?;
    assert!(migrated.status.success() && text(&migrated).contains("the schema is up to date"));
    assert!(text(&run(&["migrate"], &world.database_url)?).contains("the schema was up to date"));

    let sized = ["seed", "--vessels", "2", "--equipment", "30", "--users", "5"];
    let seeded = run(&sized, &world.database_url)?;
    let said = "seeded 2 companies, 2 vessels, 30 pieces of equipment, 5 users\n";
    assert_eq!((seeded.status.code(), text(&seeded).as_str()), (Some(0), said));
    let again = run(&sized, &world.database_url)?;
    assert!(
        again.status.success() && text(&again).contains("is there already; nothing changed"),
        "{}",
        text(&again)
    );
    let other = run(&["seed"], &world.database_url)?;
    assert_eq!(other.status.code(), Some(1));
    assert!(text(&other).contains("seed the demo fleet into a database of its own"), "{}", text(&other));
    Ok(())
}

#[test]
fn every_command_has_help() -> anyhow::Result<()> {
    for (arguments, word) in [
        (&["--help"][..], "ONBOARDING_API_KEY"),
        (&["serve", "--help"], "Run the daemon"),
        (&["migrate", "--help"], "schema"),
        (&["seed", "--help"], "--equipment <N>"),
        (&["openapi", "--help"], "--to <FILE>"),
        (&["config", "defaults"], "[webhook]"),
    ] {
        let help = run(arguments, "")?;
        assert!(help.status.success() && text(&help).contains(word), "{arguments:?}: {}", text(&help));
    }
    Ok(())
}

#[test]
fn wrong_command_exits_with_2_and_missing_config_with_78() -> anyhow::Result<()> {
    assert_eq!(run(&["sing"], "")?.status.code(), Some(2));
    let misconfigured = run(&["serve"], "")?;
    assert_eq!(misconfigured.status.code(), Some(78));
    assert!(text(&misconfigured).contains("ONBOARDING_API_KEY"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_portal_sends_its_unfinished_webhook_again_after_restart() -> anyhow::Result<()> {
    let world = World::empty().await?;
    // The receiver holds the first request until the portal is dead.
    let receiver = Receiver::with([status(202).set_delay(PATIENCE)]).await;
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let environment = [
        ("SMS_ENV", "development"),
        ("BIND", &format!("127.0.0.1:{port}")),
        ("ONBOARDING_DATABASE_URL", &world.database_url),
        ("ONBOARDING_API_KEY", KEY),
        ("ONBOARDING_ADMIN_KEY", ADMIN_KEY),
        ("WEBHOOK_URL", &receiver.url),
        ("WEBHOOK_SECRET", SECRET),
        ("SMS_DATABASE__PREPARE", "migrate"),
    ];
    let mut portal = Process::spawn(PROGRAM, &["serve"], environment)?;
    portal.wait_ready(&url, PATIENCE).await?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let ping = client.post(format!("{url}/api/webhooks/test")).header("x-api-key", ADMIN_KEY).send().await?;
    assert!(ping.status().is_success());
    let first = receiver.after(1).await?;
    portal.kill()?;

    // The claim would last for the timeout of an attempt; the test ends it now.
    let claimed = world.query_json("SELECT claimed_until FROM webhook_messages").await?;
    assert!(claimed[0]["claimed_until"].is_string());
    world.execute("UPDATE webhook_messages SET claimed_until = now()").await?;
    portal.restart()?;
    portal.wait_ready(&url, PATIENCE).await?;
    let both = receiver.after(2).await?;
    assert_eq!(header(&both[1], "webhook-id"), header(&first[0], "webhook-id"));
    wait_until("it is delivered", PATIENCE, async || {
        match world.query_json("SELECT state, attempts FROM webhook_messages").await {
            Ok(rows) if rows[0]["state"] == "delivered" => Ok(rows),
            other => Err(format!("{other:?}")),
        }
    })
    .await?;

    let ended = portal.terminate(Duration::from_secs(30)).await?;
    assert!(ended.success(), "{ended}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_with_prepare_demo_migrates_and_seeds_an_empty_database() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let environment = [
        ("BIND", format!("127.0.0.1:{port}")),
        ("ONBOARDING_DATABASE_URL", world.database_url.clone()),
        ("ONBOARDING_API_KEY", KEY.to_owned()),
        ("SMS_DATABASE__PREPARE", "demo".to_owned()),
    ];
    let mut portal = Process::spawn(PROGRAM, &[], environment)?;
    portal.wait_ready(&url, PATIENCE).await?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let page: serde_json::Value =
        client.get(format!("{url}/api/sync/vessels?limit=1")).bearer_auth(KEY).send().await?.json().await?;
    assert_eq!(page["page"]["total"].as_u64().context("a total")?, 42);
    Ok(())
}
