//! The newest migrations, applied while the services work.
//!
//! What this shows: `sms-sync migrate` brings a database with rows from [`BASE`] to the newest schema while webhooks come, a full
//! sync runs and operators read. No webhook is refused, no event and no record is lost, and nobody waits for a lock longer than a
//! webhook waits for the database. A migration locks several tables, and so do workers and lists, in other orders. Of those that wait
//! for each other the migration gives way, and tries again by itself. If PostgreSQL ends another of them, a worker tries again by
//! itself, and a list is answered 503 and may be asked for again.
//!
//! What it does not show: programs of an older version. The services here are the present ones, on the schema before and after. A
//! migration that takes away what only older programs use passes. And the tables are small: a migration that reads or rewrites a
//! large table holds its lock for as long as that takes, here some tenths of a second.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use anyhow::Context;
use e2e::{Fleet, Kind, PATIENCE, Setup, System, Webhook, program};
use futures_util::future::try_join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testbed::wait_until;

/// The newest migration before those that run under load: the oldest schema that the present services write to. When a migration
/// adds what the services need to write, that migration is the new base.
const BASE: &str = "2026-11-28-000037";
/// Rows of the larger tables.
const ROW_COUNT: u32 = 20_000;
const SENDER_COUNT: usize = 4;
/// Webhooks that are sent before and after, while the schema does not change.
const QUIET_WEBHOOK_COUNT: usize = 20;
/// How long webhook-ingest waits for the database before it answers 503 (`SMS_WEBHOOK__DATABASE_PATIENCE_MS`).
const LOCK_WAIT_LIMIT: Duration = Duration::from_secs(3);

/// What has happened so far.
#[derive(Debug, Default)]
struct Progress {
    accepted: AtomicUsize,
    read: AtomicUsize,
    asked_again: AtomicUsize,
    is_over: AtomicBool,
}

