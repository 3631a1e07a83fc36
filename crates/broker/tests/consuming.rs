//! Bundles and batches on a real RabbitMQ: each message is settled by itself, whatever its bundle or batch.
#![expect(clippy::disallowed_types, reason = "tests hand in the machine's clock")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use broker::{
    Broker, DeadMessage, Delivery, Disposition, OutgoingMessage, Prefetch, Publisher, Queue,
    archive_dead_letters, consume, consume_batches,
};
use domain::{FailureClass, clock::SystemClock};
use testbed::{
    World,
    lapin::{
        BasicProperties,
        options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions},
        types::{AMQPValue, FieldTable},
    },
    wait_until,
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

const WAIT_TIMEOUT: Duration = Duration::from_secs(30);
const EVENTS_QUEUE: &str = "sync.events";

/// A vhost with its consumers, and the messages that they handled and rejected.
struct Scene {
    world: World,
    broker: Broker,
    /// Attempts by message id.
    handled: Arc<Mutex<BTreeMap<String, Vec<u32>>>>,
    dead: Arc<Mutex<Vec<DeadMessage>>>,
    stop: CancellationToken,
    consumers: JoinSet<()>,
}

impl Scene {
    async fn new() -> anyhow::Result<Self> {
        let world = World::empty().await?;
        let broker = Broker::connect(world.amqp_url().await?.into(), "test", Arc::new(SystemClock));
        let (handled, dead) = <(Arc<Mutex<_>>, Arc<Mutex<_>>)>::default();
        Ok(Self { world, broker, handled, dead, stop: CancellationToken::new(), consumers: JoinSet::new() })
    }

