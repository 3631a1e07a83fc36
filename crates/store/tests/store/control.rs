//! Syncs that have ended and go on: resumed, tried again, opened by a replay.

use anyhow::Context;
use domain::{Mode, RecordCounts, RecordType, Scope, SyncId, SyncState, TaskState};
use serde_json::json;
use store::{
    engine::{
        control::{SyncResumed, SyncRetried, TaskReopened, sync_resume, sync_retry, task_reopen},
        lifecycle::{SyncStarted, sync_fail},
        settle::PhaseEnd,
        undo::sync_undo,
    },
    ledger::{
        syncs::{StoredSync, sync_find},
        tasks::{NewTask, Task, task_list},
        unpublished::{UnpublishedId, published_mark, unpublished_claim},
    },
};

use crate::{
    records::{Records, day},
    scene::{Scene, new_sync},
};

impl Scene {
    async fn resume(&self, id: SyncId) -> anyhow::Result<SyncResumed> {
        let now = self.now();
        self.tx(async |tx| sync_resume(tx, id, "anna", now).await).await
    }

    async fn retry(&self, id: SyncId) -> anyhow::Result<SyncRetried> {
        let (asked, now) = (new_sync(Mode::Selective, Scope::default()), self.now());
        self.tx(async |tx| sync_retry(tx, id, &asked, now).await).await
    }

    async fn reopen(&self, task: &NewTask) -> anyhow::Result<TaskReopened> {
        let now = self.now();
        self.tx(async |tx| task_reopen(tx, task.id, now).await).await
    }

    /// What waits to be published.
    async fn unpublished(&self) -> anyhow::Result<Vec<UnpublishedId>> {
        let now = self.now();
        let found = self.tx(async |tx| unpublished_claim(tx, 100, now).await).await?;
        Ok(found.iter().map(store::ledger::unpublished::Unpublished::id).collect())
    }

    async fn mark_all_published(&self) -> anyhow::Result<()> {
        let (ids, now) = (self.unpublished().await?, self.now());
        self.tx(async |tx| published_mark(tx, &ids, now).await).await
    }

    async fn tasks(&self, id: SyncId) -> anyhow::Result<Vec<Task>> {
        Ok(task_list(&mut *self.store.db().await?, id).await?)
    }

    /// The open tasks of a sync, to be worked on again.
    async fn open_tasks(&self, id: SyncId) -> anyhow::Result<Vec<NewTask>> {
        let open = self.tasks(id).await?.into_iter().filter(|it| !it.state.is_terminal());
        Ok(open
            .map(|it| NewTask {
                id: it.id,
                sync_id: it.sync_id,
                request: it.request,
                trace_context: json!({}),
            })
            .collect())
    }

    /// Makes the dead letter of a task, as the archiver does.
    async fn dead_letter_of(&self, task: &NewTask) -> anyhow::Result<()> {
        self.execute(&format!(
            "INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, sync_id,
                 died_at, archived_at)
             VALUES (gen_random_uuid(), '{}', 'sync.tasks', 'k', '{{}}', 'permanent', '404', 'f', 1, '{}', now(), now())",
            task.id, task.sync_id
        ))
        .await
    }
}

/// A sync that has brought the vessels of the small fleet and was then given up on its equipment.
async fn sync_with_a_dead_task() -> anyhow::Result<(Scene, StoredSync, NewTask)> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let PhaseEnd::PhaseOpened(second) = scene.complete(&tasks[0], &Records::small_fleet()).await? else {
        panic!("the second phase")
    };
    let [equipment, users]: [NewTask; 2] = second.try_into().expect("two lists");
    assert_eq!(scene.give_up(&equipment, "404").await?, PhaseEnd::StillRunning);
    let _end = scene.complete(&users, &Records::small_fleet()).await?;
    let sync = sync_find(&mut *scene.store.db().await?, id).await?.expect("the sync");
    assert_eq!(sync.state, SyncState::CompletedWithErrors);
    Ok((scene, sync, equipment))
}

