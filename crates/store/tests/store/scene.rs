//! A database of its own for each test, and syncs that are played page by page, without broker and worker.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
};

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Accepted, Cause, Mode, Outcome, RecordCounts, RecordType, Rejection, Rules, Scope, SecondLook, SyncId,
    Tally, TaskId, company::CompanyDraft, equipment::EquipmentDraft, user::UserDraft, vessel::VesselDraft,
};
use serde_json::{Value, json};
use store::{
    Db, Store, StoreError,
    engine::{
        lifecycle::{SyncStarted, sync_finish, sync_start},
        second_look::{recount, rejections_take},
        settle::{PhaseEnd, task_complete, task_dead},
    },
    ledger::{
        seen::{companies_note, seen_note},
        syncs::{NewSync, StoredSync, SyncCreated, sync_begin, sync_create, sync_find},
        tallies::{TallyChanges, tallies_add, tallies_read, tally_changes},
        tasks::{NewTask, task_lock},
    },
    records::{
        AppliedRecord, WriteStamp, companies_apply, counts_of, equipment_apply, rejections_apply,
        users_apply, vessels_apply,
    },
};
use testbed::World;

use crate::records::Records;

pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) store: Store,
    minutes: AtomicI64,
}

/// A sync that a test did in one transaction.
pub(crate) struct Brought {
    pub(crate) sync: SyncId,
    applied: BTreeMap<RecordType, Vec<AppliedRecord>>,
}

impl Brought {
    /// The outcome of a record.
    pub(crate) fn outcome(&self, source_id: &str) -> Outcome {
        let all = self.applied.values().flatten();
        let mut of_record = all.filter(|it| it.source_id.as_str() == source_id);
        of_record.next().unwrap_or_else(|| panic!("{source_id} was brought")).outcome
    }

    /// The outcomes of a list, in the order in which its records came.
    pub(crate) fn outcomes(&self, record_type: RecordType) -> Vec<Outcome> {
        self.applied[&record_type].iter().map(|it| it.outcome).collect()
    }

    /// The tally of a list.
    pub(crate) fn counts(&self, record_type: RecordType) -> RecordCounts {
        counts_of(&self.applied[&record_type])
    }
}

