//! No password is anywhere but in the table of users: neither itself nor its hash nor its seal.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

use anyhow::Context;
use domain::{RecordType, temporary_password::PasswordSeal};
use serde_json::json;
use testbed::lapin::{
    Channel,
    options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};

use crate::scene::{Scene, updates_until};

pub(crate) type Written = Arc<Mutex<Vec<u8>>>;

/// Where the logs of this process go.
#[derive(Clone)]
struct Paper(Written);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with the lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that this process logs from now on, down to the finest of our own crates.
pub(crate) fn logs() -> Written {
    static LOGS: OnceLock<Written> = OnceLock::new();
    LOGS.get_or_init(|| {
        let written = Written::default();
        let paper = Paper(written.clone());
        let filter = "debug,worker=trace,store=trace,outbox=trace,broker=trace,portal_client=trace";
        // Another test of this process may have been first; the assertion on what was logged would say so.
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(move || paper.clone())
            .try_init()
            .ok();
        written
    })
    .clone()
}

/// A queue that gets a copy of every message.
async fn tap(channel: &Channel) -> anyhow::Result<()> {
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("tap".into(), options, FieldTable::default()).await?;
    let routes = [
        ("sms.sync", "sync.events"),
        ("sms.sync", "sync.commands"),
        ("sms.sync", "sync.tasks"),
        ("sms.dead", ""),
    ];
    for (exchange, key) in routes {
        let options = QueueBindOptions::default();
        channel.queue_bind("tap".into(), exchange.into(), key.into(), options, FieldTable::default()).await?;
    }
    Ok(())
}

/// What went over the tap, and the updates up to the end of the sync.
async fn heard(channel: &Channel, sync: &str) -> anyhow::Result<String> {
    let mut all = String::new();
    while let Some(message) = channel.basic_get("tap".into(), BasicGetOptions { no_ack: true }).await? {
        all.push_str(&String::from_utf8_lossy(&message.delivery.data));
        all.push_str(&format!("{:?}", message.delivery.properties));
    }
    let updates = updates_until(channel, |it| it.contains(sync) && it.contains("sync.completed")).await?;
    all.extend(updates);
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_in_logs_messages_dead_letters_updates_or_other_tables() -> anyhow::Result<()> {
    let logs = logs();
    let scene = Scene::new().await?;
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    scene.provider.small_fleet();
    scene.provider.put_user("u-bad", json!({"email": "nobody", "password": "hunter2"}));
    // A sync that dies, one that brings the users, and an event about one of them.
    scene.provider.fail_with(Some(401));
    let dead = scene.full_sync().await?;
    scene.ended(dead).await?;
    // What is to be tapped is there now; the dead message is read from its row.
    tap(&channel).await?;
    scene.provider.fail_with(None);
    let sync = scene.full_sync().await?;
    scene.ended(sync).await?;
    scene.provider.put_user("u-1", json!({"rank": "Master", "updatedAt": "2026-05-02T00:00:00Z"}));
    let event = scene.webhook("user.updated", RecordType::User, "u-1").await?;
    let row = scene.event_state(event.id, "processed").await?;
    let last = row["sync_id"].as_str().context("a sync")?.to_owned();

    let seal = PasswordSeal::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=")?;
    let users = scene
        .rows("SELECT source_id, password_hash, encode(sealed_password, 'hex') AS sealed FROM users ORDER BY source_id")
        .await;
    assert_eq!(users.len(), 3);
    let mut secrets = Vec::new();
    for user in &users {
        let of = |name: &str| user[name].as_str().map(str::to_owned).context("is there");
        let sealed = of("sealed")?;
        let password =
            seal.open(&hex::decode(&sealed)?, &of("source_id")?.parse()?, chrono::DateTime::UNIX_EPOCH)?;
        // As text, and as the database shows bytes.
        secrets.extend([
            password.expose().to_owned(),
            hex::encode(password.expose()),
            of("password_hash")?,
            sealed,
        ]);
    }

    let tables = scene
        .rows(
            "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'users'",
        )
        .await;
    let mut everything = heard(&channel, &last).await?;
    for table in &tables {
        let name = table["name"].as_str().context("a name")?;
        for row in scene.rows(&format!("SELECT t::text AS row FROM {name} AS t")).await {
            everything.push_str(row["row"].as_str().unwrap_or_default());
        }
    }
    everything.push_str(&String::from_utf8_lossy(&logs.lock().expect("nobody panics with the lock")));

    // What must be there is: the dead message, the sync, the logs.
    for text in [dead.to_string(), last, "SyncTask".to_owned(), "a sync has begun".to_owned()] {
        assert!(everything.contains(&text), "{text} was heard of");
    }
    for secret in secrets {
        assert!(!everything.contains(&secret), "{secret} was heard of");
    }
    scene.end().await;
    Ok(())
}
