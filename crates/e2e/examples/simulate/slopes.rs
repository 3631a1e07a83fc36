//! Slopes: the same two syncs of ever larger lists of equipment, and by how much time, memory and the database grow with them.

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::Context;
use contracts::operator::{Mode, SyncState};
use e2e::System;

use crate::{
    catalogue::Catalogue,
    figures::Figures,
    fleet::{Fleet, List},
    product::{self, EndedSync, forget_peaks, number, peak_megabytes, value},
    provider::Provider,
};

pub(crate) struct Options {
    pub(crate) seed: u64,
    /// Pieces of equipment of each size.
    pub(crate) sizes: Vec<u64>,
    pub(crate) workers: usize,
    pub(crate) latency: Duration,
}

const EQUIPMENT_PER_SHIP: u64 = 1_000;
const PAGE_SIZE: u32 = 1_000;
/// Bytes of disk that a record is taken to need before the first size was measured.
const BYTES_PER_RECORD: f64 = 2_000.0;

/// What one sync took.
struct Pass {
    /// Until the API said that the sync has ended.
    seconds: f64,
    /// The largest peak of any worker.
    megabytes: f64,
    /// Of the machine's cores, in use by whatever ran, per cent.
    cores: f64,
    /// Of write-ahead log.
    wal_bytes: f64,
}

/// What one size took.
struct Size {
    equipment: u64,
    first: Pass,
    unchanged: Pass,
    /// Of all tables with records of the fleet.
    rows: f64,
    database_bytes: f64,
}

pub(crate) async fn slopes(options: Options, figures: &mut Figures) -> anyhow::Result<()> {
    let mut sizes: Vec<Size> = Vec::new();
    for equipment in &options.sizes {
        let bytes_per_record =
            sizes.last().map_or(BYTES_PER_RECORD, |size| 1.25 * size.database_bytes / size.equipment as f64);
        let size = measure(&options, *equipment, bytes_per_record).await?;
        report(&size, figures);
        if let Some(smaller) = sizes.last() {
            report_slope(smaller, &size, figures);
        }
        sizes.push(size);
    }
    Ok(())
}

async fn measure(options: &Options, equipment: u64, bytes_per_record: f64) -> anyhow::Result<Size> {
    let per_ship = EQUIPMENT_PER_SHIP.min(equipment);
    let fleet = Fleet {
        seed: options.seed,
        ships: equipment / per_ship,
        equipment_per_ship: per_ship,
        // Hashing their passwords would be most of the time, and is no slope of the lists.
        ships_per_user: 0,
    };
    let equipment = fleet.count(List::Equipment);
    eprintln!("\n{equipment} pieces of equipment on {} ships", fleet.ships);
    let provider = Provider::start(Catalogue::new(fleet, fleet.ships), options.latency)?;
    let system = product::start(&provider, options.workers, PAGE_SIZE, [10_000, 30_000, 90_000]).await?;
    require_disk(&system, equipment as f64 * bytes_per_record).await?;
    let empty = number(&system, "pg_database_size(current_database())").await?;

    let (first, sync) = pass(&system, equipment).await?;
    let created = sync.counts("equipment")?.created;
    anyhow::ensure!(created.cast_unsigned() == equipment, "a first sync created {created} of {equipment}");
    let database_bytes = number(&system, "pg_database_size(current_database())").await? - empty;
    report_tables(&system).await?;
    let (unchanged, sync) = pass(&system, equipment).await?;
    let same = sync.counts("equipment")?.unchanged;
    anyhow::ensure!(same.cast_unsigned() == equipment, "a second sync found {same} of {equipment} unchanged");
    let rows = "SELECT (SELECT count(*) FROM equipment) + (SELECT count(*) FROM critical_parts)
                + (SELECT count(*) FROM maintenance_schedules) + (SELECT count(*) FROM vessels)
                + (SELECT count(*) FROM companies)";
    let rows = number(&system, rows).await?;
    // The databases go with the system, before the next size needs their place.
    Ok(Size { equipment, first, unchanged, rows, database_bytes })
}

/// Runs a full sync, which must complete.
async fn pass(system: &System, equipment: u64) -> anyhow::Result<(Pass, EndedSync)> {
    forget_peaks(&system.workers)?;
    let wal = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn";
    let (cores, wal_before) = (Cores::now()?, number(system, wal).await?);
    let sync = product::sync(system, Mode::Full, equipment).await?;
    anyhow::ensure!(
        sync.state == SyncState::Completed,
        "the sync ended as {:?}: {:?}",
        sync.state,
        sync.failure
    );
    let pass = Pass {
        seconds: sync.seen_after_seconds,
        megabytes: peak_megabytes(&system.workers)?,
        cores: cores.used()?,
        wal_bytes: number(system, wal).await? - wal_before,
    };
    Ok((pass, sync))
}

