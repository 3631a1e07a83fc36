//! Queue `sync.tasks`: brings one page of records.
//!
//! **What arrives**: a `SyncTask` that names a row of `sync_queue`, and the page to fetch by its cursor.
//!
//! **What it changes**: the page is fetched. If it shows a next cursor, the next page task is recorded and published at
//! once, so that other workers can go on. Then the page waits for its turn ([`crate::page_turns`]), and one transaction
//! writes the records, what was found about them, the sync's tally, the task's end, and (if it was the last of its
//! phase) the first tasks of the next phase or the sync's end. In a dry run the records are written and taken back in
//! between.
//!
//! **Why twice is harmless**: a task that is done is acknowledged and forgotten; two workers with one task meet at its
//! row's lock, and the second sees it done. A page that was handed on is one row, whatever happens after.

use std::collections::{BTreeMap, BTreeSet};

use broker::{Delivery, Disposition};
use chrono::{DateTime, Utc};
use contracts::messages::{PageOfRecords, SyncTask};
use domain::{RecordType, Rules, TaskId, TaskState};
use serde_json::json;
use store::{
    StoreError,
    engine::{
        control::{TaskReopened, task_reopen},
        settle::{PhaseEnd, task_complete},
    },
    ledger::{
        seen::seen_note,
        syncs::{StoredSync, as_of_note, sync_find},
        tallies::entries,
        tasks::{NextPageRecorded, Task, next_page_record, task_find, task_lock},
    },
    records::NewPassword,
};
use tokio::task::JoinHandle;

use crate::{
    arrived::Arrived,
    attempts::{Subject, settle},
    context::Context,
    dry_run::dry_run_page_write,
    failure::WorkError,
    fault::{self, Point},
    pages::{first_look, first_page, next_page, query},
    progress::Moment,
    transform,
    write::{Batch, companies_seen_first_in_sync, write_counted},
};

/// Handles one delivery.
pub(crate) async fn handle(context: &Context, delivery: Delivery) -> Disposition {
    let began = context.clock.now();
    let sync = delivery.decode::<SyncTask>().ok().and_then(|message| message.sync_id.parse().ok());
    let subject = Subject { sync, task: delivery.message_id.parse().ok() };
    let worked = Box::pin(work(context, &delivery)).await;
    let disposition = settle(context, &delivery, subject, began, worked).await;
    fault::point(Point::TaskSettled).await;
    disposition
}

/// A page as it was read.
struct Fetched {
    batch: Batch,
    /// By the provider, of the whole list; none unless this is its first page.
    expected: Vec<(RecordType, u64)>,
    /// The provider's time when it read the first page.
    as_of: Option<DateTime<Utc>>,
    /// The ids of all its records, whatever becomes of them.
    seen: Vec<String>,
    /// Of each type, those that have changed since the provider's first look at the list.
    late: BTreeMap<RecordType, BTreeSet<String>>,
}

async fn work(context: &Context, delivery: &Delivery) -> Result<(), WorkError> {
    let message = delivery.decode::<SyncTask>()?;
    let id: TaskId = message.task_id.parse().map_err(|_not_an_id| WorkError::Id(message.task_id.clone()))?;
    let Some(task) = open(context, delivery, id).await? else { return Ok(()) };

    let sync = sync_find(&mut *context.store.db().await?, task.sync_id).await?;
    let sync = sync.ok_or_else(|| WorkError::Missing(format!("sync {}", task.sync_id)))?;
    let arrived = fetch(context, &task, &message).await?;
    fault::point(Point::TaskFetched).await;
    // Others go on with the next page while this one is read.
    let handing_on = match &arrived.info().next_cursor {
        Some(cursor) if !task.handed_on => {
            hand_on(context, &task, &message, cursor, arrived.info().as_of).await?
        }
        _ => None,
    };
    let turn = context.page_turns.turn(&context.store).await;
    let done = read_and_write(context, delivery, &sync, &task, &message, arrived, handing_on).await;
    turn.end().await;
    match done? {
        PhaseEnd::StillRunning => context.progress.run(task.sync_id, Moment::Moved),
        PhaseEnd::PhaseOpened(tasks) => {
            fault::point(Point::TaskCommitted).await;
            context.outbox.publish_tasks(tasks).await;
            context.progress.run(task.sync_id, Moment::PhaseOpened);
        }
        PhaseEnd::SyncEnded(state) => {
            tracing::info!(sync.id = %task.sync_id, sync.state = %state, "a sync has ended");
            context.sync_ended(task.sync_id, state);
        }
        PhaseEnd::TaskNotOpen => {
            tracing::debug!(task.id = %id, "another worker was faster, or the sync was ended");
            // Nothing is left to do for the message: if it was a replay, that one is over.
            let now = context.clock.now();
            context.store.transaction(async |tx| context.replayed(tx, delivery, now).await).await?;
        }
    }
    Ok(())
}

