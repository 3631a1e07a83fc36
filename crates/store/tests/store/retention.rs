//! What is forgotten in time, and what stays.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Mode, Scope};
use serde_json::json;
use store::engine::retention::{Purged, retention_purge};

use crate::{
    records::{Records, day, vessel},
    scene::Scene,
};

impl Scene {
    async fn purge(&self, before: DateTime<Utc>) -> anyhow::Result<Purged> {
        self.tx(async |tx| retention_purge(tx, before).await).await
    }

    /// Forgets all that had ended by now.
    async fn purge_all(&self) -> anyhow::Result<Purged> {
        self.purge(self.now() + TimeDelta::days(1)).await
    }
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

    let purged = scene.purge_all().await?;
    assert_eq!(purged, Purged { syncs: 1, ..Purged::default() });
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
    assert_eq!(scene.purge_all().await?, Purged { syncs: 2, ..Purged::default() });
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
    assert_eq!(scene.purge(before).await?, Purged { syncs: 1, ..Purged::default() });
    let rows = scene.rows("SELECT id FROM sync_logs ORDER BY started_at").await;
    assert_eq!(rows, [json!({"id": recent.id.to_string()}), json!({"id": open.to_string()})]);
    assert_eq!(scene.purge_all().await?, Purged { syncs: 1, ..Purged::default() });
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
    assert_eq!(scene.purge_all().await?, Purged { webhook_events: 2, ..Purged::default() });
    let rows = scene.rows("SELECT state FROM webhook_events ORDER BY state").await;
    assert_eq!(rows, ["failed", "published", "received"].map(|state| json!({"state": state})));
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
    assert_eq!(scene.purge_all().await?, Purged { dead_letters: 1, ..Purged::default() });
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
    assert_eq!(scene.purge_all().await?, Purged { syncs: 1, ..Purged::default() });
    assert_eq!(scene.audit().await, [json!({"actor": "anna", "action": "sync.cancel"})]);
    Ok(())
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