fn report(size: &Size, figures: &mut Figures) {
    let name = |what: &str| format!("slopes.{}.{what}", size.equipment);
    for (kind, pass) in [("first", &size.first), ("unchanged", &size.unchanged)] {
        let rate = size.equipment as f64 / pass.seconds;
        eprintln!(
            "  {kind:<10} {:>8.1} s {rate:>8.0} records/s   peak of a worker {:>6.1} MB   cores {:>3.0} %   WAL {:>5.0} bytes/record",
            pass.seconds,
            pass.megabytes,
            pass.cores,
            pass.wal_bytes / size.equipment as f64
        );
        figures.add(name(&format!("{kind}.seconds")), pass.seconds, "s");
        figures.add(name(&format!("{kind}.rate")), rate, "records/s");
        figures.add(name(&format!("{kind}.memory")), pass.megabytes, "MB");
        figures.add(name(&format!("{kind}.cores")), pass.cores, "% of cores");
        figures.add(name(&format!("{kind}.wal")), pass.wal_bytes / size.equipment as f64, "bytes/record");
    }
    let (per_record, per_row) =
        (size.database_bytes / size.equipment as f64, size.database_bytes / size.rows);
    eprintln!(
        "  database   {:>8.0} MB {:>8.0} rows   {per_record:.0} bytes/record, {per_row:.0} bytes/row",
        size.database_bytes / 1e6,
        size.rows
    );
    figures.add(name("database"), size.database_bytes / 1e6, "MB");
    figures.add(name("database.per_record"), per_record, "bytes/record");
    figures.add(name("database.per_row"), per_row, "bytes/row");
}

/// What a million more records cost, and the exponent of the growth: 1 if it is in step with the number of records.
fn report_slope(smaller: &Size, larger: &Size, figures: &mut Figures) {
    let (from, to) = (smaller.equipment as f64, larger.equipment as f64);
    eprintln!("  slope from {from} to {to} records");
    let mut slope = |what: &str, unit: &str, before: f64, after: f64| {
        let each_million = (after - before) / (to - from) * 1e6;
        let exponent = (after / before).ln() / (to / from).ln();
        eprintln!("    {what:<20} {each_million:>10.1} {unit} a million more   exponent {exponent:.2}");
        let name = format!("slopes.{}-{}.{what}", smaller.equipment, larger.equipment);
        figures.add(name.clone(), each_million, &format!("{unit}/million"));
        figures.add(format!("{name}.exponent"), exponent, "");
    };
    slope("first.seconds", "s", smaller.first.seconds, larger.first.seconds);
    slope("unchanged.seconds", "s", smaller.unchanged.seconds, larger.unchanged.seconds);
    slope("first.memory", "MB", smaller.first.megabytes, larger.first.megabytes);
    slope("unchanged.memory", "MB", smaller.unchanged.megabytes, larger.unchanged.megabytes);
    slope("database", "MB", smaller.database_bytes / 1e6, larger.database_bytes / 1e6);
}

/// The largest tables, with what their indexes take of it.
async fn report_tables(system: &System) -> anyhow::Result<()> {
    let tables = system
        .rows(
            "SELECT c.relname, pg_total_relation_size(c.oid) / 1e6 AS mb, pg_indexes_size(c.oid) / 1e6 AS indexes
             FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
             ORDER BY mb DESC LIMIT 6",
        )
        .await?;
    for table in tables {
        let megabytes = |column: &str| table[column].as_f64().unwrap_or_default();
        eprintln!(
            "    {:<24} {:>9.1} MB, of which indexes {:>9.1}",
            table["relname"].as_str().unwrap_or_default(),
            megabytes("mb"),
            megabytes("indexes")
        );
    }
    Ok(())
}

/// Refuses a size that would fill the disk of PostgreSQL.
async fn require_disk(system: &System, bytes: f64) -> anyhow::Result<()> {
    let directory = value(system, "current_setting('data_directory')").await?;
    let directory = Path::new(directory.as_str().context("PostgreSQL has a data directory")?);
    let output = Command::new("df").args(["--output=avail", "-B1"]).arg(directory).output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let free: f64 = said.lines().last().unwrap_or_default().trim().parse().with_context(|| {
        format!("df of {}: {said}{}", directory.display(), String::from_utf8_lossy(&output.stderr))
    })?;
    anyhow::ensure!(
        bytes < free,
        "this size needs some {:.0} GB of disk, and {:.0} GB are free: leave it out of --millions",
        bytes / 1e9,
        free / 1e9
    );
    Ok(())
}

/// What the machine's cores have done until a moment, in ticks.
struct Cores {
    busy: u64,
    all: u64,
}

impl Cores {
    fn now() -> anyhow::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let line = stat.lines().next().context("the line of all cores")?;
        let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|it| it.parse().ok()).collect();
        let all = ticks.iter().take(8).sum();
        // idle and iowait
        let idle: u64 = ticks.iter().skip(3).take(2).sum();
        Ok(Self { busy: all - idle, all })
    }

    /// How much of all cores was in use since then, in per cent.
    fn used(&self) -> anyhow::Result<f64> {
        let now = Self::now()?;
        Ok(100.0 * (now.busy - self.busy) as f64 / (now.all - self.all).max(1) as f64)
    }
}