    /// Publishes events with these ids as one batch.
    async fn publish(&self, ids: impl IntoIterator<Item = impl ToString>) {
        let event = |id: String| OutgoingMessage {
            queue: Queue::Events,
            kind: "sms.sync.v1.ApprovalEvent".to_owned(),
            body: format!(r#"{{"sourceId":"{id}"}}"#).into_bytes(),
            message_id: id,
            correlation_id: None,
            trace_context: BTreeMap::new(),
            attempt: 1,
            replay: None,
        };
        let batch: Vec<_> = ids.into_iter().map(|id| event(id.to_string())).collect();
        for result in Publisher::new(&self.broker).publish_batch(&batch).await {
            result.expect("the broker is there");
        }
    }

    /// Consumes batches of up to `batch_limit` messages; `decide` returns the disposition of each, or panics.
    fn consume(&mut self, batch_limit: u16, decide: fn(&Delivery) -> Disposition) {
        let (broker, stop, handled) = (self.broker.clone(), self.stop.clone(), self.handled.clone());
        self.consumers.spawn(async move {
            let handler = move |batch: Vec<Delivery>| {
                let handled = handled.clone();
                async move {
                    assert!(batch.len() <= batch_limit.into(), "a batch of {}", batch.len());
                    for delivery in &batch {
                        let sent = format!(r#"{{"sourceId":"{}"}}"#, delivery.message_id);
                        assert_eq!(String::from_utf8_lossy(&delivery.body), sent);
                    }
                    let decided: Vec<_> = batch.iter().map(decide).collect();
                    let mut handled = handled.lock().expect("no holder panics");
                    for delivery in &batch {
                        handled.entry(delivery.message_id.clone()).or_default().push(delivery.attempt);
                    }
                    decided
                }
            };
            consume_batches(&broker, Queue::Events, batch_limit, &stop, handler).await;
        });
        let (broker, stop, dead) = (self.broker.clone(), self.stop.clone(), self.dead.clone());
        self.consumers.spawn(async move {
            let archive = |message: DeadMessage| {
                dead.lock().expect("no holder panics").push(message);
                async { true }
            };
            archive_dead_letters(&broker, &stop, archive).await;
        });
    }

    /// Waits until so many messages were handled and so many are dead, and ends the consumers. Returns the attempts of each.
    async fn wait_settled(
        &mut self,
        handled: usize,
        dead: usize,
    ) -> anyhow::Result<BTreeMap<String, Vec<u32>>> {
        wait_until("every message is handled", WAIT_TIMEOUT, async || {
            let seen = (
                self.handled.lock().expect("no holder panics").len(),
                self.dead.lock().expect("no holder panics").len(),
            );
            if seen == (handled, dead) { Ok(()) } else { Err(seen) }
        })
        .await?;
        // An unsettled message would be requeued when its consumer ends.
        self.stop.cancel();
        while let Some(ended) = self.consumers.join_next().await {
            ended?;
        }
        assert_eq!(self.world.messages_ready(EVENTS_QUEUE).await?, 0);
        Ok(self.handled.lock().expect("no holder panics").clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_bundle_are_retried_and_rejected_one_by_one() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    scene.publish(0..40).await;
    assert_eq!(scene.world.messages_ready(EVENTS_QUEUE).await?, 3, "40 events in three bundles");
    // A batch ends in the middle of a bundle.
    scene.consume(10, |delivery| match (delivery.message_id.as_str(), delivery.attempt) {
        ("3" | "20", 1) => Disposition::Retry { tier: 0, wait: Duration::from_millis(20) },
        ("21", _) => Disposition::Reject { class: FailureClass::Permanent, reason: "bad data".to_owned() },
        _ => Disposition::Done,
    });
    wait_until("both were tried twice", WAIT_TIMEOUT, async || {
        let handled = scene.handled.lock().expect("no holder panics");
        let tried: Vec<_> = ["3", "20"].map(|id| handled.get(id).cloned()).into();
        if tried == [Some(vec![1, 2]), Some(vec![1, 2])] { Ok(()) } else { Err(tried) }
    })
    .await?;
    let handled = scene.wait_settled(40, 1).await?;
    for (id, attempts) in handled.iter().filter(|(id, _)| !["3", "20"].contains(&id.as_str())) {
        assert_eq!(*attempts, [1], "{id}");
    }
    let dead = scene.dead.lock().expect("no holder panics").remove(0);
    assert_eq!((dead.message_id.as_str(), dead.kind.as_str()), ("21", "sms.sync.v1.ApprovalEvent"));
    assert_eq!(
        (dead.body.as_slice(), dead.reason.as_str()),
        (br#"{"sourceId":"21"}"#.as_slice(), "bad data")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_whose_consumer_dies_is_delivered_message_by_message() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    scene.publish(0..12).await;
    // A consumer that takes the bundle and dies.
    let connection = scene.world.amqp_connection().await?;
    let channel = connection.create_channel().await?;
    let taken =
        channel.basic_get(EVENTS_QUEUE.into(), BasicGetOptions::default()).await?.expect("the bundle");
    let kind = |properties: &BasicProperties| properties.kind().as_ref().map(ToString::to_string);
    assert_eq!(kind(&taken.delivery.properties).as_deref(), Some("sms.sync.v1.MessageBundle"));
    connection.close(200, "killed".into()).await?;

    scene.consume(100, |_delivery| Disposition::Done);
    let handled = scene.wait_settled(12, 0).await?;
    assert!(handled.values().all(|attempts| *attempts == [1]), "{handled:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_message_becomes_a_dead_letter_without_its_batch() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    let ids = ["a", "b", "poison", "c", "d"];
    scene.publish(ids).await;
    assert_eq!(scene.world.messages_ready(EVENTS_QUEUE).await?, 1, "one bundle");
    scene.consume(100, |delivery| {
        assert_ne!(delivery.message_id, "poison", "meant to panic");
        Disposition::Done
    });
    let handled = scene.wait_settled(4, 1).await?;
    let others: BTreeSet<_> = ids.into_iter().filter(|id| *id != "poison").map(str::to_owned).collect();
    assert_eq!(handled.into_keys().collect::<BTreeSet<_>>(), others);
    let dead = scene.dead.lock().expect("no holder panics").remove(0);
    assert_eq!((dead.message_id.as_str(), dead.class), ("poison", FailureClass::Poison));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_consumed_when_the_updates_stream_cannot_be_declared() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    // A classic queue already has the stream's name.
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("sync.updates".into(), durable, FieldTable::default()).await?;
    scene.publish(0..2).await;
    scene.consume(100, |_delivery| Disposition::Done);
    scene.wait_settled(2, 0).await?;
    Ok(())
}

/// Declares the dead-letter queue as the first release did.
async fn dead_letter_queue_declare_as_before(world: &World) -> anyhow::Result<()> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let channel = world.amqp_connection().await?.create_channel().await?;
    channel.queue_declare("sync.dead-letters".into(), options, arguments).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letter_queue_of_an_earlier_release_is_replaced_once_it_is_free() -> anyhow::Result<()> {
    let mut scene = Scene::new().await?;
    dead_letter_queue_declare_as_before(&scene.world).await?;
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish("".into(), "sync.dead-letters".into(), options, b"old", properties).await?;
    // In use, it stays, and work goes on.
    scene.publish(0..2).await;
    dead_letter_queue_declare_as_before(&scene.world).await?;
    scene.consume(100, |_delivery| Disposition::Done);
    scene.wait_settled(2, 1).await?;

    let other = Broker::connect(scene.world.amqp_url().await?.into(), "other", Arc::new(SystemClock));
    other.ping().await?;
    assert!(dead_letter_queue_declare_as_before(&scene.world).await.is_err(), "it has other arguments now");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn consumer_takes_as_many_messages_as_it_is_told_and_each_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    for id in 0..40 {
        // One by one: no bundle.
        scene.publish([id]).await;
    }
    let (prefetch, limit) = watch::channel(2);
    let (in_hand, may_end) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
    let handler = {
        let (in_hand, may_end) = (in_hand.clone(), may_end.clone());
        move |delivery: Delivery| {
            let (in_hand, may_end) = (in_hand.clone(), may_end.clone());
            async move {
                in_hand.lock().expect("no holder panics").push(delivery.message_id);
                may_end.acquire().await.expect("it stays open").forget();
                Disposition::Done
            }
        }
    };
    let (broker, stop) = (scene.broker.clone(), scene.stop.clone());
    let consumer = tokio::spawn(async move {
        consume(&broker, Queue::Events, Prefetch::following(limit), &stop, handler).await;
    });
    let begun = async |number: usize| {
        wait_until(format!("{number} messages were begun"), WAIT_TIMEOUT, async || {
            let begun = in_hand.lock().expect("no holder panics").len();
            let ready =
                scene.world.messages_ready(EVENTS_QUEUE).await.map_err(|error| format!("{error:#}"))?;
            if (begun, ready as usize) == (number, 40 - number) {
                Ok(())
            } else {
                Err(format!("{begun}, {ready}"))
            }
        })
        .await
    };
    begun(2).await?;
    prefetch.send_replace(10);
    // Those of the first consumer are in hand still.
    begun(12).await?;
    may_end.add_permits(12);
    begun(22).await?;
    prefetch.send_replace(1);
    begun(23).await?;
    // Ten end, those of the second consumer, and the third takes none in their place.
    may_end.add_permits(10);
    begun(23).await?;
    may_end.add_permits(100);
    begun(40).await?;
    scene.stop.cancel();
    consumer.await?;
    assert_eq!(scene.world.messages_ready(EVENTS_QUEUE).await?, 0);
    let handled: BTreeSet<_> = in_hand.lock().expect("no holder panics").iter().cloned().collect();
    assert_eq!(handled.len(), 40, "each once");
    Ok(())
}
