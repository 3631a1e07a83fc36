//! Updates about syncs for operators, published after the commit and at a limited rate.
//!
//! An update carries the whole state of a sync as the database has it, so the newest is enough, and many changes within a
//! moment become one update. Updates are best effort: the tables are the truth.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use broker::Updates;
use contracts::messages::{
    ConflictNotice, DeadLetterNotice, HealthNotice, RecordCounts, RecordType, SyncProgress, SyncUpdate,
    TaskCounts, WebhookNotice, sync_update::What,
};
use domain::{
    DeadLetterId, SyncId, SyncState, Tally, TaskState, clock::Clock, dead_letter::DeadLetterState,
    peer_outcome::OutcomeClass, update::UpdateName,
};
use store::{
    Store, StoreError,
    ledger::{
        conflicts::conflicts_open,
        syncs::{StoredSync, sync_find},
        tallies::tallies_read,
    },
    views::overview::task_counts,
};
use tokio::sync::mpsc;

/// Notices that may wait for publication. More are dropped: a later one carries the same state.
const QUEUE_LIMIT: usize = 4096;

/// A change that is to be published.
#[derive(Debug)]
enum Notice {
    Sync(SyncId, Moment),
    Other(UpdateName, What),
}

/// The kind of change of a sync. Of several that are published as one update, the last in this order names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// Records were written.
    Moved,
    /// It began.
    Started,
    /// Its next phase is open.
    PhaseOpened,
    /// It ended.
    Ended,
}

/// The end of the queue into which handlers put notices. Never waits.
#[derive(Debug, Clone)]
pub(crate) struct Progress(mpsc::Sender<Notice>);

impl Progress {
    pub(crate) fn sync(&self, id: SyncId, moment: Moment) {
        self.leave(Notice::Sync(id, moment));
    }

    pub(crate) fn webhook(&self, notice: WebhookNotice) {
        self.leave(Notice::Other(UpdateName::WebhookProcessed, What::Webhook(notice)));
    }

    pub(crate) fn dead_letter(&self, id: DeadLetterId, queue: String, reason: String) {
        let state = DeadLetterState::Dead.to_string();
        let notice = DeadLetterNotice { dead_letter_id: id.to_string(), queue, state, reason };
        self.leave(Notice::Other(UpdateName::DeadLetterAdded, What::DeadLetter(notice)));
    }

    pub(crate) fn health(&self, part: &str, outcome: OutcomeClass, failure: Option<&str>) {
        let (outcome, failure) = (outcome.to_string(), failure.unwrap_or_default().to_owned());
        let notice = HealthNotice { part: part.to_owned(), outcome, failure };
        self.leave(Notice::Other(UpdateName::HealthChanged, What::Health(notice)));
    }

    fn leave(&self, notice: Notice) {
        if self.0.try_send(notice).is_err() {
            metrics::counter!("sms_updates_dropped_total").increment(1);
        }
    }
}

/// The publisher of updates, and the end that handlers hold. The publisher ends when no handler is left.
pub(crate) fn progress(
    store: Store,
    stream: Updates,
    clock: Arc<dyn Clock>,
    every: Duration,
) -> (Progress, impl Future<Output = ()> + Send) {
    let (sender, mut notices) = mpsc::channel(QUEUE_LIMIT);
    let publisher = async move {
        let mut batch = Vec::new();
        // Open conflicts of each sync that an update has told of.
        let mut published_conflicts: BTreeMap<SyncId, u64> = BTreeMap::new();
        while notices.recv_many(&mut batch, QUEUE_LIMIT).await > 0 {
            let mut syncs: BTreeMap<SyncId, Moment> = BTreeMap::new();
            for notice in batch.drain(..) {
                match notice {
                    Notice::Sync(id, moment) => {
                        let latest = syncs.entry(id).or_insert(moment);
                        *latest = (*latest).max(moment);
                    }
                    Notice::Other(name, what) => publish(&stream, &*clock, name, what).await,
                }
            }
            for (id, moment) in syncs {
                match standing(&store, id).await {
                    Ok(Some(Standing { sync, tallies, tasks, open_conflicts: open })) => {
                        if open > published_conflicts.insert(id, open).unwrap_or(0) {
                            let notice =
                                ConflictNotice { conflict_id: String::new(), sync_id: id.to_string(), open };
                            publish(&stream, &*clock, UpdateName::ConflictOpened, What::Conflict(notice))
                                .await;
                        }
                        if sync.state.is_terminal() {
                            published_conflicts.remove(&id);
                        }
                        let what = What::Sync(progress_of(&sync, &tallies, &tasks));
                        publish(&stream, &*clock, name_of(moment, sync.state), what).await;
                    }
                    Ok(None) => {}
                    Err(error) => tracing::debug!(
                        error = &error as &dyn std::error::Error,
                        sync.id = %id,
                        "a sync's progress could not be read"
                    ),
                }
            }
            // What comes in the meantime waits together.
            tokio::time::sleep(every).await;
        }
    };
    (Progress(sender), publisher)
}

