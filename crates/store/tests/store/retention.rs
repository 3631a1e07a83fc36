//! What is forgotten in time, and what stays.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Mode, Scope, conflict::Side};
use serde_json::json;
use store::{
    Db, StoreError,
    engine::{
        conflict_resolution::{Choice, Resolved, conflict_resolve},
        retention::{OldRows, retention_purge},
    },
};

use crate::{
    records::{Records, day, vessel},
    scene::Scene,
};

/// Rows of each kind that were deleted; kinds without any are absent.
type Purged = BTreeMap<OldRows, u64>;

/// Rows that a batch may have in these tests.
const LIMIT: u32 = 1000;

impl Scene {
    async fn purge_batch(&self, rows: OldRows, before: DateTime<Utc>, limit: u32) -> anyhow::Result<u64> {
        self.tx(async |tx| retention_purge(tx, rows, before, limit).await).await
    }

    /// Deletes all that is old, batch by batch.
    async fn purge(&self, before: DateTime<Utc>) -> anyhow::Result<Purged> {
        let mut purged = Purged::new();
        for rows in OldRows::ALL {
            loop {
                let deleted = self.purge_batch(*rows, before, LIMIT).await?;
                if deleted == 0 {
                    break;
                }
                *purged.entry(*rows).or_default() += deleted;
            }
        }
        Ok(purged)
    }

    /// Deletes all that had ended by now.
    async fn purge_all(&self) -> anyhow::Result<Purged> {
        self.purge(self.now() + TimeDelta::days(1)).await
    }
}

