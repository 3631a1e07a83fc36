//! What each service may not do, with a running system whose services are users of their own: that they can do their work is
//! what every other test shows.

use anyhow::Context;
use e2e::{SERVICES, Setup, System, amqp_url_of};
use testbed::{
    World,
    lapin::{
        Connection, ConnectionProperties,
        options::{BasicConsumeOptions, QueueDeleteOptions, QueuePurgeOptions},
        types::FieldTable,
    },
};

/// What nobody may but the owner, who migrates.
const OWNERS: [&str; 6] = [
    "CREATE TABLE of_mine (id int)",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "TRUNCATE audit",
    "TRUNCATE users CASCADE",
    "DROP TABLE webhook_events CASCADE",
    "DELETE FROM audit",
];

#[tokio::test(flavor = "multi_thread")]
async fn each_service_is_refused_in_the_database_what_it_does_not_need() -> anyhow::Result<()> {
    let system = System::start(Setup::default()).await?;
    let refused: [(&str, &[&str]); 4] = [
        (
            "sms_webhook_ingest",
            &[
                "SELECT FROM users",
                "SELECT FROM vessels",
                "SELECT FROM settings",
                "SELECT FROM sync_logs",
                "SELECT FROM audit",
                "SELECT FROM token_revocations",
                "DELETE FROM webhook_events",
                "INSERT INTO audit (actor) VALUES ('me')",
            ],
        ),
        (
            "sms_scheduler",
            &[
                "DELETE FROM users",
                "INSERT INTO users (source_id) VALUES ('u')",
                "SELECT FROM audit",
                "SELECT FROM token_revocations",
                "UPDATE settings SET page_size = 1",
                "SELECT FROM refused_webhooks",
            ],
        ),
        (
            "sms_worker",
            &[
                "SELECT FROM audit",
                "INSERT INTO audit (actor) VALUES ('me')",
                "SELECT FROM token_revocations",
                "UPDATE settings SET page_size = 1",
                "UPDATE role_mapping_current SET version = 1",
                "INSERT INTO webhook_events (webhook_id) VALUES ('w')",
            ],
        ),
        (
            "sms_status",
            &[
                "UPDATE audit SET actor = 'somebody else'",
                "DELETE FROM webhook_events",
                "DELETE FROM refused_webhooks",
            ],
        ),
    ];
    for (role, statements) in refused {
        let url = system.world.database_url_of(role).await?;
        for statement in OWNERS.iter().chain(statements) {
            let error = World::execute_at(&url, statement).await.err();
            let said = error.with_context(|| format!("{role} may {statement}"))?;
            let said = format!("{:#}", said);
            assert!(is_refusal(&said), "{role}: {statement}: {said}");
        }
    }
    assert_eq!(refused.len(), SERVICES.len());
    Ok(())
}

fn is_refusal(said: &str) -> bool {
    said.contains("42501") || said.contains("permission denied") || said.contains("must be owner")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_is_refused_in_the_broker_what_it_does_not_need() -> anyhow::Result<()> {
    let system = System::start(Setup::default()).await?;
    for service in ["webhook-ingest", "scheduler", "status"] {
        let url = amqp_url_of(service, &system.world).await?;
        let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
        let channel = async || connection.create_channel().await;
        for queue in ["sync.events", "sync.tasks", "sync.dead-letters"] {
            let options = BasicConsumeOptions::default();
            let channel_of_consumer = channel().await?;
            let consumed =
                channel_of_consumer.basic_consume(queue.into(), "".into(), options, FieldTable::default());
            assert!(consumed.await.is_err(), "{service} reads {queue}");
            let purged = channel().await?.queue_purge(queue.into(), QueuePurgeOptions::default()).await;
            assert!(purged.is_err(), "{service} empties {queue}");
            let deleted = channel().await?.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
            assert!(deleted.is_err(), "{service} deletes {queue}");
        }
    }
    Ok(())
}