// -------------------------------------------------------------------------------------------------------------- resumed

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_sync_goes_on_with_what_was_open() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let PhaseEnd::PhaseOpened(_) = scene.complete(&tasks[0], &Records::small_fleet()).await? else {
        panic!("the second phase")
    };
    let done = scene.tasks(id).await?.remove(0);
    let _cancelled = scene.cancel(id).await?;

    assert_eq!(scene.resume(id).await?, SyncResumed::Resumed { tasks: 2 });
    let sync = scene.stored(id).await?;
    assert_eq!((sync.state, sync.cancelled_by), (SyncState::Running, None));
    scene.work_off(scene.open_tasks(id).await?, &Records::small_fleet()).await?;
    assert_eq!(scene.stored(id).await?.state, SyncState::Completed);
    assert_eq!(scene.tasks(id).await?[0], done, "what was done is not done again");
    let expected = RecordCounts { created: 5, ..RecordCounts::default() };
    assert_eq!(scene.counts(id, RecordType::Equipment).await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resumed_tasks_are_published_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    scene.mark_all_published().await?;
    let _cancelled = scene.cancel(id).await?;
    assert_eq!(scene.unpublished().await?, []);
    assert_eq!(scene.resume(id).await?, SyncResumed::Resumed { tasks: 1 });
    assert_eq!(scene.unpublished().await?, [UnpublishedId::Task(tasks[0].id)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_was_cancelled_before_it_began_begins_when_it_is_resumed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.create(Mode::Full, Scope::default()).await?;
    scene.mark_all_published().await?;
    let _cancelled = scene.cancel(id).await?;
    assert_eq!(scene.resume(id).await?, SyncResumed::Queued);
    assert_eq!(scene.unpublished().await?, [UnpublishedId::Command(id)]);
    let sync = scene.run(id, &Records::small_fleet()).await?;
    assert_eq!(sync.state, SyncState::Completed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resumption_is_audited() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, _) = scene.begun(Mode::Full, Scope::default()).await?;
    let _cancelled = scene.cancel(id).await?;
    let _resumed = scene.resume(id).await?;
    let entry = scene.row("SELECT actor, subject, detail FROM audit WHERE action = 'sync.resume'").await;
    assert_eq!(entry, json!({"actor": "anna", "subject": id.to_string(), "detail": {"tasks": 1}}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_runs_or_is_complete_or_unknown_is_not_resumed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let complete = scene.full_sync(&Records::small_fleet()).await?.id;
    assert_eq!(scene.resume(complete).await?, SyncResumed::NotStopped(SyncState::Completed));
    let (running, _) = scene.begun(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.resume(running).await?, SyncResumed::NotStopped(SyncState::Running));
    assert_eq!(scene.resume(SyncId::new()).await?, SyncResumed::Unknown);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn full_sync_is_not_resumed_beside_another() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (stopped, _) = scene.begun(Mode::Full, Scope::default()).await?;
    let _cancelled = scene.cancel(stopped).await?;
    let (other, _) = scene.begun(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.resume(stopped).await?, SyncResumed::FullSyncRunning(other));
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------- tried again

#[tokio::test(flavor = "multi_thread")]
async fn dead_task_is_tried_again_in_its_own_sync() -> anyhow::Result<()> {
    let (scene, sync, equipment) = sync_with_a_dead_task().await?;
    let retried = scene.retry(sync.id).await?;
    assert_eq!(retried, SyncRetried::Retried { tasks: 1, records: 0, sync: None });
    assert_eq!(scene.stored(sync.id).await?.state, SyncState::Running);
    let end = scene.complete(&equipment, &Records::small_fleet()).await?;
    assert_eq!(end, PhaseEnd::SyncEnded(SyncState::Completed));
    let expected = RecordCounts { created: 5, ..RecordCounts::default() };
    assert_eq!(scene.counts(sync.id, RecordType::Equipment).await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_task_with_a_dead_letter_goes_out_as_its_replay_alone() -> anyhow::Result<()> {
    let (scene, sync, equipment) = sync_with_a_dead_task().await?;
    scene.dead_letter_of(&equipment).await?;
    scene.mark_all_published().await?;
    let _retried = scene.retry(sync.id).await?;
    let unpublished = scene.unpublished().await?;
    let [UnpublishedId::Replay(letter)] = unpublished.as_slice() else { panic!("{unpublished:?}") };
    let row = scene.row("SELECT id, state, replays, replayed_by FROM dead_letters").await;
    assert_eq!(
        row,
        json!({"id": letter.to_string(), "state": "replaying", "replays": 1, "replayed_by": "anna"})
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_records_are_tried_again_by_a_new_sync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    portal.put_vessel("v-bad", json!({"imoNumber": "9074728"}));
    portal.put_equipment("e-orphan", "v-nowhere", json!({}));
    let first = scene.full_sync(&portal).await?;
    assert_eq!(first.failure.as_deref(), Some("2 records were rejected"));

    let retried = scene.retry(first.id).await?;
    let SyncRetried::Retried { tasks: 0, records: 2, sync: Some(again) } = retried else {
        panic!("{retried:?}")
    };
    let sync = scene.stored(again).await?;
    assert_eq!((sync.state, sync.retry_of), (SyncState::Queued, Some(first.id)));
    let expected = [
        (RecordType::Vessel, vec!["v-bad".to_owned()]),
        (RecordType::Equipment, vec!["e-orphan".to_owned()]),
    ];
    assert_eq!(sync.scope, Scope { source_ids: expected.into(), ..Scope::default() });

    portal.put_vessel("v-bad", json!({"imoNumber": "9434761", "updatedAt": day(2)}));
    portal.put_equipment("e-orphan", "v-1", json!({"updatedAt": day(2)}));
    let mended = scene.run(again, &portal).await?;
    assert_eq!(mended.state, SyncState::Completed, "{mended:?}");
    let expected = RecordCounts { created: 1, ..RecordCounts::default() };
    assert_eq!(scene.counts(again, RecordType::Vessel).await?, expected);
    assert_eq!(scene.counts(again, RecordType::Equipment).await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_company_is_tried_again_with_one_of_its_vessels() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    scene.full_sync(&portal).await?;
    for id in ["v-1", "v-2", "v-3"] {
        let vessel = portal.vessels.iter_mut().find(|it| it["id"] == id).context("a vessel")?;
        vessel["company"]["country"] = json!("Atlantis");
        vessel["company"]["updatedAt"] = json!(day(2));
    }
    let first = scene.full_sync(&portal).await?;
    assert_eq!(scene.number("findings WHERE record_type = 'company' AND severity = 'error'").await, 1);
    let SyncRetried::Retried { tasks: 0, sync: Some(again), .. } = scene.retry(first.id).await? else {
        panic!("a new sync")
    };
    let expected = [(RecordType::Vessel, vec!["v-1".to_owned()])];
    assert_eq!(scene.stored(again).await?.scope, Scope { source_ids: expected.into(), ..Scope::default() });
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_is_audited_with_the_sync_that_it_made() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    portal.put_vessel("v-bad", json!({"imoNumber": "9074728"}));
    let first = scene.full_sync(&portal).await?.id;
    let SyncRetried::Retried { sync: Some(again), .. } = scene.retry(first).await? else {
        panic!("a new sync")
    };
    let entry = scene.row("SELECT actor, action, detail FROM audit").await;
    assert_eq!((&entry["actor"], &entry["action"]), (&json!("anna"), &json!("sync.retry")));
    assert_eq!(
        entry["detail"],
        json!({"tasks": 0, "records": 1, "retry": again.to_string(), "reason": null})
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_without_failures_or_at_work_is_not_tried_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let clean = scene.full_sync(&Records::small_fleet()).await?.id;
    assert_eq!(scene.retry(clean).await?, SyncRetried::NothingFailed);
    let (running, _) = scene.begun(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.retry(running).await?, SyncRetried::Active(SyncState::Running));
    assert_eq!(scene.retry(SyncId::new()).await?, SyncRetried::Unknown);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_task_of_a_cancelled_sync_waits_until_the_sync_is_resumed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let PhaseEnd::PhaseOpened(second) = scene.complete(&tasks[0], &Records::small_fleet()).await? else {
        panic!("the second phase")
    };
    let _end = scene.give_up(&second[0], "404").await?;
    let _cancelled = scene.cancel(id).await?;
    assert_eq!(scene.retry(id).await?, SyncRetried::NothingFailed);
    assert_eq!(scene.resume(id).await?, SyncResumed::Resumed { tasks: 2 }, "the dead task among them");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_task_of_a_full_sync_waits_for_another_that_runs() -> anyhow::Result<()> {
    let (scene, sync, equipment) = sync_with_a_dead_task().await?;
    let (other, _) = scene.begun(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.retry(sync.id).await?, SyncRetried::FullSyncRunning(other));
    assert_eq!(scene.reopen(&equipment).await?, TaskReopened::FullSyncRunning);
    Ok(())
}

// -------------------------------------------------------------------------------------------------- opened by a replay

#[tokio::test(flavor = "multi_thread")]
async fn replayed_dead_task_opens_its_sync_and_brings_it_to_success() -> anyhow::Result<()> {
    let (scene, sync, equipment) = sync_with_a_dead_task().await?;
    assert_eq!(scene.reopen(&equipment).await?, TaskReopened::Reopened);
    assert_eq!(scene.stored(sync.id).await?.state, SyncState::Running);
    let end = scene.complete(&equipment, &Records::small_fleet()).await?;
    assert_eq!(end, PhaseEnd::SyncEnded(SyncState::Completed));
    assert_eq!(scene.reopen(&equipment).await?, TaskReopened::NotDead(TaskState::Done));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_dead_task_of_a_cancelled_sync_stays_closed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let PhaseEnd::PhaseOpened(second) = scene.complete(&tasks[0], &Records::small_fleet()).await? else {
        panic!("the second phase")
    };
    let _end = scene.give_up(&second[0], "404").await?;
    let _cancelled = scene.cancel(id).await?;
    assert_eq!(scene.reopen(&second[0]).await?, TaskReopened::SyncCancelled);
    assert_eq!(scene.stored(id).await?.state, SyncState::Cancelled);
    Ok(())
}

// -------------------------------------------------------------------------------------------------------------- undone

#[tokio::test(flavor = "multi_thread")]
async fn undone_sync_is_neither_resumed_nor_retried_nor_replayed() -> anyhow::Result<()> {
    let (scene, sync, equipment) = sync_with_a_dead_task().await?;
    let now = scene.now();
    let _undone = scene.tx(async |tx| sync_undo(tx, sync.id, "anna", now).await).await?;
    assert_eq!(scene.resume(sync.id).await?, SyncResumed::Undone);
    assert_eq!(scene.retry(sync.id).await?, SyncRetried::Undone);
    assert_eq!(scene.reopen(&equipment).await?, TaskReopened::SyncUndone);
    assert_eq!(scene.stored(sync.id).await?.state, SyncState::CompletedWithErrors);
    assert_eq!(scene.number("sync_logs").await, 1, "no new sync of its rejected records");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_was_undone_before_it_began_is_not_started() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.create(Mode::Full, Scope::default()).await?;
    let now = scene.now();
    assert!(scene.tx(async |tx| sync_fail(tx, id, "no command", now).await).await?);
    let _undone = scene.tx(async |tx| sync_undo(tx, id, "anna", now).await).await?;
    assert_eq!(scene.start(id).await?, SyncStarted::Undone);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_sync_that_never_began_is_not_started_by_its_command() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.create(Mode::Full, Scope::default()).await?;
    let _cancelled = scene.cancel(id).await?;
    assert_eq!(scene.start(id).await?, SyncStarted::Stopped(SyncState::Cancelled));
    Ok(())
}
