//! Dead letters and their replays: jobs that keep the result for each letter.

use chrono::{DateTime, Utc};
use domain::{DeadLetterId, FailureClass};
use serde_json::json;
use store::{
    Total, Window,
    engine::replays::{
        Archived, ReplayCancelled, dead_letter_archive, replay_job_cancel, replay_job_create, replay_succeed,
    },
    ledger::{
        dead_letters::{
            DeadLetter, DeadLetterFilter, NewDeadLetter, dead_letter_descendants, dead_letter_find,
            dead_letter_groups, dead_letter_list,
        },
        replay_jobs::{
            NewReplayJob, ReplayJob, replay_count, replay_item_list, replay_job_find, replay_job_list,
        },
        unpublished::{Unpublished, UnpublishedId, published_mark, unpublished_claim},
    },
};

use crate::scene::Scene;

impl Scene {
    /// Archives a message that was given up for this reason.
    async fn died(&self, reason: &str) -> anyhow::Result<DeadLetterId> {
        self.archive(&letter(reason, self.now())).await
    }

    async fn archive(&self, letter: &NewDeadLetter) -> anyhow::Result<DeadLetterId> {
        let now = self.now();
        let archived = self.tx(async |tx| dead_letter_archive(tx, letter, now).await).await?;
        anyhow::ensure!(archived == Archived::New, "{archived:?}");
        Ok(letter.id)
    }

    async fn replay(&self, job: &NewReplayJob) -> anyhow::Result<Vec<DeadLetterId>> {
        let now = self.now();
        self.tx(async |tx| replay_job_create(tx, job, now).await).await
    }

    /// Replays these letters, and has the broker confirm them.
    async fn replay_and_publish(&self, letters: &[DeadLetterId]) -> anyhow::Result<uuid::Uuid> {
        let job = job_of(letters);
        self.replay(&job).await?;
        self.publish().await?;
        Ok(job.id)
    }

    /// Publishes the replays that are due, as the relay does; their message ids.
    async fn publish(&self) -> anyhow::Result<Vec<String>> {
        let now = self.now();
        self.tx(async |tx| {
            let found = unpublished_claim(tx, 100, now).await?;
            let ids: Vec<UnpublishedId> = found.iter().map(Unpublished::id).collect();
            published_mark(tx, &ids, now).await?;
            let message = |it| match it {
                Unpublished::Replay { message_id, .. } => message_id,
                other => panic!("{other:?}"),
            };
            Ok(found.into_iter().map(message).collect())
        })
        .await
    }

    async fn succeed(&self, id: DeadLetterId) -> anyhow::Result<bool> {
        let now = self.now();
        self.tx(async |tx| replay_succeed(tx, id, now).await).await
    }

    async fn cancel_job(&self, id: uuid::Uuid) -> anyhow::Result<ReplayCancelled> {
        let now = self.now();
        self.tx(async |tx| replay_job_cancel(tx, id, "anna", now).await).await
    }

    async fn letter(&self, id: DeadLetterId) -> anyhow::Result<DeadLetter> {
        let found = dead_letter_find(&mut *self.store.db().await?, id).await?;
        found.ok_or_else(|| anyhow::anyhow!("no letter {id}"))
    }

    async fn letter_state(&self, id: DeadLetterId) -> String {
        let row = self.row(&format!("SELECT state FROM dead_letters WHERE id = '{id}'")).await;
        row["state"].as_str().expect("a state").to_owned()
    }

    async fn job(&self, id: uuid::Uuid) -> anyhow::Result<ReplayJob> {
        let found = replay_job_find(&mut *self.store.db().await?, id).await?;
        found.ok_or_else(|| anyhow::anyhow!("no job {id}"))
    }
}

fn letter(reason: &str, died_at: DateTime<Utc>) -> NewDeadLetter {
    let id = DeadLetterId::new();
    NewDeadLetter {
        id,
        message_id: format!("message of {id}"),
        queue: "sync.tasks".to_owned(),
        kind: "sms.sync.v1.SyncTask".to_owned(),
        body: b"{}".to_vec(),
        headers: json!({}),
        class: FailureClass::Transient,
        reason: reason.to_owned(),
        fingerprint: format!("f-{reason}"),
        attempts: 4,
        sync_id: None,
        trace_id: None,
        died_at,
        replay_of: None,
    }
}