/// What takes the time of processors: the page is read, and written.
async fn read_and_write(
    context: &Context,
    delivery: &Delivery,
    sync: &StoredSync,
    task: &Task,
    message: &SyncTask,
    arrived: Arrived,
    handing_on: Option<JoinHandle<()>>,
) -> Result<PhaseEnd, WorkError> {
    let fetched = read(context, sync, task, message, arrived).await?;
    if let Some(publishing) = handing_on {
        // If it failed the relay will find the task.
        let _published = publishing.await;
    }
    fault::point(Point::TaskHandedOn).await;
    let passwords =
        if sync.dry_run { Vec::new() } else { context.passwords_of_new_users(&fetched.batch).await? };
    write_page(context, delivery, sync, task, fetched, &passwords).await
}

/// The task, if there is anything left to do for it.
async fn open(context: &Context, delivery: &Delivery, id: TaskId) -> Result<Option<Task>, WorkError> {
    let mut task = task_find(&mut *context.store.db().await?, id).await?;
    if delivery.replay_of.is_some() && task.as_ref().is_some_and(|task| task.state == TaskState::Dead) {
        let now = context.clock.now();
        let reopened = context
            .store
            .transaction(async |tx| task_reopen(tx, id, now).await)
            .await
            .map_err(WorkError::Store)?;
        match reopened {
            TaskReopened::Reopened => task = task_find(&mut *context.store.db().await?, id).await?,
            TaskReopened::FullSyncRunning => return Err(WorkError::FullSyncRunning),
            TaskReopened::NotDead(_) | TaskReopened::Unknown => {}
        }
    }
    let task = task.ok_or_else(|| WorkError::Missing(format!("task {id}")))?;
    if task.state.is_terminal() {
        tracing::debug!(task.id = %id, task.state = %task.state, "a task came again");
        let now = context.clock.now();
        context.store.transaction(async |tx| context.replayed(tx, delivery, now).await).await?;
        return Ok(None);
    }
    Ok(Some(task))
}

async fn fetch(context: &Context, task: &Task, message: &SyncTask) -> Result<Arrived, WorkError> {
    let nothing = PageOfRecords::default();
    let asked = query(message.page.as_ref().unwrap_or(&nothing));
    let portal = &context.portal;
    Ok(match task.record_type {
        // Companies have no list of their own: they come with vessels.
        RecordType::Vessel | RecordType::Company => Arrived::Vessels(portal.unread_page(&asked).await?),
        RecordType::Equipment => Arrived::Equipment(portal.unread_page(&asked).await?),
        RecordType::User => Arrived::Users(portal.unread_page(&asked).await?),
    })
}

/// Reads the page, and what it says of its list.
async fn read(
    context: &Context,
    sync: &StoredSync,
    task: &Task,
    message: &SyncTask,
    arrived: Arrived,
) -> Result<Fetched, WorkError> {
    let rules = Rules::at(context.clock.now());
    let (first, total, total_companies, as_of) = {
        let info = arrived.info();
        (task.page == 0, info.total, info.total_companies, info.as_of)
    };
    // A dry run tells of rows as its own earlier pages would have left them.
    let mut batch =
        if sync.dry_run { arrived.read_anew(rules).await? } else { arrived.read(context, rules).await? };
    let seen = batch.ids_of(task.record_type);
    let late = first_look(message).or(as_of).map_or_else(BTreeMap::new, |first| batch.newer_than(first));
    if let Some(until) = sync.scope.updated_until {
        transform::until(&mut batch, until);
    }
    let mut expected = Vec::new();
    if first {
        expected.extend(total.map(|n| (task.record_type, n)));
        // A company that comes with vessels of two chains would be announced twice, and one that changed too late is not
        // counted at all.
        let whole =
            sync.scope.updated_until.is_none() && sync.scope.slices(RecordType::Vessel, &[]).len() == 1;
        if task.record_type == RecordType::Vessel && whole {
            expected.extend(total_companies.map(|n| (RecordType::Company, n)));
        }
    }
    Ok(Fetched { batch, expected, as_of: as_of.filter(|_| first), seen, late })
}

