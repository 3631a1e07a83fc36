//! A RabbitMQ that is there and refuses: what it says reaches whoever asks.
#![expect(clippy::disallowed_types, reason = "tests hand in the machine's clock")]

use std::{error::Error, sync::Arc};

use broker::{Broker, BrokerError, Publisher, Queue};
use domain::clock::SystemClock;
use testbed::{
    World,
    lapin::{options::QueueDeclareOptions, types::FieldTable},
};

fn broker(url: &str) -> Broker {
    Broker::connect(url.into(), "test", Arc::new(SystemClock))
}

#[tokio::test]
async fn queue_of_another_kind_is_named_with_what_the_broker_says() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let channel = world.amqp_connection().await?.create_channel().await?;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("sync.tasks".into(), durable, FieldTable::default()).await?;
    let error = broker(world.amqp_url().await?).ping().await.expect_err("the queue is classic");
    let said = error.to_string();
    assert!(matches!(error, BrokerError::Refused { name: "sync.tasks", code: 406, .. }), "{said}");
    assert!(said.contains("PRECONDITION_FAILED - inequivalent arg"), "{said}");
    Ok(())
}

#[tokio::test]
async fn user_who_may_not_configure_uses_what_is_there_and_is_told_what_is_not() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let url = world.amqp_url_of("sms_test_publisher", ["^$", "^sms[.]sync$", "^$"]).await?;
    let error = broker(&url).ping().await.expect_err("nothing was declared yet");
    assert!(matches!(error, BrokerError::Refused { name: "sms.dead", code: 404, .. }), "{error}");
    assert!(error.to_string().contains("sms-sync migrate"), "{error}");

    broker(world.amqp_url().await?).ping().await?;
    let publisher = broker(&url);
    publisher.ping().await?;
    let outcome = Publisher::new(&publisher).publish_batch(&[]).await;
    assert!(outcome.is_empty());
    assert_eq!(Publisher::new(&publisher).queue_length(Queue::Events).await?, 0);
    Ok(())
}

#[tokio::test]
async fn wrong_password_is_told_from_an_absent_broker() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let right = world.amqp_url_of("sms_test_publisher", ["^$", "^$", "^$"]).await?;
    let wrong = broker(&right.replace("of-a-test-and-nobody-else", "another"))
        .ping()
        .await
        .expect_err("a wrong password");
    let said = wrong.source().map(ToString::to_string).unwrap_or_default();
    assert!(said.contains("ACCESS_REFUSED"), "{wrong}: {said}");
    Ok(())
}