impl Scene {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let template = testbed::template_name("store", "maintenance")?;
        let world = World::from_template(&template, async |url| {
            Store::connect(&url, 2).await?.migrate().await?;
            Ok(())
        })
        .await?;
        let store = Store::connect(&world.database_url, 4).await?;
        Ok(Self { world, store, minutes: AtomicI64::new(0) })
    }

    /// The time: a minute later whenever it is asked for, and after every day of [`crate::records::day`].
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2025-01-01T00:00:00Z".parse().expect("a time");
        start + TimeDelta::minutes(self.minutes.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) async fn rows(&self, sql: &str) -> Vec<Value> {
        self.world.query_json(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:#}"))
    }

    /// The one row of a query.
    pub(crate) async fn row(&self, sql: &str) -> Value {
        let mut rows = self.rows(sql).await;
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows.remove(0)
    }

    /// How many rows there are `FROM` this.
    pub(crate) async fn number(&self, from: &str) -> i64 {
        self.row(&format!("SELECT count(*) AS n FROM {from}")).await["n"].as_i64().expect("a count")
    }

    pub(crate) async fn execute(&self, sql: &str) -> anyhow::Result<()> {
        self.world.execute(sql).await
    }

    /// Work in one transaction.
    pub(crate) async fn tx<R>(
        &self,
        work: impl AsyncFnOnce(&mut Db) -> Result<R, StoreError>,
    ) -> anyhow::Result<R> {
        Ok(self.store.transaction(work).await?)
    }

    // ----------------------------------------------------------------------------------------- one sync at once

    /// Brings records in one sync of one transaction, as a worker does for webhook events.
    pub(crate) async fn bring(&self, records: &Records) -> anyhow::Result<Brought> {
        self.bring_fetched(records, self.now()).await
    }

    /// Brings records whose request began at this time, which may be long ago: a worker was slow.
    pub(crate) async fn bring_fetched(
        &self,
        records: &Records,
        fetched_at: DateTime<Utc>,
    ) -> anyhow::Result<Brought> {
        let (sync, now) = (new_sync(Mode::Selective, Scope::default()), self.now());
        let stamp = WriteStamp { sync_id: sync.id, fetched_at, notes_fetches: true, now };
        let applied = self
            .tx(async |tx| {
                let _begun = sync_begin(tx, &sync, now).await?;
                let mut applied = BTreeMap::new();
                for list in [RecordType::Vessel, RecordType::Equipment, RecordType::User] {
                    applied.extend(list_write(tx, stamp, list, records).await?.applied);
                }
                let counts = applied.iter().map(|(of, applied)| (*of, counts_of(applied))).collect();
                tallies_add(tx, sync.id, &tally_changes(&counts, [])).await?;
                let _state = sync_finish(tx, sync.id, now).await?;
                Ok(applied)
            })
            .await?;
        Ok(Brought { sync: sync.id, applied })
    }

    // ---------------------------------------------------------------------------------------- a sync with tasks

    pub(crate) async fn create(&self, mode: Mode, scope: Scope) -> anyhow::Result<SyncId> {
        self.create_as(&new_sync(mode, scope)).await
    }

    pub(crate) async fn create_as(&self, sync: &NewSync) -> anyhow::Result<SyncId> {
        let now = self.now();
        let created = self.tx(async |tx| sync_create(tx, sync, now).await).await?;
        ensure!(created == SyncCreated::Created, "{created:?}");
        Ok(sync.id)
    }

    pub(crate) async fn start(&self, id: SyncId) -> anyhow::Result<SyncStarted> {
        let now = self.now();
        self.tx(async |tx| sync_start(tx, id, now).await).await
    }

    /// A sync that has begun, with the tasks of its first phase.
    pub(crate) async fn begun(&self, mode: Mode, scope: Scope) -> anyhow::Result<(SyncId, Vec<NewTask>)> {
        let id = self.create(mode, scope).await?;
        match self.start(id).await? {
            SyncStarted::Started(tasks) => Ok((id, tasks)),
            other => anyhow::bail!("{other:?}"),
        }
    }

    /// A full sync of all that the portal lists, to its end.
    pub(crate) async fn full_sync(&self, portal: &Records) -> anyhow::Result<StoredSync> {
        self.sync(Mode::Full, Scope::default(), portal).await
    }

    /// A sync of what the portal lists, to its end.
    pub(crate) async fn sync(
        &self,
        mode: Mode,
        scope: Scope,
        portal: &Records,
    ) -> anyhow::Result<StoredSync> {
        let id = self.create(mode, scope).await?;
        self.run(id, portal).await
    }

    /// Starts a sync and works on its tasks to its end.
    pub(crate) async fn run(&self, id: SyncId, portal: &Records) -> anyhow::Result<StoredSync> {
        match self.start(id).await? {
            SyncStarted::Started(tasks) => self.work_off(tasks, portal).await?,
            SyncStarted::Ended(_) => {}
            other => anyhow::bail!("{other:?}"),
        }
        self.stored(id).await
    }

    /// Works on tasks and on those that they lead to.
    pub(crate) async fn work_off(&self, mut tasks: Vec<NewTask>, portal: &Records) -> anyhow::Result<()> {
        while let Some(task) = tasks.pop() {
            if let PhaseEnd::PhaseOpened(opened) = self.complete(&task, portal).await? {
                tasks.extend(opened);
            }
        }
        Ok(())
    }

    /// Does a page task as a worker does: its list is one page, and a dry run writes no records.
    pub(crate) async fn complete(&self, task: &NewTask, portal: &Records) -> anyhow::Result<PhaseEnd> {
        let now = self.now();
        let (list, sync_id) = (task.request.record_type, task.sync_id);
        let portal = portal.listed(list, &task.request.query);
        let is_again = task.request.query.second_look == Some(SecondLook::Rejected);
        let mut tx = self.store.begin().await?;
        let open = task_lock(&mut tx, task.id).await?.is_some_and(|task| !task.state.is_terminal());
        ensure!(open, "{task:?} is open");
        let sync = sync_find(&mut tx, sync_id).await?.context("the sync of a task")?;
        let mut changes = if sync.dry_run {
            let companies = portal.vessels.iter().filter_map(|it| it["company"]["id"].as_str());
            let companies: Vec<String> = companies.map(str::to_owned).collect();
            let outcomes: Vec<_> = companies.into_iter().map(|id| (id, Outcome::Unchanged)).collect();
            companies_note(&mut tx, sync_id, &outcomes).await?;
            let listed = portal.ids(list).len() as u64;
            let counts = RecordCounts { unchanged: listed, ..RecordCounts::default() };
            tally_changes(&[(list, counts)].into(), [(list, listed)])
        } else {
            let stamp = WriteStamp { sync_id, fetched_at: now, notes_fetches: false, now };
            let ids = portal.ids(list);
            let rejected =
                if is_again { rejections_take(&mut tx, sync_id, list, &ids).await? } else { BTreeMap::new() };
            let written = list_write(&mut tx, stamp, list, &portal).await?;
            let mut changes = tally_changes(&written.counts, [(list, ids.len() as u64)]);
            if is_again {
                changes.insert(list, recount(&rejected, written.outcomes(list)));
            }
            changes
        };
        reached_note(&mut changes, list);
        seen_note(&mut tx, sync_id, list, task.request.chain, &portal.ids(list), &[]).await?;
        let end = task_complete(&mut tx, task.id, &changes, now).await?;
        tx.commit().await?;
        Ok(end)
    }

    /// Ends a page task with this tally, without records.
    pub(crate) async fn complete_with(
        &self,
        task: &NewTask,
        changes: &TallyChanges,
    ) -> anyhow::Result<PhaseEnd> {
        let (now, mut changes) = (self.now(), changes.clone());
        reached_note(&mut changes, task.request.record_type);
        self.tx(async |tx| task_complete(tx, task.id, &changes, now).await).await
    }

    /// Gives a page task up.
    pub(crate) async fn give_up(&self, task: &NewTask, failure: &str) -> anyhow::Result<PhaseEnd> {
        let now = self.now();
        self.tx(async |tx| task_dead(tx, task.id, failure, now).await).await
    }

    pub(crate) async fn stored(&self, id: SyncId) -> anyhow::Result<StoredSync> {
        sync_find(&mut *self.store.db().await?, id).await?.context("the sync is recorded")
    }

    /// The tally of a list; an empty one if the sync has none.
    pub(crate) async fn tally(&self, id: SyncId, record_type: RecordType) -> anyhow::Result<Tally> {
        let tallies = tallies_read(&mut *self.store.db().await?, &[id]).await?.remove(&id);
        let found = tallies.into_iter().flatten().find(|it| it.record_type == record_type);
        Ok(found.unwrap_or_else(|| Tally::empty(record_type)))
    }

    pub(crate) async fn counts(&self, id: SyncId, record_type: RecordType) -> anyhow::Result<RecordCounts> {
        Ok(self.tally(id, record_type).await?.counts)
    }

    /// The audit: who did what, oldest first.
    pub(crate) async fn audit(&self) -> Vec<Value> {
        self.rows("SELECT actor, action FROM audit ORDER BY id").await
    }

    /// The state of a task.
    pub(crate) async fn task_state(&self, id: TaskId) -> Value {
        self.row(&format!("SELECT state FROM sync_queue WHERE id = '{id}'")).await["state"].clone()
    }
}

