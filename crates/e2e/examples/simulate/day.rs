//! A day of a fleet, compressed: what happens is a timetable, and ends with the comparison of every row.
//!
//! The seed decides about the fleet, the ships and records of each change, and what they say; how webhooks, syncs and faults
//! meet each other within a step is the machine's chance.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use contracts::operator::{Mode, SyncState};
use e2e::{System, is_balanced};
use testbed::wait_until;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    broker::Broker,
    catalogue::Catalogue,
    compare::{Comparison, compare},
    figures::Figures,
    fleet::{Fleet, List},
    product::{self, EndedSync, number, peak_megabytes},
    provider::Provider,
    wave::{Change, Sender, is_silent, shuffled},
};

pub(crate) struct Options {
    pub(crate) seed: u64,
    pub(crate) ships: u64,
    pub(crate) equipment_per_ship: u64,
    pub(crate) workers: usize,
    pub(crate) minutes: f64,
    pub(crate) latency: Duration,
    /// Where `servers.sh` keeps the servers.
    pub(crate) servers: PathBuf,
}

/// Every tenth ship has a user: hashing a password takes tens of milliseconds.
const SHIPS_PER_USER: u64 = 10;
/// Of the ships that are approved by noon.
const CHANGED_AT_NOON_PERCENT: u64 = 20;
/// Pieces of equipment that change on each of these.
const CHANGED_EQUIPMENT: u64 = 4;
/// Of the ships with lost changes, those whose people notice and enter them again.
const ENTERED_AGAIN_PERCENT: u64 = 90;
/// How long webhooks may take until the last of them is processed.
const EVENTS_PATIENCE: Duration = Duration::from_secs(1_200);
/// Of a page, while a worker is to be killed in the middle of a sync.
const SLOW_PAGE: Duration = Duration::from_millis(500);

const DAWN: f64 = 6.0;
const MIDNIGHT: f64 = 24.0;

/// The simulated clock.
struct Clock {
    began: Instant,
    hour: Duration,
}

impl Clock {
    /// Waits for a time of the day, which may have passed.
    async fn wait_for(&self, hour: f64, what: &str) {
        let moment = self.began + self.hour.mul_f64(hour - DAWN);
        tokio::time::sleep_until(moment.into()).await;
        let late = moment.elapsed().as_secs();
        let late = if late > 1 { format!(" ({late} s late)") } else { String::new() };
        eprintln!("  {:02}:{:02}  {what}{late}", hour as u64, (hour * 60.0) as u64 % 60);
    }

    fn hours(&self, hours: f64) -> Duration {
        self.hour.mul_f64(hours)
    }
}

/// The day under way.
struct Day {
    fleet: Fleet,
    provider: Arc<Provider>,
    system: System,
    broker: Broker,
    clock: Clock,
    accepted: Arc<AtomicU64>,
    /// Of a page of the provider.
    latency: Duration,
    /// What was not as it must be.
    faults: Vec<String>,
}

/// Which ships are approved when: the first ones before the day, then those of the morning, and the last at noon.
struct Approvals {
    before: u64,
    by_noon: u64,
    all: u64,
}

impl Approvals {
    fn of(ships: u64) -> Self {
        let by_noon = ships - ships.div_ceil(100);
        Self { before: by_noon - ships / 10, by_noon, all: ships }
    }
}

