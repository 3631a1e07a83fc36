//! Schedulers on a real PostgreSQL and a real RabbitMQ.

use std::time::Duration;

use chassis::{health::Health, shutdown::Shutdown};
use serde_json::{Value, json};
use store::Store;
use testbed::{World, wait_until};
use tokio::task::JoinHandle;

const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

struct Scene {
    world: World,
}

impl Scene {
    async fn new() -> anyhow::Result<Self> {
        chassis::install_tls();
        let template = testbed::template_name("scheduler", "maintenance")?;
        let world = World::from_template(&template, async |url| {
            Store::connect(&url, 2).await?.migrate().await?;
            Ok(())
        })
        .await?;
        Ok(Self { world })
    }

    /// Starts a scheduler with short intervals.
    async fn start(&self) -> anyhow::Result<Shutdown> {
        self.start_with_lease(60).await
    }

    async fn start_with_lease(&self, seconds: u64) -> anyhow::Result<Shutdown> {
        let config = json!({
            "server": {"bind": "127.0.0.1:0"},
            "database": {"url": self.world.database_url_of("sms_scheduler").await?, "pool_size": 4},
            "broker": {"url": self.world.amqp_url().await?},
            "schedule": {"look_every_ms": 50, "catch_up_minutes": 60},
            "reaper": {"look_every_ms": 50, "lease_seconds": seconds, "stalled_after_leases": 3},
            "withdrawals": {"look_every_seconds": 1},
            "retention": {"look_every_seconds": 3600, "days": 90, "audit_days": 1825}
        });
        let shutdown = Shutdown::manual();
        scheduler::start(&serde_json::from_value(config)?, &shutdown, &Health::new()).await?;
        Ok(shutdown)
    }

    async fn rows(&self, sql: &str) -> Vec<Value> {
        self.world.query_json(sql).await.expect("a valid query")
    }

    /// Waits until a query returns so many rows, and returns them.
    async fn wait_rows(&self, what: &str, sql: &str, rows: usize) -> anyhow::Result<Vec<Value>> {
        wait_until(what, WAIT_TIMEOUT, async || {
            let found = self.rows(sql).await;
            if found.len() == rows { Ok(found) } else { Err(found) }
        })
        .await
    }
}

async fn end(shutdown: Shutdown) {
    shutdown.request("the test is over");
    shutdown.finished().await;
}

/// A schedule of every minute that was set two hours ago: its last tick is due now, and the earlier ones were missed.
const SET_EVERY_MINUTE_SQL: &str =
    "UPDATE schedules SET enabled = true, cron = '* * * * *', updated_at = now() - interval '2 hours'";