/// A sync that an operator asks for.
pub(crate) fn new_sync(mode: Mode, scope: Scope) -> NewSync {
    NewSync {
        id: SyncId::new(),
        cause: Cause::Manual,
        mode,
        scope,
        dry_run: false,
        requested_by: "anna".to_owned(),
        reason: None,
        retry_of: None,
        trace_context: json!({}),
    }
}

/// A page reaches its list, and companies with vessels.
fn reached_note(changes: &mut TallyChanges, list: RecordType) {
    changes.entry(list).or_default();
    if list == RecordType::Vessel {
        changes.entry(RecordType::Company).or_default();
    }
}

#[derive(Default)]
struct Written {
    applied: BTreeMap<RecordType, Vec<AppliedRecord>>,
    /// Of accepted and rejected records.
    counts: BTreeMap<RecordType, RecordCounts>,
    rejected: BTreeMap<RecordType, Vec<Rejection>>,
}

impl Written {
    fn outcomes(&self, list: RecordType) -> impl Iterator<Item = (&str, Outcome)> {
        let rejected = self.rejected.get(&list).into_iter().flatten();
        let rejected = rejected.map(|it| (it.source_id.as_str(), Outcome::Rejected));
        let applied = self.applied.get(&list).into_iter().flatten();
        rejected.chain(applied.map(|it| (it.source_id.as_str(), it.outcome)))
    }