/// Runs the day; what was not as it must be.
pub(crate) async fn day(options: Options, figures: &mut Figures) -> anyhow::Result<Vec<String>> {
    let approvals = Approvals::of(options.ships);
    let fleet = Fleet {
        seed: options.seed,
        ships: options.ships,
        equipment_per_ship: options.equipment_per_ship,
        ships_per_user: SHIPS_PER_USER,
    };
    let provider = Provider::start(Catalogue::new(fleet, approvals.before), options.latency)?;
    // So that a sync of any fleet has some pages to be disturbed in.
    let page_size = u32::try_from(fleet.count(List::Equipment) / 40).unwrap_or(1_000).clamp(10, 1_000);
    let system = product::start(&provider, options.workers, page_size, [1_000, 3_000, 9_000]).await?;
    let hour = Duration::from_secs_f64(options.minutes * 60.0 / (MIDNIGHT - DAWN));
    // As much shorter as the day: with its ten minutes, every incremental sync would read all changes of the day.
    let overlap = (hour.as_secs_f64() / 6.0).ceil();
    system.world.execute(&format!("UPDATE settings SET incremental_overlap_seconds = {overlap}")).await?;
    let mut day = Day {
        fleet,
        provider,
        system,
        broker: Broker { directory: options.servers },
        clock: Clock { began: Instant::now(), hour },
        accepted: Arc::default(),
        latency: options.latency,
        faults: Vec::new(),
    };
    day.night_before(figures).await?;
    day.clock.began = Instant::now();
    day.morning(&approvals, figures).await?;
    let backup = day.provider.read().backup();
    day.clock.wait_for(11.0, "the portal is backed up").await;
    day.noon(&approvals, figures).await?;
    day.clock.wait_for(16.0, "the portal is restored from the backup of 11:00").await;
    day.provider.write().restore(&backup);
    day.after_restore(figures).await?;
    day.evening(figures).await?;
    day.end(figures).await?;
    Ok(day.faults)
}

impl Day {
    fn fault(&mut self, fault: String) {
        eprintln!("  FAULT  {fault}");
        self.faults.push(fault);
    }

    fn records(&self) -> u64 {
        let catalogue = self.provider.read();
        List::ALL.into_iter().map(|list| catalogue.count(list, None)).sum()
    }

    /// Starts a wave, which lasts so many hours.
    fn wave(&self, changes: Vec<Change>, hours: f64) -> JoinHandle<anyhow::Result<()>> {
        let silent = changes.iter().filter(|change| is_silent(&self.fleet, change.ship(&self.fleet))).count();
        eprintln!("         {} changes, {silent} of them on silent ships", changes.len());
        let sender = Sender {
            provider: self.provider.clone(),
            webhook_url: self.system.webhook_url.clone(),
            accepted: self.accepted.clone(),
        };
        tokio::spawn(sender.send(shuffled(&self.fleet, changes), self.clock.hours(hours)))
    }

    /// Runs a sync that must complete.
    async fn sync(&mut self, name: &str, mode: Mode, figures: &mut Figures) -> anyhow::Result<EndedSync> {
        let sync = product::sync(&self.system, mode, self.records()).await?;
        self.must_complete(name, &sync, figures);
        Ok(sync)
    }

    fn must_complete(&mut self, name: &str, sync: &EndedSync, figures: &mut Figures) {
        self.note_sync(name, sync, figures);
        if sync.state != SyncState::Completed {
            self.fault(format!("the sync {name} ended as {:?}: {:?}", sync.state, sync.failure));
        }
    }

    fn note_sync(&self, name: &str, sync: &EndedSync, figures: &mut Figures) {
        let sum =
            |of: fn(&contracts::operator::RecordCounts) -> i64| sync.tally.values().map(of).sum::<i64>();
        eprintln!(
            "         sync {name}: {:?} in {:.1} s, seen after {:.1} s; read {}, created {}, updated {}, unchanged {}, rejected {}, missing {}",
            sync.state,
            sync.seconds,
            sync.seen_after_seconds,
            sum(|it| it.read),
            sum(|it| it.created),
            sum(|it| it.updated),
            sum(|it| it.unchanged),
            sum(|it| it.rejected),
            sum(|it| it.missing)
        );
        figures.add(format!("day.sync.{name}"), sync.seconds, "s");
        figures.add(format!("day.sync.{name}.seen_after"), sync.seen_after_seconds, "s");
        figures.add(format!("day.sync.{name}.read"), sum(|it| it.read) as f64, "records");
    }