#[tokio::test(flavor = "multi_thread")]
async fn two_schedulers_fire_a_tick_once_and_publish_its_command() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.world.execute(SET_EVERY_MINUTE_SQL).await?;
    let (one, two) = (scene.start().await?, scene.start().await?);

    let syncs =
        "SELECT id, cause, mode, requested_by, published_at FROM sync_logs WHERE published_at IS NOT NULL";
    let sync = scene.wait_rows("a sync has been published", syncs, 1).await?.remove(0);
    assert_eq!((&sync["cause"], &sync["mode"]), (&json!("scheduled"), &json!("full")));
    assert_eq!(sync["requested_by"], "schedule full-sync");
    let ticks = scene.rows("SELECT outcome, sync_id FROM schedule_ticks WHERE outcome = 'started'").await;
    assert_eq!(ticks, [json!({"outcome": "started", "sync_id": sync["id"]})]);

    // The sync never ends here, so the next tick of this minute is skipped, and says why.
    scene.world.execute("DELETE FROM schedule_ticks WHERE outcome = 'missed'").await?;
    scene.world.execute("UPDATE schedule_ticks SET due_at = due_at - interval '1 minute'").await?;
    let skipped = "SELECT outcome, detail, sync_id FROM schedule_ticks WHERE outcome = 'skipped' LIMIT 1";
    let tick = scene.wait_rows("the next tick was skipped", skipped, 1).await?.remove(0);
    assert_eq!((&tick["detail"], &tick["sync_id"]), (&json!("a sync had not ended"), &sync["id"]));
    end(one).await;
    end(two).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tick_of_the_time_without_a_scheduler_is_recorded() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let set_five_minutes_ago = "UPDATE schedules SET enabled = true, cron = '* * * * *',
         updated_at = date_trunc('minute', now()) - interval '5 minutes'";
    scene.world.execute(set_five_minutes_ago).await?;
    let scheduler = scene.start().await?;
    let started = "SELECT due_at FROM schedule_ticks WHERE outcome = 'started'";
    scene.wait_rows("the last tick has started a sync", started, 1).await?;
    let before = "SELECT outcome, extract(epoch FROM due_at - (SELECT updated_at FROM schedules))::int AS after
         FROM schedule_ticks WHERE due_at < (SELECT due_at FROM schedule_ticks WHERE outcome = 'started') ORDER BY due_at";
    let missed: Vec<Value> =
        [60, 120, 180, 240].map(|after| json!({"outcome": "missed", "after": after})).to_vec();
    // A minute more, where the clock has gone on since the schedule was set.
    assert_eq!(scene.rows(before).await[..4], missed);
    end(scheduler).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_tick_over_the_limit_is_recorded_as_missed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // The last tick was six hours ago; the schedule was set before that.
    scene
        .world
        .execute(
            "UPDATE schedules SET enabled = true, updated_at = now() - interval '12 hours',
             cron = '0 ' || extract(hour FROM (now() AT TIME ZONE 'UTC') - interval '6 hours') || ' * * *'",
        )
        .await?;
    let scheduler = scene.start().await?;
    let ticks = "SELECT outcome, detail, sync_id FROM schedule_ticks";
    let tick = scene.wait_rows("the tick is recorded", ticks, 1).await?.remove(0);
    assert_eq!((&tick["outcome"], &tick["sync_id"]), (&json!("missed"), &Value::Null));
    assert_eq!(scene.rows("SELECT id FROM sync_logs").await, Vec::<Value>::new());
    end(scheduler).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_temporary_passwords_are_removed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene
        .world
        .execute(
            "INSERT INTO users (id, source_id, email, family_name, rank, workplace, role, role_mapping_version,
                 vessel_scope, active, source_updated_at, content_hash, version_at, synced_at, created_at, updated_at,
                 password_hash, sealed_password, password_expires_at)
             SELECT gen_random_uuid(), 'u-' || hours, 'u-' || hours || '@example.com', 'Nordmann', 'cook', 'ship', 'crew', 1,
                 '{}', true, now(), substr(sha256('x'), 1, 16), now(), now(), now(), now(), 'hash', 'seal',
                 now() + hours * interval '1 hour'
             FROM unnest(ARRAY[-1, 1]) AS hours",
        )
        .await?;
    let scheduler = scene.start().await?;
    let removed = "SELECT source_id FROM users WHERE password_hash IS NULL AND sealed_password IS NULL";
    let users = scene.wait_rows("the expired password is removed", removed, 1).await?;
    assert_eq!(users, [json!({"source_id": "u--1"})]);
    end(scheduler).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_scheduler_leads_when_the_leader_loses_its_connection() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (one, two) = (scene.start().await?, scene.start().await?);
    let leader = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let first = scene.wait_rows("a scheduler leads", leader, 1).await?[0]["pid"].clone();
    // Ends the connection as a network failure would.
    scene.world.execute(&format!("SELECT pg_terminate_backend({first})")).await?;
    scene.world.execute(SET_EVERY_MINUTE_SQL).await?;
    scene
        .wait_rows("a tick has fired", "SELECT due_at FROM schedule_ticks WHERE outcome = 'started'", 1)
        .await?;
    end(one).await;
    end(two).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_the_broker_lost_is_published_again() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // A command that was published an hour ago, and that no worker has started.
    scene
        .world
        .execute(
            "INSERT INTO sync_logs (id, cause, mode, state, requested_by, started_at, heartbeat_at, published_at)
             VALUES (gen_random_uuid(), 'manual', 'full', 'queued', 'anna', now() - interval '1 hour',
                     now() - interval '1 hour', now() - interval '1 hour')",
        )
        .await?;
    let scheduler = scene.start().await?;
    let again = "SELECT id FROM sync_logs WHERE published_at > now() - interval '10 minutes'";
    scene.wait_rows("the command was published again", again, 1).await?;
    end(scheduler).await;
    Ok(())
}

