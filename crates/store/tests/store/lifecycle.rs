//! The life of a sync: created, started, settled task by task, cancelled or failed.

use chrono::TimeDelta;
use domain::{
    Cause, Mode, RecordCounts, RecordType, Scope, SyncId, SyncState, TaskId, TaskState, list_walk::ListWalk,
};
use serde_json::{Value, json};
use store::{
    Total,
    engine::{
        lifecycle::{SyncCancelled, SyncStarted, sync_cancel, sync_fail},
        settle::{PhaseEnd, task_retry},
    },
    ledger::{
        seen::seen_note,
        syncs::{SyncCreated, SyncFilter, sync_create, sync_list},
        tallies::{TallyChange, TallyChanges},
        tasks::{NewTask, NextPageRecorded, next_page_record, task_find},
    },
};

use crate::{
    records::{Records, day},
    scene::{Scene, new_sync},
};

impl Scene {
    pub(crate) async fn cancel(&self, id: SyncId) -> anyhow::Result<SyncCancelled> {
        let now = self.now();
        self.tx(async |tx| sync_cancel(tx, id, "anna", now).await).await
    }

    async fn retry_later(&self, task: &NewTask) -> anyhow::Result<bool> {
        let now = self.now();
        self.tx(async |tx| task_retry(tx, task.id, "the provider answered 503", now).await).await
    }

    async fn next_page(&self, parent: &NewTask, next: &NewTask) -> anyhow::Result<NextPageRecorded> {
        let now = self.now();
        self.tx(async |tx| next_page_record(tx, parent.id, next, now).await).await
    }

    async fn state(&self, id: SyncId) -> anyhow::Result<SyncState> {
        Ok(self.stored(id).await?.state)
    }
}

/// A tally of vessels: announced and created.
fn vessels(expected: u64, created: u64) -> TallyChanges {
    let counts = RecordCounts { created, ..RecordCounts::default() };
    [(RecordType::Vessel, TallyChange { expected: Some(expected), counts, ..TallyChange::default() })].into()
}

fn of_vessels() -> Scope {
    Scope { record_types: [RecordType::Vessel].into(), ..Scope::default() }
}

/// A sync that has opened its second phase, with a task of equipment and one of users.
async fn in_second_phase() -> anyhow::Result<(Scene, SyncId, [NewTask; 2])> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let PhaseEnd::PhaseOpened(second) = scene.complete_with(&tasks[0], &vessels(2, 2)).await? else {
        panic!("the vessels were the first phase")
    };
    let second = second.try_into().expect("a list of equipment, and one of users");
    Ok((scene, id, second))
}

fn page_after(task: &NewTask, cursor: &str) -> NewTask {
    NewTask {
        id: TaskId::new(),
        request: task.request.next(cursor.to_owned(), None, ListWalk::default()),
        ..task.clone()
    }
}

// -------------------------------------------------------------------------------------------------------------- created

