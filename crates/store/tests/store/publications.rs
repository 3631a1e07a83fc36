//! Rows that are committed and not yet published: claimed by one relay at a time, and set back when a broker lost them.

use chrono::TimeDelta;
use domain::{FailureClass, Mode, RecordType, Scope, WebhookEventId};
use serde_json::json;
use store::ledger::{
    attempts::{Attempt, attempt_append},
    postponed::{PostponedMessage, message_postpone, postponed_messages_claim, postponed_messages_forget},
    unpublished::{
        Republished, Unpublished, UnpublishedId, published_mark, stalled_republish, unpublished_claim,
        unpublished_events_claim, unpublished_events_wait,
    },
    webhook_events::{NewWebhookEvent, webhook_events_insert},
};

use crate::{records::day, scene::Scene};

impl Scene {
    async fn record_event(&self) -> anyhow::Result<WebhookEventId> {
        let (now, id) = (self.now(), WebhookEventId::new());
        let event = NewWebhookEvent {
            id,
            webhook_id: id.to_string(),
            event_type: "vessel.approved".to_owned(),
            entity: Some((RecordType::Vessel, "v-1".to_owned())),
            occurred_at: None,
            record_updated_at: Some(day(1)),
            body: b"{}".to_vec(),
            key_name: "current".to_owned(),
            trace_context: json!({"traceparent": "00-1-2-01"}),
        };
        self.tx(async |tx| webhook_events_insert(tx, &[event], now).await).await?;
        Ok(id)
    }

    async fn claim(&self) -> anyhow::Result<Vec<Unpublished>> {
        let now = self.now();
        self.tx(async |tx| unpublished_claim(tx, 10, now).await).await
    }

    async fn publish_all(&self) -> anyhow::Result<()> {
        let ids: Vec<UnpublishedId> = self.claim().await?.iter().map(Unpublished::id).collect();
        let now = self.now();
        self.tx(async |tx| published_mark(tx, &ids, now).await).await
    }
}

fn ids(found: &[Unpublished]) -> Vec<UnpublishedId> {
    found.iter().map(Unpublished::id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_row_is_claimed_until_it_is_marked_published() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let event = scene.record_event().await?;
    let (_, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let queued = scene.create(Mode::Incremental, Scope::default()).await?;
    let expected =
        [UnpublishedId::Event(event), UnpublishedId::Command(queued), UnpublishedId::Task(tasks[0].id)];
    assert_eq!(ids(&scene.claim().await?), expected);
    assert_eq!(ids(&scene.claim().await?), expected, "nobody has published them");
    scene.publish_all().await?;
    assert_eq!(scene.claim().await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn claimed_rows_say_all_that_their_messages_need() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.record_event().await?;
    let (sync_id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let found = scene.claim().await?;
    let event = Unpublished::Event {
        id,
        webhook_id: id.to_string(),
        event_type: "vessel.approved".to_owned(),
        record_type: RecordType::Vessel,
        source_id: "v-1".to_owned(),
        occurred_at: None,
        record_updated_at: Some(day(1)),
        trace_context: json!({"traceparent": "00-1-2-01"}),
    };
    let task = Unpublished::Task {
        id: tasks[0].id,
        sync_id,
        request: tasks[0].request.clone(),
        trace_context: json!({}),
    };
    assert_eq!(found, [event, task]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn row_that_is_younger_than_asked_for_is_left_to_who_committed_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let before = scene.now();
    scene.create(Mode::Full, Scope::default()).await?;
    let found = scene.tx(async |tx| unpublished_claim(tx, 10, before).await).await?;
    assert_eq!(found, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_published_by_one_relay_at_a_time_in_their_order() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(UnpublishedId::Event(scene.record_event().await?));
    }
    let now = scene.now();
    let mut relay = scene.store.begin().await?;
    let claimed = unpublished_events_claim(&mut relay, 2, now).await?.expect("nobody else claims");
    assert_eq!(ids(&claimed), events[..2]);
    let other = scene.tx(async |tx| unpublished_events_claim(tx, 2, now).await).await?;
    assert_eq!(other, None);
    assert!(unpublished_events_wait(&mut *scene.store.db().await?, now).await?);
    relay.rollback().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn published_rows_that_do_not_move_are_published_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.record_event().await?;
    scene.begun(Mode::Full, Scope::default()).await?;
    scene.create(Mode::Incremental, Scope::default()).await?;
    scene.publish_all().await?;
    let later = scene.now();
    let republished = scene.tx(async |tx| stalled_republish(tx, later, false).await).await?;
    assert_eq!(republished, Republished { commands: 1, tasks: 1, events: 1 });
    assert_eq!(scene.claim().await?.len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_is_known_to_wait_is_not_published_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (retried, postponed, queued) =
        (scene.record_event().await?, scene.record_event().await?, scene.record_event().await?);
    scene.publish_all().await?;
    let later = scene.now();
    let attempt = Attempt {
        message_id: retried.to_string(),
        sync_id: None,
        number: 1,
        class: FailureClass::Transient,
        failure: "no answer".to_owned(),
        began_at: later,
        duration_ms: 1,
        next_attempt_at: Some(later + TimeDelta::seconds(90)),
    };
    let message = PostponedMessage {
        queue: "sync.events".to_owned(),
        message_id: postponed.to_string(),
        kind: "k".to_owned(),
        body: b"{}".to_vec(),
        correlation_id: None,
        trace_context: json!({}),
        attempt: 2,
        replay_of: None,
        replay_count: 0,
    };
    let due = later + TimeDelta::hours(1);
    scene
        .tx(async |tx| {
            attempt_append(tx, &attempt).await?;
            // A copy of the message is the same message.
            message_postpone(tx, &message, due - TimeDelta::minutes(1), later).await?;
            message_postpone(tx, &PostponedMessage { attempt: 1, ..message.clone() }, due, later).await
        })
        .await?;
    let none = scene.tx(async |tx| stalled_republish(tx, later, true).await).await?;
    assert_eq!(none, Republished::default(), "those that seem lost may be in the queue");
    let republished = scene.tx(async |tx| stalled_republish(tx, later, false).await).await?;
    assert_eq!(republished, Republished { events: 1, ..Republished::default() });
    assert_eq!(ids(&scene.claim().await?), [UnpublishedId::Event(queued)]);

    let early =
        scene.tx(async |tx| postponed_messages_claim(tx, 10, due - TimeDelta::seconds(1)).await).await?;
    assert_eq!(early, []);
    let claimed = scene.tx(async |tx| postponed_messages_claim(tx, 10, due).await).await?;
    assert_eq!(claimed, [message]);
    scene.tx(async |tx| postponed_messages_forget(tx, &claimed).await).await?;
    assert_eq!(scene.tx(async |tx| postponed_messages_claim(tx, 10, due).await).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn published_task_of_a_sync_that_moves_waits_its_turn() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, _) = scene.begun(Mode::Full, Scope::default()).await?;
    scene.publish_all().await?;
    let before = scene.now();
    let heartbeat = scene.now();
    scene.tx(async |tx| store::ledger::syncs::sync_heartbeat(tx, id, heartbeat).await).await?;
    let republished = scene.tx(async |tx| stalled_republish(tx, before, false).await).await?;
    assert_eq!(republished, Republished::default());
    Ok(())
}