    /// Runs a sync while ships are approved. A ship that comes between the two phases of a sync is not among its vessels, and its
    /// equipment may be read before the ship's webhook is processed: then it is an orphan, and rejected until the next sync.
    async fn sync_among_approvals(
        &mut self,
        name: &str,
        id: Uuid,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let sync = product::sync_ended(&self.system, id, self.records()).await?;
        self.note_sync(name, &sync, figures);
        let rejections = format!("findings WHERE sync_id = '{id}' AND severity = 'error' AND code");
        let orphans = self.system.count(&format!("{rejections} = 'orphan'")).await?;
        let others = self.system.count(&format!("{rejections} <> 'orphan'")).await?;
        if orphans > 0 {
            eprintln!("         {orphans} pieces of equipment were read before their ship had come");
        }
        figures.add(format!("day.sync.{name}.orphans"), orphans as f64, "records");
        let has_only_orphans = orphans > 0 && others == 0 && sync.state == SyncState::CompletedWithErrors;
        if sync.state != SyncState::Completed && !has_only_orphans {
            self.fault(format!("the sync {name} ended as {:?}: {:?}", sync.state, sync.failure));
        }
        Ok(())
    }

    async fn night_before(&mut self, figures: &mut Figures) -> anyhow::Result<()> {
        eprintln!("  night  the first full sync, of {} records", self.records());
        self.sync("first", Mode::Full, figures).await.map(drop)
    }

    async fn morning(&mut self, approvals: &Approvals, figures: &mut Figures) -> anyhow::Result<()> {
        self.clock.wait_for(DAWN, "ships are approved until 09:00").await;
        let approved = (approvals.before..approvals.by_noon).map(Change::Approve).collect();
        let wave = self.wave(approved, 3.0);
        self.clock.wait_for(7.5, "an incremental sync among the approvals").await;
        let id = product::start_sync(&self.system, Mode::Incremental).await?;
        self.sync_among_approvals("among-approvals", id, figures).await?;
        wave.await??;

        self.clock.wait_for(9.5, "a full sync, and a worker is killed in the middle of it").await;
        self.provider.set_latency(SLOW_PAGE.max(self.latency));
        let id = product::start_sync(&self.system, Mode::Full).await?;
        self.system.in_the_middle(id, "equipment").await?;
        let mut killed = self.system.workers.remove(0);
        killed.kill()?;
        drop(killed);
        self.provider.set_latency(self.latency);
        self.clock.wait_for(10.0, "a new worker is started").await;
        self.system.start_worker(&[]).await?;
        let sync = product::sync_ended(&self.system, id, self.records()).await?;
        self.must_complete("with-killed-worker", &sync, figures);
        Ok(())
    }

    async fn noon(&mut self, approvals: &Approvals, figures: &mut Figures) -> anyhow::Result<()> {
        self.clock.wait_for(12.0, "records change, and a few ships are approved, until 14:00").await;
        let wave = self.wave(self.changes_of_noon(approvals), 2.0);
        self.clock.wait_for(12.5, "RabbitMQ is killed, a moment after an incremental sync began").await;
        let id = product::start_sync(&self.system, Mode::Incremental).await?;
        self.broker.kill().await?;
        self.clock.wait_for(13.0, "RabbitMQ is started again").await;
        self.broker.start().await?;
        self.sync_among_approvals("with-killed-broker", id, figures).await?;
        wave.await??;

        self.clock
            .wait_for(14.5, "all webhooks must be processed; an incremental sync brings the rest")
            .await;
        self.events_processed().await?;
        self.sync("after-noon", Mode::Incremental, figures).await.map(drop)
    }