async fn publish(stream: &Updates, clock: &dyn Clock, name: UpdateName, what: What) {
    let update =
        SyncUpdate { occurred_at: Some(clock.now().into()), name: name.to_string(), what: Some(what) };
    stream.publish(&update).await;
}

/// What an update tells of a sync.
struct Standing {
    sync: StoredSync,
    tallies: Vec<Tally>,
    tasks: Vec<(TaskState, u64)>,
    open_conflicts: u64,
}

async fn standing(store: &Store, id: SyncId) -> Result<Option<Standing>, StoreError> {
    let mut db = store.db().await?;
    let Some(sync) = sync_find(&mut db, id).await? else { return Ok(None) };
    let tallies = tallies_read(&mut db, &[id]).await?.remove(&id).unwrap_or_default();
    let tasks = task_counts(&mut db, id).await?;
    let open_conflicts = conflicts_open(&mut db, Some(id)).await?;
    Ok(Some(Standing { sync, tallies, tasks, open_conflicts }))
}

fn name_of(moment: Moment, state: SyncState) -> UpdateName {
    match (moment, state) {
        (_, SyncState::Completed | SyncState::CompletedWithErrors) => UpdateName::SyncCompleted,
        (_, SyncState::Failed) => UpdateName::SyncFailed,
        (_, SyncState::Cancelled) => UpdateName::SyncCancelled,
        (Moment::Started, _) => UpdateName::SyncStarted,
        (Moment::PhaseOpened, _) => UpdateName::SyncPhase,
        (Moment::Moved | Moment::Ended, _) => UpdateName::SyncProgress,
    }
}

fn progress_of(sync: &StoredSync, tallies: &[Tally], tasks: &[(TaskState, u64)]) -> SyncProgress {
    let of = |state: TaskState| tasks.iter().filter(|(it, _)| *it == state).map(|(_, n)| n).sum();
    SyncProgress {
        sync_id: sync.id.to_string(),
        state: sync.state.to_string(),
        cause: sync.cause.to_string(),
        mode: sync.mode.to_string(),
        phase: sync.phase.map_or(0, |phase| phase.number().unsigned_abs().into()),
        counts: tallies.iter().map(|tally| counts_of(tally, tallies)).collect(),
        detail: sync.failure.clone().or_else(|| sync.detail.clone()).unwrap_or_default(),
        tasks: Some(TaskCounts {
            pending: of(TaskState::Pending),
            retrying: of(TaskState::Retrying),
            done: of(TaskState::Done),
            dead: of(TaskState::Dead),
            cancelled: of(TaskState::Cancelled),
        }),
    }
}

fn counts_of(tally: &Tally, all: &[Tally]) -> RecordCounts {
    let counts = &tally.counts;
    RecordCounts {
        record_type: RecordType::from(tally.record_type).into(),
        expected: tally.expected,
        read: counts.read(),
        created: counts.created,
        updated: counts.updated,
        unchanged: counts.unchanged,
        conflict: counts.conflict,
        rejected: counts.rejected,
        skipped: counts.skipped,
        missing: tally.missing,
        deactivated: tally.deactivated,
        late: tally.late,
        reached: Some(Tally::reaches(all, tally.record_type)),
    }
}