impl Progress {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    async fn wait_for_webhooks(&self, count: usize) -> anyhow::Result<()> {
        wait_until(format!("{count} webhooks are accepted"), PATIENCE, async || {
            let accepted = self.accepted.load(Ordering::Relaxed);
            if accepted >= count { Ok(()) } else { Err(accepted) }
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn newest_migrations_under_load_refuse_no_webhook_and_lose_no_event() -> anyhow::Result<()> {
    // Longer than PostgreSQL looks away from a deadlock: a task that meets several is not given up.
    let setup =
        Setup { fleet: Fleet::Of(20, 300, 20), retry_delays_ms: [1_000, 2_000, 4_000], ..Setup::default() };
    let system = System::start(setup).await?;
    fill(&system).await?;
    let reverted = revert_to_base(&system).await?;
    let vessels = system.portal.ids(Kind::Vessels, "approved").await?;

    let progress = Progress::default();
    let load = async {
        let senders = (0..SENDER_COUNT).map(|_| send_webhooks(&system, &vessels, &progress));
        let (_, (), longest) = tokio::try_join!(
            try_join_all(senders),
            read_lists(&system, &progress),
            watch_locks(&system, &progress)
        )?;
        anyhow::Ok(longest)
    };
    let change = async {
        progress.wait_for_webhooks(QUIET_WEBHOOK_COUNT).await?;
        let sync = system.operator.trigger().await?;
        migrate(&system).await?;
        let during = progress.accepted.load(Ordering::Relaxed);
        progress.wait_for_webhooks(during + QUIET_WEBHOOK_COUNT).await?;
        progress.is_over.store(true, Ordering::Relaxed);
        anyhow::Ok(sync)
    };
    let (longest, sync) = tokio::try_join!(load, change)?;

    let Progress { accepted, read, asked_again, .. } = progress;
    let [accepted, read, asked_again] = [accepted, read, asked_again].map(AtomicUsize::into_inner);
    eprintln!(
        "{} migrations under {accepted} webhooks and {read} reads, of which {asked_again} were asked for again; longest \
         wait for a lock: {longest:?}",
        reverted.len()
    );
    let versions = "__diesel_schema_migrations";
    assert_eq!(system.count(versions).await?, i64::try_from(migration_names()?.len())?, "{reverted:?}");
    assert!(longest < LOCK_WAIT_LIMIT, "a lock was waited for during {longest:?}");
    let processed = "webhook_events WHERE state = 'processed' AND webhook_id NOT LIKE 'msg_of_before%'";
    system.wait_for_rows("all events are processed", processed, i64::try_from(accepted)?).await?;
    let ended = system.operator.ended(sync).await?;
    assert_eq!(json!(ended.summary.state), "completed", "{ended:#?}");
    system.balanced_tally(sync).await?;
    assert_eq!(system.count("dead_letters").await?, 0);
    Ok(())
}

/// Names of all migrations, the oldest first.
fn migration_names() -> anyhow::Result<Vec<String>> {
    let directory = testbed::workspace_root().join("migrations/maintenance");
    let names =
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<anyhow::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Takes back the migrations after the base; their names.
async fn revert_to_base(system: &System) -> anyhow::Result<Vec<String>> {
    let names: Vec<String> =
        migration_names()?.into_iter().filter(|name| &name[..BASE.len()] > BASE).collect();
    anyhow::ensure!(!names.is_empty(), "there is no migration after {BASE}");
    for name in names.iter().rev() {
        let file = testbed::workspace_root().join("migrations/maintenance").join(name).join("down.sql");
        // As diesel spells versions.
        let version: String =
            name.split('_').next().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
        let down = std::fs::read_to_string(file)?;
        let forget = format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'");
        system.world.execute(&format!("BEGIN; {down}; {forget}; COMMIT")).await?;
    }
    Ok(names)
}

/// Rows that indexes are built over, beside those of a full sync.
async fn fill(system: &System) -> anyhow::Result<()> {
    let sync = system.operator.full_sync().await?;
    assert_eq!(json!(sync.summary.state), "completed", "{sync:#?}");
    let columns = system
        .rows(
            "SELECT string_agg(column_name, ', ') AS names FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = 'equipment'
                 AND column_name NOT IN ('id', 'source_id', 'qr_code', 'unit_number', 'status')",
        )
        .await?;
    let columns = columns[0]["names"].as_str().context("columns")?;
    // Withdrawn, so that a full sync does not miss them.
    system
        .world
        .execute(&format!(
            "INSERT INTO equipment (id, source_id, qr_code, unit_number, status, {columns})
             SELECT gen_random_uuid(), 'before-' || n, 'BEFORE-' || n, n + 1000, 'withdrawn', {columns}
             FROM (SELECT * FROM equipment ORDER BY id LIMIT 1) AS e, generate_series(1, {ROW_COUNT}) n;
             INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state, received_at,
                 published_at, processed_at)
             SELECT gen_random_uuid(), 'msg_of_before_' || n, 'equipment.updated', 'equipment', 'before-' || n, '', 'current',
                 'processed', at, at, at
             FROM (SELECT n, now() - n * interval '1 minute' AS at FROM generate_series(1, {ROW_COUNT}) n) AS before;
             INSERT INTO findings (sync_id, record_type, source_id, severity, code, pointer, message, found_at)
             SELECT '{sync}', 'equipment', 'before-' || n, 'warning', 'before', '/name', 'of before', now()
             FROM generate_series(1, {ROW_COUNT}) n",
            sync = sync.summary.sync_id
        ))
        .await
}

/// Brings the schema up to date as a release does.
async fn migrate(system: &System) -> anyhow::Result<()> {
    let mut command = tokio::process::Command::new(program("sms-sync").await?);
    command.arg("migrate").env("SMS_ENV", "development").env("DATABASE_URL", &system.world.database_url);
    let output = command.kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{said}");
    eprintln!("{said}");
    Ok(())
}

/// Sends one webhook after the other. Each is accepted at the first time.
async fn send_webhooks(system: &System, vessels: &[String], progress: &Progress) -> anyhow::Result<()> {
    for vessel in vessels.iter().cycle() {
        if !progress.goes_on() {
            break;
        }
        let webhook = Webhook::about("vessel.updated", vessel, "2026-05-01T00:00:00Z")?;
        let (status, answer) = webhook.send(system).await?;
        anyhow::ensure!(status == StatusCode::ACCEPTED, "a webhook was answered {status}: {answer}");
        progress.accepted.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Reads lists that no migration after the base is for.
async fn read_lists(system: &System, progress: &Progress) -> anyhow::Result<()> {
    let paths = ["/api/sync/history", "/api/sync/webhooks", "/api/sync/records/vessel"];
    for path in paths.iter().cycle() {
        if !progress.goes_on() {
            break;
        }
        let (status, answer): (StatusCode, Value) = system.operator.ask(Method::GET, path, None).await?;
        match status {
            StatusCode::OK => progress.read.fetch_add(1, Ordering::Relaxed),
            StatusCode::SERVICE_UNAVAILABLE => progress.asked_again.fetch_add(1, Ordering::Relaxed),
            _ => anyhow::bail!("{path} was answered {status}: {answer}"),
        };
    }
    Ok(())
}

/// The longest time that anybody was seen to wait for a lock of a table.
async fn watch_locks(system: &System, progress: &Progress) -> anyhow::Result<Duration> {
    let mut longest = Duration::ZERO;
    while progress.goes_on() {
        let waits = system
            .rows(
                "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float8 AS seconds FROM pg_locks
                 WHERE NOT granted AND locktype = 'relation'
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            )
            .await?;
        longest =
            longest.max(Duration::from_secs_f64(waits[0]["seconds"].as_f64().unwrap_or_default().max(0.0)));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(longest)
}