fn purged<const N: usize>(rows: [(OldRows, u64); N]) -> Purged {
    Purged::from(rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_sync_goes_with_its_tasks_tallies_and_findings() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    portal.put_vessel("v-bad", json!({"imoNumber": "9074728"}));
    scene.full_sync(&portal).await?;
    let of_syncs = ["sync_logs", "sync_queue", "sync_counts", "sync_companies_seen", "findings"];
    for table in of_syncs {
        assert_ne!(scene.number(table).await, 0, "{table}");
    }

    assert_eq!(scene.purge_all().await?, purged([(OldRows::Syncs, 1)]));
    for table in of_syncs {
        assert_eq!(scene.number(table).await, 0, "{table}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_outlives_the_sync_that_found_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&Records::of_vessels([vessel("v-1", json!({}))])).await?;
    scene.execute("UPDATE vessels SET name = 'By hand'").await?;
    scene.bring(&Records::of_vessels([vessel("v-1", json!({"name": "Sun", "updatedAt": day(2)}))])).await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::Syncs, 2)]));
    assert_eq!(
        scene.row("SELECT sync_id, state FROM conflicts").await,
        json!({"sync_id": null, "state": "open"})
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_what_stands_about_them_stay() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut portal = Records::small_fleet();
    portal.put_vessel("v-bad", json!({"imoNumber": "9074728"}));
    scene.full_sync(&portal).await?;
    scene.purge_all().await?;
    assert_eq!((scene.number("vessels").await, scene.number("equipment").await), (3, 5));
    assert_eq!(scene.number("record_findings WHERE source_id = 'v-bad'").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_that_has_not_ended_or_ended_later_stays() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let old = scene.full_sync(&Records::small_fleet()).await?;
    let recent = scene.full_sync(&Records::small_fleet()).await?;
    let (open, _) = scene.begun(Mode::Full, Scope::default()).await?;
    let before = old.completed_at.expect("it has ended") + TimeDelta::seconds(1);
    assert_eq!(scene.purge(before).await?, purged([(OldRows::Syncs, 1)]));
    let rows = scene.rows("SELECT id FROM sync_logs ORDER BY started_at").await;
    assert_eq!(rows, [json!({"id": recent.id.to_string()}), json!({"id": open.to_string()})]);
    assert_eq!(scene.purge_all().await?, purged([(OldRows::Syncs, 1)]));
    assert_eq!(scene.number("sync_logs").await, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_event_goes_once_nothing_is_to_be_done_for_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .execute(
            "INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state,
                 received_at, published_at, processed_at)
             SELECT gen_random_uuid(), state, 'vessel.approved', 'vessel', 'v-1', '{}', 'current', state, '2024-01-01',
                 '2024-01-01', CASE WHEN state = 'processed' THEN timestamptz '2024-01-01' END
             FROM unnest(ARRAY['received', 'published', 'processed', 'failed', 'ignored']) AS state",
        )
        .await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::WebhookEvents, 3)]));
    let rows = scene.rows("SELECT state FROM webhook_events ORDER BY state").await;
    assert_eq!(rows, ["published", "received"].map(|state| json!({"state": state})));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letter_goes_once_its_replay_has_succeeded() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .execute(
            "INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, died_at,
                 archived_at, state, replays, replayed_by, replayed_at, published_at, succeeded_at)
             SELECT gen_random_uuid(), state, 'sync.tasks', 'k', '{}', 'transient', '500', 'f', 4, '2024-01-01',
                 '2024-01-01', state, CASE WHEN state = 'dead' THEN 0 ELSE 1 END,
                 CASE WHEN state <> 'dead' THEN 'anna' END,
                 CASE WHEN state <> 'dead' THEN timestamptz '2024-01-02' END,
                 CASE WHEN state <> 'dead' THEN timestamptz '2024-01-02' END,
                 CASE WHEN state = 'succeeded' THEN timestamptz '2024-01-02' END
             FROM unnest(ARRAY['dead', 'replayed', 'succeeded']) AS state",
        )
        .await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::DeadLetters, 1)]));
    let rows = scene.rows("SELECT state FROM dead_letters ORDER BY state").await;
    assert_eq!(rows, ["dead", "replayed"].map(|state| json!({"state": state})));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_job_goes_once_none_of_its_items_is_open() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .execute(
            "INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, died_at,
                 archived_at)
             SELECT ('019ab2c4-0000-7000-8000-00000000000' || n)::uuid, n::text, 'sync.tasks', 'k', '{}', 'transient',
                 '500', 'f', 4, '2024-01-01', '2024-01-01' FROM generate_series(1, 2) AS n;
             INSERT INTO replay_jobs (id, filter, requested_by, created_at)
             SELECT id, '{}', 'anna', '2024-01-01' FROM dead_letters;
             INSERT INTO replay_items (job_id, dead_letter_id, before, state, ended_at)
             SELECT id, id, 'dead', CASE message_id WHEN '1' THEN 'sent' ELSE 'died' END,
                 CASE message_id WHEN '2' THEN timestamptz '2024-01-01' END FROM dead_letters",
        )
        .await?;
    scene.purge_all().await?;
    assert_eq!(
        scene.rows("SELECT id FROM replay_jobs").await,
        [json!({"id": "019ab2c4-0000-7000-8000-000000000001"})]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_stays() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let id = scene.create(Mode::Full, Scope::default()).await?;
    let _cancelled = scene.cancel(id).await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::Syncs, 1)]));
    assert_eq!(scene.audit().await, [json!({"actor": "anna", "action": "sync.cancel"})]);
    Ok(())
}

/// Dead letters of messages, one in each of these states.
fn insert_dead_letters(message_id: &str, states: &[&str]) -> String {
    format!(
        "INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, died_at,
             archived_at, state, replays, replayed_by, replayed_at, published_at, succeeded_at)
         SELECT gen_random_uuid(), '{message_id}', 'sync.events', 'k', '{{}}', 'transient', '500', 'f', 4,
             timestamptz '2024-01-01' + place * interval '1 hour', '2024-01-01', state, 0, 'anna', '2024-01-02',
             '2024-01-02', CASE WHEN state = 'succeeded' THEN timestamptz '2024-01-02' END
         FROM unnest(ARRAY{states:?}) WITH ORDINALITY AS t (state, place)"
    )
    .replace('"', "'")
}