fn job(which: DeadLetterFilter) -> NewReplayJob {
    NewReplayJob {
        id: uuid::Uuid::now_v7(),
        which,
        asked: json!({"all": true}),
        limit: 100,
        rate_per_second: None,
        requested_by: "anna".to_owned(),
        reason: Some("mended".to_owned()),
    }
}

fn job_of(ids: &[DeadLetterId]) -> NewReplayJob {
    job(DeadLetterFilter { ids: ids.to_vec(), ..DeadLetterFilter::default() })
}

// ------------------------------------------------------------------------------------------------------------- archived

#[tokio::test(flavor = "multi_thread")]
async fn same_death_is_archived_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let first = letter("500", scene.now());
    scene.archive(&first).await?;
    let (again, now) = (NewDeadLetter { id: DeadLetterId::new(), ..first.clone() }, scene.now());
    let archived = scene.tx(async |tx| dead_letter_archive(tx, &again, now).await).await?;
    assert_eq!(archived, Archived::Already(first.id));
    let later = NewDeadLetter { id: DeadLetterId::new(), died_at: scene.now(), ..first };
    scene.archive(&later).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_newest_first_with_the_total_of_the_filter() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(scene.died("500").await?);
    }
    scene.died("404").await?;
    let filter = DeadLetterFilter { fingerprint: Some("f-500".to_owned()), ..DeadLetterFilter::default() };
    let mut db = scene.store.db().await?;
    let window = Window { limit: 2, ..Window::default() };
    let first = dead_letter_list(&mut db, &filter, window).await?;
    assert_eq!((first.total, first.has_more), (Total::Exactly(3), true));
    assert_eq!(first.rows.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[2], ids[1]]);
    let after = first.rows.last().map(|it| (it.archived_at, it.id));
    let rest = dead_letter_list(&mut db, &filter, Window { after, ..window }).await?;
    assert_eq!((rest.total, rest.has_more), (Total::Exactly(3), false), "the total is of the whole list");
    assert_eq!(rest.rows.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[0]]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_of_one_making_are_one_group() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let handled = scene.died("500").await?;
    scene.died("500").await?;
    scene.died("404").await?;
    scene.replay(&job_of(&[handled])).await?;
    let groups =
        dead_letter_groups(&mut *scene.store.db().await?, &DeadLetterFilter::default(), 10, 0).await?;
    assert_eq!(groups.total, Total::Exactly(2));
    let mut counted: Vec<_> =
        groups.rows.iter().map(|it| (it.fingerprint.as_str(), it.total, it.dead)).collect();
    counted.sort_unstable();
    assert_eq!(counted, [("f-404", 1, 1), ("f-500", 2, 1)]);
    Ok(())
}

// ------------------------------------------------------------------------------------------------------------- replayed

