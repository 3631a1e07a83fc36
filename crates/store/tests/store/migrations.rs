//! The schema, up and down, on a real PostgreSQL.

use std::time::Duration;

use anyhow::Context;
use domain::{ListFilter, PageQuery, PageRequest, RecordType, TaskId, list_walk::ListWalk};
use store::{Store, ledger::tasks::task_find};
use testbed::{World, wait_until};

/// What stands in the database beside diesel's own table.
async fn relations(world: &World) -> anyhow::Result<Vec<String>> {
    let rows = world
        .query_json(
            "SELECT c.relkind::text || ' ' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'public' AND c.relname NOT LIKE '\\_\\_diesel%'
             UNION ALL
             SELECT 'f ' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname = 'public' ORDER BY 1",
        )
        .await?;
    Ok(rows.iter().filter_map(|row| Some(row["name"].as_str()?.to_owned())).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_goes_up_and_down_and_up_again_and_leaves_nothing_behind() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let store = Store::connect(&world.database_url, 2).await?;
    assert!(!store.migrations_pending().await?.is_empty());

    let first = store.migrate().await?;
    let made = relations(&world).await?;
    assert!(made.iter().any(|name| name == "r sync_logs"), "{made:?}");
    assert_eq!(store.migrations_pending().await?, Vec::<String>::new());
    assert_eq!(store.migrate().await?, Vec::<String>::new(), "a second time there is nothing to do");

    let reverted = store.migrations_revert_all().await?;
    assert_eq!(reverted.len(), first.len());
    assert_eq!(
        relations(&world).await?,
        Vec::<String>::new(),
        "what a migration makes, its way back takes away"
    );

    assert_eq!(store.migrate().await?, first);
    assert_eq!(relations(&world).await?, made);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_migrate_at_once_wait_for_each_other() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let (one, two) =
        (Store::connect(&world.database_url, 2).await?, Store::connect(&world.database_url, 2).await?);
    let (first, second) = tokio::join!(one.migrate(), two.migrate());
    let (first, second) = (first?, second?);
    assert!(first.is_empty() != second.is_empty(), "one of them ran all: {first:?} {second:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn migration_that_waits_for_a_lock_gives_way_and_is_tried_again() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let store = Store::connect(&world.database_url, 2).await?;
    let first = store.migrate().await?;
    store.migrations_revert_all().await?;
    // Who migrates may read this table, and cannot write to it.
    let held = "BEGIN; LOCK TABLE __diesel_schema_migrations IN SHARE MODE; SELECT pg_sleep(600)";
    let url = world.database_url.clone();
    let holder = tokio::spawn(async move { World::execute_at(&url, held).await });
    wait_until("the table is locked", Duration::from_secs(60), async || {
        let locks = world
            .query_json(
                "SELECT mode FROM pg_locks WHERE mode = 'ShareLock' AND granted AND relation =
             '__diesel_schema_migrations'::regclass",
            )
            .await
            .map_err(|error| format!("{error:#}"))?;
        if locks.is_empty() { Err("it is not".to_owned()) } else { Ok(()) }
    })
    .await?;

    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let migrating = store.migrate_and_tell(move |met| tell.send(met.to_owned()).unwrap_or_default());
    let release = async {
        let met = told.recv().await.context("it has waited for the lock")?;
        world
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()",
            )
            .await?;
        anyhow::Ok(met)
    };
    let (ran, met) = tokio::join!(migrating, release);
    assert!(met?.contains("lock timeout"));
    assert_eq!(ran?, first);
    assert!(holder.await?.is_err(), "it was ended");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_what_no_sync_may_be() -> anyhow::Result<()> {
    let world = World::empty().await?;
    Store::connect(&world.database_url, 2).await?.migrate().await?;
    let sync = "INSERT INTO sync_logs (id, cause, mode, state, requested_by, started_at, heartbeat_at, running_at, completed_at, failure)
               VALUES (gen_random_uuid(), 'manual', 'full'";
    let refused = async |values: &str, constraint: &str| {
        let error = world.execute(&format!("{sync}, {values})")).await.expect_err(constraint);
        let said = format!("{error:#}");
        assert!(said.contains(constraint), "{said}");
    };
    refused("'completed', 'anna', now(), now(), now(), NULL, NULL", "sync_logs_ended_runs_have_an_end").await;
    refused("'running', 'anna', now(), now(), NULL, NULL, NULL", "sync_logs_begun_runs_have_a_begin").await;
    refused("'failed', 'anna', now(), now(), now(), now(), NULL", "sync_logs_failures_say_why").await;
    world.execute(&format!("{sync}, 'running', 'anna', now(), now(), now(), NULL, NULL)")).await?;
    refused("'running', 'anna', now(), now(), now(), NULL, NULL", "sync_logs_one_full_sync").await;
    let error = world
        .execute("INSERT INTO sync_counts (sync_id, record_type, read, created) SELECT id, 'vessel', 2, 1 FROM sync_logs")
        .await
        .expect_err("read is the sum of the outcomes");
    assert!(format!("{error:#}").contains("sync_counts_read_is_the_sum_of_outcomes"), "{error:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn task_recorded_as_a_message_becomes_its_page_request() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let store = Store::connect(&world.database_url, 2).await?;
    store.migrate().await?;
    let migration = testbed::workspace_root().join("migrations/maintenance/2026-11-27-000013_page_requests");
    world.execute(&std::fs::read_to_string(migration.join("down.sql"))?).await?;
    let message =
        std::fs::read_to_string(testbed::workspace_root().join("proto-schemas/fixtures/v1/sync_task.json"))?;
    let id: TaskId = "019ab2c4-0000-7000-8000-000000000003".parse()?;
    world
        .execute(&format!(
            "WITH sync AS (INSERT INTO sync_logs (id, cause, mode, state, requested_by, started_at, heartbeat_at, running_at)
                 VALUES (gen_random_uuid(), 'manual', 'full', 'running', 'anna', now(), now(), now()) RETURNING id)
             INSERT INTO sync_queue (id, sync_id, record_type, chain, page, message, state, created_at, updated_at)
             SELECT '{id}', id, 'equipment', 1, 2, '{message}', 'pending', now(), now() FROM sync"
        ))
        .await?;

    world.execute(&std::fs::read_to_string(migration.join("up.sql"))?).await?;
    let task = task_find(&mut *store.db().await?, id).await?.expect("the task is there");
    let query = PageQuery {
        cursor: Some("MjAyNi0xMS0yNFQwODozMDowMFo".into()),
        limit: 500,
        updated_since: Some("2026-11-01T00:00:00Z".parse()?),
        filter: ListFilter {
            source_ids: vec!["0b8f8f6e-2d2c-5a39-9b1a-6a6e7d1f0001".into()],
            ..ListFilter::default()
        },
        as_of: None,
        second_look: None,
        walk: ListWalk::default(),
    };
    assert_eq!(task.request, PageRequest { record_type: RecordType::Equipment, chain: 1, number: 2, query });
    Ok(())
}

/// Rows that others refer to are deleted in batches: without an index each of them would read the whole table of the others.
#[tokio::test(flavor = "multi_thread")]
async fn every_foreign_key_has_an_index() -> anyhow::Result<()> {
    let world = World::empty().await?;
    Store::connect(&world.database_url, 2).await?.migrate().await?;
    let without = world
        .query_json(
            "SELECT c.conrelid::regclass::text || ': ' || c.conname AS name FROM pg_constraint c
             WHERE c.contype = 'f' AND NOT EXISTS (
                 SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indisvalid
                     AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
                     AND c.conkey @> (i.indkey::int2[])[0:cardinality(c.conkey) - 1])",
        )
        .await?;
    // A table of one row.
    let of_one_row = "role_mapping_current: role_mapping_current_version_fkey";
    assert_eq!(without, [serde_json::json!({"name": of_one_row})]);
    Ok(())
}