/// A webhook event that was given up, with an attempt at it.
fn insert_failed_event(id: &str) -> String {
    format!(
        "INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state, received_at)
         VALUES ('{id}', '{id}', 'vessel.approved', 'vessel', 'v-1', '{{}}', 'current', 'failed', '2024-01-01');
         INSERT INTO attempts (message_id, number, class, failure, began_at, duration_ms)
         VALUES ('{id}', 4, 'transient', '500', '2024-01-01', 1)"
    )
}

const EVENT: &str = "019ab2c4-0000-7000-8000-000000000001";

#[tokio::test(flavor = "multi_thread")]
async fn failed_event_and_its_attempts_stay_with_its_dead_letter() -> anyhow::Result<()> {
    for state in ["dead", "replaying", "replayed"] {
        let scene = Scene::new().await?;
        scene.execute(&insert_failed_event(EVENT)).await?;
        scene.execute(&insert_dead_letters(EVENT, &[state])).await?;
        assert_eq!(scene.purge_all().await?, Purged::new(), "{state}");
        assert_eq!(scene.number("attempts").await, 1, "{state}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_event_whose_dead_letter_has_succeeded_goes_with_its_attempts() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.execute(&insert_failed_event(EVENT)).await?;
    scene.execute(&insert_dead_letters(EVENT, &["succeeded"])).await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::WebhookEvents, 1), (OldRows::DeadLetters, 1)]));
    assert_eq!(scene.number("attempts").await, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_without_a_sync_go_unless_the_message_is_still_open() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (open, _) = scene.begun(Mode::Full, Scope::default()).await?;
    scene
        .execute(&format!(
            "INSERT INTO attempts (message_id, sync_id, number, class, failure, began_at, duration_ms, next_attempt_at)
             VALUES ('given up', NULL, 4, 'transient', '500', '2024-01-01', 1, NULL),
                    ('tried again', NULL, 1, 'transient', '500', '2024-01-01', 1, '2024-01-02'),
                    ('tried again later', NULL, 1, 'transient', '503', '2024-01-01', 1, '2099-01-01'),
                    ('recent', NULL, 1, 'transient', '500', '2099-01-01', 1, NULL),
                    ('dead', NULL, 4, 'transient', '500', '2024-01-01', 1, NULL),
                    ('of a sync', '{open}', 4, 'transient', '500', '2024-01-01', 1, NULL)"
        ))
        .await?;
    scene.execute(&insert_dead_letters("dead", &["succeeded", "dead"])).await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::Attempts, 2), (OldRows::DeadLetters, 1)]));
    let left = scene.rows("SELECT message_id FROM attempts ORDER BY message_id").await;
    let expected = ["dead", "of a sync", "recent", "tried again later"];
    assert_eq!(left, expected.map(|message_id| json!({"message_id": message_id})));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_at_a_purged_event_go_with_it_however_recent() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.execute(&insert_failed_event(EVENT)).await?;
    scene.execute("UPDATE attempts SET began_at = '2099-01-01'").await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::WebhookEvents, 1)]));
    assert_eq!(scene.number("attempts").await, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn resolved_conflict_goes_and_does_not_open_again_while_open_and_recent_ones_stay() -> anyhow::Result<()>
{
    let scene = Scene::new().await?;
    let fleet = |name: &str, on: u32| {
        let imo_numbers = [("v-1", "9074729"), ("v-2", "9619907"), ("v-3", "9321483")];
        Records::of_vessels(imo_numbers.map(|(id, imo_number)| {
            vessel(id, json!({"imoNumber": imo_number, "name": name, "updatedAt": day(on)}))
        }))
    };
    scene.bring(&fleet("Moon", 1)).await?;
    scene.execute("UPDATE vessels SET name = 'By hand'").await?;
    scene.bring(&fleet("Sun", 2)).await?;
    assert_eq!(scene.number("conflicts WHERE state = 'open'").await, 3);
    for (vessel, at) in [("v-1", scene.now()), ("v-2", scene.now() + TimeDelta::days(30))] {
        let id = scene.row(&format!("SELECT id FROM conflicts WHERE source_id = '{vessel}'")).await;
        let id = id["id"].as_str().expect("an id").parse()?;
        let resolved = scene
            .tx(async |tx| conflict_resolve(tx, id, &Choice::Side(Side::Local), "anna", at).await)
            .await?;
        assert_eq!(resolved, Resolved::Resolved);
    }

    assert_eq!(scene.purge_all().await?, purged([(OldRows::Conflicts, 1), (OldRows::Syncs, 2)]));
    let conflicts = "SELECT source_id, state FROM conflicts ORDER BY source_id";
    let left = [("v-2", "resolved"), ("v-3", "open")]
        .map(|(source_id, state)| json!({"source_id": source_id, "state": state}));
    assert_eq!(scene.rows(conflicts).await, left);
    scene.bring(&fleet("Sun", 2)).await?;
    assert_eq!(scene.rows(conflicts).await, left);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_go_but_the_last_one_of_each_schedule() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .execute(
            "INSERT INTO schedules (name, enabled, cron) VALUES ('yearly', true, '0 0 1 1 *'), ('none', true, '0 0 1 1 *');
             INSERT INTO schedule_ticks (schedule, due_at, outcome, fired_at)
             SELECT schedule, due_at::timestamptz, 'skipped', due_at::timestamptz FROM (VALUES
                 ('full-sync', '2024-01-01'), ('full-sync', '2024-01-02'), ('full-sync', '2099-01-01'),
                 ('yearly', '2023-01-01'), ('yearly', '2024-01-01')) AS t (schedule, due_at)",
        )
        .await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::Ticks, 3)]));
    let ticks =
        "SELECT schedule, extract(year FROM due_at)::int AS year FROM schedule_ticks ORDER BY schedule";
    assert_eq!(
        scene.rows(ticks).await,
        [json!({"schedule": "full-sync", "year": 2099}), json!({"schedule": "yearly", "year": 2024})]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_of_vanished_processes_go() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .execute(
            "INSERT INTO circuits (instance, peer, state, since, failure, reported_at)
             SELECT gen_random_uuid(), peer, 'open', '2024-01-01', '500', at::timestamptz
             FROM (VALUES ('gone', '2024-01-01'), ('open', '2099-01-01')) AS t (peer, at);
             INSERT INTO peer_outcomes (peer, instance, outcome, ended_at)
             SELECT peer, instance, 'ok', reported_at FROM circuits",
        )
        .await?;
    assert_eq!(scene.purge_all().await?, purged([(OldRows::Circuits, 1), (OldRows::PeerOutcomes, 1)]));
    for table in ["circuits", "peer_outcomes"] {
        assert_eq!(
            scene.rows(&format!("SELECT peer FROM {table}")).await,
            [json!({"peer": "open"})],
            "{table}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn postponed_message_stays_whatever_its_age() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .execute(
            "INSERT INTO postponed_messages (queue, message_id, kind, body, attempt, postponed_at, due_at)
             VALUES ('sync.tasks', 'm', 'k', '{}', 2, '2024-01-01', '2024-01-02')",
        )
        .await?;
    assert_eq!(scene.purge_all().await?, Purged::new());
    assert_eq!(scene.number("postponed_messages").await, 1);
    Ok(())
}

/// The backlog of a year: rows of each kind that was once slow, each with the rows that refer to it, beside as many that
/// stay. `n` is even for old rows.
const BACKLOG_SQL: &str = "
    CREATE TEMP TABLE item AS SELECT n, md5('s' || n)::uuid AS sync, md5('e' || n)::uuid AS event,
        md5('d' || n)::uuid AS letter, CASE WHEN n % 2 = 0 THEN timestamptz '2024-01-01' ELSE '2099-01-01' END
            + n * interval '1 minute' AS at
        FROM generate_series(1, 16000) AS n;
    INSERT INTO sync_logs (id, cause, mode, state, requested_by, started_at, running_at, heartbeat_at, completed_at)
    SELECT sync, 'webhook', 'selective', 'completed', 'webhook', at, at, at, at FROM item;
    UPDATE sync_logs SET retry_of = id WHERE id IN (SELECT sync FROM item WHERE n % 4 = 0);
    INSERT INTO sync_counts (sync_id, record_type, read, unchanged) SELECT sync, 'vessel', 1, 1 FROM item;
    INSERT INTO webhook_events (id, webhook_id, event_type, record_type, source_id, body, key_name, state, sync_id,
        received_at, processed_at)
    SELECT event, 'w' || n, 'vessel.approved', 'vessel', 'v-' || n, '{}', 'current', 'processed', sync, at, at FROM item;
    INSERT INTO record_findings (sync_id, record_type, source_id, vessel_ids, severity, code, pointer, message, found_at)
    SELECT sync, 'vessel', 'v-' || n, '{}', 'warning', 'c', '/x', 'm', at FROM item;
    INSERT INTO conflicts (id, sync_id, record_type, source_id, kind, local_value, source_value, local_at, source_at, winner,
        state, opened_at, resolved_at, resolved_by, resolution)
    SELECT event, sync, 'vessel', 'v-' || n, 'local_newer', '{}', '{}', at, at, 'local', 'resolved', at, at, 'anna', 'keep'
    FROM item;
    INSERT INTO attempts (message_id, sync_id, number, class, failure, began_at, duration_ms)
    SELECT event::text, CASE WHEN n % 4 < 2 THEN sync END, 1, 'transient', '500', at, 1 FROM item;
    INSERT INTO schedule_ticks (schedule, due_at, outcome, sync_id, fired_at)
    SELECT 'full-sync', at, 'started', sync, at FROM item;
    INSERT INTO dead_letters (id, message_id, queue, kind, body, class, reason, fingerprint, attempts, sync_id, died_at,
        archived_at, state, replayed_by, replayed_at, published_at, succeeded_at, replay_of)
    SELECT letter, letter::text, 'sync.tasks', 'k', '{}', 'transient', '500', 'f', 4, sync, at, at, 'succeeded', 'anna', at,
        at, at, CASE WHEN n % 4 = 0 THEN letter END FROM item;
    INSERT INTO replay_jobs (id, filter, requested_by, created_at) SELECT letter, '{}', 'anna', at FROM item;
    INSERT INTO replay_items (job_id, dead_letter_id, before, state, died_as, ended_at)
    SELECT letter, letter, 'dead', 'died', letter, at FROM item;
    INSERT INTO sync_queue (id, sync_id, record_type, page, page_request, state, created_at, updated_at, completed_at)
    SELECT event, sync, 'vessel', 1, '{}', 'done', at, at, at FROM item;
    INSERT INTO overwritten (sync_id, record_type, row_id, image) SELECT sync, 'vessel', event, '{}' FROM item;
    INSERT INTO sync_seen (sync_id, record_type, source_ids) SELECT sync, 'vessel', '{}' FROM item;
    INSERT INTO findings (sync_id, record_type, source_id, severity, code, pointer, message, found_at)
    SELECT sync, 'vessel', 'v', 'error', 'c', '/x', 'm', at FROM item;
    ANALYZE";

#[tokio::test(flavor = "multi_thread")]
async fn batch_of_a_large_backlog_scans_no_table_and_stays_within_its_limit() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.execute(BACKLOG_SQL).await?;
    let before = scene.now();
    // With syncs and jobs go a tally's one record and one item.
    let expected = [
        (OldRows::WebhookEvents, 1000),
        (OldRows::Attempts, 1000),
        (OldRows::ReplayJobs, 500),
        (OldRows::DeadLetters, 1000),
        (OldRows::Conflicts, 1000),
        (OldRows::Syncs, 500),
        (OldRows::Ticks, 1000),
    ];
    for (rows, deleted) in expected {
        let scans = scene
            .tx(async |tx| {
                assert_eq!(retention_purge(tx, rows, before, LIMIT).await?, deleted, "{rows:?}");
                sequential_scans(tx).await
            })
            .await?;
        // Schedules are a handful of rows.
        let large: Vec<_> = scans.iter().filter(|(table, _)| table != "schedules").collect();
        assert!(large.is_empty(), "{rows:?}: {large:?}");
    }

    let all = scene.purge(before).await?;
    for (rows, deleted) in &all {
        assert!(*deleted >= 3000, "{rows:?}: {all:?}");
    }
    for table in
        OldRows::ALL.iter().filter(|it| expected.iter().any(|(rows, _)| rows == *it)).map(|it| it.table())
    {
        assert_eq!(scene.number(table).await, 8000, "{table}");
    }
    Ok(())
}