    /// A fifth of the ships changes, each with some of its equipment and its user.
    fn changes_of_noon(&self, approvals: &Approvals) -> Vec<Change> {
        let fleet = self.fleet;
        let mut changes: Vec<Change> = (approvals.by_noon..approvals.all).map(Change::Approve).collect();
        let changed =
            (0..approvals.by_noon).filter(|ship| fleet.is_among("noon", *ship, CHANGED_AT_NOON_PERCENT));
        for ship in changed {
            changes.push(Change::Record(List::Vessels, ship));
            changes
                .extend(fleet.numbers_of_ship(List::Users, ship).map(|it| Change::Record(List::Users, it)));
            let equipment = fleet.numbers_of_ship(List::Equipment, ship);
            let first = fleet.random("noon's equipment", ship) % fleet.equipment_per_ship;
            changes.extend((0..CHANGED_EQUIPMENT.min(fleet.equipment_per_ship)).map(|place| {
                let number = equipment.start + (first + place) % fleet.equipment_per_ship;
                Change::Record(List::Equipment, number)
            }));
        }
        changes
    }

    /// The portal lists older states of what changed since its backup, and does not list what was approved since.
    ///
    /// The engine promises that such a state is rejected as `older_than_here` and its row stays, that a record that is not
    /// listed is counted as missing and stays, and that all others are unchanged.
    async fn after_restore(&mut self, figures: &mut Figures) -> anyhow::Result<()> {
        let sync = product::sync(&self.system, Mode::Full, self.records()).await?;
        self.note_sync("after-restore", &sync, figures);
        self.check_against_provider("after-restore", &sync)?;
        let comparison = compare(&self.system, &self.provider).await?;
        self.note_comparison("after the restore", &comparison);
        Ok(())
    }

    async fn evening(&mut self, figures: &mut Figures) -> anyhow::Result<()> {
        self.clock.wait_for(18.0, "most of what was lost is entered again until 20:00").await;
        let wave = self.wave(self.changes_entered_again(), 2.0);
        wave.await??;
        self.clock
            .wait_for(20.5, "all webhooks must be processed; an incremental sync brings the rest")
            .await;
        self.events_processed().await?;
        let sync = product::sync(&self.system, Mode::Incremental, self.records()).await?;
        self.note_sync("evening", &sync, figures);
        self.check_state("evening", &sync);
        Ok(())
    }

    fn changes_entered_again(&self) -> Vec<Change> {
        let (fleet, catalogue) = (self.fleet, self.provider.read());
        let is_noticed = |ship| fleet.is_among("entered again", ship, ENTERED_AGAIN_PERCENT);
        let is_approved = |ship| catalogue.listed(List::Vessels, ship).is_some();
        let mut changes = Vec::new();
        for list in List::ALL {
            for (number, _) in catalogue.lost(list) {
                let ship = fleet.ship_of(list, number);
                match list {
                    _ if !is_noticed(ship) => {}
                    _ if is_approved(ship) => changes.push(Change::Record(list, number)),
                    List::Vessels => changes.push(Change::Approve(ship)),
                    // They come with their ship.
                    List::Equipment | List::Users => {}
                }
            }
        }
        changes
    }

    async fn end(&mut self, figures: &mut Figures) -> anyhow::Result<()> {
        self.clock.wait_for(22.0, "the last full sync").await;
        let sync = product::sync(&self.system, Mode::Full, self.records()).await?;
        self.note_sync("last", &sync, figures);
        self.check_against_provider("last", &sync)?;
        let took = self.clock.began.elapsed();
        let began = Instant::now();
        let comparison = compare(&self.system, &self.provider).await?;
        self.note_comparison("at the end", &comparison);
        figures.add("day.minutes", took.as_secs_f64() / 60.0, "min");
        figures.add("day.compared", comparison.records as f64, "records");
        figures.add("day.comparison", began.elapsed().as_secs_f64(), "s");
        figures.add("day.differences", comparison.differences as f64, "records");

        let dead = self.system.count("dead_letters").await?;
        if dead > 0 {
            self.fault(format!("{dead} dead letters"));
        }
        self.note_webhooks(figures).await?;
        figures.add("day.memory", peak_megabytes(&self.system.workers)?, "MB");
        let bytes = number(&self.system, "pg_database_size(current_database())").await?;
        figures.add("day.database", bytes / 1e6, "MB");
        Ok(())
    }

