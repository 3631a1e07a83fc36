//! The law of last write wins, on a real PostgreSQL: whatever the order in which versions of records arrive, however often
//! and through however many workers, the same rows are left, and every record that was read has one outcome.
//!
//! Left out is what is meant to depend on history: criticality, which no sync takes away; a label that hangs on board;
//! what the ship owns; and parts that are withdrawn, which are only there if they ever came.

use std::collections::BTreeMap;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Accepted, Cause, Mode, Rules, Scope, SyncId,
    equipment::{Equipment, EquipmentDraft},
    vessel::{Vessel, VesselDraft},
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use store::{
    Store, StoreError,
    ledger::syncs::{NewSync, sync_begin},
    records::{WriteStamp, companies_apply, counts_of, equipment_apply, vessels_apply},
};
use testbed::World;

/// A version of one of a few records. Equal times with other contents are wanted: the time of the fetch decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    record: u8,
    hour: u8,
    /// Its place among the versions: each was fetched later than the one before, and has a content of its own.
    content: u8,
    /// A tombstone, which may be all that ever comes of a record.
    withdrawn: bool,
}

/// The same versions twice: as they were written, and shuffled, with repetitions, over pages and workers.
#[derive(Debug, Clone)]
struct Case {
    versions: Vec<Written>,
    arrivals: Vec<Vec<Vec<Written>>>,
}

fn versions() -> impl Strategy<Value = Vec<Written>> {
    let written = (0..3u8, 0..6u8, prop::bool::weighted(0.25));
    prop::collection::vec(written, 1..14).prop_map(|versions| {
        let numbered = (0..).zip(versions);
        numbered
            .map(|(content, (record, hour, withdrawn))| Written { record, hour, content, withdrawn })
            .collect()
    })
}

fn case() -> impl Strategy<Value = Case> {
    (versions(), any::<u64>(), prop::collection::vec(any::<prop::sample::Index>(), 0..8)).prop_flat_map(
        |(versions, _, repeated)| {
            let mut all = versions.clone();
            all.extend(repeated.iter().map(|index| *index.get(&versions)));
            let shuffled = Just(all).prop_shuffle();
            (Just(versions), shuffled, prop::collection::vec((0..3usize, 1..4usize), 1..20)).prop_map(
                |(versions, shuffled, cuts)| {
                    let mut arrivals = vec![Vec::new(); 3];
                    let (mut rest, mut cuts) = (shuffled.as_slice(), cuts.iter().cycle());
                    while let (false, Some((worker, size))) = (rest.is_empty(), cuts.next()) {
                        let (page, later) = rest.split_at((*size).min(rest.len()));
                        arrivals[*worker].push(page.to_vec());
                        rest = later;
                    }
                    Case { versions, arrivals }
                },
            )
        },
    )
}

fn now() -> DateTime<Utc> {
    "2026-06-01T00:00:00Z".parse().expect("a time")
}

fn updated_at(it: Written) -> String {
    format!("2026-05-01T{:02}:00:00Z", it.hour)
}

fn vessel(it: Written) -> Accepted<Vessel> {
    let imo = ["9074729", "9619907", "9321483"][usize::from(it.record)];
    let draft: VesselDraft = serde_json::from_value(json!({
        "id": format!("v-{}", it.record), "imoNumber": imo, "name": format!("Vessel {}", it.content), "flag": "NO",
        "vesselType": "ferry", "serviceStatus": "in_service", "updatedAt": updated_at(it),
        "withdrawnAt": it.withdrawn.then(|| updated_at(it)),
        "company": {"id": "c-1", "name": "Nordic AS", "country": "NO", "updatedAt": "2026-01-01T00:00:00Z"}
    }))
    .expect("a draft");
    draft.accept(&Rules::at(now())).expect("a sound vessel")
}

fn equipment(it: Written) -> Accepted<Equipment> {
    let part = |name: u8| {
        json!({"id": format!("p-{name}"), "partNumber": "1", "name": format!("Part {}", it.content), "unit": "pcs",
               "minimumStock": it.content, "isCritical": false})
    };
    let draft: EquipmentDraft = serde_json::from_value(json!({
        "id": format!("e-{}", it.record), "vesselId": format!("v-{}", it.record), "code": "601.001", "unitNumber": 1,
        "name": format!("Engine {}", it.content), "specs": {"content": it.content}, "isCritical": true,
        "criticalityBasis": "class", "isStandby": false, "serviceStatus": "in_service",
        "criticalParts": [part(0), part(1 + it.content)],
        "updatedAt": updated_at(it), "withdrawnAt": it.withdrawn.then(|| updated_at(it))
    }))
    .expect("a draft");
    draft.accept(&Rules::at(now())).expect("sound equipment")
}

