//! What cannot be done: retried when it may pass, a dead letter alone when not, and replayed by jobs that keep the result.

use std::time::Duration;

use crate::scene::{PATIENCE, Scene};
use domain::{
    DeadLetterId, Mode, RecordType, Scope, SyncId,
    clock::{Clock, SystemClock},
    dead_letter::{DeadLetterState, ReplayItemState},
};
use serde_json::json;
use store::{
    Window,
    engine::{
        control::{SyncResumed, sync_resume},
        lifecycle::{SyncCancelled, sync_cancel},
        replays::replay_job_create,
        undo::sync_undo,
    },
    ledger::{
        dead_letters::{DeadLetterFilter, dead_letter_groups},
        replay_jobs::{NewReplayJob, ReplayJob, replay_item_list, replay_job_find},
    },
};
use testbed::{Answer, List, lapin, wait_until};

async fn replay(scene: &Scene, which: DeadLetterFilter, rate: Option<u32>) -> anyhow::Result<uuid::Uuid> {
    let job = NewReplayJob {
        id: uuid::Uuid::now_v7(),
        which,
        asked: json!({}),
        limit: 100,
        rate_per_second: rate,
        requested_by: "anna".to_owned(),
        reason: Some("mended".to_owned()),
    };
    let now = SystemClock.now();
    scene.store.transaction(async |tx| replay_job_create(tx, &job, now).await).await?;
    Ok(job.id)
}

async fn job(scene: &Scene, id: uuid::Uuid) -> anyhow::Result<ReplayJob> {
    let found = replay_job_find(&mut *scene.store.db().await?, id).await?;
    found.ok_or_else(|| anyhow::anyhow!("no job {id}"))
}

async fn completed(scene: &Scene, id: uuid::Uuid) -> anyhow::Result<ReplayJob> {
    wait_until("the job is complete", PATIENCE, async || {
        let job = job(scene, id).await.expect("it is there");
        if job.completed_at.is_some() { Ok(job) } else { Err(job) }
    })
    .await
}

