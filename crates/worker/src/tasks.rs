//! Queue `sync.tasks`: fetches and writes one page of records.
//!
//! **What arrives**: a `SyncTask` that names a row of `sync_queue`; the row says which page to fetch.
//!
//! **What it changes**: the page is fetched. If it shows a next cursor, the next page's task is recorded and published at
//! once, so that other workers can go on; after the first page of a long list, where the portal serves slices, one for each
//! slice of the rest. Then the page waits for its turn ([`crate::page_turns`]), and one transaction
//! writes the records, the findings about them, the sync's tally, the task's end, and (if it was the last of its phase) the
//! first tasks of the next phase or the sync's end. In a dry run the records are written and taken back in between.
//!
//! **Why twice is harmless**: a task that is done is acknowledged and forgotten; two workers with one task meet at its
//! row's lock, and the second sees it done. A list is handed on once, whatever two deliveries saw of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use broker::{Delivery, Disposition, Queue};
use chrono::{DateTime, Utc};
use contracts::messages::SyncTask;
use domain::{
    HashSlice, RecordCounts, RecordType, Rules, SecondLook, TaskId, TaskState, finding::FUTURE_TOLERANCE,
    list_walk::EndlessList,
};
use store::{
    Db, StoreError,
    engine::{
        control::{TaskReopened, task_reopen},
        second_look::{recount, rejections_take},
        settle::{PhaseEnd, task_complete},
        undo::undo_find,
    },
    ledger::{
        seen::seen_note,
        syncs::{StoredSync, as_of_note, sync_find},
        tasks::{NewTask, NextPageRecorded, Task, next_page_record, slices_record, task_find, task_lock},
    },
    records::{NewPassword, WriteStamp},
};
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    attempts::{Subject, settle},
    batch::ValidatedBatch,
    context::Context,
    dry_run::dry_run_page_write,
    failure::WorkError,
    fault::{self, Point},
    fetched_page::FetchedPage,
    page_turns::Turn,
    portal_limiter::Traffic,
    progress::Moment,
    write::{batch_write, count_outcomes, tally_of},
};

/// Handles one delivery.
pub(crate) async fn handle(context: &Context, delivery: Delivery) -> Disposition {
    let began = context.clock.now();
    let sync = delivery.decode::<SyncTask>().ok().and_then(|message| message.sync_id.parse().ok());
    let subject = Subject { queue: Queue::Tasks, sync, task: delivery.message_id.parse().ok() };
    let result = Box::pin(work(context, &delivery)).await;
    let disposition = settle(context, &delivery, subject, began, result).await;
    fault::point(Point::TaskSettled).await;
    disposition
}

async fn work(context: &Context, delivery: &Delivery) -> Result<(), WorkError> {
    let Some(task) = PageTask::open(context, delivery).await? else { return Ok(()) };
    // Pages may show the list as it was when the sync began, though they are asked for later: an event that was fetched
    // since knows better.
    let fetched_at = task.sync.running_at.unwrap_or_else(|| context.clock.now());
    let mut waited = Duration::ZERO;
    let request = async {
        let asked_at = Instant::now();
        let page = FetchedPage::fetch(&context.portal, &task.row.request).await;
        waited = asked_at.elapsed();
        page
    };
    let page = context.portal_limiter.run(Traffic::Pages, request).await?;
    let as_of = task.credible_as_of(&page);
    fault::point(Point::TaskFetched).await;
    // Other workers go on with the next page while this one is written.
    let next_page = task.record_next_page(&page, as_of).await?;
    let mut turn = context.page_turns.turn(&context.store).await;
    let begun_at = Instant::now();
    let end = task.validate_and_write(page, as_of, fetched_at, next_page, &mut turn).await;
    turn.end().await;
    context.page_slots.record(waited, begun_at.elapsed(), Instant::now());
    task.follow_up(end?).await
}

/// A page task that is to be done.
struct PageTask<'a> {
    context: &'a Context,
    delivery: &'a Delivery,
    sync: StoredSync,
    row: Task,
}

/// A page that is ready to be written.
struct ValidatedPage {
    batch: ValidatedBatch,
    /// How many records the provider announces, if this is the first page of its list.
    expected: Vec<(RecordType, u64)>,
    /// When the provider read the page, if this is the first page of its list.
    as_of: Option<DateTime<Utc>>,
    /// The ids of all records of the page's list, sound or not.
    ids: Vec<String>,
    /// Ids of the records that have changed since the provider's first look at the list.
    late: BTreeMap<RecordType, BTreeSet<String>>,
}