#[tokio::test(flavor = "multi_thread")]
async fn second_full_sync_hears_of_the_first() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let first = scene.create(Mode::Full, Scope::default()).await?;
    let (second, now) = (new_sync(Mode::Full, Scope::default()), scene.now());
    let created = scene.tx(async |tx| sync_create(tx, &second, now).await).await?;
    assert_eq!(created, SyncCreated::FullSyncRunning(first));
    assert_eq!(scene.number("sync_logs").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn full_sync_that_writes_nothing_or_is_not_full_is_in_nobodys_way() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut dry_run = new_sync(Mode::Full, Scope::default());
    dry_run.dry_run = true;
    scene.create_as(&dry_run).await?;
    scene.create(Mode::Incremental, Scope::default()).await?;
    scene.create(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.number("sync_logs WHERE state = 'queued'").await, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn full_sync_that_has_ended_makes_room_for_the_next() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.full_sync(&Records::small_fleet()).await?;
    scene.create(Mode::Full, Scope::default()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_is_asked_for_twice_is_recorded_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (sync, now) = (new_sync(Mode::Full, Scope::default()), scene.now());
    let created = async || scene.tx(async |tx| sync_create(tx, &sync, now).await).await;
    assert_eq!(created().await?, SyncCreated::Created);
    assert_eq!(created().await?, SyncCreated::Already);
    assert_eq!(scene.number("sync_logs").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_are_listed_newest_first_with_the_total_of_the_filter() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(scene.create(Mode::Selective, of_vessels()).await?);
    }
    scene.create(Mode::Full, Scope::default()).await?;
    let filter = SyncFilter {
        modes: vec![Mode::Selective],
        causes: vec![Cause::Manual],
        states: vec![SyncState::Queued],
        ..SyncFilter::default()
    };
    let mut db = scene.store.db().await?;
    let window = store::Window { limit: 2, ..store::Window::default() };
    let first = sync_list(&mut db, &filter, window).await?;
    assert_eq!((first.total, first.has_more), (Total::Exactly(3), true));
    assert_eq!(first.rows.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[2], ids[1]]);

    let last = first.rows.last().map(|it| (it.started_at, it.id));
    let rest = sync_list(&mut db, &filter, store::Window { after: last, ..window }).await?;
    assert_eq!((rest.total, rest.has_more), (Total::Exactly(3), false), "the total is of the whole list");
    assert_eq!(rest.rows.iter().map(|it| it.id).collect::<Vec<_>>(), [ids[0]]);
    Ok(())
}

// -------------------------------------------------------------------------------------------------------------- started

#[tokio::test(flavor = "multi_thread")]
async fn started_sync_opens_its_first_phase() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let [task] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!((task.sync_id, task.request.record_type, task.request.number), (id, RecordType::Vessel, 0));
    assert_eq!(scene.task_state(task.id).await, "pending");
    let sync = scene.stored(id).await?;
    assert_eq!((sync.state, sync.phase), (SyncState::Running, Some(domain::Phase::One)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_has_a_tally_of_every_type_of_its_scope_from_the_start() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.number(&format!("sync_counts WHERE sync_id = '{id}' AND pages = 0")).await, 4);
    let PhaseEnd::PhaseOpened(second) = scene.complete(&tasks[0], &Records::small_fleet()).await? else {
        panic!("the second phase")
    };
    let _end = scene.complete(&second[1], &Records::small_fleet()).await?;
    let end = scene.give_up(&second[0], "404").await?;
    assert_eq!(end, PhaseEnd::SyncEnded(SyncState::CompletedWithErrors));
    let failure = scene.stored(id).await?.failure;
    assert_eq!(failure.as_deref(), Some("1 task was given up: 404; not reached: equipment"));
    assert!(!scene.tally(id, RecordType::Equipment).await?.is_reached);
    assert!(scene.tally(id, RecordType::User).await?.is_reached);

    let users = Scope { record_types: [RecordType::User].into(), ..Scope::default() };
    let (id, _) = scene.begun(Mode::Selective, users).await?;
    assert_eq!(scene.number(&format!("sync_counts WHERE sync_id = '{id}'")).await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_is_started_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, _) = scene.begun(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.start(id).await?, SyncStarted::Already(SyncState::Running));
    assert_eq!(scene.start(SyncId::new()).await?, SyncStarted::Unknown);
    assert_eq!(scene.number("sync_queue").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_with_nothing_to_fetch_ends_at_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let nothing = Scope { source_ids: [(RecordType::Vessel, vec![])].into(), ..Scope::default() };
    let id = scene.create(Mode::Selective, nothing).await?;
    assert_eq!(scene.start(id).await?, SyncStarted::Ended(SyncState::Completed));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_of_a_company_without_vessels_ends_after_its_first_phase() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let scope = Scope { company_id: Some("c-9".into()), ..Scope::default() };
    let sync = scene.sync(Mode::Selective, scope, &Records::small_fleet()).await?;
    assert_eq!(sync.state, SyncState::Completed);
    assert_eq!(scene.number("sync_queue").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_of_a_company_fetches_what_is_on_board_of_its_vessels() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    let company = json!({"id": "c-2", "name": "Other AS", "country": "NO", "updatedAt": day(1)});
    portal.put_vessel("v-2", json!({"imoNumber": "9619907", "company": company}));
    portal.put_user("u-2", json!({"vesselIds": ["v-2"]}));
    let scope = Scope { company_id: Some("c-2".into()), ..Scope::default() };
    let sync = scene.sync(Mode::Selective, scope, &portal).await?;
    assert_eq!(sync.state, SyncState::Completed, "{sync:?}");
    for (record_type, created) in
        [(RecordType::Company, 1), (RecordType::Vessel, 1), (RecordType::Equipment, 2), (RecordType::User, 1)]
    {
        let expected = RecordCounts { created, ..RecordCounts::default() };
        assert_eq!(scene.counts(sync.id, record_type).await?, expected, "{record_type}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn list_of_hundreds_of_ids_is_fetched_by_several_chains() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let ids = (0..900).map(|n| format!("e-{n}")).collect();
    let scope = Scope { source_ids: [(RecordType::Equipment, ids)].into(), ..Scope::default() };
    let (_, tasks) = scene.begun(Mode::Selective, scope).await?;
    let chains: Vec<_> =
        tasks.iter().map(|it| (it.request.chain, it.request.query.filter.source_ids.len())).collect();
    assert_eq!(chains, [(0, 500), (1, 400)]);
    Ok(())
}

// ---------------------------------------------------------------------------------------- where an incremental one begins

#[tokio::test(flavor = "multi_thread")]
async fn first_incremental_sync_looks_at_everything() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, _) = scene.begun(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.stored(id).await?.scope.updated_since, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn incremental_sync_begins_at_the_last_whole_one_less_the_overlap() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.execute("UPDATE settings SET incremental_overlap_seconds = 600").await?;
    let whole = scene.full_sync(&Records::small_fleet()).await?;
    let (id, tasks) = scene.begun(Mode::Incremental, Scope::default()).await?;
    let expected = whole.running_at.map(|at| at - chrono::TimeDelta::minutes(10));
    assert_eq!(scene.stored(id).await?.scope.updated_since, expected);
    assert_eq!(tasks[0].request.query.updated_since, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn incremental_sync_begins_where_the_provider_read_its_lists() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.execute("UPDATE settings SET incremental_overlap_seconds = 0").await?;
    let whole = scene.full_sync(&Records::small_fleet()).await?.id;
    let later = day(8);
    for as_of in [later, day(7), later] {
        scene.tx(async |tx| store::ledger::syncs::as_of_note(tx, whole, as_of).await).await?;
    }
    let (id, _) = scene.begun(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.stored(id).await?.scope.updated_since, Some(day(7)), "the earliest time stays");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_time_in_the_future_is_no_base_and_the_last_sync_by_our_clock_is() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let jumped = scene.full_sync(&Records::small_fleet()).await?.id;
    scene.execute(&format!("UPDATE sync_logs SET as_of = '2100-01-01' WHERE id = '{jumped}'")).await?;
    let begun = scene.stored(jumped).await?.running_at.expect("it has begun");
    let sync = scene.sync(Mode::Incremental, Scope::default(), &Records::small_fleet()).await?;
    assert_eq!(sync.scope.updated_since, Some(begun - TimeDelta::minutes(10)));

    // A later sync with an earlier time of the provider is the base, not the latest of such times.
    let later = scene.full_sync(&Records::small_fleet()).await?.id;
    scene.tx(async |tx| store::ledger::syncs::as_of_note(tx, later, day(7)).await).await?;
    let sync = scene.sync(Mode::Incremental, Scope::default(), &Records::small_fleet()).await?;
    assert_eq!(sync.scope.updated_since, Some(day(7) - TimeDelta::minutes(10)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_with_a_dead_task_or_unread_records_is_no_base() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (_, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let _end = scene.give_up(&tasks[0], "401").await?;
    let (_, tasks) = scene.begun(Mode::Incremental, Scope::default()).await?;
    let PhaseEnd::PhaseOpened(rest) = scene.complete_with(&tasks[0], &vessels(3, 2)).await? else {
        panic!("the second phase")
    };
    scene.work_off(rest, &Records::default()).await?;
    // Records of one type alone are no base for all of them.
    scene.sync(Mode::Incremental, of_vessels(), &Records::default()).await?;
    let (id, _) = scene.begun(Mode::Incremental, Scope::default()).await?;
    assert_eq!(scene.stored(id).await?.scope.updated_since, None);
    Ok(())
}

// -------------------------------------------------------------------------------------------------------------- settled

#[tokio::test(flavor = "multi_thread")]
async fn full_sync_creates_what_is_listed_and_finds_it_unchanged_next_time() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let lists = [
        (RecordType::Company, 1),
        (RecordType::Vessel, 3),
        (RecordType::Equipment, 5),
        (RecordType::User, 3),
    ];
    let first = scene.full_sync(&Records::small_fleet()).await?;
    assert_eq!((first.state, first.failure), (SyncState::Completed, None));
    for (record_type, created) in lists {
        let expected = RecordCounts { created, ..RecordCounts::default() };
        assert_eq!(scene.counts(first.id, record_type).await?, expected, "{record_type}");
    }
    let second = scene.full_sync(&Records::small_fleet()).await?;
    assert_eq!(second.state, SyncState::Completed);
    for (record_type, unchanged) in lists {
        let expected = RecordCounts { unchanged, ..RecordCounts::default() };
        assert_eq!(scene.counts(second.id, record_type).await?, expected, "{record_type}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn last_task_of_a_phase_opens_the_next() -> anyhow::Result<()> {
    let (scene, id, [equipment, users]) = in_second_phase().await?;
    assert_eq!(equipment.request.record_type, RecordType::Equipment);
    assert_eq!(users.request.record_type, RecordType::User);
    assert_eq!(scene.stored(id).await?.phase, Some(domain::Phase::Two));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_ends_with_its_last_task() -> anyhow::Result<()> {
    let (scene, id, [equipment, users]) = in_second_phase().await?;
    let nothing = TallyChanges::new();
    assert_eq!(scene.complete_with(&users, &nothing).await?, PhaseEnd::StillRunning);
    assert_eq!(scene.complete_with(&equipment, &nothing).await?, PhaseEnd::SyncEnded(SyncState::Completed));
    assert!(scene.stored(id).await?.completed_at.is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_tasks_that_end_at_once_exactly_one_is_the_last() -> anyhow::Result<()> {
    let (scene, _, [equipment, users]) = in_second_phase().await?;
    let nothing = TallyChanges::new();
    let (one, other) =
        tokio::join!(scene.complete_with(&equipment, &nothing), scene.complete_with(&users, &nothing));
    let ends = [one?, other?];
    assert!(ends.contains(&PhaseEnd::StillRunning), "{ends:?}");
    assert!(ends.contains(&PhaseEnd::SyncEnded(SyncState::Completed)), "{ends:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn task_that_is_done_takes_no_effect_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let _opened = scene.complete_with(&tasks[0], &vessels(2, 2)).await?;
    assert_eq!(scene.complete_with(&tasks[0], &vessels(2, 2)).await?, PhaseEnd::TaskNotOpen);
    assert_eq!(scene.give_up(&tasks[0], "too late").await?, PhaseEnd::TaskNotOpen);
    let expected = RecordCounts { created: 2, ..RecordCounts::default() };
    assert_eq!(scene.counts(id, RecordType::Vessel).await?, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_read_less_than_was_announced_ends_with_errors_and_says_so() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Selective, of_vessels()).await?;
    let end = scene.complete_with(&tasks[0], &vessels(3, 2)).await?;
    assert_eq!(end, PhaseEnd::SyncEnded(SyncState::CompletedWithErrors));
    let failure = scene.stored(id).await?.failure;
    assert_eq!(failure.as_deref(), Some("the provider announced 3 vessels, and 2 were read"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn record_that_changed_while_its_list_was_read_is_counted_once_more() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Selective, of_vessels()).await?;
    let (first, ids) = (&tasks[0], ["v-1".to_owned(), "v-2".to_owned()]);
    let second = page_after(first, "2");
    assert_eq!(scene.next_page(first, &second).await?, NextPageRecorded::New);
    scene.tx(async |tx| seen_note(tx, id, RecordType::Vessel, 0, &ids, &[]).await).await?;
    assert_eq!(scene.complete_with(first, &vessels(2, 2)).await?, PhaseEnd::StillRunning);
    // v-1 comes once more at the end of the list, and v-3 is new.
    let late = ["v-1".to_owned(), "v-3".to_owned()];
    scene.tx(async |tx| seen_note(tx, id, RecordType::Vessel, 0, &late, &late).await).await?;
    let counts = RecordCounts { created: 1, updated: 1, ..RecordCounts::default() };
    let changes = [(RecordType::Vessel, TallyChange { late: 2, counts, ..TallyChange::default() })].into();
    let end = scene.complete_with(&second, &changes).await?;
    assert_eq!(end, PhaseEnd::SyncEnded(SyncState::Completed));
    let tally = scene.tally(id, RecordType::Vessel).await?;
    assert_eq!((tally.expected, tally.counts.read(), tally.late, tally.again), (Some(2), 4, 2, 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_task_ends_the_sync_before_its_next_phase() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let end = scene.give_up(&tasks[0], "the provider answered 404").await?;
    assert_eq!(end, PhaseEnd::SyncEnded(SyncState::Failed), "nothing was read");
    let failure = scene.stored(id).await?.failure;
    assert_eq!(
        failure.as_deref(),
        Some(
            "1 task was given up: the provider answered 404; not reached: companies, vessels, equipment, users"
        )
    );
    assert_eq!(scene.number("sync_queue").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_with_a_dead_task_ends_with_errors_when_the_others_are_done() -> anyhow::Result<()> {
    let (scene, _, [equipment, users]) = in_second_phase().await?;
    assert_eq!(scene.give_up(&equipment, "404").await?, PhaseEnd::StillRunning);
    let end = scene.complete_with(&users, &TallyChanges::new()).await?;
    assert_eq!(end, PhaseEnd::SyncEnded(SyncState::CompletedWithErrors));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_is_retrying_while_all_its_open_tasks_wait_for_an_attempt() -> anyhow::Result<()> {
    let (scene, id, [equipment, users]) = in_second_phase().await?;
    assert!(scene.retry_later(&equipment).await?);
    assert_eq!(scene.state(id).await?, SyncState::Running, "the users are at work");
    assert_eq!(scene.complete_with(&users, &TallyChanges::new()).await?, PhaseEnd::StillRunning);
    assert_eq!(scene.state(id).await?, SyncState::Retrying);
    let task = task_find(&mut *scene.store.db().await?, equipment.id).await?.expect("the task");
    assert_eq!((task.state, task.attempts), (TaskState::Retrying, 1));
    let _end = scene.complete_with(&equipment, &TallyChanges::new()).await?;
    assert!(!scene.retry_later(&equipment).await?, "it is done");
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------- next pages

#[tokio::test(flavor = "multi_thread")]
async fn next_page_is_recorded_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (_, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let (next, again) = (page_after(&tasks[0], "a"), page_after(&tasks[0], "a"));
    assert_eq!(scene.next_page(&tasks[0], &next).await?, NextPageRecorded::New);
    assert_eq!(scene.next_page(&tasks[0], &again).await?, NextPageRecorded::Already);
    let mut db = scene.store.db().await?;
    assert!(task_find(&mut db, tasks[0].id).await?.is_some_and(|it| it.handed_on));
    assert_eq!(task_find(&mut db, next.id).await?.map(|it| it.request), Some(next.request));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_that_leads_back_twice_is_a_loop() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (_, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let mut last = tasks[0].clone();
    for _ in 0..2 {
        let next = page_after(&last, "same");
        assert_eq!(scene.next_page(&last, &next).await?, NextPageRecorded::New);
        last = next;
    }
    assert_eq!(scene.next_page(&last, &page_after(&last, "same")).await?, NextPageRecorded::Loop);
    assert_eq!(scene.next_page(&last, &page_after(&last, "other")).await?, NextPageRecorded::New);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_with_a_nul_is_recorded_with_what_can_be_kept_of_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (_, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let next = page_after(&tasks[0], "a\0b");
    assert_eq!(scene.next_page(&tasks[0], &next).await?, NextPageRecorded::New);
    let cursor = scene.row("SELECT page_request ->> 'cursor' AS kept FROM sync_queue WHERE page = 1").await;
    assert_eq!(cursor["kept"], "a\u{2400}b");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_has_ended_takes_no_next_page() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let _cancelled = scene.cancel(id).await?;
    let next = page_after(&tasks[0], "a");
    assert_eq!(scene.next_page(&tasks[0], &next).await?, NextPageRecorded::SyncEnded);
    Ok(())
}

// -------------------------------------------------------------------------------------------------- cancelled and failed

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_sync_keeps_what_is_done_and_cancels_what_is_open() -> anyhow::Result<()> {
    let (scene, id, [equipment, users]) = in_second_phase().await?;
    let _end = scene.complete_with(&equipment, &TallyChanges::new()).await?;
    assert_eq!(scene.cancel(id).await?, SyncCancelled::Cancelled);
    let sync = scene.stored(id).await?;
    assert_eq!((sync.state, sync.cancelled_by.as_deref()), (SyncState::Cancelled, Some("anna")));
    assert_eq!(scene.task_state(equipment.id).await, "done");
    assert_eq!(scene.task_state(users.id).await, "cancelled");
    assert_eq!(scene.audit().await, [json!({"actor": "anna", "action": "sync.cancel"})]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn task_of_a_cancelled_sync_takes_no_effect() -> anyhow::Result<()> {
    let (scene, id, [equipment, _]) = in_second_phase().await?;
    // A worker has the task in hand, and the operator is faster.
    let now = scene.now();
    let mut tx = scene.store.begin().await?;
    let task = store::ledger::tasks::task_lock(&mut tx, equipment.id).await?.expect("the task");
    assert_eq!(task.state, TaskState::Pending);
    assert_eq!(scene.cancel(id).await?, SyncCancelled::Cancelled);
    let end = store::engine::settle::task_complete(&mut tx, equipment.id, &TallyChanges::new(), now).await?;
    assert_eq!(end, PhaseEnd::TaskNotOpen);
    tx.rollback().await;
    let found = task_find(&mut *scene.store.db().await?, equipment.id).await?;
    assert_eq!(found.map(|it| it.state), Some(TaskState::Cancelled), "open, but of a sync that has ended");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn task_that_a_worker_had_in_hand_is_cancelled_after_its_sync() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let mut tx = scene.store.begin().await?;
    let _locked = store::ledger::tasks::task_lock(&mut tx, tasks[0].id).await?;
    let _cancelled = scene.cancel(id).await?;
    tx.rollback().await;
    assert_eq!(scene.task_state(tasks[0].id).await, "pending");
    let now = scene.now();
    let cancelled = scene.tx(async |tx| store::ledger::tasks::tasks_of_ended_syncs_cancel(tx, now).await);
    assert_eq!(cancelled.await?, 1);
    assert_eq!(scene.task_state(tasks[0].id).await, "cancelled");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_has_ended_or_is_unknown_is_not_cancelled() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let done = scene.full_sync(&Records::small_fleet()).await?.id;
    assert_eq!(scene.cancel(done).await?, SyncCancelled::Ended(SyncState::Completed));
    let cancelled = scene.create(Mode::Full, Scope::default()).await?;
    assert_eq!(scene.cancel(cancelled).await?, SyncCancelled::Cancelled);
    assert_eq!(scene.cancel(cancelled).await?, SyncCancelled::Ended(SyncState::Cancelled));
    assert_eq!(scene.cancel(SyncId::new()).await?, SyncCancelled::Unknown);
    assert_eq!(scene.number("audit").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_sync_says_why_and_cancels_its_open_tasks() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (id, tasks) = scene.begun(Mode::Full, Scope::default()).await?;
    let now = scene.now();
    let fail = async || scene.tx(async |tx| sync_fail(tx, id, "stalled", now).await).await;
    assert!(fail().await?);
    assert!(!fail().await?, "it has failed before");
    let sync = scene.stored(id).await?;
    assert_eq!((sync.state, sync.failure.as_deref()), (SyncState::Failed, Some("stalled")));
    assert_eq!(scene.task_state(tasks[0].id).await, Value::from("cancelled"));
    Ok(())
}
