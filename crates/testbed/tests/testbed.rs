//! The testbed on the servers that it starts itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use testbed::lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use testbed::lapin::types::{AMQPValue, FieldTable};
use testbed::lapin::{BasicProperties, Channel};
use testbed::{Process, Servers, World, free_port, wait_until};

const SOON: Duration = Duration::from_secs(20);

async fn queue_with_one_message(world: &World) -> anyhow::Result<Channel> {
    let channel = world.amqp_connection().await?.create_channel().await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("letters".into(), durable, arguments).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let sent = channel.basic_publish(
        "".into(),
        "letters".into(),
        BasicPublishOptions::default(),
        b"hello",
        persistent,
    );
    sent.await?.await?;
    Ok(channel)
}

async fn databases_named(world: &World, pattern: &str) -> anyhow::Result<usize> {
    let sql = format!("SELECT datname FROM pg_database WHERE datname LIKE '{pattern}'");
    Ok(world.query_json(&sql).await?.len())
}

fn last_part(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

#[tokio::test]
async fn two_worlds_do_not_see_each_other() -> anyhow::Result<()> {
    let (one, other) = (World::empty().await?, World::empty().await?);
    one.execute("CREATE TABLE ships (name text, built int); INSERT INTO ships VALUES ('Fram', 1892)").await?;
    assert_eq!(
        one.query_json("SELECT * FROM ships;").await?,
        [serde_json::json!({"name": "Fram", "built": 1892})]
    );
    assert!(other.query_json("SELECT * FROM ships").await.is_err());

    let channel = queue_with_one_message(&one).await?;
    assert_eq!(one.messages_ready("letters").await?, 1);
    assert!(other.messages_ready("letters").await.is_err());
    drop(channel);

    assert_ne!(one.onboarding_database_url().await?, one.database_url);
    assert_eq!(one.onboarding_database_url().await?, one.onboarding_database_url().await?);
    Ok(())
}

#[tokio::test]
async fn nothing_of_a_world_is_left_when_it_ends() -> anyhow::Result<()> {
    let (observer, world) = (World::empty().await?, World::empty().await?);
    world.amqp_url().await?;
    world.onboarding_database_url().await?;
    let pattern = format!("{}%", last_part(&world.database_url).trim_end_matches("_0"));
    assert_eq!(databases_named(&observer, &pattern).await?, 2);
    drop(world);
    assert_eq!(databases_named(&observer, &pattern).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_migrated_once_for_all_who_ask_at_the_same_time() -> anyhow::Result<()> {
    static MIGRATED: AtomicU32 = AtomicU32::new(0);
    let name = format!("own_{}", std::process::id());
    let ask = || {
        World::from_template(&name, async |url| {
            MIGRATED.fetch_add(1, Ordering::Relaxed);
            World::execute_at(&url, "CREATE TABLE ports (name text); INSERT INTO ports VALUES ('Bergen')")
                .await
        })
    };
    let (one, two, three) = tokio::try_join!(ask(), ask(), ask())?;
    assert_eq!(MIGRATED.load(Ordering::Relaxed), 1);
    for world in [&one, &two, &three] {
        assert_eq!(world.query_json("SELECT name FROM ports").await?[0]["name"], "Bergen");
    }
    one.execute("DELETE FROM ports").await?;
    assert_eq!(two.query_json("SELECT name FROM ports").await?.len(), 1);
    two.execute(&format!("DROP DATABASE \"sms_template_{name}\"")).await // it is nobody else's
}

#[tokio::test]
async fn private_servers_come_back_with_their_data_after_a_kill() -> anyhow::Result<()> {
    let servers = Arc::new(Servers::private().await?);
    let world = World::empty_on(&servers).await?;
    world.execute("CREATE TABLE ships (name text); INSERT INTO ships VALUES ('Gjøa')").await?;
    let channel = queue_with_one_message(&world).await?;

    servers.kill_database().await?;
    assert!(world.query_json("SELECT * FROM ships").await.is_err());
    servers.start_database().await?;
    assert_eq!(world.query_json("SELECT name FROM ships").await?[0]["name"], "Gjøa");

    servers.kill_broker().await?;
    wait_until("the client sees its connection gone", SOON, async || {
        if channel.status().connected() { Err("connected") } else { Ok(()) }
    })
    .await?;
    servers.start_broker().await?;
    wait_until("the message is back", SOON, async || match world.messages_ready("letters").await {
        Ok(1) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await?;

    servers.wipe_broker().await?;
    servers.start_broker().await?;
    world.restore_vhost().await?;
    let seen = world.messages_ready("letters").await.expect_err("a queue on an empty disk");
    assert!(format!("{seen:#}").contains("NOT_FOUND"), "{seen:#}");
    Ok(())
}

#[tokio::test]
async fn shared_servers_are_killed_by_nobody() -> anyhow::Result<()> {
    assert!(Servers::shared().await?.kill_broker().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_process_gets_its_own_environment_and_ends_when_told() -> anyhow::Result<()> {
    let script =
        "trap 'echo told; exit 3' TERM; echo \"ship=$SHIP cargo=$CARGO\"; while :; do sleep 0.05; done";
    let mut process = Process::spawn("sh", &["-c", script], [("SHIP", "Fram")])?;
    wait_until("it has started", SOON, async || {
        let output = process.output();
        if output.contains("ship=Fram cargo=\n") { Ok(()) } else { Err(output) }
    })
    .await?;
    process.freeze()?;
    process.thaw()?;
    assert_eq!(process.exit_status()?, None);
    assert_eq!(process.terminate(SOON).await?.code(), Some(3));
    assert!(process.output().contains("told"));

    process.restart()?;
    assert_eq!(process.exit_status()?, None);
    process.kill()?;
    assert!(process.exit_status()?.is_some_and(|status| status.code().is_none()));
    Ok(())
}

#[tokio::test]
async fn a_process_that_ends_before_it_is_ready_says_why() -> anyhow::Result<()> {
    let mut process = Process::spawn("sh", &["-c", "echo the anchor is stuck >&2; exit 1"], [("A", "1")])?;
    let url = format!("http://127.0.0.1:{}", free_port());
    let error = process.wait_ready(&url, SOON).await.expect_err("it ended");
    assert!(format!("{error:#}").contains("the anchor is stuck"), "{error:#}");
    Ok(())
}

#[tokio::test]
async fn waiting_in_vain_tells_what_was_seen_last() {
    let mut count = 0;
    let waited = wait_until("the count is high", Duration::from_millis(50), async || {
        count += 1;
        Err::<(), _>(format!("count {count}"))
    });
    let error = waited.await.expect_err("it never is").to_string();
    assert!(error.contains("the count is high") && error.contains("count "), "{error}");
}