impl<'a> PageTask<'a> {
    /// The task that a delivery names; none if there is nothing left to do for it. A replay opens a dead task again.
    async fn open(context: &'a Context, delivery: &'a Delivery) -> Result<Option<Self>, WorkError> {
        let message = delivery.decode::<SyncTask>()?;
        let id: TaskId =
            message.task_id.parse().map_err(|_not_an_id| WorkError::Id(message.task_id.clone()))?;
        let mut row = task_find(&mut *context.store.db().await?, id).await?;
        let is_dead = row.as_ref().is_some_and(|task| task.state == TaskState::Dead);
        if delivery.replay_of.is_some() && is_dead {
            let now = context.clock.now();
            match context.store.transaction(async |tx| task_reopen(tx, id, now).await).await? {
                TaskReopened::Reopened => row = task_find(&mut *context.store.db().await?, id).await?,
                TaskReopened::FullSyncRunning => return Err(WorkError::FullSyncRunning),
                TaskReopened::SyncUndone => return Err(WorkError::SyncUndone),
                TaskReopened::SyncCancelled | TaskReopened::NotDead(_) | TaskReopened::Unknown => {}
            }
        }
        let row = row.ok_or_else(|| WorkError::Missing(format!("task {id}")))?;
        let sync = sync_find(&mut *context.store.db().await?, row.sync_id).await?;
        let sync = sync.ok_or_else(|| WorkError::Missing(format!("sync {}", row.sync_id)))?;
        let task = Self { context, delivery, sync, row };
        if task.row.state.is_terminal() {
            task.settle_replay().await?;
            return Ok(None);
        }
        Ok(Some(task))
    }

    /// The same task as it stands now, if it has ended.
    async fn read_anew(&self) -> Result<Option<Self>, WorkError> {
        let mut db = self.context.store.db().await?;
        let row = task_find(&mut db, self.row.id).await?.filter(|row| row.state.is_terminal());
        let sync = sync_find(&mut db, self.row.sync_id).await?;
        Ok(row.zip(sync).map(|(row, sync)| Self { row, sync, ..*self }))
    }

    /// What the delivery of a task that has ended comes to: a replay has succeeded if the task's page is in, and no sooner.
    async fn settle_replay(&self) -> Result<(), WorkError> {
        let Self { context, delivery, sync, row } = self;
        tracing::debug!(task.id = %row.id, task.state = %row.state, "a task came again");
        if delivery.replay_of.is_none() {
            return Ok(());
        }
        if row.state == TaskState::Done {
            return Ok(context.note_replay_succeeded(delivery).await?);
        }
        if undo_find(&mut *context.store.db().await?, sync.id).await?.is_some() {
            return Err(WorkError::SyncUndone);
        }
        Err(WorkError::SyncStopped(sync.state))
    }

    /// When the provider says it has read the page. A time ahead of our clock by more than clocks may differ is none: from
    /// there the next incremental sync would miss what changes until then.
    fn credible_as_of(&self, page: &FetchedPage) -> Option<DateTime<Utc>> {
        let as_of = page.info().as_of?;
        let is_credible = as_of <= self.context.clock.now() + FUTURE_TOLERANCE;
        if !is_credible {
            tracing::warn!(
                sync.id = %self.sync.id,
                task.id = %self.row.id,
                as_of = as_of.to_rfc3339(),
                "the onboarding portal says it has read its list in the future; the time is not used"
            );
        }
        is_credible.then_some(as_of)
    }