const SILENT_SYNC: &str = "019ab2c4-0000-7000-8000-000000000001";
const WAITING_SYNC: &str = "019ab2c4-0000-7000-8000-000000000002";
const FAILED_SYNCS_SQL: &str = "SELECT id, failure, detail FROM sync_logs WHERE state = 'failed'";

/// A running sync without a sign of life for an hour.
async fn insert_silent_sync(scene: &Scene, id: &str) -> anyhow::Result<()> {
    scene
        .world
        .execute(&format!(
            "INSERT INTO sync_logs (id, cause, mode, state, requested_by, started_at, running_at, heartbeat_at, published_at)
             SELECT '{id}', 'manual', 'selective', 'running', 'anna', past, past, past, past
             FROM (SELECT now() - interval '1 hour' AS past) AS t"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_without_a_sign_of_life_gets_a_note_and_fails_as_stalled() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    insert_silent_sync(&scene, SILENT_SYNC).await?;
    let scheduler = scene.start_with_lease(1).await?;
    let sync = scene.wait_rows("the silent sync has failed", FAILED_SYNCS_SQL, 1).await?.remove(0);
    assert_eq!(sync["id"], SILENT_SYNC);
    assert!(sync["failure"].as_str().is_some_and(|it| it.starts_with("stalled: ")), "{sync}");
    // The note from before it failed.
    assert!(sync["detail"].as_str().is_some_and(|it| it.starts_with("no sign of life since")), "{sync}");
    end(scheduler).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_waits_for_its_next_attempt_does_not_fail_as_stalled() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    insert_silent_sync(&scene, SILENT_SYNC).await?;
    insert_silent_sync(&scene, WAITING_SYNC).await?;
    scene
        .world
        .execute(&format!(
            "INSERT INTO attempts (message_id, sync_id, number, class, failure, began_at, duration_ms, next_attempt_at)
             VALUES ('m', '{WAITING_SYNC}', 1, 'transient', 'busy', now(), 1, now() + interval '1 hour')"
        ))
        .await?;
    let scheduler = scene.start_with_lease(1).await?;
    let failed = scene.wait_rows("the other sync has failed", FAILED_SYNCS_SQL, 1).await?.remove(0);
    assert_eq!(failed["id"], SILENT_SYNC);
    let running = scene.rows("SELECT id FROM sync_logs WHERE state = 'running' AND detail IS NULL").await;
    assert_eq!(running, [json!({"id": WAITING_SYNC})]);
    end(scheduler).await;
    Ok(())
}

/// A session that holds a lock for which the purge of a sync waits: a foreign key has it update `record_findings`.
struct PurgeLock {
    session: JoinHandle<anyhow::Result<()>>,
}

impl PurgeLock {
    const HOLDERS_SQL: &str = "SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
         WHERE c.relname = 'record_findings' AND l.mode = 'ShareLock' AND l.granted
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    async fn take(scene: &Scene) -> anyhow::Result<Self> {
        let url = scene.world.database_url.clone();
        let session = tokio::spawn(async move {
            let sql = "BEGIN; LOCK TABLE record_findings IN SHARE MODE; SELECT pg_sleep(600)";
            World::execute_at(&url, sql).await
        });
        scene.wait_rows("the lock is held", Self::HOLDERS_SQL, 1).await?;
        Ok(Self { session })
    }

    async fn release(self, scene: &Scene) -> anyhow::Result<()> {
        scene
            .world
            .execute(&format!("SELECT pg_terminate_backend(pid) FROM ({}) AS holders", Self::HOLDERS_SQL))
            .await?;
        let ended = self.session.await?;
        assert!(ended.is_err(), "the session was terminated");
        Ok(())
    }
}

/// Sessions whose purge of syncs waits for a lock.
const WAITING_PURGES_SQL: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
     AND wait_event_type = 'Lock' AND query LIKE '%DELETE FROM sync_logs%'";

const OLD_SYNCS_SQL: &str = "SELECT id FROM sync_logs WHERE cause = 'webhook'";

/// A scheduler whose purge of one old sync waits for the lock.
async fn start_with_a_waiting_purge(scene: &Scene) -> anyhow::Result<(PurgeLock, Shutdown)> {
    scene
        .world
        .execute(
            "INSERT INTO sync_logs (id, cause, mode, state, requested_by, started_at, running_at, heartbeat_at, completed_at)
             SELECT gen_random_uuid(), 'webhook', 'selective', 'completed', 'webhook', past, past, past, past
             FROM (SELECT now() - interval '1 year' AS past) AS t",
        )
        .await?;
    let lock = PurgeLock::take(scene).await?;
    let scheduler = scene.start().await?;
    scene.wait_rows("the purge waits", WAITING_PURGES_SQL, 1).await?;
    Ok((lock, scheduler))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_fires_and_the_reaper_works_while_old_rows_are_deleted() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (lock, scheduler) = start_with_a_waiting_purge(&scene).await?;

    scene.world.execute(SET_EVERY_MINUTE_SQL).await?;
    let started = "SELECT sync_id FROM schedule_ticks WHERE outcome = 'started'";
    scene.wait_rows("a tick has fired", started, 1).await?;
    insert_silent_sync(&scene, SILENT_SYNC).await?;
    let noted = "SELECT id FROM sync_logs WHERE detail LIKE 'no sign of life since%'";
    scene.wait_rows("the reaper has noted a silent sync", noted, 1).await?;
    assert_eq!(scene.rows(WAITING_PURGES_SQL).await.len(), 1, "the purge waits still");

    lock.release(&scene).await?;
    scene.wait_rows("the old sync is deleted", OLD_SYNCS_SQL, 0).await?;
    end(scheduler).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_waits_holds_up_no_shutdown_and_is_rolled_back() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (lock, scheduler) = start_with_a_waiting_purge(&scene).await?;
    end(scheduler).await;
    lock.release(&scene).await?;
    scene.wait_rows("the purge has ended", WAITING_PURGES_SQL, 0).await?;
    assert_eq!(scene.rows(OLD_SYNCS_SQL).await.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_ends_with_the_leadership_and_is_rolled_back() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (lock, scheduler) = start_with_a_waiting_purge(&scene).await?;
    // Only a second run deletes a tick: ticks come after syncs, whose rows the purge of the first one has locked still.
    scene
        .world
        .execute(
            "INSERT INTO schedule_ticks (schedule, due_at, outcome, fired_at)
             SELECT 'full-sync', at, 'skipped', at FROM (VALUES (now() - interval '1 year'), (now())) AS t (at)",
        )
        .await?;
    scene
        .world
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await?;
    scene.wait_rows("the next leader has deleted a tick", "SELECT due_at FROM schedule_ticks", 1).await?;
    lock.release(&scene).await?;
    scene.wait_rows("the first purge has ended", WAITING_PURGES_SQL, 0).await?;
    assert_eq!(scene.rows(OLD_SYNCS_SQL).await.len(), 1);
    end(scheduler).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_of_a_pause_are_recorded_as_skipped_with_its_reason() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let paused_for_the_last_three_minutes = "UPDATE schedules SET enabled = true, cron = '* * * * *',
         updated_at = date_trunc('minute', now()) - interval '5 minutes',
         paused_since = date_trunc('minute', now()) - interval '150 seconds', paused_by = 'anna',
         pause_reason = 'the portal moves'";
    scene.world.execute(paused_for_the_last_three_minutes).await?;
    let scheduler = scene.start().await?;
    let skipped =
        "SELECT detail, sync_id FROM schedule_ticks WHERE outcome = 'skipped' ORDER BY due_at LIMIT 3";
    let ticks = scene.wait_rows("the ticks of the pause are recorded", skipped, 3).await?;
    let paused = json!({"detail": "anna has paused the schedule: the portal moves", "sync_id": null});
    assert_eq!(ticks, [paused.clone(), paused.clone(), paused]);
    let missed = scene.rows("SELECT count(*) AS ticks FROM schedule_ticks WHERE outcome = 'missed'").await;
    assert_eq!(missed, [json!({"ticks": 2})], "those before the pause");
    assert_eq!(scene.rows("SELECT id FROM sync_logs").await, Vec::<Value>::new());

    // An end in the past: the next tick starts a sync.
    scene.world.execute("UPDATE schedules SET paused_until = now()").await?;
    scene.world.execute("UPDATE schedules SET cron = '*/10 * * * * *'").await?;
    let started = "SELECT due_at FROM schedule_ticks WHERE outcome = 'started'";
    scene.wait_rows("a tick after the pause has started a sync", started, 1).await?;
    end(scheduler).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tick_from_before_a_pause_is_not_caught_up_in_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // The tick of this minute was missed, and then the schedule was paused.
    let paused_now =
        "UPDATE schedules SET enabled = true, cron = '* * * * *', paused_since = now(), paused_by = 'anna',
         pause_reason = 'the portal moves', updated_at = date_trunc('minute', now()) - interval '30 seconds'";
    scene.world.execute(paused_now).await?;
    let scheduler = scene.start().await?;
    let ticks = "SELECT outcome, detail FROM schedule_ticks ORDER BY due_at LIMIT 1";
    let tick = scene.wait_rows("the tick is recorded", ticks, 1).await?.remove(0);
    assert_eq!(
        tick,
        json!({"outcome": "skipped", "detail": "anna has paused the schedule: the portal moves"})
    );
    assert_eq!(scene.rows("SELECT id FROM sync_logs").await, Vec::<Value>::new());
    end(scheduler).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn selective_schedule_looks_its_vessels_up_at_each_tick_and_names_those_that_are_unknown()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let vessel = "INSERT INTO vessels (id, imo_number, name, flag, vessel_type, service_status, source_id, source_updated_at,
             content_hash, version_at, synced_at, created_at, updated_at)
         VALUES (gen_random_uuid(), '9074729', 'Nordhavn Orion', 'NO', 'tanker', 'in_service', 'v-1', now(),
             decode(repeat('00', 16), 'hex'), now(), now(), now(), now())";
    scene.world.execute(vessel).await?;
    for (name, imos) in [("known", "9074729"), ("mixed", "9074729\", \"9867607"), ("unknown", "9867607")] {
        let schedule = format!(
            "INSERT INTO schedules (name, enabled, cron, mode, selection, updated_at) VALUES
                 ('{name}', true, '* * * * *', 'selective', '{{\"vesselImos\": [\"{imos}\"]}}', now() - interval '2 minutes')"
        );
        scene.world.execute(&schedule).await?;
    }
    let scheduler = scene.start().await?;
    // The first tick of each after its start: a minute may pass meanwhile.
    let handled =
        "SELECT DISTINCT ON (t.schedule) t.schedule, t.outcome, t.detail, s.scope FROM schedule_ticks t
         LEFT JOIN sync_logs s ON s.id = t.sync_id WHERE t.outcome <> 'missed' ORDER BY t.schedule, t.due_at";
    let ticks = scene.wait_rows("each schedule has handled a tick", handled, 3).await?;
    let scope = json!({"vesselIds": ["v-1"]});
    let unknown = "no vessel is known with the IMO number 9867607";
    assert_eq!(
        ticks,
        [
            json!({"schedule": "known", "outcome": "started", "detail": null, "scope": scope}),
            json!({"schedule": "mixed", "outcome": "started", "detail": unknown, "scope": scope}),
            json!({"schedule": "unknown", "outcome": "skipped", "detail": unknown, "scope": null}),
        ]
    );
    end(scheduler).await;
    Ok(())
}