#[tokio::test(flavor = "multi_thread")]
async fn job_puts_its_letters_back_on_their_way_and_audits_each() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (first, second) = (scene.died("500").await?, scene.died("500").await?);
    let job = job(DeadLetterFilter::default());
    assert_eq!(scene.replay(&job).await?, [first, second], "oldest first");
    let found = scene.letter(first).await?;
    assert_eq!((found.replays, found.replayed_by.as_deref()), (1, Some("anna")));
    let stored = scene.job(job.id).await?;
    assert_eq!((stored.waiting, stored.sent, stored.completed_at), (2, 0, None));
    let entries = scene.rows("SELECT actor, action, subject, detail FROM audit ORDER BY id").await;
    let entry = |id: DeadLetterId| {
        json!({"actor": "anna", "action": "dead_letter.replay", "subject": id.to_string(),
               "detail": {"job": job.id.to_string(), "reason": "mended"}})
    };
    assert_eq!(entries, [entry(first), entry(second)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn letter_that_is_being_replayed_or_has_succeeded_is_not_replayed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (replaying, succeeded, dead) =
        (scene.died("500").await?, scene.died("500").await?, scene.died("500").await?);
    scene.replay_and_publish(&[succeeded]).await?;
    assert!(scene.succeed(succeeded).await?);
    scene.replay(&job_of(&[replaying])).await?;
    let all = DeadLetterFilter::default();
    assert_eq!(replay_count(&mut *scene.store.db().await?, &all).await?, 1);
    assert_eq!(scene.replay(&job(all)).await?, [dead]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn job_takes_at_most_its_limit_of_the_oldest_letters() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let oldest = scene.died("500").await?;
    scene.died("500").await?;
    let job = NewReplayJob { limit: 1, ..job(DeadLetterFilter::default()) };
    assert_eq!(scene.replay(&job).await?, [oldest]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn job_with_a_rate_publishes_its_letters_when_they_are_due() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (first, second) = (scene.died("500").await?, scene.died("500").await?);
    let job = NewReplayJob { rate_per_second: Some(1), ..job(DeadLetterFilter::default()) };
    scene.replay(&job).await?;
    let due = "SELECT extract(epoch FROM replay_due_at - replayed_at)::int AS after FROM dead_letters ORDER BY archived_at";
    assert_eq!(scene.rows(due).await, [json!({"after": 0}), json!({"after": 1})]);
    scene.execute("UPDATE dead_letters SET replay_due_at = replay_due_at + interval '1 hour' WHERE replay_due_at > replayed_at").await?;
    assert_eq!(scene.publish().await?, [scene.letter(first).await?.message_id]);
    assert_eq!(scene.letter_state(second).await, "replaying");
    let stored = scene.job(job.id).await?;
    assert_eq!((stored.waiting, stored.sent), (1, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_do_not_publish_the_same_replay() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let letters = [scene.died("500").await?];
    scene.replay(&job_of(&letters)).await?;
    let now = scene.now();
    let mut relay = scene.store.begin().await?;
    assert_eq!(unpublished_claim(&mut relay, 10, now).await?.len(), 1);
    let other = scene.tx(async |tx| unpublished_claim(tx, 10, now).await).await?;
    assert_eq!(other, [], "it is locked");
    relay.rollback().await;
    Ok(())
}

// -------------------------------------------------------------------------------------------------------------- results

#[tokio::test(flavor = "multi_thread")]
async fn replay_that_takes_effect_completes_its_job() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.died("500").await?;
    let job = scene.replay_and_publish(&[id]).await?;
    assert_eq!(scene.letter_state(id).await, "replayed");
    assert!(scene.succeed(id).await?);
    assert!(!scene.succeed(id).await?, "it has succeeded before");
    assert_eq!(scene.letter_state(id).await, "succeeded");
    let stored = scene.job(job).await?;
    assert_eq!((stored.succeeded, stored.sent), (1, 0));
    assert!(stored.completed_at.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_that_dies_again_is_known_by_the_letter_as_which_it_died() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let origin = scene.died("500").await?;
    let job = scene.replay_and_publish(&[origin]).await?;
    let heir =
        scene.archive(&NewDeadLetter { replay_of: Some(origin), ..letter("500", scene.now()) }).await?;
    let mut db = scene.store.db().await?;
    assert_eq!(dead_letter_descendants(&mut db, origin).await?, [heir]);
    let items = replay_item_list(&mut db, job, None, Window { limit: 10, ..Window::default() }).await?;
    assert_eq!((items.total, items.rows[0].died_as), (Total::Exactly(1), Some(heir)));
    let stored = scene.job(job).await?;
    assert_eq!((stored.died, stored.sent), (1, 0));
    assert!(stored.completed_at.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn success_of_a_replay_is_that_of_its_ancestors_and_old_results_stand() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let origin = scene.died("500").await?;
    let first = scene.replay_and_publish(&[origin]).await?;
    let heir =
        scene.archive(&NewDeadLetter { replay_of: Some(origin), ..letter("500", scene.now()) }).await?;
    let second = scene.replay_and_publish(&[heir]).await?;
    assert!(scene.succeed(heir).await?);
    assert_eq!(scene.letter_state(origin).await, "succeeded");
    assert_eq!(scene.letter_state(heir).await, "succeeded");
    assert_eq!((scene.job(first).await?.died, scene.job(second).await?.succeeded), (1, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn letter_that_a_later_job_takes_over_is_cancelled_in_the_earlier() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.died("500").await?;
    let first = scene.replay_and_publish(&[id]).await?;
    // Nothing more was heard of it.
    let second = scene.replay_and_publish(&[id]).await?;
    let (first, second) = (scene.job(first).await?, scene.job(second).await?);
    assert_eq!((first.cancelled, first.sent), (1, 0));
    assert_eq!((second.cancelled, second.sent), (0, 1));
    assert_eq!(scene.letter(id).await?.replays, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_newest_first() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let first = scene.replay_and_publish(&[scene.died("500").await?]).await?;
    let second = scene.replay_and_publish(&[scene.died("500").await?]).await?;
    let page = replay_job_list(&mut *scene.store.db().await?, 1, 0).await?;
    assert_eq!((page.rows[0].id, page.total, page.has_more), (second, Total::Exactly(2), true));
    let page = replay_job_list(&mut *scene.store.db().await?, 1, 1).await?;
    assert_eq!((page.rows[0].id, page.total, page.has_more), (first, Total::Exactly(2), false));
    Ok(())
}

// ------------------------------------------------------------------------------------------------------------ cancelled

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_job_leaves_what_was_not_published_as_it_was() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.died("500").await?;
    let job = job_of(&[id]);
    scene.replay(&job).await?;
    assert_eq!(scene.cancel_job(job.id).await?, ReplayCancelled::Cancelled(1));
    let found = scene.letter(id).await?;
    assert_eq!((found.replays, scene.letter_state(id).await.as_str()), (0, "dead"));
    assert_eq!(scene.publish().await?, Vec::<String>::new());
    let stored = scene.job(job.id).await?;
    assert_eq!((stored.cancelled, stored.cancelled_by.as_deref()), (1, Some("anna")));
    let entry = scene.row("SELECT actor, subject, detail FROM audit WHERE action = 'replay.cancel'").await;
    assert_eq!(entry, json!({"actor": "anna", "subject": job.id.to_string(), "detail": {"stopped": 1}}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_job_keeps_what_was_published() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let sent = scene.died("500").await?;
    scene.died("500").await?;
    let job = NewReplayJob { rate_per_second: Some(1), ..job(DeadLetterFilter::default()) };
    scene.replay(&job).await?;
    scene.execute("UPDATE dead_letters SET replay_due_at = replay_due_at + interval '1 hour' WHERE replay_due_at > replayed_at").await?;
    scene.publish().await?;
    assert!(scene.succeed(sent).await?);
    assert_eq!(scene.cancel_job(job.id).await?, ReplayCancelled::Cancelled(1));
    let stored = scene.job(job.id).await?;
    assert_eq!((stored.succeeded, stored.cancelled, stored.waiting), (1, 1, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_letter_can_be_replayed_as_any_other() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.died("500").await?;
    let cancelled = job_of(&[id]);
    scene.replay(&cancelled).await?;
    let _cancelled = scene.cancel_job(cancelled.id).await?;
    scene.replay_and_publish(&[id]).await?;
    assert!(scene.succeed(id).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn job_that_has_ended_or_is_unknown_is_not_cancelled() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let sent = scene.replay_and_publish(&[scene.died("500").await?]).await?;
    assert_eq!(scene.cancel_job(sent).await?, ReplayCancelled::Ended, "all of it is published");
    let job = job_of(&[scene.died("500").await?]);
    scene.replay(&job).await?;
    let _cancelled = scene.cancel_job(job.id).await?;
    assert_eq!(scene.cancel_job(job.id).await?, ReplayCancelled::Ended);
    assert_eq!(scene.cancel_job(uuid::Uuid::now_v7()).await?, ReplayCancelled::Unknown);
    Ok(())
}
