//! Temporary passwords: what must be nowhere.

use e2e::{Fleet, Kind, Message, PATIENCE, Portal, Setup, System};
use reqwest::Method;
use serde_json::json;
use testbed::lapin::Channel;
use testbed::lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicQosOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use testbed::lapin::types::{AMQPValue, FieldTable};
use testbed::wait_until;

const SPY: &str = "spy";

/// From now on, a copy of every message to a work queue and of every dead one.
async fn spy(channel: &Channel) -> anyhow::Result<()> {
    channel.queue_declare(SPY.into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    let bindings = [
        ("sms.sync", "sync.events"),
        ("sms.sync", "sync.commands"),
        ("sms.sync", "sync.tasks"),
        ("sms.dead", ""),
    ];
    for (exchange, key) in bindings {
        let options = QueueBindOptions::default();
        channel.queue_bind(SPY.into(), exchange.into(), key.into(), options, FieldTable::default()).await?;
    }
    Ok(())
}

/// All that the spy has seen, as text.
async fn seen(channel: &Channel) -> anyhow::Result<String> {
    let mut text = String::new();
    while let Some(message) = channel.basic_get(SPY.into(), BasicGetOptions { no_ack: true }).await? {
        text.push_str(&String::from_utf8_lossy(&message.data));
        text.push_str(&format!("{:?}\n", message.properties));
    }
    Ok(text)
}

/// All updates, as text.
async fn updates(channel: &Channel, until: &str) -> anyhow::Result<String> {
    use futures_util::StreamExt;
    channel.basic_qos(100, BasicQosOptions::default()).await?;
    let mut from_the_first = FieldTable::default();
    from_the_first.insert("x-stream-offset".into(), AMQPValue::LongString("first".into()));
    let mut consumer = channel
        .basic_consume("sync.updates".into(), "".into(), BasicConsumeOptions::default(), from_the_first)
        .await?;
    let mut text = String::new();
    wait_until(format!("the updates tell of {until}"), PATIENCE, async || {
        if let Some(Ok(message)) = consumer.next().await {
            text.push_str(&String::from_utf8_lossy(&message.data));
            message.acker.ack(BasicAckOptions::default()).await.map_err(|error| error.to_string())?;
        }
        if text.contains(until) { Ok(()) } else { Err(text.clone()) }
    })
    .await?;
    Ok(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_temporary_password_is_in_a_log_a_message_a_dead_letter_an_update_or_a_list() -> anyhow::Result<()>
{
    let setup = Setup {
        fleet: Fleet::Of(2, 2, 8),
        // All that our own code has to say.
        environment: vec![(
            "RUST_LOG",
            "info,worker=trace,store=trace,broker=trace,outbox=trace,status=trace,portal_client=trace,chassis=trace"
                .to_owned(),
        )],
        ..Setup::default()
    };
    let system = System::start(setup).await?;
    let connection = system.world.amqp_connection().await?;
    let channel = connection.create_channel().await?;
    spy(&channel).await?;

    // Users by a full sync, and one whose page died first and was replayed.
    system.portal.fail(json!({"kind": "serverError", "path": "users", "requests": 4})).await?;
    let sync = system.operator.full_sync().await?;
    assert_eq!(sync.tasks.dead, 1, "{sync:#?}");
    system.operator.cli(&["dead-letters", "replay", "--all", "--yes"]).await?;
    system.wait_for_rows("the replay has succeeded", "dead_letters WHERE state = 'succeeded'", 1).await?;
    let late =
        Portal::user("u-late", json!({"vesselIds": system.portal.ids(Kind::Vessels, "approved").await?}));
    system.portal.enter_approved(Kind::Users, late).await?;
    system.operator.full_sync().await?;
    Message { kind: "sms.sync.v1.SyncTask", id: "", body: b"{" }.send_to(&system.world, "sync.tasks").await?;
    system.wait_for_rows("the garbage is a dead letter", "dead_letters", 2).await?;

    // The one reveal.
    assert_eq!(system.count("users").await?, 9);
    let users = system
        .rows(
            "SELECT u.id, u.password_hash, encode(u.sealed_password, 'escape') AS sealed
             FROM users u JOIN user_access a ON a.id = u.id WHERE a.may_sign_in",
        )
        .await?;
    assert!(users.len() > 5, "{users:?}");
    let mut secrets = Vec::new();
    for user in &users {
        let path = format!("/api/sync/users/{}/temporary-password", user["id"].as_str().unwrap_or_default());
        let (status, answer) = system.operator.ask(Method::POST, &path, None).await?;
        assert!(status.is_success(), "{answer}");
        secrets.push(answer["password"].as_str().expect("the password").to_owned());
        secrets.push(user["password_hash"].as_str().expect("a hash").to_owned());
        secrets.push(user["sealed"].as_str().expect("a sealed password").to_owned());
        let (status, _) = system.operator.ask(Method::POST, &path, None).await?;
        assert_eq!(status, 409, "a second reveal");
    }
    assert!(secrets.iter().all(|secret| secret.len() >= 8), "{secrets:?}");

    let mut places = vec![
        ("messages".to_owned(), seen(&channel).await?),
        ("updates".to_owned(), updates(&channel, "deadletter.added").await?),
    ];
    for daemon in system.daemons().chain([&system.portal.daemon]) {
        places.push((format!("the log of {}", daemon.url), daemon.output()));
    }
    let id = sync.summary.sync_id;
    for path in [
        "/api/sync/status".to_owned(),
        format!("/api/sync/status/{id}"),
        format!("/api/sync/syncs/{id}/findings"),
        "/api/sync/history".to_owned(),
        "/api/sync/settings".to_owned(),
        "/api/sync/dead-letters".to_owned(),
    ] {
        let (status, answer) = system.operator.ask(Method::GET, &path, None).await?;
        assert!(status.is_success(), "{path}: {answer}");
        places.push((path, answer.to_string()));
    }
    for letter in system.operator.dead_letters().await? {
        let letter = system.operator.dead_letter(letter.id).await?;
        places.push((format!("dead letter {}", letter.summary.id), format!("{letter:?}")));
    }
    // Every table, with users apart: there the hash may stand, and nothing else.
    for table in system.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").await? {
        let table = table["tablename"].as_str().unwrap_or_default().to_owned();
        let columns = if table == "users" { "to_jsonb(t) - 'password_hash'" } else { "to_jsonb(t)" };
        let rows = system.rows(&format!(r#"SELECT ({columns})::text AS row FROM "{table}" t"#)).await?;
        places.push((format!("table {table}"), format!("{rows:?}")));
    }
    for (place, text) in &places {
        assert!(!text.is_empty(), "{place} is empty: nothing could be found there");
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} stands in {place}:\n{text}");
        }
        assert!(!text.contains("$argon2"), "a hash stands in {place}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn password_that_was_lost_is_made_anew_by_a_worker_and_the_old_one_is_gone() -> anyhow::Result<()> {
    let system = System::start(Setup { fleet: Fleet::Of(1, 1, 4), ..Setup::default() }).await?;
    system.operator.full_sync().await?;
    let users = system
        .rows(
            "SELECT u.id, u.password_hash FROM users u JOIN user_access a ON a.id = u.id
             WHERE a.may_sign_in ORDER BY u.id LIMIT 1",
        )
        .await?;
    let id = users[0]["id"].as_str().expect("a user who may sign in").to_owned();
    let path = format!("/api/sync/users/{id}/temporary-password");
    let (status, first) = system.operator.ask(Method::POST, &path, None).await?;
    assert!(status.is_success(), "{first}");

    system.operator.cli(&["users", "reissue-password", &id]).await?;
    let other =
        format!("users WHERE id = '{id}' AND password_hash <> '{}'", text(&users[0]["password_hash"]));
    system.wait_for_rows("a worker has made another password", &other, 1).await?;
    let (status, second) = system.operator.ask(Method::POST, &path, None).await?;
    assert!(status.is_success(), "{second}");
    assert_ne!(text(&first["password"]), text(&second["password"]));
    let audited = "SELECT action, actor, detail FROM audit WHERE action = 'user.reissue_password'";
    let rows = system.rows(audited).await?;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(!rows[0].to_string().contains(text(&second["password"])));
    Ok(())
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}