    /// Records the next page's task, unless that was done before, and has it published beside the work on this page.
    async fn record_next_page(
        &self,
        page: &FetchedPage,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Option<JoinHandle<()>>, WorkError> {
        let Some(cursor) = page.info().next_cursor.clone().filter(|_| !self.row.handed_on) else {
            return Ok(None);
        };
        let walk = self.row.request.query.walk.after_page(page.record_count(), page.info().total);
        walk.may_go_on()?;
        // All pages of a sync are children of the span that has started it.
        let trace_context = self.sync.trace_context.clone();
        let task = |request| NewTask {
            id: TaskId::new(),
            sync_id: self.row.sync_id,
            request,
            trace_context: trace_context.clone(),
        };
        let now = self.context.clock.now();
        let slices = self.slices_of_rest(page).await;
        if slices.len() > 1 {
            let tasks: Vec<_> = self.row.request.divide(&cursor, as_of, walk, slices).map(task).collect();
            let recorded = self
                .context
                .store
                .transaction(async |tx| slices_record(tx, self.row.id, tasks, now).await)
                .await?;
            fault::point(Point::TaskNextRecorded).await;
            return Ok(Some(self.publish(recorded)));
        }
        let next = task(self.row.request.next(cursor, as_of, walk));
        let recorded =
            self.context.store.transaction(async |tx| next_page_record(tx, self.row.id, &next, now).await);
        match recorded.await? {
            NextPageRecorded::New => {
                fault::point(Point::TaskNextRecorded).await;
                Ok(Some(self.publish(vec![next])))
            }
            NextPageRecorded::Already | NextPageRecorded::SyncEnded => Ok(None),
            NextPageRecorded::Loop => Err(EndlessList::Circle.into()),
        }
    }

    /// The slices in which the list is fetched after this page, its first; one, if it goes on as it is. Each has a page or
    /// more to bring, as far as the portal has announced.
    async fn slices_of_rest(&self, page: &FetchedPage) -> impl ExactSizeIterator<Item = HashSlice> + use<> {
        let pages_left = page.info().total.map_or(0, |total| {
            let records = page.record_count() as u64;
            total.saturating_sub(records) / records.max(1)
        });
        let mut slices = 1;
        if self.row.request.is_divisible() && pages_left > 1 && self.context.slices > 1 {
            let Context { portal, portal_limiter, capabilities, .. } = self.context;
            let served = capabilities.get(portal, portal_limiter).await.slices.unwrap_or(1);
            slices = pages_left.min(u64::from(served)).min(u64::from(self.context.slices));
        }
        HashSlice::all(slices)
    }

    fn publish(&self, tasks: Vec<NewTask>) -> JoinHandle<()> {
        let outbox = self.context.outbox.clone();
        tokio::spawn(async move { outbox.publish_tasks(tasks).await })
    }

    /// The part that keeps processors busy, for which pages take turns.
    async fn validate_and_write(
        &self,
        page: FetchedPage,
        as_of: Option<DateTime<Utc>>,
        fetched_at: DateTime<Utc>,
        next_page: Option<JoinHandle<()>>,
        turn: &mut Turn,
    ) -> Result<PhaseEnd, WorkError> {
        let page = self.validate(page, as_of).await?;
        if let Some(publication) = next_page {
            // If it failed, the relay finds the task.
            let _published = publication.await;
        }
        fault::point(Point::TaskHandedOn).await;
        let passwords = if self.sync.dry_run {
            Vec::new()
        } else {
            self.passwords_of_new_users(&page.batch, turn).await?
        };
        self.write(page, fetched_at, &passwords).await
    }

    async fn validate(
        &self,
        page: FetchedPage,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<ValidatedPage, WorkError> {
        let rules = Rules::at(self.context.clock.now());
        let (info, is_first) = (page.info(), self.row.request.number == 0);
        let expected = if is_first { self.announced(info.total, info.total_companies) } else { Vec::new() };
        let query = &self.row.request.query;
        // A dry run tells of rows as its own earlier pages would have left them, which no snapshot shows. What is looked at
        // once more has an outcome per record.
        let mut batch = if self.sync.dry_run || query.second_look.is_some() {
            page.validate_all(rules).await?
        } else {
            page.validate(&self.context.store, rules).await?
        };
        let is_again = query.second_look == Some(SecondLook::Rejected);
        if is_again {
            batch.keep_only(self.row.request.record_type, &query.filter.source_ids);
        }
        let ids = batch.ids_of(self.row.request.record_type);
        // What is looked at again stays late or not, as it was counted.
        let first_look = query.as_of.or(as_of).filter(|_| !is_again);
        let late = first_look.map_or_else(BTreeMap::new, |time| batch.newer_than(time));
        if let Some(until) = self.sync.scope.updated_until {
            batch.leave_out_after(until);
        }
        Ok(ValidatedPage {
            batch,
            expected,
            as_of: as_of.filter(|_| is_first && query.second_look.is_none()),
            ids,
            late,
        })
    }

    /// Passwords are hashed outside the turn: those of five hundred users take a quarter of a minute on two cores, and a page
    /// of equipment must not wait for them.
    async fn passwords_of_new_users(
        &self,
        batch: &ValidatedBatch,
        turn: &mut Turn,
    ) -> Result<Vec<NewPassword>, WorkError> {
        let Context { store, page_turns, password_maker, clock, .. } = self.context;
        let users = self.context.new_users(batch).await?;
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let making = password_maker.make_for_page(&users, clock.now());
        Ok(page_turns.release_during(store, turn, making).await)
    }

    /// What the first page of a list announces. Companies that come with vessels of two chains would be announced twice,
    /// and one that changed after the scope's end is not counted at all: then their number is not known.
    fn announced(&self, total: Option<u64>, total_companies: Option<u64>) -> Vec<(RecordType, u64)> {
        let (record_type, scope) = (self.row.request.record_type, &self.sync.scope);
        let second_look = self.row.request.query.second_look;
        if second_look == Some(SecondLook::Rejected) {
            return Vec::new();
        }
        let mut expected: Vec<_> = total.map(|n| (record_type, n)).into_iter().collect();
        let companies_are_known = second_look.is_none()
            && scope.updated_until.is_none()
            && scope.list_filters(RecordType::Vessel, &[]).len() == 1;
        if record_type == RecordType::Vessel && companies_are_known {
            expected.extend(total_companies.map(|n| (RecordType::Company, n)));
        }
        expected
    }

    /// The one transaction of the task.
    async fn write(
        &self,
        page: ValidatedPage,
        fetched_at: DateTime<Utc>,
        passwords: &[NewPassword],
    ) -> Result<PhaseEnd, WorkError> {
        let stamp = WriteStamp {
            sync_id: self.sync.id,
            fetched_at,
            notes_fetches: false,
            now: self.context.clock.now(),
        };
        let mut tx = self.context.store.begin().await?;
        if task_lock(&mut tx, self.row.id).await?.is_none_or(|task| task.state.is_terminal()) {
            tx.rollback().await;
            return Ok(PhaseEnd::TaskNotOpen);
        }
        match self.write_in(&mut tx, stamp, page, passwords).await {
            Ok((PhaseEnd::TaskNotOpen, _)) => {
                tx.rollback().await;
                Ok(PhaseEnd::TaskNotOpen)
            }
            Ok((end, counts)) => {
                fault::point(Point::TaskWritten).await;
                tx.commit().await?;
                if !self.sync.dry_run {
                    count_outcomes(&counts);
                }
                Ok(end)
            }
            Err(error) => {
                tx.rollback().await;
                Err(error.into())
            }
        }
    }

    async fn write_in(
        &self,
        tx: &mut Db,
        stamp: WriteStamp,
        page: ValidatedPage,
        passwords: &[NewPassword],
    ) -> Result<(PhaseEnd, BTreeMap<RecordType, RecordCounts>), StoreError> {
        let (sync_id, record_type, chain) =
            (self.sync.id, self.row.request.record_type, self.row.request.list_chain());
        let second_look = self.row.request.query.second_look;
        let rejected = if second_look == Some(SecondLook::Rejected) {
            Some(rejections_take(tx, sync_id, record_type, &page.ids).await?)
        } else {
            None
        };
        let written = if self.sync.dry_run {
            dry_run_page_write(tx, stamp, &page.batch).await?
        } else {
            batch_write(tx, stamp, &page.batch, passwords).await?
        };
        let (mut changes, first) = tally_of(tx, sync_id, &written, page.expected).await?;
        let late_ids: Vec<String> = page.late.get(&record_type).into_iter().flatten().cloned().collect();
        seen_note(tx, sync_id, record_type, chain, &page.ids, &late_ids).await?;
        if let Some(rejected) = rejected {
            let outcomes = written.outcomes.get(&record_type).into_iter().flatten();
            let change = recount(&rejected, outcomes.map(|(id, outcome)| (id.as_str(), *outcome)));
            changes.insert(record_type, change);
        }
        if second_look.is_some() && record_type == RecordType::Vessel {
            changes.entry(RecordType::Company).or_default().unannounced = first.len() as u64;
        }
        // A page without records is one, too. Companies come with vessels.
        changes.entry(record_type).or_default();
        if record_type == RecordType::Vessel {
            changes.entry(RecordType::Company).or_default();
        }
        for (of, ids) in &page.late {
            let counted = match of {
                RecordType::Company => ids.intersection(&first).count(),
                _ => ids.len(),
            };
            changes.entry(*of).or_default().late = counted as u64;
        }
        // Locks the tally and then the sync, as late as can be. Who has the sync's lock already must not ask for the tally.
        let end = task_complete(tx, self.row.id, &changes, self.context.clock.now()).await?;
        if let Some(as_of) = page.as_of {
            as_of_note(tx, sync_id, as_of).await?;
        }
        self.context.note_replay_succeeded_in(tx, self.delivery, stamp.now).await?;
        Ok((end, written.counts))
    }

    /// After the commit: publishes and tells what the end of the task led to.
    async fn follow_up(&self, end: PhaseEnd) -> Result<(), WorkError> {
        let (context, sync_id) = (self.context, self.sync.id);
        match end {
            PhaseEnd::StillRunning => context.progress.sync(sync_id, Moment::Moved),
            PhaseEnd::PhaseOpened(tasks) => {
                fault::point(Point::TaskCommitted).await;
                context.outbox.publish_tasks(tasks).await;
                context.progress.sync(sync_id, Moment::PhaseOpened);
            }
            PhaseEnd::SyncEnded(_) => context.sync_ended(sync_id).await,
            PhaseEnd::TaskNotOpen => {
                tracing::debug!(task.id = %self.row.id, "another worker was faster, or the sync was ended");
                if let Some(task) = self.read_anew().await? {
                    task.settle_replay().await?;
                }
            }
        }
        Ok(())
    }
}