    fn add(&mut self, record_type: RecordType, applied: Vec<AppliedRecord>, rejected: Vec<Rejection>) {
        let mut counts = counts_of(&applied);
        counts.count_many(Outcome::Rejected, rejected.len() as u64);
        self.counts.insert(record_type, counts);
        self.applied.insert(record_type, applied);
        self.rejected.insert(record_type, rejected);
    }
}

/// Validates and writes the records of a list, as a worker does; the companies come with the vessels.
async fn list_write(
    tx: &mut Db,
    stamp: WriteStamp,
    list: RecordType,
    records: &Records,
) -> Result<Written, StoreError> {
    let WriteStamp { sync_id: sync, now, .. } = stamp;
    let rules = Rules::at(now);
    let mut written = Written::default();
    match list {
        RecordType::Company => {}
        RecordType::Vessel if records.vessels.is_empty() => {}
        RecordType::Vessel => {
            let vessels = || drafts::<VesselDraft>(&records.vessels);
            let by_id: BTreeMap<String, CompanyDraft> =
                vessels().map(|it| (it.company.id.clone(), it.company)).collect();
            let (companies, bad) = sorted(by_id.into_values().map(|it| it.accept(&rules)));
            let applied = companies_apply(tx, stamp, &companies).await?;
            let outcomes: Vec<_> = applied.iter().map(|it| (it.source_id.to_string(), it.outcome)).collect();
            written.add(RecordType::Company, applied, bad);
            written.counts.insert(RecordType::Company, companies_note(tx, sync, &outcomes).await?.counts);
            let (vessels, bad) = sorted(vessels().map(|it| it.accept(&rules)));
            written.add(list, vessels_apply(tx, stamp, &vessels).await?, bad);
        }
        RecordType::Equipment => {
            let (equipment, bad) =
                sorted(drafts::<EquipmentDraft>(&records.equipment).map(|it| it.accept(&rules)));
            written.add(list, equipment_apply(tx, stamp, &equipment, None).await?, bad);
        }
        RecordType::User => {
            let (users, bad) = sorted(drafts::<UserDraft>(&records.users).map(|it| it.accept(&rules)));
            written.add(list, users_apply(tx, stamp, &users, &[]).await?, bad);
        }
    }
    for (record_type, rejections) in &written.rejected {
        rejections_apply(tx, stamp, *record_type, rejections).await?;
    }
    Ok(written)
}

fn drafts<D: serde::de::DeserializeOwned>(values: &[Value]) -> impl Iterator<Item = D> {
    values.iter().map(|it| serde_json::from_value(it.clone()).expect("a draft"))
}

fn sorted<R>(
    checked: impl IntoIterator<Item = Result<Accepted<R>, Rejection>>,
) -> (Vec<Accepted<R>>, Vec<Rejection>) {
    let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
    for it in checked {
        match it {
            Ok(record) => accepted.push(record),
            Err(rejection) => rejected.push(rejection),
        }
    }
    (accepted, rejected)
}