    /// Every accepted webhook is one event; how long they took until their records were written.
    async fn note_webhooks(&mut self, figures: &mut Figures) -> anyhow::Result<()> {
        let accepted = self.accepted.load(Ordering::Relaxed);
        let events = self.system.count("webhook_events").await?;
        if events.cast_unsigned() != accepted {
            self.fault(format!("{accepted} webhooks were accepted, and there are {events} events"));
        }
        figures.add("day.webhooks", accepted as f64, "webhooks");
        let mut said = Vec::new();
        for part in ["0.5", "0.99", "1"] {
            let seconds = format!(
                "SELECT percentile_cont({part}) WITHIN GROUP (ORDER BY extract(epoch FROM processed_at - received_at)::float8)
                 FROM webhook_events"
            );
            let seconds = number(&self.system, &seconds).await?;
            figures.add(format!("day.webhooks.until_written.{part}"), seconds, "s");
            said.push(format!("{seconds:.2}"));
        }
        eprintln!(
            "         {accepted} webhooks; seconds until written, median / 99 % / all: {}",
            said.join(" / ")
        );
        Ok(())
    }

    /// Waits until no event is open.
    async fn events_processed(&self) -> anyhow::Result<()> {
        wait_until("all webhooks are processed", EVENTS_PATIENCE, async || {
            match self.system.count("webhook_events WHERE state <> 'processed'").await {
                Ok(0) => Ok(()),
                other => Err(format!("{other:?} are open")),
            }
        })
        .await
        .with_context(|| "webhook_events has what is known of them".to_owned())
    }

    fn note_comparison(&mut self, when: &str, comparison: &Comparison) {
        let Comparison { records, differences, shown } = comparison;
        eprintln!("         compared {when}: {records} records, {differences} differences");
        for difference in shown {
            eprintln!("           {difference}");
        }
        if *differences > 0 {
            self.fault(format!("{when}, {differences} of {records} records are not as they must be"));
        }
    }

    /// Compares the tally of a full sync, while nothing changed, with what the provider lists.
    fn check_against_provider(&mut self, name: &str, sync: &EndedSync) -> anyhow::Result<()> {
        for list in List::ALL {
            let (listed, older, missing) = {
                let catalogue = self.provider.read();
                let missing = catalogue.lost(list).filter(|(_, listed)| listed.is_none()).count() as u64;
                (catalogue.count(list, None), catalogue.lost(list).count() as u64 - missing, missing)
            };
            let counts = sync.counts(list.word())?;
            let found =
                [counts.read, counts.rejected, counts.unchanged, counts.missing].map(i64::cast_unsigned);
            if !is_balanced(counts) || found != [listed, older, listed - older, missing] {
                self.fault(format!(
                    "the tally of the sync {name} must be: {listed} read, {older} rejected, {} unchanged, {missing} \
                     missing; it is {counts:?}",
                    listed - older
                ));
            }
        }
        self.check_state(name, sync);
        Ok(())
    }

    /// A sync ends with errors as long as the portal lists a record in an older state than the one here, and only then.
    fn check_state(&mut self, name: &str, sync: &EndedSync) {
        let has_older = {
            let catalogue = self.provider.read();
            List::ALL.into_iter().any(|list| catalogue.lost(list).any(|(_, listed)| listed.is_some()))
        };
        let state = if has_older { SyncState::CompletedWithErrors } else { SyncState::Completed };
        if sync.state != state {
            self.fault(format!(
                "the sync {name} must end as {state:?}, and ended as {:?}: {:?}",
                sync.state, sync.failure
            ));
        }
    }
}