/// Writes a page as a worker does, again as long as others make it give way. Whatever is read has an outcome.
async fn apply(store: &Store, sync: SyncId, page: &[Written]) -> anyhow::Result<()> {
    // Each version was fetched by a request of its own.
    for it in page {
        let fetched_at = now() + TimeDelta::seconds(i64::from(it.content));
        let stamp = WriteStamp { sync_id: sync, fetched_at, notes_fetches: false, now: now() };
        loop {
            let written = store
                .transaction(async |tx| {
                    let mut applied = vessels_apply(tx, stamp, &[vessel(*it)]).await?;
                    applied.extend(equipment_apply(tx, stamp, &[equipment(*it)], None).await?);
                    Ok::<_, StoreError>(applied)
                })
                .await;
            match written {
                Ok(applied) => {
                    anyhow::ensure!(counts_of(&applied).read() == 2, "{applied:?}");
                    break;
                }
                Err(StoreError::Contended) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// What is left, and what it must be by the newest version of each.
async fn left(world: &World) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for sql in [
        "SELECT source_id, name, source_updated_at, content_hash, version_at, last_writer, status FROM vessels
         ORDER BY source_id",
        "SELECT source_id, name, specs, source_updated_at, content_hash, version_at, last_writer, status
         FROM equipment ORDER BY source_id",
        "SELECT e.source_id AS equipment, p.source_id, p.name, p.minimum_stock
         FROM critical_parts p JOIN equipment e ON e.id = p.equipment_id
         WHERE p.status = 'active' ORDER BY e.source_id, p.source_id",
    ] {
        all.extend(world.query_json(sql).await?);
    }
    Ok(all)
}

async fn begin(world: &World, store: &Store) -> anyhow::Result<SyncId> {
    world.execute("TRUNCATE vessels, equipment, companies, users, record_findings CASCADE").await?;
    let sync = NewSync {
        id: SyncId::new(),
        cause: Cause::Manual,
        mode: Mode::Selective,
        scope: Scope::default(),
        dry_run: false,
        requested_by: "test".to_owned(),
        reason: None,
        retry_of: None,
        trace_context: json!({}),
    };
    let mut tx = store.begin().await?;
    let _begun = sync_begin(&mut tx, &sync, now()).await?;
    let draft: VesselDraft = serde_json::from_value(json!({
        "id": "v-0", "imoNumber": "9074729", "name": "x", "flag": "NO", "vesselType": "ferry",
        "serviceStatus": "in_service", "updatedAt": "2026-01-01T00:00:00Z",
        "company": {"id": "c-1", "name": "Nordic AS", "country": "NO", "updatedAt": "2026-01-01T00:00:00Z"}
    }))?;
    let company = draft.company.accept(&Rules::at(now())).ok().context("a sound company")?;
    let stamp = WriteStamp { sync_id: sync.id, fetched_at: now(), notes_fetches: false, now: now() };
    companies_apply(&mut tx, stamp, &[company]).await?;
    tx.commit().await?;
    Ok(sync.id)
}

#[test]
fn any_order_any_repetition_and_any_number_of_workers_leave_the_same_rows() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (world, store) = runtime.block_on(async {
        let world = World::empty().await?;
        let store = Store::connect(&world.database_url, 6).await?;
        store.migrate().await?;
        anyhow::Ok((world, store))
    })?;
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&case(), |case| {
            let (one, other) = runtime
                .block_on(async {
                    // One worker, one version at a time, as they were written.
                    let sync = begin(&world, &store).await?;
                    for it in &case.versions {
                        apply(&store, sync, &[*it]).await?;
                    }
                    let one = left(&world).await?;
                    // Three workers at once, whatever comes.
                    let sync = begin(&world, &store).await?;
                    let worker = |pages: Vec<Vec<Written>>| {
                        let store = store.clone();
                        tokio::spawn(async move {
                            for page in pages {
                                apply(&store, sync, &page).await?;
                            }
                            anyhow::Ok(())
                        })
                    };
                    let workers: Vec<_> = case.arrivals.iter().cloned().map(worker).collect();
                    for worker in workers {
                        worker.await??;
                    }
                    anyhow::Ok((one, left(&world).await?))
                })
                .map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
            prop_assert_eq!(&one, &other);
            // And they are the newest.
            let mut newest: BTreeMap<u8, Written> = BTreeMap::new();
            for it in &case.versions {
                let kept = newest.entry(it.record).or_insert(*it);
                if (it.hour, it.content) > (kept.hour, kept.content) {
                    *kept = *it;
                }
            }
            let newest: Vec<Value> = newest
                .values()
                .map(|it| {
                    let status = if it.withdrawn { "withdrawn" } else { "active" };
                    json!({"name": format!("Vessel {}", it.content), "status": status})
                })
                .collect();
            let rows = one.iter().take(newest.len());
            let rows: Vec<Value> =
                rows.map(|it| json!({"name": it["name"], "status": it["status"]})).collect();
            prop_assert_eq!(rows, newest);
            Ok(())
        })
        .map_err(|failure| anyhow::anyhow!("{failure}"))
}
