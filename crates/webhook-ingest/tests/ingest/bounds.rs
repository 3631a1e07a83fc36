//! Limits on what a sender, or an attacker, can make the service use.

use domain::clock::{Clock, SystemClock};
use futures_util::future::try_join_all;
use testbed::wait_until;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::scene::{SECRET, Scene, WAIT_TIMEOUT, Webhook, count, new_id};

fn forged() -> Webhook {
    Webhook::signed("another secret", &new_id(), SystemClock.now().timestamp(), b"{}")
}

#[tokio::test(flavor = "multi_thread")]
async fn many_forged_webhooks_are_logged_as_few_rows_with_counts() -> anyhow::Result<()> {
    let scene = Scene::new(&[("SMS_WEBHOOK__REFUSED_PER_MINUTE", "5")]).await?;
    for _ in 0..10 {
        let answers = try_join_all((0..20).map(|_| async { scene.send(&forged()).await })).await?;
        assert!(answers.iter().all(|it| it.status == 401), "{answers:?}");
    }
    // Counts without a row are written at the latest when the service ends.
    let world = scene.end().await;
    let rows = world
        .query_json("SELECT count(*) AS rows, sum(alike) + count(*) AS seen FROM refused_webhooks")
        .await?;
    assert_eq!(rows[0]["seen"], 200, "{rows:?}");
    assert!(rows[0]["rows"].as_i64().is_some_and(|rows| (5..=8).contains(&rows)), "{rows:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rejection_log_keeps_the_newest_rows_within_its_limits() -> anyhow::Result<()> {
    let scene =
        Scene::new(&[("SMS_WEBHOOK__REFUSED_KEPT", "3"), ("SMS_WEBHOOK__REFUSED_KEPT_DAYS", "7")]).await?;
    scene
        .world
        .execute(
            "INSERT INTO refused_webhooks (id, received_at, reason, status, detail, source)
             VALUES ('00000000-0000-7000-8000-000000000000', now() - interval '8 days', 'overloaded', 503, 'old', '::1')",
        )
        .await?;
    for _ in 0..6 {
        scene.send(&forged()).await?;
    }
    let newest = forged();
    scene.send(&newest).await?;
    let world = scene.end().await;
    let rows = world.query_json("SELECT webhook_id, detail FROM refused_webhooks ORDER BY id DESC").await?;
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(rows[0]["webhook_id"], newest.id());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_over_its_rate_limit_gets_429_with_retry_after() -> anyhow::Result<()> {
    let limits = [
        ("SMS_WEBHOOK__RATE_PER_SECOND", "1"),
        ("SMS_WEBHOOK__RATE_BURST", "2"),
        ("SMS_WEBHOOK__TRUSTED_PROXIES", "127.0.0.0/8"),
    ];
    let scene = Scene::new(&limits).await?;
    let webhook = |client: &str| Webhook::about("test.ping", "x").with("x-forwarded-for", Some(client));
    let webhooks: Vec<_> = (0..40).map(|_| webhook("192.0.2.1")).collect();
    let answers = try_join_all(webhooks.iter().map(|it| scene.send(it))).await?;
    let (limited, accepted): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 429);
    assert!(accepted.len() >= 2 && accepted.iter().all(|it| it.status == 202), "{accepted:?}");
    assert!(limited.len() >= 10, "{answers:?}");
    assert!(
        limited.iter().all(|it| it.retry_after.as_deref().is_some_and(|after| after != "0")),
        "{limited:?}"
    );
    assert_eq!(scene.send(&webhook("192.0.2.2")).await?.status, 202, "another client has a limit of its own");
    let world = scene.end().await;
    let of_source = "refused_webhooks WHERE reason = 'rate_limited' AND source = '192.0.2.1'";
    assert!(count(&world, of_source).await? >= 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_get_503_while_other_bodies_use_up_the_body_budget() -> anyhow::Result<()> {
    let budget = 16 * 1024 * 1024;
    let scene = Scene::new(&[
        ("SMS_WEBHOOK__LARGEST_BODY_BYTES", "4194304"),
        ("SMS_WEBHOOK__WAITING_BYTES", "16777216"),
    ])
    .await?;
    // Four senders that never finish hold the budget but for a few bytes, and start again when they time out. A fifth would be
    // rejected, and return what it held.
    let address = scene.address;
    let mut slow = JoinSet::new();
    for _ in 0..4 {
        slow.spawn(async move {
            loop {
                let mut stream = TcpStream::connect(address).await?;
                let head = "POST /api/sync/webhook HTTP/1.1\r\nHost: localhost\r\n\
                            Content-Type: application/json\r\nContent-Length: 4194304\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&vec![b' '; budget / 4 - 1]).await?;
                stream.read_to_end(&mut Vec::new()).await?;
            }
            #[expect(unreachable_code, reason = "names the error of the loop")]
            std::io::Result::Ok(())
        });
    }
    let webhook = Webhook::about("vessel.approved", "v-1");
    let refused =
        wait_until("the budget is used up", WAIT_TIMEOUT, async || match scene.send(&webhook).await {
            Ok(answer) if answer.status == 503 => Ok(answer),
            other => Err(format!("{other:?}")),
        })
        .await?;
    assert_eq!(
        (refused.retry_after.as_deref(), &refused.body["code"]),
        (Some("5"), &"webhook_overload".into())
    );
    slow.shutdown().await;
    let webhook = Webhook::about("vessel.approved", "v-1");
    wait_until("the budget is free again", WAIT_TIMEOUT, async || match scene.send(&webhook).await {
        Ok(answer) if answer.status.is_success() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_invalid_setting_is_reported_without_secrets() -> anyhow::Result<()> {
    let environment = [
        ("SMS_ENV", "development"),
        ("DATABASE_URL", "postgres://localhost/x"),
        ("AMQP_URL", "amqp://localhost"),
        ("WEBHOOK_SECRET", "whsec_hunter2!"),
        ("SMS_WEBHOOK__TRUSTED_PROXIES", "10.0.0.0/8,gateway"),
        ("SMS_WEBHOOK__TOLERANCE_SECONDS", "0"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let defaults = (webhook_ingest::DAEMON.defaults, webhook_ingest::DAEMON.variables);
    let problems = chassis::config::load_from::<webhook_ingest::Config>(defaults.0, defaults.1, &environment)
        .expect_err("three config are invalid")
        .to_string();
    for text in ["WEBHOOK_SECRET", "not base64", "\"gateway\"", "tolerance_seconds"] {
        assert!(problems.contains(text), "{text}: {problems}");
    }
    assert!(!problems.contains("hunter2") && !problems.contains(SECRET), "{problems}");
    Ok(())
}