async fn letters(scene: &Scene, state: &str, n: i64) -> anyhow::Result<()> {
    wait_until(format!("{n} dead letters are {state}"), PATIENCE, async || {
        match scene.number(&format!("dead_letters WHERE state = '{state}'")).await {
            found if found == n => Ok(()),
            found => Err(found),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn any_text_in_a_message_and_in_an_error_is_archived() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    let id = scene.full_sync().await?;
    scene.ended(id).await?;
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    let long = "x".repeat(250);
    for text in ["a\0b", "\u{202e}\u{1b}[31m", "\r\n", &long] {
        let mut headers = lapin::types::FieldTable::default();
        let value = lapin::types::AMQPValue::LongString(text.repeat(100).into());
        headers.insert("x-any".into(), value.clone());
        headers.insert("traceparent".into(), value.clone());
        headers.insert("x-replay-of".into(), value.clone());
        let properties = lapin::BasicProperties::default()
            .with_type(text.into())
            .with_message_id(text.into())
            .with_correlation_id(text.into())
            .with_headers(headers);
        let options = lapin::options::BasicPublishOptions::default();
        for (exchange, queue) in [("sms.sync", "sync.tasks"), ("sms.dead", "")] {
            let sent =
                channel.basic_publish(exchange.into(), queue.into(), options, b"\0", properties.clone());
            sent.await?.await?;
        }
    }
    letters(&scene, "dead", 8).await?;

    let detail = json!({"detail": "no \0 such \u{202e}list\n"}).to_string();
    scene.provider.answer_next(List::Users, Answer::status(410).body(detail));
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors");
    letters(&scene, "dead", 9).await?;
    let reason = scene.rows("SELECT reason FROM dead_letters WHERE sync_id IS NOT NULL").await.remove(0);
    let reason = reason["reason"].as_str().unwrap_or_default();
    assert!(reason.ends_with(r"answered 410 to sync/users: no \u{0} such \u{202e}list "), "{reason}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letter_waits_while_its_table_cannot_be_written() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    // A sequence counts the tries: it is not rolled back.
    for sql in [
        "CREATE SEQUENCE tries",
        "GRANT USAGE ON SEQUENCE tries TO sms_worker",
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON dead_letters FOR EACH ROW EXECUTE FUNCTION refuse()",
    ] {
        scene.world.execute(sql).await?;
    }
    scene.provider.fail_list(List::Users, Some(410));
    let id = scene.full_sync().await?;
    wait_until("the letter was tried again and again", PATIENCE, async || {
        match scene.rows("SELECT last_value AS n FROM tries").await[0]["n"].as_i64() {
            Some(3..) => Ok(()),
            other => Err(other),
        }
    })
    .await?;
    // Garbage behind it waits, too.
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    let options = lapin::options::BasicPublishOptions::default();
    let properties = lapin::BasicProperties::default();
    channel.basic_publish("sms.dead".into(), "".into(), options, b"garbage", properties).await?.await?;
    scene.world.execute("DROP TRIGGER refuse ON dead_letters").await?;
    letters(&scene, "dead", 2).await?;
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letter_whose_task_cannot_be_marked_is_kept_and_holds_up_no_other() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    // What a constraint refuses it refuses each time.
    scene.world.execute("ALTER TABLE sync_queue ADD CONSTRAINT nobody_dies CHECK (state <> 'dead')").await?;
    scene.provider.fail_list(List::Users, Some(410));
    scene.full_sync().await?;
    letters(&scene, "dead", 1).await?;
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    let options = lapin::options::BasicPublishOptions::default();
    let properties = lapin::BasicProperties::default();
    channel.basic_publish("sms.dead".into(), "".into(), options, b"garbage", properties).await?.await?;
    letters(&scene, "dead", 2).await?;
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_any_queue_is_a_dead_letter_alone_and_nothing_is_stuck() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    // The queues are there once something has gone through them.
    let id = scene.full_sync().await?;
    scene.ended(id).await?;
    let channel = scene.world.amqp_connection().await?.create_channel().await?;
    let queues =
        [("sync.events", "ApprovalEvent"), ("sync.commands", "SyncCommand"), ("sync.tasks", "SyncTask")];
    for (queue, kind) in queues {
        let messages: [(Option<String>, &[u8]); 5] = [
            (None, b"\xff\x00"),
            (Some(format!("sms.sync.v1.{kind}")), b"{\"truncated"),
            (Some("sms.sync.v1.NeverHeardOf".to_owned()), b"{}"),
            (Some(format!("sms.sync.v0.{kind}")), b"{\"id\": 7}"),
            (Some("sms.sync.v1.MessageBundle".to_owned()), b"{\"messages\": [{\"body\": 7}]}"),
        ];
        for (kind, body) in messages {
            let properties = lapin::BasicProperties::default();
            let properties = match kind {
                Some(kind) => properties.with_type(kind.as_str().into()),
                None => properties,
            };
            let options = lapin::options::BasicPublishOptions::default();
            channel.basic_publish("sms.sync".into(), queue.into(), options, body, properties).await?.await?;
        }
    }
    letters(&scene, "dead", 15).await?;
    let by_queue = scene
        .rows("SELECT queue, count(*) AS n, count(*) FILTER (WHERE class = 'permanent' AND attempts = 1) AS at_once
               FROM dead_letters GROUP BY queue ORDER BY queue")
        .await;
    let all_of = |queue: &str| json!({"queue": queue, "n": 5, "at_once": 5});
    assert_eq!(by_queue, [all_of("sync.commands"), all_of("sync.events"), all_of("sync.tasks")]);

    // The queues go on.
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    let event = scene.webhook("vessel.updated", RecordType::Vessel, "v-1").await?;
    scene.event_state(event.id, "processed").await?;

    // Garbage of one making is one group, and a replay of it dies again, with its lineage.
    let mut db = scene.store.db().await?;
    let groups = dead_letter_groups(&mut db, &DeadLetterFilter::default(), 50, 0).await?;
    drop(db);
    assert!(groups.rows.iter().all(|group| group.dead == group.total && !group.reason.is_empty()));
    assert_eq!(groups.rows.iter().map(|group| group.total).sum::<u64>(), 15);
    let which = DeadLetterFilter {
        queue: Some("sync.tasks".to_owned()),
        states: vec![DeadLetterState::Dead],
        ..DeadLetterFilter::default()
    };
    let again = completed(&scene, replay(&scene, which, None).await?).await?;
    assert_eq!((again.died, again.succeeded), (5, 0));
    assert_eq!(scene.number("dead_letters WHERE replay_of IS NOT NULL AND state = 'dead'").await, 5);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_job_keeps_what_became_of_each_dead_letter() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.fail_list(List::Users, Some(404));
    scene.provider.fail_list(List::Equipment, Some(404));
    let id = scene.full_sync().await?;
    assert_eq!(scene.ended(id).await?["state"], "completed_with_errors");
    letters(&scene, "dead", 2).await?;

    // Half of it is mended: one takes effect, the other dies again and is known as which.
    scene.provider.fail_list(List::Equipment, None);
    let first = replay(&scene, DeadLetterFilter::default(), None).await?;
    let done = completed(&scene, first).await?;
    assert_eq!((done.succeeded, done.died, done.cancelled), (1, 1, 0));
    let items = replay_item_list(
        &mut *scene.store.db().await?,
        first,
        None,
        Window { limit: 10, ..Window::default() },
    )
    .await?
    .rows;
    let died = items.iter().find(|item| item.state == ReplayItemState::Died).expect("one died");
    let heir: DeadLetterId = died.died_as.expect("as another");
    let row = scene.rows(&format!("SELECT replay_of FROM dead_letters WHERE id = '{heir}'")).await.remove(0);
    assert_eq!(row["replay_of"], died.dead_letter_id.to_string());

    // All of it: the sync gets whole, and so do the letters, the ancestor among them. The old job's result stands.
    scene.provider.fail_list(List::Users, None);
    let which = DeadLetterFilter { ids: vec![heir], ..DeadLetterFilter::default() };
    let second = completed(&scene, replay(&scene, which, None).await?).await?;
    assert_eq!((second.succeeded, second.died), (1, 0));
    letters(&scene, "succeeded", 3).await?;
    assert_eq!(scene.ended(id).await?["state"], "completed");
    assert_eq!(job(&scene, first).await?.died, 1);
    let audit =
        scene.number("audit WHERE action = 'dead_letter.replay' AND detail->>'reason' = 'mended'").await;
    assert_eq!(audit, 3);
    scene.end().await;
    Ok(())
}

/// A sync that lost its equipment, was cancelled while it read its users, and whose dead letter was replayed then.
async fn replayed_after_its_sync_was_cancelled(undone: bool) -> anyhow::Result<(Scene, SyncId, String)> {
    let scene = Scene::new().await?;
    scene.provider.small_fleet();
    scene.provider.fail_list(List::Equipment, Some(404));
    scene.provider.answer_list_after(List::Users, PATIENCE);
    let id = scene.full_sync().await?;
    letters(&scene, "dead", 1).await?;
    let now = SystemClock.now();
    let cancelled = scene.store.transaction(async |tx| sync_cancel(tx, id, "anna", now).await).await?;
    assert_eq!(cancelled, SyncCancelled::Cancelled);
    if undone {
        let _undone = scene.store.transaction(async |tx| sync_undo(tx, id, "anna", now).await).await?;
    }
    scene.provider.fail_list(List::Equipment, None);
    scene.provider.answer_list_after(List::Users, Duration::ZERO);

    let done = completed(&scene, replay(&scene, DeadLetterFilter::default(), None).await?).await?;
    assert_eq!((done.succeeded, done.died), (0, 1));
    let sql = "SELECT reason FROM dead_letters WHERE replay_of IS NOT NULL";
    let reason = scene.rows(sql).await[0]["reason"].as_str().unwrap_or_default().to_owned();
    assert_eq!(scene.number("equipment").await, 0);
    Ok((scene, id, reason))
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_for_a_cancelled_sync_dies_and_succeeds_once_that_is_resumed() -> anyhow::Result<()> {
    let (scene, id, reason) = replayed_after_its_sync_was_cancelled(false).await?;
    assert_eq!(reason, "nothing was fetched: the sync is cancelled; resume it, and it goes on with this");
    let now = SystemClock.now();
    let resumed = scene.store.transaction(async |tx| sync_resume(tx, id, "anna", now).await).await?;
    assert_eq!(resumed, SyncResumed::Resumed { tasks: 2 });
    scene.outbox.wake();
    assert_eq!(scene.ended(id).await?["state"], "completed");
    letters(&scene, "succeeded", 2).await?;
    assert_eq!(scene.number("equipment").await, 5);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_for_an_undone_sync_dies() -> anyhow::Result<()> {
    let (scene, id, reason) = replayed_after_its_sync_was_cancelled(true).await?;
    assert_eq!(reason, "nothing was fetched: the sync was undone; start a new one");
    assert_eq!(scene.ended(id).await?["state"], "cancelled");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_provider_is_sick_it_is_left_alone_and_waiting_costs_no_attempts() -> anyhow::Result<()> {
    let scene = Scene::new_with(json!({"onboarding": {"circuit_failures": 2}})).await?;
    scene.provider.small_fleet();
    let vessels = Scope { record_types: [RecordType::Vessel].into(), ..Scope::default() };
    let first = scene.sync(Mode::Selective, vessels).await?;
    scene.ended(first).await?;

    // Six chains at once: the second failure in a row opens the circuit. Requests that are under way together fail as one.
    scene.provider.fail_with(Some(503));
    let scope = Scope {
        record_types: [RecordType::Equipment, RecordType::User].into(),
        vessel_ids: vec!["v-1".into(), "v-2".into(), "v-3".into()],
        ..Scope::default()
    };
    let id = scene.sync(Mode::Selective, scope).await?;
    wait_until("the circuit is open, and said to be", PATIENCE, async || {
        match scene.rows("SELECT peer, failure FROM circuits").await.as_slice() {
            [row] if row["failure"].as_str().is_some_and(|it| it.contains("503")) => Ok(()),
            rows => Err(rows.to_vec()),
        }
    })
    .await?;
    scene.provider.fail_with(None);
    let sync = scene.ended(id).await?;
    assert_eq!(sync["state"], "completed", "{sync}");
    assert_eq!(scene.number("dead_letters").await, 0);
    let failed = scene.number("attempts").await;
    assert!((2..=12).contains(&failed), "{failed} attempts for six tasks that waited for the circuit");
    wait_until("the circuit is closed", PATIENCE, async || match scene.number("circuits").await {
        0 => Ok(()),
        n => Err(n),
    })
    .await?;
    scene.end().await;
    Ok(())
}