/// Records the next page, and has it published, unless it was before.
async fn hand_on(
    context: &Context,
    task: &Task,
    message: &SyncTask,
    cursor: &str,
    as_of: Option<DateTime<Utc>>,
) -> Result<Option<JoinHandle<()>>, WorkError> {
    let trace_context = json!(chassis::telemetry::current_context());
    let next = next_page(task, message, cursor, as_of, trace_context);
    let now = context.clock.now();
    let handed_on =
        context.store.transaction(async |tx| next_page_record(tx, task.id, &next, now).await).await?;
    match handed_on {
        NextPageRecorded::New => {
            fault::point(Point::TaskNextRecorded).await;
            let outbox = context.outbox.clone();
            Ok(Some(tokio::spawn(async move { outbox.publish_tasks(vec![next]).await })))
        }
        NextPageRecorded::Already(_) | NextPageRecorded::SyncEnded => Ok(None),
        NextPageRecorded::Loop => Err(WorkError::CursorLoop),
    }
}

/// The one transaction of the task.
async fn write_page(
    context: &Context,
    delivery: &Delivery,
    sync: &StoredSync,
    task: &Task,
    fetched: Fetched,
    passwords: &[NewPassword],
) -> Result<PhaseEnd, WorkError> {
    let Fetched { batch, expected, as_of, seen, late } = fetched;
    let now = context.clock.now();
    let mut tx = context.store.begin().await?;
    if task_lock(&mut tx, task.id).await?.is_none_or(|task| task.state.is_terminal()) {
        tx.rollback().await;
        return Ok(PhaseEnd::TaskNotOpen);
    }
    let written = async {
        let first = companies_seen_first_in_sync(&mut tx, sync.id, &batch).await?;
        let counts = if sync.dry_run {
            dry_run_page_write(&mut tx, sync.id, &batch, &first, now).await?
        } else {
            write_counted(&mut tx, sync.id, &batch, &first, passwords, now).await?.counts
        };
        let late_ids: Vec<String> = late.get(&task.record_type).into_iter().flatten().cloned().collect();
        seen_note(&mut tx, sync.id, task.record_type, &seen, &late_ids).await?;
        let mut tally = entries(&counts, expected);
        for (record_type, ids) in &late {
            let counted = match record_type {
                RecordType::Company => ids.intersection(&first).count(),
                _ => ids.len(),
            };
            tally.entry(*record_type).or_default().late = counted as u64;
        }
        // Locks the tally and then the sync, as late as can be. Whoever has the sync already must not ask for the tally.
        let end = task_complete(&mut tx, task.id, &tally, &first_page, now).await?;
        if let Some(as_of) = as_of {
            as_of_note(&mut tx, task.sync_id, as_of).await?;
        }
        context.replayed(&mut tx, delivery, now).await?;
        Ok::<_, StoreError>((end, counts))
    }
    .await;
    match written {
        Ok((PhaseEnd::TaskNotOpen, _)) => {
            tx.rollback().await;
            Ok(PhaseEnd::TaskNotOpen)
        }
        Ok((end, counts)) => {
            fault::point(Point::TaskWritten).await;
            tx.commit().await?;
            if !sync.dry_run {
                count(&counts);
            }
            Ok(end)
        }
        Err(error) => {
            tx.rollback().await;
            Err(error.into())
        }
    }
}

/// Counts what is committed.
pub(crate) fn count(counts: &BTreeMap<RecordType, domain::RecordCounts>) {
    for (record_type, counts) in counts {
        for outcome in domain::Outcome::ALL {
            metrics::counter!("sms_sync_records_total", "entity" => record_type.as_str(), "outcome" => outcome.as_str())
                .increment(counts.of(*outcome));
        }
    }
}