/// Tables that were scanned from end to end in this transaction, by its statements and by the checks of foreign keys, and
/// how many of their rows were read. The planner decides by the sizes of tables, so this says nothing about small ones.
async fn sequential_scans(tx: &mut Db) -> Result<Vec<(String, i64)>, StoreError> {
    #[derive(diesel::QueryableByName)]
    struct Scans {
        #[diesel(sql_type = diesel::sql_types::Text)]
        relname: String,
        #[diesel(sql_type = diesel::sql_types::Int8)]
        seq_tup_read: i64,
    }
    let query = diesel::sql_query(
        "SELECT relname::text, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0 ORDER BY 1",
    );
    let scans: Vec<Scans> = diesel_async::RunQueryDsl::load(query, tx).await?;
    Ok(scans.into_iter().map(|it| (it.relname, it.seq_tup_read)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_key_to_rows_that_are_deleted_has_an_index() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // Keys that say what becomes of their row when the other is deleted. An index that leaves rows out serves a key only
    // if it leaves out no more than empty ones.
    let without_index = scene
        .rows(
            "SELECT c.conname FROM pg_constraint c
             WHERE c.contype = 'f' AND c.confdeltype IN ('c', 'n') AND NOT EXISTS (
                 SELECT FROM pg_index i
                 WHERE i.indrelid = c.conrelid AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] = c.conkey
                     AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)',
                         (SELECT attname FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = c.conkey[1]))))
             ORDER BY 1",
        )
        .await;
    assert_eq!(without_index, Vec::<serde_json::Value>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_with_many_records_is_a_batch_of_its_own() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .execute(
            "INSERT INTO sync_logs (id, cause, mode, state, requested_by, started_at, running_at, heartbeat_at, completed_at)
             SELECT gen_random_uuid(), 'manual', 'selective', 'completed', reads::text, at, at, at, at
             FROM unnest(ARRAY[6000, 300, 300, 300, 300, 300]) WITH ORDINALITY AS t (reads, place),
                 LATERAL (SELECT timestamptz '2024-01-01' + place * interval '1 day' AS at) AS a;
             INSERT INTO sync_counts (sync_id, record_type, read, unchanged)
             SELECT id, 'equipment', requested_by::int, requested_by::int FROM sync_logs",
        )
        .await?;
    let before = scene.now();
    let mut batches = Vec::new();
    while batches.last() != Some(&0) {
        batches.push(scene.purge_batch(OldRows::Syncs, before, LIMIT).await?);
    }
    assert_eq!(batches, [1, 3, 2, 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_another_transaction_has_locked_are_left_to_a_later_batch() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let first = scene.full_sync(&Records::small_fleet()).await?;
    scene.full_sync(&Records::small_fleet()).await?;
    let before = scene.now() + TimeDelta::days(1);
    let mut other = scene.store.begin().await?;
    let lock = format!("SELECT id FROM sync_logs WHERE id = '{}' FOR NO KEY UPDATE", first.id);
    diesel_async::RunQueryDsl::execute(diesel::sql_query(lock), &mut *other).await?;
    assert_eq!(scene.purge_batch(OldRows::Syncs, before, LIMIT).await?, 1);
    assert_eq!(scene.purge_batch(OldRows::Syncs, before, LIMIT).await?, 0);
    other.rollback().await;
    assert_eq!(scene.purge_batch(OldRows::Syncs, before, LIMIT).await?, 1);
    Ok(())
}
