//! The laws of last write wins, on a real PostgreSQL: whatever the order, however often, by however many workers, the same
//! rows are left; and every record that was read has one outcome.

use std::sync::Arc;

use crate::scene::Scene;
use domain::{
    Accepted, Cause, Mode, RecordType, Rules, Scope, SyncId,
    clock::{Clock, SystemClock},
    equipment::{Equipment, EquipmentDraft},
    vessel::VesselDraft,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use store::{
    Store, StoreError,
    records::{companies_apply, counts_of, equipment_apply, vessels_apply},
    sync_runs::{NewRun, run_begin},
};

/// A state of a piece of equipment: which, when, and what it says. Its criticality is always the same: a row never loses
/// that, whatever comes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct State {
    id: u8,
    day: u8,
    says: u8,
}

fn state() -> impl Strategy<Value = State> {
    (0u8..4, 1u8..6, 0u8..3).prop_map(|(id, day, says)| State { id, day, says })
}

fn accepted(it: State) -> Accepted<Equipment> {
    let draft: EquipmentDraft = serde_json::from_value(json!({
        "id": format!("e-{}", it.id), "vesselId": "v-1", "code": "601.001", "unitNumber": 1,
        "name": format!("Says {}", it.says), "specs": {"says": it.says}, "isCritical": false, "isStandby": false,
        "qrCode": format!("LAW-{:06}", it.id), "serviceStatus": "in_service",
        "updatedAt": format!("2026-05-{:02}T00:00:00Z", it.day),
        "criticalParts": [{"id": format!("p-{}", it.says), "partNumber": "1", "name": "Valve", "unit": "pcs",
                           "minimumStock": 1, "isCritical": true}]
    }))
    .expect("a draft");
    draft.accept(&Rules::at(SystemClock.now())).expect("a sound one")
}

async fn run(store: &Store) -> anyhow::Result<SyncId> {
    let run = NewRun {
        id: SyncId::new(),
        cause: Cause::Manual,
        mode: Mode::Selective,
        scope: Scope::default(),
        dry_run: false,
        requested_by: "laws".to_owned(),
        reason: None,
        retry_of: None,
        trace_context: json!({}),
    };
    let now = SystemClock.now();
    let _created = store.transaction(async |tx| run_begin(tx, &run, now).await).await?;
    Ok(run.id)
}

async fn vessel(store: &Store, id: SyncId) -> anyhow::Result<()> {
    let draft: VesselDraft = serde_json::from_value(json!({
        "id": "v-1", "imoNumber": "9074729", "name": "Nordic Star", "flag": "NO", "vesselType": "ferry",
        "serviceStatus": "in_service", "updatedAt": "2026-01-01T00:00:00Z",
        "company": {"id": "c-1", "name": "Nordic AS", "country": "NO", "updatedAt": "2026-01-01T00:00:00Z"}
    }))?;
    let both = draft.accept_with_company(&Rules::at(SystemClock.now()));
    let (company, vessel) = (both.company.expect("sound"), both.vessel.expect("sound"));
    let now = SystemClock.now();
    store
        .transaction(async |tx| {
            companies_apply(tx, id, &[company], now).await?;
            vessels_apply(tx, id, &[vessel], now).await
        })
        .await?;
    Ok(())
}

/// Applies pages one by one, as a worker does, each as often as others make it wait.
async fn work(store: Store, id: SyncId, pages: Vec<Vec<State>>) -> anyhow::Result<()> {
    for page in pages {
        let records: Vec<_> = page.iter().copied().map(accepted).collect();
        loop {
            let now = SystemClock.now();
            let applied = store.transaction(async |tx| equipment_apply(tx, id, &records, now).await).await;
            match applied {
                Ok(applied) => {
                    anyhow::ensure!(counts_of(&applied).read() == records.len() as u64, "{applied:?}");
                    break;
                }
                Err(StoreError::Contended) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

/// What is left, but for our own ids and clocks.
async fn left(scene: &Scene) -> Vec<Value> {
    scene
        .rows(
            "SELECT e.source_id, e.name, e.specs, e.status, e.source_updated_at, e.version_at, e.last_writer,
                 encode(e.content_hash, 'hex') AS hash, (SELECT jsonb_agg(p.source_id ORDER BY p.source_id)
                 FROM critical_parts p WHERE p.equipment_id = e.id AND p.status = 'active') AS parts
             FROM equipment e ORDER BY e.source_id",
        )
        .await
}

#[test]
fn any_order_any_number_of_times_by_several_workers_leaves_the_same_rows() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let scene = Arc::new(runtime.block_on(Scene::new()).unwrap());
    let id = runtime.block_on(async {
        let id = run(&scene.store).await?;
        vessel(&scene.store, id).await?;
        anyhow::Ok(id)
    });
    let id = id.unwrap();
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    };
    let states = prop::collection::vec(state(), 1..14);
    let input = states.prop_flat_map(|states| {
        let orders = prop::collection::vec(Just(states.clone()).prop_shuffle(), 3);
        (Just(states), orders, 1usize..5)
    });
    TestRunner::new(config)
        .run(&input, |(states, orders, page)| {
            let outcome = runtime.block_on(async {
                let clear = "TRUNCATE equipment, critical_parts, maintenance_schedules";
                scene.world.execute(clear).await?;
                work(scene.store.clone(), id, vec![states.clone()]).await?;
                let alone = left(&scene).await;

                // Three workers, each with all states in an order of its own, and one of them twice.
                scene.world.execute(clear).await?;
                let workers = orders.iter().map(|order| {
                    let pages: Vec<Vec<State>> = order.chunks(page).map(<[State]>::to_vec).collect();
                    tokio::spawn(work(scene.store.clone(), id, pages))
                });
                for worker in workers.collect::<Vec<_>>() {
                    worker.await??;
                }
                work(scene.store.clone(), id, vec![orders[0].clone()]).await?;
                anyhow::Ok((alone, left(&scene).await))
            });
            let (alone, together) = outcome.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
            prop_assert_eq!(alone, together);
            Ok(())
        })
        .unwrap();
    let errors = runtime.block_on(scene.number("findings WHERE severity = 'error'"));
    assert_eq!(errors, 0, "{:?}", RecordType::Equipment);
}
